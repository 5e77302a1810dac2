package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// lag, join and groupby: the verbs over several rows or tables.

const maxPeriods = 10_000 // columns of one lag

func (d *decoder) decodeLag(n *yamlNode) any {
	s := &lagSpec{as: Text{Value: "{column}_lag_{period}", Show: "{column}_lag_{period}", Pos: n.pos}}
	o := d.object(n, "lag", lagKeys...)
	s.columns = d.texts(o.need("column", "write column: name"), "column")
	if v := o.get("by"); v != nil {
		s.by = d.texts(v, "by")
	}
	if v := o.get("order_by"); v != nil {
		s.orderBy = d.keys(v, "order_by")
	}
	s.periods = []int{1}
	if v := o.get("periods"); v != nil {
		s.periods = nil
		d.lagPeriods(s, v)
	}
	if made := len(s.columns) * len(s.periods); made > maxPeriods {
		d.job.fail(n.pos, "", "lag makes %d columns, at most %d", made, maxPeriods)
	}
	if v := o.get("as"); v != nil {
		s.as = d.text(v, "as")
		d.checkTemplate(s, v)
	}
	if v := o.get("apply"); v != nil {
		s.apply = d.expression(v, "apply")
	}
	return s
}

func (d *decoder) lagPeriods(s *lagSpec, n *yamlNode) {
	items := []*yamlNode{n}
	if n.kind == yamlSeq {
		items = n.items
	}
	if len(items) == 0 || len(items) > maxPeriods {
		d.job.fail(n.pos, "", "periods must be 1 to %d whole numbers", maxPeriods)
	}
	for _, i := range items {
		p := d.whole(i, "periods", -math.MaxInt32)
		if p > math.MaxInt32 {
			d.job.fail(i.pos, "", "periods must be at most %d, not %d", math.MaxInt32, p)
		}
		if slices.Contains(s.periods, int(p)) {
			d.job.fail(i.pos, "", "%d is given twice in periods", p)
		}
		s.periods = append(s.periods, int(p))
	}
}

// checkTemplate makes sure that as names every column that lag makes differently.
func (d *decoder) checkTemplate(s *lagSpec, n *yamlNode) {
	left := strings.NewReplacer("{column}", "", "{period}", "").Replace(s.as.Value)
	if strings.ContainsAny(left, "{}") {
		d.job.fail(n.pos, "it may hold {column} and {period}", "as: %q has braces that mean nothing", s.as.Show)
	}
	if len(s.periods) > 1 && !strings.Contains(s.as.Value, "{period}") {
		d.job.fail(n.pos, "write {period} in it", "as: %q gives several periods one name", s.as.Show)
	}
	if len(s.columns) > 1 && !strings.Contains(s.as.Value, "{column}") {
		d.job.fail(n.pos, "write {column} in it", "as: %q gives several columns one name", s.as.Show)
	}
}

// aggNames are the aggregates.
var aggNames = []string{"count", "sum", "mean", "min", "max", "first", "last", "std", "var", "any", "all", "arg_min", "arg_max", "corr", "cov",
	"nunique", "mode", "median", "quantile", "quantile_disc", "quantile_cont", "approx_nunique", "approx_quantile", "top", "list", "string_agg"}

// aggSpec is one aggregate: name: "fn(arg) filter (where cond)".
type aggSpec struct {
	name   Text
	fn     string
	text   *exprText // as written, for places
	arg    *exprText // nil for count()
	arg2   *exprText // nil for those with one argument
	param  float64   // of quantiles, and of top
	sep    string    // of string_agg
	filter *exprText // nil for none
}

func (d *decoder) decodeGroupBy(n *yamlNode) any {
	s := &groupbySpec{sort: true}
	o := d.object(n, "groupby", groupbyKeys...)
	by := o.need("by", "write by: [columns], or by: [] for one row over everything")
	if by.kind != yamlSeq || len(by.items) > 0 {
		s.by = d.items(by, "by")
	}
	agg := o.need("agg", "write agg: {name: \"sum(x)\"}")
	if agg.kind != yamlMap {
		d.job.fail(agg.pos, "write {name: \"sum(x)\"}", "agg must be a mapping, not %s", describe(agg))
	}
	for _, e := range d.named(agg, "agg", "a column") {
		s.aggs = append(s.aggs, d.aggregate(e))
	}
	if len(s.aggs) == 0 && len(s.by) == 0 {
		d.job.fail(n.pos, "", "groupby has neither keys nor aggregates")
	}
	if v := o.get("sort"); v != nil {
		s.sort = d.boolean(v, "sort")
	}
	if v := o.get("nulls"); v != nil {
		s.dropNulls = d.choice(v, "nulls", groupNulls, nil) == "drop"
	}
	return s
}

const aggHint = "write an aggregate of one expression: sum(x), or sum(x) filter (where y > 0)"

func (d *decoder) aggregate(e namedEntry) aggSpec {
	text := d.aggText(e)
	s := text.Value
	open := strings.IndexByte(s, '(')
	if open < 0 {
		d.job.fail(text.Pos, aggHint, "agg %q is not an aggregate", e.name.Show)
	}
	a := aggSpec{name: e.name, fn: strings.ToLower(strings.TrimSpace(s[:open])), text: text}
	if !slices.Contains(aggNames, a.fn) {
		d.job.fail(text.at(0), hintAggregate(a.fn), "unknown aggregate %q", a.fn)
	}
	end := closeParen(s, open)
	if end < 0 {
		d.job.fail(text.at(open), "", "the parenthesis is not closed")
	}
	d.aggArg(&a, text.part(open+1, end))
	d.aggFilter(&a, text, end+1)
	return a
}

// aggText reads the text of an aggregate without parsing it as an expression.
func (d *decoder) aggText(e namedEntry) *exprText {
	n := e.value
	if n.kind != yamlScalar {
		d.job.fail(n.pos, aggHint, "agg %q must be text, not %s", e.name.Show, describe(n))
	}
	if n.comment.Line > 0 {
		d.job.fail(n.comment, "put the aggregate in quotes if the # is part of it, else move the comment to a line of its own", "the aggregate is cut by a comment")
	}
	value, show, segs := d.expand(n)
	whole := &exprText{Text: Text{value, show, n.pos}, at: func(offset int) Pos { return placeOf(value, segs, offset) }}
	return whole.part(0, len(value))
}

func (d *decoder) aggArg(a *aggSpec, arg *exprText) {
	switch {
	case arg.Value == "" || arg.Value == "*":
		if a.fn != "count" {
			d.job.fail(arg.Pos, "write "+a.fn+"(x)", "%s needs an expression", a.fn)
		}
	case strings.HasPrefix(strings.ToLower(arg.Value), "distinct "):
		hint := "put a distinct before the groupby"
		if a.fn == "count" || a.fn == "nunique" {
			hint = "write nunique(x)"
		}
		d.job.unsupported(arg.Pos, hint, a.fn+"(distinct ...)")
	default:
		d.aggArgs(a, arg)
		d.noAggregateWithin(a.fn, a.arg)
		d.noAggregateWithin(a.fn, a.arg2)
	}
}

// noAggregateWithin refuses an aggregate in the argument of another.
func (d *decoder) noAggregateWithin(fn string, arg *exprText) {
	if arg == nil {
		return
	}
	if c := innerCall(arg.tree.Root, aggNames); c != nil {
		d.job.fail(arg.at(c.Offset), "compute it in a groupby of its own before this one", "%s is an aggregate, and stands within %s", c.Name, fn)
	}
}

func (d *decoder) aggFilter(a *aggSpec, text *exprText, from int) {
	tail := text.part(from, len(text.Value))
	if tail.Value == "" {
		return
	}
	word, rest, ok := strings.Cut(tail.Value, "(")
	if !ok || !strings.EqualFold(strings.TrimSpace(word), "filter") {
		d.job.fail(tail.Pos, "compute on the result in a verb of its own, behind groupby", "%q behind the aggregate", firstWord(tail.Value))
	}
	open := len(word)
	end := closeParen(tail.Value, open)
	trimmed := strings.TrimLeft(rest, " \t\n")
	if end != len(tail.Value)-1 || len(trimmed) < 6 || !strings.EqualFold(trimmed[:5], "where") || !strings.ContainsRune(" \t\n(", rune(trimmed[5])) {
		d.job.fail(tail.Pos, aggHint, "the filter must read filter (where condition)")
	}
	start := open + 1 + len(rest) - len(trimmed) + 5
	cond := tail.part(start, end)
	if cond.Value == "" {
		d.job.fail(tail.Pos, aggHint, "the filter has no condition")
	}
	a.filter = d.parseExpr(cond)
}

// closeParen returns the position of the parenthesis that closes the one at open, or -1.
func closeParen(s string, open int) int {
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		case '\'', '"':
			q := s[i]
			for i++; i < len(s) && s[i] != q; i++ {
			}
		}
	}
	return -1
}

// lagName is the name of the column that lag makes.
func (s *lagSpec) lagName(column string, period int) string {
	return strings.NewReplacer("{column}", column, "{period}", fmt.Sprint(period)).Replace(s.as.Value)
}
