package parquet

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/format"
)

// converter turns n stored values of fixed width into values of a kind: the loops that
// every stored fixed-width value passes through once.
type converter struct {
	from, to int // bytes of a value
	same     bool
	run      func(dst, src []byte, n int)
	bad      bool   // a value did not fit: a decimal of more than its digits' bytes, a far INT96
	why      string // what is wrong then, where it is no decimal
}

// newConverter returns how values of the column are widened; nil for booleans and for values of KindBytes.
func newConverter(c *column) *converter {
	v := &converter{from: c.width, to: c.field.Type.Kind().Width()}
	switch c.physical {
	case format.Int32:
		v.run = int32s(c.field.Type)
	case format.Float:
		v.run = floats
	case format.Int64, format.Double:
		v.same = true
		v.run = func(dst, src []byte, n int) { copy(dst, src[:8*n]) }
	case format.Int96:
		v.run = v.int96s(c.field.Type)
	case format.FixedLenByteArray:
		switch {
		case c.field.Type.ID == batch.Float16:
			v.run = halves
		case c.field.Type.ID == batch.Decimal:
			v.run = v.decimals
		default:
			return nil
		}
	default:
		return nil
	}
	return v
}

func int32s(t batch.Type) func(dst, src []byte, n int) {
	switch t.ID {
	case batch.Int8:
		return func(dst, src []byte, n int) { widen(dst, src, n, func(v uint32) int64 { return int64(int8(v)) }) }
	case batch.Int16:
		return func(dst, src []byte, n int) { widen(dst, src, n, func(v uint32) int64 { return int64(int16(v)) }) }
	case batch.Uint8:
		return func(dst, src []byte, n int) { widen(dst, src, n, func(v uint32) int64 { return int64(uint8(v)) }) }
	case batch.Uint16:
		return func(dst, src []byte, n int) { widen(dst, src, n, func(v uint32) int64 { return int64(uint16(v)) }) }
	case batch.Uint32:
		return unsigned32s
	}
	return signed32s
}

// values views dst as n values of T; dst is aligned, as pool memory is.
func values[T any](dst []byte, n int) []T { return batch.View[T](dst)[:n] }

func widen(dst, src []byte, n int, f func(uint32) int64) {
	for i, out := 0, values[int64](dst, n); i < n; i++ {
		out[i] = f(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func signed32s(dst, src []byte, n int) {
	out := values[int64](dst, n)
	src = src[:4*n]
	for i := range out {
		out[i] = int64(int32(binary.LittleEndian.Uint32(src[4*i : 4*i+4])))
	}
}

func unsigned32s(dst, src []byte, n int) {
	out := values[int64](dst, n)
	src = src[:4*n]
	for i := range out {
		out[i] = int64(binary.LittleEndian.Uint32(src[4*i : 4*i+4]))
	}
}

func floats(dst, src []byte, n int) {
	out := values[float64](dst, n)
	src = src[:4*n]
	for i := range out {
		out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(src[4*i : 4*i+4])))
	}
}

func halves(dst, src []byte, n int) {
	for i, out := 0, values[float64](dst, n); i < n; i++ {
		out[i] = half(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// half widens an IEEE 754 binary16.
func half(h uint16) float64 {
	sign, exp, frac := uint64(h>>15)<<63, int(h>>10&31), uint64(h&0x3ff)
	switch exp {
	case 0:
		return math.Copysign(math.Ldexp(float64(frac), -24), math.Float64frombits(sign|0x3ff0<<48))
	case 31:
		return math.Float64frombits(sign | 0x7ff<<52 | frac<<42)
	}
	return math.Float64frombits(sign | uint64(exp-15+1023)<<52 | frac<<42)
}

// decimals reads big-endian numbers of v.from bytes, in 1 ns each where they have at most 16.
func (v *converter) decimals(dst, src []byte, n int) {
	at := 0
	switch {
	case v.from <= 8:
		at = v.shortDecimals(dst, src, n)
	case v.from <= 16:
		at = v.longDecimals(dst, src, n)
	}
	for i := at; i < n; i++ {
		v.decimal(dst[i*v.to:], src[i*v.from:(i+1)*v.from])
	}
}

// shortDecimals reads numbers of up to 8 bytes, each with the 8 bytes from its first on, and returns
// how many: not those at the end of src, where fewer are left.
func (v *converter) shortDecimals(dst, src []byte, n int) int {
	if len(src) < 8 {
		return 0
	}
	n = min(n, (len(src)-8)/v.from+1)
	shift := 64 - 8*v.from
	if v.to == 8 {
		for i, out := 0, values[int64](dst, n); i < n; i++ {
			out[i] = int64(binary.BigEndian.Uint64(src[i*v.from:])) >> shift
		}
		return n
	}
	for i, out := 0, values[batch.Int128](dst, n); i < n; i++ {
		x := int64(binary.BigEndian.Uint64(src[i*v.from:])) >> shift
		out[i] = batch.Int128{Hi: x >> 63, Lo: uint64(x)}
	}
	return n
}

// longDecimals reads n numbers of 9 to 16 bytes: the first and the last 8 bytes of each.
func (v *converter) longDecimals(dst, src []byte, n int) int {
	shift := 64 - 8*(v.from-8)
	for i := range n {
		b := src[i*v.from : (i+1)*v.from]
		hi, lo := int64(binary.BigEndian.Uint64(b))>>shift, binary.BigEndian.Uint64(b[len(b)-8:])
		if v.to == 8 {
			v.bad = v.bad || hi != int64(lo)>>63
			binary.NativeEndian.PutUint64(dst[8*i:], lo)
			continue
		}
		values[batch.Int128](dst[16*i:], 1)[0] = batch.Int128{Hi: hi, Lo: lo}
	}
	return n
}

// decimal stores one big-endian number.
func (v *converter) decimal(dst, src []byte) {
	d, ok := decimalOf(src)
	if v.to == 8 {
		x, fits := d.Int64()
		v.bad = v.bad || !fits || !ok
		binary.NativeEndian.PutUint64(dst, uint64(x))
		return
	}
	v.bad = v.bad || !ok
	values[batch.Int128](dst, 1)[0] = d
}
