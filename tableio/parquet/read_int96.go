package parquet

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/format"
)

// annotateInt96 notes at the INT96 of a file that Spark wrote that they are microseconds, as all of its timestamps: they
// reach beyond the years of nanoseconds, and only nanoseconds would be lost. The format has no annotation for INT96.
func annotateInt96(m *fileMeta) {
	if !m.spark {
		return
	}
	for i := range m.schema {
		if e := &m.schema[i]; e.Type.Valid && e.Type.V == format.Int96 {
			e.LogicalType.Value = &format.TimestampType{Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
		}
	}
}

// int96Type returns the type of an INT96: nanoseconds, but where annotateInt96 said microseconds.
func int96Type(e *format.SchemaElement) batch.Type {
	if l, ok := e.LogicalType.Value.(*format.TimestampType); ok {
		return batch.TimestampOf(unitOf(l.Unit, batch.Nano), false)
	}
	return batch.TimestampOf(batch.Nano, false)
}

// ReadsAs says whether the column at position col can be read as t beyond the type that it has in the schema: an INT96
// counts nanoseconds of a Julian day, and is a timestamp of whatever unit holds it.
func (f *File) ReadsAs(col int, t batch.Type) bool {
	return f.columns[col].int96 && t.ID == batch.Timestamp && t.Unit != batch.Second
}

// typed returns the columns at the positions cols, and their schema; a column that ReadsAs its type of types has that.
func (f *File) typed(cols []int, types []batch.Type) ([]*column, *batch.Schema) {
	out, schema := make([]*column, len(cols)), f.schema.Select(cols)
	for k, i := range cols {
		out[k] = &f.columns[i]
		if types != nil && f.ReadsAs(i, types[k]) {
			as := f.columns[i]
			as.field.Type = types[k]
			out[k], schema.Fields[k].Type = &as, types[k]
		}
	}
	return out, schema
}

const (
	julianEpoch = 2440588 // the Julian day of 1970-01-01
	dayNanos    = 86_400_000_000_000
)

// int96s returns the loop that reads nanoseconds of the day and the Julian day as ticks of t's unit. Moments too far for it,
// and nanoseconds that it does not count, are bad: as others read them they are other moments. It takes about 3 ns a value.
func (v *converter) int96s(t batch.Type) func(dst, src []byte, n int) {
	each := map[batch.Unit]int64{batch.Milli: 1e6, batch.Micro: 1e3, batch.Nano: 1}[t.Unit]
	ticks := dayNanos / each
	most := math.MaxInt64 / ticks
	v.why = "an INT96 that " + t.String() + " does not hold exactly (types: gives the column another unit)"
	return func(dst, src []byte, n int) {
		for i, out := 0, values[int64](dst, n); i < n; i++ {
			b := src[12*i : 12*i+12]
			day, nanos := int64(int32(binary.LittleEndian.Uint32(b[8:])))-julianEpoch, int64(binary.LittleEndian.Uint64(b))
			if day <= -julianEpoch && nanos <= 0 && t.Unit == batch.Micro {
				out[i] = v.sparkFar(day, nanos)
				continue
			}
			clock := nanos / each
			if day < 0 { // the first day that there is may begin before the first tick
				day, clock = day+1, clock-ticks
			}
			base := day * ticks
			out[i] = base + clock
			v.bad = v.bad || day > most || day < -most || nanos%each != 0 || nanos < 0 || nanos > dayNanos || (out[i] < base) != (clock < 0)
		}
	}
}

// sparkFar returns the microseconds of a moment whose Julian day is not above 0. Spark counts microseconds since the first
// Julian day, which wrap around in the last thousands of the years that microseconds since 1970 reach, and cuts the negative number
// into a day and a time of it; the way back wraps around once more, and is exact.
func (v *converter) sparkFar(day, nanos int64) int64 {
	const ticks = int64(dayNanos / 1000)
	julian := day + julianEpoch
	v.bad = v.bad || julian < math.MinInt64/ticks || nanos <= -dayNanos || nanos%1e3 != 0
	return day*ticks + nanos/1e3
}
