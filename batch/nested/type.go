package nested

import (
	"fmt"
	"strconv"
	"strings"

	"pqjoin/batch"
)

// Kind says what a Type is.
type Kind uint8

// The kinds.
const (
	Leaf Kind = iota
	List
	Map
	Struct
)

// MaxDepth is the most levels that a type may have.
const MaxDepth = 100

// Type is the tree of a type. It is immutable once made.
type Type struct {
	Kind   Kind
	Leaf   batch.Type // of a Leaf
	Fields []Field    // List: its element; Map: key and value; Struct: its fields, at least one
}

// Field is a part of a type. Names count in structs only.
type Field struct {
	Name     string
	Type     *Type
	Nullable bool
}

// Of returns the tree of a column's type; that of a flat type is a leaf. The error says what is wrong with a shape.
func Of(t batch.Type) (*Type, error) {
	if t.ID != batch.Nested {
		return &Type{Leaf: t}, nil
	}
	return Parse(t.Shape)
}

// ListOf returns the type of lists of a column's values.
func ListOf(t batch.Type, nullable bool) (*Type, error) {
	elem, err := Of(t)
	if err != nil {
		return nil, err
	}
	l := &Type{Kind: List, Fields: []Field{{Type: elem, Nullable: nullable}}}
	if l.depth() > MaxDepth {
		return nil, fmt.Errorf("a type of more than %d levels", MaxDepth)
	}
	return l, nil
}

func (t *Type) depth() int {
	d := 0
	for i := range t.Fields {
		d = max(d, t.Fields[i].Type.depth())
	}
	return d + 1
}

// Batch returns the type of a column that holds such values.
func (t *Type) Batch() batch.Type {
	if t.Kind == Leaf {
		return t.Leaf
	}
	return batch.Type{ID: batch.Nested, Shape: t.String()}
}

// Leaves returns the number of leaves.
func (t *Type) Leaves() int {
	if t.Kind == Leaf {
		return 1
	}
	n := 0
	for i := range t.Fields {
		n += t.Fields[i].Type.Leaves()
	}
	return n
}

// String returns the canonical text.
func (t *Type) String() string {
	var b strings.Builder
	t.print(&b)
	return b.String()
}

func (t *Type) print(b *strings.Builder) {
	switch t.Kind {
	case Leaf:
		b.WriteString(t.Leaf.String())
		return
	case List:
		b.WriteString("list<")
	case Map:
		b.WriteString("map<")
	case Struct:
		b.WriteString("struct<")
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if i > 0 {
			b.WriteString(", ")
		}
		if t.Kind == Struct {
			b.WriteString(quoted(f.Name))
			b.WriteString(": ")
		}
		f.Type.print(b)
		if !f.Nullable && (t.Kind != Map || i > 0) {
			b.WriteString(" not null")
		}
	}
	b.WriteByte('>')
}

// quoted returns a name as it is where it is a plain one.
func quoted(name string) string {
	for i := range len(name) {
		if !plain(name[i]) {
			return strconv.Quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

func plain(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-'
}

// BitmapLen returns the bytes of the bitmap that a struct's values begin with.
func (t *Type) BitmapLen() int {
	n := 0
	for i := range t.Fields {
		if t.Fields[i].Nullable {
			n++
		}
	}
	return batch.BitmapLen(n)
}

// LeafWidth returns the bytes of an encoded leaf, 0 for strings and binary, which have a length before them.
func LeafWidth(t batch.Type) int {
	if t.ID == batch.Float16 { // as float32, exactly
		return 4
	}
	return t.StoredWidth()
}
