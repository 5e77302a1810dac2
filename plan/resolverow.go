package plan

import (
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// select, drop, rename and compute: the verbs that become Project.

// project makes a Project and carries the index over to the columns that are kept.
func (r *resolver) project(in *Node, names []string, exprs []*expr.Bound) *Node {
	fields := make([]batch.Field, len(exprs))
	for i, b := range exprs {
		fields[i] = batch.Field{Name: names[i], Type: b.Type, Nullable: b.Nullable}
	}
	n := r.add(&Project{Exprs: exprs}, batch.NewSchema(fields...), in)
	n.Index = projectIndex(in.Index, exprs)
	return n
}

// projectIndex returns the leading part of an index whose columns exprs keep.
func projectIndex(index []SortKey, exprs []*expr.Bound) []SortKey {
	if len(index) == 0 {
		return nil
	}
	at := map[int]int{}
	for i := len(exprs) - 1; i >= 0; i-- {
		if c, ok := exprs[i].Column(); ok {
			at[c] = i
		}
	}
	var out []SortKey
	for _, k := range index {
		i, ok := at[k.Column]
		if !ok {
			break
		}
		k.Column = i
		out = append(out, k)
	}
	return out
}

func (r *resolver) selectVerb(n *Node, s *selectSpec) *Node {
	names, exprs := make([]string, len(s.items)), make([]*expr.Bound, len(s.items))
	for i, it := range s.items {
		names[i] = it.name.Value
		if it.expr != nil {
			exprs[i] = r.bind(n.Schema, it.expr)
		} else {
			exprs[i] = expr.ColumnRef(n.Schema, r.column(n.Schema, it.name))
		}
	}
	return r.project(n, names, exprs)
}

func (r *resolver) dropVerb(n *Node, s *dropSpec) *Node {
	gone := map[int]bool{}
	for _, t := range s.columns {
		gone[r.column(n.Schema, t)] = true
	}
	if len(gone) == len(n.Schema.Fields) {
		r.job.fail(s.columns[0].Pos, "keep at least one", "drop leaves no column")
	}
	var names []string
	var exprs []*expr.Bound
	for i, f := range n.Schema.Fields {
		if !gone[i] {
			names, exprs = append(names, f.Name), append(exprs, expr.ColumnRef(n.Schema, i))
		}
	}
	return r.project(n, names, exprs)
}

func (r *resolver) renameVerb(n *Node, s *renameSpec) *Node {
	names := n.Schema.Names()
	for i, t := range s.from {
		names[r.column(n.Schema, t)] = s.to[i].Value
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			r.job.fail(r.renamed(s, name), "drop or rename the other one", "rename makes two columns %q", name)
		}
		seen[name] = true
	}
	return r.project(n, names, columnRefs(n.Schema))
}

// renamed returns where a new name is given.
func (r *resolver) renamed(s *renameSpec, name string) Pos {
	for _, t := range s.to {
		if t.Value == name {
			return t.Pos
		}
	}
	return r.verb.Pos
}

func columnRefs(s *batch.Schema) []*expr.Bound {
	refs := make([]*expr.Bound, len(s.Fields))
	for i := range refs {
		refs[i] = expr.ColumnRef(s, i)
	}
	return refs
}

// computeVerb adds or replaces columns. An expression that reads a column computed
// before it starts another Project, so that nothing is computed twice.
func (r *resolver) computeVerb(n *Node, s *computeSpec) *Node {
	c := newComputing(n)
	for _, it := range s.items {
		b := r.bind(&batch.Schema{Fields: c.fields}, it.expr)
		if c.readsFresh(b) {
			n = c.project(r)
			c = newComputing(n)
		}
		c.set(it.name.Value, r.bind(n.Schema, it.expr))
	}
	return c.project(r)
}

// computing is a Project in the making over in.
type computing struct {
	in     *Node
	fields []batch.Field
	exprs  []*expr.Bound
	at     map[string]int
	fresh  map[int]bool // computed here
}

func newComputing(n *Node) *computing {
	c := &computing{in: n, fields: slices.Clone(n.Schema.Fields), exprs: columnRefs(n.Schema), at: map[string]int{}, fresh: map[int]bool{}}
	for i, f := range c.fields {
		c.at[f.Name] = i
	}
	return c
}

func (c *computing) readsFresh(b *expr.Bound) bool {
	if len(c.fresh) == 0 {
		return false
	}
	return slices.ContainsFunc(b.Columns(), func(i int) bool { return c.fresh[i] })
}

func (c *computing) set(name string, b *expr.Bound) {
	f := batch.Field{Name: name, Type: b.Type, Nullable: b.Nullable}
	i, ok := c.at[name]
	if !ok {
		i = len(c.fields)
		c.at[name] = i
		c.fields, c.exprs = append(c.fields, f), append(c.exprs, b)
	}
	c.fields[i], c.exprs[i], c.fresh[i] = f, b, true
}

func (c *computing) project(r *resolver) *Node {
	return r.project(c.in, batch.NewSchema(c.fields...).Names(), c.exprs)
}
