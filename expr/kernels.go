package expr

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"pqjoin/batch"
	"pqjoin/internal/floats"
)

// kernelFor returns the strict kernel of an operator or function, and a key that says
// what it does beyond its arguments.
func kernelFor(n *node) (key string, k func(*frame) error) {
	t := n.args[0].typ
	switch n.op {
	case "+", "-", "*", "/", "%":
		if t.ID == batch.Date {
			return n.op + " days", addDays(n.op)
		}
		return n.op, kernelArithmetic(n.op, n.typ, t, n.args[1].typ)
	case "//", "divide":
		return "//", kernelDivide(n)
	case "neg":
		return n.op, kernelNegate(n.typ)
	case "abs", "sign", "round", "trunc", "floor", "ceil":
		return numberKernel(n)
	}
	if f := lookup(n.op); f != nil && f.kernel != nil {
		return n.op + " " + t.String(), f.kernel(n)
	}
	if isTimeOp(n.op) {
		return n.op + " " + t.String(), timeKernel(n)
	}
	return n.op, textKernel(n)
}

func isTimeOp(op string) bool {
	return slices.Contains(extractParts, op) || slices.Contains([]string{"date_trunc", "date_diff", "strptime", "try_strptime", "strftime"}, op)
}

func mapFloats(f *frame, fn func(float64) float64) {
	in, m := values[float64](f.args[0])
	out := f.out.Float64s()
	for i := range out {
		out[i] = fn(in[i&m])
	}
}

func mapFloats2(f *frame, fn func(a, b float64) float64) {
	a, ma := values[float64](f.args[0])
	b, mb := values[float64](f.args[1])
	out := f.out.Float64s()
	for i := range out {
		out[i] = fn(a[i&ma], b[i&mb])
	}
}

func floatTest(test func(float64) bool) kernelFunc {
	return func(*node) func(*frame) error {
		return func(f *frame) error {
			in, m := values[float64](f.args[0])
			for i := range f.n {
				f.out.Fixed[i] = bit(test(in[i&m]))
			}
			return nil
		}
	}
}

// numberKernel returns abs, sign, round, trunc, floor and ceil, which differ by type.
func numberKernel(n *node) (string, func(*frame) error) {
	t := n.args[0].typ
	digits := 0
	if len(n.args) == 2 {
		digits = int(n.args[1].val.Int)
	}
	key := n.op + " " + strconv.Itoa(digits)
	switch {
	case n.op == "sign":
		return key, signKernel(t)
	case t.IsFloat():
		f := wholeFunction(n.op, digits)
		return key, func(fr *frame) error {
			mapFloats(fr, f)
			if fr.typ.ID != batch.Float64 {
				for i, v := range fr.out.Float64s() {
					fr.out.Float64s()[i] = narrowFloat(v, fr.typ)
				}
			}
			return nil
		}
	case t.ID == batch.Decimal:
		return key, decimalWhole(n.op, digits, t)
	case n.op == "floor" || n.op == "ceil" || n.op != "abs" && digits >= 0:
		return key, copyFixed
	case n.op == "round":
		return key, roundInts(-digits)
	case n.op == "trunc":
		return key, truncInts(-digits)
	}
	return key, absInts
}

func wholeFunction(op string, digits int) func(float64) float64 {
	switch {
	case op == "abs":
		return math.Abs
	case op == "floor":
		return math.Floor
	case op == "ceil":
		return math.Ceil
	case op == "trunc":
		return atDigit(math.Trunc, digits)
	}
	return atDigit(math.Round, digits)
}

// atDigit applies whole, which makes floats whole, at a digit behind the point (before it where negative). Where the scaled value
// leaves the range of floats or has no fraction any more, it has no such digit and stays.
func atDigit(whole func(float64) float64, digits int) func(float64) float64 {
	switch {
	case digits == 0:
		return whole
	case digits < 0:
		p := floats.Ten(-digits)
		return func(v float64) float64 { return whole(v/p) * p }
	}
	p := floats.Ten(digits)
	return func(v float64) float64 {
		r := whole(v*p) / p
		if math.IsInf(r, 0) || math.IsNaN(r) {
			return v
		}
		return r
	}
}

func copyFixed(f *frame) error {
	in, m := values[int64](f.args[0])
	out := f.out.Int64s()
	for i := range out {
		out[i] = in[i&m]
	}
	return nil
}

func absInts(f *frame) error {
	in, m := values[int64](f.args[0])
	if f.typ.ID == batch.Uint64 {
		return copyFixed(f)
	}
	return f.mapInt(func(i int) (int64, bool) {
		v := in[i&m]
		if v < 0 {
			return -v, v != math.MinInt64
		}
		return v, true
	}, "abs")
}

// roundInts rounds ints at the digit in front of the point, half away from zero.
func roundInts(digits int) func(*frame) error {
	return func(f *frame) error {
		in := int128At(f.args[0])
		out := f.out.Int64s()
		for i := range out {
			d, _ := rescale(in(i), -digits)
			d, ok := rescale(d, min(digits, 39))
			v, fit := narrowInt(d, f.typ)
			if !(ok && fit) && !f.null(i) {
				return f.st.rowError("%s does not fit %s", appendInt128(nil, in(i)), f.typ)
			}
			out[i] = v
		}
		return nil
	}
}

// truncInts cuts ints at the digit in front of the point, towards zero.
func truncInts(digits int) func(*frame) error {
	return func(f *frame) error {
		in := int128At(f.args[0])
		out := f.out.Int64s()
		for i := range out {
			out[i] = 0
			if digits <= 38 {
				_, rest := quoRem(in(i), pow10[digits])
				v, _ := in(i).Add(rest.Neg())
				out[i] = int64(v.Lo)
			}
		}
		return nil
	}
}

func signKernel(t batch.Type) func(*frame) error {
	if t.IsFloat() {
		return func(f *frame) error {
			in, m := values[float64](f.args[0])
			for i := range f.n {
				v := in[i&m]
				f.out.Int64s()[i] = int64(bit(v > 0)) - int64(bit(v < 0))
			}
			return nil
		}
	}
	return func(f *frame) error {
		in := int128At(f.args[0])
		for i := range f.n {
			f.out.Int64s()[i] = int64(in(i).Cmp(batch.Int128{}))
		}
		return nil
	}
}

// decimalWhole returns abs, round, floor and ceil of decimals.
func decimalWhole(op string, digits int, t batch.Type) func(*frame) error {
	return func(f *frame) error {
		in := int128At(f.args[0])
		for i := range f.n {
			v, ok := decimalRounded(op, in(i), digits, t)
			if !(ok && fits(v, int(f.typ.Prec))) {
				if !f.null(i) {
					return f.st.rowError("%s of %s does not fit %s", op, appendDecimal(nil, in(i), int(t.Scale)), f.typ)
				}
				v = batch.Int128{}
			}
			setInt128(f.out, i, v)
		}
		return nil
	}
}

func decimalRounded(op string, v batch.Int128, digits int, t batch.Type) (batch.Int128, bool) {
	scale := int(t.Scale)
	one := batch.Int128Of(1)
	switch op {
	case "abs":
		if v.Hi < 0 {
			v = v.Neg()
		}
		return v, true
	case "round":
		if digits >= scale {
			return v, true
		}
		r, ok := rescale(v, digits-scale)
		if digits < 0 && ok {
			r, ok = rescale(r, -digits)
		}
		return r, ok
	}
	if op == "trunc" {
		return truncDecimal(v, digits, scale), true
	}
	q, r := quoRem(v, pow10[scale])
	switch {
	case op == "floor" && r.Hi < 0:
		q, _ = q.Add(one.Neg())
	case op == "ceil" && r.Cmp(batch.Int128{}) > 0:
		q, _ = q.Add(one)
	}
	return q, true
}

// truncDecimal drops what is behind a digit; the result has that many digits behind the point, or none.
func truncDecimal(v batch.Int128, digits, scale int) batch.Int128 {
	if digits >= scale {
		return v
	}
	if scale-digits > 38 {
		return batch.Int128{}
	}
	q, _ := quoRem(v, pow10[scale-digits])
	if digits < 0 {
		q, _ = mul128(q, pow10[-digits])
	}
	return q
}

// unknownKernel is the end of a table with a hole: our own mistake.
func unknownKernel(op string) func(*frame) error {
	panic(fmt.Sprintf("expr: no kernel for %s", op))
}
