package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/testkit/jobgen"
)

// sketchOf sketches a side in which key k occurs freq(k) times.
func sketchOf(keys int, freq func(k int) int) *keySketch {
	s := newKeySketch(true)
	r := rand.New(rand.NewPCG(1, 2))
	for k := range keys {
		h := r.Uint64()
		for range freq(k) {
			s.add([]uint64{h})
		}
	}
	return s
}

func TestSketchEstimatesRowsOfAJoin(t *testing.T) {
	one := func(int) int { return 1 }
	for name, c := range map[string]struct {
		keys        int
		left, right func(k int) int
	}{
		"unique on both sides": {300_000, one, one},
		"many to one":          {50_000, func(k int) int { return k % 12 }, one},
		"nothing in common":    {100_000, func(k int) int { return k % 2 }, func(k int) int { return 1 - k%2 }},
		"one heavy key":        {100_000, func(k int) int { return 1 + 40_000/(1+k) }, func(k int) int { return 1 + 20_000/(1+k) }},
	} {
		want := int64(0)
		for k := range c.keys {
			want += int64(c.left(k) * c.right(k))
		}
		got := sketchOf(c.keys, c.left).joined(sketchOf(c.keys, c.right))
		if got < want || got > want+want/4+20_000 {
			t.Errorf("%s: estimated at %d rows, makes %d", name, got, want)
		}
	}
}

func TestSketchKnowsWhetherFewKeysAreUnique(t *testing.T) {
	one := func(int) int { return 1 }
	for name, c := range map[string]struct {
		sketch *keySketch
		unique bool
	}{
		"none":                {sketchOf(0, one), true},
		"each once":           {sketchOf(10_000, one), true},
		"one twice":           {sketchOf(10_000, func(k int) int { return 1 + k/9_999 }), false},
		"too many to be sure": {sketchOf(fewKeys+1, one), false},
	} {
		if got := c.sketch.unique(); got != c.unique {
			t.Errorf("%s: unique %v", name, got)
		}
	}
	both := sketchOf(10, one)
	both.merge(sketchOf(10, one)) // the same keys
	if both.unique() {
		t.Error("a key that two workers have met is taken for unique")
	}
	many := sketchOf(fewKeys, one)
	if many.merge(sketchOf(1, one)); many.unique() || many.hashes != nil {
		t.Error("more keys than are kept are taken for unique")
	}
}

// The workers of a sketch keep the hashes of few rows together, not of as many each.
func TestWorkersKeepFewHashesTogether(t *testing.T) {
	sink := newSketchSink(4, false, true)
	hash := make([]uint64, fewKeys/4)
	for range 2 {
		for i := range sink.workers {
			sink.workers[i].sketch.add(hash)
		}
	}
	for i, w := range sink.workers {
		if len(w.sketch.hashes) > 0 || w.sketch.kept {
			t.Errorf("worker %d keeps %d", i, len(w.sketch.hashes))
		}
	}
}

func TestOneSideOfFewUniqueKeysSaysWhatAJoinMakes(t *testing.T) {
	for name, c := range map[string]struct {
		repeat int64
		both   bool
	}{"unique": {5000, false}, "one key twice": {4999, true}} {
		key := func(i int64) any { return fmt.Sprint("key ", i) }
		left := table("t0", "k x", generated(70_000, func(i int64) []any { return []any{key(i % 6000), i} })...)
		right := table("t1", "k y", generated(5000, func(i int64) []any { return []any{key(i % c.repeat), i % 7} })...)
		left.Schema.Fields[0].Type, right.Schema.Fields[0].Type = batch.Of(batch.String), batch.Of(batch.String)
		run := opened(t, &jobgen.Case{
			Inputs: []*jobgen.Input{left, right},
			Pipelines: []*jobgen.Pipeline{
				{Name: "r", From: "t0", Verbs: []string{"join: {with: t1, on: k, how: inner}", "groupby: {by: k, agg: {n: count(), x: sum(x), y: sum(y)}}"}},
			},
			Outputs: []*jobgen.Output{{Label: "r", Table: "r", Path: "out/r.parquet"}},
		})
		joins := slices.Clone(run.unsure)
		if len(joins) != 1 {
			t.Fatalf("%s: %d joins are to be judged by a sketch", name, len(joins))
		}
		if err := run.Preflight(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, sawLeft := run.screened[joins[0].Inputs[0]]
		rows := run.screened[joins[0]]
		if sawLeft != c.both || rows < 58_000 || rows > 75_000 {
			t.Errorf("%s: the left's keys were read: %v; the join is taken to make %d rows of 58,000", name, sawLeft, rows)
		}
	}
}
