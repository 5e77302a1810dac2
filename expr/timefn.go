package expr

import (
	"math"
	"slices"
	"strings"

	"pqjoin/batch"
)

// extractParts are the parts that date_part knows, truncParts those that have a start.
var (
	truncParts   = []string{"millennium", "century", "decade", "year", "isoyear", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"}
	extractParts = []string{"era", "millennium", "century", "decade", "year", "isoyear", "quarter", "month", "yearweek", "week", "day", "dayofweek", "isodow", "dayofyear", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond", "epoch", "julian"}
	clockParts   = []string{"hour", "minute", "second", "millisecond", "microsecond", "nanosecond", "epoch"}
)

// partAliases are other names of parts.
var partAliases = map[string]string{"dow": "dayofweek", "weekday": "dayofweek", "doy": "dayofyear", "weekofyear": "week", "dayofmonth": "day"}

func isClock(t batch.Type) bool { return t.ID == batch.Date || t.ID == batch.Timestamp }

func bindPart(n *node) (*node, *Error) {
	a := n.args[0]
	clock := slices.Contains(clockParts, n.op) && a.typ.ID == batch.Time
	if a.typ.ID == batch.Null {
		a = conv(a, batch.Of(batch.Date))
	} else if !isClock(a.typ) && !clock {
		return nil, errorAt(a.off, castOr(a.typ, batch.Date, "cast(x as date) reads a text as a date"), "%s needs a date or a timestamp, not %s", n.op, a.typ)
	}
	n.args[0], n.typ, n.null = a, batch.Of(batch.Int64), a.null
	return n, nil
}

func bindEpoch(n *node) (*node, *Error) {
	if _, err := bindPart(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Float64)
	return n, nil
}

// partName checks the constant that names a part of a date, one of parts, and gives it its plain name.
func partName(n *node, parts []string) (string, *Error) {
	a := n.args[0]
	hint := ""
	if a.literal() && a.typ.ID == batch.String && !a.val.Null {
		name := strings.ToLower(string(a.val.Bytes))
		part, ok := partAliases[name]
		if !ok {
			if part = unitOf(name); part == "" {
				part = name
			}
		}
		if slices.Contains(parts, part) {
			lit := textLiteral(a.off, part)
			n.args[0] = &node{op: "literal", typ: lit.Type, off: a.off, val: lit.Value, written: lit}
			return part, nil
		}
		hint = didYouMean(name, parts)
	}
	return "", errorAt(a.off, hint, "the part of %s must be one of %s, in quotes", n.op, joinNames(parts))
}

func needClock(n *node, i int) *Error {
	a := n.args[i]
	if a.typ.ID == batch.Null {
		n.args[i] = conv(a, batch.TimestampOf(batch.Micro, false))
	} else if !isClock(a.typ) {
		return errorAt(a.off, castOr(a.typ, batch.Date, "cast(x as date) reads a text as a date"), "%s needs a date or a timestamp, not %s", n.op, a.typ)
	}
	return nil
}

func bindTrunc(n *node) (*node, *Error) {
	if _, err := partName(n, truncParts); err != nil {
		return nil, err
	}
	if err := needClock(n, 1); err != nil {
		return nil, err
	}
	if n.typ = n.args[1].typ; n.typ.ID == batch.Date {
		n.typ = batch.TimestampOf(batch.Micro, false)
	}
	n.args[1], n.null = conv(n.args[1], n.typ), n.args[1].null
	return n, nil
}

func bindDiff(n *node) (*node, *Error) {
	if _, err := partName(n, truncParts); err != nil {
		return nil, err
	}
	for i := 1; i <= 2; i++ {
		a, err := adapt(n.args[i], n.args[3-i])
		if err != nil {
			return nil, err
		}
		n.args[i] = a
		if err := needClock(n, i); err != nil {
			return nil, err
		}
	}
	n.typ, n.null = batch.Of(batch.Int64), mayBeNull(n.args)
	return n, nil
}

func bindStrptime(n *node) (*node, *Error) {
	if err := needFormat(n, parseVerbs); err != nil {
		return nil, err
	}
	if _, err := bindStrings(n, batch.TimestampOf(batch.Micro, false), 1); err != nil {
		return nil, err
	}
	n.null = n.null || n.op == "try_strptime"
	return n, nil
}

func bindStrftime(n *node) (*node, *Error) {
	if err := needFormat(n, formatVerbs); err != nil {
		return nil, err
	}
	if err := needClock(n, 0); err != nil {
		return nil, err
	}
	n.typ, n.null = batch.Of(batch.String), n.args[0].null
	return n, nil
}

func needFormat(n *node, verbs string) *Error {
	a := n.args[1]
	if !a.literal() || a.typ.ID != batch.String {
		return errorAt(a.off, "write it in quotes, for example '%Y-%m-%d'", "the format of %s must be a constant text", n.op)
	}
	if bad := badVerb(a.val.Bytes, verbs); bad != "" {
		return errorAt(a.off, "", "%s does not know %s in a format", n.op, bad)
	}
	return nil
}

// moment splits a value of a date, time or timestamp into days and ticks since midnight.
func moment(v int64, t batch.Type) (days, tick int64) {
	switch t.ID {
	case batch.Date:
		return v, 0
	case batch.Time:
		return 0, v
	}
	const day = daySeconds
	switch t.Unit { // constant divisors: no division
	case batch.Second:
		days, tick = v/day, v%day
	case batch.Milli:
		days, tick = v/(day*1e3), v%(day*1e3)
	case batch.Micro:
		days, tick = v/(day*1e6), v%(day*1e6)
	default:
		days, tick = v/(day*1e9), v%(day*1e9)
	}
	if tick < 0 {
		days, tick = days-1, tick+day*perSecond(t.Unit)
	}
	return days, tick
}

func timeKernel(n *node) func(*frame) error {
	switch n.op {
	case "epoch":
		return kernelEpoch(n.args[0].typ)
	case "date_trunc":
		return kernelTrunc(string(n.args[0].val.Bytes))
	case "date_diff":
		return kernelDiff(n)
	case "strptime", "try_strptime":
		return kernelStrptime(n.args[1].val.Bytes, n.op == "try_strptime")
	case "strftime":
		return kernelStrftime(n.args[1].val.Bytes, n.args[0].typ)
	}
	t, part := n.args[0].typ, partOf(n.op)
	return func(f *frame) error {
		in, m := values[int64](f.args[0])
		out := f.out.Int64s()
		per := perSecond(t.Unit)
		if t.ID == batch.Date {
			per = 1
		}
		for i := range out {
			days, tick := moment(in[i&m], t)
			out[i] = part(days, tick, per)
		}
		return nil
	}
}

// partOf returns a part of a moment given as days, and as ticks since midnight of which a second has per.
func partOf(op string) func(days, tick, per int64) int64 {
	switch op {
	case "hour":
		return func(_, tick, per int64) int64 { return tick / per / 3600 }
	case "minute":
		return func(_, tick, per int64) int64 { return tick / per / 60 % 60 }
	case "second":
		return func(_, tick, per int64) int64 { return tick / per % 60 }
	case "millisecond":
		return func(_, tick, per int64) int64 { return inMinute(tick, per, 1e3) }
	case "microsecond":
		return func(_, tick, per int64) int64 { return inMinute(tick, per, 1e6) }
	case "nanosecond":
		return func(_, tick, per int64) int64 { return inMinute(tick, per, 1e9) }
	}
	part := dayPart(op)
	return func(days, _, _ int64) int64 { return part(days) }
}

// inMinute returns the ticks since the minute began in a unit of which a second has to.
func inMinute(tick, per, to int64) int64 {
	tick %= 60 * per
	if to >= per {
		return tick * (to / per)
	}
	return tick / (per / to)
}

// dayPart returns a part of a date.
func dayPart(op string) func(days int64) int64 {
	switch op {
	case "year":
		return func(days int64) int64 { y, _, _ := daysCivil(days); return y }
	case "week":
		return isoWeek
	case "isoyear":
		return isoYear
	case "yearweek":
		return func(days int64) int64 {
			if y := isoYear(days); y > 0 {
				return y*100 + isoWeek(days)
			} else {
				return y*100 - isoWeek(days)
			}
		}
	case "dayofweek":
		return func(days int64) int64 { return days + 4 - floorDiv(days+4, 7)*7 }
	case "isodow":
		return func(days int64) int64 { return days + 3 - floorDiv(days+3, 7)*7 + 1 }
	case "dayofyear":
		return func(days int64) int64 { y, _, _ := daysCivil(days); return days - civilDays(y, 1, 1) + 1 }
	case "day":
		return func(days int64) int64 { _, _, d := daysCivil(days); return d }
	case "month":
		return func(days int64) int64 { _, m, _ := daysCivil(days); return m }
	case "quarter":
		return func(days int64) int64 { _, m, _ := daysCivil(days); return (m + 2) / 3 }
	}
	part := yearPart(op)
	return func(days int64) int64 { y, _, _ := daysCivil(days); return part(y) }
}

// yearPart returns a part of a year; years before 1 are 0, -1 and so on.
func yearPart(op string) func(y int64) int64 {
	switch op {
	case "era":
		return func(y int64) int64 { return int64(bit(y > 0)) }
	case "millennium":
		return func(y int64) int64 { return stretch(y, 1000) }
	case "century":
		return func(y int64) int64 { return stretch(y, 100) }
	case "decade":
		return func(y int64) int64 { return y / 10 }
	}
	return func(y int64) int64 { return y }
}

// stretch numbers centuries and millennia: the first begins in the year 1, the one before is -1.
func stretch(y, years int64) int64 {
	if y > 0 {
		return (y-1)/years + 1
	}
	return y/years - 1
}

// isoYear returns the year that the Thursday nearest to the day is in.
func isoYear(days int64) int64 {
	y, _, _ := daysCivil(floorDiv(days+3, 7) * 7)
	return y
}

// isoWeek returns the week that the Thursday nearest to the day is in.
func isoWeek(days int64) int64 {
	thursday := floorDiv(days+3, 7) * 7 // its Monday is three days before
	y, _, _ := daysCivil(thursday)
	return (thursday-civilDays(y, 1, 1))/7 + 1
}

// quotient returns the float nearest to v/d. Where v has more digits than a float it is taken as the sum
// of two, and the rest of the first quotient is divided once more (Dekker's correction).
func quotient(v int64, d float64) float64 {
	if v > -1<<53 && v < 1<<53 {
		return float64(v) / d
	}
	hi, lo := float64(v&^0xffffffff), float64(v&0xffffffff)
	q := (hi + lo) / d
	p := q * d
	rest := (hi - p) + lo - math.FMA(q, d, -p)
	return q + rest/d
}

func kernelEpoch(t batch.Type) func(*frame) error {
	return func(f *frame) error {
		in, m := values[int64](f.args[0])
		out := f.out.Float64s()
		for i := range out {
			v := in[i&m]
			if t.ID == batch.Date {
				out[i] = float64(v) * daySeconds
			} else {
				out[i] = quotient(v, float64(perSecond(t.Unit)))
			}
		}
		return nil
	}
}

// truncated returns the days and ticks at which the part that a moment is in begins.
func truncated(part string, days, tick, per int64) (int64, int64) {
	y, m, d := daysCivil(days)
	switch part {
	case "millennium":
		return civilDays(y/1000*1000, 1, 1), 0
	case "century":
		return civilDays(y/100*100, 1, 1), 0
	case "decade":
		return civilDays(y/10*10, 1, 1), 0
	case "isoyear":
		return floorDiv(civilDays(isoYear(days), 1, 4)+3, 7)*7 - 3, 0
	case "year":
		return civilDays(y, 1, 1), 0
	case "quarter":
		return civilDays(y, (m-1)/3*3+1, 1), 0
	case "month":
		return days - d + 1, 0
	case "week":
		return floorDiv(days+3, 7)*7 - 3, 0
	case "day":
		return days, 0
	case "hour":
		return days, tick - tick%(3600*per)
	case "minute":
		return days, tick - tick%(60*per)
	case "second":
		return days, tick - tick%per
	case "millisecond":
		return days, tick - tick%max(per/1e3, 1)
	}
	return days, tick - tick%max(per/1e6, 1)
}

func kernelTrunc(part string) func(*frame) error {
	return func(f *frame) error {
		in, m := values[int64](f.args[1])
		out := f.out.Int64s()
		per := perSecond(f.typ.Unit)
		for i := range out {
			days, tick := moment(in[i&m], f.typ)
			days, tick = truncated(part, days, tick, per)
			v, ok := mulInt64(days, daySeconds*per)
			if !ok && !f.null(i) {
				return f.st.rowError("the start of the %s of %s does not fit %s", part, appendTimestamp(nil, in[i&m], f.typ), f.typ)
			}
			out[i] = v + tick
		}
		return nil
	}
}
