package engine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"pqjoin/asof"
	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/hashjoin"
	"pqjoin/plan"
)

var asofDirections = map[string]asof.Direction{"backward": asof.Backward, "forward": asof.Forward, "nearest": asof.Nearest}

// asofJoin cuts both sides by the same ranges of the keys, the right first, and merges them range by range.
func (x *exec) asofJoin(ctx context.Context, op *plan.Join, p *phys) (*rel, error) {
	right, err := x.table(ctx, p.in[1])
	if err != nil {
		return nil, err
	}
	var left *rel
	if p.in[0].cheap() { // else it is made when the right is done with
		if left, err = x.table(ctx, p.in[0]); err != nil {
			return nil, errors.Join(err, right.close())
		}
	}
	a, err := x.asofRight(ctx, op, p, left, right)
	if err == nil && left == nil {
		left, err = x.table(ctx, p.in[0])
	}
	if err == nil {
		err = x.asofLeft(ctx, op, p, left, a)
	}
	if err != nil {
		if left != nil {
			err = errors.Join(err, left.close())
		}
		if a != nil {
			err = errors.Join(err, a.Close())
		}
		return nil, err
	}
	src := a.Source()
	out := &rel{src: src, schema: src.Schema(), name: left.name + " joined", closers: []func() error{a.Close}, expect: a.LeftRows(), counted: true}
	if !p.keepsOrder() {
		return out, nil
	}
	return x.restoreOrder(ctx, out, op, p)
}

// asofRight takes the right side in; it closes right.
func (x *exec) asofRight(ctx context.Context, op *plan.Join, p *phys, left, right *rel) (*asof.Join, error) {
	spec := x.asofSpec(op, p)
	var a *asof.Join
	begin := func(sp *extsort.Splitters) (batch.Sink, error) {
		var err error
		a, err = asof.New(spec, sp)
		if err != nil {
			return nil, err
		}
		return a.Right(), nil
	}
	sample, err := x.asofSample(ctx, spec, left, right)
	var sink batch.Sink
	switch {
	case err != nil:
	case sample != nil:
		sink, err = begin(sample.Splitters(spec.Partitions))
	default:
		sink, err = x.sampled(ctx, right, spec.RightKeys, spec.Partitions, begin)
	}
	if err == nil {
		err = x.pipeKeep(ctx, right, sink, "right side of "+joinStep(op, right.schema, op.RightKeys))
	}
	return a, errors.Join(err, right.close())
}

// asofSample samples the sides that can be read twice; nil if none can.
func (x *exec) asofSample(ctx context.Context, spec asof.Spec, left, right *rel) (*extsort.Sample, error) {
	var all *extsort.Sample
	for side, in := range []*rel{left, right} {
		if in == nil || in.reopen == nil {
			continue
		}
		one, err := x.keySample(ctx, in, [][]batch.SortKey{spec.LeftKeys, spec.RightKeys}[side])
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = one
		} else {
			all.Merge(one)
		}
	}
	return all, nil
}

// asofLeft takes the left side in, numbered where its order must be restored; it closes left.
func (x *exec) asofLeft(ctx context.Context, op *plan.Join, p *phys, left *rel, a *asof.Join) error {
	if p.keepsOrder() {
		left.reopen = nil
		left.add(newNumber(left.schema, 0), numbered(left.schema), "")
	}
	if err := x.pipeKeep(ctx, left, a.Left(), "left side of "+joinStep(op, p.in[0].node.Schema, op.LeftKeys)); err != nil {
		return err
	}
	if n := a.LeftRows(); op.MaxRows > 0 && n > op.MaxRows {
		return fmt.Errorf("%w: more than %d rows", hashjoin.ErrMaxRows, op.MaxRows)
	}
	return nil
}

func (x *exec) asofSpec(op *plan.Join, p *phys) asof.Spec {
	l, r := p.in[0].node.Schema, p.in[1].node.Schema
	spec := asof.Spec{
		Name: fmt.Sprintf("as-of join of %s with %s", p.node.Table, p.in[1].node.Table), Left: l, Right: r, Out: p.node.Schema,
		LeftKeys: plan.AsofKeys(op.LeftKeys), RightKeys: plan.AsofKeys(op.RightKeys), RightOut: op.RightOut,
		Direction: asofDirections[op.Asof.Direction], NullsEqual: op.NullsEqual,
		Within: op.Asof.Within, Ticks: op.Asof.Ticks, Real: op.Asof.Real,
		Workers: x.share.Workers, MaxLoad: x.share.Load / 2, BatchRows: x.share.rows(p.est), Acct: x.stores, Dir: x.dir,
	}
	if p.keepsOrder() {
		spec.Left = numbered(l)
		fields := append(append([]batch.Field(nil), spec.Left.Fields...), p.node.Schema.Fields[len(l.Fields):]...)
		spec.Out = batch.NewSchema(fields...)
	}
	for i, s := range []*batch.Schema{spec.Left, spec.Right} {
		keys, est := [][]batch.SortKey{spec.LeftKeys, spec.RightKeys}[i], p.in[i].est
		lay := extsort.Plan(s, keys, extsort.Estimate{Rows: est.Rows, Bytes: est.Bytes()}, x.share.Tails, x.share.Workers)
		spec.Partitions = max(spec.Partitions, lay.Partitions)
		if i == 0 || lay.BlockBytes < spec.BlockBytes {
			spec.BlockBytes = lay.BlockBytes
		}
	}
	spec.Partitions = min(spec.Partitions, x.share.asofRanges(p))
	if t := x.run.cfg.Tuning; t.Partitions > 0 {
		spec.Partitions = t.Partitions
	}
	return spec
}

// leastRanges is how many key ranges an as-of join has memory for at its floor.
const leastRanges = 4

// asofState returns the bytes that a worker holds for the rows at the ends of so many ranges of the right side.
func asofState(p *phys, ranges int) int64 {
	w := p.in[1].est.width()
	return asof.EdgeBytes(ranges, w.bytes) + asof.EdgeBytes(1, columnLeast*int64(w.columns))
}

// asofRanges returns into how many ranges the join at p may be cut: what lies at their ends takes at most a quarter of the tails, and
// no more than its part of what is fixed where that is more.
func (s Share) asofRanges(p *phys) int {
	room := s.Tails/4/int64(s.Workers) - asofState(p, 0)
	return int(min(max(room/asof.EdgeBytes(1, p.in[1].est.width().bytes), leastRanges), math.MaxUint16))
}
