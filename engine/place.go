package engine

import (
	"context"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/groupby"
	"pqjoin/hashjoin"
	"pqjoin/plan"
	"pqjoin/window"
)

// origin is where in the job expressions come from: "table result: compute", and the place of that verb. The zero origin is nowhere.
type origin struct {
	job  *plan.Job
	what string
	pos  plan.Pos
}

func (x *exec) originOf(n *plan.Node) origin {
	return origin{job: x.run.job, what: "table " + n.Table + ": " + n.Verb, pos: n.Pos}
}

// explain says where a row failed: in which table, verb and column, "" for none, and at which place of the job file.
func (o origin) explain(err error, column string) error {
	var re *expr.RowError
	if o.what == "" || !errors.As(err, &re) {
		return err
	}
	if column != "" && shownName(column) == column {
		err = fmt.Errorf("%s of column %q: %w", o.what, column, err)
	} else {
		err = fmt.Errorf("%s: %w", o.what, err)
	}
	pos := o.pos
	if re.At != (expr.Place{}) {
		pos = plan.Pos(re.At)
	}
	return o.job.Failed(pos, err)
}

// failed gives an error that a verb has for what its data holds the place of the verb; others, and those that have a place, stay as they are.
func (x *exec) failed(n *plan.Node, err error) error {
	var placed *plan.Error
	if err == nil || errors.As(err, &placed) {
		return err
	}
	for _, s := range []error{ErrCheck, hashjoin.ErrMaxRows, groupby.ErrOverflow, window.ErrOverflow} {
		if errors.Is(err, s) {
			return x.run.job.Failed(n.Pos, err)
		}
	}
	return err
}

// located gives what fails in the rows of an operator its place, while they are made and while they pass.
func (x *exec) located(r *rel, err error, n *plan.Node) (*rel, error) {
	if err != nil {
		return r, x.failed(n, err)
	}
	join, isJoin := n.Op.(*plan.Join)
	_, isGroup := n.Op.(*plan.GroupBy)
	_, isWindow := n.Op.(*plan.Window)
	if isGroup || isWindow || isJoin && join.MaxRows > 0 {
		r.add(&locating{failed: func(err error) error { return x.failed(n, err) }}, nil, "")
	}
	return r, nil
}

// locating is a transform that leaves rows as they are, and gives errors their place.
type locating struct {
	stateless
	failed func(error) error
}

func (l *locating) open(_ unitRun, in batch.Stream) (batch.Stream, error) {
	return &locatingStream{l, in}, nil
}

type locatingStream struct {
	*locating
	in batch.Stream
}

func (s *locatingStream) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := s.in.Next(ctx)
	return b, s.failed(err)
}

func (s *locatingStream) tail(ctx context.Context, k int) (*batch.Batch, bool, error) {
	b, ok, err := tailOf(ctx, s.in, k)
	return b, ok, s.failed(err)
}

func (s *locatingStream) Close() error { return s.in.Close() }

// failedJoin gives an error about a join's keys the place of the join.
func (r *Run) failedJoin(err error) error {
	var e *hashjoin.ValidateError
	var placed *plan.Error
	if !errors.As(err, &e) || errors.As(err, &placed) {
		return err
	}
	for _, n := range r.plan.Nodes {
		if _, ok := n.Op.(*plan.Join); ok && n.ID == e.ID {
			return r.job.Failed(n.Pos, err)
		}
	}
	return err
}
