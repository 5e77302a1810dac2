package text

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"unsafe"

	"pqjoin/batch"
)

// ParseInt reads a whole number as it is written without ornament: no plus, no zeros before it.
func ParseInt(p []byte) (int64, bool) {
	digits := p
	if len(p) > 0 && p[0] == '-' {
		digits = p[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range digits {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	if len(digits) == len(p) {
		return int64(n), n <= math.MaxInt64
	}
	return -int64(n), n <= 1<<63
}

// ParseUint is ParseInt for uint64.
func ParseUint(p []byte) (uint64, bool) {
	if len(p) == 0 || p[0] == '+' || p[0] == '0' && len(p) > 1 {
		return 0, false
	}
	v, err := strconv.ParseUint(borrow(p), 10, 64)
	return v, err == nil
}

// ParseFloat reads a decimal number, with or without exponent, nan, inf, or infinity. A whole number that float64 does not
// hold exactly is none; nor is one with a plus or zeros before it, or too great for float64.
func ParseFloat(p []byte, bits int) (float64, bool) {
	if v, ok := ParseInt(p); ok {
		if p[0] == '-' && v == 0 {
			return math.Copysign(0, -1), true
		}
		f := float64(v)
		return f, bits == 64 && (v > -1<<53 && v < 1<<53 || f < 1<<63 && int64(f) == v) || bits == 32 && v > -1<<24 && v < 1<<24
	}
	point, digits, i := false, 0, 0
	if i < len(p) && p[i] == '-' {
		i++
	}
	if i+1 < len(p) && p[i] == '0' && p[i+1] >= '0' && p[i+1] <= '9' {
		return 0, false
	}
	for ; i < len(p); i++ {
		switch c := p[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && digits > 0:
			if len(p) == i+1 {
				return 0, false
			}
			point, i = true, len(p) // the rest is for strconv
		default:
			return parseSpecial(p)
		}
	}
	if digits == 0 || !point {
		return 0, false
	}
	for _, c := range p {
		if c == '_' || c == 'x' || c == 'X' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(borrow(p), bits)
	return f, err == nil
}

// NearestFloat is ParseFloat that takes any decimal number: it returns the nearest float, an infinity beyond the greatest.
func NearestFloat(p []byte, bits int) (float64, bool) {
	if v, ok := ParseFloat(p, bits); ok || len(p) == 0 {
		return v, ok
	}
	for i, c := range p {
		if (c < '0' || c > '9') && c != '-' && c != '.' && (i == 0 || c|0x20 != 'e' && c != '+') {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(borrow(p), bits)
	return f, err == nil || errors.Is(err, strconv.ErrRange)
}

func parseSpecial(p []byte) (float64, bool) {
	sign := 1
	if len(p) > 0 && p[0] == '-' {
		sign, p = -1, p[1:]
	}
	switch {
	case fold(p, "nan"):
		return math.NaN(), true
	case fold(p, "inf"), fold(p, "infinity"):
		return math.Inf(sign), true
	}
	return 0, false
}

// ParseBool reads true and false, in letters of either case.
func ParseBool(p []byte) (v, ok bool) {
	switch {
	case fold(p, "true"):
		return true, true
	case fold(p, "false"):
		return false, true
	}
	return false, false
}

// fold says whether p is word, which is of small letters, in letters of either case.
func fold(p []byte, word string) bool {
	if len(p) != len(word) {
		return false
	}
	for i, c := range p {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

// borrow is p as a string for as long as p does not change.
func borrow(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// digits reads exactly n digits.
func digits(p []byte, n int) (v int64, rest []byte, ok bool) {
	if len(p) < n {
		return 0, p, false
	}
	for _, c := range p[:n] {
		if c < '0' || c > '9' {
			return 0, p, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, p[n:], true
}

// sep takes a separator.
func sep(p []byte, c byte) ([]byte, bool) {
	if len(p) == 0 || p[0] != c {
		return p, false
	}
	return p[1:], true
}

// parseDate reads YYYY-MM-DD at the start of p as days since 1970. A year of more digits, or before 1, has a sign.
func parseDate(p []byte) (days int64, rest []byte, ok bool) {
	year, n := int64(1), 4
	if len(p) > 0 && (p[0] == '-' || p[0] == '+') {
		if p[0] == '-' {
			year = -1
		}
		p = p[1:]
		if n = bytes.IndexByte(p, '-'); n < 4 || n > 7 {
			return 0, p, false
		}
	}
	y, p, ok1 := digits(p, n)
	p, ok2 := sep(p, '-')
	m, p, ok3 := digits(p, 2)
	p, ok4 := sep(p, '-')
	d, p, ok5 := digits(p, 2)
	if !(ok1 && ok2 && ok3 && ok4 && ok5) || m < 1 || m > 12 || d < 1 {
		return 0, p, false
	}
	year *= y
	if d > daysIn(year, m) {
		return 0, p, false
	}
	return civilDays(year, m, d), p, true
}

func daysIn(y, m int64) int64 {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// civilDays returns the days from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
func civilDays(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// civil is the inverse of civilDays.
func civil(days int64) (y, m, d int64) {
	z := days + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d, m = doy-(153*mp+2)/5+1, mp+3
	if m > 12 {
		m -= 12
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

// ParseDate reads a date as days since 1970-01-01.
func ParseDate(p []byte) (int64, bool) {
	d, rest, ok := parseDate(p)
	return d, ok && len(rest) == 0
}

// clock is a time as text has it: whole seconds and nanoseconds, and how finely it was written.
type clock struct {
	secs, nanos int64
	fine        bool // more than six digits behind the point
	zoned       bool
}

// parseClock reads hh:mm, hh:mm:ss or hh:mm:ss.f at the start of p.
func parseClock(p []byte) (c clock, rest []byte, ok bool) {
	h, p, ok1 := digits(p, 2)
	p, ok2 := sep(p, ':')
	m, p, ok3 := digits(p, 2)
	if !(ok1 && ok2 && ok3) || h > 23 || m > 59 {
		return c, p, false
	}
	c.secs = h*3600 + m*60
	if len(p) == 0 || p[0] != ':' {
		return c, p, true
	}
	s, p, ok4 := digits(p[1:], 2)
	if !ok4 || s > 59 {
		return c, p, false
	}
	c.secs += s
	if len(p) == 0 || p[0] != '.' {
		return c, p, true
	}
	p = p[1:]
	n := 0
	for ; n < len(p) && p[n] >= '0' && p[n] <= '9'; n++ {
		if n < 9 {
			c.nanos = c.nanos*10 + int64(p[n]-'0')
		}
	}
	for k := n; k < 9; k++ {
		c.nanos *= 10
	}
	c.fine = c.nanos%1000 != 0
	return c, p[n:], n > 0 && n <= 9
}

// parseInstant reads a date, or a date and a time after a blank or T, with an optional zone: Z or an offset.
func parseInstant(p []byte) (c clock, ok bool) {
	days, p, ok := parseDate(p)
	if !ok || len(p) == 0 {
		c.secs = days * 86400
		return c, ok
	}
	if p[0] != ' ' && p[0] != 'T' && p[0] != 't' {
		return c, false
	}
	c, p, ok = parseClock(p[1:])
	if !ok {
		return c, false
	}
	c.secs += days * 86400
	if len(p) == 0 {
		return c, true
	}
	off, ok := parseZone(p)
	c.secs, c.zoned = c.secs-off, true
	return c, ok
}

// parseZone reads Z, +hh, +hhmm or +hh:mm as seconds.
func parseZone(p []byte) (int64, bool) {
	if p[0] == 'Z' || p[0] == 'z' {
		return 0, len(p) == 1
	}
	sign := int64(1)
	switch p[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	h, p, ok := digits(p[1:], 2)
	if !ok || h > 23 {
		return 0, false
	}
	if len(p) == 0 {
		return sign * h * 3600, true
	}
	if p[0] == ':' {
		p = p[1:]
	}
	m, p, ok := digits(p, 2)
	return sign * (h*3600 + m*60), ok && m < 60 && len(p) == 0
}

// ticks returns the clock in units; false where it is finer than the unit or does not fit.
func (c clock) ticks(u batch.Unit) (int64, bool) {
	per := perSecond(u)
	nanosPer := 1_000_000_000 / per
	if c.nanos%nanosPer != 0 {
		return 0, false
	}
	if c.secs > math.MaxInt64/per-1 || c.secs < math.MinInt64/per+1 {
		return 0, false
	}
	return c.secs*per + c.nanos/nanosPer, true
}

func perSecond(u batch.Unit) int64 {
	switch u {
	case batch.Milli:
		return 1000
	case batch.Micro:
		return 1_000_000
	case batch.Nano:
		return 1_000_000_000
	}
	return 1
}
