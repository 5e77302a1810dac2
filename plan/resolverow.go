package plan

import (
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
	var out []SortKey
	for _, k := range index {
		at := -1
		for i, b := range exprs {
			if c, ok := b.Column(); ok && c == k.Column {
				at = i
				break
			}
		}
		if at < 0 {
			break
		}
		k.Column = at
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
	names, exprs, fresh := n.Schema.Names(), columnRefs(n.Schema), map[string]bool{}
	flush := func() {
		n = r.project(n, names, exprs)
		names, exprs, fresh = n.Schema.Names(), columnRefs(n.Schema), map[string]bool{}
	}
	for _, it := range s.items {
		if len(fresh) > 0 && r.readsFresh(n, names, exprs, it.expr, fresh) {
			flush()
		}
		b := r.bind(n.Schema, it.expr)
		at := -1
		for i, name := range names {
			if name == it.name.Value {
				at = i
			}
		}
		if at < 0 {
			names, exprs = append(names, it.name.Value), append(exprs, b)
		} else {
			exprs[at] = b
		}
		fresh[it.name.Value] = true
	}
	flush()
	return n
}

// readsFresh says whether e reads a column that has been computed since n.
func (r *resolver) readsFresh(n *Node, names []string, exprs []*expr.Bound, e *exprText, fresh map[string]bool) bool {
	fields := make([]batch.Field, len(names))
	for i, b := range exprs {
		fields[i] = batch.Field{Name: names[i], Type: b.Type, Nullable: b.Nullable}
	}
	for _, c := range r.bind(batch.NewSchema(fields...), e).Columns() {
		if fresh[names[c]] {
			return true
		}
	}
	return false
}
