package ref

import (
	"slices"

	"pqjoin/plan"
)

// lag looks the shifted rows up in a list of each group's rows.
func lag(n *plan.Node, op *plan.Lag, in *Table) (*Table, error) {
	if in.anyLoose(op.By) {
		return nil, ErrOpen
	}
	if !in.Total() {
		return nil, ErrOpen
	}
	groups := map[string][]int{}
	place := make([]int, len(in.Rows))
	for i, r := range in.Rows {
		k := keyOf(r, op.By)
		place[i] = len(groups[k])
		groups[k] = append(groups[k], i)
	}
	t := &Table{Schema: n.Schema, Rank: in.Rank, Loose: slices.Clone(in.Loose)}
	for _, c := range op.Cols {
		t.Loose = append(t.Loose, in.Loose[c.Column])
	}
	for i, r := range in.Rows {
		row := slices.Clone(r)
		g := groups[keyOf(r, op.By)]
		for _, c := range op.Cols {
			var v any
			if at := place[i] - c.Period; at >= 0 && at < len(g) {
				v = in.Rows[g[at]][c.Column]
			}
			row = append(row, v)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// join keeps the left's order; the matches of a left row come in the right's order. Right rows without a match come last,
// or where op.Order puts them.
func join(n *plan.Node, op *plan.Join, left, right *Table, most int) (*Table, error) {
	if left.anyLoose(op.LeftKeys) || right.anyLoose(op.RightKeys) {
		return nil, ErrOpen
	}
	matches := map[string][]int{}
	for i, r := range right.Rows {
		if op.NullsEqual || !hasNull(r, op.RightKeys) {
			k := keyOf(r, op.RightKeys)
			matches[k] = append(matches[k], i)
		}
	}
	if err := validate(op, left, matches); err != nil {
		return nil, err
	}
	t := &Table{Schema: n.Schema, Loose: slices.Clone(left.Loose)}
	for _, c := range op.RightOut {
		t.Loose = append(t.Loose, right.Loose[c])
	}
	rank, last := -1, [2]int{-1, -1}
	add := func(i, j int) {
		row := slices.Clone(left.Rows[i])
		at := [2]int{left.Rank[i], -1}
		for _, c := range op.RightOut {
			var v any
			if j >= 0 {
				v, at[1] = right.Rows[j][c], right.Rank[j]
			}
			row = append(row, v)
		}
		// Left rows that share a rank share it still, whatever they match.
		if at[0] != last[0] || (at[1] != last[1] && sole(left, i)) {
			rank++
		}
		last = at
		t.Rows, t.Rank = append(t.Rows, row), append(t.Rank, rank)
	}
	matched := map[int]bool{}
	for i, r := range left.Rows {
		var found []int
		if op.NullsEqual || !hasNull(r, op.LeftKeys) {
			found = matches[keyOf(r, op.LeftKeys)]
		}
		if len(t.Rows)+len(found) > 2*most && op.MaxRows == 0 {
			return nil, ErrTooBig
		}
		for _, j := range found {
			matched[j] = true
			if !op.Kind.Filters() {
				add(i, j)
			}
		}
		if alone := len(found) == 0; alone && op.Kind.KeepsLeft() || op.Kind.Filters() && alone == (op.Kind == plan.AntiJoin) {
			add(i, -1)
		}
		if op.MaxRows > 0 && int64(len(t.Rows)) > op.MaxRows {
			return nil, ErrMaxRows
		}
	}
	if !op.Kind.KeepsRight() {
		return t, nil
	}
	return rightOnly(op, t, right, matched)
}

// rightOnly adds the right rows without a match to t.
func rightOnly(op *plan.Join, t, right *Table, matched map[int]bool) (*Table, error) {
	rank, last := 0, -1
	if n := len(t.Rank); n > 0 {
		rank = t.Rank[n-1]
	}
	for j, r := range right.Rows {
		if matched[j] {
			continue
		}
		row := make([]any, len(t.Schema.Fields))
		for i, c := range op.LeftKeys {
			row[c] = r[op.RightKeys[i]]
		}
		for i, c := range op.RightOut {
			row[len(row)-len(op.RightOut)+i] = r[c]
		}
		if right.Rank[j] != last {
			rank++
		}
		last = right.Rank[j]
		t.Rows, t.Rank = append(t.Rows, row), append(t.Rank, rank)
	}
	if op.MaxRows > 0 && int64(len(t.Rows)) > op.MaxRows {
		return nil, ErrMaxRows
	}
	if op.Order == nil {
		return t, nil
	}
	return index(&plan.Index{Keys: op.Order}, t)
}

// sole says whether row i's rank is its own.
func sole(t *Table, i int) bool {
	return (i == 0 || t.Rank[i-1] != t.Rank[i]) && (i+1 == len(t.Rank) || t.Rank[i+1] != t.Rank[i])
}

func validate(op *plan.Join, left *Table, matches map[string][]int) error {
	if op.Validate == "1:1" || op.Validate == "m:1" {
		for _, rows := range matches {
			if len(rows) > 1 {
				return ErrValidate
			}
		}
	}
	if op.Validate == "1:1" || op.Validate == "1:m" {
		seen := map[string]bool{}
		for _, r := range left.Rows {
			k := keyOf(r, op.LeftKeys)
			if seen[k] && (op.NullsEqual || !hasNull(r, op.LeftKeys)) {
				return ErrValidate
			}
			seen[k] = true
		}
	}
	return nil
}
