package expr

import (
	"math/bits"

	"pqjoin/batch"
)

// product multiplies rows [lo, lo+n) where the factors are so small that every product fits a word and the result's digits, as
// prices and shares do: no row needs a check of its own. It returns false, having done nothing, where they are not. Null rows count, for their
// values are multiplied, too.
func (k *decimalKernel) product(f *frame, lo, n int) bool {
	var roomX, roomY [decimalChunk]int64
	a, x := smallFactors(f.args[0], lo, roomX[:n])
	b, y := smallFactors(f.args[1], lo, roomY[:n])
	if x+y > 62 || batch.Int128Of(1<<(x+y)).Cmp(pow10[k.t.Prec]) >= 0 {
		return false
	}
	a, b = a[:n], b[:n]
	if f.out.Type.Kind() == batch.KindInt128 {
		out := f.out.Int128s()[lo : lo+n]
		for i := range out {
			v := a[i] * b[i]
			out[i] = batch.Int128{Lo: uint64(v), Hi: v >> 63}
		}
		return true
	}
	out := f.out.Int64s()[lo : lo+n]
	for i := range out {
		out[i] = a[i] * b[i]
	}
	return true
}

// smallFactors returns the rows of v from lo on, as many as room has, and the bits that their absolute values take: none is above
// 2^width. Where some do not fit a word, width is 64.
func smallFactors(v vec, lo int, room []int64) (vals []int64, width int) {
	if v.c.Type.Kind() == batch.KindInt128 {
		return smallBigs(v, lo, room)
	}
	a, m := values[int64](v)
	if m == 0 {
		a = a[:1]
	} else {
		a = a[lo : lo+len(room)]
	}
	all, signed := uint64(0), int64(-1)
	if v.c.Type.ID == batch.Uint64 {
		signed = 0
	}
	for _, x := range a {
		all |= uint64(x ^ x>>63&signed)
	}
	if m == 0 {
		a = repeat(room, a[0])
	}
	return a, bits.Len64(all)
}

// smallBigs is smallFactors for values of two words.
func smallBigs(v vec, lo int, room []int64) (vals []int64, width int) {
	a, m := values[batch.Int128](v)
	if m == 0 {
		a = a[:1]
	} else {
		a = a[lo : lo+len(room)]
	}
	all, high := uint64(0), int64(0)
	for i := range a {
		x := int64(a[i].Lo)
		high |= a[i].Hi ^ x>>63
		all |= uint64(x ^ x>>63)
		room[i] = x
	}
	if high != 0 {
		return nil, 64
	}
	if m == 0 {
		repeat(room, room[0])
	}
	return room, bits.Len64(all)
}

func repeat(room []int64, v int64) []int64 {
	for i := range room {
		room[i] = v
	}
	return room
}
