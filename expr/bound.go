package expr

import (
	"slices"

	"pqjoin/batch"
)

// Bound is an expression over the columns of a schema, by position. It is immutable.
type Bound struct {
	Type     batch.Type // never Null
	Nullable bool
	// Tree is the expression with columns by name; after Remap the names are those of the schema it was bound to.
	Tree *Tree

	root *node
}

func newBound(root *node, t *Tree) *Bound {
	return &Bound{Type: root.typ, Nullable: root.null, Tree: t, root: root}
}

// ColumnRef returns the bare column at position i.
func ColumnRef(schema *batch.Schema, i int) *Bound {
	f := schema.Fields[i]
	t := &Tree{Text: QuoteName(f.Name), Root: &Node{Op: OpColumn, Name: f.Name, depth: 1}}
	return newBound(&node{op: "column", typ: f.Type, null: f.Nullable, col: i, name: f.Name}, t)
}

// NullOf returns the null of a type, also of one that no expression can name.
func NullOf(t batch.Type) *Bound {
	none := Value{Null: true}
	written := &Node{Op: OpLiteral, Value: none, depth: 1}
	return newBound(&node{op: "literal", typ: t, null: true, val: none, written: written}, &Tree{Text: "null", Root: written})
}

// Columns returns the positions that b reads, ascending and unique.
func (b *Bound) Columns() []int {
	var cols []int
	seen := map[*node]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		if n.op == "column" {
			cols = append(cols, n.col)
		}
		for _, a := range n.args {
			walk(a)
		}
	}
	walk(b.root)
	slices.Sort(cols)
	return slices.Compact(cols)
}

// Column returns the position and true where b is just a column.
func (b *Bound) Column() (int, bool) { return b.root.col, b.root.op == "column" }

// String returns b as normalised SQL.
func (b *Bound) String() string { return printNode(b.root) }

// rewrite replaces the columns of a node; parts without columns are shared.
func rewrite(n *node, column func(*node) *node, done map[*node]*node) *node {
	if n == nil {
		return nil
	}
	if d, ok := done[n]; ok {
		return d
	}
	out := n
	if n.op == "column" {
		out = column(n)
	} else {
		for i, a := range n.args {
			r := rewrite(a, column, done)
			if r == a {
				continue
			}
			if out == n {
				c := *n
				c.args = slices.Clone(n.args)
				out = &c
			}
			out.args[i] = r
		}
	}
	done[n] = out
	return out
}

// Remap returns b with every column position replaced by to(position).
func (b *Bound) Remap(to func(old int) int) *Bound {
	root := rewrite(b.root, func(n *node) *node {
		c := *n
		c.col = to(n.col)
		return &c
	}, map[*node]*node{})
	out := *b
	out.root = root
	return &out
}

// Substitute returns b with every column i replaced by exprs[i], which must have the
// column's type: b then reads what exprs reads.
func (b *Bound) Substitute(exprs []*Bound) *Bound {
	byName := map[string]*Node{}
	root := rewrite(b.root, func(n *node) *node {
		byName[n.name] = exprs[n.col].Tree.Root
		return exprs[n.col].root
	}, map[*node]*node{})
	out := newBound(root, &Tree{Root: substituteTree(b.Tree.Root, byName, map[*Node]*Node{})})
	out.Nullable = b.Nullable || out.Nullable
	out.Tree.Text = out.String()
	return out
}

func substituteTree(n *Node, byName map[string]*Node, done map[*Node]*Node) *Node {
	if n == nil {
		return nil
	}
	if d, ok := done[n]; ok {
		return d
	}
	out := n
	if r, ok := byName[n.Name]; ok && n.Op == OpColumn {
		out = r
	} else if len(n.Args) > 0 {
		c := *n
		c.Args = make([]*Node, len(n.Args))
		for i, a := range n.Args {
			c.Args[i] = substituteTree(a, byName, done)
		}
		out = &c
	}
	done[n] = out
	return out
}

// NullIfNull returns null wherever column col of the schema is null, else b.
func NullIfNull(b *Bound, schema *batch.Schema, col int) *Bound {
	if !schema.Fields[col].Nullable {
		return b
	}
	ref := ColumnRef(schema, col)
	test := &node{op: "is null", typ: batch.Of(batch.Bool), args: []*node{ref.root}, negated: true}
	root := &node{op: "case", typ: b.Type, null: true, args: []*node{nil, test, b.root, nil}}
	tree := &Node{Op: OpCase, Args: []*Node{nil, {Op: OpIsNull, Negated: true, Args: []*Node{ref.Tree.Root}}, b.Tree.Root, nil}}
	out := newBound(root, &Tree{Root: tree})
	out.Tree.Text = out.String()
	return out
}
