package groupby

import (
	"math/big"
	"math/bits"

	"pqjoin/batch"
)

// momentInt is a moment of integers or decimals, exact until the end. The state is three words for each
// sum, five for each product, lowest first in two's complement, and the number of rows.
type momentInt struct {
	moment
	load  [2]func(c *batch.Column, row int) batch.Int128
	scale [2]int // of decimals
}

const (
	sumWords     = 3
	productWords = 5
)

// loaderOf returns how to read a value of an integer or decimal type.
func loaderOf(t batch.Type) func(c *batch.Column, row int) batch.Int128 {
	switch {
	case t.Kind() == batch.KindInt128:
		return func(c *batch.Column, row int) batch.Int128 { return c.Int128s()[row] }
	case t.IsUnsigned():
		return func(c *batch.Column, row int) batch.Int128 { return batch.Int128{Lo: uint64(c.Int64s()[row])} }
	}
	return func(c *batch.Column, row int) batch.Int128 { return batch.Int128Of(c.Int64s()[row]) }
}

func (k momentInt) words() int            { return k.sums*sumWords + k.products*productWords + 1 }
func (k momentInt) columns() []batch.Type { return wordTypes(k.words()) }

// update costs about 40 ns a row for a variance; see updateNarrow.
func (k momentInt) update(t *table, off int, in *input) error {
	if k.narrow(in) {
		k.updateNarrow(t, off, in)
		return nil
	}
	n := k.words()
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		x := k.load[0](in.col, in.lo+i)
		y := x
		if k.pairs {
			y = k.load[1](in.col2, in.lo+i)
		}
		k.add(t.ent[int(e)*t.lay.stride+off:][:n], x, y)
	}
	return nil
}

// add adds a row's values to a group's words.
func (k momentInt) add(w []uint64, x, y batch.Int128) {
	addSigned(w[:sumWords], x)
	if k.pairs {
		addSigned(w[sumWords:2*sumWords], y)
	}
	p := w[k.sums*sumWords:]
	addIntProduct(p[:productWords], x, y)
	if k.products == 3 {
		addIntProduct(p[productWords:2*productWords], x, x)
		addIntProduct(p[2*productWords:3*productWords], y, y)
	}
	w[len(w)-1]++
}

// addSigned adds v to the words of w.
func addSigned(w []uint64, v batch.Int128) {
	var c uint64
	w[0], c = bits.Add64(w[0], v.Lo, 0)
	w[1], c = bits.Add64(w[1], uint64(v.Hi), c)
	w[2] += uint64(v.Hi>>63) + c
}

// addIntProduct adds x*y to the words of w: the product of the magnitudes, four words, added or taken off.
func addIntProduct(w []uint64, x, y batch.Int128) {
	neg := (x.Hi < 0) != (y.Hi < 0)
	a0, a1 := magnitude(x)
	b0, b1 := magnitude(y)
	var p [productWords]uint64
	p[1], p[0] = bits.Mul64(a0, b0)
	if a1|b1 != 0 {
		h1, l1 := bits.Mul64(a0, b1)
		h2, l2 := bits.Mul64(a1, b0)
		h3, l3 := bits.Mul64(a1, b1)
		var c, d uint64
		p[1], c = bits.Add64(p[1], l1, 0)
		p[2], c = bits.Add64(h1, h2, c)
		p[3] = c
		p[1], d = bits.Add64(p[1], l2, 0)
		p[2], d = bits.Add64(p[2], l3, d)
		p[3] += h3 + d
	}
	var c uint64
	for i := range p {
		if neg {
			w[i], c = bits.Sub64(w[i], p[i], c)
		} else {
			w[i], c = bits.Add64(w[i], p[i], c)
		}
	}
}

// magnitude returns the two words of |v|.
func magnitude(v batch.Int128) (lo, hi uint64) {
	if v.Hi >= 0 {
		return v.Lo, uint64(v.Hi)
	}
	lo, c := bits.Sub64(0, v.Lo, 0)
	hi, _ = bits.Sub64(0, uint64(v.Hi), c)
	return lo, hi
}

func (k momentInt) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	n := k.words()
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:n]
		at := 0
		for part := range k.sums + k.products {
			size := sumWords
			if part >= k.sums {
				size = productWords
			}
			var c uint64
			for range size {
				w[at], c = bits.Add64(w[at], uint64(cols[at].Int64s()[lo+i]), c)
				at++
			}
		}
		w[at] += uint64(cols[at].Int64s()[lo+i])
	}
	return nil
}

func (k momentInt) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, k.words(), ents)
}

func (k momentInt) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	return momentColumn(t, ents, typ, func(e uint32) (float64, bool) {
		w := t.ent[int(e)*t.lay.stride+off:][:k.words()]
		s := exactSums{n: w[len(w)-1], scale: k.scale}
		for i := range k.sums {
			s.sum[i] = bigOf(w[i*sumWords:][:sumWords])
		}
		for i := range k.products {
			s.products[i] = bigOf(w[k.sums*sumWords+i*productWords:][:productWords])
		}
		return k.value(&s)
	})
}

// bigOf returns the number of the words w, lowest first, in two's complement.
func bigOf(w []uint64) *big.Float {
	v := big.NewInt(int64(w[len(w)-1]))
	for i := len(w) - 2; i >= 0; i-- {
		v.Lsh(v, 64)
		v.Add(v, new(big.Int).SetUint64(w[i]))
	}
	return new(big.Float).SetPrec(momentPrec).SetInt(v)
}
