package expr

import (
	"math"

	"pqjoin/batch"
)

// A converter makes row i of the result; false where the value has no counterpart.
type converter func(f *frame, i int) bool

// kernelCast returns the cast between two types. Where a value has no counterpart it
// fails, or gives null for try_cast.
func kernelCast(from, to batch.Type, try bool) func(*frame) error {
	if to.Kind() == batch.KindBytes {
		return castToBytes(from, to, try)
	}
	if k := fastCast(from, to); k != nil {
		return k
	}
	return func(f *frame) error {
		conv := convertTo(f, from, to)
		for i := range f.n {
			if f.null(i) || conv(f, i) {
				continue
			}
			if err := f.noCast(i, from, to, try); err != nil {
				return err
			}
		}
		return nil
	}
}

// noCast says that row i cannot be cast, or makes it null.
func (f *frame) noCast(i int, from, to batch.Type, try bool) error {
	if try {
		return f.setNull(i)
	}
	v := valueAt(f.args[0], i)
	failed := f.st.rowError("%s %s does not fit %s", from, shorten(string(appendValue(nil, v, from))), to)
	if from.ID == batch.String {
		if _, err := parseValue(v.Bytes, to); err != nil {
			failed = f.st.rowError("%v", err)
		}
	}
	failed.Hint = "try_cast in place of cast gives null there"
	return failed
}

// valueAt reads one value, for messages.
func valueAt(a vec, i int) Value {
	i &= a.index()
	switch a.c.Type.Kind() {
	case batch.KindBool:
		return Value{Bool: a.c.Fixed[i]&1 == 1}
	case batch.KindInt64:
		return Value{Int: a.c.Int64s()[i]}
	case batch.KindFloat64:
		return Value{Float: a.c.Float64s()[i]}
	case batch.KindInt128:
		return Value{Int128: a.c.Int128s()[i]}
	}
	return Value{Bytes: a.c.Value(i)}
}

// fastCast returns the conversions that cannot fail and are common.
func fastCast(from, to batch.Type) func(*frame) error {
	switch {
	case from.IsInteger() && to.IsInteger() && safeCast(from, to), from.IsFloat() && to.ID == batch.Float64:
		return func(f *frame) error {
			in, m := values[uint64](f.args[0])
			out := batch.View[uint64](f.out.Fixed)
			for i := range out {
				out[i] = in[i&m]
			}
			return nil
		}
	case from.IsInteger() && from.ID != batch.Uint64 && to.ID == batch.Float64:
		return func(f *frame) error {
			in, m := values[int64](f.args[0])
			out := f.out.Float64s()
			for i := range out {
				out[i] = float64(in[i&m])
			}
			return nil
		}
	}
	return nil
}

// convertTo picks the conversion; the binder has checked that there is one.
func convertTo(f *frame, from, to batch.Type) converter {
	switch {
	case from.ID == batch.String:
		in := textsOf(f.args[0])
		return func(f *frame, i int) bool {
			v, err := parseValue(in.at(i), to)
			setValue(f.out, i, v)
			return err == nil
		}
	case to.ID == batch.Bool:
		return convertToBool(f, from)
	case from.ID == batch.Bool:
		return convertBool(f, to)
	case from.IsFloat():
		return convertFloat(f, to)
	case to.IsFloat():
		return convertToFloat(f, from, to)
	case to.ID == batch.Decimal || from.ID == batch.Decimal || from.IsInteger():
		return convertExact(f, from, to)
	}
	return convertTime(f, from, to)
}

func setValue(c *batch.Column, i int, v Value) {
	switch c.Type.Kind() {
	case batch.KindBool:
		c.Fixed[i] = bit(v.Bool)
	case batch.KindInt64:
		c.Int64s()[i] = v.Int
	case batch.KindFloat64:
		c.Float64s()[i] = v.Float
	case batch.KindInt128:
		c.Int128s()[i] = v.Int128
	}
}

func convertToBool(f *frame, from batch.Type) converter {
	if from.IsFloat() {
		in, m := values[float64](f.args[0])
		return func(f *frame, i int) bool { f.out.Fixed[i] = bit(in[i&m] != 0); return true }
	}
	in := int128At(f.args[0])
	return func(f *frame, i int) bool { f.out.Fixed[i] = bit(in(i) != batch.Int128{}); return true }
}

func convertBool(f *frame, to batch.Type) converter {
	in, m := values[byte](f.args[0])
	return func(f *frame, i int) bool {
		v := int64(in[i&m] & 1)
		if to.IsFloat() {
			f.out.Float64s()[i] = float64(v)
			return true
		}
		if to.ID != batch.Decimal {
			f.out.Int64s()[i] = v
			return true
		}
		d, ok := rescale(batch.Int128Of(v), int(to.Scale))
		setInt128(f.out, i, d)
		return ok && fits(d, int(to.Prec))
	}
}

// convertFloat rounds floats: to ints half to even, to decimals half away from zero.
func convertFloat(f *frame, to batch.Type) converter {
	in, m := values[float64](f.args[0])
	switch {
	case to.IsFloat():
		return func(f *frame, i int) bool {
			v := in[i&m]
			r := narrowFloat(v, to)
			f.out.Float64s()[i] = r
			return !math.IsInf(r, 0) || math.IsInf(v, 0)
		}
	case to.ID == batch.Decimal:
		return func(f *frame, i int) bool {
			d, ok := floatDecimal(in[i&m], to)
			setInt128(f.out, i, d)
			return ok
		}
	}
	return func(f *frame, i int) bool {
		d, ok := floatInt128(math.RoundToEven(in[i&m]))
		v, fit := narrowInt(d, to)
		f.out.Int64s()[i] = v
		return ok && fit
	}
}

func convertToFloat(f *frame, from, to batch.Type) converter {
	in := int128At(f.args[0])
	scale := 0
	if from.ID == batch.Decimal {
		scale = int(from.Scale)
	}
	return func(f *frame, i int) bool {
		v := narrowFloat(decimalFloat(in(i), scale), to)
		f.out.Float64s()[i] = v
		return !math.IsInf(v, 0)
	}
}

// convertExact converts among ints and decimals, rounding half away from zero.
func convertExact(f *frame, from, to batch.Type) converter {
	in := int128At(f.args[0])
	shift := 0
	if from.ID == batch.Decimal {
		shift -= int(from.Scale)
	}
	if to.ID != batch.Decimal {
		return func(f *frame, i int) bool {
			d, _ := rescale(in(i), shift)
			v, ok := narrowInt(d, to)
			f.out.Int64s()[i] = v
			return ok
		}
	}
	shift += int(to.Scale)
	return func(f *frame, i int) bool {
		d, ok := rescale(in(i), shift)
		if ok = ok && fits(d, int(to.Prec)); ok {
			setInt128(f.out, i, d)
		}
		return ok
	}
}

// convertTime converts among dates, times and timestamps: to coarser units towards the past. Of a timestamp that becomes a time
// the day goes first, which need not fit the time's unit.
func convertTime(f *frame, from, to batch.Type) converter {
	in, m := values[int64](f.args[0])
	num, den := ratio(from, to)
	day := ticksPerDay(from)
	wrap := from.ID == batch.Timestamp && to.ID == batch.Time
	lo, hi := intRange(to)
	return func(f *frame, i int) bool {
		v := in[i&m]
		if wrap {
			v -= floorDiv(v, day) * day
		}
		v, ok := mulInt64(floorDiv(v, den), num)
		f.out.Int64s()[i] = v
		return ok && v >= lo && v <= hi
	}
}

// ratio returns how ticks of one type become ticks of another: times num after division by den.
func ratio(from, to batch.Type) (num, den int64) {
	a, b := ticksPerDay(from), ticksPerDay(to)
	if a > b {
		return 1, a / b
	}
	return b / a, 1
}

func ticksPerDay(t batch.Type) int64 {
	if t.ID == batch.Date {
		return 1
	}
	return daySeconds * perSecond(t.Unit)
}

func castToBytes(from, to batch.Type, try bool) func(*frame) error {
	return func(f *frame) error {
		var scratch []byte
		for i := range f.n {
			if f.null(i) {
				f.w.end()
				continue
			}
			v := valueAt(f.args[0], i)
			out, ok := bytesOf(scratch[:0], v, from, to)
			if !ok {
				if err := f.noCast(i, from, to, try); err != nil {
					return err
				}
			}
			scratch = out
			if err := f.w.add(scratch); err != nil {
				return err
			}
		}
		return nil
	}
}

// bytesOf appends the bytes of a value as to has them; nothing and false where it has none.
func bytesOf(dst []byte, v Value, from, to batch.Type) ([]byte, bool) {
	switch {
	case from.ID == batch.String && to.ID == batch.UUID:
		p, err := parseValue(v.Bytes, to)
		return append(dst, p.Bytes...), err == nil
	case to.ID == batch.String:
		return appendValue(dst, v, from), true
	}
	if w := to.StoredWidth(); w > 0 && len(v.Bytes) != w {
		return dst, false
	}
	return append(dst, v.Bytes...), true
}
