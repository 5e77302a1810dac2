package asof

import (
	"math"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// onValues is a batch's column to come near to, ready to be compared and measured.
type onValues struct {
	col    *batch.Column  // flat
	words  []uint64       // order-preserving, of at most 8 bytes; else nil
	floats []float64      // of floats
	wide   []batch.Int128 // of 16 bytes
	buf    *mem.Buf
}

// newOnValues prepares c, of which it keeps a reference.
func newOnValues(acct *mem.Account, c *batch.Column) (*onValues, error) {
	flat, err := batch.Flatten(acct, c)
	if err != nil {
		return nil, err
	}
	v := &onValues{col: flat}
	if c.Type.Kind() == batch.KindInt128 {
		v.wide = flat.Int128s()
		return v, nil
	}
	if v.buf, err = acct.Alloc(8 * max(c.N, 1)); err != nil {
		flat.Release()
		return nil, err
	}
	v.words = batch.View[uint64](v.buf.Bytes())[:c.N]
	batch.OrderWords(flat, false, 0, v.words)
	if c.Type.IsFloat() {
		v.floats = flat.Float64s()
	}
	return v, nil
}

func (v *onValues) release() {
	if v == nil {
		return
	}
	v.col.Release()
	v.buf.Release()
	*v = onValues{}
}

// usable says whether row i may match: it is neither null nor NaN.
func (v *onValues) usable(i int) bool {
	return !v.col.IsNull(i) && (v.floats == nil || v.floats[i] == v.floats[i])
}

// distance is how far two values are from each other: of integers and decimals exact, in 128 bits.
type distance struct {
	hi, lo uint64
	real   float64
}

func (d distance) over(o distance) bool {
	if d.hi != o.hi {
		return d.hi > o.hi
	}
	return d.lo > o.lo || d.real > o.real
}

// apart returns the distance of row i of v from row j of o, which is at least as great where after is set, else at most as great.
func (v *onValues) apart(i int, o *onValues, j int, after bool) distance {
	switch {
	case v.floats != nil:
		a, b := v.floats[i], o.floats[j]
		if a == b { // and two infinities
			return distance{}
		}
		return distance{real: math.Abs(a - b)}
	case v.words != nil:
		if after {
			return distance{lo: o.words[j] - v.words[i]}
		}
		return distance{lo: v.words[i] - o.words[j]}
	}
	a, b := v.wide[i], o.wide[j]
	if after {
		a, b = b, a
	}
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(uint64(a.Hi), uint64(b.Hi), borrow)
	return distance{hi: hi, lo: lo}
}

// pass returns the first row of r from u on, and before end, that is after row i of v: greater, or with orEqual not less.
// Cost: about 1 ns a row passed.
func (v *onValues) pass(i int, r *onValues, u, end int, orEqual bool) int {
	if v.words != nil {
		w, words := v.words[i], r.words[:end]
		if orEqual {
			for u < end && words[u] < w {
				u++
			}
			return u
		}
		for u < end && words[u] <= w {
			u++
		}
		return u
	}
	for x := v.wide[i]; u < end; u++ {
		if c := r.wide[u].Cmp(x); c > 0 || c == 0 && orEqual {
			break
		}
	}
	return u
}
