package asof

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/mem"
)

// edges finds the last row of every right range, for the left rows of later ranges, and the first, for those of earlier ones.
// They are few: a range has one of each. EdgeBytes is what they take.
type edges struct {
	spec    *Spec
	split   *extsort.Splitters // of the right
	ranges  int
	most    int64       // bytes of a piece that is put together of two
	first   []bool      // the kinds that are kept: first rows of ranges, or last ones
	found   []*edgeRows // by kind, when all rows have come
	workers []*edgeWorker
}

// edgeWorker is what one worker has found so far.
type edgeWorker struct {
	best []uint32    // scratch: by range, the row of a batch
	rows []*edgeRows // by kind
}

// edgeCopies is how many times a worker holds the rows of one kind: the other kind's, those kept, and both again while new ones join them.
const edgeCopies = 4

// EdgeBytes returns what a worker of a join by so many ranges takes besides its stores, of right rows of rowBytes bytes.
func EdgeBytes(ranges int, rowBytes int64) int64 { return edgeCopies * int64(ranges) * rowBytes }

func newEdges(spec *Spec, split *extsort.Splitters) *edges {
	e := &edges{spec: spec, split: split, ranges: split.Count(), most: batch.MaxData / 2}
	if spec.Direction != Forward {
		e.first = append(e.first, false)
	}
	if spec.Direction != Backward {
		e.first = append(e.first, true)
	}
	for range max(spec.Workers, 1) {
		w := &edgeWorker{best: make([]uint32, e.ranges)}
		for _, first := range e.first {
			w.rows = append(w.rows, newEdgeRows(first, e.ranges))
		}
		e.workers = append(e.workers, w)
	}
	return e
}

// add looks at the rows of b, whose keys these are, and which are in the ranges parts. Cost: a comparison of keys a row; only rows
// that are better than those kept are copied.
func (e *edges) add(worker, unit int, b *batch.Batch, keys *batch.Keys, parts []uint16) error {
	w := e.workers[worker]
	for _, rows := range w.rows {
		c := candidates{b: b, keys: keys, parts: parts, unit: unit}
		if err := e.take(rows, c, w.pick(keys, parts, rows.first)); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the rows of a batch that are the first, or last, of their ranges. Of tied rows it is the first, or last, as they lie.
func (w *edgeWorker) pick(keys *batch.Keys, parts []uint16, first bool) []uint32 {
	for p := range w.best {
		w.best[p] = batch.Missing
	}
	for i, p := range parts {
		old := w.best[p]
		if old == batch.Missing {
			w.best[p] = uint32(i)
			continue
		}
		if c := keys.Compare(i, int(old)); first && c < 0 || !first && c >= 0 {
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

// take keeps those of the candidates at idx, one a range, that are better than what r has.
func (e *edges) take(r *edgeRows, c candidates, idx []uint32) error {
	idx = slices.DeleteFunc(idx, func(i uint32) bool { return !r.beaten(c, int(i)) })
	if len(idx) == 0 {
		return nil
	}
	b, err := gatherFlat(e.spec, c.b, idx)
	if err != nil {
		return err
	}
	p := &piece{b: b}
	for _, i := range idx {
		p.parts, p.units = append(p.parts, c.parts[i]), append(p.units, c.unitOf(int(i)))
	}
	r.add(p)
	return e.tidy(r)
}

// tidy drops the rows that are replaced, and puts pieces together that fit in one.
func (e *edges) tidy(r *edgeRows) error {
	for _, p := range r.pieces {
		if err := p.keep(e.spec.Acct, r); err != nil {
			return err
		}
	}
	r.pieces = slices.DeleteFunc(r.pieces, func(p *piece) bool { return p.b == nil })
	for i := 0; i+1 < len(r.pieces); {
		if r.pieces[i].bytes()+r.pieces[i+1].bytes() > e.most {
			i++
			continue
		}
		if err := r.join(e.spec, i); err != nil {
			return err
		}
	}
	for _, p := range r.pieces {
		if p.keys == nil {
			var err error
			if p.keys, err = e.split.EncodeKeys(e.spec.Acct, p.b); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish joins what the workers found.
func (e *edges) finish() error {
	for k, first := range e.first {
		all := newEdgeRows(first, e.ranges)
		e.found = append(e.found, all)
		for _, w := range e.workers {
			for _, p := range w.rows[k].pieces {
				c := candidates{b: p.b, keys: p.keys, parts: p.parts, units: p.units}
				if err := e.take(all, c, p.rowsOf(w.rows[k])); err != nil {
					return fmt.Errorf("%s: %w", e.spec.Name, err)
				}
			}
			w.rows[k].release()
		}
	}
	return nil
}

// beside returns the row next to range p outside of it: the last one before it, or the first one behind it; nil for none.
func (e *edges) beside(acct *mem.Account, p int, behind bool) (*batch.Batch, error) {
	for _, rows := range e.found {
		if rows.first != behind {
			continue
		}
		step := -1
		if behind {
			step = 1
		}
		for q := p + step; q >= 0 && q < e.ranges; q += step {
			if at := rows.at[q]; at.piece != nil {
				return batch.GatherBatch(acct, at.piece.b, []uint32{uint32(at.row)})
			}
		}
	}
	return nil, nil
}

func (e *edges) close() {
	for _, rows := range e.found {
		rows.release()
	}
	for _, w := range e.workers {
		for _, rows := range w.rows {
			rows.release()
		}
	}
}

// candidates are rows of a batch that may become edges.
type candidates struct {
	b     *batch.Batch
	keys  *batch.Keys
	parts []uint16
	unit  int   // of all rows; or
	units []int // of each
}

func (c *candidates) unitOf(i int) int {
	if c.units != nil {
		return c.units[i]
	}
	return c.unit
}

// compareKeys compares keys of one encoder.
func compareKeys(a *batch.Keys, i int, b *batch.Keys, j int) int {
	x, short := a.Fixed()
	if y, _ := b.Fixed(); short {
		return cmp.Compare(x[i], y[j])
	}
	return bytes.Compare(a.At(i), b.At(j))
}
