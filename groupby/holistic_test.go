package groupby

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pqjoin/batch"
)

// quantileAggs are quantiles that share values, and that do not.
func quantileAggs() []Agg {
	double := batch.Of(batch.Float64)
	return []Agg{
		{Func: "quantile_cont", Arg: 3, Filter: -1, Type: double, Param: 0.5},
		{Func: "quantile_cont", Arg: 3, Filter: -1, Type: double, Param: 0.9},
		{Func: "quantile_disc", Arg: 3, Filter: -1, Type: double, Param: 0.25},
		{Func: "quantile_disc", Arg: 3, Filter: -1, Type: double, Param: 1},
		{Func: "quantile_cont", Arg: 3, Filter: 4, Type: double, Param: 0},
		{Func: "quantile_disc", Arg: 3, Filter: 4, Type: double, Param: 0.5},
		{Func: "quantile_disc", Arg: 1, Filter: -1, Type: batch.Of(batch.Int32), Param: 0.5},
		{Func: "quantile_disc", Arg: 2, Filter: -1, Type: batch.Of(batch.Uint64), Param: 0.9},
		{Func: "quantile_disc", Arg: 2, Filter: 4, Type: batch.Of(batch.Uint64), Param: 0.1},
		{Func: "quantile_disc", Arg: 8, Filter: -1, Type: batch.DecimalOf(9, 3), Param: 0.3},
	}
}

// oracleQuantile sorts.
func oracleQuantile(a Agg, vals []value) value {
	if a.Type.Kind() == batch.KindInt64 {
		return oracleWord(a, vals)
	}
	sorted := make([]float64, 0, len(vals))
	for _, v := range vals {
		sorted = append(sorted, v.(float64)+0)
	}
	slices.SortFunc(sorted, func(x, y float64) int { return compareValues(x, y) })
	lo, hi := rank{cont: a.Func == "quantile_cont", q: a.Param}.places(float64(len(sorted)))
	if lo == hi {
		return sorted[lo]
	}
	return between(sorted[lo], sorted[hi], a.Param*float64(len(sorted)-1)-float64(lo))
}

// oracleWord sorts numbers of one word that are no floats, of which there is no value between two.
func oracleWord(a Agg, vals []value) value {
	sorted := slices.Clone(vals)
	slices.SortFunc(sorted, compareValues)
	at, _ := rank{q: a.Param}.places(float64(len(sorted)))
	return sorted[at]
}

func TestQuantilesOfNumbersEqualTheOracle(t *testing.T) {
	aggs := append(quantileAggs(), agg("count", -1), agg("min", 6), agg("first", 7), agg("mean", 8), agg("sum", 3))
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.IntRange(0, len(testSchema.Fields)-1), 1, 3, rapid.ID[int]).Draw(rt, "keys")
		picked := append(rapid.SliceOfN(rapid.SampledFrom(quantileAggs()), 1, 3).Draw(rt, "quantiles"),
			rapid.SliceOfN(rapid.SampledFrom(aggs), 0, 4).Draw(rt, "aggs")...)
		spec := specOf(keys, picked)
		spec.Sort = false
		spec.DropNulls = rapid.Bool().Draw(rt, "drop")
		checkRandomRows(t, rt, spec, 9000, []int{1, 2, 3, 50, 3000, 1 << 30}, []int{7, 100, 2000})
	})
}

// TestAGroupTooLargeForMemoryHasItsQuantiles has partitions of one group, of several large ones, and of a large one among
// many small ones, none of which a load holds.
func TestAGroupTooLargeForMemoryHasItsQuantiles(t *testing.T) {
	for _, key := range []func(r *rand.Rand) int64{
		func(*rand.Rand) int64 { return 7 },
		func(r *rand.Rand) int64 { return r.Int64N(3) },
		func(r *rand.Rand) int64 { return max(r.Int64N(4000)-2000, 0) },
	} {
		spec := specOf([]int{0}, append(quantileAggs(), agg("count", 3), agg("max", 6)))
		spec.Sort = false
		rows := someRows(30000, 1<<40, false)
		r := rand.New(rand.NewPCG(3, 4))
		for _, row := range rows {
			row[0] = key(r)
		}
		h := base
		h.partitions, h.pool = 2, 8<<20
		got, _ := mustRun(t, spec, rows, h)
		check(t, spec, rows, got)
	}
}

func TestOneQuantilePassTakesManyGroups(t *testing.T) {
	spec := specOf([]int{0}, quantileAggs()[:2])
	spec.Sort = false
	rows := someRows(40000, 1<<40, false)
	h := base
	h.partitions = 1
	got, stats := mustRun(t, spec, rows, h)
	check(t, spec, rows, got)
	if stats.Resplit == 0 || stats.Bypassed == 0 {
		t.Errorf("%+v", stats)
	}
}

func TestQuantilesAreRefusedWhereTheyCannotBeKept(t *testing.T) {
	sorted := specOf([]int{0}, quantileAggs()[:1])
	ints := specOf([]int{7}, []Agg{{Func: "quantile_cont", Arg: 0, Filter: -1, Type: batch.Of(batch.Int64), Param: 0.5}})
	ints.Sort = false
	for _, spec := range []Spec{sorted, ints, specOf(nil, quantileAggs()[:1])} {
		if _, err := New(spec); err == nil {
			t.Error("it was taken")
		}
		if _, err := NewOrdered(spec); err == nil {
			t.Error("it was taken in order")
		}
	}
}
