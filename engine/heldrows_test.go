package engine

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/internal/testkit/jobgen"
	"pqjoin/tableio/publish"
)

// fewPass joins those of 40,000 rows that pass a condition with 60,000, by keys of which footers say nothing.
func fewPass(condition string) *jobgen.Case {
	left := table("t0", "k x", generated(40_000, func(i int64) []any { return []any{text(i % 50), i} })...)
	right := table("t1", "k y", generated(60_000, func(i int64) []any { return []any{text(i % 40), i % 7} })...)
	for _, in := range []*jobgen.Input{left, right} {
		in.RowGroupRows = 9_000
		in.Schema.Fields[0].Type = batch.Of(batch.String)
	}
	return &jobgen.Case{
		Inputs: []*jobgen.Input{left, right},
		Pipelines: []*jobgen.Pipeline{
			{Name: "j", From: "t0", Verbs: []string{"where: " + condition, "compute: {z: x * 2}", "join: {with: t1, on: k, how: inner}"}},
			{Name: "r", From: "j", Verbs: []string{"groupby: {by: k, agg: {n: count(), x: sum(x), z: max(z), y: sum(y), s: sum(x * y)}}"}},
		},
		Outputs: []*jobgen.Output{{Label: "r", Table: "r", Path: "out/r.parquet"}},
	}
}

func TestFewRowsThatAnEstimateReadAreNotReadAgain(t *testing.T) {
	const atFloor = -1
	for _, tc := range []struct {
		condition string
		tuning    Tuning
		held      bool
	}{
		{"x % 1000 = 7", Tuning{}, true},
		{"x % 1000 = 7", Tuning{BatchRows: 100}, true},
		{"x > 39990", Tuning{}, true},
		{"x > 39900", Tuning{BatchRows: 3}, false}, // all of the first batches

		{"x < 0", Tuning{}, true},
		{"x % 4 = 1", Tuning{BatchRows: 100}, false},   // too many of the first batches
		{"x % 1000 = 7", Tuning{Pool: atFloor}, false}, // no memory to spare
		{"x % 1000 = 7 and x * 2 > 5", Tuning{}, true}, // computed from what is read
		{"x % 1000 = 7", Tuning{Resident: -1, Partitions: 3, Squeeze: 1}, true},
	} {
		c := fewPass(tc.condition)
		dir := written(t, c)
		tc.tuning.Protect = true
		if tc.tuning.Pool == atFloor {
			tc.tuning.Pool = open(t, c, dir, Config{Threads: 2}).need.floor()
		}
		run := open(t, c, dir, Config{Threads: 2, Tuning: tc.tuning})
		if err := run.Preflight(context.Background()); err != nil {
			t.Fatalf("%s: %v", tc.condition, err)
		}
		if held := len(run.held) > 0; held != tc.held || held != (run.setAside > 0) {
			t.Errorf("where %s, %+v: held %v, %d bytes set aside", tc.condition, tc.tuning, held, run.setAside)
		}
		if _, err := run.Execute(context.Background()); err != nil {
			t.Fatalf("%s: %v", tc.condition, err)
		}
		if len(run.held) > 0 || run.setAside != 0 {
			t.Errorf("where %s: rows are held after the run", tc.condition)
		}
		got, err := readOutput(context.Background(), run.Plan().Outputs[0])
		if err != nil {
			t.Fatal(err)
		}
		plainly, err := runCase(c, written(t, c), plain)
		if err != nil || plainly.err != nil {
			t.Fatal(err, plainly.err)
		}
		if d := cmp.Diff(plainly.outputs["r"].rows, got.rows); d != "" {
			t.Errorf("where %s, %+v: %s", tc.condition, tc.tuning, d)
		}
	}
}

// bothFewPass is fewPass with a condition on the right side, too.
func bothFewPass() *jobgen.Case {
	c := fewPass("x % 1000 = 7")
	c.Pipelines = append([]*jobgen.Pipeline{{Name: "u", From: "t1", Verbs: []string{"where: len(k) = 32"}}}, c.Pipelines...)
	c.Pipelines[1].Verbs[2] = "join: {with: u, on: k, how: inner}"
	return c
}

func TestNoRunIsRefusedForRowsThatAreHeld(t *testing.T) {
	c := bothFewPass()
	floor := open(t, c, written(t, c), Config{Threads: 1}).need.floor()
	ctx := context.Background()
	for part, sides := range map[int64]int{28: 2, 29: 1} { // of 32: with 29, one side's rows leave the floor, and both sides' would not
		run := open(t, c, written(t, c), Config{Threads: 1, Tuning: Tuning{Pool: floor * 32 / part, Protect: true}})
		if err := run.Preflight(ctx); err != nil {
			t.Fatalf("%d: %v", part, err)
		}
		if len(run.held) != sides {
			t.Errorf("%d: the rows of %d sides are held, want %d", part, len(run.held), sides)
		}
		if run.need.reader += 2 << 20; sides == 2 { // another plan's
			if run.divide(); run.short != nil || len(run.held) > 0 || run.setAside != 0 {
				t.Errorf("a plan that needs more: %v, and %d bytes are set aside", run.short, run.setAside)
			}
		}
		if _, err := run.Execute(ctx); err != nil {
			t.Fatalf("%d: %v", part, err)
		}
	}
}

func TestARunThatIsNotBegunHoldsNoRows(t *testing.T) {
	c := fewPass("x % 1000 = 7")
	run := open(t, c, written(t, c), Config{Threads: 1})
	if err := run.Preflight(context.Background()); err != nil || len(run.held) == 0 {
		t.Fatal(err, len(run.held))
	}
	if err := os.MkdirAll(run.Plan().Outputs[0].Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Execute(context.Background()); !errors.Is(err, publish.ErrExists) {
		t.Error(err)
	}
	if len(run.held) > 0 || run.setAside != 0 {
		t.Error("rows are held")
	}
}

func TestARowThatFailsWhileAnEstimateReadsItIsToldByTheRun(t *testing.T) {
	c := fewPass("x % 1000 = 7")
	c.Pipelines[0].Verbs[1] = "compute: {z: 5 // (x - 3007)}"
	var told []string
	for _, preflight := range []bool{false, true} {
		got, err := runCase(c, written(t, c), condition{threads: 1, mem: 512 << 20, preflight: preflight, tuning: Tuning{Protect: true}})
		if err != nil {
			t.Fatal(err)
		}
		if got.err == nil {
			t.Fatal("a division by zero was let pass")
		}
		told = append(told, got.err.Error())
	}
	if !strings.Contains(told[0], "5 // (x - 3007)") || strings.Contains(told[1], "estimate") {
		t.Errorf("told %q without an estimate, %q with one", told[0], told[1])
	}
}
