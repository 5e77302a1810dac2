package expr

import (
	"math/bits"

	"pqjoin/batch"
)

// decimalChunk is how many rows of decimals are worked on at a time, in arrays on the stack.
const decimalChunk = 256

// decimals is a stretch of decimals.
type decimals [decimalChunk]batch.Int128

// decimalArithmetic computes exactly in 128 bits and checks the digits; sums of
// decimals of up to 17 digits stay in 64 bits, where nothing can overflow.
func decimalArithmetic(op string, t, x, y batch.Type) func(*frame) error {
	k := decimalKernel{op: op, t: t, x: x, y: y}
	if op != "*" {
		k.shiftX, k.shiftY = int(t.Scale)-decimalScale(x), int(t.Scale)-decimalScale(y)
	}
	narrow := x.Kind() == batch.KindInt64 && y.Kind() == batch.KindInt64 && t.Kind() == batch.KindInt64
	if narrow && k.shiftX == 0 && k.shiftY == 0 && op != "%" {
		return func(f *frame) error { return narrowDecimal(f, op) }
	}
	return k.eval
}

// decimalKernel computes one operator over decimals. The operands' scales are shifted by so many digits before.
type decimalKernel struct {
	op             string
	t, x, y        batch.Type
	shiftX, shiftY int
}

// eval works in chunks. One in which any row does not fit, be it null or not, is done again row by row, with its errors.
// About 4 ns a row, 1.5 for a product of small factors.
func (k *decimalKernel) eval(f *frame) error {
	var a, b decimals
	for lo := 0; lo < f.n; lo += decimalChunk {
		n := min(decimalChunk, f.n-lo)
		if k.op == "*" && k.product(f, lo, n) {
			continue
		}
		ok := k.op != "%" && a.load(f.args[0], lo, n, k.shiftX) && b.load(f.args[1], lo, n, k.shiftY)
		if ok && k.op == "*" {
			ok = a.times(&b, n)
		} else if ok {
			ok = a.plus(&b, n, k.op == "-")
		}
		if ok && a.fit(n, int(k.t.Prec)) {
			a.store(f.out, lo, n)
			continue
		}
		if err := k.rows(f, lo, lo+n); err != nil {
			return err
		}
	}
	return nil
}

// rows computes rows [lo, hi) one by one.
func (k *decimalKernel) rows(f *frame, lo, hi int) error {
	a, b := int128At(f.args[0]), int128At(f.args[1])
	for i := lo; i < hi; i++ {
		u, okU := rescale(a(i), k.shiftX)
		v, okV := rescale(b(i), k.shiftY)
		r, ok := decimalOp(k.op, u, v)
		if !(okU && okV && ok && fits(r, int(k.t.Prec))) {
			if k.op == "%" && v == (batch.Int128{}) && !f.null(i) {
				return f.divisionByZero(k.op, appendDecimal(nil, a(i), decimalScale(k.x)))
			}
			if !f.null(i) {
				return f.st.rowError("%s %s %s does not fit %s", appendDecimal(nil, a(i), decimalScale(k.x)), k.op, appendDecimal(nil, b(i), decimalScale(k.y)), k.t)
			}
			r = batch.Int128{}
		}
		setInt128(f.out, i, r)
	}
	return nil
}

// load sets d to rows [lo, lo+n) of v, moved up by shift digits; false where they are to be moved down, or too far.
func (d *decimals) load(v vec, lo, n, shift int) bool {
	if v.c.Type.Kind() == batch.KindInt128 {
		a, m := values[batch.Int128](v)
		for i := range d[:n] {
			d[i] = a[(lo+i)&m]
		}
	} else {
		a, m := values[int64](v)
		signed := int64(-1)
		if v.c.Type.ID == batch.Uint64 {
			signed = 0
		}
		for i := range d[:n] {
			x := a[(lo+i)&m]
			d[i] = batch.Int128{Lo: uint64(x), Hi: x >> 63 & signed}
		}
	}
	if shift == 0 {
		return true
	}
	if shift < 0 || shift >= len(pow10) {
		return false
	}
	var by decimals
	for i := range by[:n] {
		by[i] = pow10[shift]
	}
	return d.times(&by, n)
}

// times multiplies; false where a product does not fit 128 bits.
func (d *decimals) times(by *decimals, n int) bool {
	fit := true
	for i, y := range by[:n] {
		x := d[i]
		if x.Hi != int64(x.Lo)>>63 || y.Hi != int64(y.Lo)>>63 {
			var ok bool
			d[i], ok = mul128(x, y)
			fit = fit && ok
			continue
		}
		hi, lo := bits.Mul64(x.Lo, y.Lo)
		hi -= x.Lo&uint64(y.Hi) + y.Lo&uint64(x.Hi) // a negative factor is 2^64 too large
		d[i] = batch.Int128{Lo: lo, Hi: int64(hi)}
	}
	return fit
}

// plus adds, or subtracts; false where a sum does not fit 128 bits.
func (d *decimals) plus(o *decimals, n int, minus bool) bool {
	over := int64(0)
	neg := uint64(0)
	if minus {
		neg = ^neg
	}
	for i, y := range o[:n] {
		x := d[i]
		ylo, yhi := y.Lo^neg, uint64(y.Hi)^neg
		lo, c := bits.Add64(x.Lo, ylo, neg&1)
		hi, _ := bits.Add64(uint64(x.Hi), yhi, c)
		over |= (x.Hi ^ int64(hi)) & (int64(yhi) ^ int64(hi))
		d[i] = batch.Int128{Lo: lo, Hi: int64(hi)}
	}
	return over >= 0
}

// fit says whether all have at most prec digits.
func (d *decimals) fit(n, prec int) bool {
	most := pow10[prec]
	within := uint64(1)
	for _, x := range d[:n] {
		s := uint64(x.Hi >> 63)
		lo, c := bits.Sub64(x.Lo^s, s, 0)
		hi, _ := bits.Sub64(uint64(x.Hi)^s, s, c)
		_, c = bits.Sub64(lo, most.Lo, 0)
		_, c = bits.Sub64(hi, uint64(most.Hi), c)
		within &= c
	}
	return within == 1
}

// store sets rows [lo, lo+n) of c, whose type they fit.
func (d *decimals) store(c *batch.Column, lo, n int) {
	if c.Type.Kind() == batch.KindInt128 {
		copy(c.Int128s()[lo:lo+n], d[:n])
		return
	}
	out := c.Int64s()[lo : lo+n]
	for i := range out {
		out[i] = int64(d[i].Lo)
	}
}
