package ref

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/plan"
)

type group struct {
	key  []any
	rows []int
}

func groupBy(n *plan.Node, op *plan.GroupBy, in *Table) (*Table, error) {
	if in.anyLoose(op.Keys) {
		return nil, ErrOpen
	}
	groups := collect(op, in)
	keys := make([]batch.SortKey, len(op.Keys))
	for i := range keys {
		keys[i].Column = i
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return batchtest.CompareKeys(n.Schema, keys, a.key, b.key) })
	t := &Table{Schema: n.Schema, Loose: make([]bool, len(n.Schema.Fields))}
	for i, g := range groups {
		row := slices.Clone(g.key)
		for _, a := range op.Aggs {
			v, err := aggregate(a, in, g.rows)
			if err != nil {
				return nil, err
			}
			row = append(row, v)
		}
		rank := 0
		if op.Sort {
			rank = i
		}
		t.Rows, t.Rank = append(t.Rows, row), append(t.Rank, rank)
	}
	for i, a := range op.Aggs {
		t.Loose[len(op.Keys)+i] = rounded(a.Func) || a.Arg >= 0 && in.Loose[a.Arg]
	}
	return t, nil
}

// collect finds the groups; without keys there is always one.
func collect(op *plan.GroupBy, in *Table) []*group {
	if len(op.Keys) == 0 {
		g := &group{}
		for i := range in.Rows {
			g.rows = append(g.rows, i)
		}
		return []*group{g}
	}
	var list []*group
	byKey := map[string]*group{}
	for i, r := range in.Rows {
		if op.DropNulls && hasNull(r, op.Keys) {
			continue
		}
		k := keyOf(r, op.Keys)
		g := byKey[k]
		if g == nil {
			g = &group{}
			for _, c := range op.Keys {
				g.key = append(g.key, canonical(r[c]))
			}
			byKey[k] = g
			list = append(list, g)
		}
		g.rows = append(g.rows, i)
	}
	return list
}

func aggregate(a plan.Agg, in *Table, rows []int) (any, error) {
	if a.Filter >= 0 && in.Loose[a.Filter] {
		return nil, ErrOpen
	}
	var kept []int
	for _, i := range rows {
		if a.Filter < 0 || in.Rows[i][a.Filter] == true {
			kept = append(kept, i)
		}
	}
	if a.Arg < 0 {
		return int64(len(kept)), nil
	}
	if a.Func == "first" || a.Func == "last" {
		return edge(a, in, kept)
	}
	if a.Func == "string_agg" || a.Func == "list" {
		return gathered(a, in, kept)
	}
	if a.Weighted && isDistribution(a.Func) {
		return distribution(a, in, in.Schema.Fields[a.Arg].Type, repeated(a, in, kept), nil)
	}
	if a.Func == "position" {
		return place(a, in, kept), nil
	}
	if a.Two() {
		return pairwise(a, in, kept)
	}
	var vals []any
	for _, i := range kept {
		if v := in.Rows[i][a.Arg]; v != nil {
			vals = append(vals, v)
		}
	}
	typ := in.Schema.Fields[a.Arg].Type
	if a.Func == "registers" {
		return registers(vals), nil
	}
	if a.Func == "top" || a.Func == "leading" {
		return greatest(a, in, typ, vals)
	}
	if strings.HasPrefix(a.Func, "approx_") {
		return nearly(a, in, typ, vals)
	}
	if isDistribution(a.Func) {
		return distribution(a, in, typ, vals, kept)
	}
	switch {
	case a.Func == "count":
		return int64(len(vals)), nil
	case len(vals) == 0:
		return nil, nil
	case in.Loose[a.Arg]:
		return nil, ErrOpen
	case (a.Func == "var" || a.Func == "std") && in.extreme(kept, a.Arg):
		return nil, ErrOpen
	case a.Func == "var" || a.Func == "std":
		return spread(a, typ, vals)
	case a.Func == "any" || a.Func == "all":
		return slices.Contains(vals, any(a.Func == "any")) == (a.Func == "any"), nil
	case a.Func == "min":
		return slices.MinFunc(vals, func(x, y any) int { return order(typ, x, y) }), nil
	case a.Func == "max":
		return slices.MaxFunc(vals, func(x, y any) int { return order(typ, x, y) }), nil
	}
	return total(a, typ, vals)
}

// order is the order of min and max: that of keys, with -0.0 below 0.0.
func order(t batch.Type, x, y any) int {
	c := batchtest.Compare(t, x, y)
	if f, ok := x.(float64); ok && c == 0 {
		switch sx, sy := math.Signbit(f), math.Signbit(y.(float64)); {
		case f != f || sx == sy:
			return 0
		case sx:
			return -1
		default:
			return 1
		}
	}
	return c
}

// edge is first and last: the first row's value, null or not.
func edge(a plan.Agg, in *Table, rows []int) (any, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	at, next := 0, 1
	if a.Func == "last" {
		at, next = len(rows)-1, len(rows)-2
	}
	v := in.Rows[rows[at]][a.Arg]
	for ; next >= 0 && next < len(rows) && in.Rank[rows[next]] == in.Rank[rows[at]]; next += sign(next - at) {
		if !batchtest.Same(v, in.Rows[rows[next]][a.Arg]) {
			return nil, ErrOpen
		}
	}
	return v, nil
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// total is sum and mean, computed exactly.
func total(a plan.Agg, typ batch.Type, vals []any) (any, error) {
	if typ.IsFloat() {
		return floatTotal(a, vals), nil
	}
	sum := new(big.Int)
	for _, v := range vals {
		switch x := v.(type) {
		case int64:
			if typ.ID == batch.Uint64 {
				sum.Add(sum, new(big.Int).SetUint64(uint64(x)))
			} else {
				sum.Add(sum, big.NewInt(x))
			}
		case batch.Int128:
			sum.Add(sum, x.Big())
		default:
			return nil, fmt.Errorf("no reference for %s(%s)", a.Func, typ)
		}
	}
	if a.Func == "mean" {
		q := new(big.Rat).SetFrac(sum, big.NewInt(int64(len(vals))))
		if typ.ID == batch.Decimal {
			q.Quo(q, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(typ.Scale)), nil)))
		}
		f, _ := q.Float64()
		return f, nil
	}
	return fit(sum, a.Type)
}

// fit returns a sum as a value of its type.
func fit(sum *big.Int, t batch.Type) (any, error) {
	lo, hi := new(big.Int), new(big.Int)
	switch {
	case t.ID == batch.Decimal:
		hi.Exp(big.NewInt(10), big.NewInt(int64(t.Prec)), nil)
		hi.Sub(hi, big.NewInt(1))
		lo.Neg(hi)
	case t.ID == batch.Uint64:
		hi.SetUint64(math.MaxUint64)
	default:
		hi.SetInt64(math.MaxInt64)
		lo.SetInt64(math.MinInt64)
	}
	if sum.Cmp(lo) < 0 || sum.Cmp(hi) > 0 {
		return nil, fmt.Errorf("%w: the sum %s does not fit %s", ErrRow, sum, t)
	}
	switch {
	case t.Kind() == batch.KindInt128:
		v, _ := batch.Int128FromBig(sum)
		return v, nil
	case t.ID == batch.Uint64:
		return int64(sum.Uint64()), nil
	}
	return sum.Int64(), nil
}

func floatTotal(a plan.Agg, vals []any) any {
	sum := new(big.Float).SetPrec(3000)
	var special float64
	for _, v := range vals {
		f := v.(float64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			special += f
			if special == 0 { // not reached: a special value never adds up to zero
				special = f
			}
			continue
		}
		sum.Add(sum, new(big.Float).SetFloat64(f))
	}
	if special != 0 {
		return special
	}
	if a.Func == "mean" {
		sum.Quo(sum, new(big.Float).SetPrec(3000).SetInt64(int64(len(vals))))
	}
	f, _ := sum.Float64()
	return f + 0
}
