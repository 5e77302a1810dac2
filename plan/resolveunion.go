package plan

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// unionVerb: [Project: cast, nulls for what is missing] over each table -> Union.
func (r *resolver) unionVerb(t *Table, v Verb, n *Node, s *unionSpec) *Node {
	ins, names := []*Node{n}, []string{"the table so far"}
	for _, name := range s.tables {
		ins = append(ins, r.lookup(name))
		names = append(names, fmt.Sprintf("%q", name.Show))
	}
	r.table, r.verb = t, v
	fields := slices.Clone(n.Schema.Fields)
	for i, in := range ins[1:] {
		fields = r.widen(fields, in.Schema, names[i+1], s.tables[i].Pos)
	}
	for i := range fields {
		for _, in := range ins {
			c := in.Schema.Index(fields[i].Name)
			fields[i].Nullable = fields[i].Nullable || c < 0 || in.Schema.Fields[c].Nullable
		}
	}
	for i, in := range ins {
		ins[i] = r.fitted(in, fields)
	}
	out := r.add(&Union{}, batch.NewSchema(fields...), ins...)
	out.Index, out.Ordered = nil, allOrdered(ins)
	return out
}

func allOrdered(nodes []*Node) bool {
	return !slices.ContainsFunc(nodes, func(n *Node) bool { return !n.Ordered })
}

// widen returns fields with those of s: the type of a column is one that holds the values of both exactly.
func (r *resolver) widen(fields []batch.Field, s *batch.Schema, table string, pos Pos) []batch.Field {
	for _, f := range s.Fields {
		i := slices.IndexFunc(fields, func(have batch.Field) bool { return have.Name == f.Name })
		if i < 0 {
			fields = append(fields, f)
			continue
		}
		typ, ok := batch.Meet(fields[i].Type, f.Type)
		if !ok {
			_, to := castBefore(fields[i], f)
			r.job.fail(pos, fmt.Sprintf("cast one of them before the union, for example compute: {%s: \"cast(%s as %s)\"}", f.Name, f.Name, to),
				"union: the column %q is %s, and %s in %s: no type holds both exactly", f.Name, fields[i].Type, f.Type, table)
		}
		fields[i].Type = typ
	}
	return fields
}

// fitted returns n with exactly the fields, in their order: cast where a type is narrower, null where one is missing.
func (r *resolver) fitted(n *Node, fields []batch.Field) *Node {
	names, exprs := make([]string, len(fields)), make([]*expr.Bound, len(fields))
	same := len(fields) == len(n.Schema.Fields)
	for i, f := range fields {
		names[i] = f.Name
		c := n.Schema.Index(f.Name)
		switch {
		case c < 0:
			exprs[i] = nulls(n.Schema, f.Type)
		case n.Schema.Fields[c].Type != f.Type:
			exprs[i] = r.cast(n.Schema, c, f.Type)
		default:
			exprs[i] = expr.ColumnRef(n.Schema, c)
			same = same && c == i
			continue
		}
		same = false
	}
	if same {
		return n
	}
	return r.project(n, names, exprs)
}

// nulls returns an expression over s that is null of type t.
func nulls(s *batch.Schema, t batch.Type) *expr.Bound {
	if tree, err := expr.Parse("cast(null as " + t.String() + ")"); err == nil {
		if b, err := expr.Bind(tree, s); err == nil {
			return b
		}
	}
	return expr.NullOf(t) // a nested type has no name in expressions
}

func describeUnion(n *Node) string {
	parts := make([]string, len(n.Inputs))
	for i, in := range n.Inputs {
		parts[i] = fmt.Sprintf("#%d", in.ID)
	}
	return "union " + strings.Join(parts, ", ")
}

// distinctVerb: [Window: row number] -> GroupBy the columns, with the first or last of the others -> [Index: row number] ->
// Project: columns in their order. The rows stay in the input's order by the row number, unless the groups come in that order anyway.
// Without an index the sort is lazy: it goes again where nobody needs it, and the row number with it.
func (r *resolver) distinctVerb(n *Node, s *distinctSpec) *Node {
	keys, rest := r.distinctColumns(n, s)
	if len(rest) > 0 {
		requireOrder(n, "distinct")
	}
	op := &GroupBy{Keys: keys}
	if op.Sort = sortedBy(n.Index, keys); op.Sort {
		op.Keys = indexColumns(n.Index[:len(keys)])
	}
	numbered := n
	if n.Ordered && !op.Sort {
		field := batch.Field{Name: hidden(n.Schema.Names(), "row"), Type: batch.Of(batch.Int64)}
		win := rowNumber()
		win.Cols[0].Name = field.Name
		numbered = r.add(win, batch.NewSchema(append(slices.Clone(n.Schema.Fields), field)...), n)
		rest = append(rest, len(n.Schema.Fields))
	}
	out, at := r.distinctGroups(numbered, op, rest, s.keep)
	if numbered != n {
		out = r.distinctOrder(out, n.Index, at)
	}
	return r.project(out, n.Schema.Names(), refsAt(out.Schema, at[:len(n.Schema.Fields)]))
}

// distinctGroups groups n and returns where its columns are in the groups.
func (r *resolver) distinctGroups(n *Node, op *GroupBy, rest []int, keep string) (*Node, []int) {
	fields := make([]batch.Field, 0, len(n.Schema.Fields))
	at := make([]int, len(n.Schema.Fields))
	for i, c := range op.Keys {
		at[c] = i
		fields = append(fields, n.Schema.Fields[c])
	}
	for _, c := range rest {
		at[c] = len(fields)
		f := n.Schema.Fields[c]
		name := hidden(append(n.Schema.Names(), batch.NewSchema(fields...).Names()...), f.Name)
		op.Aggs = append(op.Aggs, Agg{Name: name, Func: keep, Arg: c, Filter: -1, Type: f.Type})
		fields = append(fields, batch.Field{Name: name, Type: f.Type, Nullable: f.Nullable})
	}
	out := r.add(op, batch.NewSchema(fields...), n)
	out.Index, out.Ordered = nil, op.Sort
	if op.Sort {
		out.Index = groupIndex(len(op.Keys))
	}
	return out, at
}

// distinctOrder sorts the groups by the row number of the row that is kept, which is the last of at's; with an index, the table keeps it.
func (r *resolver) distinctOrder(n *Node, index []SortKey, at []int) *Node {
	var keys []SortKey
	for _, k := range index {
		k.Column = at[k.Column]
		keys = append(keys, k)
	}
	keys = append(keys, SortKey{Column: at[len(at)-1]})
	out := r.add(&Index{Keys: keys, Lazy: len(index) == 0}, n.Schema, n)
	if out.Ordered = len(index) > 0; out.Ordered {
		out.Index = keys
	}
	return out
}

// sortedBy says whether an index begins with exactly the columns keys, in any order, as a sorted group-by would have them.
func sortedBy(index []SortKey, keys []int) bool {
	if len(index) < len(keys) {
		return false
	}
	for _, k := range index[:len(keys)] {
		if k.Desc || k.NullsFirst || !slices.Contains(keys, k.Column) {
			return false
		}
	}
	return true
}

func indexColumns(index []SortKey) []int {
	cols := make([]int, len(index))
	for i, k := range index {
		cols[i] = k.Column
	}
	return cols
}

// distinctColumns returns what rows are compared by, and the columns of which the kept row decides: the others, and floats
// among the compared, of which 0.0 and -0.0 are one key.
func (r *resolver) distinctColumns(n *Node, s *distinctSpec) (keys, rest []int) {
	for i, f := range n.Schema.Fields {
		if s.all {
			keys = append(keys, r.key(n.Schema, Text{f.Name, f.Name, r.verb.Pos}))
		} else if !slices.ContainsFunc(s.by, func(t Text) bool { return t.Value == f.Name }) || f.Type.IsFloat() {
			rest = append(rest, i)
		}
	}
	for _, t := range s.by {
		keys = append(keys, r.key(n.Schema, t))
	}
	return keys, rest
}
