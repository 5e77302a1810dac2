package plan

import (
	"pqjoin/batch"
	"pqjoin/expr"
)

// Two says whether the aggregate has two arguments.
func (a *Agg) Two() bool { return hasTwo(a.Func) }

func hasTwo(fn string) bool {
	return fn == "arg_min" || fn == "arg_max" || fn == "corr" || fn == "cov"
}

// ordered says whether the order of the rows matters to the aggregate.
func (a *Agg) ordered() bool {
	return a.Func == "first" || a.Func == "last" || a.Func == "arg_min" || a.Func == "arg_max"
}

// reads returns the positions that the aggregate reads.
func (a *Agg) reads() []int {
	cols := present(a.Arg, a.Filter)
	if a.Two() {
		cols = append(cols, a.Arg2)
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
