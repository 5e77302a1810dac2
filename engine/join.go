package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/hashjoin"
	"pqjoin/plan"
	"pqjoin/spillfile"
)

// join makes the right side first, then fuses the probe into the left's pipeline, or cuts
// both sides by hash.
func (x *exec) join(ctx context.Context, op *plan.Join, p *phys) (*rel, error) {
	if p.swap != nil {
		return x.joinSwapped(ctx, op, p)
	}
	right, err := x.table(ctx, p.in[1])
	if err != nil {
		return nil, err
	}
	if p.strategy == joinRange {
		return x.rangeJoin(ctx, op, p, right)
	}
	spec, err := x.joinSpec(op, p)
	if err != nil {
		return nil, errors.Join(err, right.close())
	}
	if op.Kind.KeepsRight() && p.keepsOrder() {
		right.reopen = nil
		right.add(newNumber(right.schema, rightRows), numbered(right.schema), "")
		spec.Right, spec.RightCarry = right.schema, []int{len(spec.Right.Fields)}
	}
	r, err := hashjoin.NewRight(spec)
	if err == nil {
		err = x.pipeKeep(ctx, right, r, "right side of "+joinStep(op, right.schema, op.RightKeys))
	}
	if err = errors.Join(err, right.close()); err != nil {
		return nil, err
	}
	out, err := x.probe(ctx, op, p, r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	out.closers = append(out.closers, r.Close)
	return out, nil
}

// probe chooses by the measured size of the right side: one shared table where it fits, partitions else.
func (x *exec) probe(ctx context.Context, op *plan.Join, p *phys, r *hashjoin.Right) (*rel, error) {
	if op.Strategy == "hash" || op.Kind.KeepsRight() || x.run.cfg.Tuning.Resident < 0 {
		return x.hashJoin(ctx, op, p, r)
	}
	table, err := r.Resident(ctx)
	if errors.Is(err, hashjoin.ErrTooBig) {
		if p.strategy == joinBroadcast {
			x.note("%s: the right side outgrew its share of memory, so both sides were partitioned", joinStep(op, p.in[1].node.Schema, op.RightKeys))
		}
		return x.hashJoin(ctx, op, p, r)
	}
	if err != nil {
		return nil, err
	}
	left, err := x.table(ctx, p.in[0])
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	left.reopen = nil
	left.closers = append(left.closers, table.Close)
	step := joinStep(op, left.schema, op.LeftKeys)
	return left.add(&wrap{fn: func(u unitRun, in batch.Stream) batch.Stream { return table.Probe(in, u.acct) }}, p.node.Schema, step), nil
}

// validates says whether a partitioned join finds out only row by row that its keys are as the job says.
func validates(op *plan.Join) bool { return op.Validate != "" && op.Validate != "m:m" }

func (x *exec) note(format string, args ...any) {
	if b := x.run.cfg.Board; b != nil {
		b.Note(x.run.job.Redact(fmt.Sprintf(format, args...)))
	}
}

func (x *exec) joinSpec(op *plan.Join, p *phys) (hashjoin.Spec, error) {
	v, err := hashjoin.ParseValidate(op.Validate)
	if err != nil {
		return hashjoin.Spec{}, err
	}
	l, r := p.in[0].node.Schema, p.in[1].node.Schema
	spec := hashjoin.Spec{
		Name: fmt.Sprintf("join of %s with %s", p.node.Table, p.in[1].node.Table), ID: p.node.ID,
		Kind: joinKinds[op.Kind], Left: l, Right: r,
		LeftKeys: op.LeftKeys, RightKeys: op.RightKeys, RightOut: op.RightOut, Out: p.node.Schema,
		NullsEqual: op.NullsEqual, Validate: v, MaxRows: op.MaxRows, BatchRows: x.share.rows(p.est), Workers: x.share.Workers,
		Partitions: x.partitions(p.in[1].est, r), PartBytes: x.share.JoinLoad, ResidentBytes: x.share.Resident / max(1, int64(x.run.joins())),
		Acct: x.tables, Stores: x.newStore, RightRows: p.in[1].est.Rows,
	}
	return spec, nil
}

var joinKinds = [...]hashjoin.Kind{
	plan.LeftJoin: hashjoin.Left, plan.InnerJoin: hashjoin.Inner, plan.RightJoin: hashjoin.RightOuter, plan.OuterJoin: hashjoin.FullOuter,
	plan.SemiJoin: hashjoin.Semi, plan.AntiJoin: hashjoin.Anti,
}

// partitions is how many partitions a table is cut into so that one fits a worker's load with room to spare.
func (x *exec) partitions(est Estimate, schema *batch.Schema) int {
	if n := x.run.cfg.Tuning.Partitions; n > 0 {
		return n
	}
	size := hashjoin.TableBytes(est.Rows, est.Bytes())
	want := (size+size/2)/max(x.share.JoinLoad, 1) + 1
	most := x.share.Tails / int64(x.share.Workers) / max(8<<10, int64(16*schema.RowWidth(unknownText)))
	return int(max(1, min(want, most, 512)))
}

// blockBytes is the size of an open block of a store with so many partitions.
func (x *exec) blockBytes(schema *batch.Schema, partitions int) int {
	each := x.share.Tails / int64(x.share.Workers) / int64(max(partitions, 1))
	least := max(8<<10, int64(16*schema.RowWidth(unknownText)))
	return int(max(min(each, 256<<10), least)) &^ 4095
}

// newStore is the store factory of joins.
func (x *exec) newStore(name string, schema *batch.Schema, partitions, workers int) (hashjoin.Store, error) {
	return spillfile.New(spillfile.Spec{
		Name: name, Schema: schema, Partitions: partitions, Workers: workers,
		BlockBytes: x.blockBytes(schema, partitions), Acct: x.stores, Dir: x.dir,
	})
}

// hashJoin scatters the left side too and joins partition by partition.
func (x *exec) hashJoin(ctx context.Context, op *plan.Join, p *phys, r *hashjoin.Right) (*rel, error) {
	if p.keepsOrder() {
		r.Carry(rowNumberField)
	}
	h, err := hashjoin.NewHash(r)
	if err != nil {
		return nil, err
	}
	left, err := x.table(ctx, p.in[0])
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if p.keepsOrder() {
		left.reopen = nil
		left.add(newNumber(left.schema, 0), numbered(left.schema), "")
	}
	err = x.pipeKeep(ctx, left, h, "left side of "+joinStep(op, left.schema, op.LeftKeys))
	name := left.name
	if err = errors.Join(err, left.close()); err != nil {
		return nil, err
	}
	out := &rel{src: h, schema: h.Schema(), name: name + " joined", closers: []func() error{h.Close}, watched: validates(op)}
	if !p.keepsOrder() {
		return out, nil
	}
	return x.restoreOrder(ctx, out, op, p)
}

// restoreOrder sorts the result of a hash join by the left's row number and drops it. Right rows without a match have higher ones.
func (x *exec) restoreOrder(ctx context.Context, in *rel, op *plan.Join, p *phys) (*rel, error) {
	left := p.in[0].node.Schema
	at := len(left.Fields)
	est := p.est
	est.Cols = append(append([]ColumnEstimate(nil), est.Cols...), ColumnEstimate{Width: 8})
	sorted, err := x.sort(ctx, in, restoring(op, left), est, "restore the left's order")
	if err != nil {
		return nil, err
	}
	return sorted.add(dropColumn(at, p.node.Schema), p.node.Schema, ""), nil
}

// restoring returns the keys by which a join's result is in the order of its left, whose schema is given.
func restoring(op *plan.Join, left *batch.Schema) []batch.SortKey {
	return append(slices.Clone(op.Order), batch.SortKey{Column: len(left.Fields)})
}

// rangeJoin cuts the right side by ranges of the key; left units, which come in the order of
// the key, walk over them.
func (x *exec) rangeJoin(ctx context.Context, op *plan.Join, p *phys, right *rel) (*rel, error) {
	spec, err := x.joinSpec(op, p)
	if err != nil {
		return nil, errors.Join(err, right.close())
	}
	order := leadingKeys(p.in[0].node.Index, op)
	spec.LeftKeys, spec.RightKeys = order.left, order.right
	var rj *hashjoin.Range
	sink, err := x.sampled(ctx, right, order.rightSort, spec.Partitions, func(sp *extsort.Splitters) (batch.Sink, error) {
		var err error
		spec.Partitions = sp.Count()
		rj, err = hashjoin.NewRange(hashjoin.RangeSpec{Spec: spec, RightParts: sp, LeftParts: sp.At(order.left), Order: order.leftSort})
		return rj, err
	})
	if err == nil {
		err = x.pipeKeep(ctx, right, sink, "right side of "+joinStep(op, right.schema, op.RightKeys))
	}
	if err = errors.Join(err, right.close()); err != nil {
		return nil, err
	}
	left, err := x.table(ctx, p.in[0])
	if err != nil {
		return nil, errors.Join(err, rj.Close())
	}
	left.reopen = nil
	left.closers = append(left.closers, rj.Close)
	left.watched = left.watched || validates(op)
	step := joinStep(op, left.schema, op.LeftKeys)
	units := left.src.Units()
	return left.add(&wrap{
		fn:   func(u unitRun, in batch.Stream) batch.Stream { return rj.Probe(u.unit, in, u.acct) },
		done: func() error { return rj.Done(units) },
	}, p.node.Schema, step), nil
}

// keyOrder is a join's keys in the order in which the left's index has them.
type keyOrder struct {
	left, right         []int
	leftSort, rightSort []batch.SortKey
}

func leadingKeys(index []batch.SortKey, op *plan.Join) keyOrder {
	var o keyOrder
	for _, k := range index[:len(op.LeftKeys)] {
		for i, c := range op.LeftKeys {
			if c != k.Column {
				continue
			}
			r := k
			r.Column = op.RightKeys[i]
			o.left, o.right = append(o.left, c), append(o.right, op.RightKeys[i])
			o.leftSort, o.rightSort = append(o.leftSort, k), append(o.rightSort, r)
		}
	}
	return o
}

// keepsOrder says whether a partitioned join must restore the left's order.
func (p *phys) keepsOrder() bool { return p.rowNumber }

// wrap is a transform made of a function over streams.
type wrap struct {
	fn   func(u unitRun, in batch.Stream) batch.Stream
	done func() error // may be nil
}

func (w *wrap) open(u unitRun, in batch.Stream) (batch.Stream, error) { return w.fn(u, in), nil }

func (w *wrap) finish(context.Context) error {
	if w.done == nil {
		return nil
	}
	return w.done()
}

func (w *wrap) close() {}
