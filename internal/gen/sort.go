package gen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/spillfile"
)

const (
	sortShare   = 256 << 20 // memory of the sort where the account has no limit
	leastShare  = 8 << 20   // below it a sort is refused
	samplePlace = 256       // runs of rows that splitters are chosen from
	sampleRun   = 64        // rows of each
	aheadIDs    = 2         // batches of sorted ids that wait for their columns
)

// writeSorted sorts the ids of the rows and makes the columns of what comes out.
func (m *maker) writeSorted(ctx context.Context) (err error) {
	dir, err := spillfile.OpenDir(m.fsys, filepath.Dir(m.dir), 0, spillfile.AllowMemory())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	s, err := m.sorter(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.sorter.Close()) }()
	if err := s.scatter(ctx); err != nil {
		return err
	}
	return s.gather(ctx)
}

// sorting is a sort of ids.
type sorting struct {
	*maker
	sorter  *extsort.Sorter
	workers int
}

func (m *maker) sorter(dir *spillfile.Dir) (*sorting, error) {
	schema := idSchema(len(m.t.ids))
	var keys []batch.SortKey
	for _, id := range m.t.sortBy {
		keys = append(keys, batch.SortKey{Column: id})
	}
	share := int64(sortShare)
	if m.spec.Acct != nil {
		share = m.spec.Acct.Limit() - m.fileNeed(m.threads) - int64(aheadIDs+2+m.threads)*m.batchRows*int64(8*len(m.t.ids))
	}
	if share < leastShare {
		return nil, fmt.Errorf("gen: table %s, sorted, needs %d more bytes of memory", m.spec.Table, leastShare-share)
	}
	lay := extsort.Plan(schema, keys, extsort.Estimate{Rows: m.t.rows}, share, m.threads)
	split, err := m.splitters(schema, keys, lay.Partitions)
	if err != nil {
		return nil, err
	}
	s, err := extsort.New(extsort.Spec{Name: "gen: sort " + m.spec.Table, Schema: schema, Keys: keys, Workers: lay.Workers, Partitions: lay.Partitions,
		BlockBytes: lay.BlockBytes, MaxLoad: lay.MaxLoad, BatchRows: int(m.batchRows), Acct: m.spec.Acct, Dir: dir}, split)
	return &sorting{maker: m, sorter: s, workers: lay.Workers}, err
}

// splitters cuts the table by a sample of its rows.
func (m *maker) splitters(schema *batch.Schema, keys []batch.SortKey, parts int) (*extsort.Splitters, error) {
	sample, err := extsort.NewSample(schema, keys)
	if err != nil {
		return nil, err
	}
	for i := range int64(samplePlace) {
		from := m.t.rows / samplePlace * i
		b, err := m.ids(from, int(min(sampleRun, m.t.rows-from)))
		if err != nil {
			return nil, err
		}
		err = sample.Add(m.spec.Acct, b)
		b.Release()
		if err != nil {
			return nil, err
		}
	}
	return sample.Splitters(parts), nil
}

// scatter makes the ids of all rows, a batch a unit.
func (s *sorting) scatter(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for worker := range s.workers {
		g.Go(func() error {
			for {
				unit := next.Add(1) - 1
				from := unit * s.batchRows
				if from >= s.t.rows {
					return nil
				}
				b, err := s.ids(from, int(min(s.batchRows, s.t.rows-from)))
				if err == nil {
					err = s.sorter.Put(gctx, worker, int(unit), b)
				}
				if err == nil {
					err = s.sorter.EndUnit(gctx, worker, int(unit))
				}
				if err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return s.sorter.Finish(ctx)
}

// gather reads the sorted ids in one goroutine, and makes columns and files in another.
func (s *sorting) gather(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	sorted := make(chan *batch.Batch, aheadIDs)
	g.Go(func() error {
		defer close(sorted)
		src := s.sorter.Source()
		for unit := range src.Units() {
			if err := s.read(ctx, src, unit, sorted); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error { return s.writeAll(ctx, sorted) })
	err := g.Wait()
	for b := range sorted {
		b.Release()
	}
	return err
}

// read sends the ids of a unit.
func (s *sorting) read(ctx context.Context, src *extsort.Source, unit int, out chan<- *batch.Batch) error {
	st, err := src.Open(ctx, unit, s.spec.Acct)
	if err != nil {
		return err
	}
	for {
		b, err := st.Next(ctx)
		if errors.Is(err, io.EOF) {
			return st.Close()
		}
		if err != nil {
			return errors.Join(err, st.Close())
		}
		select {
		case out <- b:
		case <-ctx.Done():
			b.Release()
			return errors.Join(ctx.Err(), st.Close())
		}
	}
}

// writerNeed is what the one writer of a sorted table may take.
func (s *sorting) writerNeed() int64 {
	if s.spec.Acct == nil {
		return 0
	}
	return s.fileNeed(s.threads) - s.batchNeed()
}

// writeAll writes the files one after the other, each with all threads.
func (s *sorting) writeAll(ctx context.Context, in <-chan *batch.Batch) (err error) {
	f := &sortedFiles{sorting: s, acct: s.spec.Acct.Sub("file", s.writerNeed())}
	defer func() { err = errors.Join(err, f.close()) }()
	for b := range in {
		err := f.put(ctx, b)
		b.Release()
		if err != nil {
			return err
		}
	}
	if f.row != s.t.rows && ctx.Err() == nil {
		return fmt.Errorf("gen: %d rows of %d came back from the sort", f.row, s.t.rows)
	}
	if s.t.rows == 0 {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	return errors.Join(ctx.Err(), f.end(ctx))
}
