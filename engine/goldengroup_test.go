package engine

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch/batchtest"
)

// TestAggregatesGiveWhatDuckDBGives runs every groupby of testdata/golden/groupby, whose answers DuckDB made (make.py),
// in memory and in small spilled pieces.
func TestAggregatesGiveWhatDuckDBGives(t *testing.T) {
	const golden = "testdata/golden/groupby"
	inputs, err := filepath.Abs(golden)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(golden, "cases.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		text := fmt.Sprintf("inputs:\n  %s: %s\ntables:\n  r:\n    - from: %s\n    - %s\noutputs:\n  r: out/r.parquet\n",
			f[1], filepath.Join(inputs, f[1]+".parquet"), f[1], f[2])
		want := &output{}
		if err := want.read(context.Background(), filepath.Join(golden, f[0]+".parquet")); err != nil {
			t.Fatal(err)
		}
		for _, cond := range []condition{plain, hard(2, 2, 3)} {
			dir := t.TempDir()
			runGolden(t, dir, text, cond)
			got := &output{}
			if err := got.read(context.Background(), filepath.Join(dir, "out", "r.parquet")); err != nil {
				t.Fatal(err)
			}
			if err := sameGroups(want, got); err != nil {
				t.Errorf("%s, %v: %v", f[0], cond, err)
			}
		}
	}
}

// sameGroups compares rows in order, doubles to 12 digits: DuckDB rounds on the way.
func sameGroups(want, got *output) error {
	if len(want.rows) != len(got.rows) {
		return fmt.Errorf("%d rows, want %d", len(got.rows), len(want.rows))
	}
	for i, f := range want.schema.Fields {
		if g := got.schema.Fields[i]; f.Name != g.Name || f.Type != g.Type {
			return fmt.Errorf("column %d is %s %s, want %s %s", i, g.Name, g.Type, f.Name, f.Type)
		}
	}
	for i := range want.rows {
		for c, w := range want.rows[i] {
			x, isFloat := w.(float64)
			y, too := got.rows[i][c].(float64)
			if isFloat && too && math.Abs(x-y) <= 1e-12*math.Abs(x) || batchtest.Same(w, got.rows[i][c]) {
				continue
			}
			return fmt.Errorf("row %d, %s: %v, want %v", i, want.schema.Fields[c].Name, got.rows[i][c], w)
		}
	}
	return nil
}
