package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
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

// cursor reads Thrift's compact protocol from bytes that lie in memory, or pass through it. Lengths are checked against
// what is there, so one that lies makes it allocate nothing: lists are counted by their elements. The first error sticks.
type cursor struct {
	b     []byte
	at    int
	src   *footerSource // what follows b; nil: nothing
	kept  []byte        // copies of short values lie one after the other
	depth int
	err   error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
		c.at = len(c.b)
	}
}

// more reads on, and says whether there was anything.
func (c *cursor) more() bool {
	if c.src == nil || c.err != nil {
		return false
	}
	had := len(c.b) - c.at
	c.b, c.at = c.src.next(c.b[c.at:]), 0
	if c.src.err != nil {
		c.fail(c.src.err)
		return false
	}
	return len(c.b) > had
}

// left returns how many bytes follow.
func (c *cursor) left() uint64 {
	n := uint64(len(c.b) - c.at)
	if c.src != nil {
		n += uint64(c.src.left)
	}
	return n
}

func (c *cursor) byte() byte {
	if c.at >= len(c.b) && !c.more() {
		c.fail(errShort)
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b[c.at:])
	for n == 0 && c.more() {
		v, n = binary.Uvarint(c.b[c.at:])
	}
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

// length reads the length of a text that follows.
func (c *cursor) length() int {
	n := c.uvarint()
	switch {
	case c.err != nil:
		return 0
	case n > math.MaxInt32:
		c.fail(fmt.Errorf("has a text of %d bytes", n))
		return 0
	case n > c.left():
		c.fail(errShort)
		return 0
	}
	return int(n)
}

// pass passes over n bytes, and gives them to f, piece by piece, where that is not nil.
func (c *cursor) pass(n int, f func([]byte)) {
	for n > 0 {
		k := min(n, len(c.b)-c.at)
		if k == 0 && !c.more() {
			c.fail(errShort)
			return
		}
		if f != nil {
			f(c.b[c.at : c.at+k])
		}
		c.at, n = c.at+k, n-k
	}
}

// head returns a copy of the first bytes of a text, most of them at most, and how many it has. It is not nil.
func (c *cursor) head(most int) ([]byte, int) {
	n := c.length()
	k := min(n, most)
	if c.kept == nil || cap(c.kept)-len(c.kept) < k {
		c.kept = make([]byte, 0, max(k, 1024))
	}
	from := len(c.kept)
	c.pass(k, func(b []byte) { c.kept = append(c.kept, b...) })
	c.pass(n-k, nil)
	return c.kept[from:len(c.kept):len(c.kept)], n
}

// text returns a text.
func (c *cursor) text() string {
	var s strings.Builder
	n := c.length()
	s.Grow(n)
	c.pass(n, func(b []byte) { s.Write(b) })
	return s.String()
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
	if n > c.left() { // every element takes a byte at least
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
		c.pass(8, nil)
	case ctBinary:
		c.pass(c.length(), nil)
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

func (c *cursor) fieldString(typ byte, to *string) bool {
	if typ != ctBinary {
		return false
	}
	*to = c.text()
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
