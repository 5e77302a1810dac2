package plan

import (
	"slices"
	"strconv"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

type (
	windowSpec struct {
		by      []Text
		orderBy []keySpec
		cols    []windowCall
	}
	// windowCall is one column: fn(arg), fn(arg, n), fn() or fn(arg, n, other).
	windowCall struct {
		name  Text
		fn    string
		text  *exprText // as written, for places
		arg   *exprText // nil for none
		n     int
		other *exprText // what lag and lead have where there is no row; nil for null
		alpha float64
	}
)

// windowFuncs are the functions of window with what they take: "" for nothing, x, "x n" for a number that
// is 1 where it is left out, "x n d" for a default besides, "x N" for one that must be given, "x a" for a weight.
var windowFuncs = map[string]string{
	"lag": "x n d", "lead": "x n d", "diff": "x n", "pct_change": "x n",
	"row_number": "", "rank": "", "dense_rank": "", "cumcount": "", "cumsum": "x", "cummin": "x", "cummax": "x",
	"ffill": "x", "bfill": "x", "first": "x", "last": "x",
	"rolling_sum": "x N", "rolling_mean": "x N", "rolling_min": "x N", "rolling_max": "x N", "rolling_std": "x N", "ewm_mean": "x a",
	"sum": "x", "mean": "x", "min": "x", "max": "x", "count": "[x]",
}

// maxRolling is the most rows of a rolling window.
const maxRolling = 100_000

func windowNames() []string {
	var names []string
	for name := range windowFuncs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (d *decoder) decodeWindow(n *yamlNode) any {
	s := &windowSpec{}
	o := d.object(n, "window", windowKeys...)
	if v := o.get("by"); v != nil && (v.kind != yamlSeq || len(v.items) > 0) {
		s.by = d.texts(v, "by")
	}
	if v := o.get("order_by"); v != nil {
		s.orderBy = d.keys(v, "order_by")
	}
	cols := o.need("columns", "write columns: {name: \"lead(x, 1)\"}")
	if cols.kind != yamlMap || len(cols.entries) == 0 {
		d.job.fail(cols.pos, "write {name: \"lead(x, 1)\"}", "columns must be a mapping, not %s", emptyOr(cols))
	}
	for _, e := range d.named(cols, "columns", "a column") {
		s.cols = append(s.cols, d.windowCall(e))
	}
	return s
}

const windowHint = "write one function, such as lead(x, 1), and compute on its result in a verb of its own"

func (d *decoder) windowCall(e namedEntry) windowCall {
	if e.value.kind == yamlScalar && strings.ReplaceAll(strings.ToLower(e.value.value), " ", "") == "count(*)" {
		e.value.value = "count()"
	}
	text := d.expression(e.value, "window column "+strconv.Quote(e.name.Show))
	root := text.tree.Root
	if root.Op != expr.OpCall {
		d.job.fail(text.at(root.Offset), windowHint, "window column %q is not a window function", e.name.Show)
	}
	c := windowCall{name: e.name, fn: root.Name, text: text, n: 1}
	takes, ok := windowFuncs[c.fn]
	if !ok {
		d.job.fail(text.at(root.Offset), hintName(c.fn, windowNames()), "unknown window function %q", c.fn)
	}
	most, least := len(strings.Fields(takes)), len(strings.Fields(takes))
	if takes == "x n" || takes == "[x]" {
		least--
	}
	if takes == "x n d" {
		least -= 2
	}
	if c.fn == "cumcount" && len(root.Args) == 1 {
		most = 1 // of a column it counts the same rows
	}
	if len(root.Args) < least || len(root.Args) > most {
		d.job.fail(text.at(root.Offset), windowUsage(c.fn, takes), "%s takes other arguments", c.fn)
	}
	if len(root.Args) > 0 && c.fn != "cumcount" {
		c.arg = argument(text, root.Args[0])
		if in := innerCall(root.Args[0], windowNames()); in != nil {
			d.job.fail(text.at(in.Offset), "compute it in a window of its own before this one", "%s is a window function, and stands within %s", in.Name, c.fn)
		}
	}
	if len(root.Args) > 2 {
		c.other = argument(text, root.Args[2])
	}
	if len(root.Args) > 1 {
		d.windowNumber(&c, root.Args[1], takes)
	}
	return c
}

// argument is a part of an expression that is bound on its own.
func argument(text *exprText, n *expr.Node) *exprText {
	return &exprText{Text: Text{text.Value, text.Show, text.at(n.Offset)}, at: text.at, tree: &expr.Tree{Text: text.Value, Root: n}}
}

func windowUsage(fn, takes string) string {
	switch takes {
	case "":
		return "write " + fn + "()"
	case "x":
		return "write " + fn + "(x)"
	case "[x]":
		return "write " + fn + "() or " + fn + "(x)"
	case "x a":
		return "write " + fn + "(x, 0.5)"
	case "x n d":
		return "write " + fn + "(x, 3), or " + fn + "(x, 3, 0) for 0 where there is no such row"
	}
	return "write " + fn + "(x, 3)"
}

// windowNumber reads the second argument: rows, or a weight.
func (d *decoder) windowNumber(c *windowCall, a *expr.Node, takes string) {
	if takes == "x a" {
		v, err := strconv.ParseFloat(a.Name, 64)
		if a.Op != expr.OpLiteral || err != nil || !(v > 0 && v <= 1) {
			d.job.fail(c.text.at(a.Offset), "", "the weight of %s must be a number above 0 and at most 1", c.fn)
		}
		c.alpha = v
		return
	}
	least, most := int64(1), int64(maxRolling)
	if takes == "x n" || takes == "x n d" {
		least, most = -maxPeriod, maxPeriod
	}
	if a.Op != expr.OpLiteral || a.Value.Null || !a.Type.IsInteger() || a.Type.ID == batch.Uint64 || a.Value.Int < least || a.Value.Int > most {
		d.job.fail(c.text.at(a.Offset), "", "the rows of %s must be a whole number from %d to %d", c.fn, least, most)
	}
	c.n = int(a.Value.Int)
}

// maxPeriod is the furthest that lag and its like may look.
const maxPeriod = 1<<31 - 1
