package expr

import "pqjoin/batch"

// Part is one operator of a bound expression, for those who write expressions in another language. The zero Part is
// no operator: the else of a case that has none.
type Part struct{ n *node }

// Part returns the outermost operator of b.
func (b *Bound) Part() Part { return Part{b.root} }

// None says whether there is no operator.
func (p Part) None() bool { return p.n == nil }

// Op returns what the operator is called inside the language: literal, column, neg, not, is null, in, between, like, case,
// cast, try_cast, a binary operator or the main name of a function.
func (p Part) Op() string { return p.n.op }

// Type returns the type of its value.
func (p Part) Type() batch.Type { return p.n.typ }

// Column returns the position of a column.
func (p Part) Column() int { return p.n.col }

// Null says whether a literal is null.
func (p Part) Null() bool { return p.n.val.Null }

// Text returns the value of a literal as a cast to string writes it; of binary the digits in hexadecimal.
func (p Part) Text() string { return string(appendValue(nil, p.n.val, p.n.typ)) }

// Float returns the value of a literal that is a float.
func (p Part) Float() float64 { return p.n.val.Float }

// Negated says whether a test (is null, in, between, like) is one of not.
func (p Part) Negated() bool { return p.n.negated }

// Args returns the operands. Those of case are its operand (none where it has no such), when, then, when, then, and so on, and
// else (none where it has no such).
func (p Part) Args() []Part {
	out := make([]Part, len(p.n.args))
	for i, a := range p.n.args {
		out[i] = Part{a}
	}
	return out
}
