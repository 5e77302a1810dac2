package expr

import (
	"math"

	"pqjoin/batch"
)

// makeDate returns the days of a date; false where there is no such day or it does not fit a date.
func makeDate(y, m, d int64) (int64, bool) {
	if y < -5_000_000 || y > 5_000_000 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		return 0, false
	}
	return civilDays(y, m, d), true
}

func kernelMakeDate(*node) func(*frame) error {
	return func(f *frame) error {
		var parts [3]func(int) int64
		for k := range f.args {
			parts[k] = intsOf(f.args[k])
		}
		return eachInt(f, func(i int) (int64, error) {
			if len(f.args) == 1 {
				if v := parts[0](i); v == int64(int32(v)) {
					return v, nil
				}
				return 0, f.st.rowError("the day %d does not fit date", parts[0](i))
			}
			y, m, d := parts[0](i), parts[1](i), parts[2](i)
			days, ok := makeDate(y, m, d)
			if !ok {
				return 0, f.st.rowError("there is no day %d of month %d of year %d", d, m, y)
			}
			return days, nil
		})
	}
}

func intsOf(v vec) func(int) int64 {
	a, m := values[int64](v)
	return func(i int) int64 { return a[i&m] }
}

// clockMicros returns the microseconds of a time of day; sec is in microseconds and may be a whole minute.
func clockMicros(h, m, sec int64) (int64, bool) {
	if h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60e6 {
		return 0, false
	}
	return (h*3600+m*60)*1e6 + sec, true
}

func kernelMakeTime(*node) func(*frame) error {
	return func(f *frame) error {
		h, m, s := intsOf(f.args[0]), intsOf(f.args[1]), intsOf(f.args[2])
		return eachInt(f, func(i int) (int64, error) {
			v, ok := clockMicros(h(i), m(i), s(i))
			if !ok || v >= daySeconds*1e6 {
				return 0, f.st.rowError("there is no time %d:%d:%s", h(i), m(i), appendDecimal(nil, batch.Int128Of(s(i)), 6))
			}
			return v, nil
		})
	}
}

func kernelMakeTimestamp(n *node) func(*frame) error {
	if len(n.args) == 1 {
		return copyFixed
	}
	return func(f *frame) error {
		var p [6]func(int) int64
		for k := range p {
			p[k] = intsOf(f.args[k])
		}
		return eachInt(f, func(i int) (int64, error) {
			days, okDay := makeDate(p[0](i), p[1](i), p[2](i))
			us, okClock := clockMicros(p[3](i), p[4](i), p[5](i))
			v, ok := mulInt64(days, daySeconds*1e6)
			if sum := v + us; okDay && okClock && ok && sum >= v {
				return sum, nil
			}
			return 0, f.st.rowError("there is no timestamp %d-%d-%d %d:%d:%s", p[0](i), p[1](i), p[2](i), p[3](i), p[4](i), appendDecimal(nil, batch.Int128Of(p[5](i)), 6))
		})
	}
}

func kernelToTimestamp(*node) func(*frame) error {
	return func(f *frame) error {
		in, m := values[float64](f.args[0])
		return eachInt(f, func(i int) (int64, error) {
			us := math.RoundToEven(in[i&m] * 1e6)
			if !(us >= -0x1p63 && us < 0x1p63) {
				return 0, f.st.rowError("%s seconds do not fit %s", appendFloat(nil, in[i&m], batch.Of(batch.Float64)), f.typ)
			}
			return int64(us), nil
		})
	}
}

// kernelEpochUnit converts times to ticks of another unit, towards zero; epoch_ms of a number goes the other way.
func kernelEpochUnit(n *node) func(*frame) error {
	t := n.args[0].typ
	if t.IsInteger() {
		return func(f *frame) error {
			in := intsOf(f.args[0])
			return eachInt(f, func(i int) (int64, error) {
				v, ok := mulInt64(in(i), 1000)
				if !ok {
					return 0, f.st.rowError("%d milliseconds do not fit %s", in(i), f.typ)
				}
				return v, nil
			})
		}
	}
	to := batch.Type{ID: batch.Timestamp, Unit: map[string]batch.Unit{"epoch_ms": batch.Milli, "epoch_us": batch.Micro, "epoch_ns": batch.Nano}[n.op]}
	num, den := ratio(t, to)
	return func(f *frame) error {
		in := intsOf(f.args[0])
		return eachInt(f, func(i int) (int64, error) {
			v, ok := mulInt64(in(i)/den, num)
			if !ok {
				return 0, f.st.rowError("%s of %s does not fit int64", n.op, momentText(in(i), t))
			}
			return v, nil
		})
	}
}

func kernelLastDay(n *node) func(*frame) error {
	t := n.args[0].typ
	return func(f *frame) error {
		in := intsOf(f.args[0])
		return eachInt(f, func(i int) (int64, error) {
			days, _ := moment(in(i), t)
			y, m, d := daysCivil(days)
			return days + daysInMonth(y, m) - d, nil
		})
	}
}

func kernelMonthName(n *node) func(*frame) error {
	return nameKernel(n.args[0].typ, func(days int64) string { _, m, _ := daysCivil(days); return monthNames[m-1] })
}

func kernelDayName(n *node) func(*frame) error {
	weekday := dayPart("dayofweek")
	return nameKernel(n.args[0].typ, func(days int64) string { return dayNames[weekday(days)] })
}

func nameKernel(t batch.Type, name func(days int64) string) func(*frame) error {
	return func(f *frame) error {
		in := intsOf(f.args[0])
		return f.rows(func(i int) error {
			days, _ := moment(in(i), t)
			return f.w.put([]byte(name(days)))
		})
	}
}

func kernelJulian(n *node) func(*frame) error {
	t := n.args[0].typ
	return func(f *frame) error {
		in := intsOf(f.args[0])
		out := f.out.Float64s()
		for i := range out {
			at := instantOf(in(i), t)
			out[i] = float64(at.days+2440588) + float64(at.ns)/(daySeconds*1e9)
		}
		return nil
	}
}
