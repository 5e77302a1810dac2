package groupby

import (
	"context"
	"errors"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// BenchmarkGroup sums and counts 2M floats by an int64 of so many values, and reads the groups in order.
func BenchmarkGroup(b *testing.B) {
	const rows = 32 * batch.Rows
	for _, c := range []struct {
		name string
		keys uint64
	}{{"10k", 10_000}, {"1M", 1_000_000}, {"distinct", 1 << 60}} {
		b.Run(c.name, func(b *testing.B) {
			spec := numberSpec()
			pool := mem.NewPool(256 << 20)
			spec.Acct = pool.Account("group", 0)
			dir, err := spillfile.OpenDir(vfs.OS(), b.TempDir(), 1<<40, spillfile.AllowMemory())
			if err != nil {
				b.Fatal(err)
			}
			spec.Dir, spec.Workers = dir, 1
			plan := Plan(spec, 200<<20, 64<<20)
			spec.Partitions, spec.BlockBytes, spec.TableBytes, spec.MaxLoad = plan.Partitions, plan.BlockBytes, plan.TableBytes, plan.MaxLoad
			var in []*batch.Batch
			for at := 0; at < rows; at += batch.Rows {
				in = append(in, numbers(b, spec.In, at, batch.Rows, func(i int) int64 { return int64(uint64(i) * 0x9e3779b97f4a7c15 >> 4 % c.keys) }))
			}
			groups := int64(0)
			cost := microbench.Start(b)
			for b.Loop() {
				groups = groupBatches(b, spec, in)
			}
			cost.Rows(rows, rows*16+groups*24)
			if err := errors.Join(spec.Acct.Close(), pool.Close(), dir.Close()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// groupBatches aggregates and counts the groups.
func groupBatches(b *testing.B, spec Spec, in []*batch.Batch) (groups int64) {
	ctx := context.Background()
	g, err := New(spec)
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	for u, x := range in {
		if err := g.Put(ctx, 0, u, x.Retain()); err != nil {
			b.Fatal(err)
		}
	}
	if err := g.Finish(ctx); err != nil {
		b.Fatal(err)
	}
	src := g.Source()
	for u := range src.Units() {
		st, err := src.Open(ctx, u, spec.Acct)
		if err != nil {
			b.Fatal(err)
		}
		for x, err := st.Next(ctx); err == nil; x, err = st.Next(ctx) {
			groups += int64(x.N)
			x.Release()
		}
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return groups
}
