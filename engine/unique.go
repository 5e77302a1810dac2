package engine

import (
	"context"
	"errors"
	"io"
	"math"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/groupby"
	"pqjoin/mem"
	"pqjoin/plan"
	"pqjoin/window"
)

// uniqueMachine checks that neighbouring rows differ in the key columns, of a table that
// is ordered by them. Its state is the last row's key; nil before the first row.
type uniqueMachine struct {
	keys  []int
	in    *batch.Schema
	found *repeats
	show  *renderer
}

func (m uniqueMachine) push(_ context.Context, u unitRun, st, b *batch.Batch, _ bool) (*batch.Batch, *batch.Batch, error) {
	if b == nil || b.N == 0 {
		return b, st, nil
	}
	defer st.Release()
	last, err := m.compare(u, st, b)
	if err != nil {
		b.Release()
		return nil, nil, err
	}
	return b, last, nil
}

// compare looks for repeated keys in the rows of b, a batch of unit u behind the key st, and returns the last key.
func (m uniqueMachine) compare(u unitRun, st, b *batch.Batch) (*batch.Batch, error) {
	schema := m.in.Select(m.keys)
	keys := b.Select(schema, m.keys)
	defer keys.Release()
	parts := []*batch.Batch{keys}
	if st != nil {
		parts = []*batch.Batch{st, keys}
	}
	all, err := batch.Concat(u.acct, schema, parts)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	starts := window.Runs(all, batch.Positions(len(m.keys)))
	if repeated := all.N - len(starts); repeated > 0 {
		m.found.rows.Add(int64(repeated))
		m.sample(u.unit, all, starts)
	}
	return batch.GatherBatch(u.acct, all, []uint32{uint32(all.N - 1)})
}

// sample shows the keys of rows that several rows have; runs of the same key begin at starts.
func (m uniqueMachine) sample(unit int, rows *batch.Batch, starts []uint32) {
	for i, start := range starts {
		end := rows.N
		if i+1 < len(starts) {
			end = int(starts[i+1])
		}
		if end-int(start) < 2 {
			continue
		}
		if m.found.full(unit) {
			return
		}
		m.found.add(unit, m.show.row(rows, int(start)))
	}
}

func (m uniqueMachine) after(_ unitRun, tail *batch.Batch) (*batch.Batch, bool, error) {
	if tail.N == 0 {
		return nil, false, nil
	}
	keys := tail.Select(m.in.Select(m.keys), m.keys)
	return keys, true, nil
}

func (m uniqueMachine) contexts() []int         { return []int{1} }
func (m uniqueMachine) done(*batch.Batch) bool  { return false }
func (m uniqueMachine) release(st *batch.Batch) { st.Release() }

// repeats collects what a uniqueness check found: how many rows repeat a key, and the first such keys.
type repeats struct {
	samples
	rows atomic.Int64
}

func newRepeats() *repeats { return &repeats{samples: samples{once: true}} }

func (r *repeats) failure(rule string) []CheckFailure {
	if r.rows.Load() == 0 {
		return nil
	}
	return []CheckFailure{{Rule: rule, Rows: r.rows.Load(), Samples: r.texts()}}
}

// checkUnique checks, while a sorted table passes, that no two rows share an index key.
func (x *exec) checkUnique(in *rel, op *plan.Index, p *phys) *rel {
	cols, schema := batch.KeyPositions(op.Keys), in.schema // in's schema changes with what is fused behind
	found := newRepeats()
	s := newSeam(uniqueMachine{keys: cols, in: schema, found: found, show: newRenderer(schema.Select(cols))})
	rule := uniqueRule(p.node.Schema, cols)
	s.end = func() error { return x.verdict(p.node, false, rule)(found.failure(rule)) }
	in.watched = true
	return in.add(s, nil, "unique")
}

// checkDistinct checks that no two rows agree in the columns of a check's unique list.
// The keys are counted in an aggregation of their own, which spills like any other.
func (x *exec) checkDistinct(in *rel, op *plan.Check, p *phys) error {
	keys := in.schema.Select(op.Unique)
	spec := groupby.Spec{
		Name: uniqueRule(in.schema, op.Unique), In: keys, Keys: batch.Positions(len(op.Unique)),
		Out:  batch.NewSchema(append(append([]batch.Field(nil), keys.Fields...), batch.Field{Name: "count", Type: batch.Of(batch.Int64)})...),
		Aggs: []groupby.Agg{{Func: "count", Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)}},
		Sort: true, Workers: x.share.Workers, BatchRows: x.share.BatchRows, Acct: x.tables, Dir: x.dir,
	}
	lay := groupby.Plan(spec, x.share.Tails/2, x.share.Tails/int64(6*x.share.Workers))
	spec.Partitions, spec.BlockBytes, spec.TableBytes, spec.MaxLoad = lay.Partitions, lay.BlockBytes, lay.TableBytes, lay.MaxLoad
	g, err := groupby.New(spec)
	if err != nil {
		return err
	}
	in.closers = append(in.closers, g.Close)
	in.add(&tap{
		see: func(ctx context.Context, u unitRun, b *batch.Batch) error {
			return g.Put(ctx, u.worker, u.unit, b.Select(keys, op.Unique))
		},
		end: func(ctx context.Context) error {
			f, err := x.repeated(ctx, g, spec)
			if err != nil {
				return err
			}
			return x.verdict(p.node, op.Warn, spec.Name)(f)
		},
	}, nil, "unique")
	return nil
}

// repeated finishes the count of keys and reports those that several rows share.
func (x *exec) repeated(ctx context.Context, g *groupby.Grouper, spec groupby.Spec) ([]CheckFailure, error) {
	if err := g.Finish(ctx); err != nil {
		return nil, err
	}
	found, show, at := newRepeats(), newRenderer(spec.Out), len(spec.Keys)
	src := g.Source()
	for u := range src.Units() {
		err := eachBatch(ctx, src, u, x.batches, func(b *batch.Batch) error {
			for row, n := range b.Cols[at].Int64s() {
				if n > 1 {
					found.rows.Add(n)
				}
				if n > 1 && !found.full(u) {
					found.add(u, show.row(b, row))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found.failure(spec.Name), nil
}

// eachBatch shows every batch of a unit to use, which must not keep it.
func eachBatch(ctx context.Context, src batch.Source, unit int, acct *mem.Account, use func(*batch.Batch) error) error {
	st, err := src.Open(ctx, unit, acct)
	if err != nil {
		return err
	}
	return firstBatches(ctx, st, math.MaxInt, use)
}

// firstBatches shows at most n batches of st, which it closes, to use, which must not keep them.
func firstBatches(ctx context.Context, st batch.Stream, n int, use func(*batch.Batch) error) (err error) {
	defer func() { err = errors.Join(err, st.Close()) }()
	for range n {
		b, err := st.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		err = use(b)
		b.Release()
		if err != nil {
			return err
		}
	}
	return nil
}
