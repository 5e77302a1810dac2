package gen

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"
)

func seed(t *testing.T, s Spec) map[string][]byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	pool := mem.NewPool(128<<20, mem.Protect())
	s.Acct = pool.Account("gen", 0)
	if err := Seed(context.Background(), vfs.OS(), dir, s); err != nil {
		t.Fatal(err)
	}
	if err := s.Acct.Close(); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = raw
	}
	return files
}

func TestTableIsAFunctionOfItsSpec(t *testing.T) {
	for _, shape := range []Shape{Fastparquet, FastparquetPlain, Pyarrow, Pqjoin} {
		s := Spec{Table: Test, Rows: 250_001, RowsPerFile: 100_000, Shape: shape, Seed: 7, Threads: 1}
		one := seed(t, s)
		s.Threads = 3
		two := seed(t, s)
		if len(one) != 3 || len(two) != 3 {
			t.Fatalf("shape %d: %d and %d files", shape, len(one), len(two))
		}
		for name, raw := range one {
			if !bytes.Equal(raw, two[name]) {
				t.Errorf("shape %d: %s differs", shape, name)
			}
		}
		s.Seed = 8
		if bytes.Equal(seed(t, s)["part.0.parquet"], one["part.0.parquet"]) {
			t.Errorf("shape %d: another seed gives the same values", shape)
		}
	}
}

func TestRowsAreSpreadOverFiles(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	if err := Seed(ctx, vfs.OS(), dir, Spec{Table: Test2, Rows: 25, RowsPerFile: 10}); err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string]int64{"part.0.parquet": 10, "part.1.parquet": 10, "part.2.parquet": 5} {
		f, err := parquet.Open(ctx, vfs.OS(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if f.Rows() != rows {
			t.Errorf("%s has %d rows", name, f.Rows())
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
