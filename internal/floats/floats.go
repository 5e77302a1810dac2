// Package floats has the functions of package math that are wrong, or less exact than they could be, for some numbers:
//
//   - logarithms of subnormal numbers, which the assembly for amd64 takes for numbers from 2^-1023 to 2^-1022, and powers
//     and the gamma function's logarithm, which rest on them;
//   - e to the power of 709.44 to 709.78, which that assembly takes for infinite, and sinh and cosh of 709.44 to 710.48;
//   - the logarithm to base 10 of powers of ten, and to base 2 of numbers next to 1;
//   - powers of ten;
//   - the angle of points below and left of 0 whose y / x is no float.
//
// For all other numbers they return what math does. They are pure, and safe for concurrent use.
package floats

import (
	"fmt"
	"math"
	"strconv"
)

const (
	minNormal = 0x1p-1022
	nearMax   = 709 // e^nearMax is a float with room above it

	ln2Hi = 6.93147180369123816490e-01 // its last bits are zeros: its product with an exponent is exact
	ln2Lo = 1.90821492927058770002e-10

	ivLn10  = 4.34294481903251816668e-01 // 1 / ln(10)
	log2Hi  = 3.01029995663611771306e-01 // log10(2), in two parts like ln(2)
	log2Low = 3.69423907715893078616e-13
)

// Log returns the natural logarithm of x: -inf of 0, NaN below.
func Log(x float64) float64 {
	if x < minNormal && x > 0 {
		return logSubnormal(x)
	}
	return math.Log(x)
}

func logSubnormal(x float64) float64 {
	f, exp := math.Frexp(x)
	return float64(float64(exp)*ln2Hi) + (math.Log(f) + float64(float64(exp)*ln2Lo))
}

// Log2 returns the logarithm of x to base 2, exactly where x is a power of it.
func Log2(x float64) float64 {
	f, exp := math.Frexp(x)
	if f < math.Sqrt2/2 { // f is about 1, and exp 0 where x is, so that nothing cancels
		f, exp = 2*f, exp-1
	}
	return float64(math.Log(f)*(1/math.Ln2)) + float64(exp)
}

// Log10 returns the logarithm of x to base 10, exactly where x is a power of it up to 10^22: the product of the exponent and
// the greater part of log10(2) is exact.
func Log10(x float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64) {
		return math.Log(x)
	}
	f, exp := math.Frexp(x)
	if exp > 0 {
		f, exp = 2*f, exp-1
	}
	n := float64(exp)
	return float64(n*log2Low+float64(ivLn10*math.Log(f))) + float64(n*log2Hi)
}

// LogBase returns the logarithm of x to a base.
func LogBase(base, x float64) float64 {
	if base == 2 {
		return Log2(x)
	}
	return Log10(x) / Log10(base)
}

// Exp returns e to the power of x.
func Exp(x float64) float64 {
	if x > nearMax {
		return math.Exp(x-1) * math.E
	}
	return math.Exp(x)
}

// Pow returns x to the power of y, with the special cases of math.Pow.
func Pow(x, y float64) float64 {
	if x < minNormal && x > 0 && y != math.Trunc(y) {
		return math.Pow(x*0x1p64, y) * math.Exp2(-64*y) // 64 * y is exact
	}
	return math.Pow(x, y)
}

// Sinh returns the hyperbolic sine of x.
func Sinh(x float64) float64 {
	if a := math.Abs(x); a > nearMax {
		return math.Copysign(halfExp(a), x)
	}
	return math.Sinh(x)
}

// Cosh returns the hyperbolic cosine of x.
func Cosh(x float64) float64 {
	if a := math.Abs(x); a > nearMax {
		return halfExp(a)
	}
	return math.Cosh(x)
}

// halfExp returns e^x / 2, which may be a float where e^x is none.
func halfExp(x float64) float64 {
	root := math.Exp(x / 2)
	return root / 2 * root
}

// LogGamma returns the logarithm of the gamma function's absolute value.
func LogGamma(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.Inf(1)
	}
	if a := math.Abs(x); a < minNormal {
		return -Log(a)
	}
	v, _ := math.Lgamma(x)
	return v
}

// Atan2 returns the angle of the point (x, y), with the sign of y.
func Atan2(y, x float64) float64 {
	a := math.Atan2(y, x)
	if y < 0 && a > 0 { // -y / x was too small for a float
		return -a
	}
	return a
}

// Ten returns the float nearest to 10^n, which math.Pow10 misses by a unit of the last place for many n from 33 on, and math.Pow by
// several. n is from -323 to 308.
func Ten(n int) float64 {
	f, err := strconv.ParseFloat("1e"+strconv.Itoa(n), 64)
	if err != nil {
		panic(fmt.Sprintf("floats: 10^%d is no float", n))
	}
	return f
}
