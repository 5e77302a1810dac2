package export

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/plan"
)

// An as-of join is DuckDB's, over a right side that has one row of each key, so that ties are decided; for the nearest
// row there are two, one in each direction.

// near is one direction of an as-of join.
type near struct {
	alias, compare string
	last           bool // of several right rows the last one is meant
}

var (
	before = near{alias: "b", compare: ">=", last: true}
	after  = near{alias: "f", compare: "<="}
)

func (w *writer) asof(n *plan.Node, op *plan.Join) string {
	left, right := n.Inputs[0], n.Inputs[1]
	sides := map[string][]near{"backward": {before}, "forward": {after}, "nearest": {before, after}}[op.Asof.Direction]
	var cols []string
	for _, f := range left.Schema.Fields {
		cols = append(cols, "l."+name(f.Name))
	}
	for i, c := range op.RightOut {
		col, s := name(right.Schema.Fields[c].Name), "CASE"
		for k := range sides {
			s += " WHEN " + w.counts(op, left, right, sides, k) + " THEN " + sides[k].alias + "." + col
		}
		cols = append(cols, s+" END AS "+name(n.Schema.Fields[len(left.Schema.Fields)+i].Name))
	}
	if w.has[left] {
		w.has[n] = true
		cols = append(cols, "l."+w.row)
	}
	s := "SELECT " + commas(cols) + "\nFROM " + w.names[left] + " AS l"
	for _, d := range sides {
		s += w.asofSide(op, left, right, d)
	}
	return s
}

// asofSide joins the right rows of one direction, of those with the same key the one that counts.
func (w *writer) asofSide(op *plan.Join, left, right *plan.Node, d near) string {
	l, r := columns(left.Schema, op.LeftKeys), columns(right.Schema, op.RightKeys)
	at := len(r) - 1
	order := ""
	if w.has[right] {
		if order = " ORDER BY " + w.row; d.last {
			order += " DESC"
		}
	}
	where := r[at] + " IS NOT NULL"
	if right.Schema.Fields[op.RightKeys[at]].Type.IsFloat() {
		where += " AND NOT isnan(" + r[at] + ")"
	}
	conds := make([]string, len(l))
	for i := range l {
		conds[i] = fmt.Sprintf("l.%s = %s.%s", l[i], d.alias, r[i])
		if op.NullsEqual {
			conds[i] = fmt.Sprintf("l.%s IS NOT DISTINCT FROM %s.%s", l[i], d.alias, r[i])
		}
	}
	conds[at] = fmt.Sprintf("l.%s %s %s.%s", l[at], d.compare, d.alias, r[at])
	return fmt.Sprintf("\nASOF LEFT JOIN (SELECT * FROM %s WHERE %s\n    QUALIFY row_number() OVER (PARTITION BY %s%s) = 1) AS %s ON %s",
		w.names[right], where, strings.Join(r, ", "), order, d.alias, strings.Join(conds, " AND "))
}

// counts is the condition for the row of the k-th direction to be the match.
func (w *writer) counts(op *plan.Join, left, right *plan.Node, sides []near, k int) string {
	at := len(op.LeftKeys) - 1
	f := left.Schema.Fields[op.LeftKeys[at]]
	r := name(right.Schema.Fields[op.RightKeys[at]].Name)
	l := "l." + name(f.Name)
	distance := func(alias string) string { return asofDistance(f.Type, l, alias+"."+r) }
	d := sides[k].alias
	conds := []string{d + "." + r + " IS NOT NULL"}
	if f.Type.IsFloat() {
		conds = append(conds, "NOT isnan("+l+")")
	}
	if op.Asof.Within {
		conds = append(conds, distance(d)+" <= "+tolerance(op.Asof, f.Type))
	}
	if len(sides) == 2 && k == 0 {
		conds = append(conds, fmt.Sprintf("(f.%s IS NULL OR %s <= %s)", r, distance("b"), distance("f")))
	}
	return strings.Join(conds, " AND ")
}

// asofDistance writes how far apart two keys are, in a type that holds it.
func asofDistance(t batch.Type, l, r string) string {
	switch {
	case t.IsInteger():
		return fmt.Sprintf("abs(%s::HUGEINT - %s::HUGEINT)", l, r)
	case t.IsFloat():
		return fmt.Sprintf("CASE WHEN %s = %s THEN 0 ELSE abs(%s - %s) END", l, r, l, r)
	case t.ID == batch.Timestamp || t.ID == batch.Time:
		fn := "epoch_us"
		if t.Unit == batch.Nano {
			fn = "epoch_ns"
		}
		return fmt.Sprintf("abs(%s(%s) - %s(%s))", fn, l, fn, r)
	}
	return fmt.Sprintf("abs(%s - %s)", l, r)
}

// tolerance writes the greatest distance in what asofDistance counts.
func tolerance(a plan.Asof, t batch.Type) string {
	switch {
	case t.IsFloat():
		return double(a.Real)
	case t.ID == batch.Decimal:
		digits := a.Ticks.Big().String()
		for len(digits) <= int(t.Scale) {
			digits = "0" + digits
		}
		return digits[:len(digits)-int(t.Scale)] + "." + digits[len(digits)-int(t.Scale):]
	case slices.Contains([]batch.TypeID{batch.Timestamp, batch.Time}, t.ID) && (t.Unit == batch.Milli || t.Unit == batch.Second):
		return a.Ticks.Big().String() + map[batch.Unit]string{batch.Milli: "000", batch.Second: "000000"}[t.Unit]
	}
	return a.Ticks.Big().String()
}
