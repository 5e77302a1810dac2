package engine

import (
	"context"
	"io"

	"pqjoin/batch"
)

// A machine computes over a table in order, in a state that is handed on from batch to
// batch and from unit to unit. The zero S is the beginning of the table.
type machine[S any] interface {
	// push takes over st and b (nil behind the last unit) and returns complete rows, perhaps
	// nil, and the next state. last says that nothing follows.
	push(ctx context.Context, u unitRun, st S, b *batch.Batch, last bool) (*batch.Batch, S, error)
	// after returns the state behind a unit from its last rows alone, where that is possible.
	after(u unitRun, tail *batch.Batch) (S, bool, error)
	// contexts is how many of a unit's last rows are tried with after, one size after the other, ascending; none means that it never helps.
	contexts() []int
	// done says that no further row can come out: the rest need not be read.
	done(st S) bool
	release(st S)
}

// passing is what a machine implements whose last rows of a unit can be had before the unit is computed.
type passing interface {
	// before is how many rows before a row, at most, the row is computed of, and lead how many behind it.
	before() int
	lead() int
}

// eager is what a machine implements that reads every unit whatever the state before it.
type eager interface{ eager() bool }

// seam is the transform that runs a machine over the units of a pipeline.
type seam[S any] struct {
	m   machine[S]
	ch  *chain[S]
	end func() error // called when the pipeline ends; may be nil
}

func newSeam[S any](m machine[S]) *seam[S] { return &seam[S]{m: m, ch: newChain(m.release)} }

func (s *seam[S]) close() { s.ch.close() }

func (s *seam[S]) finish(context.Context) error {
	if s.end == nil {
		return nil
	}
	return s.end()
}

func (s *seam[S]) open(u unitRun, in batch.Stream) (batch.Stream, error) {
	return &seamStream[S]{seam: s, u: u, in: in}, nil
}

type seamStream[S any] struct {
	*seam[S]
	u         unitRun
	in        batch.Stream
	st        S
	begun     bool
	published bool
	ended     bool
	ahead     *batch.Batch // the first batch, where it was read before the state came
}

// begin publishes the state behind this unit where its last rows alone tell it, then
// takes the state before it.
func (s *seamStream[S]) begin(ctx context.Context) error {
	s.begun = true
	err := s.early(ctx)
	if err != nil {
		return err
	}
	if e, ok := s.m.(eager); ok && e.eager() { // what makes the unit, a sort maybe, need not wait for the unit before
		if s.ahead, err = s.in.Next(ctx); err != nil && err != io.EOF {
			return err
		}
	}
	s.st, err = s.ch.take(ctx, s.u.unit)
	return err
}

// early publishes the state behind this unit, if its last rows alone tell it.
func (s *seamStream[S]) early(ctx context.Context) error {
	if s.u.last() {
		return nil
	}
	for _, k := range s.m.contexts() {
		tail, ok, err := tailOf(ctx, s.in, k)
		if err != nil || !ok {
			return err
		}
		whole := tail.N < k // more rows there are not
		st, ok, err := s.m.after(s.u, tail)
		tail.Release()
		if err != nil {
			return err
		}
		if ok {
			s.ch.publish(s.u.unit, st)
			s.published = true
			return nil
		}
		if whole {
			return nil
		}
	}
	return nil
}

// tail implements tailer: the last rows that the unit puts out are computed of its own last rows, without the state before
// it. What they cost is computed again in the rows' turn.
func (s *seamStream[S]) tail(ctx context.Context, k int) (*batch.Batch, bool, error) {
	m, ok := s.m.(passing)
	if !ok || s.begun || s.u.last() {
		return nil, false, nil
	}
	around := m.before() + m.lead()
	if around > k { // it would cost more than it saves
		return nil, false, nil
	}
	rows, ok, err := tailOf(ctx, s.in, k+around)
	if err != nil || !ok {
		return nil, false, err
	}
	var zero S
	out, st, err := s.m.push(ctx, s.u, zero, rows, false)
	s.m.release(st)
	if err != nil {
		return nil, false, err
	}
	if out == nil {
		return nil, false, nil
	}
	defer out.Release()
	from := max(m.before(), out.N-k) // rows further up look at some that are not here
	if from >= out.N {
		return nil, false, nil
	}
	last, err := out.Slice(s.u.acct, from, out.N)
	return last, err == nil, err
}

func (s *seamStream[S]) Next(ctx context.Context) (*batch.Batch, error) {
	if s.ended {
		return nil, io.EOF
	}
	if !s.begun {
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
	}
	for !s.m.done(s.st) {
		b, err := s.next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		out, err := s.step(ctx, b, false)
		if err != nil || out != nil {
			return out, err
		}
	}
	return s.finish(ctx)
}

// next returns the next batch of the unit: that which was read ahead, first.
func (s *seamStream[S]) next(ctx context.Context) (*batch.Batch, error) {
	if b := s.ahead; b != nil {
		s.ahead = nil
		return b, nil
	}
	return s.in.Next(ctx)
}

func (s *seamStream[S]) step(ctx context.Context, b *batch.Batch, last bool) (*batch.Batch, error) {
	var zero S
	st := s.st
	s.st = zero // push takes it over, failing or not
	out, next, err := s.m.push(ctx, s.u, st, b, last)
	s.st = next
	if err == nil && out != nil && out.N == 0 {
		out.Release()
		out = nil
	}
	return out, err
}

// finish hands the state on, or flushes it behind the last unit.
func (s *seamStream[S]) finish(ctx context.Context) (*batch.Batch, error) {
	s.ended = true
	if !s.u.last() {
		if !s.published {
			s.published = true
			var zero S
			st := s.st
			s.st = zero
			s.ch.publish(s.u.unit, st)
		}
		return nil, io.EOF
	}
	if s.m.done(s.st) {
		return nil, io.EOF
	}
	out, err := s.step(ctx, nil, true)
	if err == nil && out == nil {
		err = io.EOF
	}
	return out, err
}

func (s *seamStream[S]) Close() error {
	var zero S
	s.m.release(s.st)
	s.st = zero
	s.ahead.Release()
	s.ahead = nil
	return s.in.Close()
}
