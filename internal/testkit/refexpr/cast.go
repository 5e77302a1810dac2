package refexpr

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pqjoin/batch"
)

func cast(v val, t batch.Type) (val, error) {
	v.lit = false
	switch {
	case v.typ == t:
		return v, nil
	case v.null:
		return null(t), nil
	case t.ID == batch.String:
		return val{typ: t, s: text(v)}, nil
	case t.Kind() == batch.KindBytes && v.typ.ID != batch.String:
		if w := t.StoredWidth(); w > 0 && len(v.s) != w {
			return null(t), fail("%d bytes do not fit %s", len(v.s), t)
		}
		return val{typ: t, s: v.s}, nil
	case v.typ.ID == batch.String:
		return parse(strings.TrimSpace(v.s), t)
	case t.ID == batch.Bool && v.typ.IsFloat():
		return boolean(v.f != 0), nil
	case t.ID == batch.Bool:
		return boolean(v.num.Sign() != 0), nil
	case v.typ.ID == batch.Bool:
		v.num, v.typ = new(big.Rat).SetInt64(int64(btoi(v.b))), batch.Of(batch.Int64)
	}
	switch {
	case t.IsFloat():
		f := float(v.toFloat(), t)
		if math.IsInf(f.f, 0) && !(v.typ.IsFloat() && math.IsInf(v.f, 0)) {
			return null(t), fail("%g does not fit %s", v.f, t)
		}
		return f, nil
	case v.typ.IsFloat():
		return fromFloat(v.f, t)
	case t.ID == batch.Decimal:
		return number(roundHalfAway(v.num, int(t.Scale)), t)
	case t.IsInteger():
		return number(roundHalfAway(v.num, 0), t)
	}
	return castTime(v, t)
}

func fromFloat(f float64, t batch.Type) (val, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return null(t), fail("%g does not fit %s", f, t)
	}
	if t.ID == batch.Decimal {
		p, _ := new(big.Rat).SetInt(ten(int(t.Scale))).Float64()
		n := math.Round(f * p)
		if math.IsInf(n, 0) {
			return null(t), fail("%g does not fit %s", f, t)
		}
		return number(new(big.Rat).Quo(new(big.Rat).SetFloat64(n), new(big.Rat).SetInt(ten(int(t.Scale)))), t)
	}
	return number(new(big.Rat).SetFloat64(math.RoundToEven(f)), t)
}

func perDay(t batch.Type) *big.Rat {
	s := int64(86400)
	switch {
	case t.ID == batch.Date:
		s = 1
	case t.Unit == batch.Milli:
		s *= 1e3
	case t.Unit == batch.Micro:
		s *= 1e6
	case t.Unit == batch.Nano:
		s *= 1e9
	}
	return new(big.Rat).SetInt64(s)
}

func floor(r *big.Rat) *big.Rat {
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	_ = m // DivMod is Euclidean: the rest is not negative, so q is the floor
	return new(big.Rat).SetInt(q)
}

func castTime(v val, t batch.Type) (val, error) {
	r := new(big.Rat).Mul(v.num, perDay(t))
	r = floor(r.Quo(r, perDay(v.typ)))
	if t.ID == batch.Time && v.typ.ID == batch.Timestamp {
		day := perDay(batch.Type{ID: batch.Time, Unit: t.Unit})
		r.Sub(r, new(big.Rat).Mul(floor(new(big.Rat).Quo(r, day)), day))
	}
	return number(r, t)
}

// moment returns the instant of a date or timestamp.
func moment(v val) time.Time {
	ns := new(big.Rat).Mul(v.num, new(big.Rat).SetInt64(86400e9))
	ns.Quo(ns, perDay(v.typ))
	sec := floor(new(big.Rat).Quo(ns, new(big.Rat).SetInt64(1e9)))
	rest := new(big.Rat).Sub(ns, new(big.Rat).Mul(sec, new(big.Rat).SetInt64(1e9)))
	return time.Unix(sec.Num().Int64(), rest.Num().Int64()).UTC()
}

func fromMoment(m time.Time, t batch.Type) (val, error) {
	ns := new(big.Rat).SetInt64(m.Unix())
	ns.Mul(ns, new(big.Rat).SetInt64(1e9)).Add(ns, new(big.Rat).SetInt64(int64(m.Nanosecond())))
	r := ns.Mul(ns, perDay(t))
	return number(floor(r.Quo(r, new(big.Rat).SetInt64(86400e9))), t)
}

// text writes a value as a cast to string does.
func text(v val) string {
	switch {
	case v.typ.ID == batch.Bool:
		return strconv.FormatBool(v.b)
	case v.typ.IsInteger():
		return v.num.Num().String()
	case v.typ.ID == batch.Decimal:
		return v.num.FloatString(int(v.typ.Scale))
	case v.typ.IsFloat():
		return floatText(v)
	case v.typ.ID == batch.Date:
		return moment(v).Format("2006-01-02")
	case v.typ.ID == batch.Timestamp:
		s := moment(v).Format("2006-01-02 15:04:05.999999999")
		if v.typ.UTC {
			s += "+00"
		}
		return s
	}
	return v.s
}

func floatText(v val) string {
	bits := 64
	if v.typ.ID != batch.Float64 {
		bits = 32
	}
	a := math.Abs(v.f)
	switch {
	case math.IsNaN(v.f):
		return "nan"
	case math.IsInf(v.f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v.f, 'g', -1, bits)), "+")
	case a != 0 && (a < 1e-4 || a >= 1e16):
		return strconv.FormatFloat(v.f, 'e', -1, bits)
	}
	s := strconv.FormatFloat(v.f, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

var (
	numberText = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)
	dateText   = regexp.MustCompile(`^(\d{1,6})-(\d{1,2})-(\d{1,2})$`)
)

// parse reads the texts that the tests write.
func parse(s string, t batch.Type) (val, error) {
	bad := fail("cannot read '%s' as %s", s, t)
	switch {
	case t.ID == batch.Bool:
		switch strings.ToLower(s) {
		case "true", "t", "1", "yes", "y":
			return boolean(true), nil
		case "false", "f", "0", "no", "n":
			return boolean(false), nil
		}
		return null(t), bad
	case t.IsFloat():
		bits := 64
		if t.ID == batch.Float32 {
			bits = 32
		}
		f, err := strconv.ParseFloat(s, bits)
		if err != nil || strings.ContainsAny(s, "xXpP_") || math.IsInf(float(f, t).f, 0) && !math.IsInf(f, 0) {
			return null(t), bad
		}
		return float(f, t), nil
	case t.IsNumeric():
		r, ok := new(big.Rat).SetString(s)
		if !ok || !numberText.MatchString(s) {
			return null(t), bad
		}
		scale := 0
		if t.ID == batch.Decimal {
			scale = int(t.Scale)
		}
		return number(roundHalfAway(r, scale), t)
	case t.ID == batch.Date:
		m := dateText.FindStringSubmatch(s)
		if m == nil {
			return null(t), bad
		}
		at, err := time.Parse("2006-1-2", strings.TrimLeft(m[1], "0")+"-"+strings.TrimPrefix(m[2], "0")+"-"+strings.TrimPrefix(m[3], "0"))
		if err != nil {
			return null(t), bad
		}
		return fromMoment(at, t)
	case t.ID == batch.Timestamp:
		for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"} {
			if at, err := time.Parse(layout, s); err == nil {
				return fromMoment(at, t)
			}
		}
		return null(t), bad
	}
	return null(t), ErrUnknown
}
