package gen

import "math"

// zipf draws ranks k of [1, n] with a probability proportional to k^-theta, exactly but for the rounding of
// doubles, by rejection-inversion (Hörmann and Derflinger, Rejection-Inversion to Generate Variates from Monotone
// Discrete Distributions, ACM TOMACS 6(3), 1996). It needs no table; about 80 ns a rank, and
// rejects a few of a hundred.
//
// The area under h(x) = x^-theta from k-1/2 to k+1/2 is at least h(k), for h is convex. So: take a
// point under h, uniform by area, round it to k, and accept it where it lies in the last h(k) of k's area.
type zipf struct {
	n     float64
	theta float64
	first float64 // integral of h up to where the area of k = 1 is cut to h(1)
	last  float64 // up to n + 1/2
	sure  float64 // a point that is at most this far below its k is accepted without a look at its area
}

func newZipf(n int64, theta float64) *zipf {
	z := &zipf{n: float64(n), theta: theta}
	z.first = z.integral(1.5) - 1
	z.last = z.integral(z.n + 0.5)
	z.sure = 2 - z.inverse(z.integral(2.5)-z.h(2))
	return z
}

// rank returns a rank; x is a uniform word, from which more are drawn as needed.
func (z *zipf) rank(x uint64) int64 {
	for ; ; x = mix(x + golden) {
		u := z.last + float64(x>>11)*0x1p-53*(z.first-z.last)
		at := z.inverse(u)
		k := min(max(math.Floor(at+0.5), 1), z.n)
		if k-at <= z.sure || u >= z.integral(k+0.5)-z.h(k) {
			return int64(k)
		}
	}
}

func (z *zipf) h(x float64) float64 { return math.Exp(-z.theta * math.Log(x)) }

// integral is an antiderivative of h, (x^(1-theta) - 1) / (1-theta), that has no gap at theta = 1, where it is ln(x).
func (z *zipf) integral(x float64) float64 {
	l := math.Log(x)
	return expRatio((1-z.theta)*l) * l
}

// inverse is the inverse of integral.
func (z *zipf) inverse(u float64) float64 {
	t := max(u*(1-z.theta), -1) // below -1 by rounding alone
	return math.Exp(logRatio(t) * u)
}

// expRatio is (e^x - 1)/x, near 0 by its series.
func expRatio(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Expm1(x) / x
	}
	return 1 + x/2*(1+x/3)
}

// logRatio is ln(1+x)/x, near 0 by its series.
func logRatio(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Log1p(x) / x
	}
	return 1 - x*(0.5-x/3)
}
