package tableio

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"

	"github.com/google/go-cmp/cmp"
)

// writeRows writes rows, in batches of n, to a new folder.
func writeRows(t *testing.T, s *batch.Schema, rows [][]any, n int, o WriterOptions) (dir string, sum Summary, err error) {
	t.Helper()
	pool := mem.NewPool(256<<20, mem.Protect())
	o.Acct = pool.Account("test", 0)
	if o.Format == "" {
		o.Format = Parquet
	}
	dir = t.TempDir()
	w, err := Create(t.Context(), vfs.OS(), dir, true, s, o)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := range slices.Chunk(rows, n) {
		b, err := batchtest.Batch(o.Acct, s, chunk, func(c int) batchtest.Layout { return batchtest.Layout(c % int(batchtest.Layouts)) })
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(t.Context(), b); err != nil {
			w.Abort()
			return dir, sum, errors.Join(err, o.Acct.Close(), pool.Close())
		}
	}
	sum, err = w.Close(t.Context())
	w.Abort()
	return dir, sum, errors.Join(err, o.Acct.Close(), pool.Close())
}

// filesBelow returns the files of a folder, as paths from it.
func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestValuesNameDirectories(t *testing.T) {
	for _, c := range []struct {
		t    batch.Type
		v    any
		want string
	}{
		{batch.Of(batch.Int64), int64(math.MinInt64), "-9223372036854775808"},
		{batch.Of(batch.Uint64), int64(-1), "18446744073709551615"},
		{batch.Of(batch.Bool), true, "true"},
		{batch.Of(batch.Float64), math.Copysign(0, -1), "0.0"},
		{batch.Of(batch.Float64), math.NaN(), "nan"},
		{batch.Of(batch.Float64), math.Inf(-1), "-inf"},
		{batch.Of(batch.Float64), 1e300, "1e+300"},
		{batch.Of(batch.Date), int64(19723), "2024-01-01"},
		{batch.TimestampOf(batch.Milli, false), int64(1704067200500), "2024-01-01%2000%3A00%3A00.5"},
		{batch.DecimalOf(30, 2), batch.Int128Of(-5), "-0.05"},
		{batch.Of(batch.String), nil, "__HIVE_DEFAULT_PARTITION__"},
		{batch.Of(batch.String), "", ""},
		{batch.Of(batch.String), "..", ".."},
		{batch.Of(batch.String), ".", "."},
		{batch.Of(batch.String), "/", "%2F"},
		{batch.Of(batch.String), "\x00", "%00"},
		{batch.Of(batch.String), "a/b=c%d", "a%2Fb%3Dc%25d"},
		{batch.Of(batch.String), "../../etc", "..%2F..%2Fetc"},
		{batch.Of(batch.String), "\x00\x01\n\x7f\\*?[", "%00%01%0A%7F%5C%2A%3F%5B"},
		{batch.Of(batch.String), "Größe 1", "Größe%201"},
		{batch.Of(batch.String), "\xff", "%FF"},
	} {
		s := batch.NewSchema(batch.Field{Name: "k", Type: c.t, Nullable: true}, batch.Field{Name: "x", Type: batch.Of(batch.Int64)})
		dir, _, err := writeRows(t, s, [][]any{{c.v, int64(1)}}, 10, WriterOptions{PartitionBy: []int{0}})
		if err != nil {
			t.Errorf("%v: %v", c.v, err)
			continue
		}
		if got := filesBelow(t, dir); len(got) != 1 || got[0] != "k="+c.want+"/part-00000.parquet" {
			t.Errorf("%v: %v", c.v, got)
		}
		if strings.Contains(c.want, "%FF") {
			continue
		}
		tab := open(t, Spec{Paths: []string{dir}, Types: map[string]batch.Type{"k": c.t}})
		src := tab.Source([]int{1}, nil, Reading{})
		st, err := src.Open(t.Context(), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := st.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := batchtest.Rows(b)[0][0]; !batchtest.Same(got, c.v) && got != 0.0 {
			t.Errorf("%v is read back as %v", c.v, got)
		}
		b.Release()
		_ = st.Close()
	}
}

func TestValuesThatNameNoDirectory(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.String)}, batch.Field{Name: "x", Type: batch.Of(batch.Int64)})
	for value, want := range map[string]string{
		strings.Repeat("x", 253): "",
		strings.Repeat("x", 254): "column k: the directory of the value \"" + strings.Repeat("x", 40) + "\"... would have a name of 256 bytes, and 255 fit",
		strings.Repeat("/", 300): "would have a name of 902 bytes",
		HiveNull:                 "column k: the text __HIVE_DEFAULT_PARTITION__ is how directories name null",
	} {
		_, _, err := writeRows(t, s, [][]any{{value, int64(1)}}, 10, WriterOptions{PartitionBy: []int{0}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.20s: %v", value, err)
		}
	}
}

func TestTheCounterOfPartitionsGivesUpAsTheWriterDoes(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	keys := make([]int64, maxFiles+1)
	for i := range keys {
		keys[i] = int64(i)
	}
	ints := func(v []int64) *batch.Batch {
		return &batch.Batch{Schema: s, N: len(v), Cols: []*batch.Column{{Type: batch.Of(batch.Int64), N: len(v), Fixed: batch.BytesOf(v)}}}
	}
	c := NewPartitionCounter(s, []int{0})
	if err := c.Count(ints(keys[:maxFiles])); err != nil || len(c.Rows) != maxFiles {
		t.Fatalf("%d partitions: %v", len(c.Rows), err)
	}
	if err := c.Count(ints(keys[maxFiles-1 : maxFiles])); err != nil || c.Rows[maxFiles-1] != 2 {
		t.Errorf("a row more of the last one: %v", err)
	}
	if err := c.Count(ints(keys[maxFiles:])); !errors.Is(err, ErrPartitions) || len(c.Rows) != maxFiles {
		t.Errorf("one more: %v", err)
	}
}

func TestPartitionsHoldTheirRowsInOrder(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "x", Type: batch.Of(batch.Int64)}, batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "l", Type: batch.Of(batch.String)})
	var rows [][]any
	var want []string
	for k := range 7 {
		for l := range 3 {
			for x := range 50 * (k + 1) {
				rows = append(rows, []any{int64(x), int64(k), fmt.Sprint("l", l)})
				want = append(want, fmt.Sprintf("%d %d l%d", x, k, l))
			}
		}
	}
	for _, n := range []int{1, 7, 1000} {
		for _, format := range []string{Parquet, CSV} {
			o := WriterOptions{Format: format, PartitionBy: []int{1, 2}}
			o.SortKeys, o.FileRows = []batch.SortKey{{Column: 1}, {Column: 2}, {Column: 0}}, 100
			if n == 1 && format == Parquet {
				o.FileRows, o.FileCount = 0, 3
				for k := range 7 {
					o.PartitionRows = append(o.PartitionRows, int64(50*(k+1)), int64(50*(k+1)), int64(50*(k+1)))
				}
			}
			dir, sum, err := writeRows(t, s, rows, n, o)
			if err != nil {
				t.Fatal(err)
			}
			files := filesBelow(t, dir)
			if want := map[bool]int{true: 63, false: 3 * (1 + 1 + 2 + 2 + 3 + 3 + 4)}[o.FileCount > 0]; len(files) != want || sum.Files != want || sum.Rows != int64(len(rows)) {
				t.Errorf("batches of %d, %s: %d files, said to be %d with %d rows; want %d", n, format, len(files), sum.Files, sum.Rows, want)
			}
			tab := open(t, Spec{Paths: []string{dir}, Base: dir})
			if d := cmp.Diff(want, rowsOf(t, tab, []int{0, 1, 2}, nil)); d != "" {
				t.Errorf("batches of %d, %s: %s", n, format, d)
			}
			if format == Parquet {
				if f := tab.files[0].(parquetFile); len(f.RowGroups()) != 1 {
					t.Errorf("%d row groups in a small partition", len(f.RowGroups()))
				}
			}
		}
	}
}

func TestNoRowsAreOneFileWithAllColumns(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: batch.Of(batch.Int64)})
	o := WriterOptions{PartitionBy: []int{0}}
	o.FileCount = 4
	dir, sum, err := writeRows(t, s, nil, 10, o)
	if err != nil || sum.Files != 1 {
		t.Fatal(sum, err)
	}
	tab := open(t, Spec{Paths: []string{dir}})
	if got := tab.Schema().Names(); !slices.Equal(got, []string{"k", "x"}) || tab.Rows() != 0 {
		t.Errorf("%v, %d rows", got, tab.Rows())
	}
}

func TestPartitionedBytesDoNotDependOnBatches(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: batch.Of(batch.String), Nullable: true})
	var rows [][]any
	for i := range 3000 {
		rows = append(rows, []any{int64(i / 700), fmt.Sprint("v", i*i%977)})
	}
	var first map[string]string
	for _, n := range []int{1, 13, 3000} {
		dir, _, err := writeRows(t, s, rows, n, WriterOptions{PartitionBy: []int{0}, WriterOptions: parquet.WriterOptions{RowGroupRows: 200, Bloom: []int{1}}})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range filesBelow(t, dir) {
			raw, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			got[f] = string(raw)
		}
		if first == nil {
			first = got
		} else if !cmp.Equal(first, got) {
			t.Errorf("batches of %d rows make other files", n)
		}
	}
}
