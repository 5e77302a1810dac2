package ref

import (
	"math"
	"math/big"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/plan"
)

// rounded says whether the last bits of an aggregate are open.
func rounded(fn string) bool {
	switch fn {
	case "mean", "var", "std", "cov", "corr":
		return true
	}
	return false
}

// pairwise computes the aggregates of two columns, over the rows where neither is null.
func pairwise(a plan.Agg, in *Table, rows []int) (any, error) {
	var kept []int
	for _, i := range rows {
		if in.Rows[i][a.Arg] != nil && in.Rows[i][a.Arg2] != nil {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return nil, nil
	}
	if in.Loose[a.Arg2] {
		return nil, ErrOpen
	}
	if a.Func == "arg_min" || a.Func == "arg_max" {
		return argEdge(a, in, kept)
	}
	if in.Loose[a.Arg] {
		return nil, ErrOpen
	}
	if in.extreme(kept, a.Arg, a.Arg2) {
		return nil, ErrOpen
	}
	var xs, ys []*big.Rat
	for _, i := range kept {
		x, okX := rat(in.Schema.Fields[a.Arg].Type, in.Rows[i][a.Arg])
		y, okY := rat(in.Schema.Fields[a.Arg2].Type, in.Rows[i][a.Arg2])
		if !okX || !okY {
			return notANumber(a.Func, len(kept)), nil
		}
		xs, ys = append(xs, x), append(ys, y)
	}
	xy := deviations(xs, ys)
	floats := in.Schema.Fields[a.Arg].Type.IsFloat() || in.Schema.Fields[a.Arg2].Type.IsFloat()
	if floats && cancels(xy, xs, ys) {
		return nil, ErrOpen
	}
	if a.Func == "corr" {
		xx, yy := deviations(xs, xs), deviations(ys, ys)
		if floats && (cancels(xx, xs, xs) || cancels(yy, ys, ys)) {
			return nil, ErrOpen
		}
		return correlation(xy, xx, yy)
	}
	return sample(xy, len(kept)), nil
}

// argEdge is arg_min and arg_max: of the rows with the best y, the first.
func argEdge(a plan.Agg, in *Table, rows []int) (any, error) {
	typ, want := in.Schema.Fields[a.Arg2].Type, -1
	if a.Func == "arg_max" {
		want = 1
	}
	place := func(i int) int64 {
		if a.Weighted {
			return in.Rows[i][a.Weight].(int64)
		}
		return int64(in.Rank[i])
	}
	best := rows[0]
	for _, i := range rows[1:] {
		if c := batchtest.Compare(typ, in.Rows[i][a.Arg2], in.Rows[best][a.Arg2]); c == want || c == 0 && place(i) < place(best) {
			best = i
		}
	}
	for _, i := range rows {
		same := batchtest.Compare(typ, in.Rows[i][a.Arg2], in.Rows[best][a.Arg2]) == 0 && place(i) == place(best)
		if same && !batchtest.Same(in.Rows[i][a.Arg], in.Rows[best][a.Arg]) {
			return nil, ErrOpen
		}
	}
	return in.Rows[best][a.Arg], nil
}

// extreme says whether products of the values may leave the range of doubles.
func (t *Table) extreme(rows []int, cols ...int) bool {
	for _, i := range rows {
		for _, c := range cols {
			f, ok := t.Rows[i][c].(float64)
			if f = math.Abs(f); ok && (f > 1e150 && !math.IsInf(f, 0) || f < 1e-140 && f > 0) {
				return true
			}
		}
	}
	return false
}

// spread is var and std.
func spread(a plan.Agg, typ batch.Type, vals []any) (any, error) {
	var xs []*big.Rat
	for _, v := range vals {
		x, ok := rat(typ, v)
		if !ok {
			return notANumber(a.Func, len(vals)), nil
		}
		xs = append(xs, x)
	}
	xx := deviations(xs, xs)
	if typ.IsFloat() && len(xs) > 1 && cancels(xx, xs, xs) {
		return nil, ErrOpen
	}
	v := sample(xx, len(xs))
	if f, ok := v.(float64); ok && a.Func == "std" {
		return math.Sqrt(f), nil
	}
	return v, nil
}

func notANumber(fn string, n int) any {
	if n < 2 && fn != "corr" {
		return nil
	}
	return math.NaN()
}

// rat returns a number exactly; false for NaN and the infinities.
func rat(t batch.Type, v any) (*big.Rat, bool) {
	r := new(big.Rat)
	switch x := v.(type) {
	case float64:
		return r, r.SetFloat64(x) != nil
	case int64:
		if t.IsUnsigned() {
			return r.SetInt(new(big.Int).SetUint64(uint64(x))), true
		}
		r.SetInt64(x)
	case batch.Int128:
		r.SetInt(x.Big())
	}
	if t.ID != batch.Decimal {
		return r, true
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)
	return r.Quo(r, new(big.Rat).SetInt(ten)), true
}

// deviations is the sum of (x - mean of x) * (y - mean of y).
func deviations(xs, ys []*big.Rat) *big.Rat {
	mx, my := average(xs), average(ys)
	sum := new(big.Rat)
	for i := range xs {
		dx, dy := new(big.Rat).Sub(xs[i], mx), new(big.Rat).Sub(ys[i], my)
		sum.Add(sum, dx.Mul(dx, dy))
	}
	return sum
}

// cancels says whether products of floats may have lost digits, below 2^-72 of the largest, that show in
// the centered sum d.
func cancels(d *big.Rat, xs, ys []*big.Rat) bool {
	most := new(big.Rat).Mul(largest(xs), largest(ys))
	bound := most.Mul(most, big.NewRat(int64(len(xs)), 1<<17))
	return new(big.Rat).Abs(d).Cmp(bound) <= 0
}

func largest(xs []*big.Rat) *big.Rat {
	most := new(big.Rat)
	for _, x := range xs {
		if a := new(big.Rat).Abs(x); a.Cmp(most) > 0 {
			most = a
		}
	}
	return most
}

func average(xs []*big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, x := range xs {
		sum.Add(sum, x)
	}
	return sum.Quo(sum, new(big.Rat).SetInt64(int64(len(xs))))
}

func sample(d *big.Rat, n int) any {
	if n < 2 {
		return nil
	}
	f, _ := d.Quo(d, new(big.Rat).SetInt64(int64(n-1))).Float64()
	return f
}

func correlation(xy, xx, yy *big.Rat) (any, error) {
	if xx.Sign() == 0 || yy.Sign() == 0 {
		return math.NaN(), nil
	}
	d := new(big.Float).SetPrec(300).SetRat(xx.Mul(xx, yy))
	f, _ := new(big.Float).SetPrec(300).Quo(new(big.Float).SetPrec(300).SetRat(xy), d.Sqrt(d)).Float64()
	return f, nil
}
