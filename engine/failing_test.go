package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/monitor"
)

// gates is a source of units that end as they are told, each once the gates before it are open.
type gates struct {
	ends  []error         // of each unit
	after []int           // of each unit, which unit ends before it; -1: none
	done  []chan struct{} // closed when the unit has ended
}

func newGates(ends []error, after []int) *gates {
	g := &gates{ends: ends, after: after}
	for range ends {
		g.done = append(g.done, make(chan struct{}))
	}
	return g
}

func (g *gates) Schema() *batch.Schema { return batch.NewSchema() }
func (g *gates) Units() int            { return len(g.ends) }
func (g *gates) Open(_ context.Context, unit int, _ *mem.Account) (batch.Stream, error) {
	return &gate{g, unit}, nil
}

type gate struct {
	*gates
	unit int
}

func (g *gate) Next(ctx context.Context) (*batch.Batch, error) {
	if before := g.after[g.unit]; before >= 0 {
		select {
		case <-g.done[before]:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return nil, g.ends[g.unit]
}

func (g *gate) Close() error {
	close(g.done[g.unit])
	return nil
}

// counting is a sink that counts the units that ended, and fails at one of them.
type counting struct {
	mu    sync.Mutex
	ended int
	bad   int
	err   error
}

func (s *counting) Put(context.Context, int, int, *batch.Batch) error { return nil }
func (s *counting) Finish(context.Context) error                      { return nil }
func (s *counting) Close() error                                      { return nil }
func (s *counting) EndUnit(_ context.Context, _, unit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended++; s.err != nil && unit == s.bad {
		return s.err
	}
	return nil
}

func runGates(ctx context.Context, src batch.Source, sink batch.Sink, workers int) error {
	stage := monitor.NewBoard(0, zeroTime).Plan("test", 0)
	p := &pipeline{src: src, sink: sink, workers: workers, stage: stage, log: slog.New(slog.DiscardHandler)}
	return p.run(ctx)
}

// Of several units that cannot be read, the first one's error is told, also where it comes last.
func TestTheFirstUnitsErrorIsTold(t *testing.T) {
	bad := func(unit int) error { return fmt.Errorf("unit %d is bad", unit) }
	for _, c := range []struct {
		ends  []error
		after []int
		want  string
	}{
		{[]error{bad(0), bad(1)}, []int{1, -1}, "unit 0 is bad"},
		{[]error{io.EOF, bad(1), bad(2), bad(3)}, []int{3, 2, 3, -1}, "unit 1 is bad"},
		{[]error{io.EOF, io.EOF, bad(2), io.EOF, bad(4)}, []int{-1, -1, -1, -1, -1}, "unit 2 is bad"},
		{[]error{io.EOF, io.EOF, io.EOF, bad(3)}, []int{3, 3, 3, -1}, "unit 3 is bad"},
	} {
		for range 20 {
			sink := &counting{}
			err := runGates(t.Context(), newGates(c.ends, c.after), sink, len(c.ends))
			if err == nil || err.Error() != c.want {
				t.Errorf("%v: %v", c.ends, err)
			}
			first := 0
			for c.ends[first] == io.EOF {
				first++
			}
			if sink.ended < first {
				t.Errorf("%v: of the %d units before the bad one %d came to their end", c.ends, first, sink.ended)
			}
		}
	}
}

// An error of the sink, and the end of the run, stop all units, those before it too.
func TestTheSinksErrorStopsAllUnits(t *testing.T) {
	full := errors.New("the disk is full")
	forever := []int{1, -1} // unit 0 waits for the end of unit 1, which comes with its error
	if err := runGates(t.Context(), newGates([]error{io.EOF, io.EOF}, forever), &counting{bad: 1, err: full}, 2); err == nil || !strings.Contains(err.Error(), full.Error()) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped")
	cancel(stop)
	if err := runGates(ctx, newGates([]error{io.EOF, io.EOF}, []int{-1, 0}), &counting{}, 2); !errors.Is(err, stop) {
		t.Error(err)
	}
}

// What a worker does for others goes on where its own unit is stopped; and to have been stopped is no error beside a real one.
func TestUnitsBehindTheOneThatFailedAreStopped(t *testing.T) {
	f := newFailing(t.Context(), 2)
	low, ok0 := f.begin(0, 0)
	high, ok1 := f.begin(1, 5)
	bad, worse := errors.New("bad"), errors.New("worse")
	f.fail(3, bad, false)
	if _, more := f.begin(0, 0); !ok0 || !ok1 || more {
		t.Error(ok0, ok1, more)
	}
	if low.Err() != nil || !errors.Is(context.Cause(high), bad) || wholeOf(high).Err() != nil || wholeOf(t.Context()) != t.Context() {
		t.Error(low.Err(), context.Cause(high), wholeOf(high).Err())
	}
	if f.fail(1, fmt.Errorf("the writer: %w", context.Canceled), false); f.err != bad {
		t.Error(f.err)
	}
	if f.fail(2, worse, true); f.err != worse || !errors.Is(context.Cause(wholeOf(low)), worse) || low.Err() == nil {
		t.Error(f.err, context.Cause(wholeOf(low)))
	}
}

// ending is a sink that panics when it is finished.
type ending struct{ counting }

func (*ending) Finish(context.Context) error { panic("broken:\nall of it") }

// A panic where a sink finishes is an error of one line in whatever runs a pipeline, and the log has the stack.
func TestAPanicWhereASinkFinishesIsAnError(t *testing.T) {
	var log strings.Builder
	stage := monitor.NewBoard(0, zeroTime).Plan("test", 0)
	p := &pipeline{src: newGates(nil, nil), sink: &ending{}, workers: 2, stage: stage,
		log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	err := p.run(t.Context())
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "broken: all of it") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), "failing_test.go") {
		t.Errorf("the log has no stack: %s", log.String())
	}
}
