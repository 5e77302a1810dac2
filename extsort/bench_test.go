package extsort

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// BenchmarkSort sorts 4M rows of a narrow key and two doubles, in memory and in a quarter of it.
func BenchmarkSort(b *testing.B) {
	const batches = 64
	schema := schemaOf([]batch.Type{batch.Of(batch.Int64), batch.Of(batch.Float64), batch.Of(batch.Float64)}, false)
	r := rand.New(rand.NewPCG(1, 1))
	var in [batches]*batch.Batch
	for i := range in {
		x := &batch.Batch{Schema: schema, N: batch.Rows}
		for k, f := range schema.Fields {
			c, err := batch.NewFixed(nil, f.Type, x.N)
			if err != nil {
				b.Fatal(err)
			}
			for j := range x.N {
				if k == 0 {
					c.Int64s()[j] = int64(r.IntN(10_000))
				} else {
					c.Float64s()[j] = r.NormFloat64()
				}
			}
			x.Cols = append(x.Cols, c)
		}
		in[i] = x
	}
	for _, share := range []int64{256 << 20, 24 << 20} {
		b.Run(fmt.Sprintf("%dMiB", share>>20), func(b *testing.B) {
			cost := microbench.Start(b)
			for b.Loop() {
				benchSort(b, schema, in[:], share)
			}
			cost.Rows(batches*batch.Rows, batches*batch.Rows*2*24)
		})
	}
}

func benchSort(b *testing.B, schema *batch.Schema, in []*batch.Batch, share int64) {
	ctx := context.Background()
	pool := mem.NewPool(share)
	acct := pool.Account("sort", 0)
	dir, err := spillfile.OpenDir(vfs.OS(), b.TempDir(), 0, spillfile.AllowMemory())
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	keys := []batch.SortKey{{}}
	sample, err := NewSample(schema, keys)
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range in[:4] {
		if err := sample.Add(nil, x); err != nil {
			b.Fatal(err)
		}
	}
	l := Plan(schema, keys, Estimate{Rows: int64(len(in)) * batch.Rows}, share, 1)
	s, err := New(Spec{Name: "sort", Schema: schema, Keys: keys, Workers: l.Workers, Partitions: l.Partitions,
		BlockBytes: l.BlockBytes, MaxLoad: l.MaxLoad, Acct: acct, Dir: dir}, sample.Splitters(l.Partitions))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	each(b, l.Workers, len(in), func(w, i int) error { return s.Put(ctx, w, i, in[i].Retain()) })
	if err := s.Finish(ctx); err != nil {
		b.Fatal(err)
	}
	src := s.Source()
	each(b, l.Workers, src.Units(), func(_, u int) error {
		st, err := src.Open(ctx, u, acct)
		if err != nil {
			return err
		}
		defer st.Close()
		for {
			x, err := st.Next(ctx)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			x.Release()
		}
	})
	b.ReportMetric(float64(s.Stats().Spilled>>20), "MiB-spilled")
	b.ReportMetric(float64(pool.Peak()>>20), "MiB-peak")
	b.ReportMetric(float64(src.Units()), "units")
}

// each runs f for 0..n-1, worker w taking those that are w modulo workers.
func each(b *testing.B, workers, n int, f func(w, i int) error) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n; i += workers {
				if err := f(w, i); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
}
