package plan

import (
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// pushFilters cuts filters into their conditions and moves each as far down as it may go.
func (p *Plan) pushFilters() {
	p.splitFilters()
	p.collect()
	u := p.users()
	for _, f := range p.Nodes { // inputs first: lower filters make way
		if _, ok := f.Op.(*Filter); ok {
			for u.sink(f) {
			}
		}
	}
	p.collect()
	p.mergeFilters()
}

// users holds who reads each node, once for each time it is read.
type users struct {
	nodes   map[*Node][]*Node
	outputs map[*Node][]*Output
}

func (p *Plan) users() *users {
	u := &users{map[*Node][]*Node{}, map[*Node][]*Output{}}
	for _, n := range p.Nodes {
		for _, in := range n.Inputs {
			u.nodes[in] = append(u.nodes[in], n)
		}
	}
	for _, out := range p.Outputs {
		u.outputs[out.Node] = append(u.outputs[out.Node], out)
	}
	return u
}

// pass hands the readers of old over to n, which had none of its own.
func (u *users) pass(old, n *Node) {
	for _, r := range u.nodes[old] {
		for i, in := range r.Inputs {
			if in == old {
				r.Inputs[i] = n
			}
		}
	}
	for _, out := range u.outputs[old] {
		out.Node = n
	}
	u.nodes[n], u.outputs[n] = u.nodes[old], u.outputs[old]
	u.nodes[old], u.outputs[old] = nil, nil
}

// splitFilters makes a filter of each condition of an "and", the first lowest.
func (p *Plan) splitFilters() {
	for _, n := range p.Nodes {
		f, ok := n.Op.(*Filter)
		if !ok {
			continue
		}
		conds := conjuncts(f.Cond, n.Schema)
		for _, c := range conds[:len(conds)-1] {
			below := *n
			below.Op, below.Inputs = &Filter{Cond: c}, n.Inputs
			n.Inputs = []*Node{&below}
		}
		f.Cond = conds[len(conds)-1]
	}
}

// maxConjuncts is how many conditions of one filter are moved one by one.
const maxConjuncts = 64

// conjuncts returns the conditions that b, bound to s, joins by and.
func conjuncts(b *expr.Bound, s *batch.Schema) []*expr.Bound {
	var out []*expr.Bound
	var walk func(n *expr.Node) bool
	walk = func(n *expr.Node) bool {
		if n.Op == expr.OpBinary && n.Name == "and" {
			return walk(n.Args[0]) && walk(n.Args[1])
		}
		c, err := expr.Bind(&expr.Tree{Text: b.Tree.Text, Root: n}, s)
		if err != nil || c.Type.ID != batch.Bool {
			return false
		}
		out = append(out, c)
		return true
	}
	if !walk(b.Tree.Root) || len(out) > maxConjuncts {
		return []*expr.Bound{b}
	}
	return out
}

// sink moves the filter f below its input, where that gives the same rows, and says
// whether it may be tried again. Only f may read the input.
func (u *users) sink(f *Node) bool {
	x := f.Inputs[0]
	if len(u.nodes[x])+len(u.outputs[x]) != 1 {
		return false
	}
	cond := f.Op.(*Filter).Cond
	if s, ok := x.Op.(*Scan); ok {
		s.Where = and(s.Where, cond)
		u.pass(f, x)
		return false
	}
	side, moved := through(x, cond)
	if side < 0 {
		return false
	}
	u.pass(f, x)
	below := x.Inputs[side]
	f.Inputs, f.Op, f.Schema = []*Node{below}, &Filter{Cond: moved}, below.Schema
	x.Inputs[side] = f
	u.nodes[below][slices.Index(u.nodes[below], x)] = f
	u.nodes[f] = []*Node{x}
	return true
}

// through returns which input of x the condition can be asked of instead, and how it
// reads there; -1 where it must stay above x.
func through(x *Node, cond *expr.Bound) (side int, moved *expr.Bound) {
	cols := cond.Columns()
	switch op := x.Op.(type) {
	case *Project:
		for _, c := range cols {
			if _, ok := op.Exprs[c].Column(); !ok {
				return -1, nil
			}
		}
		return 0, cond.Substitute(op.Exprs)
	case *Filter:
		if total(cond) {
			return 0, cond
		}
	case *Index:
		if !op.Unique {
			return 0, cond
		}
	case *Lag:
		if len(op.By) > 0 && subset(cols, op.By) {
			return 0, cond
		}
	case *Window:
		if len(op.By) > 0 && subset(cols, op.By) {
			return 0, cond
		}
	case *GroupBy:
		if len(op.Keys) > 0 && len(cols) > 0 && cols[len(cols)-1] < len(op.Keys) && total(cond) {
			return 0, onColumns(cond, x.Inputs[0].Schema, func(c int) int { return op.Keys[c] })
		}
	case *Join:
		return throughJoin(x, op, cond)
	}
	return -1, nil
}

func throughJoin(x *Node, op *Join, cond *expr.Bound) (int, *expr.Bound) {
	cols := cond.Columns()
	left := len(x.Inputs[0].Schema.Fields)
	if op.MaxRows > 0 || len(cols) == 0 || op.Kind.KeepsRight() {
		return -1, nil
	}
	// A condition that can fail may go below a left join, which asks it of the same rows.
	if cols[len(cols)-1] < left && (op.Validate == "m:m" || op.Validate == "m:1") && (op.Kind == LeftJoin || op.Kind == AsofJoin || total(cond)) {
		return 0, cond
	}
	if cols[0] >= left && op.Validate == "m:m" && op.Kind == InnerJoin && total(cond) {
		return 1, onColumns(cond, x.Inputs[1].Schema, func(c int) int { return op.RightOut[c-left] })
	}
	return -1, nil
}

// onColumns returns cond over other columns of the same types: those of s at to(column).
func onColumns(cond *expr.Bound, s *batch.Schema, to func(int) int) *expr.Bound {
	cols := cond.Columns()
	refs := make([]*expr.Bound, cols[len(cols)-1]+1)
	for _, c := range cols {
		refs[c] = expr.ColumnRef(s, to(c))
	}
	return cond.Substitute(refs)
}

func subset(cols, of []int) bool {
	for _, c := range cols {
		if !slices.Contains(of, c) {
			return false
		}
	}
	return true
}

// total says whether an expression cannot fail on any row: it only compares and combines
// columns and literals.
func total(b *expr.Bound) bool {
	var walk func(n *expr.Node) bool
	walk = func(n *expr.Node) bool {
		if n == nil {
			return true
		}
		switch n.Op {
		case expr.OpCall, expr.OpCast:
			return false
		case expr.OpNeg:
			return n.Args[0].Op == expr.OpLiteral
		case expr.OpBinary:
			switch n.Name {
			case "+", "-", "*", "/", "%", "||":
				return false
			}
		}
		for _, a := range n.Args {
			if !walk(a) {
				return false
			}
		}
		return true
	}
	return walk(b.Tree.Root)
}

// mergeFilters makes one filter of a filter over a filter.
func (p *Plan) mergeFilters() {
	readers := p.readers()
	gone := map[*Node]*Node{}
	for _, n := range p.Nodes {
		for i, in := range n.Inputs {
			if r := gone[in]; r != nil {
				n.Inputs[i] = r
			}
		}
		f, ok := n.Op.(*Filter)
		if !ok {
			continue
		}
		if below, ok := n.Inputs[0].Op.(*Filter); ok && readers[n.Inputs[0]] == 1 {
			below.Cond = and(below.Cond, f.Cond)
			readers[n.Inputs[0]] = readers[n]
			gone[n] = n.Inputs[0]
		}
	}
	p.replace(gone)
}

// and returns a and b, in this order; a may be nil. Both read one schema.
func and(a, b *expr.Bound) *expr.Bound {
	if a == nil {
		return b
	}
	boolean := func(name string, e *expr.Bound) batch.Field {
		return batch.Field{Name: name, Type: e.Type, Nullable: e.Nullable}
	}
	tree, err := expr.Parse("a and b")
	if err == nil {
		var both *expr.Bound
		if both, err = expr.Bind(tree, batch.NewSchema(boolean("a", a), boolean("b", b))); err == nil {
			return both.Substitute([]*expr.Bound{a, b})
		}
	}
	panic("plan: cannot join two conditions: " + err.Error())
}
