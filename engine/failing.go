package engine

import (
	"context"
	"errors"
	"sync"
)

// failing decides which error a pipeline ends with: that of the first of its units that cannot be read, in the order of units, whatever the
// number of workers and however fast they are. The units before one that fails go on, those behind it are stopped. An error of the
// sink, which is of no unit in particular, stops them all.
type failing struct {
	whole context.Context // of the pipeline
	stop  context.CancelCauseFunc

	mu      sync.Mutex
	workers []atWork
	unit    int // the one that failed
	err     error
}

// atWork is the unit that a worker has, and what stops it there: it gets no other one then.
type atWork struct {
	unit int
	ctx  context.Context
	stop context.CancelCauseFunc
}

func newFailing(ctx context.Context, workers int) *failing {
	f := &failing{workers: make([]atWork, workers)}
	f.whole, f.stop = context.WithCancelCause(ctx)
	for i := range f.workers {
		w := &f.workers[i]
		w.ctx, w.stop = context.WithCancelCause(context.WithValue(f.whole, wholeKey{}, f.whole))
	}
	return f
}

// wholeKey finds the context of the pipeline in that of a worker.
type wholeKey struct{}

// wholeOf returns the context for work that a worker does for other units too: it goes on where the worker's own unit is stopped.
func wholeOf(ctx context.Context) context.Context {
	if whole, ok := ctx.Value(wholeKey{}).(context.Context); ok {
		return whole
	}
	return ctx
}

// begin returns the context of a worker's next unit, and whether it is to be begun: not where one before it has failed.
func (f *failing) begin(worker, unit int) (context.Context, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers[worker].unit = unit
	return f.workers[worker].ctx, f.err == nil
}

// fail takes the error of a unit; everywhere says that it stops all. What was only stopped is nobody's error where there is another.
func (f *failing) fail(unit int, err error, everywhere bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stopped := errors.Is(err, context.Canceled)
	if f.err == nil || !stopped && (unit < f.unit || errors.Is(f.err, context.Canceled)) {
		f.unit, f.err = unit, err
	}
	if everywhere {
		f.stop(err)
	}
	for i := range f.workers {
		if w := &f.workers[i]; w.unit > f.unit {
			w.stop(err)
		}
	}
}
