package expr

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"pqjoin/batch"
)

const daySeconds = 86400

var (
	errNotDate      = errors.New("it is not a date like 2024-01-31")
	errNotTime      = errors.New("it is not a time like 23:59:59.5")
	errNotTimestamp = errors.New("it is not a timestamp like 2024-01-31 23:59:59.5")
	errRange        = errors.New("it is out of range")
)

// civilDays returns the days from 1970-01-01 to a date of the proleptic Gregorian calendar.
func civilDays(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// daysCivil is the inverse of civilDays. Days within 30,000 years take about 3 ns and no division: the
// multiplications of Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022).
func daysCivil(days int64) (y, m, d int64) {
	const eras = 82 // of 400 years, so that the day's number is positive
	if days < -nearDays || days > nearDays {
		return farCivil(days)
	}
	n1 := 4*uint32(days+719468+146097*eras) + 3
	century, day := n1/146097, n1%146097/4 // day of the century
	n2 := uint64(2939745) * uint64(4*day+3)
	yday := uint32(n2) / 2939745 / 4 // from the first of March
	n3 := 2141*yday + 197913
	y = int64(100*century+uint32(n2>>32)) - 400*eras
	m, d = int64(n3>>16), int64(n3&0xffff/2141+1)
	if yday >= 306 {
		return y + 1, m - 12, d
	}
	return y, m, d
}

// nearDays is how far from 1970 the quick way goes.
const nearDays = 11_000_000

// farCivil is daysCivil for any days.
func farCivil(days int64) (y, m, d int64) {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func daysInMonth(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// textScanner reads numbers and separators off the front of a text.
type textScanner struct{ s []byte }

func (t *textScanner) eat(c byte) bool {
	if len(t.s) > 0 && t.s[0] == c {
		t.s = t.s[1:]
		return true
	}
	return false
}

// number reads between lo and hi digits.
func (t *textScanner) number(lo, hi int) (v int64, ok bool) {
	n := 0
	for n < hi && n < len(t.s) && t.s[n] >= '0' && t.s[n] <= '9' {
		v = v*10 + int64(t.s[n]-'0')
		n++
	}
	t.s = t.s[n:]
	return v, n >= lo
}

func (t *textScanner) date() (int64, error) {
	neg := t.eat('-')
	y, ok1 := t.number(1, 6)
	ok2 := t.eat('-')
	m, ok3 := t.number(1, 2)
	ok4 := t.eat('-')
	d, ok5 := t.number(1, 2)
	if !(ok1 && ok2 && ok3 && ok4 && ok5) {
		return 0, errNotDate
	}
	if neg {
		y = -y
	}
	if m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		return 0, errRange
	}
	return civilDays(y, m, d), nil
}

// clock reads hh:mm[:ss[.fraction]] as nanoseconds since midnight.
func (t *textScanner) clock() (int64, error) {
	h, ok1 := t.number(1, 2)
	ok2 := t.eat(':')
	m, ok3 := t.number(1, 2)
	if !(ok1 && ok2 && ok3) {
		return 0, errNotTime
	}
	var s, frac int64
	if t.eat(':') {
		var ok bool
		if s, ok = t.number(1, 2); !ok {
			return 0, errNotTime
		}
		if t.eat('.') {
			before := len(t.s)
			if frac, ok = t.number(1, 9); !ok {
				return 0, errNotTime
			}
			for n := before - len(t.s); n < 9; n++ {
				frac *= 10
			}
			t.number(0, math.MaxInt32)
		}
	}
	if h > 23 || m > 59 || s > 59 {
		return 0, errRange
	}
	return (h*3600+m*60+s)*1e9 + frac, nil
}

// zone reads Z or an offset like +01, +01:30 as seconds east of UTC; found is false where there is none.
func (t *textScanner) zone() (east int64, found bool, err error) {
	if t.eat('Z') || t.eat('z') {
		return 0, true, nil
	}
	neg := t.eat('-')
	if !neg && !t.eat('+') {
		return 0, false, nil
	}
	h, ok := t.number(1, 2)
	t.eat(':')
	m, _ := t.number(0, 2)
	if !ok || h > 18 || m > 59 {
		return 0, false, errNotTimestamp
	}
	if east = h*3600 + m*60; neg {
		east = -east
	}
	return east, true, nil
}

func parseDate(s []byte) (int64, error) {
	t := textScanner{s}
	d, err := t.date()
	if err == nil && len(t.s) > 0 {
		err = errNotDate
	}
	return d, err
}

func parseTime(s []byte, typ batch.Type) (int64, error) {
	t := textScanner{s}
	ns, err := t.clock()
	if err == nil && len(t.s) > 0 {
		err = errNotTime
	}
	return ns / (1e9 / perSecond(typ.Unit)), err
}

func parseTimestamp(s []byte, typ batch.Type) (int64, error) {
	t := textScanner{s}
	days, err := t.date()
	if err != nil {
		if errors.Is(err, errNotDate) {
			err = errNotTimestamp
		}
		return 0, err
	}
	var ns, east int64
	if t.eat(' ') || t.eat('T') {
		if ns, err = t.clock(); err != nil {
			return 0, err
		}
		var found bool
		t.eat(' ')
		if east, found, err = t.zone(); err != nil {
			return 0, err
		}
		if found && !typ.UTC {
			return 0, errors.New("it has a time zone and the type has none: use timestamp(us, utc)")
		}
	}
	if len(t.s) > 0 {
		return 0, errNotTimestamp
	}
	return ticks(days*daySeconds-east, ns, typ.Unit)
}

// ticks joins seconds and nanoseconds below a day in the unit.
func ticks(sec, ns int64, unit batch.Unit) (int64, error) {
	per := perSecond(unit)
	sec += ns / 1e9
	v, ok := mulInt64(sec, per)
	frac := ns % 1e9 / (1e9 / per)
	sum := v + frac
	if !ok || sum < v {
		return 0, errRange
	}
	return sum, nil
}

func mulInt64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi)
	if a < 0 {
		h -= b
	}
	if b < 0 {
		h -= a
	}
	return int64(lo), h == int64(lo)>>63
}

func appendPadded(dst []byte, v int64, width int) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	var buf [20]byte
	s := strconv.AppendInt(buf[:0], v, 10)
	for n := len(s); n < width; n++ {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

func appendDate(dst []byte, days int64) []byte {
	y, m, d := daysCivil(days)
	dst = append(appendPadded(dst, y, 4), '-')
	dst = append(appendPadded(dst, m, 2), '-')
	return appendPadded(dst, d, 2)
}

// appendClock writes hh:mm:ss and the fraction without trailing zeros.
func appendClock(dst []byte, v int64, unit batch.Unit) []byte {
	per := perSecond(unit)
	s, frac := v/per, v%per
	dst = append(appendPadded(dst, s/3600, 2), ':')
	dst = append(appendPadded(dst, s/60%60, 2), ':')
	dst = appendPadded(dst, s%60, 2)
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	dst = appendPadded(dst, frac, len(strconv.FormatInt(per, 10))-1)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendTimestamp(dst []byte, v int64, t batch.Type) []byte {
	day := daySeconds * perSecond(t.Unit)
	days := floorDiv(v, day)
	dst = append(appendDate(dst, days), ' ')
	dst = appendClock(dst, v-days*day, t.Unit)
	if t.UTC {
		dst = append(dst, "+00"...)
	}
	return dst
}

func appendUUID(dst, v []byte) []byte {
	if len(v) != 16 {
		return fmt.Appendf(dst, "%x", v)
	}
	return fmt.Appendf(dst, "%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
}
