package groupby

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pqjoin/batch"
)

var plain = how{workers: 1, partitions: 3, batchRows: 500, outRows: 100, table: 1 << 20, pool: 256 << 20}

// takesStates says whether how often a value comes matters to an aggregate, which then has states that merge.
func takesStates(fn string) bool { return fn == "count" || fn == "sum" || fn == "mean" }

// partialSpec is spec with aggregates that put out their states; the groups also have the keys of also.
func partialSpec(spec Spec, also int) Spec {
	out := specOf(append(slices.Clone(spec.Keys), also), nil)
	for i, a := range spec.Aggs {
		if a.Func == "sum" || a.Func == "mean" {
			a.Partial, a.Type = true, batch.Of(batch.Binary)
		}
		out.Aggs = append(out.Aggs, a)
		out.Out.Fields = append(out.Out.Fields, batch.Field{Name: fmt.Sprintf("p%d", i), Type: a.Type, Nullable: true})
	}
	return out
}

// mergeSpec adds up the groups of parts, each as often as a weight in one more column says.
func mergeSpec(spec, parts Spec) Spec {
	in := slices.Clone(parts.Out.Fields)
	weight := len(in)
	out := Spec{Name: spec.Name, In: batch.NewSchema(append(in, batch.Field{Name: "w", Type: batch.Of(batch.Int64), Nullable: true})...), Out: spec.Out, Sort: true}
	for i := range spec.Keys {
		out.Keys = append(out.Keys, i)
	}
	for i, a := range spec.Aggs {
		if a.Merge = takesStates(a.Func); a.Merge {
			a.Weighted, a.Weight = true, weight
		}
		if a.Arg >= 0 {
			a.Of = spec.In.Fields[a.Arg].Type
		}
		a.Arg, a.Filter = len(parts.Keys)+i, -1
		out.Aggs = append(out.Aggs, a)
	}
	return out
}

// TestMergedStatesEqualRowsRepeated: groups by k and j, added up to groups by k with a weight for each
// j, are what the rows give, each as many times as the weight of its j.
func TestMergedStatesEqualRowsRepeated(t *testing.T) {
	aggs := slices.DeleteFunc(allAggs(), func(a Agg) bool { return a.Func == "first" || a.Func == "last" || hasTwo(a.Func) })
	rapid.Check(t, func(rt *rapid.T) {
		spec := specOf([]int{1}, rapid.SliceOfN(rapid.SampledFrom(aggs), 1, 6).Draw(rt, "aggs"))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		rows := make([][]value, rapid.IntRange(0, 400).Draw(rt, "rows"))
		distinct := rapid.SampledFrom([]int{1, 5, 200}).Draw(rt, "distinct")
		for i := range rows {
			rows[i] = randomRow(r, distinct, false)
		}
		parts := partialSpec(spec, 6)
		groups, _, err := run(t, parts, rows, plain)
		if err != nil {
			rt.Fatal(err)
		}
		weights := map[value]int64{}
		for i, g := range groups {
			w, ok := weights[g[1]]
			if !ok {
				w = 1 + int64(r.IntN(9))
				weights[g[1]] = w
			}
			groups[i] = append(g, w)
			if w == 1 && r.IntN(2) == 0 {
				groups[i][len(g)] = nil
			}
		}
		var repeated [][]value
		for _, row := range rows {
			for range weights[row[6]] {
				repeated = append(repeated, row)
			}
		}
		h := plain
		h.workers, h.dict, h.slice = rapid.IntRange(1, 3).Draw(rt, "workers"), rapid.Bool().Draw(rt, "dict"), rapid.Bool().Draw(rt, "slice")
		h.table = rapid.SampledFrom([]int64{64 << 10, 4 << 20}).Draw(rt, "table")
		got, _, err := run(t, mergeSpec(spec, parts), groups, h)
		if err != nil {
			rt.Fatal(err)
		}
		want, _, err := run(t, spec, repeated, plain)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(want, got, diffValues); d != "" {
			rt.Fatal(d)
		}
	})
}

// TestWeightedRowsEqualRowsRepeated is the same for rows that were not grouped.
func TestWeightedRowsEqualRowsRepeated(t *testing.T) {
	aggs := slices.DeleteFunc(allAggs(), func(a Agg) bool { return a.Func == "first" || a.Func == "last" || hasTwo(a.Func) })
	rapid.Check(t, func(rt *rapid.T) {
		plainly := specOf([]int{1}, rapid.SliceOfN(rapid.SampledFrom(aggs), 1, 6).Draw(rt, "aggs"))
		spec := plainly
		spec.In = batch.NewSchema(append(slices.Clone(testSchema.Fields), batch.Field{Name: "w", Type: batch.Of(batch.Int64), Nullable: true})...)
		spec.Aggs = slices.Clone(plainly.Aggs)
		for i := range spec.Aggs {
			a := &spec.Aggs[i]
			a.Weighted, a.Weight = takesStates(a.Func), len(testSchema.Fields)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
		var rows, repeated [][]value
		for range rapid.IntRange(0, 400).Draw(rt, "rows") {
			row, w := randomRow(r, 30, false), 1+int64(r.IntN(9))
			for range w {
				repeated = append(repeated, row)
			}
			var weight value = w
			if w == 1 {
				weight = nil
			}
			rows = append(rows, append(slices.Clone(row), weight))
		}
		h := plain
		h.workers, h.dict, h.slice = rapid.IntRange(1, 3).Draw(rt, "workers"), rapid.Bool().Draw(rt, "dict"), rapid.Bool().Draw(rt, "slice")
		h.table = rapid.SampledFrom([]int64{64 << 10, 4 << 20}).Draw(rt, "table")
		got, _, err := run(t, spec, rows, h)
		if err != nil {
			rt.Fatal(err)
		}
		want, _, err := run(t, plainly, repeated, plain)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(want, got, diffValues); d != "" {
			rt.Fatal(d)
		}
	})
}

// weighted aggregates one group whose rows, as one state each, count as often as the weights say.
func weighted(t *testing.T, fn string, of, typ batch.Type, vals []value, weights []int64) (value, error) {
	t.Helper()
	in := batch.NewSchema(batch.Field{Name: "j", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: of, Nullable: true})
	parts := Spec{Name: "parts", In: in, Keys: []int{0}, Sort: true, Aggs: []Agg{{Func: fn, Arg: 1, Filter: -1, Partial: true, Type: batch.Of(batch.Binary)}}}
	if fn == "count" {
		parts.Aggs[0].Type = batch.Of(batch.Int64)
	}
	parts.Out = batch.NewSchema(in.Fields[0], batch.Field{Name: "p", Type: parts.Aggs[0].Type})
	rows := make([][]value, len(vals))
	for i, v := range vals {
		rows[i] = []value{int64(i), v}
	}
	groups, _ := mustRun(t, parts, rows, plain)
	for i, w := range weights {
		groups[i] = append(groups[i], w)
	}
	sum := Spec{Name: "sums", In: batch.NewSchema(append(parts.Out.Fields, batch.Field{Name: "w", Type: batch.Of(batch.Int64)})...),
		Aggs: []Agg{{Func: fn, Arg: 1, Filter: -1, Merge: true, Of: of, Weighted: true, Weight: 2, Type: typ}},
		Out:  batch.NewSchema(batch.Field{Name: "s", Type: typ, Nullable: true})}
	got, _, err := run(t, sum, groups, plain)
	if err != nil {
		return nil, err
	}
	return got[0][0], nil
}

func TestWeightsOfAnySize(t *testing.T) {
	const m = 100_000_000_000
	i64, u64, f64, wide := batch.Of(batch.Int64), batch.Of(batch.Uint64), batch.Of(batch.Float64), batch.DecimalOf(38, 2)
	digits := func(s string) value {
		n, _ := new(big.Int).SetString(s, 10)
		v, _ := batch.Int128FromBig(n)
		return v
	}
	nines := strings.Repeat("9", 38)
	for _, c := range []struct {
		name    string
		fn      string
		of, typ batch.Type
		vals    []value
		weights []int64
		want    value // nil: an overflow
	}{
		{"ints that fit", "sum", i64, i64, []value{int64(-92_233_720), int64(3)}, []int64{m, 7}, int64(-92_233_720*m + 21)},
		{"ints whose parts overflow and whose sum does not", "sum", i64, i64, []value{int64(math.MaxInt64), int64(math.MinInt64)}, []int64{m, m}, int64(-m)},
		{"ints that overflow", "sum", i64, i64, []value{int64(math.MaxInt64)}, []int64{2}, nil},
		{"the least int", "sum", i64, i64, []value{int64(math.MinInt64 / 4)}, []int64{4}, int64(math.MinInt64)},
		{"unsigned as decimal", "sum", u64, batch.DecimalOf(38, 0), []value{uint64(math.MaxUint64)}, []int64{m}, digits("1844674407370955161500000000000")},
		{"decimals up to the last", "sum", wide, wide, []value{digits("-" + nines)}, []int64{1}, digits("-" + nines)},
		{"decimals that cancel out", "sum", wide, wide, []value{digits(nines), digits("-" + nines), digits("5")}, []int64{m, m, m}, digits("500000000000")},
		{"decimals that overflow", "sum", wide, wide, []value{digits(nines)}, []int64{m}, nil},
		{"a mean of sums that fit no type", "mean", wide, f64, []value{digits(nines)}, []int64{m}, 1e36},
		{"a mean of fine decimals", "mean", batch.DecimalOf(38, 37), f64, []value{digits("1" + strings.Repeat("0", 37))}, []int64{m}, 1.0},
		{"floats", "sum", f64, f64, []value{0.1, -1e-300}, []int64{m, m}, 10000000000.000000555111512312578},
		{"floats that cancel out", "sum", f64, f64, []value{1e300, -1e300, 0.5}, []int64{m, m, m}, 0.0},
		{"floats of more values than a state takes", "sum", f64, f64, []value{1.0}, []int64{1 << 39}, nil},
		{"infinities", "sum", f64, f64, []value{math.Inf(1), 1.0}, []int64{m, m}, math.Inf(1)},
		{"zeros", "sum", f64, f64, []value{math.Copysign(0, -1)}, []int64{m}, 0.0},
		{"nothing", "sum", f64, f64, []value{nil}, []int64{m}, nil},
		{"a count", "count", i64, i64, []value{int64(1), nil, int64(2)}, []int64{m, m, 1}, int64(m + 1)},
		{"a count that overflows", "count", i64, i64, []value{int64(1), int64(1), int64(1)}, []int64{1 << 62, 1 << 62, 1 << 62}, nil},
	} {
		got, err := weighted(t, c.fn, c.of, c.typ, c.vals, c.weights)
		switch {
		case c.name == "nothing":
			if got != nil || err != nil {
				t.Errorf("%s: %v, %v", c.name, got, err)
			}
		case c.want == nil:
			if !errors.Is(err, ErrOverflow) {
				t.Errorf("%s: %v, %v, want an overflow", c.name, got, err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		default:
			if d := cmp.Diff(c.want, got, diffValues); d != "" {
				t.Errorf("%s: %s", c.name, d)
			}
		}
	}
}

func TestStatesOfTheWrongTypeAreRefused(t *testing.T) {
	for _, a := range []Agg{
		{Func: "max", Arg: 0, Filter: -1, Partial: true, Type: batch.Of(batch.Int64)},
		{Func: "sum", Arg: 0, Filter: -1, Partial: true, Type: batch.Of(batch.Int64)},
		{Func: "sum", Arg: 6, Filter: -1, Partial: true, Type: batch.Of(batch.Binary)},
		{Func: "sum", Arg: 0, Filter: -1, Merge: true, Of: batch.Of(batch.Int64), Type: batch.Of(batch.Int64)},
		{Func: "count", Arg: 0, Filter: -1, Merge: true, Weighted: true, Weight: 6, Type: batch.Of(batch.Int64)},
	} {
		if g, err := New(specOf(nil, []Agg{a})); err == nil {
			t.Errorf("%+v is accepted", a)
			_ = g.Close()
		}
	}
}
