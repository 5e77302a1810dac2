package plan

import (
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// lagVerb: [Index] -> [Project: apply] -> Lag -> [Project: without what apply made].
func (r *resolver) lagVerb(n *Node, s *lagSpec) *Node {
	var by, cols []int
	for _, t := range s.by {
		by = append(by, r.key(n.Schema, t))
	}
	order := r.keys(n.Schema, s.orderBy, false)
	for _, k := range order {
		if slices.Contains(by, k.Column) {
			r.job.fail(s.orderBy[0].column.Pos, "leave it out of order_by", "a column of by cannot order its own group")
		}
	}
	for _, t := range s.columns {
		cols = append(cols, r.column(n.Schema, t))
	}
	n = r.lagOrder(n, by, order, "lag")
	width := len(n.Schema.Fields)
	source := cols
	if s.apply != nil {
		n, source = r.lagApply(n, s, cols)
	}
	op := &Lag{By: by}
	fields := slices.Clone(n.Schema.Fields)
	for i, c := range source {
		name := n.Schema.Fields[cols[i]].Name
		for _, p := range s.periods {
			op.Cols = append(op.Cols, LagColumn{Name: s.lagName(name, p), Column: c, Period: p})
			f := n.Schema.Fields[c]
			fields = append(fields, batch.Field{Name: s.lagName(name, p), Type: f.Type, Nullable: f.Nullable || p != 0})
		}
	}
	r.unique(fields, s.as.Pos, "lag", "choose another name with as:")
	out := r.add(op, batch.NewSchema(fields...), n)
	if s.apply == nil {
		return out
	}
	return r.without(out, width, len(n.Schema.Fields)-width)
}

// lagOrder brings n into the order that lag or window needs, with a warning where that changes the order.
func (r *resolver) lagOrder(n *Node, by []int, order []SortKey, verb string) *Node {
	if leads(n.Index, by, order) {
		requireOrder(n, verb)
		return n
	}
	var keys []SortKey
	for _, c := range by {
		keys = append(keys, SortKey{Column: c})
	}
	keys = append(keys, order...)
	out := r.index(n, keys, false)
	out.Warnings = append(out.Warnings, fmt.Sprintf("%s indexes the table by (%s): its order changes, and the previous order breaks ties", verb, describeKeys(out, keys)))
	return out
}

// lagApply appends apply of each column under hidden names and returns their positions.
func (r *resolver) lagApply(n *Node, s *lagSpec, cols []int) (*Node, []int) {
	names, exprs := n.Schema.Names(), columnRefs(n.Schema)
	var at []int
	for _, c := range cols {
		f := n.Schema.Fields[c]
		value := batch.NewSchema(batch.Field{Name: "value", Type: f.Type, Nullable: f.Nullable})
		b := r.bind(value, s.apply).Substitute([]*expr.Bound{expr.ColumnRef(n.Schema, c)})
		at = append(at, len(names))
		names = append(names, hidden(names, "apply:"+f.Name))
		exprs = append(exprs, expr.NullIfNull(b, n.Schema, c))
	}
	return r.project(n, names, exprs), at
}

// hidden returns a name that none of names is.
func hidden(names []string, name string) string {
	for name = "~" + name; slices.Contains(names, name); {
		name = "~" + name
	}
	return name
}

// without drops the count columns from position at on.
func (r *resolver) without(n *Node, at, count int) *Node {
	refs := columnRefs(n.Schema)
	names := n.Schema.Names()
	return r.project(n, slices.Delete(names, at, at+count), slices.Delete(refs, at, at+count))
}

// unique stops where two fields have one name.
func (r *resolver) unique(fields []batch.Field, pos Pos, verb, hint string) {
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		if seen[f.Name] {
			r.job.fail(pos, hint, "%s makes a column %q, and there is one already", verb, f.Name)
		}
		seen[f.Name] = true
	}
}
