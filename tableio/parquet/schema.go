package parquet

import (
	"fmt"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// column is one field of the schema: a top-level leaf, or a nested value; or a leaf of one.
type column struct {
	field    batch.Field
	physical format.Type
	width    int // bytes of a value as PLAIN stores it; 0 for byte arrays and booleans
	leaf     int // position of its chunk in a row group
	optional bool
	int96    bool

	nest           *nestColumn // of a nested field that can be read
	refused        string      // why a nested field cannot be
	inNested       bool        // a leaf of a nested field: its chunk holds entries, not rows
	maxDef, maxRep uint8
}

// Unread says why the column at position col, whose type is a batch.Nested without a shape, is not read; "" of one that is.
func (f *File) Unread(col int) string {
	if why := f.columns[col].refused; why != "" {
		return "nested, and " + why
	}
	return ""
}

// flat says whether the field is a leaf.
func (c *column) flat() bool { return c.nest == nil && c.refused == "" }

// TypeOf returns the type of a leaf. Annotations that do not fit the physical type, and
// those that we do not know, are ignored, as the format wants it. The error wraps
// ErrUnsupported or ErrCorrupt.
func TypeOf(e *format.SchemaElement) (batch.Type, error) {
	if !e.Type.Valid {
		return batch.Type{}, fmt.Errorf("%w: column %s has no type", ErrCorrupt, e.Name)
	}
	switch e.Type.V {
	case format.Boolean:
		return batch.Of(batch.Bool), nil
	case format.Int32:
		return int32Type(e)
	case format.Int64:
		return int64Type(e)
	case format.Int96:
		return int96Type(e), nil
	case format.Float:
		return batch.Of(batch.Float32), nil
	case format.Double:
		return batch.Of(batch.Float64), nil
	case format.ByteArray:
		return bytesType(e)
	case format.FixedLenByteArray:
		return fixedType(e)
	}
	return batch.Type{}, fmt.Errorf("%w: column %s has the unknown physical type %d", ErrUnsupported, e.Name, e.Type.V)
}

var intTypes = map[deprecated.ConvertedType]batch.TypeID{
	deprecated.Int8: batch.Int8, deprecated.Int16: batch.Int16, deprecated.Int32: batch.Int32, deprecated.Int64: batch.Int64,
	deprecated.Uint8: batch.Uint8, deprecated.Uint16: batch.Uint16, deprecated.Uint32: batch.Uint32, deprecated.Uint64: batch.Uint64,
}

// intID returns the integer type of an annotation for a physical integer of the given bits.
func intID(e *format.SchemaElement, bits int, other batch.TypeID) batch.TypeID {
	id := other
	switch l := e.LogicalType.Value.(type) {
	case *format.IntType:
		signed := map[int8]batch.TypeID{8: batch.Int8, 16: batch.Int16, 32: batch.Int32, 64: batch.Int64}
		var ok bool
		if id, ok = signed[l.BitWidth]; !ok {
			return other
		}
		if !l.IsSigned {
			id += batch.Uint8 - batch.Int8
		}
	case nil:
		if e.ConvertedType.Valid {
			if c, ok := intTypes[e.ConvertedType.V]; ok {
				id = c
			}
		}
	}
	if is64 := id == batch.Int64 || id == batch.Uint64; is64 != (bits == 64) {
		return other
	}
	return id
}

func int32Type(e *format.SchemaElement) (batch.Type, error) {
	c, legacy := e.ConvertedType.V, e.LogicalType.Value == nil && e.ConvertedType.Valid
	switch l := e.LogicalType.Value.(type) {
	case *format.DateType:
		return batch.Of(batch.Date), nil
	case *format.TimeType:
		return batch.Type{ID: batch.Time, Unit: batch.Milli, UTC: l.IsAdjustedToUTC}, nil
	}
	switch {
	case isDecimal(e):
		return decimalType(e, 9)
	case legacy && c == deprecated.Date:
		return batch.Of(batch.Date), nil
	case legacy && c == deprecated.TimeMillis:
		return batch.Type{ID: batch.Time, Unit: batch.Milli, UTC: true}, nil
	}
	return batch.Of(intID(e, 32, batch.Int32)), nil
}

func int64Type(e *format.SchemaElement) (batch.Type, error) {
	c, legacy := e.ConvertedType.V, e.LogicalType.Value == nil && e.ConvertedType.Valid
	switch l := e.LogicalType.Value.(type) {
	case *format.TimeType:
		return batch.Type{ID: batch.Time, Unit: unitOf(l.Unit, batch.Micro), UTC: l.IsAdjustedToUTC}, nil
	case *format.TimestampType:
		return batch.TimestampOf(unitOf(l.Unit, batch.Micro), l.IsAdjustedToUTC), nil
	}
	switch {
	case isDecimal(e):
		return decimalType(e, 18)
	case legacy && c == deprecated.TimeMicros:
		return batch.Type{ID: batch.Time, Unit: batch.Micro, UTC: true}, nil
	case legacy && c == deprecated.TimestampMillis:
		return batch.TimestampOf(batch.Milli, true), nil
	case legacy && c == deprecated.TimestampMicros:
		return batch.TimestampOf(batch.Micro, true), nil
	}
	return batch.Of(intID(e, 64, batch.Int64)), nil
}

func unitOf(u format.TimeUnit, other batch.Unit) batch.Unit {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return batch.Milli
	case *format.MicroSeconds:
		return batch.Micro
	case *format.NanoSeconds:
		return batch.Nano
	}
	return other
}

func bytesType(e *format.SchemaElement) (batch.Type, error) {
	switch e.LogicalType.Value.(type) {
	case *format.StringType, *format.EnumType, *format.JsonType:
		return batch.Of(batch.String), nil
	case nil:
		if e.ConvertedType.Valid {
			switch e.ConvertedType.V {
			case deprecated.UTF8, deprecated.Enum, deprecated.Json:
				return batch.Of(batch.String), nil
			}
		}
	}
	if isDecimal(e) {
		return decimalType(e, 38)
	}
	return batch.Of(batch.Binary), nil
}

// maxFixed is the longest fixed-length byte array that has a type of its own.
const maxFixed = 1<<16 - 1

// maxDecimal is the most bytes of a fixed-length decimal; 16 hold 38 digits.
const maxDecimal = 64

func fixedType(e *format.SchemaElement) (batch.Type, error) {
	n := e.TypeLength.V
	if !e.TypeLength.Valid || n <= 0 {
		return batch.Type{}, fmt.Errorf("%w: column %s has values of %d bytes", ErrCorrupt, e.Name, n)
	}
	if n > maxFixed {
		return batch.Type{}, fmt.Errorf("%w: column %s has values of %d bytes, at most %d are read", ErrUnsupported, e.Name, n, maxFixed)
	}
	switch e.LogicalType.Value.(type) {
	case *format.UUIDType:
		if n == 16 {
			return batch.Of(batch.UUID), nil
		}
	case *format.Float16Type:
		if n == 2 {
			return batch.Of(batch.Float16), nil
		}
	}
	if isDecimal(e) {
		if n > maxDecimal {
			return batch.Type{}, fmt.Errorf("%w: column %s has decimals of %d bytes, at most %d are read", ErrUnsupported, e.Name, n, maxDecimal)
		}
		digits := 38
		if n < 16 {
			digits = int(float64(8*n-1) * 0.30103) // log10(2)
		}
		return decimalType(e, digits)
	}
	return batch.Type{ID: batch.Fixed, Width: uint16(n)}, nil
}

func isDecimal(e *format.SchemaElement) bool {
	switch e.LogicalType.Value.(type) {
	case *format.DecimalType:
		return true
	case nil:
		return e.ConvertedType.Valid && e.ConvertedType.V == deprecated.Decimal
	}
	return false
}

// decimalType returns the decimal type, whose physical type holds so many digits.
func decimalType(e *format.SchemaElement, digits int) (batch.Type, error) {
	prec, scale := e.Precision.V, e.Scale.V
	if l, ok := e.LogicalType.Value.(*format.DecimalType); ok {
		prec, scale = l.Precision, l.Scale
	}
	switch {
	case prec < 1 || scale < 0 || scale > prec:
		return batch.Type{}, fmt.Errorf("%w: column %s is a decimal(%d, %d)", ErrCorrupt, e.Name, prec, scale)
	case prec > 38:
		return batch.Type{}, fmt.Errorf("%w: column %s is a decimal of %d digits, at most 38 are read", ErrUnsupported, e.Name, prec)
	case int(prec) > digits:
		return batch.Type{}, fmt.Errorf("%w: column %s is a decimal of %d digits in %s, which holds %d", ErrCorrupt, e.Name, prec, e.Type.V, digits)
	}
	return batch.DecimalOf(int(prec), int(scale)), nil
}

// columnsOf turns the schema tree, which is stored depth first, into its top-level fields.
func columnsOf(tree []format.SchemaElement) ([]column, error) {
	if len(tree) == 0 {
		return nil, fmt.Errorf("%w: it has no schema", ErrCorrupt)
	}
	n := int(tree[0].NumChildren.V)
	if n < 0 || n > len(tree)-1 {
		return nil, fmt.Errorf("%w: its schema names %d columns and describes %d", ErrCorrupt, n, len(tree)-1)
	}
	cols := make([]column, 0, n)
	at, leaf := 1, 0
	for range n {
		c := column{leaf: leaf}
		end, leaves, err := walkTree(tree, at, 0)
		if err != nil {
			return nil, err
		}
		if err := describe(&c, tree, at); err != nil {
			return nil, err
		}
		cols = append(cols, c)
		at, leaf = end, leaf+leaves
	}
	if at != len(tree) {
		return nil, fmt.Errorf("%w: its schema has %d elements too many", ErrCorrupt, len(tree)-at)
	}
	return cols, nil
}

func isGroup(e *format.SchemaElement) bool { return !e.Type.Valid || e.NumChildren.V > 0 }

// walkTree returns where the subtree at position at ends, and its leaves.
func walkTree(tree []format.SchemaElement, at, depth int) (end, leaves int, err error) {
	if at >= len(tree) || depth > 100 {
		return 0, 0, fmt.Errorf("%w: its schema tree is not one", ErrCorrupt)
	}
	e := &tree[at]
	if !isGroup(e) {
		return at + 1, 1, nil
	}
	end = at + 1
	for range int(max(e.NumChildren.V, 0)) {
		var n int
		if end, n, err = walkTree(tree, end, depth+1); err != nil {
			return 0, 0, err
		}
		leaves += n
	}
	return end, leaves, nil
}

// describe interprets the field at position at of the tree.
func describe(c *column, tree []format.SchemaElement, at int) error {
	e := &tree[at]
	c.optional = e.RepetitionType.Valid && e.RepetitionType.V == format.Optional
	if !isGroup(e) && repetition(e) != format.Repeated {
		return c.describeLeaf(e)
	}
	c.field = batch.Field{Name: e.Name, Type: batch.Of(batch.Nested), Nullable: c.optional}
	n, nullable, err := nestOf(tree, at, c.leaf)
	if err != nil { // other columns can be read all the same
		c.refused = err.Error()
		return nil
	}
	c.nest, c.field.Type, c.field.Nullable = n, n.root.typ.Batch(), nullable
	return nil
}

func (c *column) describeLeaf(e *format.SchemaElement) error {
	t, err := TypeOf(e)
	if err != nil {
		return err
	}
	c.field = batch.Field{Name: e.Name, Type: t, Nullable: c.optional}
	c.physical = e.Type.V
	c.int96 = e.Type.V == format.Int96
	switch e.Type.V {
	case format.Int32, format.Float:
		c.width = 4
	case format.Int64, format.Double:
		c.width = 8
	case format.Int96:
		c.width = 12
	case format.FixedLenByteArray:
		c.width = int(e.TypeLength.V)
	}
	return nil
}
