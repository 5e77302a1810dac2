package plan

import (
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// build makes the nodes.
func (f *folding) build() *Preaggregation {
	out := &Preaggregation{Group: f.group, Join: f.join}
	var names []string
	for side, h := range f.sides {
		out.Sides[side] = h.node(f.join, names, len(f.op.LeftKeys), f.nullsMatter(side))
		names = out.Sides[side].Schema.Names()
	}
	out.Made = f.joinGroups(out.Sides)
	below := out.Made
	for _, c := range slices.Backward(f.conds) {
		moved := c
		if len(c.Columns()) > 0 {
			moved = onColumns(c, below.Schema, func(col int) int { return f.position(f.carried[expr.ColumnRef(f.join.Schema, col).String()]) })
		}
		below = &Node{Op: &Filter{Cond: moved}, Inputs: []*Node{below}, Schema: below.Schema, Table: f.group.Table, Verb: "where", Pos: f.group.Pos}
	}
	was := f.group.Op.(*GroupBy)
	op := &GroupBy{Sort: was.Sort, DropNulls: was.DropNulls}
	for _, k := range f.keys {
		op.Keys = append(op.Keys, f.position(k))
	}
	for _, a := range f.aggs {
		a.Arg = f.position(a.arg)
		if a.Merge {
			a.Weight = f.position(a.weight)
		}
		op.Aggs = append(op.Aggs, a.Agg)
	}
	made := *f.group
	made.Op, made.Inputs = op, []*Node{below}
	made.Warnings = append(slices.Clone(f.notes), f.group.Warnings...)
	out.Instead = &made
	return out
}

// position returns where a column of a side's groups is in their join.
func (f *folding) position(p spot) int {
	at := p.at
	if p.agg {
		at += len(f.sides[p.side].keys)
	}
	if p.side == 1 {
		at += len(f.sides[0].keys) + len(f.sides[0].aggs) - len(f.op.RightKeys)
	}
	return at
}

// input returns what a half's group-by reads, how positions in exprs translate to it, and what exprs are called.
func (h *half) input() (in *Node, at func(int) int, names []string) {
	bare := true
	for _, e := range h.exprs {
		c, ok := e.Column()
		if bare = bare && ok; ok {
			names = append(names, h.in.Schema.Fields[c].Name)
		} else {
			names = append(names, hidden(append(h.in.Schema.Names(), names...), e.String()))
		}
	}
	if bare {
		return h.in, func(i int) int { c, _ := h.exprs[i].Column(); return c }, names
	}
	return projected(h.in, names, h.exprs), func(i int) int { return i }, names
}

// nullsMatter says whether rows of a side with a null key can show above: in the join, or in a key of the group-by.
func (f *folding) nullsMatter(side int) bool {
	h, joined := f.sides[side], len(f.op.LeftKeys)
	carried := slices.ContainsFunc(h.keys[joined:], func(k int) bool { return h.exprs[k].Nullable })
	return carried || f.op.NullsEqual || f.op.Kind == LeftJoin && side == 0
}

// node makes the groups of a half. The names of what the join puts out, all but the first
// keys of the right side, differ from those taken.
func (h *half) node(join *Node, taken []string, joined int, nulls bool) *Node {
	in, at, names := h.input()
	op := &GroupBy{DropNulls: !nulls}
	s := batch.NewSchema()
	add := func(name string, taken []string, t batch.Type, nullable bool) string {
		if taken = append(s.Names(), taken...); slices.Contains(taken, name) {
			name = hidden(taken, name)
		}
		s.Fields = append(s.Fields, batch.Field{Name: name, Type: t, Nullable: nullable})
		return name
	}
	for i, k := range h.keys {
		op.Keys = append(op.Keys, at(k))
		clash := taken
		if i < joined {
			clash = nil
		}
		add(names[k], clash, h.exprs[k].Type, h.exprs[k].Nullable && nulls)
	}
	for _, a := range h.aggs {
		text, nullable := a.Func, a.Filter >= 0
		if a.Arg >= 0 {
			text += "(" + names[a.Arg] + ")"
			nullable = nullable || h.exprs[a.Arg].Nullable
			a.Arg = at(a.Arg)
		}
		if a.Filter >= 0 {
			a.Filter = at(a.Filter)
		}
		a.Name = add("~"+text, taken, a.Type, nullable && !a.Partial && a.Func != "count")
		op.Aggs = append(op.Aggs, a)
	}
	return &Node{Op: op, Inputs: []*Node{in}, Schema: s, Table: join.Table, Verb: "aggregate before the join", Pos: join.Pos}
}

// projected returns a Project of in to exprs.
func projected(in *Node, names []string, exprs []*expr.Bound) *Node {
	fields := make([]batch.Field, len(exprs))
	for i, e := range exprs {
		fields[i] = batch.Field{Name: names[i], Type: e.Type, Nullable: e.Nullable}
	}
	return &Node{Op: &Project{Exprs: exprs}, Inputs: []*Node{in}, Schema: batch.NewSchema(fields...), Table: in.Table, Verb: in.Verb, Pos: in.Pos}
}

// joinGroups makes the join of the halves.
func (f *folding) joinGroups(sides [2]*Node) *Node {
	k := len(f.op.LeftKeys)
	op := &Join{Kind: f.op.Kind, Validate: f.op.Validate, NullsEqual: f.op.NullsEqual, Strategy: "auto", Whole: f.join}
	for i := range k {
		op.LeftKeys, op.RightKeys = append(op.LeftKeys, i), append(op.RightKeys, i)
	}
	fields := slices.Clone(sides[0].Schema.Fields)
	for i, c := range sides[1].Schema.Fields[k:] {
		op.RightOut = append(op.RightOut, k+i)
		c.Nullable = c.Nullable || op.Kind == LeftJoin
		fields = append(fields, c)
	}
	return &Node{Op: op, Inputs: sides[:], Schema: batch.NewSchema(fields...), Table: f.join.Table, Verb: f.join.Verb, Pos: f.join.Pos}
}
