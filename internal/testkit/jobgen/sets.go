package jobgen

import (
	"fmt"
	"strings"

	"pqjoin/batch"
)

// distinct and union.

func (g *gen) distinct(s *batch.Schema) string {
	switch g.r.IntN(4) {
	case 0:
		return "distinct: all"
	case 1:
		return "distinct: " + list(g.columns(s, 1+g.r.IntN(3)))
	}
	return fmt.Sprintf("distinct: {by: %s, keep: %s}", list(g.columns(s, 1+g.r.IntN(2))), g.pick("first", "last"))
}

// union names one or two tables, those with columns of one name and different types among them: plan refuses some.
func (g *gen) union(table string) string {
	var with []string
	names := g.tables()
	for range 1 + g.r.IntN(2) {
		if n := names[g.r.IntN(len(names))]; n != table {
			with = append(with, n)
		}
	}
	if len(with) == 0 {
		return ""
	}
	return "union: [" + strings.Join(with, ", ") + "]"
}

// window mixes functions that look back, ahead and at whole groups.
func (g *gen) window(s *batch.Schema) string {
	var cols []string
	for range 1 + g.r.IntN(4) {
		cols = append(cols, fmt.Sprintf("w%d: %s", g.r.IntN(1000), quote(g.windowCall(s))))
	}
	v := "window: {columns: {" + strings.Join(cols, ", ") + "}"
	if by := g.columns(s, g.r.IntN(3)); len(by) > 0 {
		v += ", by: " + list(by)
	}
	if g.r.IntN(2) == 0 {
		v += ", order_by: " + list(g.orders(g.columns(s, 1+g.r.IntN(2))))
	}
	return v + "}"
}

func (g *gen) windowCall(s *batch.Schema) string {
	arg := ref(g.name(s))
	number, ok := g.fieldOf(s, batch.Type.IsNumeric)
	if !ok {
		return g.pick("row_number()", "rank()", "dense_rank()", "cumcount()", "ffill("+arg+")")
	}
	x := ref(number.Name)
	if number.Type.IsInteger() {
		x = g.pick(x, x+" % 100")
	}
	n := []int{1, 2, 3, 10, 40}[g.r.IntN(5)]
	return g.pick("row_number()", "rank()", "dense_rank()", "cumcount()", "count()",
		"ffill("+arg+")", "bfill("+arg+")", "first("+arg+")", "last("+arg+")", "cummin("+arg+")", "cummax("+arg+")", "min("+arg+")", "count("+arg+")",
		"lag("+arg+")", fmt.Sprintf("lead(%s, %d)", arg, n), fmt.Sprintf("%s(%s, %d, %s)", g.pick("lag", "lead"), arg, n, g.pick(arg, "null")), "diff("+x+")", "pct_change("+x+")", "cumsum("+x+")", "sum("+x+")", "mean("+x+")",
		fmt.Sprintf("rolling_sum(%s, %d)", x, n), fmt.Sprintf("rolling_mean(%s, %d)", x, n), fmt.Sprintf("rolling_std(%s, %d)", x, n),
		fmt.Sprintf("rolling_min(%s, %d)", arg, n), fmt.Sprintf("rolling_max(%s, %d)", arg, n), fmt.Sprintf("ewm_mean(%s, 0.%d)", x, 1+g.r.IntN(9)))
}
