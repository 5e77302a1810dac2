package groupby

import (
	"bytes"
	"cmp"
	"fmt"

	"pqjoin/batch"
)

// argExtreme is arg_min or arg_max: the value of x in the row where y is least, or greatest; of several such rows,
// the first of the table. Rows where either is null do not count (as in DuckDB). -0.0 and 0.0 are
// one y, and NaN is greater than any number. Where the aggregate is Weighted, its weights stand for the positions. The state is the row's position plus one (0: none yet), then y, then x: each a word,
// the two words of an Int128, or a view.
type argExtreme struct {
	max  bool
	tied bool // the weight decides between equal y, not the position
	x, y slot
	load func(c *batch.Column, lo int, x []int64) // of y, where that is one word
}

// slot is a value in an entry: its words from the word at on.
type slot struct {
	typ   batch.Type
	at, n int
	view  bool
}

func newSlot(t batch.Type, at int) slot {
	s := slot{typ: t, at: at, n: 1, view: t.Kind() == batch.KindBytes}
	if s.view || t.Kind() == batch.KindInt128 {
		s.n = 2
	}
	return s
}

func (s slot) columns() []batch.Type {
	if s.view {
		return []batch.Type{s.typ}
	}
	return wordTypes(s.n)
}

func pickArgExtreme(spec *Spec, a Agg) (kernel, error) {
	x, y := spec.In.Fields[a.Arg].Type, spec.In.Fields[a.Arg2].Type
	if !y.Comparable() {
		return nil, fmt.Errorf("%s by %s", a.Func, y)
	}
	k := argExtreme{max: a.Func == "arg_max", tied: a.Weighted, y: newSlot(y, 1)}
	k.x = newSlot(x, 1+k.y.n)
	if w, ok := pickExtreme(y, false).(extremeWord); ok {
		k.load = w.load
	}
	if y.IsFloat() {
		k.load = loadUnsignedZeros
	}
	return k, nil
}

// loadUnsignedZeros is loadFloats with one zero.
func loadUnsignedZeros(c *batch.Column, lo int, x []int64) {
	loadFloats(c, lo, x)
	for i, v := range x {
		if v == -1 { // the word of -0.0
			x[i] = 0
		}
	}
}

func (k argExtreme) words() int { return 1 + k.y.n + k.x.n }

func (k argExtreme) columns() []batch.Type {
	return append(append(wordTypes(1), k.y.columns()...), k.x.columns()...)
}

func (k argExtreme) ordered() bool { return !k.tied }
func (k argExtreme) viewWord() int {
	if k.y.view {
		return k.y.at
	}
	return k.x.at
}

// viewOf returns the word of the view that state column col holds.
func (k argExtreme) viewOf(col int) int {
	if k.y.view && col == 1 {
		return k.y.at
	}
	return k.x.at
}

// candidate is a row, or a state, that wants to become the group's.
type candidate struct {
	pos    uint64
	words  [2]uint64 // of y, where it is no view
	long   []byte    // y, where it is one
	x      [2]uint64
	xBytes []byte
}

// wins says whether the candidate replaces what is in w.
func (k argExtreme) wins(t *table, w []uint64, c *candidate) bool {
	if w[0] == 0 {
		return true
	}
	order := 0
	switch y := w[k.y.at:]; {
	case k.y.view:
		var scratch [16]byte
		order = bytes.Compare(c.long, t.arena.value(y[0], y[1], &scratch))
	case k.y.n == 2:
		order = batch.Int128{Lo: c.words[0], Hi: int64(c.words[1])}.Cmp(batch.Int128{Lo: y[0], Hi: int64(y[1])})
	default:
		order = cmp.Compare(int64(c.words[0]), int64(y[0]))
	}
	if order == 0 {
		return c.pos < w[0]
	}
	return (order > 0) == k.max
}

// put stores the candidate if it wins.
func (k argExtreme) put(t *table, w []uint64, c *candidate) error {
	if !k.wins(t, w, c) {
		return nil
	}
	fresh := w[0] == 0
	w[0] = c.pos
	if err := k.y.store(t, w, c.words, c.long, fresh); err != nil {
		return err
	}
	return k.x.store(t, w, c.x, c.xBytes, fresh)
}

func (s slot) store(t *table, w []uint64, words [2]uint64, long []byte, fresh bool) error {
	if s.view {
		return t.arena.set(w[s.at:], long, fresh)
	}
	copy(w[s.at:s.at+s.n], words[:s.n])
	return nil
}

// valueAt reads a value of a column that is not null.
func (s slot) valueAt(c *batch.Column, row int) (words [2]uint64, long []byte) {
	switch s.typ.Kind() {
	case batch.KindBytes:
		return words, c.Value(row)
	case batch.KindInt128:
		v := c.Int128s()[row]
		return [2]uint64{v.Lo, uint64(v.Hi)}, nil
	case batch.KindBool:
		return [2]uint64{uint64(c.Bools()[row])}, nil
	}
	return [2]uint64{batch.View[uint64](c.Fixed[8*row : 8*row+8])[0]}, nil
}

func (k argExtreme) update(t *table, off int, in *input) error {
	var c candidate
	var word [1]int64
	places := in.pos
	if k.tied {
		places = in.weight.Int64s()[in.lo:]
	}
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		row := in.lo + i
		c.pos = uint64(places[i] + 1)
		if k.load != nil {
			k.load(in.col2, row, word[:])
			c.words[0] = uint64(word[0])
		} else {
			c.words, c.long = k.y.valueAt(in.col2, row)
		}
		c.x, c.xBytes = k.x.valueAt(in.col, row)
		if err := k.put(t, t.ent[int(e)*t.lay.stride+off:], &c); err != nil {
			return err
		}
	}
	return nil
}

func (k argExtreme) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	var c candidate
	x := cols[1+len(k.y.columns()):]
	for i, e := range ent {
		if c.pos = uint64(cols[0].Int64s()[lo+i]); c.pos == 0 {
			continue
		}
		c.words, c.long = k.y.fromState(cols[1:], lo+i)
		c.x, c.xBytes = k.x.fromState(x, lo+i)
		if err := k.put(t, t.ent[int(e)*t.lay.stride+off:], &c); err != nil {
			return err
		}
	}
	return nil
}

func (s slot) fromState(cols []*batch.Column, row int) (words [2]uint64, long []byte) {
	if s.view {
		return words, cols[0].Value(row)
	}
	for j := range s.n {
		words[j] = uint64(cols[j].Int64s()[row])
	}
	return words, nil
}

func (k argExtreme) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	out, err := exportWords(t, off, 1, ents)
	for _, s := range []slot{k.y, k.x} {
		var cols []*batch.Column
		if err == nil {
			cols, err = s.export(t, off, ents)
			out = append(out, cols...)
		}
	}
	if err != nil {
		releaseAll(out)
		return nil, err
	}
	return out, nil
}

// export returns the state columns of the slot.
func (s slot) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	if !s.view {
		return exportWords(t, off+s.at, s.n, ents)
	}
	c, err := viewColumn(t, off+s.at, ents, s.typ)
	if err != nil {
		return nil, err
	}
	return []*batch.Column{c}, nil
}

func (k argExtreme) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := k.x.result(t, off, ents, typ)
	if err != nil {
		return nil, err
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off] == 0 })
}

// result returns the values of the slot as a column without nulls.
func (s slot) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	switch {
	case s.view:
		return viewColumn(t, off+s.at, ents, typ)
	case s.n == 2:
		return wideColumn(t, off+s.at, ents, typ)
	}
	return wordColumn(t, off+s.at, ents, typ)
}
