package plan

import (
	"maps"
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// Pruning the operators whose columns are not their input's: scans, lags, joins and group-bys.

func (u *pruner) makeScan(n *Node, op *Scan) *pruned {
	set := maps.Clone(u.need[n])
	if op.Where != nil {
		for _, c := range op.Where.Columns() {
			set[c] = true
		}
	}
	kept := slices.Sorted(maps.Keys(set))
	at := positions(len(op.Columns), kept)
	scan := &Scan{Input: op.Input, Columns: mapped(kept, op.Columns)}
	if op.Where != nil {
		scan.Where = op.Where.Remap(func(c int) int { return at[c] })
	}
	out := *n
	out.Op, out.Schema = scan, n.Schema.Select(kept)
	return &pruned{&out, at}
}

// makeLag keeps the lagged columns that are needed; a lag of none is its input.
func (u *pruner) makeLag(n *Node, op *Lag) *pruned {
	in := u.made[n.Inputs[0]]
	width := len(n.Inputs[0].Schema.Fields)
	at := append(slices.Clone(in.at), positions(len(op.Cols), nil)...)
	fields := slices.Clone(in.node.Schema.Fields)
	lag := &Lag{By: mapped(op.By, in.at)}
	for i, c := range op.Cols {
		if !u.need[n][width+i] {
			continue
		}
		at[width+i] = len(fields)
		fields = append(fields, n.Schema.Fields[width+i])
		c.Column = in.at[c.Column]
		lag.Cols = append(lag.Cols, c)
	}
	if len(lag.Cols) == 0 {
		return &pruned{in.node, at}
	}
	out := *n
	out.Op, out.Inputs, out.Schema = lag, []*Node{in.node}, batch.NewSchema(fields...)
	return &pruned{&out, at}
}

// ranks says whether a window column needs to know which rows are peers.
func ranks(c WindowColumn) bool { return c.Func == "rank" || c.Func == "dense_rank" }

// makeWindow keeps the columns that are needed; a window of none is its input.
func (u *pruner) makeWindow(n *Node, op *Window) *pruned {
	in := u.made[n.Inputs[0]]
	width := len(n.Inputs[0].Schema.Fields)
	at := append(slices.Clone(in.at), positions(len(op.Cols), nil)...)
	fields := slices.Clone(in.node.Schema.Fields)
	win := &Window{By: mapped(op.By, in.at)}
	for i, c := range op.Cols {
		if !u.need[n][width+i] {
			continue
		}
		at[width+i] = len(fields)
		fields = append(fields, n.Schema.Fields[width+i])
		if c.Arg >= 0 {
			c.Arg = in.at[c.Arg]
		}
		if ranks(c) {
			win.Order = mapped(op.Order, in.at)
		}
		win.Cols = append(win.Cols, c)
	}
	if len(win.Cols) == 0 {
		return &pruned{in.node, at}
	}
	out := *n
	out.Op, out.Inputs, out.Schema = win, []*Node{in.node}, batch.NewSchema(fields...)
	return &pruned{&out, at}
}

func (u *pruner) makeJoin(n *Node, op *Join) *pruned {
	left, right := u.made[n.Inputs[0]], u.made[n.Inputs[1]]
	width := len(n.Inputs[0].Schema.Fields)
	at := append(slices.Clone(left.at), positions(len(op.RightOut), nil)...)
	fields := slices.Clone(left.node.Schema.Fields)
	for c, to := range left.at {
		if to >= 0 {
			fields[to].Nullable = n.Schema.Fields[c].Nullable
		}
	}
	join := *op
	join.Order = slices.Clone(op.Order)
	for i := range join.Order {
		join.Order[i].Column = left.at[join.Order[i].Column]
	}
	join.LeftKeys, join.RightKeys, join.RightOut = mapped(op.LeftKeys, left.at), mapped(op.RightKeys, right.at), nil
	for i, c := range op.RightOut {
		if u.need[n][width+i] {
			at[width+i] = len(fields)
			fields = append(fields, n.Schema.Fields[width+i])
			join.RightOut = append(join.RightOut, right.at[c])
		}
	}
	out := *n
	out.Op, out.Inputs, out.Schema = &join, []*Node{left.node, right.node}, batch.NewSchema(fields...)
	return &pruned{&out, at}
}

// makeUnion keeps the columns that are needed, in the same places of every input.
func (u *pruner) makeUnion(n *Node) *pruned {
	kept := u.wanted(n)
	out := *n
	out.Inputs, out.Schema = nil, n.Schema.Select(kept)
	for _, old := range n.Inputs {
		in := u.made[old]
		at := mapped(kept, in.at)
		if len(at) == len(in.node.Schema.Fields) && slices.IsSorted(at) {
			out.Inputs = append(out.Inputs, in.node)
			continue
		}
		p := *in.node
		p.Op, p.Inputs, p.Warnings = &Project{Exprs: refsAt(in.node.Schema, at)}, []*Node{in.node}, nil
		p.Schema = in.node.Schema.Select(at)
		out.Inputs = append(out.Inputs, &p)
	}
	return &pruned{&out, positions(len(n.Schema.Fields), kept)}
}

// refsAt returns the bare columns of s at the positions at.
func refsAt(s *batch.Schema, at []int) []*expr.Bound {
	refs := make([]*expr.Bound, len(at))
	for i, c := range at {
		refs[i] = expr.ColumnRef(s, c)
	}
	return refs
}

// makeGroupBy keeps all keys, and the aggregates that are needed.
func (u *pruner) makeGroupBy(n *Node, op *GroupBy) *pruned {
	in := u.made[n.Inputs[0]]
	kept := make([]int, 0, len(n.Schema.Fields))
	group := *op
	group.Keys, group.Aggs = mapped(op.Keys, in.at), nil
	for i := range op.Keys {
		kept = append(kept, i)
	}
	for i, a := range op.Aggs {
		if !u.need[n][len(op.Keys)+i] {
			continue
		}
		kept = append(kept, len(op.Keys)+i)
		if a.Arg >= 0 {
			a.Arg = in.at[a.Arg]
		}
		if a.Filter >= 0 {
			a.Filter = in.at[a.Filter]
		}
		if a.Two() {
			a.Arg2 = in.at[a.Arg2]
		}
		if a.Weighted {
			a.Weight = in.at[a.Weight]
		}
		group.Aggs = append(group.Aggs, a)
	}
	out := *n
	out.Op, out.Inputs, out.Schema = &group, []*Node{in.node}, n.Schema.Select(kept)
	return &pruned{&out, positions(len(n.Schema.Fields), kept)}
}
