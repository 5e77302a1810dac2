package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/extsort"
)

// sampleUnits is how many units a table that can be read twice is sampled from, one batch each.
const sampleUnits = 16

// sampleBatch is how many rows such a batch has where there are as many units: eight of each that is kept. While it is read nobody
// else works, and the beginning of a unit tells little more about the whole by being longer.
const sampleBatch = 8 << 10

// sampled makes the sink of a range-partitioned table: it samples keys, cuts parts
// ranges, and calls mk with them. A table read from files is sampled beforehand, all
// over; another one from its first rows, which wait in memory meanwhile.
func (x *exec) sampled(ctx context.Context, in *rel, keys []batch.SortKey, parts int, mk func(*extsort.Splitters) (batch.Sink, error)) (batch.Sink, error) {
	sample, err := extsort.NewSample(nullableAt(in.schema, keys), keys)
	if err != nil {
		return nil, err
	}
	if in.reopen == nil {
		return &deferredSink{x: x, sample: sample, parts: parts, mk: mk, limit: x.share.Tails / 2}, nil
	}
	if in.columns != nil && len(in.xs) == 0 {
		sp, err := x.sampleKeys(ctx, in, keys, parts)
		if err != nil {
			return nil, err
		}
		return mk(sp)
	}
	if err := x.sampleFiles(ctx, in.name, in.reopen(), in.xs, sample); err != nil {
		return nil, err
	}
	return mk(sample.Splitters(parts))
}

// sampleKeys samples a table from which nothing but the keys need be read.
func (x *exec) sampleKeys(ctx context.Context, in *rel, keys []batch.SortKey, parts int) (*extsort.Splitters, error) {
	sample, err := x.keySample(ctx, in, keys)
	if err != nil {
		return nil, err
	}
	return sample.Splitters(parts).At(batch.KeyPositions(keys)), nil
}

// keySample is a sample of the keys of a table that can be read twice. Its splitters are to be told where the keys are.
func (x *exec) keySample(ctx context.Context, in *rel, keys []batch.SortKey) (*extsort.Sample, error) {
	if in.columns == nil || len(in.xs) > 0 {
		sample, err := extsort.NewSample(nullableAt(in.schema, keys), keys)
		if err != nil {
			return nil, err
		}
		return sample, x.sampleFiles(ctx, in.name, in.reopen(), in.xs, sample)
	}
	var cols []int // distinct, ascending
	for _, k := range keys {
		cols = append(cols, k.Column)
	}
	slices.Sort(cols)
	cols = slices.Compact(cols)
	alone := slices.Clone(keys)
	for i, k := range keys {
		alone[i].Column, _ = slices.BinarySearch(cols, k.Column)
	}
	sample, err := extsort.NewSample(nullableAt(in.schema.Select(cols), alone), alone)
	if err != nil {
		return nil, err
	}
	rows := batch.Rows
	if in.src.Units() >= sampleUnits {
		rows = sampleBatch
	}
	return sample, x.sampleFiles(ctx, in.name, in.columns(cols, rows), nil, sample)
}

func (x *exec) sampleFiles(ctx context.Context, name string, src batch.Source, xs []transform, sample *extsort.Sample) error {
	units := src.Units()
	step := max(1, units/sampleUnits)
	batches := max(1, sampleUnits/max(units, 1)) // few large units: more of each
	p := &pipeline{src: src, xs: xs, acct: x.batches, stage: x.quiet("sample " + name)}
	return observe(ctx, p.stage.Name(), func(ctx context.Context) error {
		for u := 0; u < units; u += step {
			if err := p.peek(ctx, u, units, batches, func(b *batch.Batch) error { return sample.Add(x.batches, b) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// peek shows the first batches of a unit, as they leave the transforms, to use.
func (p *pipeline) peek(ctx context.Context, unit, units, batches int, use func(*batch.Batch) error) error {
	st, err := p.open(ctx, unitRun{unit: unit, units: units, acct: p.acct})
	if err != nil {
		return err
	}
	return firstBatches(ctx, st, batches, use)
}

// deferredSink holds back the first rows of a table until they are a sample, then makes
// the real sink and passes everything on.
type deferredSink struct {
	x      *exec
	parts  int
	limit  int64 // bytes held back at most
	sample *extsort.Sample
	mk     func(*extsort.Splitters) (batch.Sink, error)

	real atomic.Pointer[batch.Sink]
	mu   sync.Mutex
	held []heldPut
	size int64

	failed error // of begin, which is tried once
}

// heldPut is a call of Put, or of EndUnit where b is nil.
type heldPut struct {
	worker, unit int
	b            *batch.Batch
}

func (s *deferredSink) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	if r := s.real.Load(); r != nil {
		return (*r).Put(ctx, worker, unit, b)
	}
	s.mu.Lock()
	if r := s.real.Load(); r != nil {
		s.mu.Unlock()
		return (*r).Put(ctx, worker, unit, b)
	}
	defer s.mu.Unlock()
	err := s.sample.Add(s.x.batches, b)
	s.held = append(s.held, heldPut{worker, unit, b})
	s.size += b.Bytes()
	if err != nil || s.size < s.limit {
		return err
	}
	return s.begin(ctx)
}

func (s *deferredSink) EndUnit(ctx context.Context, worker, unit int) error {
	s.mu.Lock()
	r := s.real.Load()
	if r == nil {
		s.held = append(s.held, heldPut{worker: worker, unit: unit})
	}
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	return (*r).EndUnit(ctx, worker, unit)
}

// begin makes the real sink and replays what was held back. The lock is held, so no
// worker overtakes its own rows.
func (s *deferredSink) begin(ctx context.Context) error {
	if s.failed != nil {
		return s.failed
	}
	real, err := s.mk(s.sample.Splitters(s.parts))
	if err != nil {
		s.failed = err
		return err
	}
	for len(s.held) > 0 {
		h := s.held[0]
		s.held = s.held[1:]
		if h.b == nil {
			err = real.EndUnit(ctx, h.worker, h.unit)
		} else {
			err = real.Put(ctx, h.worker, h.unit, h.b)
		}
		if err != nil {
			s.failed = errors.Join(err, real.Close())
			return s.failed
		}
	}
	s.real.Store(&real)
	return nil
}

func (s *deferredSink) Finish(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.real.Load() == nil {
		if err := s.begin(ctx); err != nil {
			return err
		}
	}
	return (*s.real.Load()).Finish(ctx)
}

func (s *deferredSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.held {
		h.b.Release()
	}
	s.held = nil
	if r := s.real.Load(); r != nil {
		return (*r).Close()
	}
	return nil
}

// nullableAt returns the schema with the key columns declared nullable, so that the ranges
// fit another table with the same keys too, whether or not it has nulls.
func nullableAt(s *batch.Schema, keys []batch.SortKey) *batch.Schema {
	out := batch.NewSchema(append([]batch.Field(nil), s.Fields...)...)
	for _, k := range keys {
		out.Fields[k.Column].Nullable = true
	}
	return out
}
