package batch

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// AppendFloat appends the shortest text that reads back as v, a float of 64 or 32 bits, and never as a whole number: 1.5, 100.0, 1e+20,
// inf, nan. Casts and files of text have it.
func AppendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case math.IsInf(v, 1):
		return append(dst, "inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-inf"...)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, bits)
	if bytes.IndexByte(dst[at:], '.') < 0 {
		dst = append(dst, '.', '0')
	}
	return dst
}

// FloatText returns a value of a column of floats for people: as AppendFloat has it, but whole numbers without a point, +Inf, -Inf and NaN.
func FloatText(v float64, t Type) string {
	bits := floatBits(t)
	if v-v != 0 {
		return strconv.FormatFloat(v, 'g', -1, bits)
	}
	return strings.TrimSuffix(string(AppendFloat(nil, v, bits)), ".0")
}

// floatBits returns with how many bits a value of the type is told from others of it; a float16 is by those of a float32.
func floatBits(t Type) int {
	if t.ID == Float64 {
		return 64
	}
	return 32
}
