package ref

import (
	"math"
	"math/big"
	"slices"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/plan"
)

// asof looks at every right row for every left row.
func asof(n *plan.Node, op *plan.Join, left, right *Table) (*Table, error) {
	if left.anyLoose(op.LeftKeys) || right.anyLoose(op.RightKeys) {
		return nil, ErrOpen
	}
	if op.MaxRows > 0 && int64(len(left.Rows)) > op.MaxRows {
		return nil, ErrMaxRows
	}
	t := &Table{Schema: n.Schema, Rank: left.Rank, Loose: slices.Clone(left.Loose)}
	for _, c := range op.RightOut {
		t.Loose = append(t.Loose, right.Loose[c])
	}
	last := len(op.LeftKeys) - 1
	typ := left.Schema.Fields[op.LeftKeys[last]].Type
	groups := map[string][]int{}
	for j, r := range right.Rows {
		k := keyOf(r, op.RightKeys[:last])
		groups[k] = append(groups[k], j)
	}
	for _, l := range left.Rows {
		found, tied := -1, false
		if op.NullsEqual || !hasNull(l, op.LeftKeys[:last]) {
			found, tied = nearest(op, typ, l[op.LeftKeys[last]], right, groups[keyOf(l, op.LeftKeys[:last])])
		}
		if tied {
			return nil, ErrOpen
		}
		row := slices.Clone(l)
		for _, c := range op.RightOut {
			var v any
			if found >= 0 {
				v = right.Rows[found][c]
			}
			row = append(row, v)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// nearest returns the right row of rows that an as-of join gives the left key v, -1 for none; tied says that nothing tells which of several.
func nearest(op *plan.Join, typ batch.Type, v any, right *Table, rows []int) (found int, tied bool) {
	key := op.RightKeys[len(op.RightKeys)-1]
	back, front := -1, -1
	var backTied, frontTied bool
	for _, j := range rows {
		d := apart(typ, right.Rows[j][key], v)
		if d == nil || op.Asof.Within && !within(op, typ, new(big.Float).Abs(d)) {
			continue
		}
		better := func(old int) int {
			if old < 0 {
				return 1
			}
			return batchtest.Compare(typ, right.Rows[j][key], right.Rows[old][key])
		}
		if d.Sign() <= 0 && op.Asof.Direction != "forward" {
			if c := better(back); c >= 0 { // of tied rows the last
				backTied = c == 0 && right.Rank[back] == right.Rank[j]
				back = j
			}
		} else if d.Sign() >= 0 && op.Asof.Direction != "backward" {
			switch c := better(front); {
			case front < 0 || c < 0:
				front, frontTied = j, false
			case c == 0: // the first
				frontTied = frontTied || right.Rank[front] == right.Rank[j]
			}
		}
	}
	if back < 0 {
		return front, frontTied
	}
	if front >= 0 {
		b, f := apart(typ, right.Rows[back][key], v), apart(typ, right.Rows[front][key], v)
		if f.Cmp(b.Neg(b)) < 0 {
			return front, frontTied
		}
	}
	return back, backTied
}

// apart is r minus l; nil where one is null or NaN.
func apart(typ batch.Type, r, l any) *big.Float {
	if r == nil || l == nil {
		return nil
	}
	switch r := r.(type) {
	case float64:
		l := l.(float64)
		switch {
		case r != r || l != l:
			return nil
		case r == l:
			return new(big.Float)
		}
		return big.NewFloat(r - l)
	case batch.Int128:
		return new(big.Float).SetPrec(256).SetInt(new(big.Int).Sub(r.Big(), l.(batch.Int128).Big()))
	}
	a, b := big.NewInt(r.(int64)), big.NewInt(l.(int64))
	if typ.ID == batch.Uint64 {
		a.SetUint64(uint64(r.(int64)))
		b.SetUint64(uint64(l.(int64)))
	}
	return new(big.Float).SetPrec(256).SetInt(a.Sub(a, b))
}

func within(op *plan.Join, typ batch.Type, abs *big.Float) bool {
	if typ.IsFloat() {
		f, _ := abs.Float64()
		return f <= op.Asof.Real && !math.IsInf(f, 0) || f == 0
	}
	return abs.Cmp(new(big.Float).SetPrec(256).SetInt(op.Asof.Ticks.Big())) <= 0
}
