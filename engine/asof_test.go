package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/internal/testkit/jobgen"
)

// timed is an input of rows in random order: k of few, ts of ticks many, and the row's number.
func timed(name string, rows, keys, ticks int, seed uint64) *jobgen.Input {
	r := rand.New(rand.NewPCG(seed, 1))
	in := &jobgen.Input{Name: name, Files: 3, RowGroupRows: 20_000, Schema: batch.NewSchema(
		batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "ts", Type: batch.Of(batch.Int64)}, batch.Field{Name: name, Type: batch.Of(batch.Int64)})}
	for i := range rows {
		in.Rows = append(in.Rows, []any{int64(r.IntN(keys)), int64(r.IntN(ticks)), int64(i)})
	}
	return in
}

func asofCase(left, right *jobgen.Input, verbs ...string) *jobgen.Case {
	return &jobgen.Case{
		Inputs:    []*jobgen.Input{left, right},
		Pipelines: []*jobgen.Pipeline{{Name: "t", From: left.Name, Verbs: verbs}},
		Outputs:   []*jobgen.Output{{Label: "o", Table: "t", Path: "out/o/"}},
	}
}

// TestAsofJoinOfOneGroupBeyondMemory joins 60,000 left rows with 120,000 right rows of one key, which have 40 different times, at the
// job's floor and spilling all the time: every tie, and the group, is larger than what a worker may load.
func TestAsofJoinOfOneGroupBeyondMemory(t *testing.T) {
	left, right := timed("l", 60_000, 1, 60, 1), timed("r", 120_000, 1, 40, 2)
	for i := range right.Rows { // none before 10: no left row before it has a match behind it
		right.Rows[i][1] = right.Rows[i][1].(int64) + 10
	}
	ends := map[int64][2]int64{} // by time: the first right row and the last
	for i, row := range right.Rows {
		ts := row[1].(int64)
		if _, ok := ends[ts]; !ok {
			ends[ts] = [2]int64{int64(i), 0}
		}
		ends[ts] = [2]int64{ends[ts][0], int64(i)}
	}
	for _, direction := range []string{"backward", "forward", "nearest"} {
		c := asofCase(left, right, "join: {with: r, how: asof, asof: {on: ts, by: k, direction: "+direction+"}}")
		dir := written(t, c)
		for _, tuning := range []Tuning{{Protect: true, Squeeze: 1, Load: 256 << 10}, {Protect: true, Squeeze: 1, Partitions: 1, Load: 256 << 10}} {
			mem, err := floorOf(c, dir, condition{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := runCase(c, dir, condition{threads: 2, mem: mem, tuning: tuning})
			if err != nil || got.err != nil {
				t.Fatal(direction, err, got)
			}
			if n := len(got.outputs["o"].rows); n != len(left.Rows) {
				t.Fatalf("%s: %d rows", direction, n)
			}
			for _, row := range got.outputs["o"].rows {
				ts, want := row[1].(int64), any(nil)
				switch {
				case direction == "backward" && ts >= 10:
					want = ends[min(ts, 49)][1]
				case direction == "forward" && ts <= 49:
					want = ends[max(ts, 10)][0]
				case direction == "nearest" && ts >= 10:
					want = ends[min(ts, 49)][1]
				case direction == "nearest":
					want = ends[10][0]
				}
				if row[3] != want {
					t.Fatalf("%s of %v: %v, want %v", direction, ts, row[3], want)
				}
			}
			spilled := map[string]bool{}
			for _, st := range got.board.Stages {
				spilled[st.Name] = st.Spilled > 0
			}
			if !spilled["l -> left side of as-of join on k, ts"] || !spilled["r -> right side of as-of join on k, ts"] {
				t.Errorf("%s: not spilled: %v", direction, spilled)
			}
		}
	}
}

// TestAsofJoinSortsOnce joins tables that are indexed by the keys, which takes no sort of their own, and compares with an index afterwards.
func TestAsofJoinSortsOnce(t *testing.T) {
	for _, index := range []string{"index: [k, ts]", "index: [ts, k]", "index: ts desc", "index: [k, ts, l]"} {
		left, right := timed("l", 3000, 5, 300, 3), timed("r", 2000, 5, 300, 4)
		join := "join: {with: s, how: asof, asof: {on: ts, by: k}, indicator: side}"
		c := asofCase(left, right, index, join)
		c.Pipelines = slices.Insert(c.Pipelines, 0, &jobgen.Pipeline{Name: "s", From: "r", Verbs: []string{"index: [k, ts]"}})
		c.Pipelines = append(c.Pipelines, &jobgen.Pipeline{Name: "u", From: "l", Verbs: []string{join, index}})
		c.Outputs = append(c.Outputs, &jobgen.Output{Label: "p", Table: "u", Path: "out/p/"})
		dir := written(t, c)
		for _, cond := range []condition{plain, hard(2, 100, 5)} {
			got, err := runCase(c, dir, cond)
			if err != nil || got.err != nil {
				t.Fatal(err, got)
			}
			if diff := cmp.Diff(fmt.Sprint(got.outputs["p"].rows), fmt.Sprint(got.outputs["o"].rows)); diff != "" {
				t.Errorf("%s, %v: the join of an indexed table is not the indexed join: %.300s", index, cond, diff)
			}
		}
	}
}

// TestPreflightKnowsWhatAnAsofJoinSpills: both sides go to stores, and the result too where the left's order is restored.
func TestPreflightKnowsWhatAnAsofJoinSpills(t *testing.T) {
	left, right := timed("l", 3000, 4, 500, 1), timed("r", 2000, 4, 500, 2)
	for _, before := range [][]string{nil, {"index: l"}} {
		c := asofCase(left, right, append(before, "join: {with: r, how: asof, asof: {on: ts, by: k}}")...)
		run := open(t, c, written(t, c), Config{SpillLimit: 1})
		want, sides := int64(0), int64(0)
		for _, p := range run.nodes {
			switch {
			case p.strategy == joinAsof && p.rowNumber:
				sides = p.in[0].stored() + p.in[1].stored()
				want += sides + p.stored()
			case p.strategy == joinAsof:
				sides = p.in[0].stored() + p.in[1].stored()
				want += sides
			case p.strategy == externalSort:
				want += p.in[0].stored()
			}
		}
		run.share.Fixed = run.share.Pool // nothing may stay in memory
		if got := run.Spill(); sides == 0 || got != want || before != nil && got <= sides {
			t.Errorf("after %v: %d bytes are spilled, want %d", before, got, want)
		}
		err := run.Preflight(t.Context())
		if !errors.Is(err, ErrRefused) {
			t.Fatalf("after %v: %v", before, err)
		}
		mentions(t, err, "spill")
	}
}

// TestAsofJoinOfWideRightRowsRunsAtItsFloor: what lies at the ends of ranges is in the floor, and bounds how many there are.
func TestAsofJoinOfWideRightRowsRunsAtItsFloor(t *testing.T) {
	left, right := timed("l", 4000, 3, 900, 1), timed("r", 600, 3, 900, 2)
	right.Schema.Fields = append(right.Schema.Fields, batch.Field{Name: "long", Type: batch.Of(batch.String)})
	for i := range right.Rows {
		right.Rows[i] = append(right.Rows[i], strings.Repeat(string(rune('a'+i%26)), 60_000))
	}
	c := asofCase(left, right, "join: {with: r, how: asof, asof: {on: ts, by: k, direction: nearest}}", "compute: {n: length(long)}", "drop: long")
	dir := written(t, c)
	mem, err := floorOf(c, dir, condition{})
	if err != nil {
		t.Fatal(err)
	}
	run := open(t, c, dir, Config{Mem: mem})
	for _, p := range run.nodes {
		if p.strategy != joinAsof {
			continue
		}
		if ranges := run.share.asofRanges(p); ranges < leastRanges || asofState(p, ranges) > max(run.share.Tails/4, asofState(p, leastRanges)) {
			t.Errorf("%d ranges take %d bytes", ranges, asofState(p, ranges))
		}
		if run.need.states < asofState(p, leastRanges) {
			t.Errorf("the floor has %d bytes for the ends of ranges", run.need.states)
		}
	}
	got, err := runCase(c, dir, condition{threads: 2, mem: mem, tuning: Tuning{Protect: true, Squeeze: 1}})
	if err != nil || got.err != nil {
		t.Fatal(err, got.err)
	}
	if n := len(got.outputs["o"].rows); n != len(left.Rows) {
		t.Errorf("%d rows", n)
	}
}
