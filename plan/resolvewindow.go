package plan

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// windowing is a window verb being resolved. Every stage appends hidden columns to n; at the end a Project picks and names them.
type windowing struct {
	r      *resolver
	n      *Node
	by     []int
	order  []int
	result []*expr.Bound // of each column of the job, over n's columns, which only grow
}

// windowVerb: [Index] -> [Project: arguments] -> [Lag] -> [Window] -> [Join with GroupBy of the same table: values of whole groups]
// -> [Window, Index, Window, Index: what looks ahead without end] -> Project: names.
func (r *resolver) windowVerb(n *Node, s *windowSpec) *Node {
	w := &windowing{r: r, result: make([]*expr.Bound, len(s.cols))}
	for _, t := range s.by {
		w.by = append(w.by, r.key(n.Schema, t))
	}
	order := r.keys(n.Schema, s.orderBy, false)
	for i, k := range order {
		if slices.Contains(w.by, k.Column) {
			r.job.fail(s.orderBy[i].column.Pos, "leave it out of order_by", "a column of by cannot order its own group")
		}
		w.order = append(w.order, k.Column)
	}
	w.n = r.lagOrder(n, w.by, order, "window")
	width := len(n.Schema.Fields)
	names := n.Schema.Names()
	args := w.arguments(s)
	w.shifted(s, args)
	w.running(s, args)
	w.whole(s, args)
	w.backward(s, args)
	exprs := columnRefs(w.n.Schema)[:width]
	fields := slices.Clone(n.Schema.Fields)
	for i, c := range s.cols {
		names, exprs = append(names, c.name.Value), append(exprs, w.result[i])
		fields = append(fields, batch.Field{Name: c.name.Value})
		r.unique(fields, c.name.Pos, "window", "choose another name")
	}
	return r.project(w.n, names, exprs)
}

// arguments returns where the argument of each column is, -1 for none: a column of the table, or a hidden one.
func (w *windowing) arguments(s *windowSpec) []int {
	names, exprs := w.n.Schema.Names(), columnRefs(w.n.Schema)
	at := make([]int, len(s.cols))
	for i, c := range s.cols {
		at[i] = -1
		if c.arg == nil {
			continue
		}
		b := w.argument(c)
		if col, ok := b.Column(); ok {
			at[i] = col
			continue
		}
		at[i] = len(names)
		names, exprs = append(names, hidden(names, "arg:"+b.String())), append(exprs, b)
	}
	if len(exprs) > len(w.n.Schema.Fields) {
		w.n = w.r.project(w.n, names, exprs)
	}
	return at
}

// argument binds what a function is of, as a float64 where it computes with those.
func (w *windowing) argument(c windowCall) *expr.Bound {
	b := w.r.bind(w.n.Schema, c.arg)
	t := b.Type
	switch c.fn {
	case "cumsum", "sum", "mean", "rolling_sum", "rolling_mean", "rolling_std", "ewm_mean", "pct_change":
		if !t.IsNumeric() {
			w.r.job.fail(c.arg.Pos, "", "%s needs a number, and this is %s", c.fn, t)
		}
	case "cummin", "cummax", "rolling_min", "rolling_max", "min", "max":
		if !t.Comparable() {
			w.r.job.fail(c.arg.Pos, "", "%s needs values that can be compared, and this is %s", c.fn, t)
		}
	}
	if f64 := batch.Of(batch.Float64); t != f64 && slices.Contains([]string{"rolling_mean", "rolling_std", "ewm_mean", "pct_change"}, c.fn) {
		return w.formula(c, "cast(x as float64)", b, b)
	}
	return b
}

// formula returns an expression of x and y over n's columns.
func (w *windowing) formula(c windowCall, text string, x, y *expr.Bound) *expr.Bound {
	of := batch.NewSchema(batch.Field{Name: "x", Type: x.Type, Nullable: x.Nullable}, batch.Field{Name: "y", Type: y.Type, Nullable: y.Nullable})
	tree, err := expr.Parse(text)
	if err == nil {
		var b *expr.Bound
		if b, err = expr.Bind(tree, of); err == nil {
			return b.Substitute([]*expr.Bound{x, y})
		}
	}
	w.r.job.fail(c.arg.Pos, "", "%s: %s", c.fn, err)
	return nil
}

// add appends columns under hidden names and returns the schema and the first of them.
func (w *windowing) fields(add []batch.Field) []batch.Field {
	fields := slices.Clone(w.n.Schema.Fields)
	for _, f := range add {
		f.Name = hidden(batch.NewSchema(fields...).Names(), f.Name)
		fields = append(fields, f)
	}
	return fields
}

// shifted makes lag, lead, diff and pct_change.
func (w *windowing) shifted(s *windowSpec, args []int) {
	op := &Lag{By: w.by}
	var add []batch.Field
	var of []int
	present := w.present(s)
	for i, c := range s.cols {
		period, ok := c.period()
		if !ok {
			continue
		}
		f := w.n.Schema.Fields[args[i]]
		add = append(add, batch.Field{Name: c.name.Value, Type: f.Type, Nullable: f.Nullable || period != 0})
		op.Cols = append(op.Cols, LagColumn{Column: args[i], Period: period})
		of = append(of, i)
	}
	if len(of) == 0 {
		return
	}
	there := map[int]int{} // by period: which column says whether there is such a row
	for _, i := range of {
		if period, _ := s.cols[i].period(); s.cols[i].other != nil && there[period] == 0 {
			there[period] = len(op.Cols)
			add = append(add, batch.Field{Name: "there", Type: batch.Of(batch.Bool), Nullable: true})
			op.Cols = append(op.Cols, LagColumn{Column: present, Period: period})
		}
	}
	fields := w.fields(add)
	first := len(w.n.Schema.Fields)
	for j := range op.Cols {
		op.Cols[j].Name = fields[first+j].Name
	}
	w.n = w.r.add(op, batch.NewSchema(fields...), w.n)
	for j, i := range of {
		c := s.cols[i]
		x, y := expr.ColumnRef(w.n.Schema, args[i]), expr.ColumnRef(w.n.Schema, first+j)
		switch c.fn {
		case "diff":
			w.result[i] = w.formula(c, "x - y", x, y)
		case "pct_change":
			w.result[i] = w.formula(c, "x / y - 1", x, y)
		default:
			w.result[i] = y
			if c.other != nil {
				period, _ := c.period()
				w.result[i] = w.otherwise(c, y, expr.ColumnRef(w.n.Schema, first+there[period]))
			}
		}
	}
}

// period is how many rows a function looks back; false where it is of another kind.
func (c windowCall) period() (int, bool) {
	switch c.fn {
	case "lead":
		return -c.n, true
	case "lag", "diff", "pct_change":
		return c.n, true
	}
	return 0, false
}

// present appends a column without nulls where a function has a default: shifted, it is null where there is no row. -1 for none.
func (w *windowing) present(s *windowSpec) int {
	for _, c := range s.cols {
		if c.other != nil {
			w.n = w.r.constant(w.n, "true", nil)
			return len(w.n.Schema.Fields) - 1
		}
	}
	return -1
}

// otherwise is y, or the default of this row, in the type of y, where there is null and so no row.
func (w *windowing) otherwise(c windowCall, y, there *expr.Bound) *expr.Bound {
	d := w.r.bind(w.n.Schema, c.other)
	of := batch.NewSchema(batch.Field{Name: "d", Type: d.Type, Nullable: d.Nullable}, batch.Field{Name: "y", Type: y.Type, Nullable: y.Nullable},
		batch.Field{Name: "there", Type: there.Type, Nullable: true})
	text := "case when there is null then cast(d as " + y.Type.String() + ") else y end"
	if d.Type == y.Type {
		text = "case when there is null then d else y end"
	}
	tree, err := expr.Parse(text)
	if err == nil {
		var b *expr.Bound
		if b, err = expr.Bind(tree, of); err == nil {
			return b.Substitute([]*expr.Bound{d, y, there})
		}
	}
	w.r.job.fail(c.other.Pos, "", "%s: the default is %s, and the column %s", c.fn, d.Type, y.Type)
	return nil
}

// running makes what needs the rows so far.
func (w *windowing) running(s *windowSpec, args []int) {
	op := &Window{By: w.by, Order: w.order}
	var add []batch.Field
	var of []int
	for i, c := range s.cols {
		col := WindowColumn{Func: c.fn, Arg: args[i], N: c.n, Alpha: c.alpha, Type: batch.Of(batch.Int64)}
		nullable := true
		switch c.fn {
		case "row_number", "rank", "dense_rank", "cumcount":
			nullable, col.Arg = false, -1
		case "cumsum", "rolling_sum":
			col.Type = sumType(w.n.Schema.Fields[args[i]].Type)
		case "cummin", "cummax", "ffill", "first", "rolling_min", "rolling_max":
			col.Type = w.n.Schema.Fields[args[i]].Type
			nullable = strings.HasPrefix(c.fn, "rolling") || w.n.Schema.Fields[args[i]].Nullable
		case "rolling_mean", "rolling_std", "ewm_mean":
			col.Type = batch.Of(batch.Float64)
		default:
			continue
		}
		add = append(add, batch.Field{Name: c.name.Value, Type: col.Type, Nullable: nullable})
		op.Cols = append(op.Cols, col)
		of = append(of, i)
	}
	first := w.window(op, add)
	for j, i := range of {
		w.result[i] = expr.ColumnRef(w.n.Schema, first+j)
	}
}

// window adds a Window, if it has columns, and returns the position of its first column.
func (w *windowing) window(op *Window, add []batch.Field) int {
	first := len(w.n.Schema.Fields)
	if len(add) == 0 {
		return first
	}
	fields := w.fields(add)
	for j := range op.Cols {
		op.Cols[j].Name = fields[first+j].Name
	}
	w.n = w.r.add(op, batch.NewSchema(fields...), w.n)
	return first
}

// sumType is the type of a sum of values of type t.
func sumType(t batch.Type) batch.Type {
	switch {
	case t.IsFloat():
		return batch.Of(batch.Float64)
	case t.ID == batch.Decimal:
		return batch.DecimalOf(38, int(t.Scale))
	}
	return batch.Of(batch.Int64)
}

// backward makes bfill: over the rows in reverse order it is ffill.
func (w *windowing) backward(s *windowSpec, args []int) {
	op := &Window{By: w.by}
	var add []batch.Field
	var of []int
	for i, c := range s.cols {
		if c.fn != "bfill" {
			continue
		}
		f := w.n.Schema.Fields[args[i]]
		f.Name = c.name.Value
		add, of = append(add, f), append(of, i)
		op.Cols = append(op.Cols, WindowColumn{Func: "ffill", Arg: args[i], Type: f.Type})
	}
	if len(of) == 0 {
		return
	}
	index := w.n.Index
	row := w.window(rowNumber(), []batch.Field{{Name: "row", Type: batch.Of(batch.Int64)}})
	w.n = w.r.index(w.n, []SortKey{{Column: row, Desc: true}}, false)
	first := w.window(op, add)
	w.n = w.r.index(w.n, append(slices.Clone(index), SortKey{Column: row}), false)
	for j, i := range of {
		w.result[i] = expr.ColumnRef(w.n.Schema, first+j)
	}
}

// rowNumber is a Window that numbers the rows of the whole table.
func rowNumber() *Window {
	return &Window{Cols: []WindowColumn{{Func: "row_number", Arg: -1, Type: batch.Of(batch.Int64)}}}
}

func describeWindow(op *Window, in []string, from string) string {
	var cols []string
	for _, c := range op.Cols {
		arg := ""
		if c.Arg >= 0 {
			arg = in[c.Arg]
		}
		if strings.HasPrefix(c.Func, "rolling") {
			arg += fmt.Sprintf(", %d", c.N)
		}
		if c.Func == "ewm_mean" {
			arg += fmt.Sprintf(", %v", c.Alpha)
		}
		cols = append(cols, fmt.Sprintf("%s = %s(%s)", c.Name, c.Func, arg))
	}
	s := "window" + from + " by (" + pick(in, op.By) + ")"
	if len(op.Order) > 0 {
		s += " order (" + pick(in, op.Order) + ")"
	}
	return s + ": " + strings.Join(cols, ", ")
}
