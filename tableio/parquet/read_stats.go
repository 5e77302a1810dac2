package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/format"
)

// statsOf interprets the statistics of a chunk. The old min and max were written in
// an order that the format did not define, so they count only where every order is the
// same: signed numbers.
func statsOf(c *column, m *chunkMeta) Stats {
	if m.stats == nil {
		return Stats{}
	}
	s := Stats{HasNulls: m.stats.hasNulls && m.stats.nulls >= 0 && m.stats.nulls <= m.values, Nulls: m.stats.nulls}
	if !s.HasNulls {
		s.Nulls = 0
	}
	lo, hi := m.stats.min, m.stats.max
	if lo.head == nil || hi.head == nil {
		if !signedOrder(c) {
			return s
		}
		lo, hi = m.stats.oldMin, m.stats.oldMax
	}
	if lo.head == nil || hi.head == nil {
		return s
	}
	var ok1, ok2 bool
	s.Min, ok1 = statValue(c, lo)
	s.Max, ok2 = statValue(c, hi)
	s.HasMinMax = ok1 && ok2 && ordered(c.field.Type, &s) && shorten(c, &s)
	if !s.HasMinMax {
		s.Min, s.Max = Value{}, Value{}
	}
	return s
}

// shorten keeps of the bounds of texts what others write of theirs: a footer's are as long as the values may be, and each file's are
// kept as long as the table is. It says whether there is an upper bound so short.
func shorten(c *column, s *Stats) bool {
	if c.field.Type.Kind() != batch.KindBytes {
		return true
	}
	text := c.field.Type.ID == batch.String
	if v := s.Min.Bytes; len(v) > maxBound {
		s.Min.Bytes = v[:cutText(v, text)]
	}
	if v := s.Max.Bytes; len(v) > maxBound {
		if s.Max.Bytes = countUp(v[:cutText(v, text)], text); s.Max.Bytes == nil {
			return false
		}
	}
	s.Min.Bytes, s.Max.Bytes = bytes.Clone(s.Min.Bytes), bytes.Clone(s.Max.Bytes)
	return true
}

func signedOrder(c *column) bool {
	switch c.physical {
	case format.Boolean, format.Int32, format.Int64, format.Float, format.Double:
		return !c.field.Type.IsUnsigned()
	}
	return false
}

// statValue decodes a PLAIN value without a length. Types whose order writers disagree on have none.
// Of a long text it is the beginning.
func statValue(c *column, from stat) (v Value, ok bool) {
	t, b := c.field.Type, from.head
	if from.size > len(b) && t.Kind() != batch.KindBytes {
		return v, false
	}
	switch {
	case c.int96:
		return v, false
	case c.physical == format.Boolean:
		if len(b) != 1 {
			return v, false
		}
		v.Int = int64(b[0] & 1)
		return v, true
	case c.physical == format.Int32 && len(b) == 4:
		v.Int = int64(int32(binary.LittleEndian.Uint32(b)))
		if t.IsUnsigned() {
			v.Int &= math.MaxUint32
		}
		return v, true
	case c.physical == format.Int64 && len(b) == 8:
		v.Int = int64(binary.LittleEndian.Uint64(b))
		return v, true
	case c.physical == format.Float && len(b) == 4:
		v.Float = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		return v, !math.IsNaN(v.Float)
	case c.physical == format.Double && len(b) == 8:
		v.Float = math.Float64frombits(binary.LittleEndian.Uint64(b))
		return v, !math.IsNaN(v.Float)
	case t.ID == batch.Decimal && len(b) > 0 && (c.physical == format.ByteArray || c.physical == format.FixedLenByteArray):
		d, fits := decimalOf(b)
		v.Big, v.Int = d, int64(d.Lo)
		return v, fits
	case t.Kind() == batch.KindBytes && (c.physical == format.ByteArray || from.size == c.width):
		v.Bytes = b
		return v, true
	}
	return v, false
}

// ordered says whether min <= max, and makes zeros cover both signs.
func ordered(t batch.Type, s *Stats) bool {
	switch t.Kind() {
	case batch.KindFloat64:
		if s.Min.Float == 0 {
			s.Min.Float = math.Copysign(0, -1)
		}
		if s.Max.Float == 0 {
			s.Max.Float = 0
		}
		return s.Min.Float <= s.Max.Float
	case batch.KindInt128:
		return s.Min.Big.Cmp(s.Max.Big) <= 0
	case batch.KindBytes:
		return bytes.Compare(s.Min.Bytes, s.Max.Bytes) <= 0
	}
	if t.ID == batch.Uint64 {
		return uint64(s.Min.Int) <= uint64(s.Max.Int)
	}
	return s.Min.Int <= s.Max.Int
}

// decimalOf reads a big-endian two's complement number, and says whether 128 bits hold it.
func decimalOf(b []byte) (batch.Int128, bool) {
	var d batch.Int128
	if len(b) == 0 {
		return d, true
	}
	sign := int64(int8(b[0])) >> 7
	fits := true
	for len(b) > 16 {
		fits = fits && b[0] == byte(sign)
		b = b[1:]
	}
	d.Lo, d.Hi = uint64(sign), sign
	for _, x := range b {
		d.Hi = d.Hi<<8 | int64(d.Lo>>56)
		d.Lo = d.Lo<<8 | uint64(x)
	}
	return d, fits && d.Hi>>63 == sign
}
