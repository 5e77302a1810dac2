package plan

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/expr"
)

// The passes of Rewrite, each a method that leaves p a valid plan:
//
//	splitGroups    aggregates that need sorted values become operators that make those
//	shareEqual     equal operators over equal inputs become one node
//	dropSorts      sorts that nobody needs, or that change nothing, go
//	pushFilters    filters move towards the scans, condition by condition
//	mergeProjects  a Project of a Project becomes one
//	pruneColumns   columns that nobody reads go, down to Scan.Columns
//
// Aggregating before a join that multiplies comes after them, in Preaggregate: whether it
// pays depends on sizes, which only the engine knows.
func rewritePlan(p *Plan) (*Plan, error) {
	passes := []func(){p.splitGroups, p.shareEqual, p.dropSorts, p.pushFilters, p.mergeProjects, p.pruneColumns, p.dropSorts, p.mergeProjects}
	for _, pass := range passes {
		pass()
		p.collect()
		p.reorder()
	}
	return p, nil
}

// reorder computes Index and Ordered of every node anew.
func (p *Plan) reorder() {
	for _, n := range p.Nodes {
		n.Index, n.Ordered = nil, true
		if len(n.Inputs) > 0 {
			n.Index, n.Ordered = n.Inputs[0].Index, n.Inputs[0].Ordered
		}
		switch op := n.Op.(type) {
		case *Project:
			n.Index = projectIndex(n.Index, op.Exprs)
		case *Index:
			n.Index, n.Ordered = op.Keys, !op.Lazy && !op.Loose
			if op.Lazy {
				n.Index = nil
			}
		case *Join:
			n.Index, n.Ordered = op.index(n.Index), op.KeepOrder
			if !op.KeepOrder {
				n.Index = nil
			}
		case *Union:
			n.Index, n.Ordered = nil, allOrdered(n.Inputs)
		case *GroupBy:
			n.Index, n.Ordered = nil, op.Sort || len(op.Keys) == 0
			if op.Sort && len(op.Keys) > 0 {
				n.Index = groupIndex(len(op.Keys))
			}
		}
	}
}

// shareEqual makes one node of nodes that do the same to the same inputs.
func (p *Plan) shareEqual() {
	first := map[string]*Node{}
	same := map[*Node]*Node{}
	for _, n := range p.Nodes {
		for i, in := range n.Inputs {
			if r := same[in]; r != nil {
				n.Inputs[i] = r
			}
		}
		key := signature(n)
		if f := first[key]; f != nil {
			same[n] = f
		} else {
			first[key] = n
		}
	}
	p.replace(same)
}

// signature writes down all that decides what a node makes. Expressions are still
// those that Resolve bound, so that a name means one column of the input.
func signature(n *Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%T %q", n.Op, n.Schema.Names())
	for _, in := range n.Inputs {
		fmt.Fprintf(&b, " #%d", in.ID)
	}
	exprs := func(list ...*expr.Bound) {
		for _, e := range list {
			fmt.Fprintf(&b, " %q%v", e.String(), e.Columns())
		}
	}
	switch op := n.Op.(type) {
	case *Scan:
		fmt.Fprintf(&b, " %q %v", op.Input.Name, op.Columns)
		if op.Where != nil {
			exprs(op.Where)
		}
	case *Project:
		exprs(op.Exprs...)
	case *Filter:
		exprs(op.Cond)
	case *Check:
		fmt.Fprintf(&b, " %d %d %v %v %v", op.MinRows, op.MaxRows, op.NotNull, op.Unique, op.Warn)
		exprs(op.Expect...)
	default:
		fmt.Fprintf(&b, " %+v", op)
	}
	return b.String()
}

// dropSorts removes sorts of what is sorted already, and sorts whose order nobody needs.
// It also tells joins whether they must keep the left's order.
func (p *Plan) dropSorts() {
	needed, readers := p.neededOrders(), p.readers()
	gone := map[*Node]*Node{}
	for _, n := range p.Nodes {
		for i, in := range n.Inputs {
			if r := gone[in]; r != nil {
				n.Inputs[i] = r
			}
		}
		switch op := n.Op.(type) {
		case *Join:
			op.KeepOrder = op.KeepOrder && needed[n]
			op.sortAfter(n, readers)
			op.sortOnce(n, readers)
		case *Index:
			op.overSort(n, readers)
			in := n.Inputs[0]
			if !op.Unique && (!needed[n] || covers(in, op.Keys)) {
				gone[n] = in
			}
		}
	}
	p.replace(gone)
}

// overSort takes away the sort beneath a sort by all of its columns: rows that agree in them were next to each other in the
// order of its input, and still are.
func (op *Index) overSort(n *Node, readers map[*Node]int) {
	below := n.Inputs[0]
	ix, ok := below.Op.(*Index)
	if !ok || ix.Unique || readers[below] != 1 {
		return
	}
	for _, k := range ix.Keys {
		if !slices.ContainsFunc(op.Keys, func(o SortKey) bool { return o.Column == k.Column }) {
			return
		}
	}
	n.Inputs[0] = below.Inputs[0]
}

// sortAfter takes away the sort of a join's left by an index whose order the join gives its result anyway, because it sorts right
// rows without a match in: the one sort is then by the whole index. Those rows are null in the index behind the keys, and so come
// last among the rows of a key in either way, unless nulls come first.
func (op *Join) sortAfter(n *Node, readers map[*Node]int) {
	at, below := n, n.Inputs[0]
	var exprs []*expr.Bound
	if p, ok := below.Op.(*Project); ok && readers[below] == 1 {
		at, below, exprs = below, below.Inputs[0], p.Exprs
	}
	ix, ok := below.Op.(*Index)
	if !ok || readers[below] != 1 || ix.Unique || !op.KeepOrder || len(op.Order) == 0 {
		return
	}
	keys := ix.Keys
	if exprs != nil {
		keys = projectIndex(keys, exprs)
	}
	lead := len(op.Order)
	if len(keys) != len(ix.Keys) || len(keys) < lead || !slices.Equal(keys[:lead], op.Order) ||
		slices.ContainsFunc(keys[lead:], func(k SortKey) bool { return k.NullsFirst }) {
		return
	}
	op.Order = slices.Clone(keys)
	at.Inputs[0] = below.Inputs[0]
}

// covers says whether the table is sorted by keys already.
func covers(n *Node, keys []SortKey) bool {
	if len(n.Index) < len(keys) {
		return false
	}
	for i, k := range keys {
		have := n.Index[i]
		if !n.Schema.Fields[k.Column].Nullable {
			have.NullsFirst = k.NullsFirst
		}
		if have != k {
			return false
		}
	}
	return true
}

// neededOrders says of which nodes somebody needs the row order.
func (p *Plan) neededOrders() map[*Node]bool {
	need := map[*Node]bool{}
	for _, out := range p.Outputs {
		need[out.Node] = out.Node.Ordered || len(out.PartitionBy) > 0
	}
	for i := len(p.Nodes) - 1; i >= 0; i-- {
		n := p.Nodes[i]
		for side, in := range n.Inputs {
			need[in] = need[in] || needsOrder(n, side, need[n])
		}
	}
	return need
}

// needsOrder says whether n needs the order of its input number side, given whether
// somebody needs the order of n.
func needsOrder(n *Node, side int, needed bool) bool {
	switch op := n.Op.(type) {
	case *Head:
		return true
	case *Lag, *Window:
		return true
	case *Index:
		return needed && !op.Unique && !op.Loose
	case *GroupBy:
		for _, a := range op.Aggs {
			if a.ordered() {
				return true
			}
		}
		return false
	case *Join:
		return op.Kind == AsofJoin && side == 1 || needed && (op.KeepOrder && !op.Kind.Filters() || side == 0)
	}
	return needed
}
