package jsonl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/vfs"

	"github.com/google/go-cmp/cmp"
)

// duckTypes are DuckDB's names of the types that we infer.
var duckTypes = map[string]string{"int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN", "date": "DATE", "timestamp(us)": "TIMESTAMP", "decimal(20, 0)": "HUGEINT", "string": "VARCHAR"}

// TestReadsAsDuckDBDoes compares columns, types and values with what DuckDB made of the same files.
func TestReadsAsDuckDBDoes(t *testing.T) {
	text, err := os.ReadFile("testdata/golden/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Columns, Types []string
		Rows           [][]*string
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		f, err := Open(t.Context(), vfs.OS(), filepath.Join("testdata/golden", name), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var types []string
		for _, f := range f.Schema().Fields {
			types = append(types, duckTypes[f.Type.String()])
		}
		if d := cmp.Diff(w.Columns, f.Schema().Names()) + cmp.Diff(w.Types, types); d != "" {
			t.Errorf("%s: (-DuckDB +ours)\n%s", name, d)
		}
		got, err := rowsOf(f, all(f), 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var rows [][]string
		for _, r := range w.Rows {
			row := []string{}
			for i, v := range r {
				switch {
				case v == nil:
					row = append(row, "-")
				case w.Types[i] == "TIMESTAMP":
					row = append(row, strings.Replace(*v, " ", "T", 1))
				default:
					row = append(row, *v)
				}
			}
			rows = append(rows, row)
		}
		if d := cmp.Diff(rows, got); d != "" {
			t.Errorf("%s: (-DuckDB +ours)\n%s", name, d)
		}
	}
}
