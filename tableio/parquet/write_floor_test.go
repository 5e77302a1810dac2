package parquet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// manyDoubles is a schema of n nullable doubles.
func manyDoubles(n int) *batch.Schema {
	s := &batch.Schema{}
	for i := range n {
		s.Fields = append(s.Fields, batch.Field{Name: fmt.Sprint("x", i), Type: batch.Of(batch.Float64), Nullable: true})
	}
	return s
}

func textColumns(n int) *batch.Schema {
	s := &batch.Schema{}
	for i := range n {
		s.Fields = append(s.Fields, batch.Field{Name: fmt.Sprint("s", i), Type: batch.Of(batch.String), Nullable: true})
	}
	return s
}

func TestFloorOfSevenDoublesIsSmall(t *testing.T) {
	for threads := 1; threads <= 2; threads++ {
		if f := WriterFloor(manyDoubles(7), WriterOptions{Threads: threads}); f > 44<<20 {
			t.Errorf("%d threads: %.1f MiB", threads, float64(f)/(1<<20))
		}
	}
}

func TestWritingWorksAtTheFloor(t *testing.T) {
	for name, c := range map[string]struct {
		schema  *batch.Schema
		rows, n int
		shape   Shape
	}{
		"seven doubles":        {manyDoubles(7), 1_400_000, 32 << 10, ShapeOwn},
		"three strings":        {textColumns(3), 1_000_000, 16 << 10, ShapeOwn},
		"all types":            {allTypes(), 100_000, 2 << 10, ShapeOwn},
		"300 columns":          {manyDoubles(300), 30_000, 1 << 10, ShapeOwn},
		"300 columns, emptily": {manyDoubles(300), 30_000, 300, ShapeOwn},
		"ten thousand columns": {manyDoubles(10_000), 450, 50, ShapeOwn},
		"300 columns, pyarrow": {manyDoubles(300), 30_000, 1 << 10, ShapePyarrow},
		"300 texts, pyarrow":   {textColumns(300), 30_000, 1 << 10, ShapePyarrow},
	} {
		for _, threads := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d threads", name, threads), func(t *testing.T) {
				writeAtFloor(t, c.schema, c.rows, c.n, WriterOptions{Threads: threads, Shape: c.shape})
			})
		}
	}
}

// TestWritingWorksAtTheFloorOfWhatCanCome: where few bytes can come the floor is lower, however they come.
func TestWritingWorksAtTheFloorOfWhatCanCome(t *testing.T) {
	for name, c := range map[string]struct {
		schema  *batch.Schema
		rows, n int
	}{
		"seven doubles":         {manyDoubles(7), 100_000, 16 << 10},
		"seven doubles, one":    {manyDoubles(7), 900, 1},
		"three strings":         {textColumns(3), 12_000, 100},
		"all types":             {allTypes(), 6_000, 500},
		"all types, one by one": {allTypes(), 1_500, 1},
		"300 columns":           {manyDoubles(300), 2_000, 10},
		"300 texts":             {textColumns(300), 100, 10},
	} {
		for _, codec := range []string{"snappy", "zstd"} {
			t.Run(name+", "+codec, func(t *testing.T) {
				raw := rawBytes(randomBatch(t, rand.New(rand.NewPCG(1, 1)), c.schema, c.n))
				o := WriterOptions{Compression: codec, MostRows: int64(c.rows), MostRaw: int64(c.rows/c.n+1) * raw}
				if usual := WriterFloor(c.schema, WriterOptions{Compression: codec}); WriterFloor(c.schema, o) > usual-2<<20 {
					t.Errorf("the floor for %d raw bytes is %d, of any table %d", o.MostRaw, WriterFloor(c.schema, o), usual)
				}
				writeAtFloor(t, c.schema, c.rows, c.n, o)
			})
		}
	}
}

// rawBytes counts as cutLimits does.
func rawBytes(b *batch.Batch) (n int64) {
	for _, c := range b.Cols {
		if w := c.Type.Kind().Width(); w > 0 {
			n += int64(w * b.N)
		} else {
			n += int64(4*b.N + len(c.Data))
		}
	}
	return n
}

// writeAtFloor writes rows in batches of n in a pool that holds the writer's floor and one batch, and no more.
func writeAtFloor(t *testing.T, schema *batch.Schema, rows, n int, o WriterOptions) {
	t.Helper()
	ctx := context.Background()
	floor := WriterFloor(schema, o)
	r := rand.New(rand.NewPCG(1, 1))
	sample := randomBatch(t, r, schema, n)
	one := copyOf(t, nil, sample).Bytes()
	pool := mem.NewPool(floor+one*5/4+1<<20, mem.Protect())
	o.Acct = pool.Account("writer", floor)
	in := pool.Account("rows", 0)
	w, err := CreateDir(ctx, vfs.OS(), t.TempDir(), schema, o)
	noError(t, err)
	defer w.Abort()
	for done := 0; done < rows; done += n {
		b := copyOf(t, in, sample)
		scramble(r, b)
		noError(t, w.Write(ctx, b))
	}
	sum, err := w.Close(ctx)
	noError(t, err)
	t.Logf("floor %.1f MiB, pool's peak %.1f, the writer's %.1f; raw %.1f", float64(floor)/(1<<20), float64(pool.Peak())/(1<<20), float64(o.Acct.Peak())/(1<<20), float64(sum.RawBytes)/(1<<20))
	noError(t, o.Acct.Close())
	noError(t, in.Close())
	noError(t, pool.Close())
}

// scramble makes the values of doubles and strings incompressible.
func scramble(r *rand.Rand, b *batch.Batch) {
	for _, c := range b.Cols {
		switch c.Type.ID {
		case batch.Float64:
			for i := range c.N {
				c.Float64s()[i] = r.Float64()
			}
		case batch.String:
			for i := range c.Data {
				c.Data[i] = byte(' ' + r.Uint32()%95)
			}
		}
	}
}

func copyOf(t testing.TB, acct *mem.Account, b *batch.Batch) *batch.Batch {
	t.Helper()
	out, err := batch.Concat(acct, b.Schema, []*batch.Batch{b})
	noError(t, err)
	return out
}

// BenchmarkWrite encodes a million rows and writes them to a file, by one encoding goroutine.
func BenchmarkWrite(b *testing.B) {
	for _, bench := range []struct {
		name   string
		schema *batch.Schema
	}{
		{"4 doubles 2 ints", &batch.Schema{Fields: append(manyDoubles(4).Fields,
			batch.Field{Name: "k", Type: batch.Of(batch.Int64), Nullable: true}, batch.Field{Name: "i", Type: batch.Of(batch.Int64), Nullable: true})}},
		{"3 strings", textColumns(3)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			var batches []*batch.Batch
			for range 8 {
				part := randomBatch(b, r, bench.schema, batch.Rows)
				for _, c := range part.Cols {
					switch c.Type.ID {
					case batch.Float64:
						for i := range c.N {
							c.Float64s()[i] = r.Float64()
						}
					case batch.Int64:
						for i := range c.N {
							c.Int64s()[i] = 90_000 + r.Int64N(10_000)
						}
					}
				}
				batches = append(batches, part)
			}
			pool := mem.NewPool(512 << 20)
			defer pool.Close()
			const rows = 16 * batch.Rows
			bytes := int64(0)
			cost := microbench.Start(b)
			for b.Loop() {
				acct := pool.Account("writer", 0)
				w, err := CreateDir(b.Context(), vfs.OS(), b.TempDir(), bench.schema, WriterOptions{Threads: 1, Acct: acct})
				noError(b, err)
				for i := range rows / batch.Rows {
					noError(b, w.Write(b.Context(), batches[i%8].Retain()))
				}
				sum, err := w.Close(b.Context())
				noError(b, err)
				bytes = sum.Bytes
			}
			for i := range rows / batch.Rows {
				bytes += batches[i%8].Bytes()
			}
			cost.Rows(rows, bytes)
		})
	}
}
