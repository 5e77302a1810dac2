package engine

import (
	"context"
	"errors"
	"time"

	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/groupby"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/window"
)

func zeroTime() time.Time { return time.Time{} }

func (x *exec) lag(op *plan.Lag, p *phys) transform {
	in := p.node.Inputs[0].Schema
	spec := window.LagSpec{In: in, Out: p.node.Schema, By: op.By}
	for _, c := range op.Cols {
		spec.Cols = append(spec.Cols, window.LagColumn{Column: c.Column, Period: c.Period})
	}
	return newSeam(lagMachine{lag: window.NewLag(spec), in: in, out: p.node.Schema})
}

// index sorts: the rows are cut into key ranges by a sample, and each range is sorted as it is read.
func (x *exec) index(ctx context.Context, op *plan.Index, p *phys) (*rel, error) {
	out, err := x.indexed(ctx, op, p)
	if err != nil || !op.Unique {
		return out, err
	}
	return x.checkUnique(out, op, p), nil
}

// indexed is index without what is checked of the order: its partitions are those that an earlier run kept, or new ones.
func (x *exec) indexed(ctx context.Context, op *plan.Index, p *phys) (out *rel, err error) {
	step := "index " + names(p.node.Schema, batch.KeyPositions(op.Keys))
	stage := x.keeper.stage(ctx, p, "index")
	as, ok, err := x.keeper.takeOver(ctx, stage, step, func() (note stageNote, err error) {
		name := (&stageWalk{run: x.run, kept: map[*phys]bool{}}).index(p, op).name // what it is called where it is not taken over
		v := x.verification(step)
		defer func() { v.end(err == nil) }()
		spec := x.sortSpec(name, p.node.Inputs[0].Schema, op.Keys, p.in[0].est, stage)
		spec.Verified = v.told
		sorter, raw, err := extsort.Restore(ctx, spec)
		if err != nil {
			return note, err
		}
		if note, err = readNote(raw); err != nil {
			return note, errors.Join(err, sorter.Close())
		}
		out = sortedRel(sorter)
		return note, nil
	})
	if ok || err != nil {
		return out, err
	}
	in, err := x.table(ctx, p.in[0])
	if err != nil {
		return nil, err
	}
	return x.sortKeeping(ctx, in, op.Keys, p.in[0].est, step, as)
}

// sort runs in through an external sort. It closes in.
func (x *exec) sort(ctx context.Context, in *rel, keys []batch.SortKey, est Estimate, step string) (*rel, error) {
	return x.sortKeeping(ctx, in, keys, est, step, nil)
}

// sortSpec describes an external sort; stage is what its partitions are to be for later runs, or nil.
func (x *exec) sortSpec(name string, schema *batch.Schema, keys []batch.SortKey, est Estimate, stage *spillfile.Stage) extsort.Spec {
	lay := extsort.Plan(schema, keys, extsort.Estimate{Rows: est.Rows, Bytes: est.Bytes()}, 2*x.share.Tails, x.share.Workers)
	if t := x.run.cfg.Tuning; t.Partitions > 0 {
		lay.Partitions = t.Partitions
	}
	return extsort.Spec{
		Name: name, Schema: schema, Keys: keys, Workers: x.share.Workers, Partitions: lay.Partitions,
		BlockBytes: lay.BlockBytes, MaxLoad: x.share.Load, Acct: x.stores, Dir: x.dir, BatchRows: x.share.rows(est), Keep: stage,
	}
}

// sortedRel is what a finished sort gives.
func sortedRel(s *extsort.Sorter) *rel {
	return &rel{src: s.Source(), schema: s.Schema(), name: s.Name(), closers: []func() error{s.Close}, expect: s.Stats().Rows, counted: true}
}

// sortKeeping is sort, whose partitions are to be a stage for later runs where stage is not nil.
func (x *exec) sortKeeping(ctx context.Context, in *rel, keys []batch.SortKey, est Estimate, step string, stage *spillfile.Stage) (*rel, error) {
	spec := x.sortSpec(in.name+" by "+sortName(in.schema, keys), in.schema, keys, est, stage)
	var sorter *extsort.Sorter
	sink, err := x.sampled(ctx, in, keys, spec.Partitions, func(sp *extsort.Splitters) (batch.Sink, error) {
		var err error
		sorter, err = extsort.New(spec, sp)
		return sorter, err
	})
	if err == nil {
		err = x.pipeKeep(ctx, in, sink, step)
	}
	if err = errors.Join(err, in.close()); err != nil {
		return nil, err
	}
	return sortedRel(sorter), nil
}

// groupBy aggregates: streaming where the input is ordered by the keys, else by hash or key range.
func (x *exec) groupBy(ctx context.Context, op *plan.GroupBy, p *phys) (*rel, error) {
	in, err := x.table(ctx, p.in[0])
	if err != nil {
		return nil, err
	}
	spec := groupby.Spec{
		Name: groupedName(in.name, in.schema, op.Keys), In: in.schema, Out: p.node.Schema, Keys: op.Keys,
		Sort: op.Sort, DropNulls: op.DropNulls, Workers: x.share.Workers, BatchRows: x.share.rows(p.est), Acct: x.tables, Dir: x.dir,
	}
	for _, a := range op.Aggs {
		spec.Aggs = append(spec.Aggs, groupby.Agg{Func: a.Func, Arg: a.Arg, Arg2: a.Arg2, Param: a.Param, Sep: a.Sep, Filter: a.Filter, Type: a.Type, Partial: a.Partial, Merge: a.Merge, Of: a.Of, Weighted: a.Weighted, Weight: a.Weight})
	}
	step := groupStep(in.schema, op.Keys)
	if p.strategy == streamGroup {
		in.reopen = nil
		if len(op.Keys) == 0 && in.src.Units() == 0 {
			in.src = emptyUnit{in.src}
		}
		return in.add(newStreamGroup(spec), p.node.Schema, step), nil
	}
	spec.Rows = p.in[0].est.Rows
	x.sizeGroups(&spec)
	g, err := groupby.New(spec)
	if err == nil {
		err = x.pipeKeep(ctx, in, g, step)
	}
	if err = errors.Join(err, in.close()); err != nil {
		return nil, err
	}
	x.grouped = append(x.grouped, g)
	return &rel{src: g.Source(), schema: p.node.Schema, name: spec.Name, closers: []func() error{g.Close}}, nil
}

// sizeGroups sets the sizes of an aggregation by hash.
func (x *exec) sizeGroups(spec *groupby.Spec) {
	lay := groupby.Plan(*spec, x.share.Tails, x.share.Load)
	spec.Partitions, spec.BlockBytes, spec.TableBytes = lay.Partitions, lay.BlockBytes, lay.TableBytes
	spec.MaxLoad, spec.SharedBytes = lay.MaxLoad, lay.SharedBytes
	if lay.SharedBytes > 0 && x.run.joins() == 0 { // the tables of joins do not need theirs
		spec.SharedBytes += x.share.Resident
	}
	t := x.run.cfg.Tuning
	if t.Partitions > 0 {
		spec.Partitions = t.Partitions
	}
	if t.Groups > 0 {
		spec.TableBytes, spec.SharedBytes = t.Groups, 1024*t.Groups
	}
}

func (x *exec) check(in *rel, op *plan.Check, p *phys) (*rel, error) {
	unique := *op
	unique.Unique = nil // its keys are counted apart, and settled there
	c := newChecker(p.node, op, x.verdict(p.node, op.Warn, rulesOf(&plan.Node{Op: &unique, Schema: p.node.Schema})...))
	c.from = x.originOf(p.node)
	in.reopen = nil // a sample would be checked twice
	in.watched = true
	in.add(c.transform(), nil, "check")
	if len(op.Unique) > 0 {
		if err := x.checkDistinct(in, op, p); err != nil {
			return nil, errors.Join(err, in.close())
		}
	}
	return in, nil
}
