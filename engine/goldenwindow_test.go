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

// TestWindowsGiveWhatDuckDBGives runs every case of testdata/golden/window, whose answers DuckDB and pandas made (make.py), all in
// one job, in memory and in small spilled pieces.
func TestWindowsGiveWhatDuckDBGives(t *testing.T) {
	const golden = "testdata/golden/window"
	inputs, err := filepath.Abs(golden)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(golden, "cases.txt"))
	if err != nil {
		t.Fatal(err)
	}
	text, outputs := "inputs:\n", "outputs:\n"
	for _, in := range []string{"l", "m", "e"} {
		text += fmt.Sprintf("  %s: %s\n", in, filepath.Join(inputs, in+".parquet"))
	}
	text += "tables:\n"
	ordered := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		ordered[f[0]] = f[1] == "ordered"
		text += fmt.Sprintf("  t_%s:\n    - from: %s\n    - %s\n", f[0], f[2], f[3])
		outputs += fmt.Sprintf("  t_%s: out/%s.parquet\n", f[0], f[0])
	}
	for _, cond := range []condition{plain, hard(2, 2, 3)} {
		dir := t.TempDir()
		runGolden(t, dir, text+outputs, cond)
		for name, inOrder := range ordered {
			want, got := &output{}, &output{}
			if err := want.read(context.Background(), filepath.Join(golden, name+".parquet")); err != nil {
				t.Fatal(err)
			}
			if err := got.read(context.Background(), filepath.Join(dir, "out", name+".parquet")); err != nil {
				t.Fatal(err)
			}
			answer := ref.New(want.schema, want.rows)
			for i, f := range want.schema.Fields { // the last bits of DuckDB's means are its own
				answer.Loose[i] = f.Type.IsFloat()
			}
			if err := compareTable(answer, got, inOrder); err != nil {
				t.Errorf("%s, %v: %v", name, cond, err)
			}
		}
	}
}
