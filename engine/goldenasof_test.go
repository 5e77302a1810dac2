package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/testkit/ref"
)

// TestAsofJoinsGiveWhatPandasAndDuckDBGive runs every join of testdata/golden/asof, whose answers pandas and DuckDB made (make.py), all in
// one job, in memory and in small spilled pieces.
func TestAsofJoinsGiveWhatPandasAndDuckDBGive(t *testing.T) {
	const golden = "testdata/golden/asof"
	inputs, err := filepath.Abs(golden)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(golden, "cases.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var tables, outputs strings.Builder
	var names []string
	for line := range strings.Lines(string(list)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		names = append(names, f[0])
		fmt.Fprintf(&tables, "  t_%s:\n    - from: %s\n    - %s\n", f[0], f[1], f[2])
		fmt.Fprintf(&outputs, "  t_%s: out/%s.parquet\n", f[0], f[0])
	}
	text := "inputs:\n"
	for _, in := range []string{"l", "r", "tied", "none"} {
		text += fmt.Sprintf("  %s: %s\n", in, filepath.Join(inputs, in+".parquet"))
	}
	text += "tables:\n" + tables.String() + "outputs:\n" + outputs.String()
	for _, cond := range []condition{plain, hard(2, 2, 3)} {
		dir := t.TempDir()
		runGolden(t, dir, text, cond)
		for _, name := range names {
			want, got := &output{}, &output{}
			if err := want.read(context.Background(), filepath.Join(golden, name+".parquet")); err != nil {
				t.Fatal(err)
			}
			if err := got.read(context.Background(), filepath.Join(dir, "out", name+".parquet")); err != nil {
				t.Fatal(err)
			}
			if err := compareTable(ref.New(want.schema, want.rows), got, false); err != nil {
				t.Errorf("%s, %v: %v", name, cond, err)
			}
		}
	}
}
