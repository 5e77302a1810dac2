package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/plan"
)

// lag writes shifted columns.
func (w *writer) lag(n *plan.Node, op *plan.Lag) string {
	in := n.Inputs[0]
	cols := []string{"*"}
	for _, c := range op.Cols {
		x, as := name(in.Schema.Fields[c.Column].Name), name(c.Name)
		switch {
		case c.Period == 0:
			cols = append(cols, x+" AS "+as)
		case c.Period < 0:
			cols = append(cols, fmt.Sprintf("lead(%s, %d) OVER w AS %s", x, -c.Period, as))
		default:
			cols = append(cols, fmt.Sprintf("lag(%s, %d) OVER w AS %s", x, c.Period, as))
		}
	}
	w.has[n] = w.has[in]
	return "SELECT " + commas(cols) + "\nFROM " + w.names[in] + "\nWINDOW w AS (" + w.partition(in, op.By) + w.inOrder(in) + ")"
}

func (w *writer) partition(in *plan.Node, by []int) string {
	if len(by) == 0 {
		return ""
	}
	return "PARTITION BY " + strings.Join(columns(in.Schema, by), ", ") + " "
}

func (w *writer) inOrder(in *plan.Node) string {
	if !w.has[in] {
		return ""
	}
	return "ORDER BY " + w.row
}

// window writes running columns. ewm_mean needs a second select around the first.
func (w *writer) window(n *plan.Node, op *plan.Window) string {
	in := n.Inputs[0]
	by := w.partition(in, op.By)
	order := by + w.inOrder(in)
	cols, outer := []string{"*"}, []string(nil)
	for _, c := range op.Cols {
		x := ""
		if c.Arg >= 0 {
			x = name(in.Schema.Fields[c.Arg].Name)
		}
		cols = append(cols, w.running(n, op, c, x, by, order)+" AS "+name(c.Name))
		if c.Func == "ewm_mean" {
			// A row without a value has the mean of the rows before.
			outer = append(outer, fmt.Sprintf("last_value(%s IGNORE NULLS) OVER (%s ROWS UNBOUNDED PRECEDING) AS %s", name(c.Name), order, name(c.Name)))
		}
	}
	w.has[n] = w.has[in]
	s := "SELECT " + commas(cols) + "\nFROM " + w.names[in]
	if outer == nil {
		return s
	}
	return "SELECT * REPLACE (" + commas(outer) + ")\nFROM " + subselect(s)
}

// running writes one column of a window; by and order are what OVER begins with, without and with the rows' order.
func (w *writer) running(n *plan.Node, op *plan.Window, c plan.WindowColumn, x, by, order string) string {
	over := fmt.Sprintf("OVER (%s)", order)
	sofar := fmt.Sprintf("OVER (%s ROWS UNBOUNDED PRECEDING)", order)
	switch c.Func {
	case "row_number":
		return "row_number() " + over
	case "cumcount":
		return "row_number() " + over + " - 1"
	case "rank", "dense_rank":
		return fmt.Sprintf("%s() OVER (%s%s)", c.Func, by, w.peers(n, op.Order))
	case "cumsum", "cummin", "cummax":
		return fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN %s END", x, cast(fmt.Sprintf("%s(%s) %s", c.Func[3:], x, sofar), c.Type, c.Func == "cumsum"))
	case "ffill":
		return fmt.Sprintf("last_value(%s IGNORE NULLS) %s", x, sofar)
	case "first":
		return fmt.Sprintf("first_value(%s) %s", x, over)
	case "rolling_sum", "rolling_mean", "rolling_min", "rolling_max", "rolling_std":
		frame := fmt.Sprintf("OVER (%s ROWS BETWEEN %d PRECEDING AND CURRENT ROW)", order, c.N-1)
		fn := strings.TrimPrefix(c.Func, "rolling_")
		if to, ok := aggregates[fn]; ok {
			fn = to
		}
		return fmt.Sprintf("CASE WHEN count(%s) %s = %d THEN %s END", x, frame, c.N, cast(fmt.Sprintf("%s(%s) %s", fn, x, frame), c.Type, c.Func == "rolling_sum"))
	case "ewm_mean":
		return w.weighted(c, x, order)
	}
	w.refuse(n, "", "the window function %s", c.Func)
	return ""
}

// cast casts what DuckDB makes wider: sums of whole numbers.
func cast(s string, t batch.Type, wider bool) string {
	if !wider || !t.IsInteger() {
		return s
	}
	return "CAST(" + s + " AS " + typeName(t) + ")"
}

// weighted writes ewm_mean over the rows whose weights are not too small to matter in a double.
func (w *writer) weighted(c plan.WindowColumn, x, order string) string {
	const least = 1e-20
	preceding := "UNBOUNDED"
	if rows := math.Ceil(math.Log(least) / math.Log1p(-c.Alpha)); rows < 1<<32 {
		preceding = fmt.Sprintf("%.0f", rows)
	}
	values := fmt.Sprintf("list(%s) OVER (%s ROWS BETWEEN %s PRECEDING AND CURRENT ROW)", x, order, preceding)
	decay := fmt.Sprintf("pow(1 - %s, len(l) - i)", double(c.Alpha))
	return fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN list_transform([%s], lambda l: "+
		"list_sum(list_transform(l, lambda v, i: v * %s)) / list_sum(list_transform(l, lambda v, i: CASE WHEN v IS NOT NULL THEN %s END)))[1] END", x, values, decay, decay)
}

// peers orders by the columns that decide a rank, as the table is indexed.
func (w *writer) peers(n *plan.Node, order []int) string {
	in := n.Inputs[0]
	var keys []plan.SortKey
	for _, k := range in.Index {
		if slices.Contains(order, k.Column) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return "ORDER BY " + w.orderBy(in, keys, false)
}

// aggregates are those whose names DuckDB has otherwise.
var aggregates = map[string]string{
	"mean": "avg", "std": "stddev_samp", "var": "var_samp", "cov": "covar_samp", "any": "bool_or", "all": "bool_and", "quantile": "quantile_disc",
}

// plainAggs are aggregates that DuckDB has, of which the order of the rows decides nothing.
var plainAggs = []string{"count", "sum", "mean", "min", "max", "std", "var", "cov", "corr", "any", "all", "median", "quantile", "quantile_disc", "quantile_cont", "nunique"}

// ordered are aggregates for which the order of the rows decides.
var ordered = map[string]bool{"first": true, "last": true, "mode": true, "arg_min": true, "arg_max": true, "list": true, "string_agg": true}

// exact are the aggregates to take for approximate ones, whose answers no other engine gives.
var exact = map[string]string{"approx_nunique": "nunique", "approx_quantile": "quantile"}

func (w *writer) groupBy(n *plan.Node, op *plan.GroupBy) string {
	in := n.Inputs[0]
	var cols, ordinals, present []string
	for i, k := range op.Keys {
		key, as := name(in.Schema.Fields[k].Name), name(n.Schema.Fields[i].Name)
		if present = append(present, key+" IS NOT NULL"); key != as {
			key += " AS " + as
		}
		cols, ordinals = append(cols, key), append(ordinals, fmt.Sprint(i+1))
	}
	for _, a := range op.Aggs {
		cols = append(cols, w.aggregate(n, a)+" AS "+name(a.Name))
	}
	if w.has[n] = w.needs[n]; w.has[n] && len(op.Keys) == 0 {
		cols = append(cols, "1 AS "+w.row)
	}
	s := "SELECT " + commas(cols) + "\nFROM " + w.names[in]
	if op.DropNulls && len(present) > 0 {
		s += "\nWHERE " + strings.Join(present, " AND ")
	}
	if len(ordinals) > 0 {
		s += "\nGROUP BY " + strings.Join(ordinals, ", ")
	}
	if !w.has[n] || len(op.Keys) == 0 {
		return s
	}
	var keys []plan.SortKey
	for i := range op.Keys {
		keys = append(keys, plan.SortKey{Column: i})
	}
	return fmt.Sprintf("SELECT *, row_number() OVER (ORDER BY %s) AS %s\nFROM %s", w.orderBy(n, keys, false), w.row, subselect(s))
}

func (w *writer) aggregate(n *plan.Node, a plan.Agg) string {
	in := n.Inputs[0]
	col := func(i int) string { return name(in.Schema.Fields[i].Name) }
	fn := a.Func
	if to, ok := aggregates[fn]; ok {
		fn = to
	}
	args := "*"
	if a.Arg >= 0 {
		args = col(a.Arg)
	}
	if a.Two() {
		args += ", " + col(a.Arg2)
	}
	switch {
	case ordered[a.Func]:
		if a.Func == "string_agg" {
			args += ", " + w.text(a.Sep)
		}
		if w.has[in] {
			args += " ORDER BY " + w.row
		}
	case a.Func == "nunique":
		fn, args = "count", "DISTINCT "+args
	case a.Func == "top":
		fn, args = "max", fmt.Sprintf("%s, %.0f", args, a.Param)
	case strings.HasPrefix(a.Func, "quantile"):
		args += fmt.Sprintf(", %v", a.Param)
	case exact[a.Func] != "":
		w.refuse(n, exact[a.Func]+" gives the exact answer in both", "the aggregate %s, of which DuckDB's sketch gives another number,", a.Func)
	case !slices.Contains(plainAggs, a.Func):
		w.refuse(n, "", "the aggregate %s", a.Func)
	}
	s := fn + "(" + args + ")"
	if a.Filter >= 0 {
		s += " FILTER (WHERE " + col(a.Filter) + ")"
	}
	return cast(s, a.Type, a.Func == "sum")
}
