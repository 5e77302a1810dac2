package parquet

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"
)

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

// int96s returns the loop that reads nanoseconds of the day and the Julian day as ticks of t's unit. Moments too far for it,
// and nanoseconds that it does not count, are bad: as others read them they are other moments. It takes about 3 ns a value.
func (v *converter) int96s(t batch.Type) func(dst, src []byte, n int) {
	const julianEpoch, dayNanos = 2440588, 86400e9
	each := map[batch.Unit]int64{batch.Milli: 1e6, batch.Micro: 1e3, batch.Nano: 1}[t.Unit]
	ticks := dayNanos / each
	most := math.MaxInt64 / ticks
	v.why = "an INT96 that " + t.String() + " does not hold exactly (types: gives the column another unit)"
	return func(dst, src []byte, n int) {
		for i, out := 0, values[int64](dst, n); i < n; i++ {
			b := src[12*i : 12*i+12]
			day, nanos := int64(int32(binary.LittleEndian.Uint32(b[8:])))-julianEpoch, int64(binary.LittleEndian.Uint64(b))
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
