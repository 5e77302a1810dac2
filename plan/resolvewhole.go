package plan

import (
	"pqjoin/batch"
	"pqjoin/expr"
	"slices"
)

// whole makes what is one value for the whole group: the table is grouped, and the groups joined to it.
func (w *windowing) whole(s *windowSpec, args []int) {
	var of []int
	for i, c := range s.cols {
		if slices.Contains([]string{"last", "sum", "mean", "min", "max", "count"}, c.fn) {
			of = append(of, i)
		}
	}
	if len(of) == 0 {
		return
	}
	keys := w.keys()
	group := &GroupBy{}
	var fields, add []batch.Field
	for _, k := range keys {
		group.Keys = append(group.Keys, k)
		fields = append(fields, w.n.Schema.Fields[k])
	}
	for _, i := range of {
		a, f := w.aggregate(s.cols[i], args[i])
		a.Name = hidden(batch.NewSchema(fields...).Names(), a.Name)
		f.Name = a.Name
		group.Aggs, fields = append(group.Aggs, a), append(fields, f)
		f.Nullable = true
		add = append(add, f)
	}
	g := w.r.add(group, batch.NewSchema(fields...), w.n)
	g.Index, g.Ordered = nil, false
	join := &Join{Kind: LeftJoin, LeftKeys: keys, Validate: "m:m", NullsEqual: true, Strategy: "auto", KeepOrder: true}
	first := len(w.n.Schema.Fields)
	for j := range keys {
		join.RightKeys = append(join.RightKeys, j)
	}
	for j := range of {
		join.RightOut = append(join.RightOut, len(keys)+j)
	}
	index := w.n.Index
	w.n = w.r.add(join, batch.NewSchema(w.fields(add)...), w.n, g)
	w.n.Index, w.n.Ordered = index, true
	for j, i := range of {
		w.result[i] = expr.ColumnRef(w.n.Schema, first+j)
	}
}

// keys returns the columns of by; of a group that is the whole table, a hidden column that is 1.
func (w *windowing) keys() []int {
	if len(w.by) > 0 {
		return w.by
	}
	tree, err := expr.Parse("1")
	if err != nil {
		panic(err)
	}
	one, err := expr.Bind(tree, w.n.Schema)
	if err != nil {
		panic(err)
	}
	names := w.n.Schema.Names()
	w.n = w.r.project(w.n, append(names, hidden(names, "all")), append(columnRefs(w.n.Schema), one))
	return []int{len(names)}
}

func (w *windowing) aggregate(c windowCall, arg int) (Agg, batch.Field) {
	a := Agg{Name: c.name.Value, Func: c.fn, Arg: arg, Filter: -1, Type: batch.Of(batch.Int64)}
	nullable := false
	if arg >= 0 && c.fn != "count" {
		f := w.n.Schema.Fields[arg]
		nullable = f.Nullable
		switch c.fn {
		case "sum":
			a.Type = sumType(f.Type)
		case "mean":
			a.Type = batch.Of(batch.Float64)
		default:
			a.Type = f.Type
		}
	}
	return a, batch.Field{Name: a.Name, Type: a.Type, Nullable: nullable}
}
