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

// AppendList appends the list of the rows of c, in the order of rows; null rows are null elements. The
// elements of the list's type must be nullable then.
func AppendList(dst []byte, c *batch.Column, rows []uint32) []byte {
	dst = appendHeader(dst, len(rows), func(k int) bool { return c.Valid == nil || !c.IsNull(int(rows[k])) })
	for _, i := range rows {
		if c.Valid == nil || !c.IsNull(int(i)) {
			dst = AppendValue(dst, c, int(i))
		}
	}
	return dst
}

// ListSize returns the bytes that AppendList appends.
func ListSize(c *batch.Column, rows []uint32) int64 {
	n, nulls := int64(0), false
	for _, i := range rows {
		if c.IsNull(int(i)) {
			nulls = true
			continue
		}
		n += int64(ValueSize(c, int(i)))
	}
	if nulls {
		n += int64(batch.BitmapLen(len(rows)))
	}
	return n + int64(uvarintLen(uint64(len(rows))<<1))
}

// appendHeader appends the count of a list and, where not all are present, its bitmap.
func appendHeader(dst []byte, n int, present func(k int) bool) []byte {
	for k := range n {
		if present(k) {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(n)<<1|1)
		at := len(dst)
		dst = append(dst, make([]byte, batch.BitmapLen(n))...)
		for k := range n {
			if present(k) {
				dst[at+k>>3] |= 1 << (k & 7)
			}
		}
		return dst
	}
	return binary.AppendUvarint(dst, uint64(n)<<1)
}

// AppendStruct appends the struct of type t whose fields are row i of cols.
func AppendStruct(dst []byte, t *Type, cols []*batch.Column, i int) []byte {
	at, bit := len(dst), 0
	dst = append(dst, make([]byte, t.BitmapLen())...)
	for k := range t.Fields {
		null := cols[k].IsNull(i)
		if t.Fields[k].Nullable {
			if !null {
				dst[at+bit>>3] |= 1 << (bit & 7)
			}
			bit++
		}
		if !null {
			dst = AppendValue(dst, cols[k], i)
		}
	}
	return dst
}

// ConcatLists appends the list of the elements of several lists of one type, in their order.
func ConcatLists(dst []byte, lists ...[]byte) ([]byte, error) {
	n, nulls := 0, false
	parts := make([]items, len(lists))
	for i, l := range lists {
		var err error
		if parts[i], err = openItems(l); err != nil {
			return dst, err
		}
		n += parts[i].n
		nulls = nulls || parts[i].valid != nil
	}
	if !nulls {
		dst = binary.AppendUvarint(dst, uint64(n)<<1)
	} else {
		dst = binary.AppendUvarint(dst, uint64(n)<<1|1)
		at, k := len(dst), 0
		dst = append(dst, make([]byte, batch.BitmapLen(n))...)
		for _, p := range parts {
			for j := range p.n {
				if p.present(j) {
					dst[at+k>>3] |= 1 << (k & 7)
				}
				k++
			}
		}
	}
	for _, p := range parts {
		dst = append(dst, p.rest...)
	}
	return dst, nil
}
