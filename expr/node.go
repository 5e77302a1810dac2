package expr

import "pqjoin/batch"

// node is a typed operator. Nodes are immutable and may be shared: walks keep what they have seen.
type node struct {
	op       string // literal, column, neg, not, is null, in, between, like, case, cast, try_cast, a binary operator or a function
	typ      batch.Type
	null     bool // may be null
	off      int
	at       func(offset int) Place // where off is in a file; nil where that is not known
	args     []*node                // case: operand or nil, when, then, ..., else or nil
	col      int                    // column: its position
	name     string                 // column: its name
	val      Value                  // literal
	written  *Node                  // literal: as it was written, before it took its neighbour's type
	negated  bool
	implicit bool // a cast that the binder added
}

// place returns where n stands in a file, or the first of its parts of which that is known.
func (n *node) place() Place {
	switch {
	case n == nil:
		return Place{}
	case n.at != nil:
		return n.at(n.off)
	}
	for _, a := range n.args {
		if p := a.place(); p != (Place{}) {
			return p
		}
	}
	return Place{}
}

func (n *node) literal() bool { return n.op == "literal" }
