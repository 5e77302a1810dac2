package spillfile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

var benchSchema = batch.NewSchema(
	batch.Field{Name: "key", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "n", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "x", Type: batch.Of(batch.Float64)},
)

// benchBatches is how many different batches there are: too many for a codec to find repetitions.
const benchBatches = 32

// benchInput returns batches of batch.Rows rows, and the partitions of the rows of each.
func benchInput(b *testing.B, partitions int) (in []*batch.Batch, part []uint16) {
	for i := range benchBatches {
		var one *batch.Batch
		one, part = benchBatch(b, uint64(i), partitions)
		in = append(in, one)
	}
	return in, part
}

func benchBatch(b *testing.B, seed uint64, partitions int) (*batch.Batch, []uint16) {
	r := rand.New(rand.NewPCG(seed, 2))
	in := &batch.Batch{Schema: benchSchema, N: batch.Rows}
	for _, f := range benchSchema.Fields {
		c, err := batch.NewFixed(nil, f.Type, in.N)
		if err != nil {
			b.Fatal(err)
		}
		for i := range in.N {
			if f.Type.ID == batch.Float64 {
				c.Float64s()[i] = r.Float64()
			} else {
				c.Int64s()[i] = r.Int64N(1 << 24)
			}
		}
		in.Cols = append(in.Cols, c)
	}
	part := make([]uint16, in.N)
	for i := range part {
		part[i] = uint16(r.IntN(partitions))
	}
	return in, part
}

func benchStore(b *testing.B, pool *mem.Pool, dir *Dir, partitions, workers int) *Store {
	s, err := New(Spec{
		Name: "bench", Schema: benchSchema, Partitions: partitions, Workers: workers,
		BlockBytes: 64 << 10, Acct: pool.Account("bench", 0), Dir: dir,
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func appendAll(b *testing.B, s *Store, in []*batch.Batch, part []uint16, workers, batches int) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for u := w; u < batches; u += workers {
				if err := s.Append(context.Background(), w, u/16*workers+w, part, in[u%len(in)].Retain()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Seal(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend: 4M rows of 24 bytes, new store each time, in memory and where most of it spills.
func BenchmarkAppend(b *testing.B) {
	const batches = 64
	for _, c := range []struct {
		partitions, workers int
		pool                int64
	}{{64, 1, 1 << 30}, {128, 1, 1 << 30}, {128, 1, 48 << 20}} {
		b.Run(fmt.Sprintf("partitions=%d/workers=%d/pool=%dMiB", c.partitions, c.workers, c.pool>>20), func(b *testing.B) {
			in, part := benchInput(b, c.partitions)
			pool, dir := mem.NewPool(c.pool), diskDir(b, vfs.OS(), 0)
			spilled := int64(0)
			cost := microbench.Start(b)
			for b.Loop() {
				s := benchStore(b, pool, dir, c.partitions, c.workers)
				appendAll(b, s, in, part, c.workers, batches)
				spilled += s.Stats().Spilled
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			rows := float64(b.N) * batches * batch.Rows
			cost.Rows(batches*batch.Rows, batches*batch.Rows*2*24)
			b.ReportMetric(float64(spilled)/rows, "spilled-B/row")
			closeAll(b, nil, pool, dir)
		})
	}
}

// BenchmarkLoad: the partitions of 4M rows one by one by one worker, from memory and from disk.
func BenchmarkLoad(b *testing.B) {
	const batches, partitions = 64, 128
	for _, spill := range []bool{false, true} {
		b.Run(fmt.Sprintf("spilled=%t", spill), func(b *testing.B) {
			in, part := benchInput(b, partitions)
			pool, dir := mem.NewPool(1<<30), diskDir(b, vfs.OS(), 0)
			s := benchStore(b, pool, dir, partitions, 2)
			appendAll(b, s, in, part, 2, batches)
			if spill {
				if _, err := s.Spill(context.Background(), 1<<40); err != nil {
					b.Fatal(err)
				}
			}
			cost := microbench.Start(b)
			for b.Loop() {
				for p := range partitions {
					out, err := s.Load(context.Background(), p, s.spec.Acct, nil)
					if err != nil {
						b.Fatal(err)
					}
					out.Release()
				}
			}
			cost.Rows(batches*batch.Rows, batches*batch.Rows*2*24)
			closeAll(b, s, pool, dir)
		})
	}
}
