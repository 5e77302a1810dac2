package expr

import "pqjoin/batch"

// kernelDiff counts the boundaries of a part between two moments; for weeks, as DuckDB
// does, the whole weeks between their days.
func kernelDiff(n *node) func(*frame) error {
	part, from, to := string(n.args[0].val.Bytes), n.args[1].typ, n.args[2].typ
	first, second := ordinalOf(part, from), ordinalOf(part, to)
	return func(f *frame) error {
		a, ma := values[int64](f.args[1])
		b, mb := values[int64](f.args[2])
		return eachInt(f, func(i int) (int64, error) {
			x, okX := first(a[i&ma])
			y, okY := second(b[i&mb])
			v := y - x
			if !okX || !okY || (y^x)&(y^v) < 0 {
				return 0, f.st.rowError("the %ss between %s and %s do not fit int64", part, momentText(a[i&ma], from), momentText(b[i&mb], to))
			}
			if part == "week" {
				v /= 7
			}
			return v, nil
		})
	}
}

func momentText(v int64, t batch.Type) []byte { return appendValue(nil, Value{Int: v}, t) }

// ordinalOf returns the numbers of the parts of time, one after the other; weeks by their days.
// They come with false where the number does not fit.
func ordinalOf(part string, t batch.Type) func(v int64) (int64, bool) {
	if of := dayOrdinal(part); of != nil {
		return func(v int64) (int64, bool) {
			days, _ := moment(v, t)
			return of(days), true
		}
	}
	per := int64(1)
	if t.ID != batch.Date {
		per = perSecond(t.Unit)
	}
	if seconds := unitNanos[part] / 1e9; seconds > 0 {
		return func(v int64) (int64, bool) {
			days, tick := moment(v, t)
			return days*(daySeconds/seconds) + tick/(per*seconds), true
		}
	}
	to := 1e9 / unitNanos[part]
	return func(v int64) (int64, bool) {
		days, tick := moment(v, t)
		v, ok := mulInt64(days*daySeconds+tick/per, to)
		sum := v + inSecond(tick%per, per, to)
		return sum, ok && sum >= v
	}
}

// dayOrdinal numbers the parts that are days or longer; nil for shorter ones.
func dayOrdinal(part string) func(days int64) int64 {
	switch part {
	case "millennium":
		return func(days int64) int64 { y, _, _ := daysCivil(days); return y / 1000 }
	case "century":
		return func(days int64) int64 { y, _, _ := daysCivil(days); return y / 100 }
	case "decade":
		return func(days int64) int64 { y, _, _ := daysCivil(days); return y / 10 }
	case "year":
		return func(days int64) int64 { y, _, _ := daysCivil(days); return y }
	case "isoyear":
		return isoYear
	case "quarter":
		return func(days int64) int64 { y, m, _ := daysCivil(days); return y*4 + (m-1)/3 }
	case "month":
		return func(days int64) int64 { y, m, _ := daysCivil(days); return y*12 + m }
	case "day", "week":
		return func(days int64) int64 { return days }
	}
	return nil
}

// inSecond converts ticks below a second.
func inSecond(tick, per, to int64) int64 {
	if to >= per {
		return tick * (to / per)
	}
	return tick / (per / to)
}

// kernelSub counts the whole parts between two moments, towards zero.
func kernelSub(n *node) func(*frame) error {
	part, from, to := string(n.args[0].val.Bytes), n.args[1].typ, n.args[2].typ
	months, byMonth := unitMonths[part]
	if part == "isoyear" {
		months, byMonth = 12, true
	}
	return func(f *frame) error {
		a, ma := values[int64](f.args[1])
		b, mb := values[int64](f.args[2])
		return eachInt(f, func(i int) (int64, error) {
			x, y := instantOf(a[i&ma], from), instantOf(b[i&mb], to)
			if byMonth {
				return wholeMonths(x, y) / months, nil
			}
			v, ok := wholeUnits(x, y, unitNanos[part])
			if !ok {
				return 0, f.st.rowError("the %ss between %s and %s do not fit int64", part, momentText(a[i&ma], from), momentText(b[i&mb], to))
			}
			return v, nil
		})
	}
}

// instant is a moment in days and nanoseconds of the day.
type instant struct{ days, ns int64 }

func instantOf(v int64, t batch.Type) instant {
	days, tick := moment(v, t)
	if t.ID == batch.Date {
		return instant{days, 0}
	}
	return instant{days, tick * (1e9 / perSecond(t.Unit))}
}

// wholeMonths counts the months from x to y: the last day of a month completes it.
func wholeMonths(x, y instant) int64 {
	if y.days < x.days || y.days == x.days && y.ns < x.ns {
		return -wholeMonths(y, x)
	}
	y1, m1, d1 := daysCivil(x.days)
	y2, m2, d2 := daysCivil(y.days)
	n := (y2-y1)*12 + m2 - m1
	last := d2 == daysInMonth(y2, m2) && d1 > d2
	if last {
		d1 = d2
	}
	if d2 < d1 || d2 == d1 && y.ns < x.ns {
		n--
	}
	return n
}

// wholeUnits counts units of ns nanoseconds from x to y in 128 bits.
func wholeUnits(x, y instant, ns int64) (int64, bool) {
	d, _ := mul128(batch.Int128Of(y.days-x.days), batch.Int128Of(daySeconds*1e9))
	d, _ = d.Add(batch.Int128Of(y.ns - x.ns))
	q, _ := quoRem(d, batch.Int128Of(ns))
	return q.Int64()
}
