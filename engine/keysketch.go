package engine

import (
	"context"
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/plan"
)

// sketchSlots is the counters of a sketch: few enough for the cache and the Go heap, and
// enough that two sides of unique keys are estimated within a hundredth.
const sketchSlots = 1 << 14

// keySketch summarises how often keys occur: every key adds one or minus one to a counter, both chosen by its
// hash. The dot product of two sides' sketches estimates the rows of their join, with a standard deviation of
// sqrt(F2 x F2' / slots), where F2 is a side's sum of squared frequencies, which its own squares estimate. Cost: about 8 ns
// a row. (Alon, Gibbons, Matias and Szegedy, "Tracking join and self-join sizes in limited storage", 1999.)
type keySketch struct {
	slots []int64
	rows  int64
}

func newKeySketch() *keySketch { return &keySketch{slots: make([]int64, sketchSlots)} }

// add counts the keys with those hashes.
func (s *keySketch) add(hash []uint64) {
	slots := s.slots[:sketchSlots]
	for _, h := range hash {
		slots[h%sketchSlots] += 1 - int64(h>>63)<<1
	}
	s.rows += int64(len(hash))
}

func (s *keySketch) merge(o *keySketch) {
	for i, n := range o.slots {
		s.slots[i] += n
	}
	s.rows += o.rows
}

// joined returns the rows of the inner join of two sides: more than there are, but for one time in a thousand.
func (s *keySketch) joined(o *keySketch) int64 {
	var dot, f, g float64
	for i, n := range s.slots {
		a, b := float64(n), float64(o.slots[i])
		dot += a * b
		f += a * a
		g += b * b
	}
	return saturate(max(0, dot) + 3*math.Sqrt(f*g/sketchSlots))
}

// sketchSink sketches the keys of a table whose columns are all keys.
type sketchSink struct {
	nulls   bool // null keys match
	workers []sketchWorker
}

type sketchWorker struct {
	sketch *keySketch
	hasher batch.Hasher
	hash   [1 << 10]uint64
}

func newSketchSink(workers int, nulls bool) *sketchSink {
	s := &sketchSink{nulls: nulls, workers: make([]sketchWorker, workers)}
	for i := range s.workers {
		s.workers[i].sketch = newKeySketch()
	}
	return s
}

func (s *sketchSink) Put(_ context.Context, worker, _ int, b *batch.Batch) error {
	defer b.Release()
	w := &s.workers[worker]
	for lo := 0; lo < b.N; lo += len(w.hash) {
		part, err := b.Slice(nil, lo, min(lo+len(w.hash), b.N))
		if err != nil {
			return err
		}
		hash := w.hash[:part.N]
		w.hasher.Hash(part.Cols, hash)
		if !s.nulls {
			hash = withoutNulls(part, hash)
		}
		w.sketch.add(hash)
		part.Release()
	}
	return nil
}

// withoutNulls keeps the hashes of rows that are null nowhere.
func withoutNulls(b *batch.Batch, hash []uint64) []uint64 {
	for _, c := range b.Cols {
		if c.Nulls > 0 {
			kept := hash[:0]
			for i, h := range hash {
				if !anyNull(b, i) {
					kept = append(kept, h)
				}
			}
			return kept
		}
	}
	return hash
}

func anyNull(b *batch.Batch, i int) bool {
	for _, c := range b.Cols {
		if c.IsNull(i) {
			return true
		}
	}
	return false
}

func (s *sketchSink) EndUnit(context.Context, int, int) error { return nil }
func (s *sketchSink) Finish(context.Context) error            { return nil }
func (s *sketchSink) Close() error                            { return nil }

func (s *sketchSink) result() *keySketch {
	out := s.workers[0].sketch
	for _, w := range s.workers[1:] {
		out.merge(w.sketch)
	}
	return out
}

// screen estimates from a sketch of both sides' keys how many rows the join at n makes, and plans anew
// with it. It reads the keys once, and holds the rows of a side of which few pass its conditions for the run: what turns out small need not be counted.
func (r *Run) screen(ctx context.Context, n *plan.Node) error {
	if _, done := r.screened[n]; done {
		return nil
	}
	op := n.Op.(*plan.Join)
	left, err := r.sketchSide(ctx, n.Inputs[0], op.LeftKeys, op.NullsEqual)
	if err != nil {
		return fmt.Errorf("estimate the rows of the join in table %s: %w", n.Table, err)
	}
	right, err := r.sketchSide(ctx, n.Inputs[1], op.RightKeys, op.NullsEqual)
	if err != nil {
		return fmt.Errorf("estimate the rows of the join in table %s: %w", n.Table, err)
	}
	rows := left.joined(right)
	if op.Kind.KeepsLeft() {
		rows = max(rows, r.nodes[n.Inputs[0]].est.Rows)
	}
	if op.Kind.KeepsRight() {
		rows = addSat(rows, r.nodes[n.Inputs[1]].est.Rows)
	}
	if r.screened == nil {
		r.screened = map[*plan.Node]int64{}
	}
	r.screened[n] = rows
	r.screened[n.Inputs[0]], r.screened[n.Inputs[1]] = left.rows, right.rows // but for null keys, which match nothing
	r.replan()
	return nil
}

func (r *Run) sketch(ctx context.Context, n *plan.Node, nulls bool) (*keySketch, error) {
	var sink *sketchSink
	err := r.scratch(ctx, n, func(s Share) batch.Sink {
		sink = newSketchSink(s.Workers, nulls)
		return sink
	})
	if err != nil {
		return nil, err
	}
	return sink.result(), nil
}
