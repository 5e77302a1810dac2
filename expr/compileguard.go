package expr

import (
	"fmt"
	"strings"

	"pqjoin/batch"
)

// lowerLogic lowers and, or. A right side that can fail is computed only where the left leaves it open.
func (b *builder) lowerLogic(n *node) int {
	if n.op == "and" {
		if slot, ok := b.within(n); ok {
			return slot
		}
	}
	left := b.lower(n.args[0])
	k, open := kernelAnd, left
	if n.op == "or" {
		k = kernelOr
	}
	if b.canFail(n.args[1]) {
		if n.op == "or" {
			open = b.not(n, left)
		}
		open = b.pick("coalesce", n, boolType(), pickFirst, open, b.constant(Value{Bool: true}, boolType(), n))
		return b.special(n.op, n, n.typ, k, left, b.guarded(n.args[1], open))
	}
	return b.special(n.op, n, n.typ, k, left, b.lower(n.args[1]))
}

func (b *builder) pick(op string, n *node, typ batch.Type, f pickFunc, args ...int) int {
	return b.special(op, n, typ, f.kernel, args...)
}

// lowerCase chooses among the results; conditions and results that can fail are computed only where they are reached.
func (b *builder) lowerCase(n *node) int {
	reach := -1 // where no condition before was true; -1: everywhere
	var args []int
	last := len(n.args) - 1
	for i := 1; i < last; i += 2 {
		cond := n.args[i]
		if n.args[0] != nil {
			cond = &node{op: "=", typ: boolType(), null: true, off: cond.off, args: []*node{n.args[0], cond}}
		}
		c := b.reached(cond, reach)
		isTrue := b.pick("coalesce", n, boolType(), pickFirst, c, b.constant(Value{}, boolType(), n))
		hit := isTrue
		if reach >= 0 {
			hit = b.special("and", n, boolType(), kernelAnd, reach, isTrue)
		}
		args = append(args, c, b.reached(n.args[i+1], hit))
		miss := b.not(n, isTrue)
		if reach >= 0 {
			miss = b.special("and", n, boolType(), kernelAnd, reach, miss)
		}
		reach = miss
	}
	if n.args[last] == nil {
		args = append(args, b.constant(Value{Null: true}, n.typ, n))
	} else {
		args = append(args, b.reached(n.args[last], reach))
	}
	return b.pick("case", n, n.typ, pickCase, args...)
}

// lowerCoalesce takes the first value that is not null; later ones that can fail are computed only where needed.
func (b *builder) lowerCoalesce(n *node) int {
	reach := -1
	var args []int
	for _, a := range n.args {
		slot := b.reached(a, reach)
		args = append(args, slot)
		null := b.special("is null", n, boolType(), kernelIsNull, slot)
		if reach >= 0 {
			null = b.special("and", n, boolType(), kernelAnd, reach, null)
		}
		reach = null
	}
	return b.pick("coalesce", n, n.typ, pickFirst, args...)
}

// reached lowers n for the rows where the slot reach is true (-1: all rows).
func (b *builder) reached(n *node, reach int) int {
	if reach < 0 || !b.canFail(n) {
		return b.lower(n)
	}
	return b.guarded(n, reach)
}

// guarded lowers n as a program of its own that runs where the bool slot mask is true.
func (b *builder) guarded(n *node, mask int) int {
	p := compile([]*node{n})
	b.inner = append(b.inner, p.cols...)
	return b.special(fmt.Sprintf("guarded %d", b.id(n)), n, n.typ, guard(p), mask)
}

// id numbers nodes so that equal ones have the same number.
func (b *builder) id(n *node) int {
	if n == nil {
		return -1
	}
	if id, ok := b.ids[n]; ok {
		return id
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%s %v %d %v", n.op, n.typ, n.col, n.negated)
	if n.literal() {
		fmt.Fprintf(&key, " %v %q", n.val.Null, appendValue(nil, n.val, n.typ))
	}
	for _, a := range n.args {
		fmt.Fprintf(&key, " %d", b.id(a))
	}
	id, ok := b.nodes[key.String()]
	if !ok {
		id = len(b.nodes)
		b.nodes[key.String()] = id
	}
	b.ids[n] = id
	return id
}
