package text

import (
	"encoding/hex"
	"strconv"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// Writes says whether values of the type have a text, those of all parts of a nested one.
func Writes(t batch.Type) bool {
	switch t.ID {
	case batch.Binary, batch.Fixed:
		return false
	case batch.Nested:
		typ, err := nested.Of(t)
		return err == nil && writesAll(typ)
	}
	return true
}

// Appender returns what appends the text of a row of c that is not null, for a column that is neither text itself nor nested.
func Appender(c *batch.Column) func(dst []byte, row int) []byte {
	switch c.Type.Kind() {
	case batch.KindBytes: // uuid
		return func(dst []byte, i int) []byte { return appendUUID(dst, c.Value(i)) }
	case batch.KindBool:
		vals := values(c).Fixed
		return coded(c, func(dst []byte, i int) []byte { return strconv.AppendBool(dst, vals[i] != 0) })
	case batch.KindFloat64:
		bits := 64
		if c.Type.ID == batch.Float32 {
			bits = 32
		}
		vals := batch.View[float64](values(c).Fixed)
		return coded(c, func(dst []byte, i int) []byte { return batch.AppendFloat(dst, vals[i], bits) })
	case batch.KindInt128:
		vals, scale := batch.View[batch.Int128](values(c).Fixed), int(c.Type.Scale)
		return coded(c, func(dst []byte, i int) []byte {
			return appendScaled(dst, vals[i].Big().String(), scale)
		})
	}
	vals, t := batch.View[int64](values(c).Fixed), c.Type
	return coded(c, func(dst []byte, i int) []byte { return appendInt(dst, vals[i], t) })
}

// values is the column that holds the values.
func values(c *batch.Column) *batch.Column {
	if c.Dict != nil {
		return c.Dict
	}
	return c
}

// coded goes through the codes of a dictionary where there are such.
func coded(c *batch.Column, of func(dst []byte, i int) []byte) func(dst []byte, i int) []byte {
	if c.Dict == nil {
		return of
	}
	codes := c.Codes
	return func(dst []byte, i int) []byte { return of(dst, int(codes[i])) }
}

func appendInt(dst []byte, v int64, t batch.Type) []byte {
	switch t.ID {
	case batch.Uint64:
		return strconv.AppendUint(dst, uint64(v), 10)
	case batch.Date:
		return appendDate(dst, v)
	case batch.Time:
		dst = appendClock(dst, v, t.Unit)
	case batch.Timestamp:
		day := 86400 * perSecond(t.Unit)
		days := v / day
		if v%day < 0 {
			days--
		}
		dst = appendClock(append(appendDate(dst, days), 'T'), v-days*day, t.Unit)
	case batch.Decimal:
		return appendScaled(dst, strconv.FormatInt(v, 10), int(t.Scale))
	default:
		return strconv.AppendInt(dst, v, 10)
	}
	if t.UTC && t.ID == batch.Timestamp {
		dst = append(dst, 'Z')
	}
	return dst
}

// appendDate writes YYYY-MM-DD; years that do not have four digits take a sign.
func appendDate(dst []byte, days int64) []byte {
	y, m, d := civil(days)
	if y < 0 || y > 9999 {
		sign := byte('+')
		if y < 0 {
			sign, y = '-', -y
		}
		dst = append(dst, sign)
	}
	dst = appendPadded(dst, y, 4)
	dst = appendPadded(append(dst, '-'), m, 2)
	return appendPadded(append(dst, '-'), d, 2)
}

// appendClock writes hh:mm:ss and as many digits behind the point as there are.
func appendClock(dst []byte, v int64, u batch.Unit) []byte {
	per := perSecond(u)
	s, frac := v/per, v%per
	dst = appendPadded(dst, s/3600, 2)
	dst = appendPadded(append(dst, ':'), s/60%60, 2)
	dst = appendPadded(append(dst, ':'), s%60, 2)
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	for per /= 10; frac > 0; per /= 10 {
		dst = append(dst, byte('0'+frac/per))
		frac %= per
	}
	return dst
}

func appendPadded(dst []byte, v int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if v < limit {
			dst = append(dst, "0000"[:width-1]...)
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}

// appendScaled puts the point into a whole number.
func appendScaled(dst []byte, digits string, scale int) []byte {
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale <= 0 {
		return append(dst, digits...)
	}
	if len(digits) <= scale {
		dst = append(dst, '0', '.')
		for range scale - len(digits) {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	at := len(digits) - scale
	dst = append(dst, digits[:at]...)
	return append(append(dst, '.'), digits[at:]...)
}

func appendUUID(dst, p []byte) []byte {
	var text [32]byte
	hex.Encode(text[:], p)
	for i, c := range text {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, c)
	}
	return dst
}
