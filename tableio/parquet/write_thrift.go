package parquet

import "encoding/binary"

// The type codes of Thrift's compact protocol that Parquet's structures use.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// thriftOut appends Thrift structures in the compact protocol to b. The writer has its own
// because a wide table's footer is written column by column, never held as objects.
type thriftOut struct {
	b     []byte
	last  int16   // id of the last field of the open structure
	outer []int16 // the same of the structures around it
}

func (t *thriftOut) reset() { t.b, t.last, t.outer = t.b[:0], 0, t.outer[:0] }

func (t *thriftOut) field(id int16, code byte) {
	if d := id - t.last; d > 0 && d <= 15 {
		t.b = append(t.b, byte(d)<<4|code)
	} else {
		t.b = append(t.b, code)
		t.b = binary.AppendVarint(t.b, int64(id))
	}
	t.last = id
}

func (t *thriftOut) i32(id int16, v int32) {
	t.field(id, thriftI32)
	t.b = binary.AppendVarint(t.b, int64(v))
}
func (t *thriftOut) i64(id int16, v int64) { t.field(id, thriftI64); t.b = binary.AppendVarint(t.b, v) }
func (t *thriftOut) i8(id int16, v int8)   { t.field(id, thriftByte); t.b = append(t.b, byte(v)) }

func (t *thriftOut) bool(id int16, v bool) {
	if v {
		t.field(id, thriftTrue)
	} else {
		t.field(id, thriftFalse)
	}
}

func (t *thriftOut) bytes(id int16, v []byte) { t.field(id, thriftBinary); t.elemBytes(v) }
func (t *thriftOut) str(id int16, v string) {
	t.field(id, thriftBinary)
	t.b = binary.AppendUvarint(t.b, uint64(len(v)))
	t.b = append(t.b, v...)
}

// list begins a list of n elements, which follow by the elem methods.
func (t *thriftOut) list(id int16, code byte, n int) {
	t.field(id, thriftList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|code)
	} else {
		t.b = append(t.b, 0xf0|code)
		t.b = binary.AppendUvarint(t.b, uint64(n))
	}
}

func (t *thriftOut) elemInt(v int64) { t.b = binary.AppendVarint(t.b, v) }
func (t *thriftOut) elemBytes(v []byte) {
	t.b = append(binary.AppendUvarint(t.b, uint64(len(v))), v...)
}
func (t *thriftOut) elemBool(v bool) {
	if v {
		t.b = append(t.b, thriftTrue)
	} else {
		t.b = append(t.b, thriftFalse)
	}
}

// begin opens a structure that is a field; elem one that is a list's element; end closes either.
func (t *thriftOut) begin(id int16) { t.field(id, thriftStruct); t.elem() }
func (t *thriftOut) elem()          { t.outer = append(t.outer, t.last); t.last = 0 }
func (t *thriftOut) end() {
	t.b = append(t.b, 0)
	t.last = t.outer[len(t.outer)-1]
	t.outer = t.outer[:len(t.outer)-1]
}

// stop ends the outermost structure.
func (t *thriftOut) stop() { t.b = append(t.b, 0); t.last = 0 }
