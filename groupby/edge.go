package groupby

import (
	"pqjoin/batch"
)

// Positions order rows for first and last: the unit and the row in it. They are the same
// whatever worker reads the unit.
const (
	positionRowBits = 40
	// MaxUnits is the most units that an aggregation with first or last can have.
	MaxUnits = 1 << (62 - positionRowBits)
)

func position(unit int, row int64) int64 { return int64(unit)<<positionRowBits | row }

// pickEdge returns the kernel of first or last. Both take the value of one row, null where that
// row's is (as DuckDB does; pandas skips nulls).
func pickEdge(t batch.Type, last bool) kernel {
	e := edge{typ: t, last: last}
	switch t.Kind() {
	case batch.KindBytes:
		e.vals, e.view = 2, true
	case batch.KindInt128:
		e.vals = 2
	default:
		e.vals = 1
	}
	return e
}

// edge is first or last. The state is the row's mark and its value: one or two words. The
// mark is 0 where there is no row yet, else the position plus one, and in the lowest bit whether the value is null.
type edge struct {
	typ  batch.Type
	last bool
	vals int
	view bool
}

func (k edge) words() int { return 1 + k.vals }

func (k edge) columns() []batch.Type {
	if k.view {
		return []batch.Type{batch.Of(batch.Int64), k.typ}
	}
	return wordTypes(k.words())
}

func (edge) ordered() bool { return true }
func (edge) viewWord() int { return 1 }

// wins says whether a row of mark m replaces that of mark old.
func (k edge) wins(old, m uint64) bool {
	return old == 0 || (m>>1 > old>>1) == k.last
}

func (k edge) update(t *table, off int, in *input) error {
	words, stride := t.ent[off:], t.lay.stride
	c := in.col
	for i, e := range in.ent {
		w := words[int(e)*stride:]
		m := uint64(in.pos[i]+1) << 1
		if e == 0 || !k.wins(w[0], m) {
			continue
		}
		row := in.lo + i
		null := c.IsNull(row)
		if null {
			m |= 1
		}
		fresh := w[0] == 0
		w[0] = m
		switch {
		case k.view && null:
			if err := t.arena.set(w[1:], nil, fresh); err != nil {
				return err
			}
		case k.view:
			if err := t.arena.set(w[1:], c.Value(row), fresh); err != nil {
				return err
			}
		case k.vals == 2:
			v := c.Int128s()[row]
			w[1], w[2] = v.Lo, uint64(v.Hi)
		case k.typ.Kind() == batch.KindBool:
			w[1] = uint64(c.Bools()[row])
		default:
			w[1] = uint64(batch.View[int64](c.Fixed[8*row : 8*row+8])[0])
		}
	}
	return nil
}

func (k edge) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	words, stride := t.ent[off:], t.lay.stride
	marks := cols[0].Int64s()[lo:]
	for i, e := range ent {
		w := words[int(e)*stride:]
		m := uint64(marks[i])
		if m == 0 || e == 0 || !k.wins(w[0], m) {
			continue
		}
		fresh := w[0] == 0
		w[0] = m
		if k.view {
			if err := t.arena.set(w[1:], cols[1].Value(lo+i), fresh); err != nil {
				return err
			}
			continue
		}
		for j, c := range cols[1:] {
			w[1+j] = uint64(c.Int64s()[lo+i])
		}
	}
	return nil
}

func (k edge) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	if k.view {
		return exportView(t, off, off+1, ents, k.typ)
	}
	return exportWords(t, off, k.words(), ents)
}

func (k edge) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	var c *batch.Column
	var err error
	switch {
	case k.view:
		c, err = viewColumn(t, off+1, ents, typ)
	case k.vals == 2:
		c, err = wideColumn(t, off+1, ents, typ)
	default:
		c, err = wordColumn(t, off+1, ents, typ)
	}
	if err != nil {
		return nil, err
	}
	return withNulls(t, c, func(i int) bool {
		m := t.ent[int(ents[i])*t.lay.stride+off]
		return m == 0 || m&1 == 1
	})
}

// wordColumn returns the words at off as values of a type of one word.
func wordColumn(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	if typ.Kind() == batch.KindBool {
		for i, e := range ents {
			c.Bools()[i] = byte(t.ent[int(e)*t.lay.stride+off])
		}
		return c, nil
	}
	gatherWords(t, off, ents, batch.View[int64](c.Fixed))
	return c, nil
}

// firstPlace is the position of the first row whose argument is not null; 0 of none. The state is that plus one.
type firstPlace struct{}

func (firstPlace) words() int            { return 1 }
func (firstPlace) columns() []batch.Type { return wordTypes(1) }
func (firstPlace) ordered() bool         { return true }
func (firstPlace) viewWord() int         { return 0 }

func (firstPlace) update(t *table, off int, in *input) error {
	words, stride := t.ent[off:], t.lay.stride
	for i, e := range in.ent {
		if w := &words[int(e)*stride]; *w == 0 || uint64(in.pos[i]) < *w {
			*w = uint64(in.pos[i] + 1)
		}
	}
	return nil
}

func (firstPlace) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	words, stride := t.ent[off:], t.lay.stride
	places := cols[0].Int64s()[lo:]
	for i, e := range ent {
		if w := &words[int(e)*stride]; places[i] != 0 && (*w == 0 || uint64(places[i]) < *w) {
			*w = uint64(places[i])
		}
	}
	return nil
}

func (firstPlace) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, 1, ents)
}

func (firstPlace) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := wordColumn(t, off, ents, typ)
	if err != nil {
		return nil, err
	}
	for i, p := range c.Int64s() {
		c.Int64s()[i] = max(p-1, 0)
	}
	return c, nil
}
