package gen

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// write makes the table in a new directory and returns it.
func write(t *testing.T, p Params, threads int, limit int64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	pool := mem.NewPool(limit, mem.Protect())
	acct := pool.Account("gen", 0)
	if err := Write(context.Background(), vfs.OS(), dir, Spec{Params: p, Threads: threads, Acct: acct}); err != nil {
		t.Fatal(err)
	}
	if err := acct.Close(); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	return dir
}

// contents returns the bytes of the files in a directory.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
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

// everyTable returns small parameters of every table, and of some variants.
func everyTable() []Params {
	var all []Params
	for _, k := range Tables() {
		all = append(all, Params{Table: k.Name, Rows: 50_001, RowsPerFile: 20_000})
	}
	return append(all,
		Params{Table: "seed-test", Rows: 50_001, RowsPerFile: 20_000, Shape: FastparquetPlain},
		Params{Table: "seed-test", Rows: 50_001, RowsPerFile: 20_000, Shape: Pyarrow},
		Params{Table: "seed-test2", Rows: 50_001, RowsPerFile: 20_000, Shape: Pqjoin},
		Params{Table: "group", Rows: 50_001, RowsPerFile: 20_000, Unique: true},
		Params{Table: "h2o-g1", Rows: 50_001, RowsPerFile: 20_000, Nulls: 5, Sorted: true},
		Params{Table: "h2o-j1-x", Rows: 50_001, RowsPerFile: 20_000, Nulls: 5, Sorted: true},
		Params{Table: "h2o-j1-big", Rows: 50_001, RowsPerFile: 20_000, Sorted: true},
		Params{Table: "wide", Rows: 50_001, RowsPerFile: 20_000, Types: "mixed", Order: "zipf", Columns: 8},
	)
}

func TestTableIsAFunctionOfItsParameters(t *testing.T) {
	for _, p := range everyTable() {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			one := contents(t, write(t, p, 1, 200<<20))
			two := contents(t, write(t, p, 3, 400<<20))
			if len(one) != len(two) {
				t.Fatalf("%d and %d files", len(one), len(two))
			}
			for name, raw := range one {
				if !bytes.Equal(raw, two[name]) {
					t.Errorf("%s differs", name)
				}
			}
			p.Seed = 8
			if bytes.Equal(contents(t, write(t, p, 1, 200<<20))["part.0.parquet"], one["part.0.parquet"]) && p.Rows > 0 {
				t.Error("another seed gives the same values")
			}
		})
	}
}

func TestValuesDependNeitherOnShapeNorOnFiles(t *testing.T) {
	p := Params{Table: "seed-test", Rows: 10_000, Seed: 3}
	want := readTable(t, write(t, p, 1, 200<<20))
	for _, q := range []Params{{Shape: Pyarrow}, {Shape: Pqjoin, RowsPerFile: 777}, {RowsPerFile: 3000}} {
		q.Table, q.Rows, q.Seed = p.Table, p.Rows, p.Seed
		if d := cmp.Diff(want, readTable(t, write(t, q, 2, 200<<20)), cmp.AllowUnexported(values{})); d != "" {
			t.Errorf("%+v: %s", q, d)
		}
	}
}

func TestTablesOfNoRowsAndOfOneRow(t *testing.T) {
	for _, p := range everyTable() {
		for rows := range int64(2) {
			p.Rows = rows
			got := readTable(t, write(t, p, 2, 200<<20))
			for name, v := range got {
				if int64(v.n) != rows {
					t.Errorf("%+v: column %s has %d rows", p, name, v.n)
				}
			}
		}
	}
}

func TestWhatATableDoesNotHaveIsRefused(t *testing.T) {
	for _, p := range []Params{
		{Table: "none"}, {Table: "group", Groups: 5}, {Table: "group", Shape: "round"}, {Table: "group", Rows: -1}, {Table: "h2o-g1", Nulls: 101},
		{Table: "group", Rows: 10, Keys: 9, Unique: true}, {Table: "zipf", Theta: -1}, {Table: "wide", Types: "bool"}, {Table: "wide", Order: "none"},
		{Table: "h2o-g1", Shape: Fastparquet}, {Table: "h2o-g1", Sorted: true, Groups: 1000, Rows: 10_000},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		if err := Write(t.Context(), vfs.OS(), dir, Spec{Params: p}); err == nil {
			t.Errorf("%+v is made", p)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%+v left a directory", p)
		}
	}
}
