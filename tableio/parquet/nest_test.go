package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// writeNested writes one table in batches of uneven lengths, in pages of few entries where page is little.
func writeNested(t fataler, path string, acct *mem.Account, schema *batch.Schema, cols []*batch.Column, page int64, o WriterOptions) {
	t.Helper()
	ctx := context.Background()
	o.Acct = acct
	w, err := CreateFile(ctx, vfs.OS(), path, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	if page > 0 {
		w.chunkOpts.pageBytes = page
	}
	all := &batch.Batch{Schema: schema, Cols: cols, N: cols[0].N}
	for i, step := 0, 300; i < cols[0].N; step += 17 {
		j := min(i+step, cols[0].N)
		b, err := all.Slice(acct, i, j)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(ctx, b); err != nil {
			w.Abort()
			t.Fatal(err)
		}
		i = j
	}
	if _, err := w.Close(ctx); err != nil {
		w.Abort()
		t.Fatal(err)
	}
}

// readNested reads all rows of all row groups.
func readNested(t fataler, path string, acct *mem.Account, opts ReadOptions) (*batch.Schema, [][]string, error) {
	t.Helper()
	ctx := context.Background()
	f, err := Open(ctx, vfs.OS(), path)
	if err != nil {
		return nil, nil, err
	}
	cols := make([]int, len(f.Schema().Fields))
	rows := make([][]string, len(cols))
	for i := range cols {
		cols[i] = i
	}
	for g := range f.RowGroups() {
		s, err := f.ReadRowGroup(ctx, acct, g, cols, opts)
		if err != nil {
			return nil, nil, err
		}
		for {
			b, err := s.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				_ = s.Close()
				return nil, nil, err
			}
			for i, c := range b.Cols {
				rows[i] = append(rows[i], texts(c)...)
			}
			b.Release()
		}
		if err := s.Close(); err != nil {
			return nil, nil, err
		}
	}
	return f.Schema(), rows, nil
}

// texts returns the rows of a column of bytes or int64 as they compare.
func texts(c *batch.Column) (rows []string) {
	for i := range c.N {
		switch {
		case c.IsNull(i):
			rows = append(rows, "null")
		case c.Type.Kind() == batch.KindBytes:
			rows = append(rows, fmt.Sprintf("%x", c.Value(i)))
		default:
			rows = append(rows, fmt.Sprint(c.Int64s()[i]))
		}
	}
	return rows
}

func TestNestedColumnsAreReadAsTheyWereWritten(t *testing.T) {
	dir := t.TempDir()
	pool := mem.NewPool(1<<30, mem.Protect())
	acct := pool.Account("test", 0)
	file := 0
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 7, 900, 4000}).Draw(t, "rows")
		rnd := batchtest.LCG(rapid.Uint64().Draw(t, "seed"))
		schema := batch.NewSchema(batch.Field{Name: "id", Type: batch.Of(batch.Int64)})
		ids := &batch.Column{Type: batch.Of(batch.Int64), N: rows, Fixed: batch.BytesOf(make([]int64, rows))}
		cols := []*batch.Column{ids}
		for i := range rapid.IntRange(1, 3).Draw(t, "columns") {
			typ, nullable := batchtest.NestedType(3, rnd), rapid.Bool().Draw(t, "nullable")
			schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: typ.Batch(), Nullable: nullable})
			cols = append(cols, batchtest.NestedColumn(typ, nullable, rows, rnd))
		}
		file++
		path := filepath.Join(dir, fmt.Sprint(file, ".parquet"))
		page := rapid.SampledFrom([]int64{0, 64, 3000}).Draw(t, "page")
		o := WriterOptions{
			Compression: rapid.SampledFrom([]string{"snappy", "zstd", "none", "gzip"}).Draw(t, "codec"), Threads: 2,
			RowGroupRows: rapid.SampledFrom([]int{0, 1000, 5000}).Draw(t, "group"),
		}
		writeNested(t, path, acct, schema, cols, page, o)
		opts := ReadOptions{BatchRows: rapid.SampledFrom([]int{0, 1, 100}).Draw(t, "batch")}
		if rapid.Bool().Draw(t, "small") {
			opts.limits = &limits{piece: 300, page: 200, data: 500}
		}
		got, values, err := readNested(t, path, acct, opts)
		if err != nil {
			t.Fatal(schema.Fields, err)
		}
		if diff := cmp.Diff(schema, got); diff != "" {
			t.Fatal(diff)
		}
		for i, c := range cols {
			if diff := cmp.Diff(texts(c), values[i]); diff != "" {
				t.Fatal(schema.Fields[i].Type, diff)
			}
		}
	})
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// fataler is what helpers need of a test.
type fataler interface {
	Helper()
	Fatal(args ...any)
}
