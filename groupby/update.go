package groupby

import (
	"fmt"

	"pqjoin/batch"
)

// update runs the aggregates over the rows of layout.raw from lo on, which belong to the
// entries ent. masked is scratch of at least that length.
func (t *table) update(rows *batch.Batch, lo int, ent, masked []uint32) error {
	var few entryRows
	for i := range t.lay.aggs {
		a := &t.lay.aggs[i]
		if a.shared || t.again && !a.holds {
			continue
		}
		in := input{lo: lo, ent: ent, one: len(t.lay.keys.cols) == 0, few: &few}
		if a.arg >= 0 {
			in.col = rows.Cols[a.arg]
		}
		if a.arg2 >= 0 {
			in.col2 = rows.Cols[a.arg2]
		}
		a.mask(rows, &in, masked[:len(ent)])
		if a.ordered() {
			in.pos = rows.Cols[t.lay.posCol].Int64s()[lo:]
		}
		if a.weight >= 0 {
			in.weight = rows.Cols[a.weight]
		}
		if err := a.update(t, a.off, &in); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// mergeStates adds the states of rows from lo on to the entries ent.
func (t *table) mergeStates(b *batch.Batch, lo int, ent []uint32) error {
	for i := range t.lay.aggs {
		a := &t.lay.aggs[i]
		if a.shared {
			continue
		}
		if err := a.merge(t, a.off, b.Cols[a.col:a.col+a.ncols], lo, ent); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// mask sends rows that do not count, by the filter or a null argument, to entry 0.
func (a *aggregate) mask(rows *batch.Batch, in *input, out []uint32) {
	takesNulls := false
	switch k := a.kernel.(type) {
	case edge:
		takesNulls = true
	case gatherList:
		takesNulls = k.nulls
	}
	for _, c := range []*batch.Column{in.col, in.col2} {
		if c == nil || c.Valid == nil || takesNulls {
			continue
		}
		valid := c.Valid
		for i, e := range in.ent {
			r := in.lo + i
			out[i] = e & -uint32(valid[r>>3]>>(r&7)&1)
		}
		in.ent, in.one, in.few = out, false, nil
	}
	if a.filter < 0 {
		return
	}
	f := rows.Cols[a.filter]
	keep := f.Bools()[in.lo:]
	for i, e := range in.ent {
		out[i] = e & -uint32(keep[i]&1)
		if f.IsNull(in.lo + i) {
			out[i] = 0
		}
	}
	in.ent, in.one, in.few = out, false, nil
}
