package plan

import (
	"slices"

	"pqjoin/expr"
)

// Preaggregation is a group-by over a join, and what gives the same groups without making
// the join's rows: one side or both are aggregated by the join's keys and by what else is needed of
// their rows above, the groups are joined, and what they hold is added up, as often as the other side's
// group has rows. With [x] for a Project, where there is something to compute:
//
//	GroupBy k: sum(a), sum(b), count()     GroupBy k: sum(a) x n2, sum(b) x n1, n1 x n2
//	               |                                        |
//	             Join k                                   Join k
//	            /      \                                 /      \
//	           A        B             GroupBy k: sum(a), n1    GroupBy k: sum(b), n2
//	                                              |                |
//	                                             [A]              [B]
//
// A side that is not aggregated has rows for groups, which count once.
//
// It is exact: partial states hold all that a sum needs (Agg.Partial), not its rounded result.
type Preaggregation struct {
	Group, Join *Node    // as the job has them
	Grouped     [2]bool  // which sides are aggregated
	Sides       [2]*Node // what is joined
	Made        *Node    // the join
	Instead     *Node    // what makes the table of Group
}

// Preaggregate aggregates before joins, wherever that gives the same result and choose takes one of
// the ways: that which aggregates both sides, the left, or the right. It changes p's nodes.
func Preaggregate(p *Plan, choose func(ways []*Preaggregation) *Preaggregation) {
	tried := map[*Node]bool{}
	changed := false
	for again := true; again; {
		again = false
		readers := p.readers()
		for _, n := range slices.Backward(p.Nodes) {
			if tried[n] {
				continue
			}
			tried[n] = true
			ways := preaggregations(n, readers)
			if ways == nil {
				continue
			}
			if way := choose(ways); way != nil {
				p.replace(map[*Node]*Node{n: way.Instead})
				p.collect()
				again, changed = true, true
				break
			}
		}
	}
	if changed {
		p.mergeProjects()
		p.collect()
		p.reorder()
	}
}

// preaggregations returns how to make the table of the group-by g otherwise; nil where there is no way.
func preaggregations(g *Node, readers map[*Node]int) []*Preaggregation {
	op, ok := g.Op.(*GroupBy)
	if !ok {
		return nil
	}
	f := &folding{group: g}
	if !f.descend(g.Inputs[0], readers) {
		return nil
	}
	for _, k := range op.Keys {
		if !f.carry(f.above[k]) {
			return nil
		}
		f.keys = append(f.keys, f.carried[f.above[k].String()])
	}
	for _, c := range f.conds {
		if !f.carryColumns(c) {
			return nil
		}
	}
	for _, a := range op.Aggs {
		if !f.aggregate(a) {
			return nil
		}
	}
	var ways []*Preaggregation
	for _, grouped := range [][2]bool{{true, true}, {true, false}, {false, true}} {
		ways = append(ways, f.build(grouped))
	}
	return ways
}

// folding collects a Preaggregation.
type folding struct {
	group *Node
	join  *Node
	op    *Join
	width int           // columns of the left side
	above []*expr.Bound // the columns of the group-by's input, over those of the join
	conds []*expr.Bound // filters between the two, over the columns of the join
	notes []string      // warnings of the nodes that go

	sides   [2]*half
	carried map[string]spot // what passes as a key of its side, by text
	keys    []spot          // of the group-by
	aggs    []foldedAgg     // of the group-by
}

// spot is a key of a side: keys[at] of its half.
type spot struct{ side, at int }

// foldedAgg is an aggregate of the group-by over one side's rows: Arg and Filter are positions in exprs of its half.
type foldedAgg struct {
	Agg
	side int
}

// counts says whether it matters to an aggregate how many times a value comes.
func (a *Agg) counts() bool { return a.Func == "count" || a.Func == "sum" || a.Func == "mean" }

// foldable are the aggregates that can be made of groups of the sides.
var foldable = []string{"count", "sum", "mean", "min", "max", "any", "all"}

// half is one side of the join.
type half struct {
	in    *Node
	exprs []*expr.Bound // what is read of it, over the side
	keys  []int         // positions in exprs, the join's keys first
}

// descend follows what only passes rows, down to the join.
func (f *folding) descend(n *Node, readers map[*Node]int) bool {
	f.above = columnRefs(n.Schema)
	for ; readers[n] == 1; n = n.Inputs[0] {
		f.notes = append(slices.Clone(n.Warnings), f.notes...)
		switch op := n.Op.(type) {
		case *Project:
			f.above, f.conds = substituted(f.above, op.Exprs), substituted(f.conds, op.Exprs)
		case *Filter:
			f.conds = append(f.conds, op.Cond)
		case *Join:
			return f.begin(n, op)
		default:
			return false
		}
	}
	return false
}

func substituted(list, by []*expr.Bound) []*expr.Bound {
	out := make([]*expr.Bound, len(list))
	for i, e := range list {
		out[i] = e.Substitute(by)
	}
	return out
}

// begin makes the halves of a join. One that counts its rows, or rows of a key, must make them.
func (f *folding) begin(n *Node, op *Join) bool {
	if op.MaxRows > 0 || op.Validate != "m:m" || op.Kind != LeftJoin && op.Kind != InnerJoin || op.Whole != nil {
		return false
	}
	f.join, f.op, f.width, f.carried = n, op, len(n.Inputs[0].Schema.Fields), map[string]spot{}
	for side, keys := range [2][]int{op.LeftKeys, op.RightKeys} {
		h := &half{in: n.Inputs[side]}
		f.sides[side] = h
		for i, c := range keys {
			e := expr.ColumnRef(h.in.Schema, c)
			h.keys = append(h.keys, h.read(e))
			if side == 0 {
				f.carried[expr.ColumnRef(n.Schema, c).String()] = spot{0, i}
			}
		}
	}
	return true
}

// read returns the position of e among what the half reads.
func (h *half) read(e *expr.Bound) int {
	same := func(o *expr.Bound) bool { return o.String() == e.String() }
	if at := slices.IndexFunc(h.exprs, same); at >= 0 {
		return at
	}
	h.exprs = append(h.exprs, e)
	return len(h.exprs) - 1
}

// sideOf returns the one side whose columns e reads, the left for an expression without any; -1 where both.
func (f *folding) sideOf(exprs ...*expr.Bound) int {
	side := -1
	for _, e := range exprs {
		for _, c := range e.Columns() {
			s := 0
			if c >= f.width {
				s = 1
			}
			if side >= 0 && side != s {
				return -1
			}
			side = s
		}
	}
	return max(side, 0)
}

// push returns e over the columns of a side, where computing it there is the same: it fails
// on no row that the join leaves out, and is null for left rows without a match.
func (f *folding) push(e *expr.Bound, side int) (*expr.Bound, bool) {
	_, bare := e.Column()
	outer := f.op.Kind == LeftJoin
	if !bare && (e.CanFail() && !(outer && side == 0 && len(f.conds) == 0) || outer && side == 1 && !strict(e.Tree.Root)) {
		return nil, false
	}
	if side == 0 || len(e.Columns()) == 0 {
		return e, true
	}
	return onColumns(e, f.sides[1].in.Schema, func(c int) int { return f.op.RightOut[c-f.width] }), true
}

// strict says whether an expression is null where all its columns are.
func strict(n *expr.Node) bool {
	switch n.Op {
	case expr.OpColumn:
		return true
	case expr.OpNeg, expr.OpNot, expr.OpCast:
		return strict(n.Args[0])
	case expr.OpBinary:
		switch n.Name {
		case "and", "or": // false and null is false
			return strict(n.Args[0]) && strict(n.Args[1])
		case "+", "-", "*", "/", "%", "//", "**", "^", "||", "&", "|", "<<", ">>", "=", "<>", "!=", "<", "<=", ">", ">=":
			return strict(n.Args[0]) || strict(n.Args[1])
		}
	}
	return false
}

// carry makes e, over the join's columns, a key of its side.
func (f *folding) carry(e *expr.Bound) bool {
	if _, ok := f.carried[e.String()]; ok {
		return true
	}
	side := f.sideOf(e)
	if side < 0 {
		return false
	}
	moved, ok := f.push(e, side)
	if !ok {
		return false
	}
	h := f.sides[side]
	f.carried[e.String()] = spot{side, len(h.keys)}
	h.keys = append(h.keys, h.read(moved))
	return true
}

// carryColumns makes all columns that a filter reads keys. A key's zero has no sign, so a filter of floats stays.
func (f *folding) carryColumns(cond *expr.Bound) bool {
	for _, c := range cond.Columns() {
		t := f.join.Schema.Fields[c].Type
		if t.IsFloat() || !t.Comparable() || !f.carry(expr.ColumnRef(f.join.Schema, c)) {
			return false
		}
	}
	return true
}

// aggregate notes an aggregate of the group-by, if it reads one side.
func (f *folding) aggregate(a Agg) bool {
	if a.Merge || a.Weighted || !slices.Contains(foldable, a.Func) {
		return false
	}
	var reads []*expr.Bound
	for _, c := range present(a.Arg, a.Filter) {
		reads = append(reads, f.above[c])
	}
	side := f.sideOf(reads...)
	if side < 0 {
		return false
	}
	for _, c := range []*int{&a.Arg, &a.Filter} {
		if *c < 0 {
			continue
		}
		e, ok := f.push(f.above[*c], side)
		if !ok {
			return false
		}
		*c = f.sides[side].read(e)
	}
	f.aggs = append(f.aggs, foldedAgg{a, side})
	return true
}
