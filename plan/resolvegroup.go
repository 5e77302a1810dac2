package plan

import (
	"pqjoin/batch"
	"pqjoin/expr"
)

// groupInput collects what a group-by reads: columns of its input as they are, as long as
// nothing else is asked for, else a Project of exactly what it needs.
type groupInput struct {
	r      *resolver
	in     *Node
	exprs  []*expr.Bound
	bare   bool
	byText map[string]int
}

// at returns the position of b among what is read, adding it where it is new.
func (g *groupInput) at(b *expr.Bound) int {
	text := b.String()
	if i, ok := g.byText[text]; ok {
		return i
	}
	i := len(g.exprs)
	g.byText[text] = i
	g.exprs = append(g.exprs, b)
	if _, ok := b.Column(); !ok {
		g.bare = false
	}
	return i
}

// node returns the group-by's input, and how its positions translate.
func (g *groupInput) node() (*Node, func(int) int) {
	if g.bare {
		return g.in, func(i int) int { c, _ := g.exprs[i].Column(); return c }
	}
	var names []string
	for _, b := range g.exprs {
		if c, ok := b.Column(); ok {
			names = append(names, g.in.Schema.Fields[c].Name)
		} else {
			names = append(names, hidden(append(g.in.Schema.Names(), names...), b.String()))
		}
	}
	return g.r.project(g.in, names, g.exprs), func(i int) int { return i }
}

// groupbyVerb: [Project: keys, arguments, filters] -> GroupBy.
func (r *resolver) groupbyVerb(n *Node, s *groupbySpec) *Node {
	g := &groupInput{r: r, in: n, bare: true, byText: map[string]int{}}
	op := &GroupBy{Sort: s.sort, DropNulls: s.dropNulls}
	var fields []batch.Field
	for _, it := range s.by {
		f := r.groupKey(g, op, it)
		f.Nullable = f.Nullable && !s.dropNulls
		fields = append(fields, f)
	}
	for _, a := range s.aggs {
		fields = append(fields, r.aggregate(g, op, a))
	}
	r.unique(fields, r.verb.Pos, "groupby", "give the aggregate another name")
	in, to := g.node()
	for i := range op.Keys {
		op.Keys[i] = to(op.Keys[i])
	}
	for i := range op.Aggs {
		a := &op.Aggs[i]
		if a.Arg >= 0 {
			a.Arg = to(a.Arg)
		}
		if a.Filter >= 0 {
			a.Filter = to(a.Filter)
		}
		if a.Two() {
			a.Arg2 = to(a.Arg2)
		}
		if a.ordered() {
			requireOrder(in, a.Func)
		}
	}
	out := r.add(op, batch.NewSchema(fields...), in)
	out.Index, out.Ordered = nil, s.sort || len(op.Keys) == 0
	if s.sort && len(op.Keys) > 0 {
		out.Index = groupIndex(len(op.Keys))
	}
	return out
}

func (r *resolver) groupKey(g *groupInput, op *GroupBy, it item) batch.Field {
	var b *expr.Bound
	if it.expr == nil {
		b = expr.ColumnRef(g.in.Schema, r.key(g.in.Schema, it.name))
	} else if b = r.bind(g.in.Schema, it.expr); !b.Type.Comparable() {
		r.job.fail(it.expr.at(0), "", "a %s value cannot be a key", b.Type)
	}
	op.Keys = append(op.Keys, g.at(b))
	return batch.Field{Name: it.name.Value, Type: b.Type, Nullable: b.Nullable}
}

func (r *resolver) aggregate(g *groupInput, op *GroupBy, s aggSpec) batch.Field {
	a := Agg{Name: s.name.Value, Func: s.fn, Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)}
	nullable := !counting(s.fn) && (s.filter != nil || len(op.Keys) == 0)
	if s.arg != nil {
		b := r.bind(g.in.Schema, s.arg)
		if s.fn == "median" || s.fn == "quantile_cont" {
			r.number(s, s.arg, b.Type)
			b = r.asDouble(g, b)
		}
		if s.fn == "string_agg" {
			b = r.asText(g, s, b)
		}
		a.Arg, a.Param, a.Sep = g.at(b), s.param, s.sep
		a.Type = r.aggType(s, b.Type)
		if s.fn == "top" {
			a.Of = b.Type
		}
		nullable = nullable || !counting(s.fn) && s.fn != "list" && b.Nullable
	}
	if s.arg2 != nil {
		b := r.bind(g.in.Schema, s.arg2)
		r.second(g, op, &a, s, b)
		nullable = nullable || b.Nullable
	}
	nullable = nullable || alwaysNullable(s.fn)
	if s.filter != nil {
		a.Filter = g.at(r.condition(g.in.Schema, s.filter, "filter"))
	}
	op.Aggs = append(op.Aggs, a)
	return batch.Field{Name: a.Name, Type: a.Type, Nullable: nullable}
}

// aggType returns the type of an aggregate of values of type t.
func (r *resolver) aggType(s aggSpec, t batch.Type) batch.Type {
	switch s.fn {
	case "count":
		return batch.Of(batch.Int64)
	case "sum", "mean":
		if !t.IsNumeric() {
			r.job.fail(s.arg.at(0), "", "%s needs a number, and this is %s", s.fn, t)
		}
		switch {
		case s.fn == "mean" || t.IsFloat():
			return batch.Of(batch.Float64)
		case t.ID == batch.Decimal:
			return batch.DecimalOf(38, int(t.Scale))
		}
		return batch.Of(batch.Int64)
	case "var", "std", "cov", "corr":
		r.number(s, s.arg, t)
		return batch.Of(batch.Float64)
	case "any", "all":
		if t.ID != batch.Bool {
			r.job.fail(s.arg.at(0), conditionHint(t), "%s needs a condition, and this is %s", s.fn, t)
		}
	case "median", "quantile_cont":
		return batch.Of(batch.Float64)
	case "min", "max", "nunique", "mode", "quantile", "quantile_disc", "approx_nunique", "approx_quantile", "top":
		if !t.Comparable() {
			r.job.fail(s.arg.at(0), "", "%s needs values that can be compared, and this is %s", s.fn, t)
		}
	}
	switch s.fn {
	case "nunique", "approx_nunique":
		return batch.Of(batch.Int64)
	case "list", "top":
		return r.listType(s, t)
	}
	return t
}
