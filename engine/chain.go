package engine

import (
	"context"
	"sync"
)

// chain hands a state from each unit to the next: what lets an operator that must see
// the table in order (lag, head, ordered group-by) run on units in parallel. Unit 0 starts
// from the zero state. A unit only ever waits for the one before it, and units
// are taken in ascending order, so the lowest unit at work never waits: no deadlock.
type chain[S any] struct {
	mu      sync.Mutex
	left    map[int]S             // states published and not yet taken, by the unit that left them
	waiting map[int]chan struct{} // closed when the unit's state is there
	release func(S)
}

func newChain[S any](release func(S)) *chain[S] {
	return &chain[S]{left: map[int]S{}, waiting: map[int]chan struct{}{}, release: release}
}

// publish leaves the state behind unit; it is called once a unit.
func (c *chain[S]) publish(unit int, s S) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left[unit] = s
	close(c.signal(unit))
}

func (c *chain[S]) signal(unit int) chan struct{} {
	ch, ok := c.waiting[unit]
	if !ok {
		ch = make(chan struct{})
		c.waiting[unit] = ch
	}
	return ch
}

// take returns the state that the unit before left, and waits for it.
func (c *chain[S]) take(ctx context.Context, unit int) (S, error) {
	var zero S
	if unit == 0 {
		return zero, nil
	}
	c.mu.Lock()
	ch := c.signal(unit - 1)
	c.mu.Unlock()
	defer observeWait(ctx, "state of the unit before").End()
	select {
	case <-ctx.Done():
		return zero, context.Cause(ctx)
	case <-ch:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.left[unit-1]
	delete(c.left, unit-1)
	delete(c.waiting, unit-1)
	return s, nil
}

// close releases the states that nobody took.
func (c *chain[S]) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for u, s := range c.left {
		c.release(s)
		delete(c.left, u)
	}
}
