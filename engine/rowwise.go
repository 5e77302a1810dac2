package engine

import (
	"context"
	"errors"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
)

// project computes columns from expressions.
type project struct {
	stateless
	prog   *expr.Program
	schema *batch.Schema
	origin origin
}

func newProject(exprs []*expr.Bound, schema *batch.Schema, from origin) *project {
	return &project{prog: expr.Compile(exprs), schema: schema, origin: from}
}

// failedColumn returns the name of the column that a row error is about.
func failedColumn(err error, schema *batch.Schema) string {
	var re *expr.RowError
	if errors.As(err, &re) && re.Out < len(schema.Fields) {
		return schema.Fields[re.Out].Name
	}
	return ""
}

func (p *project) open(u unitRun, in batch.Stream) (batch.Stream, error) {
	return &projectStream{project: p, acct: u.acct, in: in}, nil
}

type projectStream struct {
	*project
	acct *mem.Account
	in   batch.Stream
}

func (s *projectStream) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := s.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	return s.apply(b)
}

func (s *projectStream) apply(b *batch.Batch) (*batch.Batch, error) {
	defer b.Release()
	cols, err := s.prog.Eval(s.acct, b)
	if err != nil {
		return nil, s.origin.explain(err, failedColumn(err, s.schema))
	}
	return &batch.Batch{Schema: s.schema, Cols: cols, N: b.N}, nil
}

func (s *projectStream) tail(ctx context.Context, k int) (*batch.Batch, bool, error) {
	b, ok, err := tailOf(ctx, s.in, k)
	if err != nil || !ok {
		return nil, false, err
	}
	out, err := s.apply(b)
	return out, err == nil, err
}

func (s *projectStream) Close() error { return s.in.Close() }

// filter keeps the rows for which a condition is true.
type filter struct {
	stateless
	prog   *expr.Program
	origin origin
}

func newFilter(cond *expr.Bound, from origin) *filter {
	return &filter{prog: expr.Compile([]*expr.Bound{cond}), origin: from}
}

func (f *filter) open(u unitRun, in batch.Stream) (batch.Stream, error) {
	return &filterStream{filter: f, acct: u.acct, in: in}, nil
}

type filterStream struct {
	*filter
	acct *mem.Account
	in   batch.Stream
}

func (s *filterStream) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := s.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer b.Release()
	out, err := s.prog.Filter(s.acct, b)
	return out, s.origin.explain(err, "")
}

func (s *filterStream) Close() error { return s.in.Close() }

// tap shows every batch to see, which must not keep it.
type tap struct {
	see func(ctx context.Context, u unitRun, b *batch.Batch) error
	end func(ctx context.Context) error // judges what was seen; may be nil
}

func (t *tap) finish(ctx context.Context) error {
	if t.end == nil {
		return nil
	}
	return t.end(ctx)
}

func (t *tap) close() {}

func (t *tap) open(u unitRun, in batch.Stream) (batch.Stream, error) {
	return &tapStream{tap: t, u: u, in: in}, nil
}

type tapStream struct {
	*tap
	u  unitRun
	in batch.Stream
}

func (s *tapStream) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := s.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.see(ctx, s.u, b); err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

func (s *tapStream) tail(ctx context.Context, k int) (*batch.Batch, bool, error) {
	return tailOf(ctx, s.in, k)
}

func (s *tapStream) Close() error { return s.in.Close() }
