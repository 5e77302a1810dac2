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
func distribution(a plan.Agg, in *Table, typ batch.Type, vals []any) (any, error) {
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
		return mostFrequent(typ, sorted), nil
	case "median", "quantile_cont":
		return interpolated(sorted, a.Param), nil
	}
	return sorted[max(int(float64(n)-math.Floor(float64(n)-a.Param*float64(n))), 1)-1], nil
}

// mostFrequent is the value that comes most often, the least of several.
func mostFrequent(typ batch.Type, sorted []any) any {
	var best any
	most := 0
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && batchtest.Compare(typ, sorted[i], sorted[j]) == 0 {
			j++
		}
		if j-i > most {
			best, most = sorted[i], j-i
		}
		i = j
	}
	return best
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
