package plan

import (
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// joined is a side of the join that is made: groups of a half, or its rows.
type joined struct {
	*half
	grouped bool
	nulls   bool  // rows with a null key can show above
	aggs    []Agg // of the groups; Arg and Filter are positions in exprs

	node *Node
	out  []int // columns of the node that the join puts out
	base int   // where those begin in the join
}

// rowCount counts the rows of a group.
var rowCount = Agg{Func: "count", Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)}

// aggregate returns which aggregate of the groups a is.
func (j *joined) aggregate(a Agg) int {
	a.Name = ""
	if a.Func == "mean" {
		a.Func = "sum"
	}
	if a.Partial = a.Func == "sum"; a.Partial {
		a.Type = batch.Of(batch.Binary)
	}
	if at := slices.Index(j.aggs, a); at >= 0 {
		return at
	}
	j.aggs = append(j.aggs, a)
	return len(j.aggs) - 1
}

// build makes the nodes.
func (f *folding) build(grouped [2]bool) *Preaggregation {
	p := &Preaggregation{Group: f.group, Join: f.join, Grouped: grouped}
	var sides [2]*joined
	for side, h := range f.sides {
		sides[side] = &joined{half: h, grouped: grouped[side], nulls: f.nullsMatter(side)}
	}
	for _, a := range f.aggs { // all that is asked of a side, before positions are settled
		if sides[a.side].grouped {
			sides[a.side].aggregate(a.Agg)
		}
		if o := sides[1-a.side]; o.grouped && a.counts() {
			o.aggregate(rowCount)
		}
	}
	var names []string
	for side, j := range sides {
		j.make(f, names)
		j.base, names = len(names), j.node.Schema.Names()
		p.Sides[side] = j.node
	}
	p.Made = f.joinSides(sides)
	p.Instead = f.regroup(f.filters(p.Made, sides), sides)
	return p
}

// filters puts the conditions that stood between join and group-by over the join that is made.
func (f *folding) filters(n *Node, sides [2]*joined) *Node {
	for _, c := range slices.Backward(f.conds) {
		if len(c.Columns()) > 0 {
			c = onColumns(c, n.Schema, func(col int) int {
				k := f.carried[expr.ColumnRef(f.join.Schema, col).String()]
				return sides[k.side].key(k.at)
			})
		}
		n = &Node{Op: &Filter{Cond: c}, Inputs: []*Node{n}, Schema: n.Schema, Table: f.group.Table, Verb: "where", Pos: f.group.Pos}
	}
	return n
}

// regroup makes the group-by over what was joined.
func (f *folding) regroup(below *Node, sides [2]*joined) *Node {
	was := f.group.Op.(*GroupBy)
	op := &GroupBy{Sort: was.Sort, DropNulls: was.DropNulls}
	for _, k := range f.keys {
		op.Keys = append(op.Keys, sides[k.side].key(k.at))
	}
	for _, a := range f.aggs {
		j, o, out := sides[a.side], sides[1-a.side], a.Agg
		if j.grouped {
			out.Arg, out.Filter, out.Merge = j.above(len(j.keys)+j.aggregate(a.Agg)), -1, a.counts()
		} else {
			out.Arg, out.Filter = j.row(a.Arg), j.row(a.Filter)
		}
		if out.Merge && a.Arg >= 0 {
			out.Of = j.exprs[a.Arg].Type
		}
		if out.Weighted = o.grouped && a.counts(); out.Weighted {
			out.Weight = o.above(len(o.keys) + o.aggregate(rowCount))
		}
		op.Aggs = append(op.Aggs, out)
	}
	made := *f.group
	made.Op, made.Inputs = op, []*Node{below}
	made.Warnings = append(slices.Clone(f.notes), f.group.Warnings...)
	return &made
}

// above returns where the node's column c is in the join.
func (j *joined) above(c int) int { return j.base + slices.Index(j.out, c) }

// key returns where key i is in the join.
func (j *joined) key(i int) int {
	if j.grouped {
		return j.above(i)
	}
	return j.above(j.keys[i])
}

// row returns where expression i of a side that is not grouped is in the join; -1 for none.
func (j *joined) row(i int) int {
	if i < 0 {
		return -1
	}
	return j.above(i)
}

// nullsMatter says whether rows of a side with a null key can show above: in the join, or in a key of the group-by.
func (f *folding) nullsMatter(side int) bool {
	h, keys := f.sides[side], len(f.op.LeftKeys)
	carried := slices.ContainsFunc(h.keys[keys:], func(k int) bool { return h.exprs[k].Nullable })
	return carried || f.op.NullsEqual || f.op.Kind == LeftJoin && side == 0
}

// make makes the side's node. The names of what the join puts out differ from those taken.
func (j *joined) make(f *folding, taken []string) {
	right := taken != nil
	joins := len(f.op.LeftKeys)
	if !j.grouped {
		j.project(taken)
	} else {
		j.group(f, joins, taken)
	}
	for c := range j.node.Schema.Fields {
		hides := j.grouped && c < joins || !j.grouped && !f.shows(j, c)
		if !right || !hides {
			j.out = append(j.out, c)
		}
	}
}

// shows says whether expression c of a right side that is not grouped is read above the join.
func (f *folding) shows(j *joined, c int) bool {
	reads := func(a foldedAgg) bool { return a.side == 1 && (a.Arg == c || a.Filter == c) }
	return slices.Contains(j.keys[len(f.op.LeftKeys):], c) || slices.ContainsFunc(f.aggs, reads)
}

// names are what the half's expressions are called, unlike those taken where they are computed.
func (h *half) names() []string {
	var names []string
	for _, e := range h.exprs {
		if c, ok := e.Column(); ok {
			names = append(names, h.in.Schema.Fields[c].Name)
		} else {
			names = append(names, hidden(append(h.in.Schema.Names(), names...), e.String()))
		}
	}
	return names
}

// project makes the rows of a side.
func (j *joined) project(taken []string) {
	names := j.names()
	for i, n := range names {
		if slices.Contains(taken, n) {
			names[i] = hidden(append(slices.Clone(taken), names...), n)
		}
	}
	j.node = projected(j.in, names, j.exprs)
}

// input returns what the groups of a half are made of, and how positions in exprs translate to it.
func (h *half) input() (in *Node, at func(int) int) {
	for _, e := range h.exprs {
		if _, bare := e.Column(); !bare {
			return projected(h.in, h.names(), h.exprs), func(i int) int { return i }
		}
	}
	return h.in, func(i int) int { c, _ := h.exprs[i].Column(); return c }
}

// group makes the groups of a side. The first keys are the join's, and hidden by it.
func (j *joined) group(f *folding, joins int, taken []string) {
	in, at := j.input()
	op, names, s := &GroupBy{DropNulls: !j.nulls}, j.names(), batch.NewSchema()
	add := func(name string, taken []string, t batch.Type, nullable bool) string {
		if taken = append(s.Names(), taken...); slices.Contains(taken, name) {
			name = hidden(taken, name)
		}
		s.Fields = append(s.Fields, batch.Field{Name: name, Type: t, Nullable: nullable})
		return name
	}
	for i, k := range j.keys {
		op.Keys = append(op.Keys, at(k))
		clash := taken
		if i < joins {
			clash = nil
		}
		add(names[k], clash, j.exprs[k].Type, j.exprs[k].Nullable && j.nulls)
	}
	for _, a := range j.aggs {
		text, nullable := a.Func, a.Filter >= 0
		if a.Arg >= 0 {
			text += "(" + names[a.Arg] + ")"
			nullable = nullable || j.exprs[a.Arg].Nullable
			a.Arg = at(a.Arg)
		}
		if a.Filter >= 0 {
			a.Filter = at(a.Filter)
		}
		a.Name = add("~"+text, taken, a.Type, nullable && !a.Partial && a.Func != "count")
		op.Aggs = append(op.Aggs, a)
	}
	j.node = &Node{Op: op, Inputs: []*Node{in}, Schema: s, Table: f.join.Table, Verb: "aggregate before the join", Pos: f.join.Pos}
}

// projected returns a Project of in to exprs.
func projected(in *Node, names []string, exprs []*expr.Bound) *Node {
	fields := make([]batch.Field, len(exprs))
	for i, e := range exprs {
		fields[i] = batch.Field{Name: names[i], Type: e.Type, Nullable: e.Nullable}
	}
	return &Node{Op: &Project{Exprs: exprs}, Inputs: []*Node{in}, Schema: batch.NewSchema(fields...), Table: in.Table, Verb: in.Verb, Pos: in.Pos}
}

// joinSides joins groups with groups, or groups with rows.
func (f *folding) joinSides(sides [2]*joined) *Node {
	op := &Join{Kind: f.op.Kind, Validate: f.op.Validate, NullsEqual: f.op.NullsEqual, Strategy: "auto", Whole: f.join}
	keys := [2][]int{}
	for side, j := range sides {
		for i := range f.op.LeftKeys {
			at := i
			if !j.grouped {
				at = j.keys[i]
			}
			keys[side] = append(keys[side], at)
		}
	}
	op.LeftKeys, op.RightKeys, op.RightOut = keys[0], keys[1], sides[1].out
	fields := slices.Clone(sides[0].node.Schema.Fields)
	for _, c := range op.RightOut {
		field := sides[1].node.Schema.Fields[c]
		field.Nullable = field.Nullable || op.Kind == LeftJoin
		fields = append(fields, field)
	}
	return &Node{Op: op, Inputs: []*Node{sides[0].node, sides[1].node}, Schema: batch.NewSchema(fields...), Table: f.join.Table, Verb: f.join.Verb, Pos: f.join.Pos}
}
