package parquet

import (
	"errors"
	"fmt"
	"strings"

	"pqjoin/batch/nested"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// nest is a part of a nested column: its type, and which levels say what of it. An entry of a leaf
// below it, with the definition level d, says
//
//	d <  outer           of something around the part that is null or empty
//	d <  def             the part is null
//	d <  item            (lists and maps) it is empty
//
// Where an entry has the repetition level rep, it begins another element of the list.
type nest struct {
	typ        *nested.Type
	nullable   bool
	outer, def uint8
	item, rep  uint8
	lo, hi     int // its leaves
	kids       []nest
}

// nestColumn is what a top-level field that is nested consists of.
type nestColumn struct {
	root   nest
	leaves []column
}

// maxLevel is the greatest level of a nested column that is read.
const maxLevel = 250

var errListForm = errors.New("a list or map of a form that the format does not know")

// nestOf interprets the field at position at of the schema tree, whose first leaf has the number leaf. Lists
// are of three levels, or of two as old writers made them, by the format's rules for them.
func nestOf(tree []format.SchemaElement, at, leaf int) (*nestColumn, bool, error) {
	w := &nestWalker{tree: tree, leaf: leaf}
	root, _, err := w.field(at, 0, 0, nil)
	if err != nil {
		return nil, false, err
	}
	// The text is what other packages see of it: it must be a type for them too.
	if _, err := nested.Parse(root.typ.String()); err != nil {
		return nil, false, err
	}
	return &nestColumn{root: root, leaves: w.leaves}, root.nullable, nil
}

type nestWalker struct {
	tree   []format.SchemaElement
	leaf   int
	leaves []column
}

func repetition(e *format.SchemaElement) format.FieldRepetitionType {
	if !e.RepetitionType.Valid {
		return format.Required
	}
	return e.RepetitionType.V
}

// field interprets a field as its own repetition says: a repeated one that no list stands around is a list itself.
func (w *nestWalker) field(at int, def, rep uint8, path []string) (n nest, end int, err error) {
	if def > maxLevel || len(path) > nested.MaxDepth {
		return n, 0, fmt.Errorf("more than %d levels", nested.MaxDepth)
	}
	e := &w.tree[at]
	path = append(path, e.Name)
	switch repetition(e) {
	case format.Repeated:
		n = nest{typ: &nested.Type{Kind: nested.List}, outer: def, def: def, item: def + 1, rep: rep + 1, lo: len(w.leaves)}
		elem, end, err := w.value(at, def+1, rep+1, path)
		if err != nil {
			return n, 0, err
		}
		elem.outer = def + 1
		n.add("", elem)
		n.hi = len(w.leaves)
		return n, end, nil
	case format.Optional:
		n, end, err = w.value(at, def+1, rep, path)
		n.outer, n.nullable = def, true
	default:
		n, end, err = w.value(at, def, rep, path)
		n.outer = def
	}
	return n, end, err
}

func (n *nest) add(name string, kid nest) {
	n.kids = append(n.kids, kid)
	n.typ.Fields = append(n.typ.Fields, nested.Field{Name: name, Type: kid.typ, Nullable: kid.nullable})
}

// value interprets the field at position at without its repetition; def and rep are its levels.
func (w *nestWalker) value(at int, def, rep uint8, path []string) (n nest, end int, err error) {
	e := &w.tree[at]
	lo := len(w.leaves)
	switch kind := groupKind(e); {
	case !isGroup(e):
		n, err = w.leafAt(e, def, rep, path)
		end = at + 1
	case kind == "list":
		n, end, err = w.list(at, def, rep, path)
	case kind == "map":
		n, end, err = w.mapOf(at, def, rep, path)
	case kind == "variant":
		err = errors.New("a variant")
	default:
		n, end, err = w.structOf(at, def, rep, path)
	}
	n.def, n.lo, n.hi = def, lo, len(w.leaves)
	return n, end, err
}

func (w *nestWalker) leafAt(e *format.SchemaElement, def, rep uint8, path []string) (nest, error) {
	c := column{leaf: w.leaf + len(w.leaves), inNested: true, maxDef: def, maxRep: rep}
	if err := c.describeLeaf(e); err != nil {
		return nest{}, err
	}
	c.field.Name = strings.Join(path, ".")
	c.field.Nullable = false
	w.leaves = append(w.leaves, c)
	return nest{typ: &nested.Type{Leaf: c.field.Type}}, nil
}

func (w *nestWalker) structOf(at int, def, rep uint8, path []string) (n nest, end int, err error) {
	n.typ = &nested.Type{Kind: nested.Struct}
	count := int(w.tree[at].NumChildren.V)
	if count < 1 {
		return n, 0, errors.New("a struct without fields")
	}
	end = at + 1
	for range count {
		name := w.tree[end].Name
		var kid nest
		if kid, end, err = w.field(end, def, rep, path); err != nil {
			return n, 0, err
		}
		n.add(name, kid)
	}
	return n, end, nil
}

// list interprets a group annotated as a list: what repeats in it is the element, or a group around the element.
func (w *nestWalker) list(at int, def, rep uint8, path []string) (n nest, end int, err error) {
	e := &w.tree[at]
	if e.NumChildren.V != 1 || repetition(&w.tree[at+1]) != format.Repeated {
		return n, 0, errListForm
	}
	return w.listOf(at+1, e.Name, def, rep, path)
}

func (w *nestWalker) listOf(at int, parent string, def, rep uint8, path []string) (n nest, end int, err error) {
	n = nest{typ: &nested.Type{Kind: nested.List}, item: def + 1, rep: rep + 1}
	if def > maxLevel {
		return n, 0, fmt.Errorf("more than %d levels", nested.MaxDepth)
	}
	m := &w.tree[at]
	path = append(path, m.Name)
	var elem nest
	if w.isElement(at, parent) {
		elem, end, err = w.value(at, def+1, rep+1, path)
		elem.outer = def + 1
	} else {
		elem, end, err = w.field(at+1, def+1, rep+1, path)
	}
	if err == nil {
		n.add("", elem)
	}
	return n, end, err
}

// isElement says whether what repeats in a list is its element, as in lists of two levels.
func (w *nestWalker) isElement(at int, parent string) bool {
	m := &w.tree[at]
	return !isGroup(m) || m.NumChildren.V != 1 || m.Name == "array" || m.Name == parent+"_tuple" ||
		groupKind(m) != "struct" || repetition(&w.tree[at+1]) == format.Repeated
}

// mapOf interprets a group annotated as a map; one whose entries have no values is a list of keys.
func (w *nestWalker) mapOf(at int, def, rep uint8, path []string) (n nest, end int, err error) {
	e := &w.tree[at]
	if e.NumChildren.V != 1 || repetition(&w.tree[at+1]) != format.Repeated || !isGroup(&w.tree[at+1]) {
		return n, 0, errListForm
	}
	m := &w.tree[at+1]
	switch m.NumChildren.V {
	case 1:
		return w.listOf(at+1, e.Name, def, rep, path)
	case 2:
	default:
		return n, 0, errListForm
	}
	if def > maxLevel {
		return n, 0, fmt.Errorf("more than %d levels", nested.MaxDepth)
	}
	n = nest{typ: &nested.Type{Kind: nested.Map}, item: def + 1, rep: rep + 1}
	path = append(path, m.Name)
	end = at + 2
	for i := range 2 {
		var kid nest
		if kid, end, err = w.field(end, def+1, rep+1, path); err != nil {
			return n, 0, err
		}
		n.add("", kid)
		if i == 0 { // old writers call keys optional; none may be null all the same
			n.typ.Fields[0].Nullable = false
		}
	}
	return n, end, nil
}

// groupKind returns what the annotation of a group says it is: a struct, where it says nothing.
func groupKind(e *format.SchemaElement) string {
	switch e.LogicalType.Value.(type) {
	case *format.ListType:
		return "list"
	case *format.MapType:
		return "map"
	case *format.VariantType:
		return "variant"
	case nil:
		switch {
		case !e.ConvertedType.Valid:
		case e.ConvertedType.V == deprecated.List:
			return "list"
		case e.ConvertedType.V == deprecated.Map || e.ConvertedType.V == deprecated.MapKeyValue:
			return "map"
		}
	}
	return "struct"
}
