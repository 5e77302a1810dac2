package export

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/expr"
)

// Casts are DuckDB's but for those to types that it lacks, and for dates and times: it rounds to coarser units, where pqjoin goes towards
// the past, and lacks some.

func (e *expression) castTo(word string, x expr.Part, t batch.Type) {
	from := x.Type()
	if x.Op() == "literal" && x.Null() {
		e.put("CAST(NULL AS ", e.typeName(t), ")")
		return
	}
	if from != t && (t.ID == batch.Float16 || t.ID == batch.Fixed) {
		panic(e.w.plan.Job.ErrorAt(e.w.at.Pos, "", fmt.Sprintf("a cast from %s to %s, which DuckDB does not have, cannot be exported to DuckDB", from, t)))
	}
	inner := &expression{w: e.w, schema: e.schema}
	inner.write(x)
	e.put(word, "(", e.clock(inner.b.String(), from, t), " AS ", e.typeName(t), ")")
}

// clock rewrites a time or moment, so that a cast to t neither rounds nor is missing; anything else stays as it is.
func (e *expression) clock(x string, from, t batch.Type) string {
	switch {
	case from == t || t.ID != batch.Date && t.ID != batch.Time && t.ID != batch.Timestamp:
		return x
	case from.ID == batch.Time:
		return timeFor(x, from, t)
	case from.ID == batch.Timestamp:
		return momentFor(x, from, t)
	}
	return x
}

// timeFor puts a time of day on a day where it must be cut.
func timeFor(x string, from, t batch.Type) string {
	switch {
	case fineness[from.Unit] <= fineness[t.Unit]:
		return x
	case from.Unit == batch.Nano:
		x = "make_timestamp(epoch_ns(" + x + ") // 1000)"
	default:
		x = "DATE '1970-01-01' + " + x
	}
	return truncated(x, t)
}

func momentFor(x string, from, t batch.Type) string {
	nano, toNano := from.Unit == batch.Nano, t.ID != batch.Date && t.Unit == batch.Nano
	if from.UTC && (t.ID == batch.Time || nano && !(t.UTC && toNano)) {
		x = "CAST(" + x + " AS " + typeName(batch.TimestampOf(from.Unit, false)) + ")"
	}
	switch {
	case toNano && t.ID == batch.Time && !nano:
		return "CAST(" + x + " AS TIME)"
	case toNano:
		return x
	case nano:
		x = fmt.Sprintf("CAST(make_timestamp_ns(epoch_ns(%s) - (epoch_ns(%s) %% 1000 + 1000) %% 1000) AS TIMESTAMP)", x, x)
	}
	if fineness[from.Unit] > fineness[t.Unit] {
		x = truncated(x, t)
	}
	return x
}

// truncated cuts a moment of microseconds to the unit of t, which may be a date.
func truncated(x string, t batch.Type) string {
	if part := map[batch.Unit]string{batch.Second: "second", batch.Milli: "millisecond"}[t.Unit]; part != "" {
		return "date_trunc('" + part + "', " + x + ")"
	}
	return x
}

// fineness orders the units; that of a date is 0.
var fineness = map[batch.Unit]int{batch.Second: 1, batch.Milli: 2, batch.Micro: 3, batch.Nano: 4}
