package expr

import (
	"bytes"
	"strings"

	"pqjoin/batch"
)

// The verbs of formats: %Y year, %y its last two digits, %m month, %d day, %H hour, %I
// hour of twelve, %p AM or PM, %M minute, %S second, %f microseconds, %b and %B names of
// months, %a and %A of weekdays, %j day of the year, %z offset from UTC, %% a percent sign;
// written only: %h month, %g milliseconds, %n nanoseconds, %w and %u weekday (Sunday is 0, is 7), %G and %V year
// and week of ISO 8601, %U and %W week that begins on Sunday, on Monday. After %- numbers are not padded.
const (
	parseVerbs  = "YymdHIpMSfbBaAjz%"
	formatVerbs = "YymdHIpMSfbBaAjhgnwuGVUWz%"
	shortVerbs  = "mdHIMSjy" // those that may follow %-
)

var (
	monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
)

// badVerb returns the first verb of a format that is not among verbs.
func badVerb(format []byte, verbs string) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		if i++; i == len(format) {
			return "% at its end"
		}
		if format[i] == '-' && i+1 < len(format) && verbs == formatVerbs && strings.IndexByte(shortVerbs, format[i+1]) >= 0 {
			i++
			continue
		}
		if strings.IndexByte(verbs, format[i]) < 0 {
			return shorten(strings.ToValidUTF8(string(format[i-1:min(i+4, len(format))]), "?"))
		}
	}
	return ""
}

func kernelStrptime(format []byte, try bool) func(*frame) error {
	return func(f *frame) error {
		in, out := textsOf(f.args[0]), f.out.Int64s()
		for i := range out {
			if f.null(i) {
				continue
			}
			v, ok := parseFormat(in.at(i), format, f.typ.Unit)
			switch {
			case ok:
				out[i] = v
			case try:
				if err := f.setNull(i); err != nil {
					return err
				}
			default:
				err := f.st.rowError("'%s' does not match the format '%s'", shorten(string(in.at(i))), shorten(string(format)))
				err.Hint = "try_strptime in place of strptime gives null there"
				return err
			}
		}
		return nil
	}
}

// fields collects what a format reads.
type fields struct {
	y, m, d, h, min, s, ns int64
	yday, east             int64
	pm, half               bool // half: %p was read
}

func parseFormat(text, format []byte, unit batch.Unit) (int64, bool) {
	t := textScanner{bytes.TrimSpace(text)}
	p := fields{y: 1900, m: 1, d: 1}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			if !t.eat(format[i]) {
				return 0, false
			}
			continue
		}
		i++
		if !p.read(&t, format[i]) {
			return 0, false
		}
	}
	if len(t.s) > 0 {
		return 0, false
	}
	return p.ticks(unit)
}

func (p *fields) read(t *textScanner, verb byte) bool {
	ok := true
	switch verb {
	case 'Y':
		p.y, ok = t.number(1, 4)
	case 'y':
		if p.y, ok = t.number(2, 2); p.y < 69 {
			p.y += 100
		}
		p.y += 1900
	case 'm':
		p.m, ok = t.number(1, 2)
	case 'd':
		p.d, ok = t.number(1, 2)
	case 'H', 'I':
		p.h, ok = t.number(1, 2)
	case 'M':
		p.min, ok = t.number(1, 2)
	case 'S':
		p.s, ok = t.number(1, 2)
	case 'j':
		p.yday, ok = t.number(1, 3)
	case 'f':
		before := len(t.s)
		p.ns, ok = t.number(1, 9)
		for n := before - len(t.s); n < 9; n++ {
			p.ns *= 10
		}
	case 'p':
		p.half, p.pm = true, t.name([]string{"AM", "PM"}, 2) == 1
	case 'b':
		p.m = int64(t.name(monthNames, 3)) + 1
	case 'B':
		p.m = int64(t.name(monthNames, 0)) + 1
	case 'a':
		ok = t.name(dayNames, 3) >= 0
	case 'A':
		ok = t.name(dayNames, 0) >= 0
	case 'z':
		var err error
		p.east, ok, err = t.zone()
		ok = ok && err == nil
	default:
		ok = t.eat('%')
	}
	return ok
}

// name reads one of the names, of which the first letters count (0: all), without case; -1 where there is none.
func (t *textScanner) name(names []string, letters int) int {
	for i, n := range names {
		if letters > 0 {
			n = n[:letters]
		}
		if len(t.s) >= len(n) && strings.EqualFold(string(t.s[:len(n)]), n) {
			t.s = t.s[len(n):]
			return i
		}
	}
	return -1
}

func (p *fields) ticks(unit batch.Unit) (int64, bool) {
	if p.half {
		if p.h < 1 || p.h > 12 {
			return 0, false
		}
		if p.h %= 12; p.pm {
			p.h += 12
		}
	}
	if p.m < 1 || p.m > 12 || p.d < 1 || p.d > daysInMonth(p.y, p.m) || p.h > 23 || p.min > 59 || p.s > 59 {
		return 0, false
	}
	days := civilDays(p.y, p.m, p.d)
	if p.yday > 0 {
		if p.yday > 365 && (p.yday > 366 || daysInMonth(p.y, 2) == 28) {
			return 0, false
		}
		days = civilDays(p.y, 1, 1) + p.yday - 1
	}
	v, err := ticks(days*daySeconds+p.h*3600+p.min*60+p.s-p.east, p.ns, unit)
	return v, err == nil
}

func kernelStrftime(format []byte, t batch.Type) func(*frame) error {
	return func(f *frame) error {
		in, m := values[int64](f.args[0])
		var scratch []byte
		for i := range f.n {
			if scratch = scratch[:0]; !f.null(i) {
				scratch = appendFormat(scratch, format, in[i&m], t)
			}
			if err := f.w.add(scratch); err != nil {
				return err
			}
		}
		return nil
	}
}

// written is a moment cut into what formats write.
type written struct {
	days, y, m, d int64
	sec, ns       int64 // since midnight, and below a second
	weekday       int64 // Sunday is 0
}

func appendFormat(dst, format []byte, v int64, t batch.Type) []byte {
	w := written{}
	var tick int64
	w.days, tick = moment(v, t)
	if t.ID != batch.Date {
		per := perSecond(t.Unit)
		w.sec, w.ns = tick/per, tick%per*(1e9/per)
	}
	w.y, w.m, w.d = daysCivil(w.days)
	w.weekday = w.days + 4 - floorDiv(w.days+4, 7)*7
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			dst = append(dst, format[i])
			continue
		}
		i++
		short := format[i] == '-'
		if short {
			i++
		}
		if v, width := w.number(format[i]); width > 0 {
			if short {
				width = 1
			}
			dst = appendPadded(dst, v, width)
			continue
		}
		dst = w.text(dst, format[i])
	}
	return dst
}

// number returns what a verb writes as a number, and its digits; 0 digits where it writes none.
func (w *written) number(verb byte) (v int64, width int) {
	switch verb {
	case 'Y':
		return w.y, 4
	case 'y':
		return (w.y%100 + 100) % 100, 2
	case 'm':
		return w.m, 2
	case 'd':
		return w.d, 2
	case 'H':
		return w.sec / 3600, 2
	case 'I':
		return (w.sec/3600+11)%12 + 1, 2
	case 'M':
		return w.sec / 60 % 60, 2
	case 'S':
		return w.sec % 60, 2
	case 'f':
		return w.ns / 1e3, 6
	case 'g':
		return w.ns / 1e6, 3
	case 'n':
		return w.ns, 9
	case 'j':
		return w.yday() + 1, 3
	}
	return w.week(verb)
}

func (w *written) yday() int64 { return w.days - civilDays(w.y, 1, 1) }

// week returns what verbs of weeks and weekdays write.
func (w *written) week(verb byte) (v int64, width int) {
	switch verb {
	case 'w':
		return w.weekday, 1
	case 'u':
		return (w.weekday+6)%7 + 1, 1
	case 'G':
		return isoYear(w.days), 4
	case 'V':
		return isoWeek(w.days), 2
	case 'U':
		return (w.yday() + 7 - w.weekday) / 7, 2
	case 'W':
		return (w.yday() + 7 - (w.weekday+6)%7) / 7, 2
	}
	return 0, 0
}

func (w *written) text(dst []byte, verb byte) []byte {
	switch verb {
	case 'p':
		return append(dst, []string{"AM", "PM"}[w.sec/43200]...)
	case 'b', 'h':
		return append(dst, monthNames[w.m-1][:3]...)
	case 'B':
		return append(dst, monthNames[w.m-1]...)
	case 'a':
		return append(dst, dayNames[w.weekday][:3]...)
	case 'A':
		return append(dst, dayNames[w.weekday]...)
	case 'z':
		return append(dst, "+00"...)
	}
	return append(dst, '%')
}
