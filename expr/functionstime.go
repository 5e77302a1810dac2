package expr

import "pqjoin/batch"

var timeFunctions = inGroup("Dates and times",
	timePart("era", "1 from the year 1 on, 0 before"),
	timePart("millennium", "the millennium: 3 from 2001 on"),
	timePart("century", "the century: 21 from 2001 on"),
	timePart("decade", "the year divided by 10"),
	timePart("year", "the year"),
	timePart("isoyear", "the year that the ISO week belongs to"),
	timePart("quarter", "the quarter, 1 to 4"),
	timePart("month", "the month, 1 to 12"),
	timePart("yearweek", "the ISO year and week as one number, 202418"),
	timePart("week", "the ISO week, 1 to 53").also("weekofyear"),
	timePart("day", "the day of the month, 1 to 31").also("dayofmonth"),
	timePart("dayofweek", "the day of the week, Sunday is 0").also("weekday", "dow"),
	timePart("isodow", "the day of the week, Monday is 1 and Sunday 7"),
	timePart("dayofyear", "the day of the year, 1 to 366").also("doy"),
	timePart("hour", "the hour, 0 to 23"),
	timePart("minute", "the minute, 0 to 59"),
	timePart("second", "the second, 0 to 59"),
	timePart("millisecond", "the milliseconds since the minute began, 0 to 59999"),
	timePart("microsecond", "the microseconds since the minute began"),
	timePart("nanosecond", "the nanoseconds since the minute began"),
	fn("julian(t) -> float64", "days since noon of 24 November 4714 BC, counted from midnight", "julian(date '2024-05-05')", bindJulian, kernelJulian),
	fn("date_part(part, t) -> int64", "a part by its name; also extract(part from t)", "date_part('week', date '2024-05-05')", bindDatePart, nil).also("datepart"),
	fn("monthname(t) -> string", "the month's English name", "monthname(date '2024-05-05')", bindClockText, kernelMonthName),
	fn("dayname(t) -> string", "the weekday's English name", "dayname(date '2024-05-05')", bindClockText, kernelDayName),
	fn("last_day(t) -> date", "the last day of the month", "last_day(date '2024-02-05')", bindLastDay, kernelLastDay),
	fn("epoch(t) -> float64", "seconds since 1970-01-01", "epoch(timestamp '2024-01-01 00:00:00.5')", bindEpoch, nil),
	fn("epoch_ms(t) -> int64; epoch_ms(n) -> timestamp(us)", "milliseconds since 1970-01-01; of a whole number, the timestamp that it means", "epoch_ms(timestamp '2024-01-01 00:00:00.5')", bindEpochUnit, kernelEpochUnit).failing(),
	fn("epoch_us(t) -> int64", "microseconds since 1970-01-01", "epoch_us(date '2024-01-01')", bindEpochUnit, kernelEpochUnit).failing(),
	fn("epoch_ns(t) -> int64", "nanoseconds since 1970-01-01", "epoch_ns(date '2024-01-01')", bindEpochUnit, kernelEpochUnit).failing(),
	fn("date_trunc(part, t) -> timestamp", "t cut to the start of its millennium, century, decade, year, isoyear, quarter, month, week, day, hour, minute, second, millisecond or microsecond", "date_trunc('month', date '2024-05-17')", bindTrunc, nil).failing().also("datetrunc"),
	fn("date_diff(part, from, to) -> int64", "how many boundaries of the part lie between two dates or timestamps; for week the whole weeks between the days", "date_diff('month', date '2024-01-31', date '2024-02-01')", bindDiff, nil).also("datediff"),
	fn("date_sub(part, from, to) -> int64", "how many whole parts lie between two dates or timestamps", "date_sub('month', date '2024-01-31', date '2024-02-29')", bindDiff, kernelSub).also("datesub"),
	fn("date_add(t, interval) -> timestamp; date_add(part, n, t)", "t moved by an interval, or by n parts; also t + interval '1 day'. A month's day that does not exist becomes its last", "date_add('month', 1, date '2024-01-31')", bindDateAdd, kernelDateAdd).failing().also("dateadd"),
	fn("time_bucket(interval, t) -> type of t; time_bucket(part, n, t)", "the start of the stretch of n parts that t is in; days and shorter counted from Monday 2000-01-03, months from 2000-01-01", "time_bucket(interval '15 minutes', timestamp '2024-01-01 10:07:00')", bindBucket, kernelBucket).failing(),
	fn("make_date(year, month, day) -> date; make_date(days)", "the date of three numbers, or of the days since 1970-01-01", "make_date(2024, 2, 29)", bindMakeDate, kernelMakeDate).failing(),
	fn("make_time(hour, minute, second) -> time(us)", "the time of day of three numbers; seconds may have a fraction", "make_time(13, 4, 5.5)", bindMakeTime, kernelMakeTime).failing(),
	fn("make_timestamp(year, month, day, hour, minute, second) -> timestamp(us); make_timestamp(us)", "the timestamp of six numbers, or of the microseconds since 1970-01-01", "make_timestamp(2024, 2, 29, 13, 4, 5.5)", bindMakeTimestamp, kernelMakeTimestamp).failing(),
	fn("to_timestamp(seconds) -> timestamp(us, utc)", "the instant of the seconds since 1970-01-01", "to_timestamp(1700000000.5)", bindToTimestamp, kernelToTimestamp).failing(),
	fn("strptime(s, format) -> timestamp(us)", "reads a timestamp by a format of "+verbList(parseVerbs), "strptime('02 Jan 2024', '%d %b %Y')", bindStrptime, nil).failing(),
	fn("try_strptime(s, format) -> timestamp(us)", "strptime that gives null where s does not match", "try_strptime('soon', '%Y-%m-%d')", bindStrptime, nil),
	fn("strftime(t, format) -> string", "writes a date or timestamp by a format of "+verbList(formatVerbs)+"; after %- numbers have no leading zeros", "strftime(date '2024-01-02', '%d/%m/%Y')", bindStrftime, nil),
)

var zoneFunctions = inGroup("Dates and times",
	fn("timezone(zone, t)", "the instant at which clocks of the zone show the timestamp t, or what they show at the instant t; also t at time zone 'Europe/Berlin'. A time that clocks skip is read as if they had not been changed yet, one that they show twice is the later", "timezone('Europe/Berlin', timestamp '2024-07-01 12:00:00')", bindTimezone, kernelTimezone).failing(),
)

func timePart(name, doc string) function {
	return fn(name+"(t) -> int64", doc, name+"(timestamp '2024-05-05 10:11:12.5')", bindPart, nil)
}

// verbList writes verbs as formats do.
func verbList(verbs string) string {
	var out []byte
	for _, v := range []byte(verbs) {
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(out, '%', v)
	}
	return string(out)
}

// bindClockText types functions of a date or timestamp that give a text.
func bindClockText(n *node) (*node, *Error) {
	if err := needClock(n, 0); err != nil {
		return nil, err
	}
	n.typ, n.null = batch.Of(batch.String), n.args[0].null
	return n, nil
}

func bindLastDay(n *node) (*node, *Error) {
	if _, err := bindClockText(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Date)
	return n, nil
}

func bindJulian(n *node) (*node, *Error) {
	if _, err := bindClockText(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Float64)
	return n, nil
}

// bindDatePart makes date_part('year', t) a year(t).
func bindDatePart(n *node) (*node, *Error) {
	part, err := partName(n, extractParts)
	if err != nil {
		return nil, err
	}
	n.op, n.args = part, n.args[1:]
	switch part {
	case "epoch":
		return bindEpoch(n)
	case "julian":
		return bindJulian(n)
	}
	return bindPart(n)
}

// bindEpochUnit types epoch_ms, epoch_us and epoch_ns.
func bindEpochUnit(n *node) (*node, *Error) {
	a := n.args[0]
	if n.op == "epoch_ms" && a.typ.IsInteger() && a.typ.ID != batch.Uint64 {
		n.args[0], n.typ, n.null = conv(a, batch.Of(batch.Int64)), batch.TimestampOf(batch.Micro, false), a.null
		return n, nil
	}
	if a.typ.ID != batch.Time {
		if err := needClock(n, 0); err != nil {
			return nil, err
		}
	}
	n.typ, n.null = batch.Of(batch.Int64), n.args[0].null
	return n, nil
}

// bindNumbers converts the arguments to int64, the last of more than one to decimals of a microsecond where it is no whole number.
func bindNumbers(n *node, t batch.Type) (*node, *Error) {
	if err := needNumbers(n); err != nil {
		return nil, err
	}
	n.typ = t
	for i, a := range n.args {
		to := batch.Of(batch.Int64)
		if i > 1 && i == len(n.args)-1 && t.ID != batch.Date {
			to = batch.DecimalOf(18, 6)
		} else if !a.typ.IsInteger() {
			return nil, errorAt(a.off, castOr(a.typ, batch.Int64, "cast(x as int64) makes a number whole"), "%s needs a whole number here, not %s", n.op, a.typ)
		}
		n.args[i] = conv(a, to)
	}
	return n, nil
}

func bindMakeDate(n *node) (*node, *Error) {
	if len(n.args) == 2 {
		return nil, errorAt(n.off, "it is used as make_date(year, month, day)", "make_date takes 1 or 3 arguments, not 2")
	}
	return bindNumbers(n, batch.Of(batch.Date))
}

func bindMakeTime(n *node) (*node, *Error) {
	return bindNumbers(n, batch.Type{ID: batch.Time, Unit: batch.Micro})
}

func bindMakeTimestamp(n *node) (*node, *Error) {
	if len(n.args) != 1 && len(n.args) != 6 {
		return nil, errorAt(n.off, "it is used as make_timestamp(year, month, day, hour, minute, second)", "make_timestamp takes 1 or 6 arguments, not %d", len(n.args))
	}
	return bindNumbers(n, batch.TimestampOf(batch.Micro, false))
}

func bindToTimestamp(n *node) (*node, *Error) {
	if _, err := bindFloats(n); err != nil {
		return nil, err
	}
	n.typ = batch.TimestampOf(batch.Micro, true)
	return n, nil
}

// bindDateAdd types date_add(part, n, t) and rewrites date_add(t, interval).
func bindDateAdd(n *node) (*node, *Error) {
	if len(n.args) == 2 {
		if n.args[1].op != "interval" || n.args[0].op == "interval" {
			return nil, errorAt(n.args[1].off, "write date_add(t, interval '1 day') or date_add('day', 1, t)", "date_add needs an interval, or a part, a number and a time")
		}
		return addInterval(n.args[0], n.args[1], false, n.off)
	}
	return bindMoved(n)
}

// bindMoved types date_add(part, n, t): a date becomes a timestamp, and a unit finer than t's gives t its own.
func bindMoved(n *node) (*node, *Error) {
	if err := strayAmong(n.args); err != nil {
		return nil, err
	}
	unit, err := partName(n, addedUnits)
	if err != nil {
		return nil, err
	}
	amount, t := n.args[1], n.args[2]
	if amount.typ.ID != batch.Null && (!amount.typ.IsInteger() || amount.typ.ID == batch.Uint64) {
		return nil, errorAt(amount.off, "a fraction can be written in the text: interval '1.5 hours'", "an interval needs a whole number of units, not %s", amount.typ)
	}
	if t.typ.ID != batch.Time {
		if t.literal() && t.typ.ID == batch.String {
			return nil, errorAt(t.off, "write timestamp '2024-01-31 23:59:59' or date '2024-01-31'", "%s needs a date or a timestamp, not string", n.op)
		}
		if err := needClock(n, 2); err != nil {
			return nil, err
		}
	}
	if n.typ = n.args[2].typ; n.typ.ID == batch.Date {
		n.typ = batch.TimestampOf(batch.Micro, false)
	}
	if u := unitNeeded(unit); n.typ.ID == batch.Timestamp && perSecond(u) > perSecond(n.typ.Unit) {
		n.typ.Unit = u
	}
	n.args[1], n.args[2] = conv(amount, batch.Of(batch.Int64)), conv(n.args[2], n.typ)
	n.null = mayBeNull(n.args)
	return n, nil
}

func strayAmong(args []*node) *Error {
	for _, a := range args {
		if a.op == "interval" {
			return strayInterval(a)
		}
	}
	return nil
}

// unitNeeded returns the resolution that a unit of intervals takes.
func unitNeeded(unit string) batch.Unit {
	switch unit {
	case "millisecond":
		return batch.Milli
	case "microsecond":
		return batch.Micro
	case "nanosecond":
		return batch.Nano
	}
	return batch.Second
}

// bindBucket types time_bucket(part, n, t) and rewrites time_bucket(interval, t).
func bindBucket(n *node) (*node, *Error) {
	if len(n.args) == 2 {
		span := n.args[0]
		if span.op != "interval" || len(span.args) != 2 {
			return nil, errorAt(span.off, "write time_bucket(interval '15 minutes', t)", "time_bucket needs an interval of one unit")
		}
		n.args = []*node{span.args[1], span.args[0], n.args[1]}
	}
	amount := n.args[1]
	if !amount.literal() || !amount.typ.IsInteger() || amount.val.Null || amount.val.Int < 1 || amount.val.Int > 1<<40 {
		return nil, errorAt(amount.off, "write time_bucket(interval '15 minutes', t)", "the length of time_bucket must be a constant whole number, at least 1")
	}
	own := n.args[2].typ
	if own.ID == batch.Time {
		return nil, errorAt(n.args[2].off, "", "time_bucket needs a date or a timestamp, not %s", own)
	}
	if _, err := bindMoved(n); err != nil {
		return nil, err
	}
	if own.ID != batch.Date {
		return n, nil
	}
	day := &node{op: "cast", typ: batch.Of(batch.Date), null: n.null, off: n.off, args: []*node{n}}
	return day, nil
}
