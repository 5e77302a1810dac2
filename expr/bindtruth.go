package expr

import (
	"slices"

	"pqjoin/batch"
)

// bindLike types like and ilike; ilike compares in lower case, as DuckDB does.
func bindLike(n *node) (*node, *Error) {
	if len(n.args) == 3 {
		e := n.args[2]
		if !e.literal() || e.typ.ID != batch.String || e.val.Null || len(e.val.Bytes) > 1 || !isASCII(e.val.Bytes) {
			return nil, errorAt(e.off, "write it in quotes, for example escape '$'", "the escape of %s must be one constant character of ASCII", n.op)
		}
		if p := n.args[1]; p.literal() && endsInEscape(p.val.Bytes, e.val.Bytes) {
			return nil, errorAt(p.off, "", "the pattern must not end with its escape character")
		}
	}
	lower := n.op == "ilike"
	n.op = "like"
	if _, err := bindStrings(n, batch.Of(batch.Bool), len(n.args)); err != nil {
		return nil, err
	}
	if lower {
		for i, a := range n.args[:2] {
			n.args[i] = &node{op: "lower", typ: a.typ, null: a.null, off: a.off, args: []*node{a}}
		}
	}
	return n, nil
}

// bindIsTruth rewrites is [not] true, false and unknown, none of which is ever null.
func bindIsTruth(n *node, truth string) (*node, *Error) {
	n.op = "is " + truth
	if _, err := bindLogic(n); err != nil {
		return nil, err
	}
	x := n.args[0]
	if truth == "unknown" {
		return &node{op: "is null", typ: n.typ, off: n.off, args: n.args, negated: n.negated}, nil
	}
	if truth == "false" {
		x = &node{op: "not", typ: n.typ, null: x.null, off: n.off, args: []*node{x}}
	}
	no := &Node{Op: OpLiteral, Offset: n.off, Type: n.typ, depth: 1}
	out := &node{op: "coalesce", typ: n.typ, off: n.off, args: []*node{x, {op: "literal", typ: n.typ, off: n.off, written: no}}}
	if n.negated {
		out = &node{op: "not", typ: n.typ, off: n.off, args: []*node{out}}
	}
	return out, nil
}

// takesInterval says whether a function has an interval among its arguments.
func takesInterval(name string) bool {
	return slices.Contains([]string{"date_add", "time_bucket"}, name)
}

// checkIntervals refuses intervals as operands of anything but + and -.
func checkIntervals(n *Node, args []*node) *Error {
	if n.Op == OpBinary && (n.Name == "+" || n.Name == "-") || n.Op == OpCall && takesInterval(n.Name) {
		return nil
	}
	for _, a := range args {
		if a != nil && a.op == "interval" {
			return strayInterval(a)
		}
	}
	return nil
}

func strayInterval(a *node) *Error {
	return errorAt(a.off, "for n days write interval (n) day; date_diff('second', a, b) is the time between two", "an interval can only be added to a date, a time or a timestamp, or subtracted from one")
}

// bindAddInterval rewrites t + interval and t - interval as additions of numbers of units.
func bindAddInterval(n *node) (*node, *Error) {
	t, span := n.args[0], n.args[1]
	if t.op == "interval" && n.op == "+" {
		t, span = span, t
	}
	if t.op == "interval" || span.op != "interval" {
		return nil, strayInterval(n.args[0])
	}
	return addInterval(t, span, n.op == "-", n.off)
}

func addInterval(t, span *node, minus bool, off int) (*node, *Error) {
	for i := 0; i < len(span.args); i += 2 {
		amount := span.args[i]
		if minus {
			var err *Error
			if amount, err = negated(amount); err != nil {
				return nil, err
			}
		}
		var err *Error
		if t, err = bindDateAdd(&node{op: "date_add", off: off, args: []*node{span.args[i+1], amount, t}}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// negated returns -amount, as a literal where it is one.
func negated(amount *node) (*node, *Error) {
	if amount.literal() && amount.typ.IsInteger() && amount.val.Int != -1<<63 {
		lit := intLiteral(amount.off, -amount.val.Int)
		return &node{op: "literal", typ: lit.Type, off: amount.off, val: lit.Value, written: lit}, nil
	}
	return bindNegate(&node{off: amount.off, args: []*node{amount}})
}
