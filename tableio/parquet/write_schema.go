package parquet

import (
	"fmt"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// order says how encoded values (statistics) of a column compare.
type order uint8

const (
	orderInt order = iota // two's complement, little endian
	orderUint
	orderFloat
	orderBytes   // unsigned bytes, left to right
	orderDecimal // two's complement, big endian
)

// leaf is how a field is stored, or a leaf of one that is nested.
type leaf struct {
	field    batch.Field
	physical format.Type
	width    int // bytes of a stored value; 0: variable
	order    order
	scale    int64 // stored value = held value * scale (seconds have no unit of their own in Parquet: milliseconds)

	path           []string // from the schema's root
	inNested       bool     // pages hold entries, not rows
	maxDef, maxRep uint8    // then: the greatest levels
}

// leafOf returns how f is stored, or an error that names it.
func leafOf(f batch.Field) (leaf, error) {
	l := leaf{field: f, scale: 1, order: orderInt, path: []string{f.Name}}
	t := f.Type
	switch t.ID {
	case batch.Bool:
		l.physical, l.width, l.order = format.Boolean, 0, orderUint
	case batch.Int8, batch.Int16, batch.Int32, batch.Date:
		l.physical, l.width = format.Int32, 4
	case batch.Uint8, batch.Uint16, batch.Uint32:
		l.physical, l.width, l.order = format.Int32, 4, orderUint
	case batch.Int64:
		l.physical, l.width = format.Int64, 8
	case batch.Uint64:
		l.physical, l.width, l.order = format.Int64, 8, orderUint
	case batch.Float16:
		l.physical, l.width, l.order = format.FixedLenByteArray, 2, orderFloat
	case batch.Float32:
		l.physical, l.width, l.order = format.Float, 4, orderFloat
	case batch.Float64:
		l.physical, l.width, l.order = format.Double, 8, orderFloat
	case batch.String, batch.Binary:
		l.physical, l.order = format.ByteArray, orderBytes
	case batch.Fixed:
		l.physical, l.width, l.order = format.FixedLenByteArray, int(t.Width), orderBytes
	case batch.UUID:
		l.physical, l.width, l.order = format.FixedLenByteArray, 16, orderBytes
	case batch.Decimal:
		return l.decimal()
	case batch.Time, batch.Timestamp:
		return l.temporal()
	default:
		return l, fmt.Errorf("column %q: writing the type %s is not supported", f.Name, t)
	}
	return l, nil
}

func (l leaf) decimal() (leaf, error) {
	t := l.field.Type
	if t.Scale < 0 || int(t.Scale) > int(t.Prec) || t.Prec == 0 || t.Prec > 38 {
		return l, fmt.Errorf("column %q: Parquet has no %s", l.field.Name, t)
	}
	switch {
	case t.Prec <= 9:
		l.physical, l.width = format.Int32, 4
	case t.Prec <= 18:
		l.physical, l.width = format.Int64, 8
	default:
		l.physical, l.width, l.order = format.FixedLenByteArray, 16, orderDecimal
	}
	return l, nil
}

func (l leaf) temporal() (leaf, error) {
	t := l.field.Type
	l.physical, l.width = format.Int64, 8
	if t.ID == batch.Time && (t.Unit == batch.Milli || t.Unit == batch.Second) {
		l.physical, l.width = format.Int32, 4
	}
	if t.Unit == batch.Second {
		l.scale = 1000
	}
	return l, nil
}

// Numbers of the members of Parquet's LogicalType union.
const (
	logicalString    = 1
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTime      = 7
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalUUID      = 14
	logicalFloat16   = 15
)

// element appends the leaf's SchemaElement, as an element of the schema's list.
func (l *leaf) element(t *thriftOut) {
	ft := l.field.Type
	t.elem()
	t.i32(1, int32(l.physical))
	if l.physical == format.FixedLenByteArray {
		t.i32(2, int32(l.width))
	}
	rep := format.Required
	if l.field.Nullable {
		rep = format.Optional
	}
	t.i32(3, int32(rep))
	t.str(4, l.field.Name)
	if c, ok := convertedType(ft); ok {
		t.i32(6, int32(c))
	}
	if ft.ID == batch.Decimal {
		t.i32(7, int32(ft.Scale))
		t.i32(8, int32(ft.Prec))
	}
	logicalType(t, ft)
	t.end()
}

// convertedType returns the legacy annotation, for readers that know no other.
func convertedType(t batch.Type) (deprecated.ConvertedType, bool) {
	switch t.ID {
	case batch.String:
		return deprecated.UTF8, true
	case batch.Decimal:
		return deprecated.Decimal, true
	case batch.Date:
		return deprecated.Date, true
	case batch.Int8, batch.Int16:
		return deprecated.Int8 + deprecated.ConvertedType(t.ID-batch.Int8), true
	case batch.Uint8, batch.Uint16, batch.Uint32, batch.Uint64:
		return deprecated.Uint8 + deprecated.ConvertedType(t.ID-batch.Uint8), true
	case batch.Time, batch.Timestamp:
		if !t.UTC || t.Unit == batch.Nano {
			return 0, false
		}
		c := deprecated.TimeMillis
		if t.ID == batch.Timestamp {
			c = deprecated.TimestampMillis
		}
		if t.Unit == batch.Micro {
			c++
		}
		return c, true
	}
	return 0, false
}

func logicalType(t *thriftOut, ft batch.Type) {
	member := map[batch.TypeID]int16{
		batch.String: logicalString, batch.Decimal: logicalDecimal, batch.Date: logicalDate, batch.Time: logicalTime,
		batch.Timestamp: logicalTimestamp, batch.UUID: logicalUUID, batch.Float16: logicalFloat16,
		batch.Int8: logicalInteger, batch.Int16: logicalInteger, batch.Uint8: logicalInteger, batch.Uint16: logicalInteger,
		batch.Uint32: logicalInteger, batch.Uint64: logicalInteger,
	}[ft.ID]
	if member == 0 {
		return
	}
	t.begin(10)
	t.begin(member)
	switch member {
	case logicalDecimal:
		t.i32(1, int32(ft.Scale))
		t.i32(2, int32(ft.Prec))
	case logicalInteger:
		t.i8(1, int8(8*ft.StoredWidth()))
		t.bool(2, !ft.IsUnsigned())
	case logicalTime, logicalTimestamp:
		t.bool(1, ft.UTC)
		unit := int16(1)
		switch ft.Unit {
		case batch.Micro:
			unit = 2
		case batch.Nano:
			unit = 3
		}
		t.begin(2)
		t.begin(unit)
		t.end()
		t.end()
	}
	t.end()
	t.end()
}
