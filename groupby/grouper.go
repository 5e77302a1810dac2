package groupby

import (
	"context"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/spillfile"
)

// Grouper aggregates the rows that are Put into it. It is a batch.Sink; after Finish, Source yields the groups.
type Grouper struct {
	lay     *layout
	spec    Spec
	top     *level
	sh      *shared // nil: none
	workers []*worker
	result  *source
	done    Stats // of what was released
	open    func(spillfile.Spec) (store, error)
}

// New returns a Grouper. The error names what the spec has wrong.
func New(spec Spec) (*Grouper, error) {
	return newGrouper(spec, func(s spillfile.Spec) (store, error) { return spillfile.New(s) })
}

func newGrouper(spec Spec, open func(spillfile.Spec) (store, error)) (*Grouper, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	g := &Grouper{spec: spec.withDefaults(), open: open}
	lay, err := newLayout(&g.spec)
	if err != nil {
		return nil, err
	}
	for i := range lay.aggs {
		switch lay.aggs[i].kernel.(type) {
		case rank, gatherer:
			return nil, fmt.Errorf("groupby %s: %s needs its rows in order", spec.Name, lay.aggs[i].name)
		}
	}
	g.lay = lay
	g.top = &level{lay: lay, workers: g.spec.Workers, want: g.spec.Partitions, open: open}
	g.sh = newShared(lay, g.top, g.spec.Workers)
	for i := range g.spec.Workers {
		w, err := newWorker(i, lay, g.top, g.spec.Acct, g.spec.TableBytes, 0)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		w.sh = g.sh
		g.workers = append(g.workers, w)
	}
	return g, nil
}

// putRows is how many rows are worked on at a time; it bounds the scratch memory.
const putRows = 16 << 10

// Put takes ownership of b, which is part of the unit.
func (g *Grouper) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	used := b.Select(g.lay.raw, g.lay.cols)
	b.Release()
	defer used.Release()
	w := g.workers[worker]
	w.stats.RowsIn += int64(b.N)
	if g.lay.posCol >= 0 && unit >= MaxUnits {
		return fmt.Errorf("groupby %s: %d units, at most %d with first or last", g.spec.Name, unit+1, MaxUnits)
	}
	first := w.rowAt[unit]
	w.rowAt[unit] = first + int64(b.N)
	for at := 0; at < b.N; at += putRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		part, err := used.Slice(g.spec.Acct, at, min(at+putRows, b.N))
		if err != nil {
			return err
		}
		rows, err := g.lay.rows(part, position(unit, first+int64(at)))
		if err != nil {
			return err
		}
		if err := w.addRows(ctx, unit, rows); err != nil {
			return err
		}
	}
	return nil
}

// EndUnit forgets the unit's row count: units matter to first and last alone.
func (g *Grouper) EndUnit(_ context.Context, worker, unit int) error {
	delete(g.workers[worker].rowAt, unit)
	return nil
}

// Finish completes the input: the workers' tables become one, or go to the store where that is in use already.
func (g *Grouper) Finish(ctx context.Context) error {
	first := g.workers[0]
	for _, w := range g.workers {
		w.dropScratch()
	}
	for _, w := range g.workers[1:] {
		if g.spread() {
			break
		}
		if err := w.t.states(g.lay.flushRows(), func(b *batch.Batch) error { return first.addStates(ctx, b) }); err != nil {
			return err
		}
		w.t.reset()
	}
	if !g.spread() {
		first.dropScratch()
		g.result = &source{g: g, units: 1}
		return nil
	}
	for _, w := range g.workers {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	for _, w := range g.workers {
		w.release()
	}
	if kept, err := g.keepShared(ctx); kept || err != nil {
		return err
	}
	if err := g.sealLevel(ctx); err != nil {
		return err
	}
	g.result = &source{g: g, units: g.top.cut.partitions()}
	return nil
}

// keepShared makes the shared tables the result, where they have all groups and in no order.
func (g *Grouper) keepShared(ctx context.Context) (bool, error) {
	whole := func() bool { return g.sh.active() && !g.top.used() }
	if !whole() || g.spec.Sort {
		return false, nil
	}
	if err := g.sh.end(ctx, g.workers, false); err != nil || !whole() {
		return false, err
	}
	g.result = &source{g: g, units: len(g.sh.parts), sh: g.sh}
	return true, nil
}

// spread says whether groups are elsewhere than in the workers' tables.
func (g *Grouper) spread() bool { return g.top.used() || g.sh.inUse() }

// sealLevel gives all groups that are in shared tables to the level, and seals it.
func (g *Grouper) sealLevel(ctx context.Context) error {
	if g.sh.inUse() {
		if err := g.sh.end(ctx, g.workers, true); err != nil {
			return err
		}
	}
	return g.top.seal(ctx)
}

// Settle moves the groups of a finished aggregation to its store, where that is not yet so: what lies there may be spilled. It is
// for a result that is not read next, before it is read.
func (g *Grouper) Settle(ctx context.Context) error {
	if g.result == nil || g.result.sh == nil {
		return nil
	}
	if err := g.sealLevel(ctx); err != nil {
		return err
	}
	if !g.top.used() {
		return nil
	}
	if n := g.top.cut.partitions(); n != g.result.units {
		return fmt.Errorf("groupby %s: self-check: %d shared tables went to %d partitions", g.spec.Name, g.result.units, n)
	}
	g.result.sh = nil
	return nil
}

// Source returns the groups, after Finish; it is read once, and before Close. With Sort, the units one
// after the other are in key order. A unit's partition is merged when it is opened and first asked for.
func (g *Grouper) Source() batch.Source { return g.result }

// Close releases what is held. It may be called more than once; streams of the source are closed before.
func (g *Grouper) Close() error {
	for _, w := range g.workers {
		w.release()
	}
	g.sh.close()
	g.done.Spilled += g.top.spilled()
	return g.top.close()
}

// Stats says what an aggregation did.
type Stats struct {
	RowsIn   int64 // rows put in
	Groups   int64 // groups put out so far
	Flushes  int64 // tables that filled up and went to the store
	Bypassed int64 // rows that went to the store as they were
	Resplit  int64 // partitions that were cut again
	Spilled  int64 // bytes written to disk
}

func (s *Stats) add(o Stats) {
	s.RowsIn += o.RowsIn
	s.Groups += o.Groups
	s.Flushes += o.Flushes
	s.Bypassed += o.Bypassed
	s.Resplit += o.Resplit
	s.Spilled += o.Spilled
}

// Stats returns counts so far. It is not called while Put or a stream of the source runs.
func (g *Grouper) Stats() Stats {
	s := g.done
	for _, w := range g.workers {
		s.add(w.stats)
	}
	s.Spilled += g.top.spilled()
	if g.result != nil {
		g.result.mu.Lock()
		s.add(g.result.stats)
		g.result.mu.Unlock()
	}
	return s
}
