package arrow

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"pqjoin/tableio/format"
)

// flat is a table of FlatBuffers (flatbuffers.dev/internals): offsets into bytes that somebody else has written. Whatever they
// say, nothing is read outside of b: an index out of range is a panic, which decode makes an error.
type flat struct {
	b      []byte
	at     uint32
	vtable uint32
	size   uint32 // of the vtable
}

// vector is a vector of n elements that begin at at.
type vector struct {
	b     []byte
	at, n uint32
}

// malformed is what a panic of ours holds.
type malformed string

// decode runs f over metadata and makes an error of what is wrong with it.
func decode(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case malformed:
			err = fmt.Errorf("%w: %s", format.ErrMalformed, string(r))
		case runtime.Error:
			err = fmt.Errorf("%w: its metadata points outside of itself", format.ErrMalformed)
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

func refuse(f string, args ...any) { panic(malformed(fmt.Sprintf(f, args...))) }

func u32(b []byte, at uint32) uint32 { return binary.LittleEndian.Uint32(b[at : uint64(at)+4]) }
func u16(b []byte, at uint32) uint16 { return binary.LittleEndian.Uint16(b[at : uint64(at)+2]) }

// add moves on within what a slice can have.
func add(a, b uint32) uint32 {
	if a+b < a {
		refuse("its metadata points outside of itself")
	}
	return a + b
}

// root is the table that b begins with.
func root(b []byte) flat { return tableAt(b, u32(b, 0)) }

func tableAt(b []byte, at uint32) flat {
	vtable := int64(at) - int64(int32(u32(b, at)))
	if vtable < 0 || vtable > int64(len(b)) {
		refuse("its metadata points outside of itself")
	}
	return flat{b: b, at: at, vtable: uint32(vtable), size: uint32(u16(b, uint32(vtable)))}
}

// field returns where field i lies; 0: it has its default.
func (t flat) field(i int) uint32 {
	at := uint32(4 + 2*i)
	if at+2 > t.size {
		return 0
	}
	off := uint32(u16(t.b, add(t.vtable, at)))
	if off == 0 {
		return 0
	}
	return add(t.at, off)
}

func (t flat) byte(i int, def byte) byte {
	if at := t.field(i); at > 0 {
		return t.b[at]
	}
	return def
}

func (t flat) short(i, def int) int {
	if at := t.field(i); at > 0 {
		return int(int16(u16(t.b, at)))
	}
	return def
}

func (t flat) int(i, def int) int {
	if at := t.field(i); at > 0 {
		return int(int32(u32(t.b, at)))
	}
	return def
}

func (t flat) long(i int) int64 {
	if at := t.field(i); at > 0 {
		return int64(binary.LittleEndian.Uint64(t.b[at : uint64(at)+8]))
	}
	return 0
}

// table returns the table in field i, and whether there is one.
func (t flat) table(i int) (flat, bool) {
	at := t.field(i)
	if at == 0 {
		return flat{}, false
	}
	return tableAt(t.b, add(at, u32(t.b, at))), true
}

// vector returns the vector in field i, whose elements have width bytes.
func (t flat) vector(i int, width uint32) vector {
	at := t.field(i)
	if at == 0 {
		return vector{}
	}
	at = add(at, u32(t.b, at))
	v := vector{b: t.b, at: add(at, 4), n: u32(t.b, at)}
	if uint64(v.at)+uint64(v.n)*uint64(width) > uint64(len(t.b)) {
		refuse("its metadata points outside of itself")
	}
	return v
}

func (t flat) string(i int) string {
	v := t.vector(i, 1)
	return string(v.b[v.at : v.at+v.n])
}

// is says whether field i is the text s.
func (t flat) is(i int, s string) bool {
	v := t.vector(i, 1)
	return string(v.b[v.at:v.at+v.n]) == s
}

// table returns element i of a vector of tables.
func (v vector) table(i uint32) flat {
	at := v.at + 4*i
	return tableAt(v.b, add(at, u32(v.b, at)))
}

// long returns the word at byte off of element i, whose width is given.
func (v vector) long(i, width, off uint32) int64 {
	at := v.at + width*i + off
	return int64(binary.LittleEndian.Uint64(v.b[at : at+8]))
}
