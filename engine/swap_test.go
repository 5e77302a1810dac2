package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/plan"
)

// lopsided joins few rows with many.
func lopsided(verbs ...string) *jobgen.Case {
	left := table("t0", "k x", generated(40, func(i int64) []any { return []any{i % 20, i} })...)
	right := table("t1", "k y", generated(4000, func(i int64) []any { return []any{i % 400, i * 3} })...)
	return &jobgen.Case{
		Inputs:    []*jobgen.Input{left, right},
		Pipelines: []*jobgen.Pipeline{{Name: "r", From: "t0", Verbs: verbs}},
		Outputs:   []*jobgen.Output{{Label: "r", Table: "r", Path: "out/r.parquet"}},
	}
}

func swaps(r *Run) bool {
	for n, p := range r.nodes {
		if _, ok := n.Op.(*plan.Join); ok && p.swap != nil {
			return true
		}
	}
	return false
}

func TestTheSmallerSideOfAnInnerJoinBecomesTheTable(t *testing.T) {
	join := "join: {with: t1, on: k, how: inner}"
	for _, c := range []struct {
		verbs string
		swap  bool
	}{
		{join, true},
		{"join: {with: t1, on: k, how: inner, strategy: hash}", false},
		{"join: {with: t1, on: k, how: inner, validate: 'm:m'}", true},
		{"join: {with: t1, on: k, how: inner, validate: '1:m'}", false},
		{"join: {with: t1, on: k, how: left}", false},
		{"where: x >= 0; " + join, false}, // how many rows pass is a guess
		{"index: k; " + join, false},
		{join + "; head: 5", false},
	} {
		if got := swaps(opened(t, lopsided(strings.Split(c.verbs, "; ")...))); got != c.swap {
			t.Errorf("%s: changes sides: %v", c.verbs, got)
		}
	}
}

func TestAJoinWithChangedSidesHasTheSameRows(t *testing.T) {
	var want [][]any
	for x := range int64(40) {
		for y := x % 20; y < 4000; y += 400 {
			want = append(want, []any{x % 20, x, y * 3})
		}
	}
	for _, tuning := range []Tuning{{Protect: true}, {Protect: true, Resident: -1}} {
		c := lopsided("join: {with: t1, on: k, how: inner}", "index: [x, y]")
		c.Inputs[0].Schema.Fields[0].Nullable = true
		c.Inputs[0].Rows = append(c.Inputs[0].Rows, []any{nil, int64(100)})
		got, err := runCase(c, written(t, c), condition{threads: 2, mem: 512 << 20, preflight: true, tuning: tuning})
		if err != nil || got.err != nil {
			t.Fatal(err, got.err)
		}
		if d := cmp.Diff(want, got.outputs["r"].rows); d != "" {
			t.Error(d)
		}
	}
}
