package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pqjoin/internal/testkit/ref"
	"pqjoin/monitor"
	"pqjoin/plan"
)

// TestJoinsGiveWhatDuckDBGives runs every join of testdata/golden/join, whose answers DuckDB made (make.py), all in one
// job, in memory and in small spilled pieces.
func TestJoinsGiveWhatDuckDBGives(t *testing.T) {
	const golden = "testdata/golden/join"
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
	for _, in := range []string{"l", "r", "e", "n"} {
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

// runGolden runs the job under a condition, at its floor where that gives no memory; its outputs lie in dir. It returns the sinks of
// the stages that spilled.
func runGolden(t *testing.T, dir, text string, cond condition) (spilled []string) {
	t.Helper()
	for _, d := range []string{"out", "spill"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	job, err := plan.Parse(filepath.Join(dir, "job.yaml"), []byte(text), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	board := monitor.NewBoard(cond.mem, time.Now)
	cfg := Config{
		FS: hasty(), Mem: cond.mem, Threads: cond.threads, SpillDir: filepath.Join(dir, "spill"), Version: "test",
		Board: board, Warn: func(string) {}, Tuning: cond.tuning,
	}
	if cond.mem == 0 {
		cfg.Mem = 1 << 40
		run, err := Open(context.Background(), job, cfg)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Mem = run.Floor()
	}
	run, err := Open(context.Background(), job, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, st := range board.Snapshot().Stages {
		if _, sink, _ := strings.Cut(st.Name, " -> "); st.Spilled > 0 {
			spilled = append(spilled, sink)
		}
	}
	return spilled
}
