// Package extsort sorts tables of any size stably in bounded memory: range
// partitioning, then a radix sort of one partition at a time.
//
//	Put ──► Splitters.Assign ──► partition store ──► Finish: cut what is too large
//	                                                   │
//	                 Source: unit 0, unit 1, ...  ◄────┘  load, sort a permutation, gather
//
// Invariants:
//
//   - Rows with equal keys lie in one partition, and a partition is read in the order
//     of (unit, row): so the whole is stable, whatever the workers do.
//   - A partition that does not fit Spec.MaxLoad is cut again by splitters from its own
//     keys; one that a single key owns is streamed as it lies, for it has nothing to sort.
//     Adversarial keys cost passes, never memory.
//   - The order of the rows never depends on splitters, workers or memory.
package extsort

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// Spec describes a sort.
type Spec struct {
	Name       string // the stage, in errors
	Schema     *batch.Schema
	Keys       []batch.SortKey // positions in Schema
	Workers    int             // workers that Put
	Partitions int             // the most that a partition is cut into again, at least 8
	BlockBytes int             // of the partition store
	MaxLoad    int64           // bytes that one opened unit may take, loaded and being sorted
	BatchRows  int             // most rows of a batch put out; 0: batch.Rows
	Acct       *mem.Account    // pays for scattering and for cutting
	Dir        *spillfile.Dir
	// Keep is the stage that the partitions are to be for later runs, before any is cut again; nil: none.
	Keep *spillfile.Stage
	// Verified is told by Restore, as by spillfile's; may be nil.
	Verified func(rows, bytes, of int64)
}

// ErrUnsplittable says that rows of different keys could not be told apart within the
// bounded number of passes.
var ErrUnsplittable = errors.New("partition cannot be made smaller")

// Stats is what a sort did so far.
type Stats struct {
	Rows       int64
	Partitions int   // made by the splitters
	Units      int   // of Source; more than Partitions where some were cut again
	Cut        int   // partitions that were cut again
	Spilled    int64 // bytes written to disk, those of cutting again included
}

// Sorter takes a table in as a batch.Sink and, after Finish, gives it sorted.
type Sorter struct {
	spec   Spec
	split  *Splitters
	store  *spillfile.Store
	assign [][]uint16 // by worker

	leaves  [][]leaf // by partition; nil before Finish
	eager   *cutter  // of what Finish cut
	cut     atomic.Int64
	spilled atomic.Int64 // by stores that are closed
}

// New returns a sort of spec by the splitters, which must have been made for the same keys.
func New(spec Spec, split *Splitters) (*Sorter, error) {
	if spec.MaxLoad <= 0 || spec.Workers <= 0 {
		return nil, fmt.Errorf("%s: a sort needs workers and a load limit", spec.Name)
	}
	if spec.BatchRows <= 0 {
		spec.BatchRows = batch.Rows
	}
	spec.Partitions = max(spec.Partitions, minFan)
	s := &Sorter{spec: spec, split: split, assign: make([][]uint16, spec.Workers)}
	store := s.storeSpec(spec.Acct, split.Count(), spec.Workers)
	store.Keep = spec.Keep
	var err error
	s.store, err = spillfile.New(store)
	return s, err
}

// Restore returns the finished sort whose partitions an earlier run kept as spec.Keep, and what was noted of it. Nothing is
// put into it. It cuts what is too large for this run's MaxLoad. Errors are those of spillfile.Restore, and of cutting.
func Restore(ctx context.Context, spec Spec) (*Sorter, []byte, error) {
	if spec.BatchRows <= 0 {
		spec.BatchRows = batch.Rows
	}
	spec.Partitions = max(spec.Partitions, minFan)
	s := &Sorter{spec: spec}
	store := s.storeSpec(spec.Acct, 0, spec.Workers)
	store.Keep, store.Verified = spec.Keep, spec.Verified
	var note []byte
	var err error
	if s.store, note, err = spillfile.Restore(ctx, store); err != nil {
		return nil, nil, err
	}
	// Which partitions are one key's shows where one has to be cut.
	if err := s.cutAll(ctx, func(int) bool { return false }); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, note, nil
}

func (s *Sorter) storeSpec(acct *mem.Account, partitions, workers int) spillfile.Spec {
	return spillfile.Spec{
		Name: s.spec.Name, Schema: s.spec.Schema, Partitions: partitions, Workers: workers,
		BlockBytes: s.spec.BlockBytes, Acct: acct, Dir: s.spec.Dir, Codes: true,
	}
}

// Put scatters b; it implements batch.Sink.
func (s *Sorter) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	if b.N == 0 {
		b.Release()
		return nil
	}
	part, err := s.assigned(worker, b)
	if err != nil {
		b.Release()
		return s.named(err)
	}
	return s.store.Append(ctx, worker, unit, part, b)
}

// PutAt is Put of rows whose ranges, as the splitters have them, are known.
func (s *Sorter) PutAt(ctx context.Context, worker, unit int, part []uint16, b *batch.Batch) error {
	return s.store.Append(ctx, worker, unit, part, b)
}

// named adds the sort's name, which the errors of its store have already.
func (s *Sorter) named(err error) error {
	if strings.HasPrefix(err.Error(), s.spec.Name+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", s.spec.Name, err)
}

func (s *Sorter) assigned(worker int, b *batch.Batch) ([]uint16, error) {
	if cap(s.assign[worker]) < b.N {
		s.assign[worker] = make([]uint16, max(b.N, s.spec.BatchRows))
	}
	part := s.assign[worker][:b.N]
	return part, s.split.Assign(s.spec.Acct, b, part)
}

// EndUnit implements batch.Sink.
func (s *Sorter) EndUnit(context.Context, int, int) error { return nil }

// Finish completes the scattering and cuts partitions that are too large to load.
func (s *Sorter) Finish(ctx context.Context) error {
	s.assign = nil
	if err := s.store.Seal(ctx); err != nil {
		return err
	}
	return s.cutAll(ctx, s.split.Single)
}

// cutAll makes the leaves of all partitions; single says which hold one key at most.
func (s *Sorter) cutAll(ctx context.Context, single func(p int) bool) error {
	leaves := make([][]leaf, s.store.Partitions())
	s.eager = &cutter{s: s, acct: s.spec.Acct, most: eagerStores}
	for p := range leaves {
		l := s.leafOf(s.store, p, single(p), 0)
		var err error
		if leaves[p], err = s.eager.cutLeaf(ctx, l); err != nil {
			return s.named(err)
		}
	}
	s.leaves = leaves
	return nil
}

// Name returns the stage's name, and Schema the columns.
func (s *Sorter) Name() string          { return s.spec.Name }
func (s *Sorter) Schema() *batch.Schema { return s.spec.Schema }

// Stats returns what happened so far.
func (s *Sorter) Stats() Stats {
	st := s.store.Stats()
	out := Stats{Rows: st.RowsIn, Partitions: s.store.Partitions(), Cut: int(s.cut.Load()), Spilled: st.Spilled + s.spilled.Load()}
	if s.eager != nil {
		out.Spilled += s.eager.spilled()
	}
	for _, l := range s.leaves {
		out.Units += len(l)
	}
	return out
}

// Close implements batch.Sink: it drops the partitions that are left. Streams must be closed before.
func (s *Sorter) Close() error {
	err := s.store.Close()
	if s.eager != nil {
		err = errors.Join(err, s.eager.close())
	}
	return err
}
