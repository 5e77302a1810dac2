package batch

import "math"

// HalfBits returns v, which is a value of half precision, in its IEEE 754 bits.
func HalfBits(v float64) uint16 {
	b := math.Float32bits(float32(v))
	sign := uint16(b >> 16 & 0x8000)
	exp, frac := int(b>>23&0xff), b&0x7fffff
	switch {
	case exp == 0xff && frac != 0:
		return sign | 0x7e00 | uint16(frac>>13)
	case exp == 0xff || exp > 142:
		return sign | 0x7c00
	case exp > 112:
		return sign | uint16(exp-112)<<10 | uint16(frac>>13)
	case exp < 102:
		return sign
	}
	return sign | uint16((frac|0x800000)>>(126-exp))
}

// HalfValue returns the value of IEEE 754 half precision bits.
func HalfValue(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&0x1f), float64(h&0x3ff)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch {
	case exp == 0x1f && frac != 0:
		return math.NaN()
	case exp == 0x1f:
		return math.Inf(int(sign))
	case exp == 0:
		return sign * math.Ldexp(frac, -24)
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}
