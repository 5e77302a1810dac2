package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"pqjoin/batch"
	"pqjoin/internal/parallel"
	"pqjoin/mem"
	"pqjoin/monitor"
)

// A transform is fused into a pipeline: it wraps the stream of each unit.
type transform interface {
	open(u unitRun, in batch.Stream) (batch.Stream, error)
	// finish judges what has passed, once every unit has: it is not called after an error.
	finish(ctx context.Context) error
	// close releases what is held, whatever happened.
	close()
}

// stateless is the part of a transform that keeps nothing between batches.
type stateless struct{}

func (stateless) finish(context.Context) error { return nil }
func (stateless) close()                       {}

// unitRun is one unit's passage through a pipeline.
type unitRun struct {
	worker, unit int
	units        int // units of the source
	acct         *mem.Account
}

func (u unitRun) last() bool { return u.unit == u.units-1 }

// pipeline moves a source's units through transforms into a sink, workers at a time.
type pipeline struct {
	src     batch.Source
	xs      []transform
	sink    batch.Sink
	workers int
	acct    *mem.Account // batches on their way
	stage   *monitor.Stage
	log     *slog.Logger
	expect  int64 // rows that the source holds, where counted says that it is known and all are read
	counted bool

	mu   sync.Mutex
	next int // the unit that is opened next
}

// run runs the pipeline to its end and finishes the sink. It closes the transforms, not the source and the sink.
func (p *pipeline) run(ctx context.Context) error { return observe(ctx, p.stage.Name(), p.move) }

func (p *pipeline) move(ctx context.Context) (err error) {
	p.stage.Begin()
	defer func() { p.stage.End(err == nil) }()
	defer func() { logPanic(p.log, err) }()
	defer parallel.Contain(&err)
	defer func() {
		for _, x := range p.xs {
			x.close()
		}
	}()
	if err := p.all(ctx); err != nil {
		return err
	}
	for _, x := range p.xs {
		err = errors.Join(err, x.finish(ctx))
	}
	if err != nil {
		return err
	}
	if in, _ := p.stage.Rows(); p.counted && in != p.expect {
		return fmt.Errorf("self-check: %d rows were stored and %d came back", p.expect, in)
	}
	return p.sink.Finish(ctx)
}

// all moves all units through. The error is that of the first unit, in their order, that has one.
func (p *pipeline) all(ctx context.Context) error {
	units := p.src.Units()
	f := newFailing(ctx, min(p.workers, max(units, 1)))
	defer f.stop(nil)
	var workers sync.WaitGroup
	for w := range f.workers {
		workers.Go(func() {
			for p.unit(f, w, units) {
			}
		})
	}
	workers.Wait()
	return f.err
}

// contain turns a panic, which is our own bug, into an error, so that the run still cleans up after itself.
func contain(log *slog.Logger, err *error) {
	if r := recover(); r != nil {
		*err = parallel.Recovered(r)
		logPanic(log, *err)
	}
}

// logPanic logs where a panic was raised that has become an error.
func logPanic(log *slog.Logger, err error) {
	if p := (*parallel.Panic)(nil); errors.As(err, &p) {
		log.Debug("panic", "value", p.Value, "stack", string(p.Stack))
	}
}

// unit moves the next unit through, and says whether there may be more of them. Units are opened in ascending order: transforms rely on it to
// know what no later unit comes back to.
func (p *pipeline) unit(f *failing, worker, units int) bool {
	p.mu.Lock()
	unit := p.next
	ctx, ok := f.begin(worker, unit)
	if p.next == units || !ok {
		p.mu.Unlock()
		return false
	}
	p.next++
	st, err := p.opened(ctx, unitRun{worker: worker, unit: unit, units: units, acct: p.acct})
	p.mu.Unlock()
	everywhere := false
	if err == nil {
		everywhere, err = p.through(ctx, st, worker, unit)
	}
	if err != nil {
		f.fail(unit, err, everywhere)
	}
	return err == nil
}

// through moves a unit's rows into the sink. A panic on the way is our own bug and becomes an error,
// so that the run still cleans up after itself. everywhere says that the error is the sink's.
func (p *pipeline) through(ctx context.Context, st batch.Stream, worker, unit int) (everywhere bool, err error) {
	defer parallel.Contain(&err)
	defer func() { err = errors.Join(err, st.Close()) }()
	defer observeUnit(ctx, worker, unit).End()
	for {
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		b, err := st.Next(ctx)
		if err == io.EOF {
			err = p.sink.EndUnit(ctx, worker, unit)
			return err != nil && ctx.Err() == nil, err
		}
		if err != nil {
			return false, err
		}
		if b.N == 0 {
			b.Release()
			continue
		}
		p.stage.Out(int64(b.N))
		if err := p.sink.Put(ctx, worker, unit, b); err != nil {
			return ctx.Err() == nil, err // what was stopped is not the sink's
		}
	}
}

// opened is open, and an error where it panics.
func (p *pipeline) opened(ctx context.Context, u unitRun) (st batch.Stream, err error) {
	defer parallel.Contain(&err)
	return p.open(ctx, u)
}

func (p *pipeline) open(ctx context.Context, u unitRun) (batch.Stream, error) {
	var st batch.Stream = &lazyStream{open: func(ctx context.Context) (batch.Stream, error) {
		return p.src.Open(ctx, u.unit, u.acct)
	}, stage: p.stage}
	for _, x := range p.xs {
		next, err := x.open(u, st)
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		st = next
	}
	return st, nil
}

// lazyStream opens a unit on first use, so that a unit nobody reads (behind head) costs
// nothing, and counts what is read.
type lazyStream struct {
	open  func(ctx context.Context) (batch.Stream, error)
	in    batch.Stream
	stage *monitor.Stage
	done  bool
}

func (s *lazyStream) ready(ctx context.Context) error {
	if s.in != nil || s.done {
		return nil
	}
	in, err := s.open(ctx)
	if err != nil {
		s.done = true
		return err
	}
	s.in = in
	return nil
}

func (s *lazyStream) Next(ctx context.Context) (*batch.Batch, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if s.done {
		return nil, io.EOF
	}
	b, err := s.in.Next(ctx)
	if err == nil {
		s.stage.In(int64(b.N), b.Bytes())
	}
	return b, err
}

func (s *lazyStream) tail(ctx context.Context, k int) (*batch.Batch, bool, error) {
	if err := s.ready(ctx); err != nil {
		return nil, false, err
	}
	return tailOf(ctx, s.in, k)
}

func (s *lazyStream) Close() error {
	s.done = true
	if s.in == nil {
		return nil
	}
	return s.in.Close()
}

// tailer is what a stream inside a pipeline implements when it can give its last rows
// early; ok is false where it cannot after all.
type tailer interface {
	tail(ctx context.Context, k int) (b *batch.Batch, ok bool, err error)
}

func tailOf(ctx context.Context, in batch.Stream, k int) (*batch.Batch, bool, error) {
	switch t := in.(type) {
	case tailer:
		return t.tail(ctx, k)
	case batch.Tailer:
		b, err := t.Tail(k)
		return b, err == nil, err
	}
	return nil, false, nil
}
