package plan

import "pqjoin/expr"

// mergeProjects makes one Project of a Project over a Project, where nothing is then
// computed within something else, and removes Projects that change nothing.
func (p *Plan) mergeProjects() {
	readers := p.readers()
	gone := map[*Node]*Node{}
	for _, n := range p.Nodes {
		for i, in := range n.Inputs {
			if r := gone[in]; r != nil {
				n.Inputs[i] = r
			}
		}
		op, ok := n.Op.(*Project)
		if !ok {
			continue
		}
		below, ok := n.Inputs[0].Op.(*Project)
		if ok && mergeable(op, below, readers[n.Inputs[0]]) {
			for i, e := range op.Exprs {
				op.Exprs[i] = e.Substitute(below.Exprs)
			}
			n.Warnings = append(n.Inputs[0].Warnings, n.Warnings...)
			n.Inputs = []*Node{n.Inputs[0].Inputs[0]}
			readers[n.Inputs[0]]++
		}
		if identity(n, op) {
			readers[n.Inputs[0]] += readers[n] - 1
			gone[n] = n.Inputs[0]
		}
	}
	p.replace(gone)
}

// mergeable says whether every expression of op either picks a column of below, or
// computes with columns that below only passes on. A Project that others read too is
// merged only where it computes nothing.
func mergeable(op, below *Project, readers int) bool {
	bare := func(i int) bool { _, ok := below.Exprs[i].Column(); return ok }
	for i := range below.Exprs {
		if readers > 1 && !bare(i) {
			return false
		}
	}
	for _, e := range op.Exprs {
		if _, ok := e.Column(); ok {
			continue
		}
		for _, c := range e.Columns() {
			if !bare(c) {
				return false
			}
		}
	}
	return true
}

// identity says whether n's columns are its input's, names and all.
func identity(n *Node, op *Project) bool {
	in := n.Inputs[0].Schema
	if len(op.Exprs) != len(in.Fields) {
		return false
	}
	for i, e := range op.Exprs {
		if c, ok := e.Column(); !ok || c != i || in.Fields[i].Name != n.Schema.Fields[i].Name {
			return false
		}
	}
	return true
}

// remap returns exprs with their columns moved.
func remap(exprs []*expr.Bound, to func(int) int) []*expr.Bound {
	out := make([]*expr.Bound, len(exprs))
	for i, e := range exprs {
		out[i] = e.Remap(to)
	}
	return out
}
