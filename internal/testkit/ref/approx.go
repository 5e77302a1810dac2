package ref

import (
	"math"
	"math/bits"
	"slices"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/testkit/refexpr"
	"pqjoin/plan"
)

// nearly computes the approximate aggregates, of vals that are not null: they are defined, only not exact.
func nearly(a plan.Agg, in *Table, typ batch.Type, vals []any) (any, error) {
	if in.Loose[a.Arg] && len(vals) > 0 {
		return nil, ErrOpen
	}
	if a.Func == "approx_nunique" {
		hashes := make([]uint64, len(vals))
		for i, v := range vals {
			hashes[i] = refexpr.Hash(toExpr(v), typ)
		}
		return int64(math.Round(cardinality(hashes))), nil
	}
	if len(vals) == 0 {
		return nil, nil
	}
	sorted := make([]any, len(vals))
	for i, v := range vals {
		sorted[i] = canonical(v)
	}
	slices.SortFunc(sorted, func(x, y any) int { return batchtest.Compare(typ, x, y) })
	n := float64(len(sorted))
	exact := sorted[max(int(n-math.Floor(n-a.Param*n)), 1)-1]
	if !typ.IsNumeric() {
		return exact, nil
	}
	for _, v := range sorted { // the least value of the same bucket
		if batchtest.Compare(batch.Of(batch.Float64), bucket(typ, v), bucket(typ, exact)) == 0 {
			return v, nil
		}
	}
	return nil, nil // not reached
}

// registers is what approx_nunique becomes: the estimate from the least hash of each register.
func registers(vals []any) any {
	hashes := make([]uint64, len(vals))
	for i, v := range vals {
		hashes[i] = uint64(v.(int64))
	}
	return int64(math.Round(cardinality(hashes)))
}

// bucket rounds a number to nine binary digits.
func bucket(typ batch.Type, v any) float64 {
	f, ok := v.(float64)
	if !ok {
		r, _ := rat(typ, v)
		f, _ = r.Float64()
	}
	if !(math.Abs(f) < 1e290) {
		return f
	}
	product := float64(f * (1<<44 + 1))
	return product - float64(product-f)
}

// cardinality is HyperLogLog with 4,096 registers: Ertl's improved estimate, from the counts of registers by value.
func cardinality(hashes []uint64) float64 {
	const p, q = 12, 52
	var registers [1 << p]int
	for _, h := range hashes {
		at, rank := h>>q, min(bits.LeadingZeros64(h<<p), q)+1
		registers[at] = max(registers[at], rank)
	}
	var count [q + 2]float64
	for _, r := range registers {
		count[r]++
	}
	if count[0] == 1<<p {
		return 0
	}
	const m = 1 << p
	z := m * tau(1-count[q+1]/m)
	for k := q; k >= 1; k-- {
		z = (z + count[k]) / 2
	}
	return m * m / (2 * math.Ln2 * (z + m*sigma(count[0]/m)))
}

func sigma(x float64) float64 {
	sum := x
	for k := 1; k < 60; k++ {
		sum += math.Pow(x, math.Exp2(float64(k))) * math.Exp2(float64(k-1))
	}
	return sum
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	sum := 1 - x
	for k := 1; k < 60; k++ {
		d := 1 - math.Pow(x, math.Exp2(float64(-k)))
		sum -= d * d * math.Exp2(float64(-k))
	}
	return sum / 3
}
