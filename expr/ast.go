package expr

import "pqjoin/batch"

// Tree is a parsed expression.
type Tree struct {
	Text string // as written
	Root *Node
}

// Op says what a Node is.
type Op uint8

// The node kinds, and what Args holds.
const (
	OpLiteral  Op = iota + 1 // Value of Type
	OpColumn                 // Name
	OpNeg                    // x
	OpNot                    // x
	OpBinary                 // x, y; Name is + - * / // % ** = <> < <= > >= and or || & | << >>, is distinct from, is not distinct from
	OpIsNull                 // x; Negated: is not null
	OpIn                     // x, then the list; Negated: not in
	OpBetween                // x, low, high; Negated
	OpLike                   // x, pattern[, escape character]; Name is like or ilike; Negated
	OpCase                   // operand (nil where there is none), when, then, when, then, ..., else (nil where there is none)
	OpCast                   // x; Type is the target; Try: try_cast
	OpCall                   // arguments; Name is the function, lower case
	OpIs                     // x; Name is true, false or unknown; Negated
	OpInterval               // amount, unit, amount, unit, ...: lengths of time to add up; units are literals such as day
)

// Node is one operator, literal, column or call of a Tree.
type Node struct {
	Op      Op
	Offset  int // byte in the text at which the node begins (for a binary operator: of the operator)
	Name    string
	Args    []*Node
	Value   Value
	Type    batch.Type
	Negated bool
	Try     bool

	depth int
	at    func(offset int) Place // where Offset is in a file; nil where that is not known
}

// Place is a place in a file. Lines and columns count from 1, columns in characters; the zero Place is none.
type Place struct{ Line, Column int }

// Locate tells the tree where its text stands in a file: at maps a byte of the text to its place. What fails on some row
// says so (RowError). It is called before the tree is bound.
func (t *Tree) Locate(at func(offset int) Place) {
	var walk func(n *Node)
	walk = func(n *Node) {
		if n == nil {
			return
		}
		n.at = at
		for _, a := range n.Args {
			walk(a)
		}
	}
	walk(t.Root)
}

// Value is one value of a type: the field that the type's kind names holds it.
type Value struct {
	Null   bool
	Bool   bool
	Int    int64 // uint64 by its bits
	Float  float64
	Int128 batch.Int128
	Bytes  []byte
}

// Stats is what is known about a column's values in some rows.
type Stats struct {
	HasBounds bool  // Min and Max hold; they bound the values that are not null (and not NaN) and need not be tight
	Min, Max  Value // of the column's type
	Nulls     int64 // rows that are null; -1 where unknown
	Rows      int64
	NoNaN     bool // a float column is known to hold no NaN (which is greater than every number, and which Max leaves out)
}

// FunctionDoc documents one function or operator for the reference page.
type FunctionDoc struct {
	Group      string // the heading under which it is listed
	Name       string
	Aliases    []string // other names of the same
	Signatures []string // "round(x, digits) -> type of x"
	Doc        string   // one line
	Example    string   // an expression without columns
}
