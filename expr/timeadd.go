package expr

import (
	"math"

	"pqjoin/batch"
)

// kernelDateAdd moves times by numbers of units. Months keep the day, or take the month's
// last where it has no such day; a time of day goes round.
func kernelDateAdd(n *node) func(*frame) error {
	unit := string(n.args[0].val.Bytes)
	t := n.typ
	step := unitNanos[unit]
	months := unitMonths[unit]
	per := perSecond(t.Unit)
	return func(f *frame) error {
		by, mb := values[int64](f.args[1])
		in, mi := values[int64](f.args[2])
		return eachInt(f, func(i int) (int64, error) {
			k, v := by[i&mb], in[i&mi]
			var sum int64
			ok := true
			switch {
			case t.ID == batch.Time:
				sum = clockAdd(v, k, step, per)
			case months > 0:
				sum, ok = addMonths(v, k, months, per)
			default:
				sum, ok = addTicks(v, k, step, per)
			}
			if !ok {
				return 0, f.st.rowError("%s plus %d %ss does not fit %s", momentText(v, t), k, unit, t)
			}
			return sum, nil
		})
	}
}

// addTicks adds k times step nanoseconds, which are whole ticks by the result's type.
func addTicks(v, k, step, per int64) (int64, bool) {
	ticks := step / (1e9 / per)
	d, ok := mulInt64(k, ticks)
	sum := v + d
	return sum, ok && (v^sum)&(d^sum) >= 0
}

func addMonths(v, k, months, per int64) (int64, bool) {
	k, ok := mulInt64(k, months)
	if !ok || k > 12*maxYears || k < -12*maxYears {
		return 0, false
	}
	day := daySeconds * per
	days := floorDiv(v, day)
	y, m, d := daysCivil(days)
	at := y*12 + m - 1 + k
	y, m = floorDiv(at, 12), at-floorDiv(at, 12)*12+1
	moved, ok := mulInt64(civilDays(y, m, min(d, daysInMonth(y, m))), day)
	sum := moved + v - days*day
	return sum, ok && sum >= moved
}

// maxYears is more years than any timestamp spans: of seconds in 64 bits those within reach of the calendar's arithmetic.
const maxYears = 1 << 50

// clockAdd moves a time of day; days and longer leave it as it is. A step finer than the type's unit is dropped.
func clockAdd(v, k, step, per int64) int64 {
	if step == 0 || step >= daySeconds*1e9 {
		return v
	}
	const day = daySeconds * 1e9
	k %= day / step
	sum := (v*(1e9/per) + k*step) % day
	if sum < 0 {
		sum += day
	}
	return sum / (1e9 / per)
}

// The origins of time buckets: Monday 2000-01-03 for lengths of days and less, 2000-01-01 for months.
const (
	bucketDay  = 10959
	bucketYear = 2000
)

// kernelBucket returns the start of the stretch that a time is in.
func kernelBucket(n *node) func(*frame) error {
	unit, k := string(n.args[0].val.Bytes), n.args[1].val.Int
	per := perSecond(n.typ.Unit)
	t := n.typ
	return func(f *frame) error {
		in, m := values[int64](f.args[2])
		return eachInt(f, func(i int) (int64, error) {
			v := in[i&m]
			var start int64
			var ok bool
			if months := unitMonths[unit]; months > 0 {
				start, ok = monthBucket(v, k*months, per)
			} else {
				start, ok = tickBucket(v, k, unitNanos[unit]/(1e9/per), per)
			}
			if !ok {
				return 0, f.st.rowError("the start of the %d %ss of %s does not fit %s", k, unit, momentText(v, t), t)
			}
			return start, nil
		})
	}
}

func tickBucket(v, k, ticks, per int64) (int64, bool) {
	width, ok := mulInt64(k, ticks)
	origin := bucketDay * daySeconds * per
	if !ok || v < math.MinInt64+origin {
		return 0, false
	}
	q := floorDiv(v-origin, width)
	start, ok := mulInt64(q, width)
	return start + origin, ok && start <= math.MaxInt64-origin
}

func monthBucket(v, months, per int64) (int64, bool) {
	y, m, _ := daysCivil(floorDiv(v, daySeconds*per))
	at := (y-bucketYear)*12 + m - 1
	at = floorDiv(at, months) * months
	years := floorDiv(at, 12)
	return mulInt64(civilDays(bucketYear+years, at-years*12+1, 1), daySeconds*per)
}
