package parquet

import (
	"fmt"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/batch/nested"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// writeField is how a field of the table is stored: as one leaf, or as those of a nested type.
type writeField struct {
	field batch.Field
	first int   // its first leaf
	n     int   // its leaves
	root  *nest // of a nested type: lists of three levels, maps of key_value
}

// appendLeaves appends the leaves of a field.
func appendLeaves(leaves []leaf, f batch.Field) ([]leaf, writeField, error) {
	w := writeField{field: f, first: len(leaves)}
	if f.Type.ID != batch.Nested {
		l, err := leafOf(f)
		w.n = 1
		return append(leaves, l), w, err
	}
	t, err := nested.Of(f.Type)
	if err != nil {
		return nil, w, fmt.Errorf("column %q: writing the type %s is not supported: %w", f.Name, f.Type, err)
	}
	p := &nestPlan{leaves: leaves, first: len(leaves)}
	root, err := p.plan(nested.Field{Name: f.Name, Type: t, Nullable: f.Nullable}, 0, 0, []string{f.Name})
	w.root, w.n = &root, len(p.leaves)-w.first
	return p.leaves, w, err
}

type nestPlan struct {
	leaves []leaf
	first  int
}

// plan gives a part its levels.
func (p *nestPlan) plan(f nested.Field, def, rep uint8, path []string) (n nest, err error) {
	n = nest{typ: f.Type, nullable: f.Nullable, outer: def, def: def, rep: rep, lo: len(p.leaves) - p.first}
	if def > maxLevel {
		return n, fmt.Errorf("column %q: writing more than %d levels is not supported", path[0], nested.MaxDepth)
	}
	if f.Nullable {
		n.def++
	}
	n.item = n.def
	names := make([][]string, len(f.Type.Fields))
	switch f.Type.Kind {
	case nested.Leaf:
		err = p.leaf(f, &n, path)
	case nested.List:
		n.item, n.rep = n.def+1, rep+1
		names[0] = []string{"list", "element"}
	case nested.Map:
		n.item, n.rep = n.def+1, rep+1
		names[0], names[1] = []string{"key_value", "key"}, []string{"key_value", "value"}
	case nested.Struct:
		for i := range names {
			names[i] = []string{f.Type.Fields[i].Name}
		}
	}
	for i := range f.Type.Fields {
		var kid nest
		if err == nil {
			kid, err = p.plan(f.Type.Fields[i], n.item, n.rep, append(path[:len(path):len(path)], names[i]...))
		}
		n.kids = append(n.kids, kid)
	}
	n.hi = len(p.leaves) - p.first
	return n, err
}

func (p *nestPlan) leaf(f nested.Field, n *nest, path []string) error {
	l, err := leafOf(batch.Field{Name: path[0], Type: f.Type.Leaf})
	l.path, l.inNested, l.maxDef, l.maxRep = path, true, n.def, n.rep
	p.leaves = append(p.leaves, l)
	return err
}

// Numbers of LogicalType's members for groups.
const (
	logicalMap  = 2
	logicalList = 3
)

// schemaTree appends the schema, depth first.
func schemaTree(t *thriftOut, fields []writeField, leaves []leaf) {
	n := 1
	for i := range fields {
		n++
		if fields[i].root != nil {
			n += elements(fields[i].root.typ) - 1
		}
	}
	t.list(2, thriftStruct, n)
	t.elem()
	t.str(4, "schema")
	t.i32(5, int32(len(fields)))
	t.end()
	for i := range fields {
		f := &fields[i]
		if f.root == nil {
			leaves[f.first].element(t)
		} else {
			f.root.elements(t, f.field.Name, leaves[f.first:])
		}
	}
}

// elements returns how many elements of the schema a type takes.
func elements(t *nested.Type) int {
	n := 1
	if t.Kind == nested.List || t.Kind == nested.Map {
		n++ // what repeats
	}
	for i := range t.Fields {
		n += elements(t.Fields[i].Type)
	}
	return n
}

// elements appends the elements of a part, by its name; leaves are those of its column.
func (n *nest) elements(t *thriftOut, name string, leaves []leaf) {
	rep := format.Required
	if n.nullable {
		rep = format.Optional
	}
	switch n.typ.Kind {
	case nested.Leaf:
		l := leaves[n.lo]
		l.field.Name, l.field.Nullable = name, n.nullable
		l.element(t)
	case nested.Struct:
		group(t, name, rep, len(n.kids))
		t.end()
		for i := range n.kids {
			n.kids[i].elements(t, n.typ.Fields[i].Name, leaves)
		}
	case nested.List:
		annotated(t, name, rep, deprecated.List, logicalList)
		group(t, "list", format.Repeated, 1)
		t.end()
		n.kids[0].elements(t, "element", leaves)
	case nested.Map:
		annotated(t, name, rep, deprecated.Map, logicalMap)
		group(t, "key_value", format.Repeated, 2)
		t.end()
		n.kids[0].elements(t, "key", leaves)
		n.kids[1].elements(t, "value", leaves)
	}
}

func group(t *thriftOut, name string, rep format.FieldRepetitionType, children int) {
	t.elem()
	t.i32(3, int32(rep))
	t.str(4, name)
	t.i32(5, int32(children))
}

func annotated(t *thriftOut, name string, rep format.FieldRepetitionType, c deprecated.ConvertedType, logical int16) {
	group(t, name, rep, 1)
	t.i32(6, int32(c))
	t.begin(10)
	t.begin(logical)
	t.end()
	t.end()
	t.end()
}

// appendHybrid appends levels of at most most, after the length in bytes that they take: runs of eight and more equal ones,
// the others packed in groups of eight. An entry costs 1 to 2 ns.
func appendHybrid(dst []byte, levels []uint8, most uint8) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	width := bits.Len8(most)
	for i := 0; i < len(levels); {
		if r := runOf(levels[i:]); r >= 8 || i+r == len(levels) {
			dst = appendUvarint32(dst, uint32(r)<<1)
			dst = append(dst, levels[i])
			i += r
			continue
		}
		from := i
		for i += 8; i < len(levels); i += 8 {
			if r := runOf(levels[i:min(i+8, len(levels))]); r == 8 {
				break
			}
		}
		i = min(i, len(levels))
		dst = appendPacked(dst, levels[from:i], width)
	}
	n := len(dst) - start - 4
	dst[start], dst[start+1], dst[start+2], dst[start+3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return dst
}

// hybridRoom returns the most bytes that appendHybrid appends for n levels.
func hybridRoom(n int, most uint8) int {
	return n/8*(bits.Len8(most)+2) + bits.Len8(most) + 32
}

func runOf(v []uint8) int {
	n := 1
	for n < len(v) && v[n] == v[0] {
		n++
	}
	return n
}

// appendPacked appends levels in groups of eight, the last one filled up with zeros.
func appendPacked(dst []byte, levels []uint8, width int) []byte {
	dst = appendUvarint32(dst, uint32(len(levels)+7)/8<<1|1)
	for len(levels) > 0 {
		g := levels[:min(8, len(levels))]
		levels = levels[len(g):]
		v := uint64(0)
		for k, l := range g {
			v |= uint64(l) << (k * width)
		}
		for k := range width {
			dst = append(dst, byte(v>>(8*k)))
		}
	}
	return dst
}

func appendUvarint32(dst []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}
