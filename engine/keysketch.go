package engine

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"

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
	// hashes are those of all rows, where they are kept and few: whether a key comes twice is a fact then.
	hashes []uint64
	kept   bool
	all    *atomic.Int64 // rows of this and of other workers' sketches that keep theirs
}

// fewKeys is the most rows whose hashes the sketches of a table keep together: they lie on the Go heap.
const fewKeys = 1 << 18

func newKeySketch(keep bool) *keySketch {
	return &keySketch{slots: make([]int64, sketchSlots), kept: keep, all: new(atomic.Int64)}
}

// unique says whether no key comes twice, as far as that is known: of few rows. About 5 ns a row.
func (s *keySketch) unique() bool {
	if !s.kept {
		return false
	}
	size := 1 << bits.Len(uint(2*len(s.hashes)))
	set := make([]uint64, size)
	for _, h := range s.hashes {
		if h == 0 { // which marks an empty place
			return false
		}
		at := h >> 32 & uint64(size-1)
		for ; set[at] != 0; at = (at + 1) & uint64(size-1) {
			if set[at] == h {
				return false
			}
		}
		set[at] = h
	}
	return true
}

// add counts the keys with those hashes.
func (s *keySketch) add(hash []uint64) {
	slots := s.slots[:sketchSlots]
	for _, h := range hash {
		slots[h%sketchSlots] += 1 - int64(h>>63)<<1
	}
	s.rows += int64(len(hash))
	s.keep(hash, s.kept && s.all.Add(int64(len(hash))) <= fewKeys)
}

// keep adds to the hashes that are kept those of other rows, which are all or not.
func (s *keySketch) keep(hash []uint64, all bool) {
	if s.kept = s.kept && all && s.rows <= fewKeys; !s.kept {
		s.hashes = nil
		return
	}
	s.hashes = append(s.hashes, hash...)
}

func (s *keySketch) merge(o *keySketch) {
	for i, n := range o.slots {
		s.slots[i] += n
	}
	s.rows += o.rows
	s.keep(o.hashes, o.kept)
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

func newSketchSink(workers int, nulls, keep bool) *sketchSink {
	s := &sketchSink{nulls: nulls, workers: make([]sketchWorker, workers)}
	for i := range s.workers {
		s.workers[i].sketch = newKeySketch(keep)
		s.workers[i].sketch.all = s.workers[0].sketch.all
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

// screen estimates how many rows the join at n makes, and plans anew with it: from a sketch of both sides' keys, or of the smaller side's alone
// where these are few and no two the same, so that there are at most as many rows as the other side has. It reads the keys once, and holds the rows
// of a side of which few pass its conditions for the run: what turns out small need not be counted.
func (r *Run) screen(ctx context.Context, n *plan.Node) error {
	if _, done := r.screened[n]; done {
		return nil
	}
	rows, sides, err := r.sketched(ctx, n)
	if err != nil {
		return fmt.Errorf("estimate the rows of the join in table %s: %w", n.Table, err)
	}
	op := n.Op.(*plan.Join)
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
	for i, s := range sides {
		if s != nil {
			r.screened[n.Inputs[i]] = s.rows // but for null keys, which match nothing
		}
	}
	r.replan(ctx)
	return nil
}

// sketched returns the rows that the inner join at n makes, about, and the sketches of its sides; nil where a side's was not needed.
func (r *Run) sketched(ctx context.Context, n *plan.Node) (rows int64, sides [2]*keySketch, err error) {
	op := n.Op.(*plan.Join)
	keys := [2][]int{op.LeftKeys, op.RightKeys}
	first := 1
	if r.nodes[n.Inputs[0]].est.Rows < r.nodes[n.Inputs[1]].est.Rows {
		first = 0
	}
	for _, side := range []int{first, 1 - first} {
		if sides[side], err = r.sketchSide(ctx, n.Inputs[side], keys[side], op.NullsEqual); err != nil {
			return 0, sides, err
		}
		if side == first && sides[side].unique() {
			return r.nodes[n.Inputs[1-side]].est.Rows, sides, nil
		}
	}
	return sides[0].joined(sides[1]), sides, nil
}

func (r *Run) sketch(ctx context.Context, n *plan.Node, nulls, keep bool) (*keySketch, error) {
	var sink *sketchSink
	err := r.scratch(ctx, n, func(s Share) batch.Sink {
		sink = newSketchSink(s.Workers, nulls, keep)
		return sink
	})
	if err != nil {
		return nil, err
	}
	return sink.result(), nil
}
