package groupby

import (
	"unsafe"

	"pqjoin/batch"
	"pqjoin/groupby/binsum"
)

// sumFloat sums floats by package binsum, so that the result does not depend on the
// order of the rows. The state is a binsum.State and the number of values.
type sumFloat struct{ mean bool }

const sumFloatWords = binsum.Words + 1

func (sumFloat) words() int            { return sumFloatWords }
func (sumFloat) columns() []batch.Type { return wordTypes(sumFloatWords) }
func (sumFloat) ordered() bool         { return false }
func (sumFloat) viewWord() int         { return 0 }

// binState returns the state in the words of an entry.
func binState(w []uint64) *binsum.State {
	return (*binsum.State)(unsafe.Pointer(unsafe.SliceData(w[:binsum.Words])))
}

func (sumFloat) update(t *table, off int, in *input) error {
	words, stride := t.ent[off:], t.lay.stride
	vals := in.col.Float64s()[in.lo : in.lo+len(in.ent)]
	if in.one {
		w := words[stride:]
		binState(w).AddSlice(vals)
		w[binsum.Words] += uint64(len(vals))
		return nil
	}
	binsum.AddEach(words, stride, in.ent, vals)
	return nil
}

func (sumFloat) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	words, stride := t.ent[off:], t.lay.stride
	var v [sumFloatWords][]int64
	for i, c := range cols {
		v[i] = c.Int64s()[lo:]
	}
	for i, e := range ent {
		w := words[int(e)*stride:][:sumFloatWords]
		s := binsum.State{Bins: [4]int64{v[0][i], v[1][i], v[2][i], v[3][i]}, Meta: v[4][i]}
		binState(w).Merge(&s)
		w[binsum.Words] += uint64(v[binsum.Words][i])
	}
	return nil
}

func (sumFloat) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, sumFloatWords, ents)
}

func (k sumFloat) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	narrow := typ.ID == batch.Float32
	out := c.Float64s()
	for i, e := range ents {
		w := t.ent[int(e)*t.lay.stride+off:]
		n := int64(w[binsum.Words])
		switch {
		case n >= binsum.MaxCount:
			c.Release()
			return nil, &overflow{i: i, value: "a sum of more than 2^39 values"}
		case n == 0:
			out[i] = 0
		case k.mean:
			out[i] = binState(w).Mean(n)
		default:
			out[i] = binState(w).Sum()
		}
		if narrow {
			out[i] = float64(float32(out[i]))
		}
	}
	n := off + binsum.Words
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+n] == 0 })
}
