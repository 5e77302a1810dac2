package parquet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	schema := allTypes()
	rows := randomBatch(t, rand.New(rand.NewPCG(5, 6)), schema, 12_345)
	for _, codec := range []string{"snappy", "zstd", "gzip", "lz4", "none"} {
		for _, shape := range []Shape{ShapeOwn, ShapePyarrow} {
			t.Run(codec, func(t *testing.T) {
				ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.parquet")
				w, err := CreateFile(ctx, vfs.OS(), path, schema, WriterOptions{Compression: codec, Shape: shape, RowGroupRows: 5000, SortKeys: []batch.SortKey{{Column: 3, Desc: true}}})
				noError(t, err)
				defer w.Abort()
				noError(t, w.Write(ctx, rows.Retain()))
				_, err = w.Close(ctx)
				noError(t, err)
				sameRows(t, rows, path)
			})
		}
	}
}

// sameRows reads the file and compares it to want.
func sameRows(t *testing.T, want *batch.Batch, path string) {
	t.Helper()
	ctx := context.Background()
	f, err := Open(ctx, vfs.OS(), path)
	noError(t, err)
	defer f.Close()
	for i, field := range f.Schema().Fields {
		if field != want.Schema.Fields[i] {
			t.Errorf("field %v became %v", want.Schema.Fields[i], field)
		}
	}
	pool := mem.NewPool(256<<20, mem.Protect())
	acct := pool.Account("reader", 0)
	cols := make([]int, len(want.Schema.Fields))
	for i := range cols {
		cols[i] = i
	}
	row := 0
	for g := range f.RowGroups() {
		s, err := f.ReadRowGroup(ctx, acct, g, cols, ReadOptions{})
		noError(t, err)
		for {
			b, err := s.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			noError(t, err)
			compare(t, want, row, b)
			row += b.N
			b.Release()
		}
		noError(t, s.Close())
	}
	if row != want.N {
		t.Errorf("%d rows of %d", row, want.N)
	}
	noError(t, acct.Close())
	noError(t, pool.Close())
}

func compare(t *testing.T, want *batch.Batch, row int, got *batch.Batch) {
	t.Helper()
	for k, c := range got.Cols {
		flat, err := batch.Flatten(nil, c)
		noError(t, err)
		w := want.Cols[k]
		for i := range got.N {
			if flat.IsNull(i) != w.IsNull(row+i) || !flat.IsNull(i) && !bytes.Equal(valueOf(flat, i), valueOf(w, row+i)) {
				t.Fatalf("%s, row %d: %x, want %x", want.Schema.Fields[k].Name, row+i, valueOf(flat, i), valueOf(w, row+i))
			}
		}
		flat.Release()
	}
}

func valueOf(c *batch.Column, i int) []byte {
	if n := c.Type.Kind().Width(); n > 0 {
		return c.Fixed[i*n : (i+1)*n]
	}
	return c.Value(i)
}
