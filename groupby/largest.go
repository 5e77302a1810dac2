package groupby

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// largest is top(x, n) of a few values of one word each: a list of the n greatest that are not null, the greatest first. The state is how many there
// are, then they, as int64s of their order, descending. So it merges in any order.
type largest struct {
	extremeWord
	n    int
	elem batch.Type
}

// MaxLargest is the most values that the state of top holds. More are the first of sorted rows (leading).
const MaxLargest = 16

func pickLargest(spec *Spec, a Agg) (kernel, error) {
	t := spec.In.Fields[a.Arg].Type
	if !t.Comparable() || a.Param < 1 || a.Param > MaxLargest {
		return nil, fmt.Errorf("top of %g values of %s", a.Param, t)
	}
	word, ok := pickExtreme(t, true).(extremeWord)
	if !ok {
		return nil, fmt.Errorf("top of %s", t)
	}
	return largest{word, int(a.Param), t}, checkList(spec, a)
}

func (k largest) words() int            { return 1 + k.n }
func (k largest) columns() []batch.Type { return wordTypes(1 + k.n) }

// put inserts x into the state w. Most values are not among the largest: they cost a comparison.
func (k largest) put(w []uint64, x int64) {
	have := int(w[0])
	if have == k.n && x <= int64(w[have]) {
		return
	}
	if have < k.n {
		have++
		w[0] = uint64(have)
	}
	for ; have > 1 && x > int64(w[have-1]); have-- {
		w[have] = w[have-1]
	}
	w[have] = uint64(x)
}

func (k largest) update(t *table, off int, in *input) error {
	var x [loadChunk]int64
	for at := 0; at < len(in.ent); at += loadChunk {
		ent := in.ent[at:min(at+loadChunk, len(in.ent))]
		k.load(in.col, in.lo+at, x[:len(ent)])
		for i, e := range ent {
			if e != 0 {
				k.put(t.ent[int(e)*t.lay.stride+off:][:1+k.n], x[i])
			}
		}
	}
	return nil
}

func (k largest) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:1+k.n]
		for j := range int(cols[0].Int64s()[lo+i]) {
			k.put(w, cols[1+j].Int64s()[lo+i])
		}
	}
	return nil
}

func (k largest) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, 1+k.n, ents)
}

func (k largest) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	state := func(e uint32) []uint64 { return t.ent[int(e)*t.lay.stride+off:][:1+k.n] }
	value, err := batch.NewFixed(t.acct, k.elem, k.n)
	if err != nil {
		return nil, err
	}
	defer value.Release()
	width := nested.LeafWidth(k.elem)
	c, err := newGathered(t, ents, typ, func(e uint32) int { return 1 + width*int(state(e)[0]) })
	if err != nil {
		return nil, err
	}
	out := c.Data[:0]
	var x [MaxLargest]int64
	for i, e := range ents {
		w := state(e)
		for j, v := range w[1:] {
			x[j] = int64(v)
		}
		k.store(x[:k.n], value)
		c.Off[i] = uint32(len(out))
		out = binary.AppendUvarint(out, w[0]<<1)
		for j := range int(w[0]) {
			out = nested.AppendValue(out, value, j)
		}
	}
	c.Off[len(ents)] = uint32(len(out))
	return withNulls(t, c, func(i int) bool { return state(ents[i])[0] == 0 })
}
