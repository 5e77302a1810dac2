package engine

import (
	"context"
	"errors"
	"io"

	"pqjoin/batch"
	"pqjoin/groupby"
	"pqjoin/mem"
)

// groupTransform aggregates a table that is ordered by the keys, unit after unit: the open
// group at a unit's end is handed to the next unit.
type groupTransform struct {
	spec groupby.Spec
	ch   *chain[*groupby.OrderedState]
}

func newStreamGroup(spec groupby.Spec) *groupTransform {
	return &groupTransform{spec: spec, ch: newChain((*groupby.OrderedState).Release)}
}

func (g *groupTransform) finish(context.Context) error { return nil }
func (g *groupTransform) close()                       { g.ch.close() }

func (g *groupTransform) open(u unitRun, in batch.Stream) (batch.Stream, error) {
	spec := g.spec
	spec.Acct = u.acct
	o, err := groupby.NewOrdered(spec)
	if err != nil {
		return nil, err
	}
	return &groupStream{groupTransform: g, u: u, in: in, o: o}, nil
}

// emptyUnit gives a source without units an empty one: a group-by without keys puts its one row out in the last unit.
type emptyUnit struct{ batch.Source }

func (emptyUnit) Units() int { return 1 }

func (e emptyUnit) Open(context.Context, int, *mem.Account) (batch.Stream, error) { return e, nil }

func (emptyUnit) Next(context.Context) (*batch.Batch, error) { return nil, io.EOF }
func (emptyUnit) Close() error                               { return nil }

type groupStream struct {
	*groupTransform
	u     unitRun
	in    batch.Stream
	o     *groupby.Ordered
	ready []*batch.Batch
	begun bool
	ended bool
}

func (s *groupStream) Next(ctx context.Context) (*batch.Batch, error) {
	if !s.begun {
		s.begun = true
		st, err := s.ch.take(ctx, s.u.unit)
		if err != nil {
			return nil, err
		}
		if err := s.o.Begin(ctx, s.u.unit, st); err != nil {
			return nil, err
		}
	}
	for len(s.ready) == 0 && !s.ended {
		b, err := s.in.Next(ctx)
		if err == io.EOF {
			err = s.end(ctx)
		} else if err == nil {
			s.ready, err = s.o.Push(ctx, b)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(s.ready) == 0 {
		return nil, io.EOF
	}
	b := s.ready[0]
	s.ready = s.ready[1:]
	return b, nil
}

// end hands the open group on, or puts it out behind the last unit.
func (s *groupStream) end(ctx context.Context) error {
	s.ended = true
	st, err := s.o.End(ctx)
	if err != nil {
		return err
	}
	if !s.u.last() {
		s.ch.publish(s.u.unit, st)
		return nil
	}
	b, err := s.o.Last(ctx, st)
	if err == nil && b != nil {
		s.ready = append(s.ready, b)
	}
	return err
}

func (s *groupStream) Close() error {
	for _, b := range s.ready {
		b.Release()
	}
	s.ready = nil
	return errors.Join(s.o.Close(), s.in.Close())
}
