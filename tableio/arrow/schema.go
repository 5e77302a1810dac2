package arrow

import (
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// The types of Schema.fbs.
const (
	typeNull = 1 + iota
	typeInt
	typeFloat
	typeBinary
	typeUtf8
	typeBool
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedBinary
	typeFixedList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
	typeRunEnd
	typeBinaryView
	typeUtf8View
	typeListView
	typeLargeListView
)

var typeNames = [...]string{typeInterval: "an interval", typeUnion: "a union", typeDuration: "a duration", typeRunEnd: "run-end encoded"}

// layout is how a column's values lie in a record batch.
type layout uint8

const (
	layoutNone  layout = iota // a type that is not read
	layoutNull                // no buffers
	layoutBits                // bits
	layoutFixed               // width bytes each
	layoutVar                 // offsets of 4 or 8 bytes (width), and bytes
	layoutView                // 16 bytes each: short values, or where a long one lies

	// Those of nested columns, whose parts lie in columns of their own.
	layoutStruct    // no buffers but which rows have values
	layoutList      // offsets of width bytes; maps too
	layoutListView  // offsets, and lengths
	layoutFixedList // width elements each
)

// isNested says whether the layout is one of nested columns.
func (l layout) isNested() bool { return l >= layoutStruct }

// column is a field of the file's schema.
type column struct {
	field   batch.Field
	layout  layout
	width   int // bytes
	signed  bool
	ms      bool  // dates count milliseconds
	dict    int64 // id of its dictionary, whose values the rest describes
	coded   bool
	index   int // bytes of a code
	why     string
	nodes   int // what it and its parts take of the lists of a record batch
	buffers int
	views   int
	own     buffers

	name string       // of a part: its own, where field has the way to it
	tree *nested.Type // of one with parts; entries of a map have it too
	kids []column     // its parts: of a map the one struct of its entries

	nested bool // it is nested, or a part
	span   bool // a duration, of which the counts can be read
}

// buffers is what a column takes of the lists of a record batch, without its parts.
type buffers struct{ buffers, views int }

// How many columns, those in nested ones included, a schema may have, how many pairs of metadata its columns may have together, and how
// deep columns may lie in each other. What lies in FlatBuffers may lie there once and be pointed at by many, so that a few bytes say anything.
const (
	maxColumns = 100_000
	maxPairs   = 1_000_000
	maxNesting = 64
)

// schemaReader counts what a schema has.
type schemaReader struct {
	columns, pairs int
	names          int // bytes
	seen           map[string]bool
	dicts          map[int64]column // by id, the first column that has it
}

// readSchema returns the columns of the schema in a Message or Footer.
func readSchema(t flat) []column {
	if t.short(0, 0) != 0 {
		refuse("its numbers are big-endian, which is not read")
	}
	fields := t.vector(1, 4)
	if fields.n == 0 {
		refuse("it has no columns")
	}
	r := schemaReader{seen: map[string]bool{}, dicts: map[int64]column{}}
	out := make([]column, 0, min(fields.n, maxColumns))
	for i := range fields.n {
		out = append(out, r.field(fields.table(i)))
	}
	return out
}

func (r *schemaReader) field(f flat) column {
	if r.names += int(f.vector(0, 1).n); r.names > len(f.b) {
		refuse("the names of its columns lie in each other")
	}
	c := column{field: batch.Field{Name: f.string(0), Nullable: f.byte(1, 0) != 0}}
	c.name = c.field.Name
	if r.seen[c.field.Name] {
		refuse("it has two columns %q", c.field.Name)
	}
	r.seen[c.field.Name] = true
	r.size(&c, f, 0)
	if r.describe(&c, f); f.byte(2, 0) == typeDuration && !c.coded {
		c.field.Type, c.layout, c.width, c.span = batch.Of(batch.Int64), layoutFixed, 8, true
	}
	if c.tree != nil {
		c.settle()
	}
	return c
}

// describe finds the type and the layout of a column, and those of its parts.
func (r *schemaReader) describe(c *column, f flat) {
	kind := f.byte(2, 0)
	typ, ok := f.table(3)
	if !ok {
		refuse("column %q has no type", c.field.Name)
	}
	c.own = buffersOf(f)
	c.typed(kind, typ)
	if c.field.Type.ID == batch.Fixed && c.width == 16 && r.extends(f, "arrow.uuid") {
		c.field.Type = batch.Of(batch.UUID)
	}
	d, coded := f.table(4)
	switch {
	case coded:
		r.dictionary(c, d)
	case c.layout.isNested():
		c.nested = true
		r.nest(c, kind, f)
	}
}

// dictionary makes c a column of codes.
func (r *schemaReader) dictionary(c *column, d flat) {
	c.coded, c.dict, c.index, c.signed = true, d.long(0), 4, true
	if t, ok := d.table(1); ok {
		c.index, c.signed = t.int(0, 0)/8, t.byte(1, 0) != 0
	}
	if !slices.Contains([]int{1, 2, 4, 8}, c.index) {
		refuse("column %q has codes of %d bytes", c.field.Name, c.index)
	}
	switch {
	case c.layout == layoutNull:
		c.layout, c.why = layoutNone, "a dictionary of nulls"
	case c.layout.isNested():
		c.layout, c.why = layoutNone, "a dictionary of nested values"
	}
	o, ok := r.dicts[c.dict]
	if !ok {
		r.dicts[c.dict] = *c
	} else if o.field.Type != c.field.Type || o.layout != c.layout || o.width != c.width || o.ms != c.ms {
		refuse("columns %q and %q are of different types and have the same dictionary", o.field.Name, c.field.Name)
	}
}

// extends says whether the field is of an extension type of that name.
func (r *schemaReader) extends(f flat, name string) bool {
	pairs := f.vector(6, 4)
	if r.pairs += int(pairs.n); r.pairs > maxPairs {
		refuse("its columns have more than %d pairs of metadata", maxPairs)
	}
	for i := range pairs.n {
		if p := pairs.table(i); p.is(0, "ARROW:extension:name") {
			return p.is(1, name)
		}
	}
	return false
}

// size adds what the field, and those in it, take of the lists of a record batch.
func (r *schemaReader) size(c *column, f flat, depth int) {
	if r.columns++; r.columns > maxColumns {
		refuse("it has more than %d columns, those in nested ones included", maxColumns)
	}
	if depth > maxNesting {
		refuse("its columns nest more than %d deep", maxNesting)
	}
	own := buffersOf(f)
	c.nodes++
	c.buffers += own.buffers
	c.views += own.views
	if _, coded := f.table(4); coded {
		return
	}
	for i, children := uint32(0), f.vector(5, 4); i < children.n; i++ {
		r.size(c, children.table(i), depth+1)
	}
}

// buffersOf returns the buffers that a field has, without those in it.
func buffersOf(f flat) buffers {
	if _, coded := f.table(4); coded {
		return buffers{2, 0}
	}
	switch kind := f.byte(2, 0); kind {
	case typeNull, typeRunEnd:
		return buffers{}
	case typeStruct, typeFixedList:
		return buffers{1, 0}
	case typeUnion:
		t, _ := f.table(3)
		return buffers{1 + min(max(t.short(0, 0), 0), 1), 0} // dense ones have offsets
	case typeBinary, typeUtf8, typeLargeBinary, typeLargeUtf8, typeListView, typeLargeListView:
		return buffers{3, 0}
	case typeBinaryView, typeUtf8View:
		return buffers{2, 1}
	}
	return buffers{2, 0}
}

// typed finds the type and the layout.
func (c *column) typed(kind byte, t flat) {
	fixed := func(typ batch.Type, width int) { c.field.Type, c.layout, c.width = typ, layoutFixed, width }
	switch kind {
	case typeNull:
		c.field.Type, c.layout = batch.Of(batch.Null), layoutNull
	case typeBool:
		c.field.Type, c.layout = batch.Of(batch.Bool), layoutBits
	case typeInt:
		c.integer(t.int(0, 0), t.byte(1, 0) != 0)
	case typeFloat:
		p := min(max(t.short(0, 0), 0), 2)
		fixed(batch.Of([]batch.TypeID{batch.Float16, batch.Float32, batch.Float64}[p]), 2<<p)
	case typeDecimal:
		c.decimal(t.int(0, 0), t.int(1, 0), t.int(2, 128))
	case typeDate:
		c.ms = t.short(0, 1) == 1
		fixed(batch.Of(batch.Date), 4)
		if c.ms {
			c.width = 8
		}
	case typeTime:
		fixed(batch.Type{ID: batch.Time, Unit: unitOf(t.short(0, 1))}, t.int(1, 32)/8)
		if c.width != 4 && c.width != 8 {
			refuse("column %q is a time of %d bytes", c.field.Name, c.width)
		}
	case typeTimestamp:
		fixed(batch.TimestampOf(unitOf(t.short(0, 0)), t.vector(1, 1).n > 0), 8)
	case typeFixedBinary:
		w := t.int(0, 0)
		if w >= 1 && w <= 1<<16-1 {
			fixed(batch.Type{ID: batch.Fixed, Width: uint16(w)}, w)
		}
		c.why = fmt.Sprintf("binary of %d bytes each", w)
	case typeUtf8, typeLargeUtf8, typeUtf8View, typeBinary, typeLargeBinary, typeBinaryView:
		c.bytes(kind)
	default:
		c.why = fmt.Sprintf("of a type that is not known (%d)", kind)
		if int(kind) < len(typeNames) && typeNames[kind] != "" {
			c.why = typeNames[kind]
		}
		c.nestedLayout(kind, t)
	}
}

func (c *column) integer(bits int, signed bool) {
	at := slices.Index([]int{8, 16, 32, 64}, bits)
	if at < 0 {
		refuse("column %q is an integer of %d bits", c.field.Name, bits)
	}
	id := batch.Int8 + batch.TypeID(at)
	if !signed {
		id = batch.Uint8 + batch.TypeID(at)
	}
	c.field.Type, c.layout, c.width, c.signed = batch.Of(id), layoutFixed, bits/8, signed
}

func (c *column) decimal(prec, scale, bits int) {
	if prec < 1 || prec > 38 || scale < 0 || scale > prec || bits != 128 && bits != 64 && bits != 32 {
		c.why = fmt.Sprintf("decimal(%d, %d) of %d bits", prec, scale, bits)
		return
	}
	c.field.Type, c.layout, c.width = batch.DecimalOf(prec, scale), layoutFixed, bits/8
	if prec > 18 && bits < 128 {
		refuse("column %q is a decimal of %d digits in %d bits", c.field.Name, prec, bits)
	}
}

func (c *column) bytes(kind byte) {
	c.layout, c.width = layoutVar, 4
	c.field.Type = batch.Of(batch.String)
	switch kind {
	case typeBinary, typeLargeBinary, typeBinaryView:
		c.field.Type = batch.Of(batch.Binary)
	}
	switch kind {
	case typeLargeUtf8, typeLargeBinary:
		c.width = 8
	case typeUtf8View, typeBinaryView:
		c.layout, c.width = layoutView, 16
	}
}

// units of time, by their numbers in Schema.fbs.
func unitOf(u int) batch.Unit {
	return [...]batch.Unit{batch.Second, batch.Milli, batch.Micro, batch.Nano}[min(max(u, 0), 3)]
}

func unitNumber(u batch.Unit) int64 {
	return int64(slices.Index([]batch.Unit{batch.Second, batch.Milli, batch.Micro, batch.Nano}, u))
}
