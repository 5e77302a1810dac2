package nested

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"
)

// AppendValue appends row i of c, which is not null. A column of nested values has them encoded already.
func AppendValue(dst []byte, c *batch.Column, i int) []byte {
	if c.Dict != nil {
		c, i = c.Dict, int(c.Codes[i])
	}
	switch c.Type.Kind() {
	case batch.KindBytes:
		v := c.Data[c.Off[i]:c.Off[i+1]]
		if c.Type.ID == batch.String || c.Type.ID == batch.Binary {
			dst = binary.AppendUvarint(dst, uint64(len(v)))
		}
		return append(dst, v...)
	case batch.KindBool:
		return append(dst, c.Fixed[i]&1)
	case batch.KindInt128:
		return append(dst, c.Fixed[16*i:16*i+16]...)
	case batch.KindFloat64:
		v := batch.View[float64](c.Fixed)[i]
		if LeafWidth(c.Type) == 4 {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v)))
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return appendInt(dst, batch.View[uint64](c.Fixed)[i], LeafWidth(c.Type))
}

func appendInt(dst []byte, v uint64, width int) []byte {
	switch width {
	case 1:
		return append(dst, byte(v))
	case 2:
		return binary.LittleEndian.AppendUint16(dst, uint16(v))
	case 4:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(dst, v)
}

// ValueSize returns the bytes that AppendValue appends.
func ValueSize(c *batch.Column, i int) int {
	if w := LeafWidth(c.Type); w > 0 {
		return w
	}
	n := len(c.Value(i))
	if c.Type.ID != batch.Nested {
		n += uvarintLen(uint64(n))
	}
	return n
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}
