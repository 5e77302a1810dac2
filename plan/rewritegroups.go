package plan

import (
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// Aggregates that must see a group's values in order, or once each, are made of other operators, so that no group
// need fit in memory. The values are grouped first, by the keys and themselves, and counted; what comes out is sorted:
//
//	GroupBy k: nunique(x), mode(x)       GroupBy k: count(x), arg_max(x, n), of equal n the one with the least p    streaming
//	             |                                       |
//	                                        GroupBy k, x: n = count(x), p = position of the first                   sorted
//
//	GroupBy k: median(x)                 GroupBy k: quantile(x; n, total)      streaming
//	             |                                       |
//	                                         Join k: with total = sum(n) by k
//	                                                     |
//	                                        GroupBy k, x: n = count(x)         sorted
//
// Quantiles of numbers of one word, floats, integers, dates, short decimals, are not made so where there are keys: the operator keeps the
// values of a partition instead (see groupby), and computes all other aggregates in the same pass. A sorted result is sorted afterwards.
//
//	GroupBy k: median(x), std(y)         Index k
//	             |                          |
//	                                     GroupBy k: quantile(x) held, std(y)
//
// Several arguments, and the other aggregates, are groups of their own, joined by the keys. The approximate ones differ
// in what they group by instead of the values (see rewriteapprox.go). What gathers values in the order of the rows
// streams over rows that are sorted by the keys:
//
//	GroupBy k: list(x), string_agg(s)    GroupBy k: list(x), string_agg(s)    streaming
//	             |                                       |
//	                                             Index k
//
//	GroupBy k: top(x, n), of many values GroupBy k: leading(x, n)             streaming
//	             |                                       |
//	                                             Index k, x desc

// splitGroups rewrites the group-bys that have such aggregates.
func (p *Plan) splitGroups() {
	by := map[*Node]*Node{}
	for _, n := range p.Nodes {
		for i, in := range n.Inputs {
			if r := by[in]; r != nil {
				n.Inputs[i] = r
			}
		}
		if op, ok := n.Op.(*GroupBy); ok && slices.ContainsFunc(op.Aggs, func(a Agg) bool { return a.needsValues() || a.collects() }) {
			s := &groupSplit{n: n, op: op, in: n.Inputs[0], keys: len(op.Keys)}
			by[n] = s.split()
		}
	}
	p.replace(by)
}

// groupSplit makes the table of the group-by n of pieces: tables with the keys first, then some of its aggregates.
type groupSplit struct {
	n      *Node
	op     *GroupBy
	in     *Node
	keys   int
	pieces []piece
}

type piece struct {
	node *Node
	aggs []int // of the group-by, in the order of the columns behind the keys
}

// values are an argument and its filter, and what is done with them.
type values struct {
	arg, filter int
	how         treatment
}

type treatment int

const (
	counts  treatment = iota // each value once, counted
	rounds                   // values that are nearly equal together
	hashes                   // registers of a sketch
	descend                  // the rows sorted, the greatest first
)

// treats returns what is done with the values of an aggregate.
func (s *groupSplit) treats(a *Agg) treatment {
	switch {
	case a.Func == "approx_nunique":
		return hashes
	case a.Func == "approx_quantile" && s.in.Schema.Fields[a.Arg].Type.IsNumeric():
		return rounds
	case a.Func == "top":
		return descend
	}
	return counts
}

func (s *groupSplit) split() *Node {
	var plain, held []int
	var order []values
	of := map[values][]int{}
	for i, a := range s.op.Aggs {
		v := values{a.Arg, a.Filter, s.treats(&a)}
		switch {
		case !a.needsValues():
			plain = append(plain, i)
		case s.holds(&a):
			held = append(held, i)
		case of[v] == nil:
			order = append(order, v)
			fallthrough
		default:
			of[v] = append(of[v], i)
		}
	}
	if len(held) > 0 && !slices.ContainsFunc(plain, func(i int) bool { return s.op.Aggs[i].collects() }) {
		held, plain = slices.Concat(plain, held), nil
		slices.Sort(held)
	}
	if len(plain) > 0 {
		s.others(plain)
	}
	if len(held) > 0 {
		s.ofHeld(held)
	}
	for _, v := range order {
		s.ofValues(v, of[v])
	}
	return s.together()
}

// node returns a node over inputs that stands where the group-by did.
func (s *groupSplit) node(op Op, fields []batch.Field, inputs ...*Node) *Node {
	return &Node{Op: op, Inputs: inputs, Schema: batch.NewSchema(fields...), Table: s.n.Table, Verb: s.n.Verb, Pos: s.n.Pos}
}

// group returns the group-by of in by its first columns with these aggregates of the job's group-by.
func (s *groupSplit) group(in *Node, keys []int, made []Agg, aggs []int) {
	fields := slices.Clone(s.n.Schema.Fields[:s.keys])
	for _, i := range aggs {
		fields = append(fields, s.n.Schema.Fields[s.keys+i])
	}
	op := &GroupBy{Keys: keys, Aggs: made, Sort: s.op.Sort, DropNulls: s.op.DropNulls}
	s.pieces = append(s.pieces, piece{s.node(op, fields, in), aggs})
}

// others makes the piece of the aggregates that need nothing of the kind.
func (s *groupSplit) others(aggs []int) {
	var made []Agg
	in := s.in
	for _, i := range aggs {
		made = append(made, s.op.Aggs[i])
		if s.op.Aggs[i].collects() && s.keys > 0 && in == s.in {
			in = s.sorted()
		}
	}
	s.group(in, s.op.Keys, made, aggs)
}

// holds says whether the quantile is one of numbers of one word, which the operator keeps. Where few of them are different, that takes
// about as long as counting each once; where many are, a tenth of it.
func (s *groupSplit) holds(a *Agg) bool {
	if s.keys == 0 || !a.quantile() || a.Func == "approx_quantile" {
		return false
	}
	k := s.in.Schema.Fields[a.Arg].Type.Kind()
	return k == batch.KindFloat64 || k == batch.KindInt64
}

// ofHeld makes the piece of the quantiles whose values are kept, and of what is computed in the same pass.
func (s *groupSplit) ofHeld(aggs []int) {
	var made []Agg
	for _, i := range aggs {
		a := s.op.Aggs[i]
		if a.quantile() {
			a.Func, a.Held = a.kindOfQuantile(), true
		}
		made = append(made, a)
	}
	s.group(s.in, s.op.Keys, made, aggs)
	if !s.op.Sort {
		return
	}
	p := &s.pieces[len(s.pieces)-1]
	p.node.Op.(*GroupBy).Sort = false
	keys := make([]SortKey, s.keys)
	for k := range keys {
		keys[k].Column = k
	}
	p.node = s.node(&Index{Keys: keys}, p.node.Schema.Fields, p.node)
}

// sorted sorts the input by the keys, then as more says, each column once. Rows that are equal keep their order.
func (s *groupSplit) sorted(more ...SortKey) *Node {
	var all, keys []SortKey
	for _, k := range s.op.Keys {
		all = append(all, SortKey{Column: k})
	}
	for _, k := range append(all, more...) {
		if !slices.ContainsFunc(keys, func(o SortKey) bool { return o.Column == k.Column }) {
			keys = append(keys, k)
		}
	}
	return s.node(&Index{Keys: keys}, s.in.Schema.Fields, s.in)
}

// ofValues makes the piece of the aggregates of v.
func (s *groupSplit) ofValues(v values, aggs []int) {
	switch v.how {
	case hashes:
		s.ofHashes(v, aggs)
		return
	case rounds:
		s.ofRounded(v, aggs)
		return
	case descend:
		s.ofLargest(v, aggs)
		return
	}
	counted := s.counted(v, slices.ContainsFunc(aggs, func(i int) bool { return s.op.Aggs[i].Func == "mode" }))
	x, count, place, total := s.keys, s.keys+1, s.keys+2, len(counted.Schema.Fields)
	if slices.ContainsFunc(aggs, func(i int) bool { return s.op.Aggs[i].quantile() }) {
		counted = s.totalled(counted)
	}
	var made []Agg
	for _, i := range aggs {
		a := s.op.Aggs[i]
		a.Arg, a.Filter = x, -1
		switch {
		case a.Func == "nunique":
			a.Func = "count"
		case a.Func == "mode":
			a.Func, a.Arg2, a.Weighted, a.Weight = "arg_max", count, true, place
		default:
			a.Func, a.Arg2, a.Weighted, a.Weight = a.kindOfQuantile(), total, true, count
		}
		made = append(made, a)
	}
	s.group(counted, batch.Positions(s.keys), made, aggs)
}

// ofLargest makes the piece of the aggregates that take the greatest values.
func (s *groupSplit) ofLargest(v values, aggs []int) {
	var made []Agg
	for _, i := range aggs {
		a := s.op.Aggs[i]
		a.Func = "leading"
		made = append(made, a)
	}
	s.group(s.sorted(SortKey{Column: v.arg, Desc: true}), s.op.Keys, made, aggs)
}

// counted groups the input by the keys and the values, counts those, and notes their first place where it is asked for.
func (s *groupSplit) counted(v values, places bool) *Node {
	in, keys, x := s.in, slices.Clone(s.op.Keys), v.arg
	if v.filter >= 0 {
		in, x = s.filtered(v), len(s.in.Schema.Fields)
	}
	fields := s.keyFields()
	f := in.Schema.Fields[x]
	f.Name = hidden(namesOf(fields), f.Name)
	fields = append(fields, f)
	op := &GroupBy{Keys: append(keys, x), Sort: true}
	for _, fn := range []string{"count", "position"} {
		if fn == "count" || places {
			op.Aggs = append(op.Aggs, Agg{Name: hidden(namesOf(fields), fn), Func: fn, Arg: x, Filter: -1, Type: batch.Of(batch.Int64)})
			fields = append(fields, batch.Field{Name: hidden(namesOf(fields), fn), Type: batch.Of(batch.Int64)})
		}
	}
	return s.node(op, fields, in)
}

// keyFields are the columns of the keys, nulls among them.
func (s *groupSplit) keyFields() []batch.Field {
	var fields []batch.Field
	for i, k := range s.op.Keys {
		f := s.in.Schema.Fields[k]
		f.Name = s.n.Schema.Fields[i].Name
		fields = append(fields, f)
	}
	return fields
}

// filtered appends to the input the values for which the filter is true, else null.
func (s *groupSplit) filtered(v values) *Node {
	made := s.bind(s.where(v, s.quoted(v.arg)))
	names := s.in.Schema.Names()
	return projected(s.in, append(names, hidden(names, s.in.Schema.Fields[v.arg].Name)), append(columnRefs(s.in.Schema), made))
}

// where is the text of an expression that is null in rows that the filter leaves out.
func (s *groupSplit) where(v values, text string) string {
	if v.filter < 0 {
		return text
	}
	return fmt.Sprintf("case when %s then %s end", s.quoted(v.filter), text)
}

// quoted is a column's name in the text of an expression.
func (s *groupSplit) quoted(c int) string { return expr.QuoteName(s.in.Schema.Fields[c].Name) }

// bind returns an expression over the input.
func (s *groupSplit) bind(text string) *expr.Bound {
	tree, err := expr.Parse(text)
	if err == nil {
		var b *expr.Bound
		if b, err = expr.Bind(tree, s.in.Schema); err == nil {
			return b
		}
	}
	panic(fmt.Sprintf("plan: %s: %v", text, err)) // not reached: the columns are there, and of the right types
}

// totalled appends to counted values how many the group has of all of them. Their order stays.
func (s *groupSplit) totalled(counted *Node) *Node {
	keys := batch.Positions(s.keys)
	total := Agg{Name: hidden(counted.Schema.Names(), "total"), Func: "sum", Arg: s.keys + 1, Filter: -1, Type: batch.Of(batch.Int64)}
	fields := append(slices.Clone(counted.Schema.Fields[:s.keys]), batch.Field{Name: total.Name, Type: total.Type, Nullable: s.keys == 0})
	totals := s.node(&GroupBy{Keys: keys, Aggs: []Agg{total}, Sort: true}, fields, counted)
	return s.join(counted, totals, totals.Schema.Fields[s.keys:], true)
}

// join appends the columns of right behind the keys, which are named out, to left.
func (s *groupSplit) join(left, right *Node, out []batch.Field, keepOrder bool) *Node {
	width, fields := len(left.Schema.Fields), slices.Concat(left.Schema.Fields, out)
	keys, first := batch.Positions(s.keys), s.keys
	if s.keys == 0 {
		left, right = s.withConstant(left), s.withConstant(right)
		fields = slices.Concat(left.Schema.Fields, out)
		keys, first = []int{len(left.Schema.Fields) - 1}, 0
	}
	op := &Join{Kind: InnerJoin, LeftKeys: keys, RightKeys: keys, Validate: "m:m", NullsEqual: true, Strategy: "auto", KeepOrder: keepOrder}
	if s.keys == 0 {
		op.RightKeys = []int{len(right.Schema.Fields) - 1}
	}
	for i := range out {
		op.RightOut = append(op.RightOut, first+i)
	}
	made := s.node(op, fields, left, right)
	if s.keys > 0 {
		return made
	}
	refs, names := columnRefs(made.Schema), made.Schema.Names()
	return projected(made, slices.Delete(names, width, width+1), slices.Delete(refs, width, width+1))
}

// withConstant appends a column that is the same in all rows, to join by.
func (s *groupSplit) withConstant(n *Node) *Node {
	names := n.Schema.Names()
	return projected(n, append(names, hidden(names, "all")), append(columnRefs(n.Schema), s.bind("0")))
}

// together joins the pieces, and puts their columns in the order of the group-by's.
func (s *groupSplit) together() *Node {
	made := s.pieces[0].node
	order := slices.Clone(s.pieces[0].aggs)
	for _, p := range s.pieces[1:] {
		made = s.join(made, p.node, p.node.Schema.Fields[s.keys:], s.op.Sort || s.keys == 0)
		order = append(order, p.aggs...)
	}
	if !slices.IsSorted(order) {
		refs := columnRefs(made.Schema)
		exprs := slices.Clone(refs[:s.keys])
		for i := range s.op.Aggs {
			exprs = append(exprs, refs[s.keys+slices.Index(order, i)])
		}
		made = projected(made, s.n.Schema.Names(), exprs)
	}
	made.Warnings = append(made.Warnings, s.n.Warnings...)
	return made
}

func namesOf(fields []batch.Field) []string { return batch.NewSchema(fields...).Names() }
