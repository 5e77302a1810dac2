package plan

import (
	"slices"

	"pqjoin/expr"
)

// pruneColumns removes the columns that nobody reads: it asks every node, readers first,
// which columns it needs of its inputs, and then makes the nodes anew, inputs first.
func (p *Plan) pruneColumns() {
	u := &pruner{need: map[*Node]columnSet{}, made: map[*Node]*pruned{}, only: map[*Node]bool{}}
	for _, out := range p.Outputs {
		u.all(out.Node)
	}
	for i := len(p.Nodes) - 1; i >= 0; i-- {
		u.ask(p.Nodes[i])
	}
	for _, n := range p.Nodes {
		for _, in := range n.Inputs {
			if _, ok := n.Op.(*Project); !ok {
				u.only[in] = true
			}
		}
	}
	for _, n := range p.Nodes {
		u.made[n] = u.trim(n, u.make(n))
	}
	for _, out := range p.Outputs {
		out.Node = u.made[out.Node].node
	}
}

type columnSet map[int]bool

// pruned is what became of a node.
type pruned struct {
	node *Node
	at   []int // where the old columns are now; -1: gone
}

type pruner struct {
	need map[*Node]columnSet
	made map[*Node]*pruned
	only map[*Node]bool // read by something that is no Project, and so pays for each column
}

func (u *pruner) want(n *Node, cols ...int) {
	if u.need[n] == nil {
		u.need[n] = columnSet{}
	}
	for _, c := range cols {
		u.need[n][c] = true
	}
}

func (u *pruner) all(n *Node) {
	for i := range n.Schema.Fields {
		u.want(n, i)
	}
	u.want(n)
}

// wanted returns the needed columns of n, ascending.
func (u *pruner) wanted(n *Node) []int {
	cols := make([]int, 0, len(u.need[n]))
	for c := range u.need[n] {
		cols = append(cols, c)
	}
	slices.Sort(cols)
	return cols
}

// atLeastOne keeps the narrowest column of a node of which none is needed: rows are counted by it.
func (u *pruner) atLeastOne(n *Node) {
	if len(u.need[n]) > 0 || len(n.Schema.Fields) == 0 {
		return
	}
	best, width := 0, 1<<30
	for i, f := range n.Schema.Fields {
		w := f.Type.StoredWidth()
		if w == 0 {
			w = 1 << 20
		}
		if e, ok := n.Op.(*Project); ok {
			if _, bare := e.Exprs[i].Column(); !bare {
				w += 1 << 10
			}
		}
		if w < width {
			best, width = i, w
		}
	}
	u.want(n, best)
}

// ask tells n's inputs which of their columns n needs.
func (u *pruner) ask(n *Node) {
	u.atLeastOne(n)
	var in *Node
	if len(n.Inputs) > 0 {
		in = n.Inputs[0]
		u.want(in)
	}
	switch op := n.Op.(type) {
	case *Scan:
	case *Project:
		for c := range u.need[n] {
			u.want(in, op.Exprs[c].Columns()...)
		}
	case *Lag:
		width := len(in.Schema.Fields)
		u.want(in, op.By...)
		for c := range u.need[n] {
			if c < width {
				u.want(in, c)
			} else {
				u.want(in, op.Cols[c-width].Column)
			}
		}
	case *Window:
		width := len(in.Schema.Fields)
		u.want(in, op.By...)
		for c := range u.need[n] {
			switch {
			case c < width:
				u.want(in, c)
			case ranks(op.Cols[c-width]):
				u.want(in, op.Order...)
			default:
				u.want(in, present(op.Cols[c-width].Arg)...)
			}
		}
	case *Join:
		width := len(in.Schema.Fields)
		u.want(in, op.LeftKeys...)
		for _, k := range op.Order {
			u.want(in, k.Column)
		}
		u.want(n.Inputs[1], op.RightKeys...)
		for c := range u.need[n] {
			if c < width {
				u.want(in, c)
			} else {
				u.want(n.Inputs[1], op.RightOut[c-width])
			}
		}
	case *Union:
		for _, in := range n.Inputs {
			u.want(in, u.wanted(n)...)
		}
	case *GroupBy:
		u.want(in, op.Keys...)
		for i, a := range op.Aggs {
			if u.need[n][len(op.Keys)+i] {
				u.want(in, a.reads()...)
			}
		}
	default:
		u.want(in, u.wanted(n)...)
		u.want(in, passing(op)...)
	}
}

// passing returns the columns that an operator reads of rows that pass it.
func passing(op Op) []int {
	var cols []int
	switch op := op.(type) {
	case *Filter:
		cols = op.Cond.Columns()
	case *Index:
		for _, k := range op.Keys {
			cols = append(cols, k.Column)
		}
	case *Check:
		cols = append(append(cols, op.NotNull...), op.Unique...)
		for _, e := range op.Expect {
			cols = append(cols, e.Columns()...)
		}
	}
	return cols
}

func present(cols ...int) []int {
	return slices.DeleteFunc(cols, func(c int) bool { return c < 0 })
}

// positions returns where the kept columns of width go.
func positions(width int, kept []int) []int {
	at := make([]int, width)
	for i := range at {
		at[i] = -1
	}
	for i, c := range kept {
		at[c] = i
	}
	return at
}

// mapped returns at[c] for every c of cols.
func mapped(cols, at []int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = at[c]
	}
	return out
}

// make returns n over its pruned inputs, with the columns that it cannot help having.
func (u *pruner) make(n *Node) *pruned {
	out := *n
	width := len(n.Schema.Fields)
	switch op := n.Op.(type) {
	case *Scan:
		return u.makeScan(n, op)
	case *Project:
		kept := u.wanted(n)
		in := u.made[n.Inputs[0]]
		exprs := make([]*expr.Bound, len(kept))
		for i, c := range kept {
			exprs[i] = op.Exprs[c]
		}
		out.Op = &Project{Exprs: remap(exprs, func(c int) int { return in.at[c] })}
		out.Inputs, out.Schema = []*Node{in.node}, n.Schema.Select(kept)
		return &pruned{&out, positions(width, kept)}
	case *Lag:
		return u.makeLag(n, op)
	case *Window:
		return u.makeWindow(n, op)
	case *Join:
		return u.makeJoin(n, op)
	case *Union:
		return u.makeUnion(n)
	case *GroupBy:
		return u.makeGroupBy(n, op)
	}
	in := u.made[n.Inputs[0]]
	at := in.at
	to := func(c int) int { return at[c] }
	switch op := n.Op.(type) {
	case *Filter:
		out.Op = &Filter{Cond: op.Cond.Remap(to)}
	case *Index:
		keys := slices.Clone(op.Keys)
		for i := range keys {
			keys[i].Column = at[keys[i].Column]
		}
		out.Op = &Index{Keys: keys, Unique: op.Unique, Lazy: op.Lazy, Loose: op.Loose}
	case *Check:
		c := *op
		c.NotNull, c.Unique, c.Expect = mapped(op.NotNull, at), mapped(op.Unique, at), remap(op.Expect, to)
		out.Op = &c
	}
	out.Inputs, out.Schema = []*Node{in.node}, in.node.Schema
	return &pruned{&out, at}
}

// trim puts a Project over a node that has more columns than anybody needs, where a reader pays for them.
func (u *pruner) trim(n *Node, m *pruned) *pruned {
	kept := u.wanted(n)
	if len(kept) == len(m.node.Schema.Fields) || !u.only[n] {
		return m
	}
	exprs := make([]*expr.Bound, len(kept))
	for i, c := range kept {
		exprs[i] = expr.ColumnRef(m.node.Schema, m.at[c])
	}
	out := *m.node
	out.Op, out.Inputs, out.Warnings = &Project{Exprs: exprs}, []*Node{m.node}, nil
	out.Schema = n.Schema.Select(kept)
	return &pruned{&out, positions(len(n.Schema.Fields), kept)}
}
