package engine

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/internal/testkit/jobgen"
	"pqjoin/plan"
)

// multiplying is a join of 40,000 rows with 40,000, of 4 keys each, into 400 million, and groups of it.
func multiplying(key func(i int64) any, how string) *jobgen.Case {
	left := table("t0", "k x", generated(40_000, func(i int64) []any { return []any{key(i % 4), i} })...)
	right := table("t1", "k y", generated(40_000, func(i int64) []any { return []any{key(i%4 + 1), i % 7} })...)
	for _, in := range []*jobgen.Input{left, right} {
		in.RowGroupRows = 0
		if _, text := key(0).(string); text {
			in.Schema.Fields[0].Type = batch.Of(batch.String)
		}
	}
	return &jobgen.Case{
		Inputs: []*jobgen.Input{left, right},
		Pipelines: []*jobgen.Pipeline{
			{Name: "j", From: "t0", Verbs: []string{"join: {with: t1, on: k, how: " + how + "}"}},
			{Name: "r", From: "j", Verbs: []string{"groupby: {by: k, agg: {n: count(), c: count(y), x: sum(x), y: sum(y), least: min(x)}}"}},
		},
		Outputs: []*jobgen.Output{{Label: "r", Table: "r", Path: "out/r.parquet"}},
	}
}

// opened opens the case's job under the plainest condition.
func opened(t *testing.T, c *jobgen.Case) *Run {
	t.Helper()
	job, err := c.Parse(written(t, c))
	if err != nil {
		t.Fatal(err)
	}
	run, err := Open(context.Background(), job, Config{FS: hasty(), Mem: 512 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func aggregatesBefore(r *Run) bool {
	return slices.ContainsFunc(r.plan.Nodes, func(n *plan.Node) bool {
		op, ok := n.Op.(*plan.Join)
		return ok && op.Whole != nil
	})
}

func whole(i int64) any { return i }

// text is a key of whose number nothing is known from footers.
func text(i int64) any { return strings.Repeat("key ", int(i)+1) }

func TestRowsOfAJoinThatAreOnlyAddedUpAreNotMade(t *testing.T) {
	for _, key := range []func(int64) any{whole, text} {
		c := multiplying(key, "left")
		got, err := runCase(c, written(t, c), condition{threads: 2, mem: 512 << 20, preflight: true, tuning: Tuning{Protect: true}})
		if err != nil || got.err != nil {
			t.Fatal(err, got.err)
		}
		var want [][]any
		for k := range int64(4) {
			n, c, x, y := int64(10_000), int64(0), int64(0), any(nil)
			for i := k; i < 40_000; i += 4 {
				x += i
			}
			if k > 0 { // the left's key 0 has no match
				n, c, x = n*10_000, 100_000_000, x*10_000
				sum := int64(0)
				for i := k - 1; i < 40_000; i += 4 {
					sum += i % 7
				}
				y = sum * 10_000
			}
			want = append(want, []any{key(k), n, c, x, y, k})
		}
		if d := cmp.Diff(want, got.outputs["r"].rows); d != "" {
			t.Error(d)
		}
	}
}

func TestPlanSaysWhatIsNotMade(t *testing.T) {
	run := opened(t, multiplying(whole, "inner"))
	if err := run.Preflight(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, n := range run.Plan().Nodes {
		if _, ok := n.Op.(*plan.Join); ok {
			if _, err := run.Count(context.Background(), n); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out bytes.Buffer
	x := run.Explain()
	if err := x.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"in table j: 300,000,000 rows", "these rows are not made", "aggregate before the join", "table j ", "table r "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if j := x.Joins[0]; j.Rows != 300_000_000 || !j.Exact || j.Groups == nil || *j.Groups > 10 {
		t.Errorf("%+v", j)
	}
	n, err := run.Table("j")
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Schema.Names(); !slices.Equal(got, []string{"k", "x", "y"}) {
		t.Errorf("the joined table has the columns %v", got)
	}
}

func TestRowsAreJoinedWhereAggregatingSavesLittle(t *testing.T) {
	unique := func(key func(int64) any) *jobgen.Case {
		c := multiplying(key, "inner")
		for i := range c.Inputs[1].Rows {
			c.Inputs[1].Rows[i][0] = key(int64(i))
		}
		return c
	}
	sparse := func(i int64) any { return i * 1_000_003 }
	for name, c := range map[string]*jobgen.Case{"dense": unique(whole), "sparse": unique(sparse)} {
		for i := range c.Inputs[0].Rows {
			c.Inputs[0].Rows[i][0] = c.Inputs[1].Rows[i*7%40_000][0]
		}
		run := opened(t, c)
		if err := run.Preflight(context.Background()); err != nil {
			t.Fatal(err)
		}
		if aggregatesBefore(run) {
			t.Errorf("%s keys, each once on the right: aggregated before the join", name)
		}
	}
}

func TestAJoinOfUnknownKeysIsJudgedByASketch(t *testing.T) {
	run := opened(t, multiplying(text, "inner"))
	if aggregatesBefore(run) {
		t.Fatal("aggregated before the join on a guess")
	}
	if err := run.Preflight(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !aggregatesBefore(run) {
		t.Fatal("300 million rows are made")
	}
}

func TestRulesOutliveAPlanThatAggregatesBeforeAJoinAfterAll(t *testing.T) {
	c := multiplying(text, "inner")
	c.Pipelines[1].Verbs = append(c.Pipelines[1].Verbs, "check: {expect: [\"n < 0\"], on_fail: warn}", "check: {unique: [k]}")
	var warned []string
	run := open(t, c, written(t, c), Config{Warn: func(text string) { warned = append(warned, text) }})
	if err := run.Preflight(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !aggregatesBefore(run) {
		t.Fatal("300 million rows are made")
	}
	if _, err := run.Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]RuleState{RuleWarned, RulePassed}, states(run)); diff != "" {
		t.Error(diff)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "expect n < 0: 3 rows") {
		t.Errorf("warnings: %q", warned)
	}
}
