package parquet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// FuzzNestedPages changes bytes of files of nested columns: levels, counts, values. Reading ends with the rows or with one of
// the package's errors, within its memory.
func FuzzNestedPages(f *testing.F) {
	for i, name := range []string{"pyarrow_v1_pages", "pyarrow_v2_pages", "pyarrow_items", "duckdb_v1", "polars"} {
		f.Add(uint8(i), uint32(40), byte(1), uint32(1000), byte(0xff), true)
		if _, err := os.Stat("testdata/nested/" + name + ".parquet"); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, file uint8, at uint32, v byte, at2 uint32, v2 byte, small bool) {
		names := []string{"pyarrow_v1_pages", "pyarrow_v2_pages", "pyarrow_items", "duckdb_v1", "polars"}
		b, err := os.ReadFile("testdata/nested/" + names[int(file)%len(names)] + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		b[int(at)%len(b)] ^= v
		b[int(at2)%len(b)] ^= v2
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("test", 0)
		opts := ReadOptions{skipSums: true}
		if small {
			opts.limits = &limits{piece: 300, page: 200, data: 500}
		}
		_, _, err = readNested(t, path, acct, opts)
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, mem.ErrLimit) {
			t.Errorf("an error of no kind: %v", err)
		}
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	})
}

// Flipping each of the first bytes behind the magic, where the first pages and their levels lie, never ends in a panic.
func TestDamagedNestedPagesAreErrorsOrRows(t *testing.T) {
	b, err := os.ReadFile("testdata/nested/pyarrow_v1_pages.parquet")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	for i := 4; i < 4+600; i++ {
		b[i] ^= byte(1 << (i % 8))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := readNested(t, path, acct, ReadOptions{})
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, mem.ErrLimit) {
			t.Errorf("byte %d: an error of no kind: %v", i, err)
		}
		b[i] ^= byte(1 << (i % 8))
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

func BenchmarkReadNested(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.parquet")
	rnd := batchtest.LCG(1)
	const rows = 200_000
	c := &batch.Column{Type: batch.Type{ID: batch.Nested, Shape: "list<int64>"}, N: rows, Off: make([]uint32, 1, rows+1)}
	for range rows {
		c.Data = append(c.Data, 20)
		for range 10 {
			c.Data = append(c.Data, byte(rnd(256)), byte(rnd(256)), byte(rnd(256)), 0, 0, 0, 0, 0)
		}
		c.Off = append(c.Off, uint32(len(c.Data)))
	}
	schema := batch.NewSchema(batch.Field{Name: "l", Type: c.Type, Nullable: true})
	write := func() {
		_ = os.Remove(path)
		writeNested(b, path, nil, schema, []*batch.Column{c}, 0, WriterOptions{})
	}
	write()
	b.Run("write", func(b *testing.B) {
		b.SetBytes(8 * 10 * rows)
		for b.Loop() {
			write()
		}
	})
	b.Run("read", func(b *testing.B) {
		f, err := Open(b.Context(), vfs.OS(), path)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(8 * 10 * rows)
		for b.Loop() {
			for g := range f.RowGroups() {
				if err := eachBatch(b.Context(), f, nil, g, []int{0}, ReadOptions{}, func(*batch.Batch) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
