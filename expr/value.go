package expr

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"pqjoin/batch"
)

var errNotNumber = errors.New("it is not a number")

// viewString reads b as a string without copying; b must not change while it is used.
func viewString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// shorten cuts long texts for messages.
func shorten(s string) string {
	s = visible(s[:min(len(s), 240)])
	if len(s) <= 60 {
		return s
	}
	cut := 57
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// visible writes line ends, other control characters and bytes that are no UTF-8 as escapes: a message is one line.
func visible(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if unicode.IsControl(r) || r == utf8.RuneError && n == 1 {
			q := strconv.Quote(s[:n])
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// intRange returns the smallest and greatest value of an integer type that int64 holds; for uint64 up to 2^63-1.
func intRange(t batch.Type) (lo, hi int64) {
	switch t.ID {
	case batch.Int8:
		return math.MinInt8, math.MaxInt8
	case batch.Int16:
		return math.MinInt16, math.MaxInt16
	case batch.Int32, batch.Date:
		return math.MinInt32, math.MaxInt32
	case batch.Uint8:
		return 0, math.MaxUint8
	case batch.Uint16:
		return 0, math.MaxUint16
	case batch.Uint32:
		return 0, math.MaxUint32
	case batch.Uint64:
		return 0, math.MaxInt64
	}
	return math.MinInt64, math.MaxInt64
}

// parseValue reads a text as a value of a type.
func parseValue(text []byte, t batch.Type) (Value, error) {
	if t.ID == batch.String || t.ID == batch.Binary {
		return Value{Bytes: text}, nil
	}
	s := bytes.TrimSpace(text)
	var v Value
	var err error
	switch {
	case t.ID == batch.Bool:
		v.Bool, err = parseBool(s)
	case t.IsInteger():
		v.Int, err = parseInt(s, t)
	case t.IsFloat():
		v.Float, err = parseFloat(s, t)
	case t.ID == batch.Decimal:
		var d batch.Int128
		if d, err = parseDecimal(s, int(t.Prec), int(t.Scale)); t.Kind() == batch.KindInt64 {
			v.Int = int64(d.Lo)
		} else {
			v.Int128 = d
		}
	case t.ID == batch.Date:
		v.Int, err = parseDate(s)
	case t.ID == batch.Time:
		v.Int, err = parseTime(s, t)
	case t.ID == batch.Timestamp:
		v.Int, err = parseTimestamp(s, t)
	case t.ID == batch.UUID:
		v.Bytes, err = parseUUID(s)
	default:
		err = fmt.Errorf("text does not become %s", t)
	}
	if err != nil {
		return Value{}, fmt.Errorf("cannot read '%s' as %s: %w", shorten(string(text)), t, err)
	}
	return v, nil
}

func parseBool(s []byte) (bool, error) {
	switch strings.ToLower(viewString(s)) {
	case "true", "t", "yes", "y", "1":
		return true, nil
	case "false", "f", "no", "n", "0":
		return false, nil
	}
	return false, errors.New("it is not true or false")
}

func parseInt(s []byte, t batch.Type) (int64, error) {
	if t.ID == batch.Uint64 {
		if v, err := strconv.ParseUint(viewString(s), 10, 64); err == nil {
			return int64(v), nil
		}
	} else if v, err := strconv.ParseInt(viewString(s), 10, 64); err == nil {
		if lo, hi := intRange(t); v < lo || v > hi {
			return 0, errRange
		}
		return v, nil
	}
	d, err := parseDecimal(s, 38, 0)
	if err != nil {
		return 0, err
	}
	v, ok := narrowInt(d, t)
	if !ok {
		return 0, errRange
	}
	return v, nil
}

// narrowInt returns d as the bits of an integer type; false where it does not fit.
func narrowInt(d batch.Int128, t batch.Type) (int64, bool) {
	if t.ID == batch.Uint64 {
		return int64(d.Lo), d.Hi == 0
	}
	lo, hi := intRange(t)
	v, ok := d.Int64()
	return v, ok && v >= lo && v <= hi
}

func parseFloat(s []byte, t batch.Type) (float64, error) {
	if bytes.ContainsAny(s, "xX_pP") {
		return 0, errNotNumber
	}
	bits := 64
	if t.ID == batch.Float32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(viewString(s), bits)
	switch r := narrowFloat(f, t); {
	case errors.Is(err, strconv.ErrRange), err == nil && math.IsInf(r, 0) && !math.IsInf(f, 0):
		return 0, errRange
	case err != nil:
		return 0, errNotNumber
	default:
		return r, nil
	}
}

// parseDecimal reads a number exactly, rounding half away from zero to scale digits behind the point.
func parseDecimal(s []byte, prec, scale int) (batch.Int128, error) {
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	exp := 0
	if at := bytes.IndexAny(s, "eE"); at >= 0 {
		e, err := strconv.Atoi(viewString(s[at+1:]))
		if err != nil || e > 1000 || e < -1000 {
			return batch.Int128{}, errNotNumber
		}
		exp, s = e, s[:at]
	}
	whole, frac, _ := bytes.Cut(s, []byte("."))
	if len(whole)+len(frac) == 0 {
		return batch.Int128{}, errNotNumber
	}
	keep := len(whole) + exp + scale // digits in front of the cut
	v, at, up := batch.Int128{}, 0, false
	for _, part := range [2][]byte{whole, frac} {
		for _, c := range part {
			if c < '0' || c > '9' {
				return batch.Int128{}, errNotNumber
			}
			if at < keep {
				var ok bool
				if v, ok = mul128(v, pow10[1]); !ok {
					return batch.Int128{}, errRange
				}
				v, _ = v.Add(batch.Int128Of(int64(c - '0')))
			} else if at == keep {
				up = c >= '5'
			}
			at++
		}
	}
	if up {
		v, _ = v.Add(batch.Int128Of(1))
	}
	v, ok := rescale(v, max(keep-at, 0))
	if !ok || !fits(v, prec) {
		return batch.Int128{}, errRange
	}
	if neg {
		v = v.Neg()
	}
	return v, nil
}

func parseUUID(s []byte) ([]byte, error) {
	out := make([]byte, 16)
	plain := bytes.ReplaceAll(s, []byte("-"), nil)
	if len(plain) != 32 {
		return nil, errors.New("it is not 32 hexadecimal digits")
	}
	if _, err := hex.Decode(out, plain); err != nil {
		return nil, errors.New("it is not 32 hexadecimal digits")
	}
	return out, nil
}

// appendFloat writes a float as DuckDB does: 1.5, 100.0, 1e+20, inf, nan.
func appendFloat(dst []byte, f float64, t batch.Type) []byte {
	if t.ID == batch.Float64 {
		return batch.AppendFloat(dst, f, 64)
	}
	return batch.AppendFloat(dst, f, 32)
}

func appendDecimal(dst []byte, v batch.Int128, scale int) []byte {
	if scale == 0 {
		return appendInt128(dst, v)
	}
	var buf [48]byte
	if v.Hi < 0 {
		dst = append(dst, '-')
		v = v.Neg()
	}
	digits := appendInt128(buf[:0], v)
	for n := len(digits); n <= scale; n++ {
		digits = append([]byte{'0'}, digits...)
	}
	point := len(digits) - scale
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}

// appendValue writes a value as cast(... as string) does.
func appendValue(dst []byte, v Value, t batch.Type) []byte {
	switch {
	case v.Null:
		return append(dst, "null"...)
	case t.ID == batch.Bool:
		return strconv.AppendBool(dst, v.Bool)
	case t.ID == batch.Uint64:
		return strconv.AppendUint(dst, uint64(v.Int), 10)
	case t.IsInteger():
		return strconv.AppendInt(dst, v.Int, 10)
	case t.IsFloat():
		return appendFloat(dst, v.Float, t)
	case t.ID == batch.Decimal && t.Kind() == batch.KindInt64:
		return appendDecimal(dst, batch.Int128Of(v.Int), int(t.Scale))
	case t.ID == batch.Decimal:
		return appendDecimal(dst, v.Int128, int(t.Scale))
	case t.ID == batch.Date:
		return appendDate(dst, v.Int)
	case t.ID == batch.Time:
		return appendClock(dst, v.Int, t.Unit)
	case t.ID == batch.Timestamp:
		return appendTimestamp(dst, v.Int, t)
	case t.ID == batch.UUID:
		return appendUUID(dst, v.Bytes)
	case t.ID == batch.String:
		return append(dst, v.Bytes...)
	}
	return fmt.Appendf(dst, "%x", v.Bytes)
}
