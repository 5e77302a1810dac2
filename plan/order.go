package plan

import (
	"fmt"
	"slices"
)

// requireOrder makes sure that the rows of n have a defined order, for a verb that depends on it.
func requireOrder(n *Node, verb string) {
	for !n.Ordered {
		n.Ordered = true
		switch op := n.Op.(type) {
		case *Join:
			op.KeepOrder = true
			if !op.Kind.Filters() {
				requireOrder(n.Inputs[1], verb)
			}
		case *Index:
			op.Lazy = false
			return
		case *Union:
			for _, in := range n.Inputs[1:] {
				requireOrder(in, verb)
			}
		case *GroupBy:
			op.Sort = true
			n.Index = groupIndex(len(op.Keys))
			n.Warnings = append(n.Warnings, fmt.Sprintf("the groups are sorted by their keys although sort is false: %s needs an order", verb))
			return
		}
		if len(n.Inputs) == 0 {
			return
		}
		n = n.Inputs[0]
	}
}

// index returns the order of the result of a join that keeps the order of a left table so indexed. Right rows without a match are
// null in the left's columns but for its keys, and come last among the rows of a key: nulls first is no order of theirs.
func (op *Join) index(left []SortKey) []SortKey {
	if op.Kind == AsofJoin {
		return op.Asof.index(op, left)
	}
	if !op.Kind.KeepsRight() {
		return left
	}
	out := slices.Clone(op.Order)
	if len(left) < len(out) || !slices.Equal(left[:len(out)], out) {
		return out
	}
	for _, k := range left[len(out):] {
		if k.NullsFirst || slices.Contains(op.LeftKeys, k.Column) {
			break
		}
		out = append(out, k)
	}
	return out
}

// groupIndex is the order of a sorted group-by: its keys, ascending, nulls last.
func groupIndex(keys int) []SortKey {
	index := make([]SortKey, keys)
	for i := range index {
		index[i].Column = i
	}
	return index
}

// leads says whether index begins with the columns by, in any order and direction, and
// then with the keys of then exactly.
func leads(index []SortKey, by []int, then []SortKey) bool {
	if len(index) < len(by)+len(then) {
		return false
	}
	for _, k := range index[:len(by)] {
		if !slices.Contains(by, k.Column) {
			return false
		}
	}
	return slices.Equal(index[len(by):len(by)+len(then)], then)
}

// describeKeys writes an order as job files do: a, b desc.
func describeKeys(n *Node, keys []SortKey) string {
	s := ""
	for i, k := range keys {
		if i > 0 {
			s += ", "
		}
		s += n.Schema.Fields[k.Column].Name
		if k.Desc {
			s += " desc"
		}
		if k.NullsFirst {
			s += " nulls first"
		}
	}
	return s
}
