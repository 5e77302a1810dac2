package asof

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// edges finds the last row of every right range, for the left rows of later ranges, and the first, for those of earlier ones.
// They are few: a range has one of each.
type edges struct {
	spec    *Spec
	ranges  int
	enc     *batch.KeyEncoder // of the keys alone
	ends    []end             // what is kept: last, first or both
	workers []*edgeWorker
}

// end is one kind of edge, when all rows have come.
type end struct {
	first bool // of a range, else the last
	rows  *edgeRows
	at    []int // by range: of rows, -1 for none
}

// edgeRows is at most one row of each range.
type edgeRows struct {
	b     *batch.Batch
	parts []uint16
	units []int
}

// edgeWorker is what one worker has found so far.
type edgeWorker struct {
	best []uint32    // scratch: by range, the row of a batch
	rows []*edgeRows // by edges.ends; nil for none yet
}

func newEdges(spec *Spec, ranges int) (*edges, error) {
	keys := make([]batch.SortKey, len(spec.RightKeys))
	schema := batch.NewSchema()
	for i, k := range spec.RightKeys {
		schema.Fields = append(schema.Fields, spec.Right.Fields[k.Column])
		keys[i] = k
		keys[i].Column = i
	}
	enc, err := batch.NewKeyEncoder(schema, keys)
	if err != nil {
		return nil, err
	}
	e := &edges{spec: spec, ranges: ranges, enc: enc}
	if spec.Direction != Forward {
		e.ends = append(e.ends, end{})
	}
	if spec.Direction != Backward {
		e.ends = append(e.ends, end{first: true})
	}
	for range max(spec.Workers, 1) {
		e.workers = append(e.workers, &edgeWorker{best: make([]uint32, ranges), rows: make([]*edgeRows, len(e.ends))})
	}
	return e, nil
}

// add looks at the rows of b, whose keys these are, and which are in the ranges parts. Cost: a comparison of keys a row.
func (e *edges) add(worker, unit int, b *batch.Batch, keys *batch.Keys, parts []uint16) error {
	w := e.workers[worker]
	var err error
	for k := range e.ends {
		found := &edgeRows{}
		idx := e.pick(w, keys, parts, e.ends[k].first, nil)
		if found.b, err = batch.GatherBatch(e.spec.Acct, b, idx); err != nil {
			return err
		}
		for _, i := range idx {
			found.parts, found.units = append(found.parts, parts[i]), append(found.units, unit)
		}
		if w.rows[k], err = e.merge(w, w.rows[k], found, e.ends[k].first); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the rows that are the first, or last, of their ranges. Of tied rows it is the first, or last, by units and then as they lie.
func (e *edges) pick(w *edgeWorker, keys *batch.Keys, parts []uint16, first bool, units []int) []uint32 {
	for p := range w.best {
		w.best[p] = batch.Missing
	}
	for i, p := range parts {
		old := w.best[p]
		if old == batch.Missing {
			w.best[p] = uint32(i)
			continue
		}
		c := keys.Compare(i, int(old))
		if c == 0 && units != nil {
			c = units[i] - units[old]
		}
		if first && c < 0 || !first && c >= 0 {
			w.best[p] = uint32(i)
		}
	}
	var idx []uint32
	for _, i := range w.best {
		if i != batch.Missing {
			idx = append(idx, i)
		}
	}
	return idx
}

// merge takes both over and returns the better rows of each range.
func (e *edges) merge(w *edgeWorker, a, b *edgeRows, first bool) (*edgeRows, error) {
	if a == nil {
		return b, nil
	}
	defer a.b.Release()
	defer b.b.Release()
	all, err := batch.Concat(e.spec.Acct, e.spec.Right, []*batch.Batch{a.b, b.b})
	if err != nil {
		return nil, err
	}
	defer all.Release()
	keys, err := e.enc.Encode(e.spec.Acct, batch.KeyColumns(all, e.spec.RightKeys), all.N)
	if err != nil {
		return nil, err
	}
	defer keys.Release()
	parts, units := append(a.parts, b.parts...), append(a.units, b.units...)
	idx := e.pick(w, keys, parts, first, units)
	out := &edgeRows{}
	for _, i := range idx {
		out.parts, out.units = append(out.parts, parts[i]), append(out.units, units[i])
	}
	out.b, err = batch.GatherBatch(e.spec.Acct, all, idx)
	return out, err
}

// finish joins what the workers found.
func (e *edges) finish() error {
	for k := range e.ends {
		n := &e.ends[k]
		n.at = make([]int, e.ranges)
		for p := range n.at {
			n.at[p] = -1
		}
		for _, w := range e.workers {
			found := w.rows[k]
			w.rows[k] = nil
			if found == nil {
				continue
			}
			var err error
			if n.rows, err = e.merge(w, n.rows, found, n.first); err != nil {
				n.rows = nil
				return fmt.Errorf("%s: %w", e.spec.Name, err)
			}
		}
		if n.rows != nil {
			for i, p := range n.rows.parts {
				n.at[p] = i
			}
		}
	}
	return nil
}

// beside returns the row next to range p outside of it: the last one before it, or the first one behind it; nil for none.
func (e *edges) beside(acct *mem.Account, p int, behind bool) (*batch.Batch, error) {
	for _, n := range e.ends {
		if n.first != behind || n.rows == nil {
			continue
		}
		step := -1
		if behind {
			step = 1
		}
		for q := p + step; q >= 0 && q < e.ranges; q += step {
			if i := n.at[q]; i >= 0 {
				return batch.GatherBatch(acct, n.rows.b, []uint32{uint32(i)})
			}
		}
	}
	return nil, nil
}

func (e *edges) close() {
	for k := range e.ends {
		if r := e.ends[k].rows; r != nil {
			r.b.Release()
			e.ends[k].rows = nil
		}
	}
	for _, w := range e.workers {
		for k, r := range w.rows {
			if r != nil {
				r.b.Release()
				w.rows[k] = nil
			}
		}
	}
}
