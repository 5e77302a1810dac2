package expr

import "pqjoin/batch"

// outcomes says which results an expression may have in some rows.
type outcomes struct{ yes, no bool }

var anything = outcomes{true, true}

// MayBeTrue says whether a bool expression can be true for any of the rows that stats describes.
// stats is called with column positions; the zero Stats says that nothing is known.
func (b *Bound) MayBeTrue(stats func(col int) Stats) bool {
	return mayBe(b.root, stats, map[*node]outcomes{}).yes
}

func mayBe(n *node, stats func(int) Stats, done map[*node]outcomes) outcomes {
	if o, ok := done[n]; ok {
		return o
	}
	o := mayBeNew(n, stats, done)
	if n.negated && n.op != "is null" {
		o.yes, o.no = o.no, o.yes
	}
	done[n] = o
	return o
}

func mayBeNew(n *node, stats func(int) Stats, done map[*node]outcomes) outcomes {
	switch n.op {
	case "literal":
		return outcomes{!n.val.Null && n.val.Bool, !n.val.Null && !n.val.Bool}
	case "and":
		x, y := mayBe(n.args[0], stats, done), mayBe(n.args[1], stats, done)
		return outcomes{x.yes && y.yes, x.no || y.no}
	case "or":
		x, y := mayBe(n.args[0], stats, done), mayBe(n.args[1], stats, done)
		return outcomes{x.yes || y.yes, x.no && y.no}
	case "not":
		x := mayBe(n.args[0], stats, done)
		return outcomes{x.no, x.yes}
	case "is null":
		return nullOutcomes(n, stats)
	case "=", "<>", "<", "<=", ">", ">=":
		x, okX := bounds(n.args[0], stats)
		y, okY := bounds(n.args[1], stats)
		if !okX || !okY {
			return anything
		}
		return compareBounds(n.op, x, y, n.args[0].typ)
	case "between":
		return betweenBounds(n, stats)
	case "in":
		return inBounds(n, stats)
	}
	return anything
}

// nullOutcomes decides x is [not] null where x is a column with known counts.
func nullOutcomes(n *node, stats func(int) Stats) outcomes {
	a := n.args[0]
	if a.op != "column" {
		return anything
	}
	s := stats(a.col)
	if s.Rows <= 0 || s.Nulls < 0 {
		return anything
	}
	o := outcomes{s.Nulls > 0, s.Nulls < s.Rows}
	if n.negated {
		o.yes, o.no = o.no, o.yes
	}
	return o
}

// span holds the values that an expression may have besides null. empty: none.
type span struct {
	lo, hi   Value
	openHigh bool // greater values are possible: NaN
	empty    bool
}

// bounds returns the span of a literal, a column, or a widening cast of one.
func bounds(n *node, stats func(int) Stats) (span, bool) {
	switch n.op {
	case "literal":
		return span{lo: n.val, hi: n.val, empty: n.val.Null}, true
	case "column":
		s := stats(n.col)
		if s.Rows > 0 && s.Nulls == s.Rows {
			return span{empty: true}, true
		}
		return span{lo: s.Min, hi: s.Max, openHigh: n.typ.IsFloat() && !s.NoNaN}, s.HasBounds
	case "cast":
		return castBounds(n, stats)
	}
	return span{}, false
}

// castBounds carries bounds through casts that keep the order.
func castBounds(n *node, stats func(int) Stats) (span, bool) {
	from, to := n.args[0].typ, n.typ
	monotone := from.IsNumeric() && to.IsNumeric() || isClock(from) && isClock(to)
	if !monotone {
		return span{}, false
	}
	s, ok := bounds(n.args[0], stats)
	if !ok || s.empty {
		return s, ok
	}
	lo, okLo := castValue(s.lo, from, to)
	hi, okHi := castValue(s.hi, from, to)
	s.lo, s.hi = lo, hi
	return s, okLo && okHi
}

// castValue casts one value as the kernel does.
func castValue(v Value, from, to batch.Type) (Value, bool) {
	col := constColumn(v, from)
	st := &step{typ: to, way: wayStrict, strict: kernelCast(from, to, true), src: &node{op: "literal", written: &Node{Type: from, Value: v}}}
	out, err := strictColumn(nil, st, []vec{{col, true}}, 1)
	if err != nil || out.Nulls > 0 {
		return Value{}, false
	}
	return valueAt(vec{out, true}, 0), true
}

func compareBounds(op string, x, y span, t batch.Type) outcomes {
	if x.empty || y.empty {
		return outcomes{}
	}
	cmp := func(a, b Value) int { return compareValues(a, b, t) }
	lessYes := y.openHigh || cmp(x.lo, y.hi) < 0 // x < y possible
	lessNo := x.openHigh || cmp(x.hi, y.lo) >= 0 // x >= y possible
	moreYes := x.openHigh || cmp(x.hi, y.lo) > 0 // x > y possible
	moreNo := y.openHigh || cmp(x.lo, y.hi) <= 0 // x <= y possible
	equal := lessNo && moreNo                    // an overlap
	differ := lessYes || moreYes
	switch op {
	case "<":
		return outcomes{lessYes, lessNo}
	case ">=":
		return outcomes{lessNo, lessYes}
	case ">":
		return outcomes{moreYes, moreNo}
	case "<=":
		return outcomes{moreNo, moreYes}
	case "=":
		return outcomes{equal, differ}
	}
	return outcomes{differ, equal}
}

func betweenBounds(n *node, stats func(int) Stats) outcomes {
	x, ok := bounds(n.args[0], stats)
	if !ok {
		return anything
	}
	o := outcomes{yes: true}
	for i, op := range []string{">=", "<="} {
		side := anything
		if y, ok := bounds(n.args[i+1], stats); ok {
			side = compareBounds(op, x, y, n.args[0].typ)
		}
		o = outcomes{o.yes && side.yes, o.no || side.no}
	}
	return o
}

func inBounds(n *node, stats func(int) Stats) outcomes {
	x, ok := bounds(n.args[0], stats)
	if !ok {
		return anything
	}
	o := outcomes{no: true}
	for _, a := range n.args[1:] {
		side := anything
		if y, ok := bounds(a, stats); ok {
			side = compareBounds("=", x, y, n.args[0].typ)
		}
		o = outcomes{o.yes || side.yes, o.no && side.no}
	}
	return o
}

// compareValues orders two values of a type as = and < do.
func compareValues(a, b Value, t batch.Type) int {
	switch {
	case t.Kind() == batch.KindFloat64:
		return int(bit(floatLess(b.Float, a.Float))) - int(bit(floatLess(a.Float, b.Float)))
	case t.ID == batch.Uint64:
		return int(bit(uint64(a.Int) > uint64(b.Int))) - int(bit(uint64(a.Int) < uint64(b.Int)))
	case t.Kind() == batch.KindInt64:
		return int(bit(a.Int > b.Int)) - int(bit(a.Int < b.Int))
	case t.Kind() == batch.KindInt128:
		return a.Int128.Cmp(b.Int128)
	case t.Kind() == batch.KindBool:
		return int(bit(a.Bool)) - int(bit(b.Bool))
	}
	x, y := viewString(a.Bytes), viewString(b.Bytes)
	return int(bit(x > y)) - int(bit(x < y))
}
