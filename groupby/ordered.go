package groupby

import (
	"context"

	"pqjoin/batch"
)

// OrderedState is the open group at a unit's end: its key and partial state.
type OrderedState struct {
	open *batch.Batch // one row of the state schema; nil where there is none
}

// Release drops the state without using it. Nil is fine.
func (s *OrderedState) Release() {
	if s != nil {
		s.open.Release()
		s.open = nil
	}
}

// Ordered aggregates rows that arrive in an order in which equal keys are neighbours, unit
// after unit. One Ordered works on one unit at a time: Begin, Push for each batch, End;
// the state that End returns goes to the Begin of the next unit, wherever that runs.
type Ordered struct {
	spec Spec
}

// NewOrdered returns a streaming aggregation; of the spec it needs the schemas, Keys, Aggs, DropNulls, BatchRows and Acct.
func NewOrdered(spec Spec) (*Ordered, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	return &Ordered{spec: spec.withDefaults()}, nil
}

// Begin starts a unit with the state of the one before it (nil for the first), which it takes over.
func (o *Ordered) Begin(ctx context.Context, unit int, s *OrderedState) error {
	s.Release()
	return nil
}

// Push takes ownership of b and returns the groups that it closed, in order.
func (o *Ordered) Push(ctx context.Context, b *batch.Batch) ([]*batch.Batch, error) {
	b.Release()
	return nil, nil
}

// End ends the unit: the open group's state, for the next one.
func (o *Ordered) End(ctx context.Context) (*OrderedState, error) { return &OrderedState{}, nil }

// Last returns the open group as a batch after the last unit, and takes over s. Without keys there is always one row.
func (o *Ordered) Last(ctx context.Context, s *OrderedState) (*batch.Batch, error) {
	s.Release()
	return nil, nil
}

// Close releases what is held. It may be called more than once.
func (o *Ordered) Close() error { return nil }
