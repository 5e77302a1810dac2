package groupby

import (
	"math/bits"

	"pqjoin/batch"
)

// narrow says whether both arguments are signed and held in one word, so that narrow values have a short way.
func (k momentInt) narrow(in *input) bool {
	one := func(c *batch.Column) bool { return c.Type.Kind() == batch.KindInt64 && !c.Type.IsUnsigned() }
	return one(in.col) && (!k.pairs || one(in.col2))
}

// updateNarrow is update of arguments of one word. Values of 32 bits, whose product is of 64, cost about 4 ns
// a sum: it is rare that a carry goes on to the words above. Others go the long way.
func (k momentInt) updateNarrow(t *table, off int, in *input) {
	n := k.words()
	xs := in.col.Int64s()[in.lo:]
	ys := xs
	if k.pairs {
		ys = in.col2.Int64s()[in.lo:]
	}
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		x, y := xs[i], ys[i]
		w := t.ent[int(e)*t.lay.stride+off:][:n]
		if int64(int32(x)) != x || int64(int32(y)) != y {
			k.add(w, batch.Int128Of(x), batch.Int128Of(y))
			continue
		}
		addWord(w[:sumWords], x)
		if k.pairs {
			addWord(w[sumWords:2*sumWords], y)
		}
		p := w[k.sums*sumWords:]
		addWord(p[:productWords], x*y)
		if k.products == 3 {
			addWord(p[productWords:2*productWords], x*x)
			addWord(p[2*productWords:3*productWords], y*y)
		}
		w[n-1]++
	}
}

// addWord adds v to the words of w, lowest first in two's complement.
func addWord(w []uint64, v int64) {
	low, c := bits.Add64(w[0], uint64(v), 0)
	w[0] = low
	up := uint64(v>>63) + c // 0, or 1 of a carry, or -1 of a borrow
	if up == 0 {
		return
	}
	ext := uint64(v >> 63)
	for i := 1; i < len(w); i++ {
		w[i], c = bits.Add64(w[i], ext, c)
	}
}
