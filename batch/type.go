package batch

import (
	"fmt"
	"slices"
)

// TypeID is a logical type: what a value means.
type TypeID uint8

// The logical types. Null is the type of the literal NULL alone and never that of a stored column.
const (
	Null TypeID = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float16
	Float32
	Float64
	Decimal   // Prec digits, Scale behind the point
	String    // UTF-8
	Binary    // bytes
	Fixed     // bytes, Width of them
	UUID      // 16 bytes
	Date      // days since 1970-01-01
	Time      // Unit since midnight
	Timestamp // Unit since 1970-01-01T00:00:00; UTC true where it is an instant
	Nested    // a list, map or struct: carried, never computed on. Shape says of what; without one it cannot be read
)

// Unit is the resolution of Time and Timestamp.
type Unit uint8

// The units.
const (
	Milli Unit = iota + 1
	Micro
	Nano
	Second
)

// Kind is a physical type: how a column is held in memory. There are five, so that a
// kernel is written five times at most. Narrow types are held wide (int8 as int64,
// float32 as float64), exactly; they are narrowed again in spill blocks and files.
type Kind uint8

// The kinds, with the bytes a value takes.
const (
	KindBool    Kind = iota + 1 // 1 byte, 0 or 1
	KindInt64                   // 8 bytes: ints (uint64 by its bits), dates, times, timestamps, decimals of up to 18 digits
	KindFloat64                 // 8 bytes
	KindInt128                  // 16 bytes, see Int128: decimals of 19 to 38 digits
	KindBytes                   // offsets and bytes: strings, binary, fixed, UUID, nested
)

// Type is a logical type with its parameters. It is comparable: == says whether two types are the same.
type Type struct {
	ID    TypeID
	Prec  uint8  // Decimal
	Scale int8   // Decimal
	Unit  Unit   // Time, Timestamp
	UTC   bool   // Timestamp, Time: adjusted to UTC
	Width uint16 // Fixed
	Shape string // Nested: the canonical text of package nested, list<int64>
}

// Of returns a type without parameters.
func Of(id TypeID) Type { return Type{ID: id} }

// DecimalOf returns decimal(prec, scale).
func DecimalOf(prec, scale int) Type {
	return Type{ID: Decimal, Prec: uint8(prec), Scale: int8(scale)}
}

// TimestampOf returns timestamp(unit), of instants where utc is true, else local (zone-less).
func TimestampOf(unit Unit, utc bool) Type { return Type{ID: Timestamp, Unit: unit, UTC: utc} }

// Kind returns how a column of the type is held.
func (t Type) Kind() Kind {
	switch t.ID {
	case Null, Bool:
		return KindBool
	case Float16, Float32, Float64:
		return KindFloat64
	case Decimal:
		if t.Prec > 18 {
			return KindInt128
		}
		return KindInt64
	case String, Binary, Fixed, UUID, Nested:
		return KindBytes
	default:
		return KindInt64
	}
}

// Width returns the bytes of one value of the kind; 0 for KindBytes.
func (k Kind) Width() int {
	switch k {
	case KindBool:
		return 1
	case KindInt64, KindFloat64:
		return 8
	case KindInt128:
		return 16
	default:
		return 0
	}
}

// StoredWidth returns the bytes of one value as files and spill blocks may hold it (int32: 4); 0 for variable width.
func (t Type) StoredWidth() int {
	switch t.ID {
	case Bool, Int8, Uint8:
		return 1
	case Int16, Uint16, Float16:
		return 2
	case Int32, Uint32, Float32, Date:
		return 4
	case Fixed:
		return int(t.Width)
	case UUID:
		return 16
	case String, Binary, Nested:
		return 0
	default:
		return t.Kind().Width()
	}
}

// IsInteger says whether the type is one of the eight integer types.
func (t Type) IsInteger() bool { return t.ID >= Int8 && t.ID <= Uint64 }

// IsUnsigned says whether the type is an unsigned integer.
func (t Type) IsUnsigned() bool { return t.ID >= Uint8 && t.ID <= Uint64 }

// IsFloat says whether the type is a binary floating-point type.
func (t Type) IsFloat() bool { return t.ID >= Float16 && t.ID <= Float64 }

// IsNumeric says whether arithmetic is defined.
func (t Type) IsNumeric() bool { return t.IsInteger() || t.IsFloat() || t.ID == Decimal }

// Comparable says whether values can be keys and be compared.
func (t Type) Comparable() bool { return t.ID != Nested && t.ID != Null }

var typeNames = [...]string{
	Null: "null", Bool: "bool", Int8: "int8", Int16: "int16", Int32: "int32", Int64: "int64",
	Uint8: "uint8", Uint16: "uint16", Uint32: "uint32", Uint64: "uint64",
	Float16: "float16", Float32: "float32", Float64: "float64", Decimal: "decimal",
	String: "string", Binary: "binary", Fixed: "fixed", UUID: "uuid",
	Date: "date", Time: "time", Timestamp: "timestamp", Nested: "nested",
}

// String returns the type as job files and messages write it: int64, decimal(12, 2), timestamp(us, utc).
func (t Type) String() string {
	name := typeNames[t.ID]
	unit := [...]string{"", "ms", "us", "ns", "s"}[t.Unit]
	switch {
	case t.ID == Decimal:
		return fmt.Sprintf("decimal(%d, %d)", t.Prec, t.Scale)
	case t.ID == Nested && t.Shape != "":
		return t.Shape
	case t.ID == Fixed:
		return fmt.Sprintf("fixed(%d)", t.Width)
	case (t.ID == Timestamp || t.ID == Time) && t.UTC:
		return fmt.Sprintf("%s(%s, utc)", name, unit)
	case t.ID == Timestamp || t.ID == Time:
		return fmt.Sprintf("%s(%s)", name, unit)
	}
	return name
}

// Field is a named, typed column of a schema.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
}

// Schema is an ordered list of fields with unique, case-sensitive names. It is immutable once shared.
type Schema struct {
	Fields []Field
}

// NewSchema returns a schema of the fields.
func NewSchema(fields ...Field) *Schema { return &Schema{Fields: fields} }

// Index returns the position of the named field, or -1.
func (s *Schema) Index(name string) int {
	return slices.IndexFunc(s.Fields, func(f Field) bool { return f.Name == name })
}

// Names returns the field names in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// Select returns a schema of the fields at the positions idx.
func (s *Schema) Select(idx []int) *Schema {
	out := &Schema{Fields: make([]Field, len(idx))}
	for i, j := range idx {
		out.Fields[i] = s.Fields[j]
	}
	return out
}

// RowWidth returns the bytes a row takes in memory with variable-width values counted as varBytes each.
func (s *Schema) RowWidth(varBytes int) int {
	n := 0
	for _, f := range s.Fields {
		if w := f.Type.Kind().Width(); w > 0 {
			n += w
		} else {
			n += 4 + varBytes
		}
		if f.Nullable {
			n++ // an eighth of a byte, rounded up: an upper bound
		}
	}
	return n
}
