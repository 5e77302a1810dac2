package expr

import (
	"slices"

	"pqjoin/batch"
)

var truncParts = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}

func isClock(t batch.Type) bool { return t.ID == batch.Date || t.ID == batch.Timestamp }

func bindPart(n *node) (*node, *Error) {
	a := n.args[0]
	clock := slices.Contains([]string{"hour", "minute", "second"}, n.op) && a.typ.ID == batch.Time
	if a.typ.ID == batch.Null {
		a = conv(a, batch.Of(batch.Date))
	} else if !isClock(a.typ) && !clock {
		return nil, errorAt(a.off, "cast(x as date) reads a text as a date", "%s needs a date or a timestamp, not %s", n.op, a.typ)
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

// partName checks the constant that names a part of a date.
func partName(n *node) (string, *Error) {
	a := n.args[0]
	if a.literal() && a.typ.ID == batch.String && slices.Contains(truncParts, string(a.val.Bytes)) {
		return string(a.val.Bytes), nil
	}
	hint := ""
	if a.literal() {
		hint = didYouMean(string(a.val.Bytes), truncParts)
	}
	return "", errorAt(a.off, hint, "the part of %s must be one of %s, in quotes", n.op, joinNames(truncParts))
}

func needClock(n *node, i int) *Error {
	a := n.args[i]
	if a.typ.ID == batch.Null {
		n.args[i] = conv(a, batch.TimestampOf(batch.Micro, false))
	} else if !isClock(a.typ) {
		return errorAt(a.off, "cast(x as date) reads a text as a date", "%s needs a date or a timestamp, not %s", n.op, a.typ)
	}
	return nil
}

func bindTrunc(n *node) (*node, *Error) {
	if _, err := partName(n); err != nil {
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
	if _, err := partName(n); err != nil {
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
	per := daySeconds * perSecond(t.Unit)
	days = floorDiv(v, per)
	return days, v - days*per
}

func timeKernel(n *node) func(*frame) error {
	switch n.op {
	case "epoch":
		return kernelEpoch(n.args[0].typ)
	case "date_trunc":
		return kernelTrunc(string(n.args[0].val.Bytes))
	case "date_diff":
		return kernelDiff(string(n.args[0].val.Bytes), n.args[1].typ, n.args[2].typ)
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
			out[i] = part(days, tick/per)
		}
		return nil
	}
}

// partOf returns a part of a moment given as days and seconds since midnight.
func partOf(op string) func(days, sec int64) int64 {
	switch op {
	case "year":
		return func(days, _ int64) int64 { y, _, _ := daysCivil(days); return y }
	case "quarter":
		return func(days, _ int64) int64 { _, m, _ := daysCivil(days); return (m + 2) / 3 }
	case "month":
		return func(days, _ int64) int64 { _, m, _ := daysCivil(days); return m }
	case "week":
		return func(days, _ int64) int64 { return isoWeek(days) }
	case "day":
		return func(days, _ int64) int64 { _, _, d := daysCivil(days); return d }
	case "dayofweek":
		return func(days, _ int64) int64 { return days + 4 - floorDiv(days+4, 7)*7 }
	case "dayofyear":
		return func(days, _ int64) int64 { y, _, _ := daysCivil(days); return days - civilDays(y, 1, 1) + 1 }
	case "hour":
		return func(_, sec int64) int64 { return sec / 3600 }
	case "minute":
		return func(_, sec int64) int64 { return sec / 60 % 60 }
	}
	return func(_, sec int64) int64 { return sec % 60 }
}

// isoWeek returns the week that the Thursday nearest to the day is in.
func isoWeek(days int64) int64 {
	thursday := floorDiv(days+3, 7) * 7 // its Monday is three days before
	y, _, _ := daysCivil(thursday)
	return (thursday-civilDays(y, 1, 1))/7 + 1
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
				out[i] = float64(v) / float64(perSecond(t.Unit))
			}
		}
		return nil
	}
}

// truncated returns the days and ticks at which the part that a moment is in begins.
func truncated(part string, days, tick, per int64) (int64, int64) {
	y, m, d := daysCivil(days)
	switch part {
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
	}
	return days, tick - tick%per
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

// kernelDiff counts the boundaries of a part between two moments; for weeks, as DuckDB
// does, the whole weeks between their days.
func kernelDiff(part string, from, to batch.Type) func(*frame) error {
	return func(f *frame) error {
		a, ma := values[int64](f.args[1])
		b, mb := values[int64](f.args[2])
		out := f.out.Int64s()
		for i := range out {
			out[i] = ordinal(part, b[i&mb], to) - ordinal(part, a[i&ma], from)
			if part == "week" {
				out[i] /= 7
			}
		}
		return nil
	}
}

// ordinal numbers the parts of time one after the other; weeks by their days.
func ordinal(part string, v int64, t batch.Type) int64 {
	days, tick := moment(v, t)
	y, m, _ := daysCivil(days)
	sec := int64(0)
	if t.ID != batch.Date {
		sec = tick / perSecond(t.Unit)
	}
	switch part {
	case "year":
		return y
	case "quarter":
		return y*4 + (m-1)/3
	case "month":
		return y*12 + m
	case "day", "week":
		return days
	case "hour":
		return days*24 + sec/3600
	case "minute":
		return days*1440 + sec/60
	}
	return days*daySeconds + sec
}
