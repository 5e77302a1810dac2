package parquet

import (
	"encoding/binary"
	"math"
	"testing"

	"pqjoin/batch"
)

// TestInt96OfSparksFarDays reads microseconds as Spark writes them: it counts them since the first Julian day, in 64 bits that wrap
// around, and divides by the microseconds of a day.
func TestInt96OfSparksFarDays(t *testing.T) {
	const day = 86_400_000_000
	for _, us := range []int64{0, -1, 253402225200000000, 9089380393200000000, math.MaxInt64, 2440588 * -day, 2440588*-day - 1, 2440588*-day - 7*day} {
		julian := us + 2440588*day
		if got, bad := int96As(batch.Micro, julian/day, julian%day*1000); bad || got != us {
			t.Errorf("%d microseconds are read as %d, refused %v", us, got, bad)
		}
	}
	for _, c := range []struct {
		unit        batch.Unit
		days, nanos int64
	}{
		{batch.Micro, -5, -1}, {batch.Micro, -5, -1000 * day}, {batch.Micro, math.MinInt32, 0}, {batch.Micro, 5, -1000},
		{batch.Nano, -105862232, -32509551616000}, {batch.Nano, 5373484, 0}, {batch.Milli, 2440588, 1000},
	} {
		if got, bad := int96As(c.unit, c.days, c.nanos); !bad {
			t.Errorf("day %d and %d nanoseconds are read as %d", c.days, c.nanos, got)
		}
	}
}

// int96As reads one INT96 as ticks of unit.
func int96As(unit batch.Unit, day, nanos int64) (ticks int64, bad bool) {
	src := binary.LittleEndian.AppendUint64(nil, uint64(nanos))
	src = binary.LittleEndian.AppendUint32(src, uint32(int32(day)))
	out := make([]int64, 1)
	v := &converter{}
	v.int96s(batch.TimestampOf(unit, false))(batch.BytesOf(out), src, 1)
	return out[0], v.bad
}
