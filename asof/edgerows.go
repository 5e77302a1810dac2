package asof

import (
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// edgeRows is at most one row of each range, the first or the last.
type edgeRows struct {
	first  bool
	pieces []*piece // one, unless a column of it would be too long
	at     []place  // by range
}

// place is a row of a piece; the zero place is none.
type place struct {
	piece *piece
	row   int
}

// piece is some of those rows.
type piece struct {
	b     *batch.Batch
	keys  *batch.Keys // nil until they are needed
	parts []uint16    // by row: the range, and
	units []int       // the unit that it came in
}

func newEdgeRows(first bool, ranges int) *edgeRows {
	return &edgeRows{first: first, at: make([]place, ranges)}
}

// beaten says whether candidate i is better than the row that its range has: nearer to the range's end; of tied rows, by units and
// then, within one, as they came.
func (r *edgeRows) beaten(c candidates, i int) bool {
	old := r.at[c.parts[i]]
	if old.piece == nil {
		return true
	}
	by := compareKeys(c.keys, i, old.piece.keys, old.row)
	if by == 0 {
		by = c.unitOf(i) - old.piece.units[old.row]
	}
	return r.first && by < 0 || !r.first && by >= 0
}

// add takes over p, whose rows replace those of their ranges.
func (r *edgeRows) add(p *piece) {
	r.pieces = append(r.pieces, p)
	r.point(p)
}

func (r *edgeRows) point(p *piece) {
	for row, part := range p.parts {
		r.at[part] = place{p, row}
	}
}

// gatherFlat copies rows of b. What they have of dictionaries becomes their own, for dictionaries are of many rows.
func gatherFlat(spec *Spec, b *batch.Batch, idx []uint32) (*batch.Batch, error) {
	out, err := batch.GatherBatch(spec.Acct, b, idx)
	if err != nil {
		return nil, err
	}
	coded := func(c *batch.Column) bool { return c.Dict != nil }
	tooLong := func(c *batch.Column) bool {
		return coded(c) && c.Type.Kind() == batch.KindBytes && batch.DataLen(c) > batch.MaxData
	}
	if !slices.ContainsFunc(out.Cols, coded) || slices.ContainsFunc(out.Cols, tooLong) {
		return out, nil
	}
	defer out.Release()
	return batch.Concat(spec.Acct, spec.Right, []*batch.Batch{out})
}

// join puts piece i+1 behind piece i.
func (r *edgeRows) join(spec *Spec, i int) error {
	a, b := r.pieces[i], r.pieces[i+1]
	all, err := batch.Concat(spec.Acct, spec.Right, []*batch.Batch{a.b, b.b})
	if err != nil {
		return err
	}
	joined := &piece{b: all, parts: append(a.parts, b.parts...), units: append(a.units, b.units...)}
	a.release()
	b.release()
	r.pieces[i] = joined
	r.pieces = slices.Delete(r.pieces, i+1, i+2)
	r.point(joined)
	return nil
}

func (r *edgeRows) release() {
	for _, p := range r.pieces {
		p.release()
	}
	r.pieces, r.at = nil, nil
}

// rowsOf returns the rows of p that r still has.
func (p *piece) rowsOf(r *edgeRows) []uint32 {
	var idx []uint32
	for row, part := range p.parts {
		if r.at[part] == (place{p, row}) {
			idx = append(idx, uint32(row))
		}
	}
	return idx
}

// keep drops the rows that r has replaced; b is nil where none is left.
func (p *piece) keep(acct *mem.Account, r *edgeRows) error {
	idx := p.rowsOf(r)
	if len(idx) == p.b.N {
		return nil
	}
	var kept *batch.Batch
	if len(idx) > 0 {
		var err error
		if kept, err = batch.GatherBatch(acct, p.b, idx); err != nil {
			return err
		}
	}
	for i, row := range idx {
		p.parts[i], p.units[i] = p.parts[row], p.units[row]
	}
	p.release()
	p.b, p.parts, p.units = kept, p.parts[:len(idx)], p.units[:len(idx)]
	r.point(p)
	return nil
}

// bytes returns what the values take that are counted in 32 bits.
func (p *piece) bytes() int64 {
	n := int64(0)
	for _, c := range p.b.Cols {
		if c.Type.Kind() == batch.KindBytes {
			n += batch.DataLen(c)
		}
	}
	return n
}

func (p *piece) release() {
	p.keys.Release()
	p.b.Release()
	p.keys, p.b = nil, nil
}
