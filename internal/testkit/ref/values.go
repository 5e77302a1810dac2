package ref

import (
	"math"
	"slices"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/plan"
)

// isDistribution says whether an aggregate needs the values sorted, or once each.
func isDistribution(fn string) bool {
	switch fn {
	case "nunique", "mode", "median", "quantile", "quantile_disc", "quantile_cont":
		return true
	}
	return false
}

// distribution computes one of vals, which are not null.
func distribution(a plan.Agg, in *Table, typ batch.Type, vals []any, rows []int) (any, error) {
	if in.Loose[a.Arg] && len(vals) > 0 {
		return nil, ErrOpen
	}
	sorted := make([]any, len(vals))
	for i, v := range vals {
		sorted[i] = canonical(v)
	}
	slices.SortStableFunc(sorted, func(x, y any) int { return batchtest.Compare(typ, x, y) })
	n := len(sorted)
	if n == 0 && a.Func != "nunique" {
		return nil, nil
	}
	switch a.Func {
	case "nunique":
		return int64(len(slices.CompactFunc(sorted, func(x, y any) bool { return batchtest.Compare(typ, x, y) == 0 }))), nil
	case "mode":
		return mostFrequent(a, in, typ, rows)
	case "median", "quantile_cont":
		return interpolated(sorted, a.Param), nil
	}
	return sorted[max(int(float64(n)-math.Floor(float64(n)-a.Param*float64(n))), 1)-1], nil
}

// mostFrequent is the value that comes most often, of several the one that comes first.
func mostFrequent(a plan.Agg, in *Table, typ batch.Type, rows []int) (any, error) {
	var best any
	most, first := 0, 0
	for _, i := range rows {
		v, n := in.Rows[i][a.Arg], 0
		if v == nil || best != nil && batchtest.Compare(typ, v, best) == 0 {
			continue
		}
		for _, j := range rows {
			if w := in.Rows[j][a.Arg]; w != nil && batchtest.Compare(typ, v, w) == 0 {
				n++
			}
		}
		switch {
		case n > most:
			best, most, first = canonical(v), n, i
		case n == most && in.Rank[i] == in.Rank[first]:
			return nil, ErrOpen
		}
	}
	return best, nil
}

// place is the rank of the first row whose argument is not null.
func place(a plan.Agg, in *Table, rows []int) any {
	for _, i := range rows {
		if in.Rows[i][a.Arg] != nil {
			return int64(in.Rank[i])
		}
	}
	return int64(0)
}

// interpolated is the value at place (n-1)*q of doubles.
func interpolated(sorted []any, q float64) any {
	at := float64(len(sorted)-1) * q
	lo, hi := sorted[int(math.Floor(at))].(float64), sorted[int(math.Ceil(at))].(float64)
	if lo == hi || at == math.Floor(at) {
		return lo
	}
	d := at - math.Floor(at)
	return lo*(1-d) + hi*d
}

// repeated returns the values of rows that say how often theirs comes.
func repeated(a plan.Agg, in *Table, rows []int) []any {
	var vals []any
	for _, i := range rows {
		for range in.Rows[i][a.Weight].(int64) {
			vals = append(vals, in.Rows[i][a.Arg])
		}
	}
	return vals
}
