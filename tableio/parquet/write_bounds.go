package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"pqjoin/batch"
)

// maxBound is the most bytes of a minimum or maximum that is written; longer values are
// shortened so that they still bound (a prefix, a prefix with its end counted up).
const maxBound = 64

// bounds are the least and the greatest value of a page or chunk, encoded as statistics are.
type bounds struct {
	has                bool // there are values, and none is NaN
	nan                bool // a value is NaN: no bounds are written, as readers (DuckDB 2.0) take them to say that none is
	noMax              bool // the maximum is too long and cannot be shortened
	min, max           []byte
	minExact, maxExact bool
}

// merge widens b by c.
func (b *bounds) merge(c *bounds, l *leaf) {
	if b.nan || c.nan {
		*b = bounds{nan: true}
		return
	}
	if !c.has {
		return
	}
	if !b.has {
		*b = *c
		return
	}
	switch k := l.compare(c.min, b.min); {
	case k < 0:
		b.min, b.minExact = c.min, c.minExact
	case k == 0:
		b.minExact = b.minExact || c.minExact
	}
	b.noMax = b.noMax || c.noMax
	if b.noMax {
		return
	}
	switch k := l.compare(c.max, b.max); {
	case k > 0:
		b.max, b.maxExact = c.max, c.maxExact
	case k == 0:
		b.maxExact = b.maxExact || c.maxExact
	}
}

// compare orders two encoded values of the leaf as statistics order them.
func (l *leaf) compare(a, b []byte) int {
	switch l.order {
	case orderInt:
		return cmpOrdered(wide(a, true), wide(b, true))
	case orderUint:
		return cmpOrdered(uint64(wide(a, false)), uint64(wide(b, false)))
	case orderFloat:
		return cmpOrdered(floatOf(a), floatOf(b))
	case orderDecimal:
		if k := int(int8(a[0])) - int(int8(b[0])); k != 0 {
			return k
		}
	}
	return bytes.Compare(a, b)
}

func cmpOrdered[T int64 | uint64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// wide returns an encoded integer of 1, 4 or 8 bytes.
func wide(b []byte, signed bool) int64 {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 4:
		v := binary.LittleEndian.Uint32(b)
		if signed {
			return int64(int32(v))
		}
		return int64(v)
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// floatOf returns an encoded float of 2, 4 or 8 bytes.
func floatOf(b []byte) float64 {
	switch len(b) {
	case 2:
		return batch.HalfValue(binary.LittleEndian.Uint16(b))
	case 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// boundWords returns the bounds of the held 8-byte values.
func (l *leaf) boundWords(vals []uint64) bounds {
	if len(vals) == 0 {
		return bounds{}
	}
	switch l.order {
	case orderFloat:
		lo, hi, ok := minMaxFloat(batch.View[float64](batch.BytesOf(vals)))
		if !ok {
			return bounds{nan: true}
		}
		return exact(l.encodeWord(math.Float64bits(lo)), l.encodeWord(math.Float64bits(hi)))
	case orderUint:
		lo, hi := minMax(vals)
		return exact(l.encodeWord(lo), l.encodeWord(hi))
	default:
		lo, hi := minMax(batch.View[int64](batch.BytesOf(vals)))
		return exact(l.encodeWord(uint64(lo)), l.encodeWord(uint64(hi)))
	}
}

func exact(lo, hi []byte) bounds {
	return bounds{has: true, min: lo, max: hi, minExact: true, maxExact: true}
}

func minMax[T int64 | uint64](v []T) (lo, hi T) {
	lo, hi = v[0], v[0]
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

// minMaxFloat finds none where a value is NaN; a zero bound takes the sign that includes both zeros.
func minMaxFloat(v []float64) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		if x != x {
			return 0, 0, false
		}
		if x < lo {
			lo = x
		}
		if x > hi {
			hi = x
		}
	}
	if lo == 0 {
		lo = math.Copysign(0, -1)
	}
	if hi == 0 {
		hi = 0
	}
	return lo, hi, true
}

// encodeWord returns a held 8-byte value as it is stored.
func (l *leaf) encodeWord(v uint64) []byte {
	switch {
	case l.width == 2:
		return binary.LittleEndian.AppendUint16(nil, batch.HalfBits(math.Float64frombits(v)))
	case l.width == 4 && l.order == orderFloat:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.Float64frombits(v))))
	case l.width == 4:
		return binary.LittleEndian.AppendUint32(nil, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(nil, v)
}

// boundBytes returns the bounds of a page whose least and greatest value are lo and hi.
func (l *leaf) boundBytes(lo, hi []byte) bounds {
	b := bounds{has: true, minExact: true, maxExact: true}
	text := l.field.Type.ID == batch.String
	if len(lo) > maxBound {
		lo, b.minExact = lo[:cutText(lo, text)], false
	}
	b.min = bytes.Clone(lo)
	if len(hi) > maxBound {
		b.maxExact = false
		if hi = countUp(hi[:cutText(hi, text)], text); hi == nil {
			b.noMax = true
			return b
		}
	}
	b.max = bytes.Clone(hi)
	if b.max == nil {
		b.max = []byte{}
	}
	return b
}

// cutText returns where to cut a value that is too long: not within a character of text.
func cutText(v []byte, text bool) int {
	n := maxBound
	for text && n > maxBound-utf8.UTFMax && !utf8.RuneStart(v[n]) {
		n--
	}
	return n
}

// countUp returns the least short value that is greater than everything that begins with v, nil where there is none.
// Text stays valid UTF-8: only ASCII characters are counted up.
func countUp(v []byte, text bool) []byte {
	limit := byte(0xff)
	if text {
		limit = 0x7f
	}
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] < limit {
			out := bytes.Clone(v[:i+1])
			out[i]++
			return out
		}
	}
	return nil
}
