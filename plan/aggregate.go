package plan

import (
	"slices"
	"strconv"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// Two says whether the aggregate has two arguments.
func (a *Agg) Two() bool { return hasTwo(a.Func) || a.Weighted && a.quantile() }

func hasTwo(fn string) bool {
	return fn == "arg_min" || fn == "arg_max" || fn == "corr" || fn == "cov"
}

// ordered says whether the order of the rows matters to the aggregate.
func (a *Agg) ordered() bool {
	return a.Func == "first" || a.Func == "mode" || a.Func == "position" || a.Func == "last" || strings.HasPrefix(a.Func, "arg_") || a.Weighted && a.quantile()
}

// quantile says whether the aggregate is a quantile. What jobs have becomes one that is Weighted, over sorted values
// with their counts (Weight) and the group's (Arg2); see splitGroups.
func (a *Agg) quantile() bool {
	switch a.Func {
	case "median", "quantile", "quantile_disc", "quantile_cont":
		return true
	}
	return false
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
	return slices.ContainsFunc(g.Aggs, func(a Agg) bool { return a.Weighted && a.quantile() })
}

// needsValues says whether the aggregate needs a group's values sorted, or once each.
func (a *Agg) needsValues() bool {
	return a.Func == "nunique" || a.Func == "mode" || a.quantile() && !a.Weighted
}

// counting says whether an aggregate of nothing is 0, not null.
func counting(fn string) bool { return fn == "count" || fn == "nunique" }

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
	want := 1
	if hasTwo(a.fn) {
		want = 2
	}
	if len(args) != want && want == 2 {
		d.job.fail(text.Pos, "write "+a.fn+"(x, y)", "%s needs two expressions", a.fn)
	}
	if a.fn == "median" {
		a.param = 0.5
	}
	if strings.HasPrefix(a.fn, "quantile") {
		text, a.param = args[0], d.fraction(a, text, args)
	}
	if want == 1 {
		a.arg = d.parseExpr(text)
		return
	}
	for _, arg := range args {
		if arg.Value == "" {
			d.job.fail(arg.Pos, "write "+a.fn+"(x, y)", "%s needs two expressions", a.fn)
		}
	}
	a.arg, a.arg2 = d.parseExpr(args[0]), d.parseExpr(args[1])
}

// fraction reads which quantile is meant.
func (d *decoder) fraction(a *aggSpec, text *exprText, args []*exprText) float64 {
	hint := "write " + a.fn + "(x, 0.9)"
	if len(args) != 2 || args[0].Value == "" {
		d.job.fail(text.Pos, hint, "%s needs an expression and a number", a.fn)
	}
	q, err := strconv.ParseFloat(args[1].Value, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		d.job.fail(args[1].Pos, hint, "%s needs a number from 0 to 1", a.fn)
	}
	return q
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
	tree := &expr.Tree{Text: b.Tree.Text, Root: &expr.Node{Op: expr.OpCast, Type: batch.Of(batch.Float64), Args: []*expr.Node{b.Tree.Root}}}
	cast, err := expr.Bind(tree, g.in.Schema)
	if err != nil { // not reached: every number has a double
		panic(err)
	}
	return cast
}
