package refexpr

import (
	"math/big"
	"time"

	"pqjoin/batch"
	"pqjoin/expr"
)

var timeCalls = map[string]function{
	"date_part": func(_ string, args []val) (val, error) { return partOf(args[0].s, args[1:]) },
	"monthname": timeText, "dayname": timeText, "last_day": lastDay, "make_date": makeDate,
	"epoch_ms": epochUnit, "epoch_us": epochUnit, "epoch_ns": epochUnit,
	"date_diff": dateDiff, "date_sub": dateSub, "date_add": func(_ string, args []val) (val, error) { return moved(args[0].s, args[1], args[2]) },
	"timezone": timezone,
}

func init64(name string) function {
	return func(_ string, args []val) (val, error) { return partOf(name, args) }
}

// partCalls are the parts that are functions of their own, beside those that call knows.
var partCalls = map[string]function{
	"era": init64("era"), "millennium": init64("millennium"), "century": init64("century"), "decade": init64("decade"), "isoyear": init64("isoyear"),
	"yearweek": init64("yearweek"), "isodow": init64("isodow"), "millisecond": init64("millisecond"), "microsecond": init64("microsecond"), "nanosecond": init64("nanosecond"),
}

func partOf(name string, args []val) (val, error) {
	if anyNull(args) {
		return null(batch.Of(batch.Int64)), nil
	}
	m := moment(args[0])
	y, week := m.ISOWeek()
	if full, ok := map[string]string{"dow": "dayofweek", "doy": "dayofyear"}[name]; ok {
		name = full
	}
	inMinute := int64(m.Second())*1e9 + int64(m.Nanosecond())
	switch name {
	case "era":
		return whole64(int64(btoi(m.Year() > 0))), nil
	case "millennium":
		return whole64(counted(m.Year(), 1000)), nil
	case "century":
		return whole64(counted(m.Year(), 100)), nil
	case "decade":
		return whole64(int64(m.Year() / 10)), nil
	case "isoyear":
		return whole64(int64(y)), nil
	case "yearweek":
		if y <= 0 {
			week = -week
		}
		return whole64(int64(y*100 + week)), nil
	case "isodow":
		return whole64(int64((m.Weekday()+6)%7) + 1), nil
	case "millisecond":
		return whole64(inMinute / 1e6), nil
	case "microsecond":
		return whole64(inMinute / 1e3), nil
	case "nanosecond":
		return whole64(inMinute), nil
	}
	return whole64(int64(part(name, m))), nil
}

// counted numbers centuries and the like: the year 1 begins the first, the year 0 (1 BC) ends the one numbered -1.
func counted(year, length int) int64 {
	n := int64(0)
	for ; year > 0; year -= length {
		n++
	}
	if n > 0 {
		return n
	}
	for n--; year <= -length; year += length {
		n--
	}
	return n
}

func timeText(name string, args []val) (val, error) {
	t := batch.Of(batch.String)
	if anyNull(args) {
		return null(t), nil
	}
	if name == "dayname" {
		return val{typ: t, s: moment(args[0]).Weekday().String()}, nil
	}
	return val{typ: t, s: moment(args[0]).Month().String()}, nil
}

func lastDay(_ string, args []val) (val, error) {
	t := batch.Of(batch.Date)
	if anyNull(args) {
		return null(t), nil
	}
	m := moment(args[0])
	return fromMoment(time.Date(m.Year(), m.Month()+1, 0, 0, 0, 0, 0, time.UTC), t)
}

func makeDate(_ string, args []val) (val, error) {
	t := batch.Of(batch.Date)
	if anyNull(args) {
		return null(t), nil
	}
	var p [3]int
	for i := range p {
		n := args[i].num.Num()
		if !n.IsInt64() || n.Int64() > 1e6 || n.Int64() < -1e6 {
			return null(t), fail("no such day")
		}
		p[i] = int(n.Int64())
	}
	m := time.Date(p[0], time.Month(p[1]), p[2], 0, 0, 0, 0, time.UTC)
	if m.Year() != p[0] || int(m.Month()) != p[1] || m.Day() != p[2] {
		return null(t), fail("no such day")
	}
	return fromMoment(m, t)
}

func epochUnit(name string, args []val) (val, error) {
	t := batch.Of(batch.Int64)
	if anyNull(args) {
		return null(t), nil
	}
	unit := batch.Type{ID: batch.Timestamp, Unit: map[string]batch.Unit{"epoch_ms": batch.Milli, "epoch_us": batch.Micro, "epoch_ns": batch.Nano}[name]}
	r := new(big.Rat).Mul(args[0].num, perDay(unit))
	return number(truncated(r.Quo(r, perDay(args[0].typ)), 0), t)
}

// monthsLater moves the calendar's month; the day is at most its last.
func monthsLater(m time.Time, n int) time.Time {
	first := time.Date(m.Year(), m.Month()+time.Month(n), 1, m.Hour(), m.Minute(), m.Second(), m.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(m.Day(), last)-1)
}

var monthUnits = map[string]int{"month": 1, "quarter": 3, "year": 12, "decade": 120}

// moved adds n units to a date or timestamp.
func moved(unit string, n, v val) (val, error) {
	t := v.typ
	if t.ID != batch.Timestamp {
		t = batch.TimestampOf(batch.Micro, false)
	}
	fine := map[string]batch.Unit{"millisecond": batch.Milli, "microsecond": batch.Micro, "nanosecond": batch.Nano}[unit]
	if fine != 0 && perDay(batch.Type{ID: batch.Timestamp, Unit: fine}).Cmp(perDay(t)) > 0 {
		t.Unit = fine
	}
	if n.null || v.null {
		return null(t), nil
	}
	v, err := cast(v, t)
	if err != nil {
		return null(t), err
	}
	if months := monthUnits[unit]; months > 0 {
		k := n.num.Num()
		if !k.IsInt64() || k.Int64() > 1e5 || k.Int64() < -1e5 {
			return null(t), ErrUnknown
		}
		return fromMoment(monthsLater(moment(v), months*int(k.Int64())), t)
	}
	day := new(big.Rat).SetInt64(int64(unitLength(unit)))
	day.Quo(day, new(big.Rat).SetInt64(86400e9)).Mul(day, n.num).Mul(day, perDay(t))
	return number(day.Add(day, v.num), t)
}

func unitLength(unit string) time.Duration {
	return map[string]time.Duration{"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute, "second": time.Second,
		"millisecond": time.Millisecond, "microsecond": time.Microsecond, "nanosecond": time.Nanosecond}[unit]
}

// plusInterval evaluates t + interval and t - interval.
func (e *env) plusInterval(n *expr.Node) (val, error) {
	t, span := n.Args[0], n.Args[1]
	if t.Op == expr.OpInterval {
		t, span = span, t
	}
	v, err := e.eval(t)
	for i := 0; i < len(span.Args) && err == nil; i += 2 {
		var amount val
		if amount, err = e.eval(span.Args[i]); err != nil {
			break
		}
		if n.Name == "-" {
			if amount, err = negate(amount); err != nil {
				break
			}
		}
		v, err = moved(string(span.Args[i+1].Value.Bytes), amount, v)
	}
	if err != nil && v.typ.ID != batch.Timestamp {
		v = null(batch.TimestampOf(batch.Micro, false))
	}
	return v, err
}

// dateDiff counts boundaries by cutting both moments to the part.
func dateDiff(_ string, args []val) (val, error) {
	if anyNull(args) {
		return null(batch.Of(batch.Int64)), nil
	}
	a, b := moment(args[1]), moment(args[2])
	month := func(m time.Time) int64 { return int64(m.Year())*12 + int64(m.Month()) - 1 }
	switch args[0].s {
	case "year":
		return whole64(int64(b.Year() - a.Year())), nil
	case "month":
		return whole64(month(b) - month(a)), nil
	case "quarter":
		return whole64(month(b)/3 - month(a)/3), nil
	case "week":
		return whole64((b.Unix() - modulo(b.Unix(), 86400) - a.Unix() + modulo(a.Unix(), 86400)) / (7 * 86400)), nil
	}
	length := int64(unitLength(args[0].s) / time.Second)
	cut := func(m time.Time) int64 { return (m.Unix() - modulo(m.Unix(), length)) / length }
	return whole64(cut(b) - cut(a)), nil
}

func modulo(a, b int64) int64 { return ((a % b) + b) % b }

// dateSub counts the whole parts by trying.
func dateSub(_ string, args []val) (val, error) {
	if anyNull(args) {
		return null(batch.Of(batch.Int64)), nil
	}
	a, b := moment(args[1]), moment(args[2])
	sign := int64(1)
	if b.Before(a) {
		a, b, sign = b, a, -1
	}
	if months := monthUnits[args[0].s]; months > 0 {
		n := 0
		for step := 1 << 14; step > 0; step /= 2 {
			if !monthsLater(a, (n+step)*months).After(b) {
				n += step
			}
		}
		return whole64(sign * int64(n)), nil
	}
	between := big.NewInt(b.Unix() - a.Unix())
	between.Mul(between, big.NewInt(1e9)).Add(between, big.NewInt(int64(b.Nanosecond()-a.Nanosecond())))
	return whole64(sign * between.Quo(between, big.NewInt(int64(unitLength(args[0].s)))).Int64()), nil
}

// timezone tries all offsets that the zone has around a local time.
func timezone(_ string, args []val) (val, error) {
	v := args[1]
	t := v.typ
	if t.ID == batch.Date {
		t = batch.TimestampOf(batch.Micro, false)
	}
	to := batch.TimestampOf(t.Unit, !t.UTC)
	if anyNull(args) {
		return null(to), nil
	}
	zone, err := time.LoadLocation(args[0].s)
	if err != nil {
		return null(to), err
	}
	m := moment(v)
	offset := func(at time.Time) int { _, off := at.In(zone).Zone(); return off }
	if t.UTC {
		return fromMoment(m.Add(time.Duration(offset(m))*time.Second), to)
	}
	best := m.Add(-time.Duration(offset(m.Add(-24*time.Hour))) * time.Second) // in a gap
	found := false
	for h := -30; h <= 30; h++ {
		off := offset(m.Add(time.Duration(h) * time.Hour))
		at := m.Add(-time.Duration(off) * time.Second)
		if offset(at) == off && (!found || at.After(best)) {
			best, found = at, true
		}
	}
	return fromMoment(best, to)
}
