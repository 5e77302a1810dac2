package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// fileMeta is a footer as decoded, kept small: what nobody asks for is skipped.
type fileMeta struct {
	schema    []format.SchemaElement
	rows      int64
	groups    []groupMeta
	arrow     string // the metadata of arrowKey
	spark     bool   // there is some of sparkKey
	createdBy string
	encrypted bool
	elements  int   // of the schema
	heap      int64 // bytes that the schema and the row groups take when they are interpreted, about
	counted   bool  // of elements and row groups from then on there is their heap alone: it would be too much
}

// The keys of the metadata that is read.
const (
	arrowKey = "ARROW:schema"
	sparkKey = "org.apache.spark.version"
)

// maxEncodings is how many of a chunk's encodings are kept; the format has ten.
const maxEncodings = 32

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
	stats     *statsMeta // until they are interpreted; nil: none
	hasMeta   bool
	encrypted bool
	elsewhere bool // in another file
}

// statsMeta holds statistics as stored, but for the ends of long ones.
type statsMeta struct {
	min, max, oldMin, oldMax stat
	nulls                    int64
	hasNulls                 bool
}

// stat is a value of the statistics: its first bytes, and how many it has. head is nil where it is absent.
type stat struct {
	head []byte
	size int
}

// parseFooter decodes a footer to its end, and returns its sum. Row groups that take more than most bytes of the heap are only
// counted. Errors of reading name the file, others wrap ErrCorrupt.
func parseFooter(src *footerSource, most int64) (*fileMeta, uint32, error) {
	c := &cursor{src: src}
	m := &fileMeta{}
	c.fields(func(id int16, t byte) bool {
		switch id {
		case 2:
			return c.fieldList(t, func(e byte) { m.addElement(c.schemaElement(e), most) })
		case 3:
			return c.fieldI64(t, &m.rows)
		case 4:
			return c.fieldList(t, func(e byte) { m.add(c.rowGroup(e, m.elements), most) })
		case 5:
			return c.fieldList(t, func(e byte) { c.keyValue(e, m) })
		case 6:
			return c.fieldString(t, &m.createdBy)
		case 8:
			m.encrypted = true
		}
		return false
	})
	if src.err == nil && c.err != nil {
		return nil, 0, fmt.Errorf("%s: %w: its footer %w", src.path, ErrCorrupt, c.err)
	}
	sum, err := src.finish()
	return m, sum, err
}

// addElement notes an element of the schema, or counts it alone.
func (m *fileMeta) addElement(e format.SchemaElement, most int64) {
	m.elements++
	m.heap += columnHeap
	if m.counted = m.counted || m.heap > most; !m.counted {
		m.schema = append(m.schema, e)
	}
}

// add notes a row group, or counts it alone.
func (m *fileMeta) add(g groupMeta, most int64) {
	m.heap += g.heap(m.schema)
	if m.counted = m.counted || m.heap > most; m.counted {
		m.groups = nil
		return
	}
	m.groups = append(m.groups, g)
}

// element reads the fields of a list's struct element.
func (c *cursor) element(typ byte, f func(id int16, t byte) bool) {
	if typ != ctStruct {
		c.fail(fmt.Errorf("has a list of type %d where structs are due", typ))
		return
	}
	c.fields(f)
}

// keyValue takes of the metadata what is read of it; a description of thousands of columns is long.
func (c *cursor) keyValue(typ byte, m *fileMeta) {
	key, value := "", ""
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldString(t, &key)
		case 2:
			return (key == "" || key == arrowKey) && c.fieldString(t, &value)
		}
		return false
	})
	switch key {
	case arrowKey:
		m.arrow = value
	case sparkKey:
		m.spark = true
	}
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

// rowGroup decodes a row group of a schema of so many elements, which stands before it. It has no more chunks or sorting columns, each
// of which takes a hundred times of the heap what it may take of the footer.
func (c *cursor) rowGroup(typ byte, elements int) (g groupMeta) {
	most := func(n int) {
		if n >= elements {
			c.fail(fmt.Errorf("has a row group of more columns than its schema, %d elements", elements))
		}
	}
	c.element(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldList(t, func(e byte) {
				most(len(g.chunks))
				g.chunks = append(g.chunks, c.columnChunk(e))
			})
		case 3:
			return c.fieldI64(t, &g.rows)
		case 4:
			return c.fieldList(t, func(e byte) {
				most(len(g.sorting))
				g.sorting = append(g.sorting, c.sortingColumn(e))
			})
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
			if t != ctBinary {
				return false
			}
			n := c.length()
			m.elsewhere = n > 0
			c.pass(n, nil)
			return true
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
			return c.fieldList(t, func(byte) {
				if e := format.Encoding(c.i32()); len(m.encodings) < maxEncodings {
					m.encodings = append(m.encodings, e)
				}
			})
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
			m.stats = &statsMeta{}
			return c.statistics(t, m.stats)
		}
		return false
	})
}

func (c *cursor) statistics(typ byte, s *statsMeta) bool {
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldStat(t, &s.oldMax, 8)
		case 2:
			return c.fieldStat(t, &s.oldMin, 8)
		case 3:
			s.hasNulls = c.fieldI64(t, &s.nulls)
			return s.hasNulls
		case 5:
			return c.fieldStat(t, &s.max, maxBound+1)
		case 6:
			return c.fieldStat(t, &s.min, maxBound+1)
		}
		return false
	})
}

// fieldStat keeps the first bytes of a value, most of them at most: of texts as many as cutText looks at, and of the old bounds,
// which count for numbers alone, as many as a number has.
func (c *cursor) fieldStat(typ byte, to *stat, most int) bool {
	if typ != ctBinary {
		return false
	}
	to.head, to.size = c.head(most)
	return true
}
