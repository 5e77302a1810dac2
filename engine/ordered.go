package engine

import (
	"context"
	"sync"

	"pqjoin/batch"
)

// orderedSink puts the batches of units that are worked on in parallel back in sequence:
// out sees unit 0, then unit 1, and so on. The batches of a unit ahead of its turn wait,
// at most window bytes of them in all; then its worker waits. The unit whose turn it is
// never waits, so the run always moves on.
type orderedSink struct {
	out    func(ctx context.Context, b *batch.Batch) error // takes ownership
	finish func(ctx context.Context) error
	window int64

	mu      sync.Mutex
	moved   *sync.Cond
	head    int
	held    int64
	queues  map[int][]*batch.Batch
	ended   map[int]bool
	writing bool // somebody is inside out
}

func newOrderedSink(window int64, out func(context.Context, *batch.Batch) error, finish func(context.Context) error) *orderedSink {
	s := &orderedSink{out: out, finish: finish, window: window, queues: map[int][]*batch.Batch{}, ended: map[int]bool{}}
	s.moved = sync.NewCond(&s.mu)
	return s
}

func (s *orderedSink) Put(ctx context.Context, _, unit int, b *batch.Batch) error {
	stop := context.AfterFunc(ctx, func() { s.mu.Lock(); s.moved.Broadcast(); s.mu.Unlock() })
	defer stop()
	size := b.Bytes()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait(ctx, "window of the output", func() bool { return unit != s.head && s.held+size > s.window })
	if err := context.Cause(ctx); err != nil {
		b.Release()
		return err
	}
	s.queues[unit] = append(s.queues[unit], b)
	s.held += size
	return s.drain(ctx, unit)
}

func (s *orderedSink) EndUnit(ctx context.Context, _, unit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[unit] = true
	return s.drain(ctx, unit)
}

// wait waits while held back says so, with the lock held, until ctx ends; why names it in an execution trace.
func (s *orderedSink) wait(ctx context.Context, why string, heldBack func() bool) {
	if !heldBack() {
		return
	}
	defer observeWait(ctx, why).End()
	for heldBack() && ctx.Err() == nil {
		s.moved.Wait()
	}
}

// drain writes what is due, in order. It is called with the lock held, and lets go of it
// while out works; one worker writes at a time, and for the others the writer goes on
// with what they add. The worker of the head unit waits for its turn to write, so that
// it cannot run ahead of the output.
func (s *orderedSink) drain(ctx context.Context, unit int) error {
	s.wait(ctx, "turn to write", func() bool { return s.writing && unit == s.head })
	if s.writing {
		return context.Cause(ctx)
	}
	s.writing = true
	defer func() {
		s.writing = false
		s.moved.Broadcast()
	}()
	for {
		q := s.queues[s.head]
		if len(q) == 0 {
			if !s.ended[s.head] {
				return nil
			}
			delete(s.ended, s.head)
			delete(s.queues, s.head)
			s.head++
			s.moved.Broadcast()
			continue
		}
		b := q[0]
		s.queues[s.head] = q[1:]
		size := b.Bytes()
		s.held -= size
		if err := s.let(ctx, b); err != nil {
			return err
		}
		s.moved.Broadcast()
	}
}

// let passes b on with the lock released, and holds it again whatever out does.
func (s *orderedSink) let(ctx context.Context, b *batch.Batch) error {
	s.mu.Unlock()
	defer s.mu.Lock()
	return s.out(wholeOf(ctx), b) // b may be of another unit than the worker's
}

func (s *orderedSink) Finish(ctx context.Context) error { return s.finish(ctx) }

func (s *orderedSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for u, q := range s.queues {
		for _, b := range q {
			b.Release()
		}
		delete(s.queues, u)
	}
	return nil
}
