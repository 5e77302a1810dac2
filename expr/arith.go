package expr

import (
	"math"
	"math/bits"
	"strconv"

	"pqjoin/batch"
)

// kernelArithmetic returns + - * % over operands whose types the binder has made alike.
func kernelArithmetic(op string, t, x, y batch.Type) func(*frame) error {
	switch {
	case t.ID == batch.Float64:
		return func(f *frame) error { floatArithmetic(f, op); return nil }
	case t.IsFloat():
		return func(f *frame) error {
			floatArithmetic(f, op)
			round32(f.out.Float64s())
			return nil
		}
	case t.ID == batch.Decimal:
		return decimalArithmetic(op, t, x, y)
	case t.ID == batch.Uint64:
		return func(f *frame) error { return uintArithmetic(f, op) }
	case op == "%":
		return intRemainder
	}
	return func(f *frame) error { return intArithmetic(f, op) }
}

func floatArithmetic(f *frame, op string) {
	a, ma := values[float64](f.args[0])
	b, mb := values[float64](f.args[1])
	out := f.out.Float64s()
	switch op {
	case "+":
		for i := range out {
			out[i] = a[i&ma] + b[i&mb]
		}
	case "-":
		for i := range out {
			out[i] = a[i&ma] - b[i&mb]
		}
	case "*":
		for i := range out {
			out[i] = a[i&ma] * b[i&mb]
		}
	case "/":
		for i := range out {
			out[i] = a[i&ma] / b[i&mb]
		}
	default:
		for i := range out {
			out[i] = math.Mod(a[i&ma], b[i&mb])
		}
	}
}

// narrowFloat rounds v to a float type; what is too great becomes infinite.
func narrowFloat(v float64, t batch.Type) float64 {
	switch t.ID {
	case batch.Float16:
		return roundHalf(v)
	case batch.Float32:
		return float64(float32(v))
	}
	return v
}

// roundHalf rounds to half precision, to even: 11 binary digits, the last worth 2^-24 at least.
func roundHalf(v float64) float64 {
	if v == 0 || v-v != 0 {
		return v
	}
	_, exp := math.Frexp(v)
	last := max(exp-11, -24)
	r := math.Ldexp(math.RoundToEven(math.Ldexp(v, -last)), last)
	if math.Abs(r) > 65504 {
		return math.Inf(int(math.Copysign(1, v)))
	}
	return r
}

func round32(v []float64) {
	for i, x := range v {
		v[i] = float64(float32(x))
	}
}

// intArithmetic computes first and looks for overflows afterwards: bad collects the
// sign bit of every overflow, null rows included, and only where it is set is each row looked at.
func intArithmetic(f *frame, op string) error {
	a, ma := values[int64](f.args[0])
	b, mb := values[int64](f.args[1])
	out := f.out.Int64s()
	var bad int64
	switch op {
	case "+":
		for i := range out {
			x, y := a[i&ma], b[i&mb]
			s := x + y
			bad |= (x ^ s) & (y ^ s)
			out[i] = s
		}
	case "-":
		for i := range out {
			x, y := a[i&ma], b[i&mb]
			s := x - y
			bad |= (x ^ y) & (x ^ s)
			out[i] = s
		}
	default:
		for i := range out {
			v, ok := mulInt64(a[i&ma], b[i&mb])
			bad |= int64(bit(ok)) - 1
			out[i] = v
		}
	}
	lo, hi := intRange(f.typ)
	if f.typ.ID != batch.Int64 {
		for _, v := range out {
			if v < lo || v > hi {
				bad = -1
				break
			}
		}
	}
	if bad >= 0 {
		return nil
	}
	return f.findIntOverflow(op, a, b, ma, mb)
}

func (f *frame) findIntOverflow(op string, a, b []int64, ma, mb int) error {
	lo, hi := intRange(f.typ)
	for i := range f.n {
		x, y := a[i&ma], b[i&mb]
		if v, ok := exactInt(op, x, y); f.null(i) || ok && v >= lo && v <= hi {
			continue
		}
		return f.st.rowError("%d %s %d does not fit %s", x, op, y, f.typ)
	}
	return nil
}

func exactInt(op string, x, y int64) (int64, bool) {
	switch op {
	case "+":
		s := x + y
		return s, (x^s)&(y^s) >= 0
	case "-":
		s := x - y
		return s, (x^y)&(x^s) >= 0
	}
	return mulInt64(x, y)
}

func uintArithmetic(f *frame, op string) error {
	a, ma := values[uint64](f.args[0])
	b, mb := values[uint64](f.args[1])
	out := batch.View[uint64](f.out.Fixed)
	for i := range out {
		x, y := a[i&ma], b[i&mb]
		var over uint64
		switch op {
		case "+":
			out[i], over = bits.Add64(x, y, 0)
		case "-":
			out[i], over = bits.Sub64(x, y, 0)
		case "*":
			over, out[i] = bits.Mul64(x, y)
		default:
			if y == 0 {
				if !f.null(i) {
					return f.divisionByZero("%", strconv.AppendUint(nil, x, 10))
				}
				continue
			}
			out[i] = x % y
		}
		if over != 0 && !f.null(i) {
			return f.st.rowError("%d %s %d does not fit %s", x, op, y, f.typ)
		}
	}
	return nil
}

// intRemainder is % with the sign of the dividend.
func intRemainder(f *frame) error {
	a, ma := values[int64](f.args[0])
	b, mb := values[int64](f.args[1])
	out := f.out.Int64s()
	for i := range out {
		switch y := b[i&mb]; y {
		case 0:
			if !f.null(i) {
				return f.divisionByZero("%", strconv.AppendInt(nil, a[i&ma], 10))
			}
		case -1:
			out[i] = 0
		default:
			out[i] = a[i&ma] % y
		}
	}
	return nil
}

// addDays is date + int and date - int.
func addDays(op string) func(*frame) error {
	return func(f *frame) error { return intArithmetic(f, op) }
}

func kernelNegate(t batch.Type) func(*frame) error {
	switch t.Kind() {
	case batch.KindFloat64:
		return func(f *frame) error {
			in, m := values[float64](f.args[0])
			for i := range f.out.Float64s() {
				f.out.Float64s()[i] = -in[i&m]
			}
			return nil
		}
	case batch.KindInt128:
		return func(f *frame) error {
			in, m := values[batch.Int128](f.args[0])
			out := f.out.Int128s()
			for i := range out {
				out[i] = in[i&m].Neg()
			}
			return nil
		}
	}
	return func(f *frame) error {
		in, m := values[int64](f.args[0])
		return f.mapInt(func(i int) (int64, bool) { v := in[i&m]; return -v, v != math.MinInt64 }, "-")
	}
}

// mapInt fills an integer result from fn, whose second result says that it did not overflow int64.
func (f *frame) mapInt(fn func(i int) (int64, bool), what string) error {
	out := f.out.Int64s()
	lo, hi := intRange(f.typ)
	if f.typ.ID == batch.Decimal {
		lo, hi = math.MinInt64+1, math.MaxInt64
	}
	for i := range out {
		v, ok := fn(i)
		if (!ok || v < lo || v > hi) && !f.null(i) {
			in, m := values[int64](f.args[0])
			return f.st.rowError("%s of %d does not fit %s", what, in[i&m], f.typ)
		}
		out[i] = v
	}
	return nil
}

func decimalScale(t batch.Type) int {
	if t.ID == batch.Decimal {
		return int(t.Scale)
	}
	return 0
}

func decimalOp(op string, u, v batch.Int128) (batch.Int128, bool) {
	switch op {
	case "+":
		s, over := u.Add(v)
		return s, !over
	case "-":
		s, over := u.Add(v.Neg())
		return s, !over
	case "*":
		return mul128(u, v)
	}
	if v == (batch.Int128{}) {
		return v, false
	}
	_, r := quoRem(u, v)
	return r, true
}

// narrowDecimal adds, subtracts or multiplies where the result has at most 18 digits by its type.
func narrowDecimal(f *frame, op string) error {
	a, ma := values[int64](f.args[0])
	b, mb := values[int64](f.args[1])
	out := f.out.Int64s()
	switch op {
	case "+":
		for i := range out {
			out[i] = a[i&ma] + b[i&mb]
		}
	case "-":
		for i := range out {
			out[i] = a[i&ma] - b[i&mb]
		}
	default:
		for i := range out {
			out[i] = a[i&ma] * b[i&mb]
		}
	}
	return nil
}

// int128At returns a reader of a decimal or integer argument.
func int128At(v vec) func(i int) batch.Int128 {
	if v.c.Type.Kind() == batch.KindInt128 {
		a, m := values[batch.Int128](v)
		return func(i int) batch.Int128 { return a[i&m] }
	}
	a, m := values[int64](v)
	if v.c.Type.ID == batch.Uint64 {
		return func(i int) batch.Int128 { return batch.Int128{Lo: uint64(a[i&m])} }
	}
	return func(i int) batch.Int128 { return batch.Int128Of(a[i&m]) }
}

// setInt128 stores a decimal that is known to fit the column's type.
func setInt128(c *batch.Column, i int, v batch.Int128) {
	if c.Type.Kind() == batch.KindInt128 {
		c.Int128s()[i] = v
		return
	}
	c.Int64s()[i] = int64(v.Lo)
}
