package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"pqjoin/internal/vfs"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// maxFooter is the longest footer that is read: it is decoded on the Go heap.
const maxFooter = 64 << 20

// fileMeta is a footer as decoded, kept small: what nobody asks for is skipped.
type fileMeta struct {
	schema    []format.SchemaElement
	rows      int64
	groups    []groupMeta
	keyValues []format.KeyValue
	createdBy string
	encrypted bool
}

type groupMeta struct {
	chunks  []chunkMeta
	rows    int64
	sorting []format.SortingColumn
}

// chunkMeta is a column chunk's metadata. Offsets and sizes are as the file says, unchecked.
type chunkMeta struct {
	typ       format.Type
	codec     format.CompressionCodec
	encodings []format.Encoding
	values    int64
	raw       int64
	bytes     int64
	dataAt    int64
	dictAt    int64
	stats     statsMeta
	hasMeta   bool
	encrypted bool
	elsewhere bool // in another file
}

// statsMeta holds statistics as stored; nil is absent.
type statsMeta struct {
	min, max, oldMin, oldMax []byte
	nulls                    int64
	hasNulls                 bool
}

type tail struct {
	footer []byte
	sum    uint32
}

// readTail reads the footer's bytes after checking its length against the file's size.
func readTail(ctx context.Context, h vfs.File, path string, size int64) (tail, error) {
	if size < 12 {
		return tail{}, fmt.Errorf("%s: %w: %d bytes are too few", path, ErrCorrupt, size)
	}
	var end [8]byte
	if _, err := h.ReadAt(end[:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return tail{}, fmt.Errorf("read the end of %s: %w", path, err)
	}
	switch string(end[4:]) {
	case "PAR1":
	case "PARE":
		return tail{}, fmt.Errorf("%s: %w: its footer is encrypted", path, ErrUnsupported)
	default:
		return tail{}, fmt.Errorf("%s: %w: it does not end in PAR1", path, ErrCorrupt)
	}
	n := int64(binary.LittleEndian.Uint32(end[:4]))
	if n > size-12 {
		return tail{}, fmt.Errorf("%s: %w: a footer of %d bytes in a file of %d", path, ErrCorrupt, n, size)
	}
	if n > maxFooter {
		return tail{}, fmt.Errorf("%s: %w: a footer of %d bytes, at most %d are read", path, ErrUnsupported, n, maxFooter)
	}
	if err := ctx.Err(); err != nil { // each read may take long on a slow disk
		return tail{}, err
	}
	b := make([]byte, n)
	if _, err := h.ReadAt(b, size-8-n); err != nil && !errors.Is(err, io.EOF) {
		return tail{}, fmt.Errorf("read the footer of %s: %w", path, err)
	}
	return tail{footer: b, sum: crc32.ChecksumIEEE(b)}, nil
}

// parseFooter decodes a footer.
func parseFooter(b []byte) (*fileMeta, error) {
	c := &cursor{b: b}
	m := &fileMeta{}
	c.fields(func(id int16, t byte) bool {
		switch id {
		case 2:
			return c.fieldList(t, func(e byte) { m.schema = append(m.schema, c.schemaElement(e)) })
		case 3:
			return c.fieldI64(t, &m.rows)
		case 4:
			return c.fieldList(t, func(e byte) { m.groups = append(m.groups, c.rowGroup(e)) })
		case 5:
			return c.fieldList(t, func(e byte) { m.keyValues = append(m.keyValues, c.keyValue(e)) })
		case 6:
			return c.fieldString(t, &m.createdBy)
		case 8:
			m.encrypted = true
		}
		return false
	})
	if c.err != nil {
		return nil, fmt.Errorf("%w: its footer %w", ErrCorrupt, c.err)
	}
	return m, nil
}

// element reads the fields of a list's struct element.
func (c *cursor) element(typ byte, f func(id int16, t byte) bool) {
	if typ != ctStruct {
		c.fail(fmt.Errorf("has a list of type %d where structs are due", typ))
		return
	}
	c.fields(f)
}

func (c *cursor) keyValue(typ byte) (kv format.KeyValue) {
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldString(t, &kv.Key)
		case 2:
			return c.fieldString(t, &kv.Value)
		}
		return false
	})
	return kv
}

func (c *cursor) schemaElement(typ byte) (e format.SchemaElement) {
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			e.Type.Valid = c.fieldI32(t, (*int32)(&e.Type.V))
			return e.Type.Valid
		case 2:
			e.TypeLength.Valid = c.fieldI32(t, &e.TypeLength.V)
			return e.TypeLength.Valid
		case 3:
			e.RepetitionType.Valid = c.fieldI32(t, (*int32)(&e.RepetitionType.V))
			return e.RepetitionType.Valid
		case 4:
			return c.fieldString(t, &e.Name)
		case 5:
			e.NumChildren.Valid = c.fieldI32(t, &e.NumChildren.V)
			return e.NumChildren.Valid
		case 6:
			v := int32(0)
			e.ConvertedType.Valid = c.fieldI32(t, &v)
			e.ConvertedType.V = deprecated.ConvertedType(v)
			return e.ConvertedType.Valid
		case 7:
			e.Scale.Valid = c.fieldI32(t, &e.Scale.V)
			return e.Scale.Valid
		case 8:
			e.Precision.Valid = c.fieldI32(t, &e.Precision.V)
			return e.Precision.Valid
		case 9:
			return c.fieldI32(t, &e.FieldID)
		case 10:
			return c.logicalType(t, &e.LogicalType)
		}
		return false
	})
	return e
}

// unknownLogical stands for a logical type that this reader has never heard of.
type unknownLogical struct{ format.NullType }

func (c *cursor) logicalType(typ byte, to *format.LogicalType) bool {
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			to.Value = &format.StringType{}
		case 2:
			to.Value = &format.MapType{}
		case 3:
			to.Value = &format.ListType{}
		case 4:
			to.Value = &format.EnumType{}
		case 5:
			d := &format.DecimalType{}
			to.Value = d
			return c.fieldStruct(t, func(id int16, t byte) bool {
				return id == 1 && c.fieldI32(t, &d.Scale) || id == 2 && c.fieldI32(t, &d.Precision)
			})
		case 6:
			to.Value = &format.DateType{}
		case 7:
			v := &format.TimeType{}
			to.Value = v
			return c.timeFields(t, &v.IsAdjustedToUTC, &v.Unit)
		case 8:
			v := &format.TimestampType{}
			to.Value = v
			return c.timeFields(t, &v.IsAdjustedToUTC, &v.Unit)
		case 10:
			v := &format.IntType{}
			to.Value = v
			return c.fieldStruct(t, func(id int16, t byte) bool {
				if id == 1 && t == ctByte {
					v.BitWidth = int8(c.byte())
					return true
				}
				return id == 2 && c.fieldBool(t, &v.IsSigned)
			})
		case 11:
			to.Value = &format.NullType{}
		case 12:
			to.Value = &format.JsonType{}
		case 13:
			to.Value = &format.BsonType{}
		case 14:
			to.Value = &format.UUIDType{}
		case 15:
			to.Value = &format.Float16Type{}
		case 16:
			to.Value = &format.VariantType{}
		case 17:
			to.Value = &format.GeometryType{}
		case 18:
			to.Value = &format.GeographyType{}
		default:
			to.Value = &unknownLogical{}
		}
		return false
	})
}

func (c *cursor) timeFields(typ byte, utc *bool, unit *format.TimeUnit) bool {
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldBool(t, utc)
		case 2:
			return c.fieldStruct(t, func(id int16, t byte) bool {
				switch id {
				case 1:
					unit.Value = &format.MilliSeconds{}
				case 2:
					unit.Value = &format.MicroSeconds{}
				case 3:
					unit.Value = &format.NanoSeconds{}
				}
				return false
			})
		}
		return false
	})
}

func (c *cursor) rowGroup(typ byte) (g groupMeta) {
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldList(t, func(e byte) { g.chunks = append(g.chunks, c.columnChunk(e)) })
		case 3:
			return c.fieldI64(t, &g.rows)
		case 4:
			return c.fieldList(t, func(e byte) { g.sorting = append(g.sorting, c.sortingColumn(e)) })
		}
		return false
	})
	return g
}

func (c *cursor) sortingColumn(typ byte) (s format.SortingColumn) {
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldI32(t, &s.ColumnIdx)
		case 2:
			return c.fieldBool(t, &s.Descending)
		case 3:
			return c.fieldBool(t, &s.NullsFirst)
		}
		return false
	})
	return s
}

func (c *cursor) columnChunk(typ byte) (m chunkMeta) {
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			m.elsewhere = t == ctBinary && len(c.bytes()) > 0
			return t == ctBinary
		case 3:
			m.hasMeta = true
			return c.columnMeta(t, &m)
		case 8:
			m.encrypted = true
		}
		return false
	})
	return m
}

func (c *cursor) columnMeta(typ byte, m *chunkMeta) bool {
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldI32(t, (*int32)(&m.typ))
		case 2:
			return c.fieldList(t, func(byte) { m.encodings = append(m.encodings, format.Encoding(c.i32())) })
		case 4:
			return c.fieldI32(t, (*int32)(&m.codec))
		case 5:
			return c.fieldI64(t, &m.values)
		case 6:
			return c.fieldI64(t, &m.raw)
		case 7:
			return c.fieldI64(t, &m.bytes)
		case 9:
			return c.fieldI64(t, &m.dataAt)
		case 11:
			return c.fieldI64(t, &m.dictAt)
		case 12:
			return c.statistics(t, &m.stats)
		}
		return false
	})
}

func (c *cursor) statistics(typ byte, s *statsMeta) bool {
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldBytes(t, &s.oldMax)
		case 2:
			return c.fieldBytes(t, &s.oldMin)
		case 3:
			s.hasNulls = c.fieldI64(t, &s.nulls)
			return s.hasNulls
		case 5:
			return c.fieldBytes(t, &s.max)
		case 6:
			return c.fieldBytes(t, &s.min)
		}
		return false
	})
}
