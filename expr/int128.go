package expr

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"pqjoin/batch"
)

// pow10 holds 10^0 to 10^38. It is never written to.
var pow10 = func() (t [39]batch.Int128) {
	t[0] = batch.Int128Of(1)
	for i := 1; i < len(t); i++ {
		t[i], _ = mul128(t[i-1], batch.Int128Of(10))
	}
	return t
}()

// pow10f holds 10^0 to 10^38 as floats.
var pow10f = func() (t [39]float64) {
	for i := range t {
		t[i], _ = strconv.ParseFloat("1e"+strconv.Itoa(i), 64)
	}
	return t
}()

// magnitude returns |a| as two words.
func magnitude(a batch.Int128) (hi, lo uint64) {
	if a.Hi < 0 {
		a = a.Neg()
	}
	return uint64(a.Hi), a.Lo
}

// signed gives a magnitude a sign; false where it does not fit.
func signed(hi, lo uint64, neg bool) (batch.Int128, bool) {
	v := batch.Int128{Hi: int64(hi), Lo: lo}
	if neg {
		return v.Neg(), hi < 1<<63 || hi == 1<<63 && lo == 0
	}
	return v, hi < 1<<63
}

// mul128 returns a*b and whether it fits.
func mul128(a, b batch.Int128) (batch.Int128, bool) {
	ah, al := magnitude(a)
	bh, bl := magnitude(b)
	if ah != 0 && bh != 0 {
		return batch.Int128{}, false
	}
	hi, lo := bits.Mul64(al, bl)
	over1, cross1 := bits.Mul64(ah, bl)
	over2, cross2 := bits.Mul64(al, bh)
	hi, c1 := bits.Add64(hi, cross1, 0)
	hi, c2 := bits.Add64(hi, cross2, 0)
	if over1|over2|c1|c2 != 0 {
		return batch.Int128{}, false
	}
	return signed(hi, lo, (a.Hi < 0) != (b.Hi < 0))
}

// quoRem returns a/b truncated towards zero, and the rest, which has a's sign. b is not zero.
func quoRem(a, b batch.Int128) (q, r batch.Int128) {
	bh, bl := magnitude(b)
	if bh != 0 {
		bq, br := new(big.Int).QuoRem(a.Big(), b.Big(), new(big.Int))
		q, _ = batch.Int128FromBig(bq)
		r, _ = batch.Int128FromBig(br)
		return q, r
	}
	ah, al := magnitude(a)
	qh, rest := ah/bl, ah%bl
	ql, rest := bits.Div64(rest, al, bl)
	q, _ = signed(qh, ql, (a.Hi < 0) != (b.Hi < 0))
	r, _ = signed(0, rest, a.Hi < 0)
	return q, r
}

// rescale changes the scale of a decimal by shift digits (positive: more), rounding half
// away from zero; false where the result does not fit 128 bits.
func rescale(a batch.Int128, shift int) (batch.Int128, bool) {
	switch {
	case shift == 0:
		return a, true
	case shift > 38:
		return batch.Int128{}, a == batch.Int128{}
	case shift > 0:
		return mul128(a, pow10[shift])
	case shift < -38:
		return batch.Int128{}, true
	}
	d := pow10[-shift]
	q, r := quoRem(a, d)
	rh, rl := magnitude(r)
	half, _ := quoRem(d, batch.Int128Of(2))
	if (batch.Int128{Hi: int64(rh), Lo: rl}).Cmp(half) >= 0 { // 10^n is even: a rest of half or more
		step := batch.Int128Of(1)
		if a.Hi < 0 {
			step = batch.Int128Of(-1)
		}
		q, _ = q.Add(step)
	}
	return q, true
}

// fits says whether a has at most prec digits.
func fits(a batch.Int128, prec int) bool {
	hi, lo := magnitude(a)
	return int64(hi) >= 0 && (batch.Int128{Hi: int64(hi), Lo: lo}).Cmp(pow10[prec]) < 0
}

// decimalFloat returns the float64 nearest to a / 10^scale.
func decimalFloat(a batch.Int128, scale int) float64 {
	if v, ok := a.Int64(); ok && v > -1<<53 && v < 1<<53 && scale <= 22 {
		return float64(v) / pow10f[scale]
	}
	f, _ := strconv.ParseFloat(string(appendInt128(nil, a))+"e-"+strconv.Itoa(scale), 64)
	return f
}

// floatInt128 returns an integral float as an Int128; false where it does not fit.
func floatInt128(f float64) (batch.Int128, bool) {
	if !(f > -0x1p127 && f < 0x1p127) {
		return batch.Int128{}, false
	}
	if f > -0x1p62 && f < 0x1p62 {
		return batch.Int128Of(int64(f)), true
	}
	frac, exp := math.Frexp(math.Abs(f)) // f = frac * 2^exp, exp > 62
	m := uint64(frac * (1 << 53))
	s := uint(exp - 53)
	if s >= 64 {
		return signed(m<<(s-64), 0, f < 0)
	}
	return signed(m>>(64-s), m<<s, f < 0)
}

// floatDecimal rounds f to a decimal with scale digits behind the point, half away from zero.
func floatDecimal(f float64, t batch.Type) (batch.Int128, bool) {
	v, ok := floatInt128(math.Round(f * pow10f[t.Scale]))
	return v, ok && fits(v, int(t.Prec))
}

func appendInt128(dst []byte, a batch.Int128) []byte {
	if v, ok := a.Int64(); ok {
		return strconv.AppendInt(dst, v, 10)
	}
	hi, lo := magnitude(a)
	if a.Hi < 0 {
		dst = append(dst, '-')
	}
	const chunk = 1e19
	q := hi / chunk
	mid, low := bits.Div64(hi%chunk, lo, chunk)
	if q > 0 {
		dst = strconv.AppendUint(dst, q, 10)
		return pad19(pad19(dst, mid), low)
	}
	if mid > 0 {
		return pad19(strconv.AppendUint(dst, mid, 10), low)
	}
	return strconv.AppendUint(dst, low, 10)
}

func pad19(dst []byte, v uint64) []byte {
	var digits [19]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, digits[:]...)
}
