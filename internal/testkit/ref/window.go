package ref

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"pqjoin/batch"
	"pqjoin/plan"
)

// windowed computes every row from the list of its group's rows so far, each anew.
func windowed(n *plan.Node, op *plan.Window, in *Table) (*Table, error) {
	if in.anyLoose(op.By) || in.anyLoose(op.Order) || !in.Total() {
		return nil, ErrOpen
	}
	t := &Table{Schema: n.Schema, Rank: in.Rank, Loose: append([]bool(nil), in.Loose...)}
	for _, c := range op.Cols {
		if c.Arg >= 0 && in.Loose[c.Arg] {
			return nil, ErrOpen
		}
		t.Loose = append(t.Loose, c.Func == "rolling_mean" || c.Func == "rolling_std")
	}
	groups := map[string][]int{}
	for i, r := range in.Rows {
		k := keyOf(r, op.By)
		groups[k] = append(groups[k], i)
		row := append([]any(nil), r...)
		for _, c := range op.Cols {
			v, err := windowValue(c, op, in, groups[k])
			if err != nil {
				return nil, err
			}
			row = append(row, v)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// windowValue is the value of the last row of a group so far.
func windowValue(c plan.WindowColumn, op *plan.Window, in *Table, rows []int) (any, error) {
	switch c.Func {
	case "row_number":
		return int64(len(rows)), nil
	case "cumcount":
		return int64(len(rows) - 1), nil
	case "rank", "dense_rank":
		return rankOf(c.Func, op, in, rows), nil
	}
	typ := in.Schema.Fields[c.Arg].Type
	vals := make([]any, len(rows))
	for i, r := range rows {
		vals[i] = in.Rows[r][c.Arg]
	}
	last := vals[len(vals)-1]
	switch c.Func {
	case "first":
		return vals[0], nil
	case "ewm_mean":
		return ewm(vals, c.Alpha), nil
	case "ffill":
		if kept := notNull(vals); len(kept) > 0 {
			return kept[len(kept)-1], nil
		}
		return nil, nil
	}
	fn, rolling := strings.CutPrefix(c.Func, "rolling_")
	if rolling {
		if len(vals) < c.N || len(notNull(vals[len(vals)-c.N:])) < c.N {
			return nil, nil
		}
		vals = vals[len(vals)-c.N:]
	} else if fn = strings.TrimPrefix(fn, "cum"); last == nil {
		return nil, nil
	}
	vals = notNull(vals)
	switch fn {
	case "min", "max":
		return extreme(fn, typ, vals), nil
	case "std":
		return deviation(vals), nil
	case "sum", "mean":
		return total(plan.Agg{Func: fn, Type: c.Type}, typ, vals)
	}
	return nil, fmt.Errorf("no reference for %s", c.Func)
}

// rankOf counts the distinct runs of order columns, or the rows before the last one.
func rankOf(fn string, op *plan.Window, in *Table, rows []int) int64 {
	rank, dense := int64(1), int64(1)
	for i := 1; i < len(rows); i++ {
		if keyOf(in.Rows[rows[i-1]], op.Order) != keyOf(in.Rows[rows[i]], op.Order) {
			rank = int64(i + 1)
			dense++
		}
	}
	if fn == "rank" {
		return rank
	}
	return dense
}

func notNull(vals []any) []any {
	var out []any
	for _, v := range vals {
		if v != nil {
			out = append(out, v)
		}
	}
	return out
}

// extreme returns the first least or greatest value.
func extreme(fn string, t batch.Type, vals []any) any {
	best := vals[0]
	for _, v := range vals[1:] {
		if d := order(t, v, best); fn == "min" && d < 0 || fn == "max" && d > 0 {
			best = v
		}
	}
	return best
}

// ewm is pandas' ewm(alpha, adjust=True, ignore_na=False).mean(), step by step: the last bits belong to its definition.
func ewm(vals []any, alpha float64) any {
	var mean any
	old := 1.0
	for _, v := range vals {
		if mean == nil {
			mean = v
			continue
		}
		old *= 1 - alpha
		if v == nil {
			continue
		}
		if m, x := mean.(float64), v.(float64); m != x {
			mean = (old*m + x) / (old + 1)
		}
		old++
	}
	return mean
}

func deviation(vals []any) any {
	if len(vals) < 2 {
		return nil
	}
	mean, sum := new(big.Float).SetPrec(3000), new(big.Float).SetPrec(3000)
	for _, v := range vals {
		f := v.(float64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return math.NaN()
		}
		mean.Add(mean, big.NewFloat(f))
	}
	mean.Quo(mean, big.NewFloat(float64(len(vals))))
	for _, v := range vals {
		d := new(big.Float).SetPrec(3000).Sub(big.NewFloat(v.(float64)), mean)
		sum.Add(sum, d.Mul(d, d))
	}
	sum.Quo(sum, big.NewFloat(float64(len(vals)-1)))
	f, _ := sum.Sqrt(sum).Float64()
	return f
}
