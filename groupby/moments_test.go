package groupby

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pqjoin/batch"
)

func moments(args ...int) []Agg {
	var aggs []Agg
	for i, c := range args {
		for _, fn := range []string{"var", "std", "cov", "corr"} {
			aggs = append(aggs, Agg{Func: fn, Arg: c, Arg2: args[(i+1)%len(args)], Filter: -1, Type: batch.Of(batch.Float64)})
		}
	}
	return aggs
}

// exactMoment computes a moment of one group by its definition, in rational numbers.
func exactMoment(a Agg, rows [][]value) value {
	var xs, ys []*big.Rat
	other := a.Arg
	if hasTwo(a.Func) {
		other = a.Arg2
	}
	for _, r := range rows {
		if r[a.Arg] != nil && r[other] != nil {
			xs, ys = append(xs, ratOf(a.Arg, r[a.Arg])), append(ys, ratOf(other, r[other]))
		}
	}
	n := int64(len(xs))
	if n == 0 || n == 1 && a.Func != "corr" {
		return nil
	}
	if a.Func == "corr" {
		xx, yy := deviation(xs, xs), deviation(ys, ys)
		if xx.Sign() == 0 || yy.Sign() == 0 {
			return math.NaN()
		}
		root := new(big.Float).SetPrec(500).SetRat(xx.Mul(xx, yy))
		f, _ := new(big.Float).SetPrec(500).Quo(new(big.Float).SetPrec(500).SetRat(deviation(xs, ys)), root.Sqrt(root)).Float64()
		return f
	}
	d := deviation(xs, ys)
	f, _ := d.Quo(d, big.NewRat(n-1, 1)).Float64()
	if a.Func == "std" {
		return math.Sqrt(f)
	}
	return f
}

func ratOf(col int, v value) *big.Rat {
	r := new(big.Rat)
	switch x := v.(type) {
	case int64:
		r.SetInt64(x)
	case uint64:
		r.SetInt(new(big.Int).SetUint64(x))
	case batch.Int128:
		r.SetInt(x.Big())
	case float64:
		r.SetFloat64(x)
	}
	if t := testSchema.Fields[col].Type; t.ID == batch.Decimal {
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)
		r.Quo(r, new(big.Rat).SetInt(ten))
	}
	return r
}

func deviation(xs, ys []*big.Rat) *big.Rat {
	mean := func(v []*big.Rat) *big.Rat {
		s := new(big.Rat)
		for _, x := range v {
			s.Add(s, x)
		}
		return s.Quo(s, big.NewRat(int64(len(v)), 1))
	}
	mx, my, sum := mean(xs), mean(ys), new(big.Rat)
	for i := range xs {
		sum.Add(sum, new(big.Rat).Mul(new(big.Rat).Sub(xs[i], mx), new(big.Rat).Sub(ys[i], my)))
	}
	return sum
}

// checkMoments compares groups by column 7 with exact arithmetic, rounded once.
func checkMoments(t *testing.T, aggs []Agg, rows, got [][]value) {
	t.Helper()
	groups := map[value][][]value{}
	for _, r := range rows {
		groups[r[7]] = append(groups[r[7]], r)
	}
	if len(got) != len(groups) {
		t.Fatalf("%d groups, want %d", len(got), len(groups))
	}
	for _, g := range got {
		for i, a := range aggs {
			if d := cmp.Diff(exactMoment(a, groups[g[0]]), g[1+i], diffValues); d != "" {
				t.Fatalf("%s of column %d in %v: %s", a.Func, a.Arg, g[0], d)
			}
		}
	}
}

func TestMomentsOfExactNumbersAreThoseOfExactArithmetic(t *testing.T) {
	aggs := moments(0, 1, 2, 8, 5)
	rows := someRows(3000, 300, false)
	for i, r := range rows {
		if i%50 == 0 { // the ends of every type
			r[0], r[2] = int64(math.MinInt64), uint64(math.MaxUint64)
			r[5] = batch.Int128{Lo: 7, Hi: -1 << 62}
		}
	}
	for _, table := range []int64{64 << 10, 8 << 20} {
		h := base
		h.table = table
		got, _ := mustRun(t, specOf([]int{7}, aggs), rows, h)
		checkMoments(t, aggs, rows, got)
	}
}

func TestMomentsOfFloatsKeepTheirDigitsWhereTheMeanIsLarge(t *testing.T) {
	aggs := moments(3)
	r := rand.New(rand.NewPCG(3, 4))
	rows := someRows(4000, 60, false)
	for i, row := range rows {
		row[3] = 1.7e9 + float64(r.IntN(1000))*1e-6 // a variance of 1e-7 beside squares of 3e18
		if i%17 == 0 {
			row[3] = nil
		}
	}
	want, _ := mustRun(t, specOf([]int{7}, aggs), rows, base)
	checkMoments(t, aggs, rows, want)
	h := base
	h.table, h.workers = 8<<20, 4
	shuffled := slices.Clone(rows)
	r.Shuffle(len(rows), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	got, _ := mustRun(t, specOf([]int{7}, aggs), shuffled, h)
	if d := cmp.Diff(want, got, diffValues); d != "" {
		t.Fatal("another order gives another result:", d)
	}
}

func TestMomentsOfSpecialFloats(t *testing.T) {
	aggs := moments(3)
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		vals []value
		want []value // var, std, cov, corr
	}{
		{nil, []value{nil, nil, nil, nil}},
		{[]value{nil}, []value{nil, nil, nil, nil}},
		{[]value{1.0}, []value{nil, nil, nil, nan}},
		{[]value{2.0, 2.0}, []value{0.0, 0.0, 0.0, nan}},
		{[]value{1.0, nan}, []value{nan, nan, nan, nan}},
		{[]value{1.0, inf}, []value{nan, nan, nan, nan}},
		{[]value{1e200, -1e200}, []value{inf, inf, inf, nan}},
		{[]value{math.Copysign(0, -1), 0.0, 3.0}, []value{3.0, math.Sqrt(3), 3.0, 1.0}},
	} {
		rows := someRows(len(c.vals), 1, false)
		for i, v := range c.vals {
			rows[i][3] = v
		}
		got, _ := mustRun(t, specOf(nil, aggs), rows, base)
		if d := cmp.Diff([][]value{c.want}, got, diffValues); d != "" {
			t.Error(c.vals, d)
		}
	}
}

func TestQuantilesNeedRowsInOrder(t *testing.T) {
	spec := specOf([]int{7}, []Agg{{Func: "quantile_disc", Arg: 0, Arg2: 0, Weighted: true, Weight: 0, Filter: -1, Type: batch.Of(batch.Int64), Param: 0.5}})
	if _, _, err := run(t, spec, someRows(10, 10, false), base); err == nil {
		t.Fatal("a hash table took them")
	}
}

// The short way of narrow values leaves the words that the long way leaves.
func TestNarrowMomentsAreThoseOfTheLongWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, want := make([]uint64, productWords), make([]uint64, productWords)
		for range rapid.IntRange(1, 40).Draw(t, "deposits") {
			x := int64(rapid.Int32().Draw(t, "x"))
			y := int64(rapid.SampledFrom([]int32{0, 1, -1, math.MinInt32, math.MaxInt32}).Draw(t, "y"))
			addWord(w, x*y)
			addIntProduct(want, batch.Int128Of(x), batch.Int128Of(y))
			if !slices.Equal(w, want) {
				t.Fatalf("%d * %d: %x, want %x", x, y, w, want)
			}
		}
	})
}
