package batch

// Meet returns the narrowest type that holds every value of both types exactly; false where there is none, or where values of
// the two do not mean the same:
//
//	int, int                 the wider; decimal(20, 0) for uint64 and a signed one
//	int, decimal             a decimal with the digits of both, up to 38
//	float, float             the wider
//	time, time               the finer unit, and likewise of timestamps; never of UTC and local ones
//	binary, fixed            binary, and likewise of fixed ones of different widths
//
// A timestamp that the finer unit does not hold is an error where it is converted.
func Meet(a, b Type) (Type, bool) {
	switch {
	case a == b:
		return a, true
	case a.IsInteger() && b.IsInteger():
		return meetInts(a, b), true
	case a.IsFloat() && b.IsFloat():
		return Of(max(a.ID, b.ID)), true
	case a.exact() && b.exact():
		return meetDecimals(a.asDecimal(), b.asDecimal())
	case a.ID == b.ID && (a.ID == Timestamp || a.ID == Time):
		return finer(a, b), a.UTC == b.UTC
	case a.ID == Binary && b.ID == Fixed, a.ID == Fixed && (b.ID == Binary || b.ID == Fixed):
		return Of(Binary), true
	}
	return a, false
}

func (t Type) exact() bool { return t.IsInteger() || t.ID == Decimal }

// asDecimal returns the decimal that holds every value of an integer or decimal type.
func (t Type) asDecimal() Type {
	if t.ID == Decimal {
		return t
	}
	return DecimalOf([...]int{3, 5, 10, 19, 3, 5, 10, 20}[t.ID-Int8], 0)
}

func meetInts(a, b Type) Type {
	if a.IsUnsigned() == b.IsUnsigned() {
		return Of(max(a.ID, b.ID))
	}
	if a.IsUnsigned() {
		a, b = b, a
	}
	if b.ID == Uint64 {
		return DecimalOf(20, 0)
	}
	return Of(max(a.ID, Int16+(b.ID-Uint8))) // signed, and wider than the unsigned one
}

func meetDecimals(a, b Type) (Type, bool) {
	scale := max(a.Scale, b.Scale)
	digits := max(int(a.Prec)-int(a.Scale), int(b.Prec)-int(b.Scale)) + int(scale)
	return DecimalOf(min(digits, 38), int(scale)), digits <= 38
}

// finer returns the one of two types of the same kind of time that has the finer unit.
func finer(a, b Type) Type {
	rank := [...]int{Second: 0, Milli: 1, Micro: 2, Nano: 3}
	if rank[a.Unit] < rank[b.Unit] {
		return b
	}
	return a
}
