package groupby

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"

	"pqjoin/batch"
	"pqjoin/groupby/binsum"
)

// value is one value of a row, boxed: nil for null, else bool, int64, uint64, float64, batch.Int128 or string.
type value any

func valueAt(c *batch.Column, i int) value {
	if c.IsNull(i) {
		return nil
	}
	if c.Dict != nil {
		return valueAt(c.Dict, int(c.Codes[i]))
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return c.Bools()[i] == 1
	case batch.KindFloat64:
		return c.Float64s()[i]
	case batch.KindInt128:
		return c.Int128s()[i]
	case batch.KindBytes:
		return string(c.Value(i))
	}
	if c.Type.IsUnsigned() {
		return uint64(c.Int64s()[i])
	}
	return c.Int64s()[i]
}

func rowsOf(b *batch.Batch) [][]value {
	out := make([][]value, b.N)
	for i := range out {
		for _, c := range b.Cols {
			out[i] = append(out[i], valueAt(c, i))
		}
	}
	return out
}

// keyed makes equal keys equal as Go values.
func keyed(v value) value {
	if f, ok := v.(float64); ok {
		if f != f {
			return "NaN"
		}
		return f + 0
	}
	return v
}

// compareValues is the order of keys, and of min and max: nulls last, NaN greatest.
func compareValues(a, b value) int {
	if a == nil || b == nil {
		return cmp.Compare(bool2int(a == nil), bool2int(b == nil))
	}
	switch x := a.(type) {
	case bool:
		return cmp.Compare(bool2int(x), bool2int(b.(bool)))
	case int64:
		return cmp.Compare(x, b.(int64))
	case uint64:
		return cmp.Compare(x, b.(uint64))
	case batch.Int128:
		return x.Cmp(b.(batch.Int128))
	case string:
		return bytes.Compare([]byte(x), []byte(b.(string)))
	}
	x, y := a.(float64), b.(float64)
	switch {
	case x != x || y != y:
		return cmp.Compare(bool2int(x != x), bool2int(y != y))
	case x == 0 && y == 0:
		return cmp.Compare(bool2int(!math.Signbit(x)), bool2int(!math.Signbit(y)))
	}
	return cmp.Compare(x, y)
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// oracle groups rows of the spec's input naively, in table order.
func oracle(spec *Spec, rows [][]value) [][]value {
	type group struct {
		key  []value
		rows [][]value
	}
	groups := map[string]*group{}
	var list []*group
	if len(spec.Keys) == 0 {
		list = append(list, &group{rows: rows})
		rows = nil
	}
	for _, r := range rows {
		var key []value
		null := false
		for _, k := range spec.Keys {
			v := keyed(r[k])
			null = null || v == nil
			if v == "NaN" && spec.In.Fields[k].Type.IsFloat() {
				v = math.NaN()
			}
			key = append(key, v)
		}
		if null && spec.DropNulls {
			continue
		}
		name := fmt.Sprintf("%#v", key)
		g := groups[name]
		if g == nil {
			g = &group{key: key}
			groups[name] = g
			list = append(list, g)
		}
		g.rows = append(g.rows, r)
	}
	slices.SortFunc(list, func(a, b *group) int {
		for i := range a.key {
			if c := compareValues(a.key[i], b.key[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	var out [][]value
	for _, g := range list {
		row := slices.Clone(g.key)
		for _, a := range spec.Aggs {
			row = append(row, oracleAgg(spec, a, g.rows))
		}
		out = append(out, row)
	}
	return out
}

func oracleAgg(spec *Spec, a Agg, rows [][]value) value {
	if a.Func == "arg_min" || a.Func == "arg_max" {
		return oracleArg(a, rows)
	}
	if slices.Contains([]string{"top", "list", "leading", "string_agg"}, a.Func) {
		return oracleList(spec, a, rows)
	}
	var vals []value
	for _, r := range rows {
		if a.Filter >= 0 && r[a.Filter] != true {
			continue
		}
		switch {
		case a.Arg < 0:
			vals = append(vals, true)
		case r[a.Arg] != nil || a.Func == "first" || a.Func == "last":
			vals = append(vals, r[a.Arg])
		}
	}
	if a.Func == "count" {
		return int64(len(vals))
	}
	if len(vals) == 0 {
		return nil
	}
	switch a.Func {
	case "any":
		return slices.Contains(vals, value(true))
	case "all":
		return !slices.Contains(vals, value(false))
	case "min":
		return slices.MinFunc(vals, compareValues)
	case "max":
		return slices.MaxFunc(vals, compareValues)
	case "first":
		return vals[0]
	case "last":
		return vals[len(vals)-1]
	case "quantile_cont", "quantile_disc":
		return oracleQuantile(a, vals)
	}
	return oracleSum(spec, a, vals)
}

func oracleSum(spec *Spec, a Agg, vals []value) value {
	if _, ok := vals[0].(float64); ok {
		var s binsum.State
		for _, v := range vals {
			s.Add(v.(float64))
		}
		if a.Func == "mean" {
			return s.Mean(int64(len(vals)))
		}
		return s.Sum()
	}
	sum := new(big.Int)
	for _, v := range vals {
		switch x := v.(type) {
		case int64:
			sum.Add(sum, big.NewInt(x))
		case uint64:
			sum.Add(sum, new(big.Int).SetUint64(x))
		case batch.Int128:
			sum.Add(sum, x.Big())
		}
	}
	if a.Func == "mean" {
		f, _ := new(big.Rat).SetFrac(sum, big.NewInt(int64(len(vals)))).Float64()
		if t := spec.In.Fields[a.Arg].Type; t.ID == batch.Decimal && t.Scale != 0 {
			f /= math.Pow10(int(t.Scale))
		}
		return f
	}
	switch {
	case a.Type.Kind() == batch.KindInt128:
		v, _ := batch.Int128FromBig(sum)
		return v
	case a.Type.IsUnsigned():
		return sum.Uint64()
	}
	return sum.Int64()
}

// oracleArg is the value of the first of the rows whose second argument is least, or greatest.
func oracleArg(a Agg, rows [][]value) value {
	unsigned := func(v value) value {
		if f, ok := v.(float64); ok {
			return f + 0
		}
		return v
	}
	var best []value
	for _, r := range rows {
		if a.Filter >= 0 && r[a.Filter] != true || r[a.Arg] == nil || r[a.Arg2] == nil {
			continue
		}
		if best == nil {
			best = r
			continue
		}
		if c := compareValues(unsigned(r[a.Arg2]), unsigned(best[a.Arg2])); c < 0 && a.Func == "arg_min" || c > 0 && a.Func == "arg_max" {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	return best[a.Arg]
}
