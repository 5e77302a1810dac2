package export

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/plan"
)

var joinWords = map[plan.JoinKind]string{
	plan.LeftJoin: "LEFT JOIN", plan.InnerJoin: "INNER JOIN", plan.RightJoin: "RIGHT JOIN", plan.OuterJoin: "FULL JOIN",
	plan.SemiJoin: "SEMI JOIN", plan.AntiJoin: "ANTI JOIN",
}

func (w *writer) join(n *plan.Node, op *plan.Join) string {
	if op.Kind == plan.AsofJoin {
		return w.asof(n, op)
	}
	left, right := n.Inputs[0], n.Inputs[1]
	word, ok := joinWords[op.Kind]
	if !ok {
		w.refuse(n, "", "the join %s", op.Kind)
	}
	from := fmt.Sprintf("\nFROM %s AS l\n%s %s AS r ON %s", w.names[left], word, w.names[right], w.matches(n, op))
	if op.Kind.Filters() {
		w.has[n] = w.has[left]
		return "SELECT l.*" + from
	}
	var cols []string
	width := len(left.Schema.Fields)
	for i, f := range left.Schema.Fields {
		col := "l." + name(f.Name)
		if k := slices.Index(op.LeftKeys, i); k >= 0 && op.Kind.KeepsRight() {
			col = fmt.Sprintf("coalesce(%s, r.%s) AS %s", col, name(right.Schema.Fields[op.RightKeys[k]].Name), name(f.Name))
		}
		cols = append(cols, col)
	}
	for i, c := range op.RightOut {
		col, as := name(right.Schema.Fields[c].Name), name(n.Schema.Fields[width+i].Name)
		if col != as {
			col += " AS " + as
		}
		cols = append(cols, "r."+col)
	}
	if w.needs[n] {
		w.has[n] = true
		cols = append(cols, fmt.Sprintf("row_number() OVER (ORDER BY %s) AS %s", w.joinOrder(op, left, right), w.row))
	}
	return "SELECT " + commas(cols) + from
}

// matches writes the condition of a join.
func (w *writer) matches(n *plan.Node, op *plan.Join) string {
	left, right := columns(n.Inputs[0].Schema, op.LeftKeys), columns(n.Inputs[1].Schema, op.RightKeys)
	equals := " = "
	if op.NullsEqual {
		equals = " IS NOT DISTINCT FROM "
	}
	parts := make([]string, len(left))
	for i := range left {
		parts[i] = "l." + left[i] + equals + "r." + right[i]
	}
	return strings.Join(parts, " AND ")
}

// joinOrder is the left's order, then the right's; right rows without a match come in by their keys, or last.
func (w *writer) joinOrder(op *plan.Join, left, right *plan.Node) string {
	var parts []string
	if op.Kind.KeepsRight() {
		for _, k := range op.Order {
			i := slices.Index(op.LeftKeys, k.Column)
			key := fmt.Sprintf("coalesce(l.%s, r.%s)", name(left.Schema.Fields[k.Column].Name), name(right.Schema.Fields[op.RightKeys[i]].Name))
			parts = append(parts, direction(key, k))
		}
	}
	if w.has[left] {
		parts = append(parts, "l."+w.row+" NULLS LAST")
	}
	if w.has[right] {
		parts = append(parts, "r."+w.row+" NULLS LAST")
	}
	if len(parts) == 0 {
		return "1"
	}
	return strings.Join(parts, ", ")
}

// checks writes what fails where a step's data is not as the job says it is.
func (w *writer) checks(n *plan.Node) {
	switch op := n.Op.(type) {
	case *plan.Index:
		if op.Unique {
			var cols []int
			for _, k := range op.Keys {
				cols = append(cols, k.Column)
			}
			w.fails(n, false, w.repeated(n, cols, true), "index: rows that repeat a key")
		}
	case *plan.Join:
		if op.Validate == "1:1" || op.Validate == "1:m" {
			w.fails(n, false, w.repeated(n.Inputs[0], op.LeftKeys, op.NullsEqual), "join: the left's keys are not unique, rows too many")
		}
		if op.Validate == "1:1" || op.Validate == "m:1" {
			w.fails(n, false, w.repeated(n.Inputs[1], op.RightKeys, op.NullsEqual), "join: the right's keys are not unique, rows too many")
		}
		if op.MaxRows > 0 {
			w.fails(n, false, fmt.Sprintf("SELECT greatest(0, count(*) - %d) AS bad FROM %s", op.MaxRows, w.names[n]), "join: rows above max_rows")
		}
	case *plan.Check:
		w.check(n, op)
	}
}

func (w *writer) check(n *plan.Node, op *plan.Check) {
	in := n.Inputs[0]
	if op.MinRows > 0 {
		w.fails(n, op.Warn, fmt.Sprintf("SELECT greatest(0, %d - count(*)) AS bad FROM %s", op.MinRows, w.names[n]), "check: rows too few")
	}
	if op.MaxRows >= 0 {
		w.fails(n, op.Warn, fmt.Sprintf("SELECT greatest(0, count(*) - %d) AS bad FROM %s", op.MaxRows, w.names[n]), "check: rows too many")
	}
	for _, c := range columns(in.Schema, op.NotNull) {
		w.fails(n, op.Warn, fmt.Sprintf("SELECT count(*) AS bad FROM %s WHERE %s IS NULL", w.names[n], c), "check: nulls in "+c)
	}
	if len(op.Unique) > 0 {
		w.fails(n, op.Warn, w.repeated(in, op.Unique, true), "check: rows that repeat "+strings.Join(columns(in.Schema, op.Unique), ", "))
	}
	for _, e := range op.Expect {
		cond := w.expression(in, e)
		w.fails(n, op.Warn, fmt.Sprintf("SELECT count(*) AS bad FROM %s WHERE (%s) IS NOT TRUE", w.names[n], cond), "check: rows that are not "+cond)
	}
}

// repeated counts the rows beyond the first of their key; without nulls, those with a null among the keys are left out.
func (w *writer) repeated(n *plan.Node, keys []int, nulls bool) string {
	cols := columns(n.Schema, keys)
	s := fmt.Sprintf("SELECT coalesce(sum(n - 1), 0) AS bad FROM (SELECT count(*) AS n FROM %s", w.names[n])
	if !nulls {
		s += " WHERE " + strings.Join(cols, " IS NOT NULL AND ") + " IS NOT NULL"
	}
	return s + " GROUP BY " + strings.Join(cols, ", ") + ")"
}

// fails writes a statement that fails, or warns, where the count is not 0.
func (w *writer) fails(n *plan.Node, warn bool, count, what string) {
	then := fmt.Sprintf("error(%s || bad)", w.text(what+": "))
	if warn {
		then = w.text("warning: "+what+": ") + " || bad"
	}
	w.printf("SELECT CASE WHEN bad > 0 THEN %s ELSE 'passed' END AS \"check\"\nFROM (%s);\n", then, count)
}
