package parquet

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"pqjoin/batch"
)

// span is rows [i, j) of a column; a page is a list of spans.
type span struct {
	c    *batch.Column
	i, j int
}

// presence copies the validity of the spans into bitmap, which has room for all rows, and
// returns how many rows are null.
func presence(spans []span, bitmap []byte) (nulls int) {
	at := 0
	clear(bitmap)
	for _, s := range spans {
		switch {
		case s.c.Valid == nil:
			oneBits(bitmap, at, s.j-s.i)
		case s.c.Nulls < s.c.N:
			batch.CopyBits(bitmap, at, s.c.Valid, s.i, s.j-s.i)
		}
		at += s.j - s.i
	}
	return at - batch.CountBitsUnaligned(bitmap, at)
}

func anyNulls(spans []span) bool {
	for _, s := range spans {
		if s.c.Valid != nil {
			return true
		}
	}
	return false
}

// oneBits sets n bits from bit at on.
func oneBits(m []byte, at, n int) {
	for ; n > 0 && at&7 != 0; at, n = at+1, n-1 {
		m[at>>3] |= 1 << (at & 7)
	}
	for ; n >= 8; at, n = at+8, n-8 {
		m[at>>3] = 0xff
	}
	for ; n > 0; at, n = at+1, n-1 {
		m[at>>3] |= 1 << (at & 7)
	}
}

// appendLevels appends the definition levels of a version 1 page: their length in bytes, then one
// run of the RLE and bit-packed hybrid, which is the bitmap itself where there are nulls.
func appendLevels(dst []byte, bitmap []byte, rows, nulls int) []byte {
	p := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch nulls {
	case 0:
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 1)
	case rows:
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 0)
	default:
		g := batch.BitmapLen(rows)
		dst = binary.AppendUvarint(dst, uint64(g)<<1|1)
		dst = append(dst, bitmap[:g]...)
	}
	binary.LittleEndian.PutUint32(dst[p:], uint32(len(dst)-p-4))
	return dst
}

// gatherWords copies the values of the spans that are not null to dst, which has room for
// all of them and one more, and returns how many there are.
func gatherWords(dst []uint64, spans []span) int {
	n := 0
	for _, s := range spans {
		switch {
		case s.c.Dict != nil:
			n += gatherDict(dst[n:], s)
		case s.c.Valid == nil:
			n += copy(dst[n:], batch.View[uint64](s.c.Fixed)[s.i:s.j])
		default:
			n += compact(dst[n:], batch.View[uint64](s.c.Fixed), s.c.Valid, s.i, s.j)
		}
	}
	return n
}

func gatherDict(dst []uint64, s span) int {
	from, n := batch.View[uint64](s.c.Dict.Fixed), 0
	for i := s.i; i < s.j; i++ {
		if !s.c.IsNull(i) {
			dst[n] = from[s.c.Codes[i]]
			n++
		}
	}
	return n
}

// compact copies src[i:j] without what valid leaves out; dst has room for one value more.
func compact[T any](dst, src []T, valid []byte, i, j int) int {
	n := 0
	for k := i; k < j; {
		if k&7 != 0 || k+8 > j {
			if valid[k>>3]>>(k&7)&1 == 1 {
				dst[n] = src[k]
				n++
			}
			k++
			continue
		}
		switch m := valid[k>>3]; m {
		case 0xff:
			n += copy(dst[n:], src[k:k+8])
		case 0:
		default:
			for ; m != 0; m &= m - 1 {
				dst[n] = src[k+bits.TrailingZeros8(m)]
				n++
			}
		}
		k += 8
	}
	return n
}

// rescale multiplies held values by the leaf's scale.
func (l *leaf) rescale(vals []uint64) error {
	for i, v := range vals {
		x := int64(v) * l.scale
		if x/l.scale != int64(v) {
			return fmt.Errorf("column %q: %d seconds do not fit Parquet's milliseconds", l.field.Name, int64(v))
		}
		vals[i] = uint64(x)
	}
	return nil
}

// narrow writes 8-byte values as they are stored, and returns the bytes.
func (l *leaf) narrow(dst []byte, vals []uint64) []byte {
	switch {
	case l.width == 8:
		return batch.BytesOf(vals)
	case l.width == 2:
		out := batch.View[uint16](dst[:2*len(vals)])
		for i, v := range batch.View[float64](batch.BytesOf(vals)) {
			out[i] = batch.HalfBits(v)
		}
	case l.order == orderFloat:
		out := batch.View[float32](dst[:4*len(vals)])
		for i, v := range batch.View[float64](batch.BytesOf(vals)) {
			out[i] = float32(v)
		}
	default:
		out := batch.View[uint32](dst[:4*len(vals)])
		for i, v := range vals {
			out[i] = uint32(v)
		}
	}
	return dst[:l.width*len(vals)]
}

// gatherBits packs the booleans that are not null, least significant bit first, and
// returns how many there are and how many of them are true.
func gatherBits(dst []byte, spans []span) (n, ones int) {
	clear(dst)
	for _, s := range spans {
		for i := s.i; i < s.j; i++ {
			if s.c.IsNull(i) {
				continue
			}
			k := i
			from := s.c
			if s.c.Dict != nil {
				from, k = s.c.Dict, int(s.c.Codes[i])
			}
			bit := from.Fixed[k] & 1
			dst[n>>3] |= bit << (n & 7)
			ones += int(bit)
			n++
		}
	}
	return n, ones
}

// eachValue calls f with every value that is not null, as it is stored, until f returns
// false or an error. The slice is f's during the call only.
func eachValue(spans []span, f func(v []byte) (bool, error)) (bool, error) {
	var wide [16]byte
	for _, s := range spans {
		for i := s.i; i < s.j; i++ {
			if s.c.IsNull(i) {
				continue
			}
			v := wide[:]
			if s.c.Type.Kind() == batch.KindBytes {
				v = s.c.Value(i)
			} else {
				putInt128(v, s.c, i)
			}
			if ok, err := f(v); !ok || err != nil {
				return ok, err
			}
		}
	}
	return true, nil
}

// putInt128 writes row i big endian, as fixed-length decimals are stored.
func putInt128(dst []byte, c *batch.Column, i int) {
	if c.Dict != nil {
		c, i = c.Dict, int(c.Codes[i])
	}
	v := c.Int128s()[i]
	binary.BigEndian.PutUint64(dst, uint64(v.Hi))
	binary.BigEndian.PutUint64(dst[8:], v.Lo)
}

// valueBytes returns the bytes of row i's value in memory, 0 for null.
func valueBytes(c *batch.Column, i int) int64 {
	if c.IsNull(i) {
		return 0
	}
	if c.Dict != nil {
		c, i = c.Dict, int(c.Codes[i])
	}
	return int64(c.Off[i+1] - c.Off[i])
}
