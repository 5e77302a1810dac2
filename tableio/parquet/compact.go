package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The types of Thrift's compact protocol.
const (
	ctStop = iota
	ctTrue
	ctFalse
	ctByte
	ctI16
	ctI32
	ctI64
	ctDouble
	ctBinary
	ctList
	ctSet
	ctMap
	ctStruct
)

// maxDepth bounds how deep structs and lists nest; Parquet's own nest five deep.
const maxDepth = 16

// errShort says that the bytes end within a value: more may help.
var errShort = errors.New("ends within a value")

// cursor reads Thrift's compact protocol from bytes that lie in memory. It allocates
// nothing, so a length that lies cannot make it: lists are counted by the elements that
// are there. The first error sticks.
type cursor struct {
	b     []byte
	at    int
	depth int
	err   error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
		c.at = len(c.b)
	}
}

func (c *cursor) byte() byte {
	if c.at >= len(c.b) {
		c.fail(errShort)
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b[c.at:])
	switch {
	case n == 0:
		c.fail(errShort)
	case n < 0:
		c.fail(errors.New("has an integer of more than 64 bits"))
	default:
		c.at += n
	}
	return v
}

func (c *cursor) i64() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (c *cursor) i32() int32 {
	v := c.i64()
	if v < math.MinInt32 || v > math.MaxInt32 {
		c.fail(fmt.Errorf("has %d where 32 bits are due", v))
		return 0
	}
	return int32(v)
}

// bytes returns a view of the next length-prefixed bytes.
func (c *cursor) bytes() []byte {
	n := c.uvarint()
	if c.err != nil {
		return nil
	}
	if n > math.MaxInt32 {
		c.fail(fmt.Errorf("has a text of %d bytes", n))
		return nil
	}
	if n > uint64(len(c.b)-c.at) {
		c.fail(errShort)
		return nil
	}
	c.at += int(n)
	return c.b[c.at-int(n) : c.at : c.at]
}

// fields calls f for each field of a struct. f reads the value and says true, or says
// false to have it skipped. A bool has its value in the type.
func (c *cursor) fields(f func(id int16, typ byte) bool) {
	if c.depth++; c.depth > maxDepth {
		c.fail(errors.New("nests too deep"))
		return
	}
	id := int16(0)
	for c.err == nil {
		h := c.byte()
		if h == ctStop || c.err != nil {
			break
		}
		if d := int16(h >> 4); d != 0 {
			id += d
		} else {
			id = int16(c.i64())
		}
		if t := h & 15; c.err == nil && !f(id, t) {
			c.skip(t)
		}
	}
	c.depth--
}

// list calls f for each element, with its type, up to the first error.
func (c *cursor) list(f func(typ byte)) {
	h := c.byte()
	n := uint64(h >> 4)
	if n == 15 {
		n = c.uvarint()
	}
	if n > uint64(len(c.b)-c.at) { // every element takes a byte at least
		c.fail(errShort)
	}
	for ; n > 0 && c.err == nil; n-- {
		f(h & 15)
	}
}

// skip passes over a field's value.
func (c *cursor) skip(typ byte) {
	switch typ {
	case ctTrue, ctFalse:
	default:
		c.skipElement(typ)
	}
}

func (c *cursor) skipElement(typ byte) {
	switch typ {
	case ctTrue, ctFalse, ctByte:
		c.byte()
	case ctI16, ctI32, ctI64:
		c.uvarint()
	case ctDouble:
		if len(c.b)-c.at < 8 {
			c.fail(errShort)
			return
		}
		c.at += 8
	case ctBinary:
		c.bytes()
	case ctList, ctSet:
		if c.depth++; c.depth > maxDepth {
			c.fail(errors.New("nests too deep"))
			return
		}
		c.list(c.skipElement)
		c.depth--
	case ctMap:
		c.skipMap()
	case ctStruct:
		c.fields(func(int16, byte) bool { return false })
	default:
		c.fail(fmt.Errorf("has a value of the unknown type %d", typ))
	}
}

func (c *cursor) skipMap() {
	n := c.uvarint()
	if n == 0 || c.err != nil {
		return
	}
	if c.depth++; c.depth > maxDepth {
		c.fail(errors.New("nests too deep"))
		return
	}
	kv := c.byte()
	for ; n > 0 && c.err == nil; n-- {
		c.skipElement(kv >> 4)
		c.skipElement(kv & 15)
	}
	c.depth--
}

// Readers of one field each: they check the type, so that a field of another type is
// skipped as Thrift wants it.

func (c *cursor) fieldI32(typ byte, to *int32) bool {
	if typ != ctI32 {
		return false
	}
	*to = c.i32()
	return true
}

func (c *cursor) fieldI64(typ byte, to *int64) bool {
	if typ != ctI64 {
		return false
	}
	*to = c.i64()
	return true
}

func (c *cursor) fieldBytes(typ byte, to *[]byte) bool {
	if typ != ctBinary {
		return false
	}
	*to = c.bytes()
	return true
}

func (c *cursor) fieldString(typ byte, to *string) bool {
	if typ != ctBinary {
		return false
	}
	*to = string(c.bytes())
	return true
}

func (c *cursor) fieldBool(typ byte, to *bool) bool {
	*to = typ == ctTrue
	return typ == ctTrue || typ == ctFalse
}

func (c *cursor) fieldStruct(typ byte, f func(id int16, typ byte) bool) bool {
	if typ != ctStruct {
		return false
	}
	c.fields(f)
	return true
}

func (c *cursor) fieldList(typ byte, f func(typ byte)) bool {
	if typ != ctList {
		return false
	}
	c.list(f)
	return true
}
