package arrow

import (
	"fmt"
	"iter"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// nestedLayout finds the layout of a nested type.
func (c *column) nestedLayout(kind byte, t flat) {
	switch kind {
	case typeStruct:
		c.layout = layoutStruct
	case typeList, typeMap:
		c.layout, c.width = layoutList, 4
	case typeLargeList:
		c.layout, c.width = layoutList, 8
	case typeListView:
		c.layout, c.width = layoutListView, 4
	case typeLargeListView:
		c.layout, c.width = layoutListView, 8
	case typeFixedList:
		c.layout, c.width = layoutFixedList, t.int(0, 0)
	}
}

// nest reads the parts of a nested column, and makes the tree of its type. Where a part is of a type that is not read,
// so is the column.
func (r *schemaReader) nest(c *column, kind byte, f flat) {
	children := f.vector(5, 4)
	if kind != typeStruct && children.n != 1 {
		refuse("column %q is nested, and has %d parts", c.field.Name, children.n)
	}
	if kind == typeFixedList && (c.width < 0 || int64(c.width) > maxRows) {
		refuse("column %q is of lists of %d elements each", c.field.Name, c.width)
	}
	for i := range children.n {
		c.kids = append(c.kids, r.part(c, children.table(i)))
	}
	switch kind {
	case typeStruct:
		c.structOf()
	case typeMap:
		c.mapOf()
	default:
		c.tree = &nested.Type{Kind: nested.List, Fields: []nested.Field{c.kids[0].part()}}
	}
	for i := range c.kids {
		if k := &c.kids[i]; k.layout == layoutNone {
			c.layout, c.why = layoutNone, k.why
		}
	}
}

// part reads a field within another. Its name is the way to it, for messages.
func (r *schemaReader) part(around *column, f flat) column {
	if r.names += int(f.vector(0, 1).n); r.names > len(f.b) {
		refuse("the names of its columns lie in each other")
	}
	k := column{name: f.string(0), nested: true}
	k.field = batch.Field{Name: around.field.Name + "." + k.name, Nullable: f.byte(1, 0) != 0}
	r.describe(&k, f)
	switch {
	case k.layout == layoutNone && k.kids == nil:
		k.why = fmt.Sprintf("nested and holds %s (%s)", k.why, k.field.Name)
	case k.layout == layoutNull: // as a column of nulls is
		k.field.Type, k.field.Nullable = batch.Of(batch.String), true
	}
	return k
}

// part returns what a column is in the one around it.
func (c *column) part() nested.Field {
	t := c.tree
	if t == nil {
		t = &nested.Type{Leaf: c.field.Type}
	}
	return nested.Field{Name: c.name, Type: t, Nullable: c.field.Nullable}
}

func (c *column) structOf() {
	c.tree = &nested.Type{Kind: nested.Struct}
	if len(c.kids) == 0 {
		c.layout, c.why = layoutNone, "a struct without fields"
	}
	for i := range c.kids {
		c.tree.Fields = append(c.tree.Fields, c.kids[i].part())
	}
}

func (c *column) mapOf() {
	entries := &c.kids[0]
	if entries.layout == layoutNone {
		return
	}
	if entries.layout != layoutStruct || len(entries.kids) != 2 {
		refuse("column %q is a map whose entries are no keys and values", c.field.Name)
	}
	key, value := entries.kids[0].part(), entries.kids[1].part()
	key.Name, key.Nullable, value.Name = "", false, ""
	c.tree = &nested.Type{Kind: nested.Map, Fields: []nested.Field{key, value}}
}

// settle gives a nested column its type, which must be one for other packages too.
func (c *column) settle() {
	if c.layout == layoutNone {
		return
	}
	if _, err := nested.Parse(c.tree.String()); err != nil {
		c.layout, c.why = layoutNone, err.Error()
		return
	}
	c.field.Type = c.tree.Batch()
}

// coders yields the columns of codes among c and its parts.
func (c *column) coders() iter.Seq[*column] {
	return func(yield func(*column) bool) { c.eachCoded(yield) }
}

func (c *column) eachCoded(yield func(*column) bool) bool {
	if c.coded {
		return yield(c)
	}
	for i := range c.kids {
		if !c.kids[i].eachCoded(yield) {
			return false
		}
	}
	return true
}
