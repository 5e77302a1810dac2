package text_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/csv"
	"pqjoin/tableio/text"

	"github.com/google/go-cmp/cmp"
)

// keys writes the values, in batches of step rows, and returns what each part file has.
func keys(t *testing.T, values []int64, step int, o text.WriterOptions) []string {
	t.Helper()
	pool := mem.NewPool(16<<20, mem.Protect())
	o.Acct, o.Extension = pool.Account("test", 0), ".csv"
	dir := t.TempDir()
	schema := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	enc, err := csv.NewEncoder(schema, ',')
	if err != nil {
		t.Fatal(err)
	}
	w, err := text.NewWriter(vfs.OS(), dir, true, enc, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for i := 0; i < len(values); i += step {
		part := values[i:min(i+step, len(values))]
		c, err := batch.NewFixed(o.Acct, schema.Fields[0].Type, len(part))
		if err != nil {
			t.Fatal(err)
		}
		copy(c.Int64s(), part)
		if err := w.Write(t.Context(), &batch.Batch{Schema: schema, Cols: []*batch.Column{c}, N: len(part)}); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := w.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "part-*.csv"))
	if err != nil || len(names) != sum.Files || sum.Rows != int64(len(values)) {
		t.Fatal(names, sum, err)
	}
	var out []string
	for _, n := range names {
		body, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.ReplaceAll(strings.TrimPrefix(string(body), "k\n"), "\n", " "))
	}
	if err := errors.Join(o.Acct.Close(), pool.Close()); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFilesAreCutBetweenKeys(t *testing.T) {
	sorted := []batch.SortKey{{Column: 0}}
	for _, c := range []struct {
		name   string
		values []int64
		opts   text.WriterOptions
		want   []string
	}{
		{"by rows", []int64{1, 2, 3, 4, 5}, text.WriterOptions{FileRows: 2}, []string{"1 2 ", "3 4 ", "5 "}},
		{"a number of files", []int64{1, 2, 3, 4, 5}, text.WriterOptions{FileCount: 2, TotalRows: 5}, []string{"1 2 3 ", "4 5 "}},
		{"between keys", []int64{1, 1, 1, 2, 2, 3}, text.WriterOptions{FileRows: 2, SortKeys: sorted}, []string{"1 1 1 ", "2 2 ", "3 "}},
		{"unless a key outgrows a file", []int64{1, 1, 1, 1, 1, 2}, text.WriterOptions{FileRows: 2, SortKeys: sorted}, []string{"1 1 1 1 ", "1 2 "}},
		{"by size", []int64{100, 200, 300}, text.WriterOptions{FileSize: 9}, []string{"100 200 ", "300 "}},
		{"no rows", nil, text.WriterOptions{}, []string{""}},
	} {
		for step := 1; step < 4; step++ {
			if d := cmp.Diff(c.want, keys(t, c.values, step, c.opts)); d != "" {
				t.Errorf("%s, batches of %d: %s", c.name, step, d)
			}
		}
	}
}
