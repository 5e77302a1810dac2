package expr

import (
	"errors"

	"pqjoin/batch"
)

// CanFail says whether computing b may give a RowError on some row.
func (b *Bound) CanFail() bool { return (&builder{fails: map[*node]bool{}}).canFail(b.root) }

// canFail says whether computing n may give a RowError.
func (b *builder) canFail(n *node) bool {
	if n == nil || n.literal() || n.op == "try" {
		return false
	}
	if f, ok := b.fails[n]; ok {
		return f
	}
	fails := opCanFail(n)
	for _, a := range n.args {
		fails = fails || b.canFail(a)
	}
	b.fails[n] = fails // for the compilation that finds out whether it is folded
	if fails && b.folds(n) {
		b.fails[n] = false
	}
	return b.fails[n]
}

// folds says whether n is a constant that is computed, once, when it is compiled: cast('2024-01-01' as date), say. What is known of
// its arguments is not found out again, which would double with each level.
func (b *builder) folds(n *node) bool {
	for _, a := range n.args {
		if a == nil || !a.literal() && !b.folds(a) {
			return false
		}
	}
	if n.op == "column" || len(n.args) == 0 {
		return false
	}
	p := compileKnowing(b.fails, []*node{n})
	return p.steps[p.outs[0]].way == wayConst
}

func opCanFail(n *node) bool {
	switch n.op {
	case "+", "-", "*", "neg", "abs", "round", "floor", "ceil":
		return !n.typ.IsFloat()
	case "%", "//", "divide":
		y := n.args[1]
		return !n.typ.IsFloat() && (!y.literal() || y.val.Int == 0 || y.val.Int == -1 || y.typ.Kind() != batch.KindInt64)
	case "cast":
		return !safeCast(n.args[0].typ, n.typ)
	case "try_cast":
		return false
	case "like":
		return len(n.args) == 3 && !n.args[1].literal()
	}
	f := lookup(n.op)
	return f != nil && f.fails
}

// safeCast says whether a cast never fails.
func safeCast(from, to batch.Type) bool {
	switch {
	case from == to, to.ID == batch.String, from.ID == batch.Null, to.ID == batch.Bool && from.ID != batch.String:
		return true
	case from.ID == batch.Bool && to.ID != batch.Decimal, to.ID == batch.Float64 && from.ID != batch.String, isBinary(to):
		return true
	case from.IsInteger() && to.IsInteger():
		c := commonInt(from, to)
		return c == to
	case from.ID == batch.Float16 && to.ID == batch.Float32, from.IsInteger() && to.ID == batch.Float32:
		return true
	case from.IsInteger() && to.ID == batch.Float16:
		return from.ID == batch.Int8 || from.ID == batch.Uint8 || from.ID == batch.Int16
	case from.IsInteger() && to.ID == batch.Decimal:
		return int(to.Prec)-int(to.Scale) >= intDigits(from)
	}
	return false
}

func isRowError(err error) bool {
	var re *RowError
	return errors.As(err, &re)
}
