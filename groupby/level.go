package groupby

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// store is the part of *spillfile.Store that an aggregation uses.
type store interface {
	Append(ctx context.Context, worker, unit int, part []uint16, b *batch.Batch) error
	Seal(ctx context.Context) error
	Part(p int) spillfile.PartStats
	Stream(ctx context.Context, p int, acct *mem.Account, cols []int, batchRows int) (batch.Stream, error)
	Drop(p int)
	Stats() spillfile.Stats
	Close() error
}

// streamRows is how many rows are read back at a time, at most.
const streamRows = 16 << 10

// level is where groups and rows go that tables have no room for: two partition stores
// with one partitioning, opened when they are first needed. Level 0 is the whole
// input's; a partition that turns out too large gets a level of its own, one deeper.
type level struct {
	lay     *layout
	depth   int
	workers int
	want    int // partitions
	open    func(spillfile.Spec) (store, error)

	mu     sync.Mutex
	cut    cutter
	rows   store // rows as they came
	states store // partial states of flushed tables

	sent atomic.Int64 // groups to states
}

// unitOf returns the unit of the next groups of a worker to states. The order of states is of no account; that they are of many units,
// which all workers go through together, lets who reads a partition know the places of few blocks at a time.
func (l *level) unitOf(worker, groups int) int {
	return worker + l.workers*int(l.sent.Add(int64(groups))/spillfile.UnitRows)
}

// cutter returns the partitioning; where there is none yet it is made, from the keys of t for ranges.
func (l *level) cutter(t *table) (cutter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut != nil {
		return l.cut, nil
	}
	spec := l.lay.spec
	switch {
	case !spec.Sort:
		l.cut = hashCut{n: l.want, depth: l.depth}
	case spec.Splitters != nil:
		l.cut = givenCut{p: spec.Splitters}
	default:
		s, err := newSampler(l.lay, l.depth)
		if err != nil {
			return nil, err
		}
		if err := t.sample(s, 64*l.want); err != nil {
			return nil, err
		}
		l.cut = s.cut(l.want)
	}
	return l.cut, nil
}

// store opens the store at *at, of blocks of the given bytes, if it is not open, and returns it.
func (l *level) store(at *store, what string, schema *batch.Schema, block int) (store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if *at != nil {
		return *at, nil
	}
	spec := l.lay.spec
	s, err := l.open(spillfile.Spec{
		Name: spec.Name + " " + what, Schema: schema, Partitions: l.cut.partitions(), Workers: l.workers,
		BlockBytes: block, Acct: spec.Acct, Dir: spec.Dir,
	})
	if err != nil {
		return nil, err
	}
	*at = s
	return s, nil
}

// appendTo scatters b, whose first columns are the keys, into one of the stores. It takes over b. sums are the hashes of
// its keys by batch.Hash, where somebody has them, else nil.
func (l *level) appendTo(ctx context.Context, at *store, t *table, worker, unit int, b *batch.Batch, sums []uint64) error {
	part, err := l.assign(t, b, sums)
	if err != nil {
		b.Release()
		return err
	}
	defer part.Release()
	what, block := "groups", stateBlock(l.lay.spec.BlockBytes)
	if at == &l.rows {
		what, block = "rows", l.lay.spec.BlockBytes
	}
	s, err := l.store(at, what, b.Schema, block)
	if err != nil {
		b.Release()
		return err
	}
	return s.Append(ctx, worker, unit, batch.View[uint16](part.Bytes())[:b.N], b)
}

func (l *level) assign(t *table, b *batch.Batch, sums []uint64) (*mem.Buf, error) {
	cut, err := l.cutter(t)
	if err != nil {
		return nil, err
	}
	acct := l.lay.spec.Acct
	buf, err := acct.Alloc(max(2*b.N, 2))
	if err != nil {
		return nil, err
	}
	if h, ok := cut.(hashCut); ok && sums != nil {
		h.spread(sums, batch.View[uint16](buf.Bytes())[:b.N])
		return buf, nil
	}
	n := len(l.lay.keys.cols)
	keys := &batch.Batch{Schema: l.lay.keys.schema, Cols: b.Cols[:n], N: b.N}
	if err := cut.assign(acct, keys, batch.View[uint16](buf.Bytes())[:b.N]); err != nil {
		buf.Release()
		return nil, fmt.Errorf("groupby %s: partition: %w", l.lay.spec.Name, err)
	}
	return buf, nil
}

// used says whether anything went to the level's stores.
func (l *level) used() bool { return l.rows != nil || l.states != nil }

// all calls f with the stores that are open.
func (l *level) all(f func(store) error) error {
	for _, s := range []store{l.rows, l.states} {
		if s == nil {
			continue
		}
		if err := f(s); err != nil {
			return err
		}
	}
	return nil
}

func (l *level) seal(ctx context.Context) error {
	return l.all(func(s store) error { return s.Seal(ctx) })
}

// entries returns how many rows and states a partition has: the most groups it can make.
func (l *level) entries(p int) int64 {
	n := int64(0)
	_ = l.all(func(s store) error { n += s.Part(p).Rows; return nil })
	return n
}

func (l *level) drop(p int) {
	_ = l.all(func(s store) error { s.Drop(p); return nil })
}

func (l *level) spilled() int64 {
	n := int64(0)
	_ = l.all(func(s store) error { n += s.Stats().Spilled; return nil })
	return n
}

func (l *level) close() error {
	err := l.all(func(s store) error { return s.Close() })
	l.rows, l.states = nil, nil
	return err
}

// feed streams a partition's rows and states into w.
func (l *level) feed(ctx context.Context, p int, acct *mem.Account, w *worker) error {
	for _, s := range []store{l.rows, l.states} {
		if s == nil || s.Part(p).Rows == 0 {
			continue
		}
		add := w.addStates
		if s == l.rows {
			fed := int64(0)
			add = func(ctx context.Context, b *batch.Batch) error {
				unit := int(fed / spillfile.UnitRows)
				fed += int64(b.N)
				return w.addRows(ctx, unit, b)
			}
		}
		if err := drain(ctx, s, p, acct, nil, add); err != nil {
			return err
		}
	}
	return nil
}
