package plan

import (
	"slices"
	"strconv"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/expr"
)

// Two says whether the aggregate has two arguments.
func (a *Agg) Two() bool { return hasTwo(a.Func) || a.Weighted && a.quantile() }

func hasTwo(fn string) bool {
	return fn == "arg_min" || fn == "arg_max" || fn == "corr" || fn == "cov"
}

// ordered says whether the order of the rows matters to the aggregate.
func (a *Agg) ordered() bool {
	switch a.Func {
	case "first", "last", "mode", "position", "arg_min", "arg_max", "list", "string_agg", "leading":
		return true
	}
	return a.Weighted && a.quantile()
}

// quantile says whether the aggregate is a quantile. What jobs have becomes one that is Weighted, over sorted values
// with their counts (Weight) and the group's (Arg2); see splitGroups.
func (a *Agg) quantile() bool {
	switch a.Func {
	case "median", "quantile", "quantile_disc", "quantile_cont", "approx_quantile":
		return true
	}
	return false
}

// collects says whether the aggregate gathers values of a group in the order of the rows, which then come sorted by the keys.
func (a *Agg) collects() bool {
	return a.Func == "list" || a.Func == "string_agg" || a.Func == "leading"
}

// kindOfQuantile is the one of the two quantiles that the aggregate is.
func (a *Agg) kindOfQuantile() string {
	if a.Func == "median" || a.Func == "quantile_cont" {
		return "quantile_cont"
	}
	return "quantile_disc"
}

// InOrder says whether the group-by can only be computed over rows in order, which its input then has.
func (g *GroupBy) InOrder() bool {
	return slices.ContainsFunc(g.Aggs, func(a Agg) bool { return a.Weighted && a.quantile() || a.collects() })
}

// Holds says whether an aggregate keeps the values of groups, for which its rows go to partitions: it never streams.
func (g *GroupBy) Holds() bool {
	return slices.ContainsFunc(g.Aggs, func(a Agg) bool { return a.Held })
}

// needsValues says whether the aggregate needs a group's values sorted, or once each.
func (a *Agg) needsValues() bool {
	switch a.Func {
	case "nunique", "mode", "approx_nunique":
		return true
	case "top":
		return a.sorts()
	}
	return a.quantile() && !a.Weighted && !a.Held
}

// counting says whether an aggregate of nothing is 0, not null.
func counting(fn string) bool { return fn == "count" || fn == "nunique" || fn == "approx_nunique" }

// reads returns the positions that the aggregate reads.
func (a *Agg) reads() []int {
	cols := present(a.Arg, a.Filter)
	if a.Two() {
		cols = append(cols, a.Arg2)
	}
	if a.Weighted {
		cols = append(cols, a.Weight)
	}
	return cols
}

// alwaysNullable says whether an aggregate of some values can be null.
func alwaysNullable(fn string) bool { return fn == "var" || fn == "std" || fn == "cov" }

// aggArgs reads the arguments of an aggregate.
func (d *decoder) aggArgs(a *aggSpec, text *exprText) {
	args := splitArgs(text)
	switch {
	case hasTwo(a.fn):
		d.pair(a, text, args, "write "+a.fn+"(x, y)", "two expressions")
		a.arg, a.arg2 = d.parseExpr(args[0]), d.parseExpr(args[1])
		return
	case a.fn == "median":
		a.param = 0.5
	case strings.Contains(a.fn, "quantile"):
		text, a.param = args[0], d.fraction(a, text, args)
	case a.fn == "top":
		text, a.param = args[0], d.howMany(a, text, args)
	case a.fn == "string_agg":
		text, a.sep = args[0], d.separator(a, text, args)
	}
	a.arg = d.parseExpr(text)
}

// pair fails unless there are two arguments.
func (d *decoder) pair(a *aggSpec, text *exprText, args []*exprText, hint, needs string) {
	if len(args) != 2 {
		d.job.fail(text.Pos, hint, "%s needs %s", a.fn, needs)
	}
	for _, arg := range args {
		if arg.Value == "" {
			d.job.fail(arg.Pos, hint, "%s needs %s", a.fn, needs)
		}
	}
}

// fraction reads which quantile is meant.
func (d *decoder) fraction(a *aggSpec, text *exprText, args []*exprText) float64 {
	hint := "write " + a.fn + "(x, 0.9)"
	d.pair(a, text, args, hint, "an expression and a number")
	q, err := strconv.ParseFloat(args[1].Value, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		d.job.fail(args[1].Pos, hint, "%s needs a number from 0 to 1", a.fn)
	}
	return q
}

// maxTop is the most values that top gives, as in DuckDB.
const maxTop = 1_000_000

// howMany reads how many values top is to give.
func (d *decoder) howMany(a *aggSpec, text *exprText, args []*exprText) float64 {
	const hint = "write top(x, 3)"
	d.pair(a, text, args, hint, "an expression and how many values")
	n, err := strconv.Atoi(args[1].Value)
	if err != nil || n < 1 || n > maxTop {
		d.job.fail(args[1].Pos, hint, "%s needs a whole number from 1 to %d", a.fn, maxTop)
	}
	return float64(n)
}

// separator reads what stands between the texts of string_agg.
func (d *decoder) separator(a *aggSpec, text *exprText, args []*exprText) string {
	const hint = "write string_agg(x, ', ')"
	d.pair(a, text, args, hint, "an expression and a separator")
	lit := d.parseExpr(args[1]).tree.Root
	if lit.Op != expr.OpLiteral || lit.Type.ID != batch.String || lit.Value.Null {
		d.job.fail(args[1].Pos, hint, "the separator of %s must be a text in single quotes", a.fn)
	}
	return string(lit.Value.Bytes)
}

// splitArgs cuts a text at the commas that stand in no parenthesis and no quotes.
func splitArgs(text *exprText) []*exprText {
	var out []*exprText
	s, depth, from := text.Value, 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '\'', '"':
			q := s[i]
			for i++; i < len(s) && s[i] != q; i++ {
			}
		case ',':
			if depth == 0 {
				out = append(out, text.part(from, i))
				from = i + 1
			}
		}
	}
	return append(out, text.part(from, len(s)))
}

// number fails where an argument is no number.
func (r *resolver) number(s aggSpec, at *exprText, t batch.Type) {
	if !t.IsNumeric() {
		r.job.fail(at.at(0), "", "%s needs a number, and this is %s", s.fn, t)
	}
}

// second resolves the second argument of an aggregate. Of two numbers one of which is a float, both are read as floats.
func (r *resolver) second(g *groupInput, op *GroupBy, a *Agg, s aggSpec, b *expr.Bound) {
	switch s.fn {
	case "arg_min", "arg_max":
		if !b.Type.Comparable() {
			r.job.fail(s.arg2.at(0), "", "%s needs values that can be compared, and this is %s", s.fn, b.Type)
		}
	default:
		r.number(s, s.arg2, b.Type)
		x := g.exprs[a.Arg]
		if x.Type.IsFloat() != b.Type.IsFloat() {
			a.Arg = g.at(r.asDouble(g, x))
			b = r.asDouble(g, b)
		}
	}
	a.Arg2 = g.at(b)
}

// asDouble returns the double of a number that is bound to the group-by's input.
func (r *resolver) asDouble(g *groupInput, b *expr.Bound) *expr.Bound {
	if b.Type.IsFloat() {
		return b
	}
	cast, err := castTo(g, b, batch.Float64)
	if err != nil { // not reached: every number has a double
		panic(err)
	}
	return cast
}

// asText returns the text of a value that is bound to the group-by's input.
func (r *resolver) asText(g *groupInput, s aggSpec, b *expr.Bound) *expr.Bound {
	if b.Type.ID == batch.String {
		return b
	}
	cast, err := castTo(g, b, batch.String)
	if err != nil {
		r.job.fail(s.arg.at(0), "", "%s needs a text, and this is %s", s.fn, b.Type)
	}
	return cast
}

func castTo(g *groupInput, b *expr.Bound, id batch.TypeID) (*expr.Bound, error) {
	tree := &expr.Tree{Text: b.Tree.Text, Root: &expr.Node{Op: expr.OpCast, Type: batch.Of(id), Args: []*expr.Node{b.Tree.Root}}}
	return expr.Bind(tree, g.in.Schema)
}

// maxWords is the most values that top keeps in a group's state, where they are of one word each. More, and others, are sorted.
const maxWords = 16

// listType is the type of lists of an aggregate's values.
func (r *resolver) listType(s aggSpec, t batch.Type) batch.Type {
	l, err := nested.ListOf(t, true)
	if err != nil {
		r.job.fail(s.arg.at(0), "", "%s of a %s column is no type: %v", s.fn, t, err)
	}
	return l.Batch()
}

// sorts says whether top takes its values from sorted rows.
func (a *Agg) sorts() bool {
	k := a.Of.Kind()
	return a.Param > maxWords || k == batch.KindBytes || k == batch.KindInt128
}
