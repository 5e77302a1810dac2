package groupby

import (
	"context"

	"pqjoin/batch"
)

// Grouper aggregates the rows that are Put into it. It is a batch.Sink.
type Grouper struct {
	spec Spec
}

// New returns a Grouper. The error names what the spec has wrong.
func New(spec Spec) (*Grouper, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	return &Grouper{spec: spec.withDefaults()}, nil
}

// Put takes ownership of b.
func (g *Grouper) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	b.Release()
	return nil
}

// EndUnit does nothing: units matter to first and last alone, by their numbers.
func (g *Grouper) EndUnit(ctx context.Context, worker, unit int) error { return nil }

// Finish completes the input.
func (g *Grouper) Finish(ctx context.Context) error { return nil }

// Source returns the groups, after Finish.
func (g *Grouper) Source() batch.Source { return nil }

// Close releases what is held.
func (g *Grouper) Close() error { return nil }

// Stats says what an aggregation did.
type Stats struct {
	RowsIn   int64 // rows put in
	Groups   int64 // groups put out so far
	Flushes  int64 // tables that filled up and went to the store
	Bypassed int64 // rows that went to the store as they were
	Resplit  int64 // partitions that were cut again
	Spilled  int64 // bytes written to disk
}

// Stats returns counts so far.
func (g *Grouper) Stats() Stats { return Stats{} }

// Floor returns the least bytes with which the aggregation completes on any input.
func Floor(spec Spec) int64 { return 0 }

// Plan divides share bytes: the table of each worker, the store's blocks, the partitions.
func Plan(spec Spec, share int64) Layout { return Layout{} }
