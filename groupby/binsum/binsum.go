// Package binsum adds float64 values so that the result is the same to the last bit
// in whatever order, grouping or merge tree they are added.
//
// The axis of binary digits, from 2^-1074 upwards, is cut into bins of 24 digits at
// fixed places. A state keeps the four bins below (and with) the leading bin of the
// largest magnitude seen so far, each an int64:
//
//	          leading bin T
//	... | 24 | 24 | 24 | 24 | ...      digits of |x|, the largest so far
//	      B3   B2   B1   B0            B3 holds the leading digit, or the 23 above it
//
// A value is cut at the bin borders by truncation of its magnitude, its pieces are added
// to the bins with its sign, and no carry leaves a bin before the end. When a larger
// value arrives the bins move down and the lowest are dropped: what is dropped of a
// value depends on that value and on the largest magnitude alone, never on the order. So
// a state is a function of the set of values, and merging states is exact.
//
// Error: the final rounding of what the bins hold to the nearest double is exact, so
//
//	|result - sum| <= n * 2^-72 * max|x| + ulp(result)/2
//
// about 2^19 times tighter than the bound of the plain loop. A bin takes 2^39 pieces of
// 24 bits; MaxCount says so, and callers check it. NaN, +Inf and -Inf are noted as flags
// and decide the result by IEEE's rules; the sum of nothing but -0.0 is 0.0.
//
// The scheme is that of Demmel, Ahrens and Nguyen, "Efficient Reproducible Floating
// Point Summation and BLAS" (ReproBLAS), with integer bins as in Neal, "Fast Exact
// Summation Using Small and Large Superaccumulators".
package binsum

import (
	"math"
	"math/bits"
	"unsafe"
)

// Words is the length in 8-byte words of a State that is kept as a slice of words:
// the bins from the lowest to the leading one, then the position and the flags.
const Words = 5

// MaxCount is the most values (counted as often as Scale multiplies them) that a state may hold.
const MaxCount = 1 << 39

const (
	binBits = 24
	binMask = 1<<binBits - 1
	numBins = 4
)

// State is a sum in progress. The zero value is the empty sum.
type State struct {
	Bins [numBins]int64
	// Meta packs the digit position of the lowest bin's lowest digit, in bits above
	// 2^-1074 and moved by metaBias so that it is positive (0: no finite value yet), with the flags.
	Meta int64
}

const (
	metaBias = 128 // positions begin at 24*(2-3) = -24; 0 is kept for the empty state
	flagNaN  = 1 << 16
	flagPos  = 1 << 17
	flagNeg  = 1 << 18
	flagAny  = flagNaN | flagPos | flagNeg
	posMask  = 1<<16 - 1
)

// base returns the digit position of the window's lowest digit.
func base(meta int64) int { return int(meta&posMask) - metaBias }

// baseOf returns the lowest kept digit position for values of biased exponent eb >= 1.
func baseOf(eb int) int { return ((eb+51)/binBits - (numBins - 1)) * binBits }

// Add deposits x.
func (s *State) Add(x float64) {
	b := math.Float64bits(x)
	eb := int(b >> 52 & 0x7ff)
	m := b & (1<<52 - 1)
	if eb == 0x7ff {
		s.special(b)
		return
	}
	if eb == 0 {
		if m == 0 {
			return
		}
		eb = 1
	} else {
		m |= 1 << 52
	}
	// The value is m * 2^(eb-1) in units of 2^-1074; sh is where its last digit falls in the window.
	sh := eb - 1 - base(s.Meta)
	if sh > 43 { // always so in the empty state
		s.raise(baseOf(eb))
		sh = eb - 1 - base(s.Meta)
	}
	sign := int64(b) >> 63
	c0, c1, c2, c3 := cut(m, sh)
	s.Bins[0] += (c0 ^ sign) - sign
	s.Bins[1] += (c1 ^ sign) - sign
	s.Bins[2] += (c2 ^ sign) - sign
	s.Bins[3] += (c3 ^ sign) - sign
}

// cut returns m << sh (>> where negative) in pieces of 24 bits, the lowest first. sh is at most 43.
func cut(m uint64, sh int) (c0, c1, c2, c3 int64) {
	var lo, hi uint64
	if sh >= 0 {
		lo = m << (uint(sh) & 63)
		hi = m >> 1 >> (63 - uint(sh)&63)
	} else {
		lo = m >> uint(-sh)
	}
	return int64(lo & binMask), int64(lo >> binBits & binMask), int64((lo>>48 | hi<<16) & binMask), int64(hi >> 8)
}

// AddEach deposits v[i] into the state in the words from stride*at[i] on, and counts it in the word
// behind the state. It costs about 4 ns a value where the states are in the cache: the deposits of
// Add in one loop, without a call, for values in the upper half of their state's window.
func AddEach(words []uint64, stride int, at []uint32, v []float64) {
	v = v[:len(at)]
	for i, e := range at {
		w := (*[Words + 1]uint64)(words[int(e)*stride:])
		w[Words]++
		b := math.Float64bits(v[i])
		eb := int(b >> 52 & 0x7ff)
		sh := eb + metaBias - 1 - int(w[Words-1]&posMask)
		if uint(sh) > 43 || uint(eb-1) >= 0x7fe {
			(*State)(unsafe.Pointer(w)).Add(v[i])
			continue
		}
		m := b&(1<<52-1) | 1<<52
		lo, hi := m<<(uint(sh)&63), m>>1>>(63-uint(sh)&63)
		sign := uint64(int64(b) >> 63)
		w[0] += (lo&binMask ^ sign) - sign
		w[1] += (lo>>binBits&binMask ^ sign) - sign
		w[2] += ((lo>>48|hi<<16)&binMask ^ sign) - sign
		w[3] += (hi>>8 ^ sign) - sign
	}
}

// special notes a NaN or an infinity.
func (s *State) special(b uint64) {
	switch {
	case b&(1<<52-1) != 0:
		s.Meta |= flagNaN
	case b>>63 == 0:
		s.Meta |= flagPos
	default:
		s.Meta |= flagNeg
	}
}

// raise moves the window up so that its lowest digit is at newBase, and drops what falls out.
func (s *State) raise(newBase int) {
	old := s.Meta & posMask
	s.Meta = s.Meta&^posMask | int64(newBase+metaBias)
	if old == 0 {
		return
	}
	d := (newBase + metaBias - int(old)) / binBits
	for i := range s.Bins {
		if i+d < numBins {
			s.Bins[i] = s.Bins[i+d]
		} else {
			s.Bins[i] = 0
		}
	}
}

// AddSlice deposits all values; it is faster than as many calls of Add.
func (s *State) AddSlice(v []float64) {
	for i := 0; i < len(v); {
		i += s.addRun(v[i:])
		if i < len(v) {
			s.Add(v[i])
			i++
		}
	}
}

// addRun deposits values for as long as they lie under the window's top, keeping the bins in registers.
func (s *State) addRun(v []float64) int {
	if s.Meta&posMask == 0 {
		return 0
	}
	from := base(s.Meta) + 1
	b0, b1, b2, b3 := s.Bins[0], s.Bins[1], s.Bins[2], s.Bins[3]
	n := len(v)
	for i, x := range v {
		b := math.Float64bits(x)
		eb := int(b >> 52 & 0x7ff)
		sh := eb - from
		if sh > 43 || uint(eb-1) >= 0x7fe {
			n = i
			break
		}
		sign := int64(b) >> 63
		c0, c1, c2, c3 := cut(b&(1<<52-1)|1<<52, sh)
		b0 += (c0 ^ sign) - sign
		b1 += (c1 ^ sign) - sign
		b2 += (c2 ^ sign) - sign
		b3 += (c3 ^ sign) - sign
	}
	s.Bins = [numBins]int64{b0, b1, b2, b3}
	return n
}

// Merge adds what o holds. The result is that of adding o's values one by one.
func (s *State) Merge(o *State) {
	s.Meta |= o.Meta & flagAny
	if o.Meta&posMask == 0 {
		return
	}
	if s.Meta&posMask < o.Meta&posMask {
		s.raise(base(o.Meta))
	}
	d := (base(s.Meta) - base(o.Meta)) / binBits
	for i := d; i < numBins; i++ {
		s.Bins[i-d] += o.Bins[i]
	}
}

// Scale makes the sum that of every value added n times, n >= 0.
func (s *State) Scale(n int64) {
	if n == 0 {
		*s = State{}
		return
	}
	for i := range s.Bins {
		s.Bins[i] *= n
	}
}

// Sum returns the sum, rounded once to the nearest double, ties to even.
func (s *State) Sum() float64 {
	f, exp, done := s.parts()
	if done {
		return f
	}
	return scaled(f, exp)
}

// Mean returns the sum divided by n > 0: two roundings, and no overflow on the way.
func (s *State) Mean(n int64) float64 {
	f, exp, done := s.parts()
	if done {
		return f / float64(n)
	}
	if sum := scaled(f, exp); !math.IsInf(sum, 0) {
		return sum / float64(n)
	}
	return math.Ldexp(f/float64(n), exp)
}

// scaled is math.Ldexp, faster where nothing can overflow or be rounded: |f| is less than 2^65, and 0 or at least 1.
func scaled(f float64, exp int) float64 {
	if uint(exp+900) <= 1800 {
		return f * math.Float64frombits(uint64(exp+1023)<<52)
	}
	return math.Ldexp(f, exp)
}

// parts returns the finite sum as f * 2^exp with f rounded to 53 bits, or done with the result in f.
func (s *State) parts() (f float64, exp int, done bool) {
	switch {
	case s.Meta&flagNaN != 0, s.Meta&(flagPos|flagNeg) == flagPos|flagNeg:
		return math.NaN(), 0, true
	case s.Meta&flagPos != 0:
		return math.Inf(1), 0, true
	case s.Meta&flagNeg != 0:
		return math.Inf(-1), 0, true
	case s.Meta&posMask == 0:
		return 0, 0, true
	}
	neg, w2, w1, w0 := s.magnitude()
	exp = base(s.Meta) - 1074
	top, drop := leading64(w2, w1, w0)
	if top == 0 {
		return 0, 0, true
	}
	f = float64(top)
	if neg {
		f = -f
	}
	return f, exp + drop, false
}

// magnitude carries the bins out into one 192-bit integer in units of the window's lowest digit.
func (s *State) magnitude() (neg bool, w2, w1, w0 uint64) {
	b := s.Bins
	for i := range numBins - 1 {
		b[i+1] += b[i] >> binBits
		b[i] &= binMask
	}
	// The top bin has all of the sign; the three below are a 72-bit remainder.
	t := b[3]
	w0 = uint64(b[0]) | uint64(b[1])<<24 | uint64(b[2])<<48
	w1 = uint64(b[2])>>16 | uint64(t)<<8
	w2 = uint64(t >> 56)
	if t < 0 {
		var c uint64
		w0, c = bits.Sub64(0, w0, 0)
		w1, c = bits.Sub64(0, w1, c)
		w2, _ = bits.Sub64(0, w2, c)
	}
	return t < 0, w2, w1, w0
}

// leading64 returns the 64 leading digits of a 192-bit number, the last one set if
// anything below is, and how many digits were cut off.
func leading64(w2, w1, w0 uint64) (top uint64, drop int) {
	if w2 == 0 && w1 == 0 {
		return w0, 0
	}
	if w2 == 0 {
		w2, w1, w0 = w1, w0, 0
		drop = -64
	}
	drop += 128
	if z := uint(bits.LeadingZeros64(w2)); z > 0 {
		w2 = w2<<z | w1>>(64-z)
		w1 = w1<<z | w0>>(64-z)
		w0 <<= z
		drop -= int(z)
	}
	if w1|w0 != 0 {
		w2 |= 1
	}
	return w2, drop
}
