package tableio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"

	"github.com/google/go-cmp/cmp"
	pq "github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

func put[T any](t *testing.T, path string, rows []T, opts ...pq.WriterOption) {
	t.Helper()
	var out bytes.Buffer
	w := pq.NewGenericWriter[T](&out, opts...)
	_, err := w.Write(rows)
	err = errors.Join(err, w.Close(), os.MkdirAll(filepath.Dir(path), 0o755))
	if err = errors.Join(err, os.WriteFile(path, out.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

type narrow struct {
	K int32   `parquet:"k"`
	V float32 `parquet:"v"`
}

type wide struct {
	V float64 `parquet:"v"`
	K int64   `parquet:"k"`
}

type other struct {
	K string `parquet:"k"`
	V int64  `parquet:"v"`
}

type more struct {
	K int64   `parquet:"k"`
	V float64 `parquet:"v"`
	X *string `parquet:"x,optional"`
}

func open(t *testing.T, spec Spec) *Table {
	t.Helper()
	tab, err := Open(t.Context(), vfs.OS(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// rowsOf reads the columns and writes each row as text.
func rowsOf(t *testing.T, tab *Table, cols []int, where *expr.Bound) []string {
	t.Helper()
	pool := mem.NewPool(32<<20, mem.Protect())
	acct := pool.Account("test", 0)
	src := tab.Source(cols, where, Reading{BatchRows: 3})
	var out []string
	for u := range src.Units() {
		s, err := src.Open(t.Context(), u, acct)
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := s.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.N {
				out = append(out, rowText(src.Schema(), b, i))
			}
			b.Release()
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
	return out
}

func rowText(s *batch.Schema, b *batch.Batch, i int) string {
	cells := make([]string, len(b.Cols))
	for j, c := range b.Cols {
		switch {
		case c.Type != s.Fields[j].Type:
			cells[j] = "WRONG TYPE " + c.Type.String()
		case c.IsNull(i):
			cells[j] = "null"
		case c.Type.Kind() == batch.KindFloat64:
			cells[j] = fmt.Sprint(c.Float64s()[i])
		case c.Type.Kind() == batch.KindBytes:
			cells[j] = string(c.Value(i))
		default:
			cells[j] = fmt.Sprint(c.Int64s()[i])
		}
	}
	return strings.Join(cells, " ")
}

func TestFilesComeInNaturalOrder(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"part.10.parquet", "part.2.parquet", "part.1.parquet", "a/part.3.parquet", "_metadata.parquet", ".x.parquet", "_tmp/part.0.parquet", "README.txt"} {
		put(t, filepath.Join(dir, name), []narrow{{K: int32(i)}})
	}
	if err := os.Symlink(dir, filepath.Join(dir, "a", "loop")); err != nil {
		t.Fatal(err)
	}
	want := []string{"part.1.parquet", "part.2.parquet", "part.10.parquet", "a/part.3.parquet"}
	for _, pattern := range []string{"", "**", "**/*.parquet"} {
		var got []string
		for _, f := range open(t, Spec{Paths: []string{filepath.Join(dir, pattern)}}).Files() {
			got = append(got, strings.TrimPrefix(f.Path, dir+"/"))
		}
		slices.Sort(got)
		sorted := slices.Sorted(slices.Values(want))
		if d := cmp.Diff(sorted, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", pattern, d)
		}
	}
	var got []string
	for _, f := range open(t, Spec{Paths: []string{filepath.Join(dir, "part.*"), dir}}).Files() {
		got = append(got, filepath.Base(f.Path))
	}
	if d := cmp.Diff([]string{"part.3.parquet", "part.1.parquet", "part.2.parquet", "part.10.parquet"}, got); d != "" {
		t.Error(d)
	}
}

func TestNaturalIsATotalOrder(t *testing.T) {
	name := rapid.StringMatching(`[a.]{0,2}[0-9]{0,3}[a.]{0,1}[0-9]{0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c")
		if Natural(a, b) != -Natural(b, a) || (Natural(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
		if Natural(a, b) < 0 && Natural(b, c) < 0 && Natural(a, c) >= 0 {
			t.Fatalf("%q < %q < %q", a, b, c)
		}
	})
	if Natural("part.2", "part.10") >= 0 {
		t.Error("part.2 is not before part.10")
	}
}

func TestNothingToRead(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.orc"), []narrow{{}})
	for _, p := range []string{"", "b.parquet", "*.parquet", "[", "none/*"} {
		if _, err := Open(t.Context(), vfs.OS(), Spec{Paths: []string{filepath.Join(dir, p)}}); !errors.Is(err, ErrNoFiles) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if _, err := Open(t.Context(), vfs.OS(), Spec{Paths: []string{filepath.Join(dir, "a.orc")}}); !errors.Is(err, ErrFormat) {
		t.Errorf("orc: %v", err)
	}
}

func TestNarrowTypesAreWidened(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.parquet"), []narrow{{K: 1, V: 1.5}})
	put(t, filepath.Join(dir, "2.parquet"), []wide{{K: 2, V: 2.5}})
	tab := open(t, Spec{Paths: []string{dir}})
	want := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "v", Type: batch.Of(batch.Float64)})
	if d := cmp.Diff(want, tab.Schema()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"1.5 1", "2.5 2"}, rowsOf(t, tab, []int{1, 0}, nil)); d != "" {
		t.Error(d)
	}
}

func TestFilesThatDisagreeAreRefusedByName(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.parquet"), []narrow{{K: 1, V: 1.5}})
	put(t, filepath.Join(dir, "2.parquet"), []other{{K: "x", V: 3}})
	_, err := Open(t.Context(), vfs.OS(), Spec{Paths: []string{dir}})
	if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "column k is int32 in "+dir+"/1.parquet and string in "+dir+"/2.parquet") {
		t.Error(err)
	}
	put(t, filepath.Join(dir, "2.parquet"), []more{{K: 2}})
	_, err = Open(t.Context(), vfs.OS(), Spec{Paths: []string{dir}})
	if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "column x") {
		t.Error(err)
	}
}

func TestTypesDecideBetweenIntAndFloat(t *testing.T) {
	dir := t.TempDir()
	type ints struct {
		V int64 `parquet:"v"`
	}
	type floats struct {
		V *float64 `parquet:"v,optional"`
	}
	put(t, filepath.Join(dir, "1.parquet"), []ints{{V: 3}, {V: -1 << 53}})
	put(t, filepath.Join(dir, "2.parquet"), []floats{{}})
	spec := Spec{Paths: []string{dir}, Types: map[string]batch.Type{"v": batch.Of(batch.Float64)}}
	if d := cmp.Diff([]string{"3", "-9.007199254740992e+15", "null"}, rowsOf(t, open(t, spec), []int{0}, nil)); d != "" {
		t.Error(d)
	}
	put(t, filepath.Join(dir, "1.parquet"), []ints{{V: 1<<53 + 1}})
	s, err := open(t, spec).Source([]int{0}, nil, Reading{}).Open(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Next(t.Context()); !errors.Is(err, ErrSchema) {
		t.Errorf("an integer that no float holds: %v", err)
	}
}

func TestUnionFillsWithNulls(t *testing.T) {
	dir := t.TempDir()
	x := "text"
	put(t, filepath.Join(dir, "1.parquet"), []narrow{{K: 1, V: 1.5}})
	put(t, filepath.Join(dir, "2.parquet"), []more{{K: 2, X: &x}})
	tab := open(t, Spec{Paths: []string{dir}, SchemaMode: Union, Columns: []string{"x", "k"}})
	if d := cmp.Diff([]string{"null 1", "text 2"}, rowsOf(t, tab, []int{0, 1}, nil)); d != "" {
		t.Error(d)
	}
	if !tab.Schema().Fields[0].Nullable {
		t.Error("a column that is missing at times is not nullable")
	}
}

func TestNanAsNull(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.parquet"), []wide{{V: 1}, {V: math.NaN()}, {V: math.Inf(1)}})
	if d := cmp.Diff([]string{"1", "null", "+Inf"}, rowsOf(t, open(t, Spec{Paths: []string{dir}, NanAsNull: true}), []int{0}, nil)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"1", "NaN", "+Inf"}, rowsOf(t, open(t, Spec{Paths: []string{dir}}), []int{0}, nil)); d != "" {
		t.Error(d)
	}
}

func TestStatisticsPruneRowGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.parquet")
	rows := make([]wide, 100)
	for i := range rows {
		rows[i].K = int64(i)
	}
	put(t, path, rows, pq.MaxRowsPerRowGroup(10))
	tab := open(t, Spec{Paths: []string{path}})
	tree, err := expr.Parse("k >= 35 and k < 42")
	if err != nil {
		t.Fatal(err)
	}
	where, err := expr.Bind(tree, tab.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if n := tab.Source([]int{1}, where, Reading{}).Units(); len(tab.Units()) != 10 || n != 2 {
		t.Errorf("%d of %d units are read, want 2 of 10", n, len(tab.Units()))
	}
	if got := rowsOf(t, tab, []int{1}, where); len(got) != 20 || got[0] != "30" || got[19] != "49" {
		t.Errorf("rows %v", got)
	}
}

func TestFileThatChangesIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.parquet")
	put(t, path, []wide{{K: 1}})
	tab := open(t, Spec{Paths: []string{path}})
	if err := tab.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	put(t, path, []wide{{K: 2}, {K: 3}})
	if err := tab.Verify(t.Context()); !errors.Is(err, parquet.ErrChanged) {
		t.Errorf("verify: %v", err)
	}
	if _, err := tab.Source([]int{0}, nil, Reading{}).Open(t.Context(), 0, nil); !errors.Is(err, parquet.ErrChanged) {
		t.Errorf("open: %v", err)
	}
}

// TestReadingStaysUnderItsFloor reads wide and narrow selections in just the memory that the plan is told of.
func TestReadingStaysUnderItsFloor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.parquet")
	type text struct {
		A string `parquet:"a,dict"`
		B int64  `parquet:"b,dict"`
		C string `parquet:"c,plain"`
	}
	rows := make([]text, 200_000)
	for i := range rows {
		rows[i] = text{A: fmt.Sprint("value ", i), B: int64(i), C: fmt.Sprint(i)}
	}
	put(t, path, rows, pq.Compression(&pq.Zstd), pq.PageBufferSize(64<<10))
	tab := open(t, Spec{Paths: []string{path}})
	for _, cols := range [][]int{{0}, {1}, {2}, {0, 1, 2}} {
		const batches = 4 << 20
		pool := mem.NewPool(tab.ReadFloor(t.Context(), cols)+batches, mem.Protect())
		acct := pool.Account("test", 0)
		s, err := tab.Source(cols, nil, Reading{BatchRows: 1000}).Open(t.Context(), 0, acct)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			b, err := s.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("columns %v in %d bytes: %v", cols, pool.Limit(), err)
			}
			n += b.N
			b.Release()
		}
		if err := errors.Join(s.Close(), acct.Close(), pool.Close()); err != nil || n != len(rows) {
			t.Errorf("%d rows: %v", n, err)
		}
	}
}
