package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/format"
)

// maxHeader is the longest page header that is read. Headers hold statistics, so a
// header grows with the values; writers shorten theirs.
const maxHeader = 1 << 20

// pageHeader is a page's header; sizes and counts are checked to be at least 0.
type pageHeader struct {
	typ      format.PageType
	raw      int // bytes of the body, uncompressed
	bytes    int // the same, as stored
	crc      uint32
	hasCRC   bool
	hasBody  bool // the struct for its type is there
	values   int  // rows of a flat column, nulls included; entries of a dictionary
	encoding format.Encoding
	defs     format.Encoding // of v1's definition levels
	reps     format.Encoding // and of its repetition levels
	v2       bool
	rows     int // v2
	defLen   int // v2: bytes of the levels
	repLen   int
	stored   bool // v2: the values are not compressed
}

// parseHeader decodes a page header from the start of b and returns its length. The
// error is errShort where b ends too early.
func parseHeader(b []byte) (h pageHeader, n int, err error) {
	c := &cursor{b: b}
	var raw, size, crc int32
	c.fields(func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldI32(t, (*int32)(&h.typ))
		case 2:
			return c.fieldI32(t, &raw)
		case 3:
			return c.fieldI32(t, &size)
		case 4:
			h.hasCRC = c.fieldI32(t, &crc)
			return h.hasCRC
		case 5:
			return h.typ == format.DataPage && c.dataHeader(t, &h)
		case 7:
			return h.typ == format.DictionaryPage && c.dictHeader(t, &h)
		case 8:
			return h.typ == format.DataPageV2 && c.dataHeaderV2(t, &h)
		}
		return false
	})
	if c.err != nil {
		return h, 0, c.err
	}
	h.raw, h.bytes, h.crc = int(raw), int(size), uint32(crc)
	if h.raw < 0 || h.bytes < 0 || h.values < 0 || h.rows < 0 || h.defLen < 0 || h.repLen < 0 {
		return h, 0, fmt.Errorf("has a negative size")
	}
	return h, c.at, nil
}

func (c *cursor) fieldInt(typ byte, to *int) bool {
	v := int32(0)
	ok := c.fieldI32(typ, &v)
	*to = int(v)
	return ok
}

func (c *cursor) dataHeader(typ byte, h *pageHeader) bool {
	h.hasBody = true
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldInt(t, &h.values)
		case 2:
			return c.fieldI32(t, (*int32)(&h.encoding))
		case 3:
			return c.fieldI32(t, (*int32)(&h.defs))
		case 4:
			return c.fieldI32(t, (*int32)(&h.reps))
		}
		return false
	})
}

func (c *cursor) dictHeader(typ byte, h *pageHeader) bool {
	h.hasBody = true
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldInt(t, &h.values)
		case 2:
			return c.fieldI32(t, (*int32)(&h.encoding))
		}
		return false
	})
}

func (c *cursor) dataHeaderV2(typ byte, h *pageHeader) bool {
	h.hasBody, h.v2 = true, true
	return c.fieldStruct(typ, func(id int16, t byte) bool {
		switch id {
		case 1:
			return c.fieldInt(t, &h.values)
		case 3:
			return c.fieldInt(t, &h.rows)
		case 4:
			return c.fieldI32(t, (*int32)(&h.encoding))
		case 5:
			return c.fieldInt(t, &h.defLen)
		case 6:
			return c.fieldInt(t, &h.repLen)
		case 7:
			compressed := false
			ok := c.fieldBool(t, &compressed)
			h.stored = ok && !compressed
			return ok
		}
		return false
	})
}
