package floats_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pqjoin/internal/floats"
)

const minNormal = 0x1p-1022

// subnormals are the least and the greatest, and some of each magnitude.
func subnormals() []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	out := []float64{math.SmallestNonzeroFloat64, 2 * math.SmallestNonzeroFloat64, math.Nextafter(minNormal, 0), 1e-310, 3e-320}
	for bits := range 52 {
		for range 20 {
			out = append(out, math.Float64frombits(1<<bits|r.Uint64N(1<<bits)))
		}
	}
	return out
}

// near says whether got is within some units of want's last place.
func near(got, want, units float64) bool {
	unit := math.Abs(math.Nextafter(want, math.Inf(1)) - want)
	return got == want || math.Abs(got-want) <= units*unit
}

func TestLogarithmsOfSubnormals(t *testing.T) {
	for _, x := range subnormals() {
		up := x * 0x1p64 // exactly, and normal
		for name, c := range map[string]struct{ got, want float64 }{
			"Log":         {floats.Log(x), math.Log(up) - 64*math.Ln2},
			"Log2":        {floats.Log2(x), math.Log2(up) - 64},
			"Log10":       {floats.Log10(x), math.Log10(up) - 64*math.Log10(2)},
			"LogBase 2":   {floats.LogBase(2, x), math.Log2(up) - 64},
			"LogBase 10":  {floats.LogBase(10, x), math.Log10(up) - 64*math.Log10(2)},
			"LogBase of":  {floats.LogBase(x, 10), 1 / (math.Log10(up) - 64*math.Log10(2))},
			"LogGamma":    {floats.LogGamma(x), 64*math.Ln2 - math.Log(up)},
			"LogGamma of": {floats.LogGamma(-x), 64*math.Ln2 - math.Log(up)},
		} {
			if !near(c.got, c.want, 3) {
				t.Errorf("%s of %g: %.17g, expected %.17g", name, x, c.got, c.want)
			}
		}
	}
}

// Powers with a fraction that is one of two are checked by multiplication: the root to the power of 4 is the number.
func TestPowersOfSubnormals(t *testing.T) {
	for _, x := range subnormals() {
		for _, y := range []float64{0.5, 0.25, 0.125, -0.25, -0.125} {
			root := floats.Pow(x, y)
			p, want := new(big.Float).SetPrec(200).SetInt64(1), new(big.Float).SetPrec(200).SetFloat64(x)
			for range int(1 / math.Abs(y)) {
				p.Mul(p, new(big.Float).SetFloat64(root))
			}
			if y < 0 {
				p.Mul(p, want) // a root of 1/x
				want.SetInt64(1)
			}
			off, _ := p.Quo(p, want).Float64()
			if math.Abs(off-1) > 2e-13 {
				t.Errorf("%g to the power of %g: %g, off by %g", x, y, root, off-1)
			}
		}
		if got := floats.Pow(x, 0.1); !near(got, math.Pow(x*0x1p100, 0.1)/0x1p10, 400) {
			t.Errorf("%g to the power of 0.1: %g", x, got)
		}
		if got := floats.Pow(x, -1.1); !math.IsInf(got, 1) && x < 1e-320 {
			t.Errorf("%g to the power of -1.1: %g", x, got)
		}
	}
	for _, y := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 0, 1, 2, -1} {
		if got, want := floats.Pow(5e-324, y), math.Pow(5e-324, y); got != want && want == want {
			t.Errorf("5e-324 to the power of %g: %g, expected %g", y, got, want)
		}
	}
}

// e^x is the power of e^(x/1024), which is far from both ends.
func TestExpAtItsEnds(t *testing.T) {
	last := 709.782712893384 // whose power is a float; that of the next is none
	for _, x := range []float64{708, 709, 709.1, 709.43, 709.44, 709.5, 709.7, 709.78, 709.7827, -700, -708.3} {
		p := new(big.Float).SetPrec(300).SetFloat64(math.Exp(x / 1024))
		for range 10 {
			p.Mul(p, p)
		}
		want, _ := p.Float64()
		if got := floats.Exp(x); !(math.Abs(got/want-1) < 1e-12) {
			t.Errorf("e^%v: %v, expected %v", x, got, want)
		}
		half, _ := p.Quo(p, big.NewFloat(2)).Float64()
		if x < 0 {
			continue
		}
		for name, got := range map[string]float64{"sinh": floats.Sinh(x), "-sinh": -floats.Sinh(-x), "cosh": floats.Cosh(x), "cosh of -": floats.Cosh(-x)} {
			if !(math.Abs(got/half-1) < 1e-12) {
				t.Errorf("%s of %v: %v, expected %v", name, x, got, half)
			}
		}
	}
	known := map[float64]float64{
		709.5: 1.3549863193146328e+308, 709.78: 1.7928227943945155e+308, last: 1.7976931348622732e+308, math.Nextafter(last, 710): math.Inf(1), 710: math.Inf(1),
		math.Inf(1): math.Inf(1), math.Inf(-1): 0, -745.13: 5e-324, -745.14: 0, 0: 1,
	}
	for x, want := range known {
		if got := floats.Exp(x); !near(got, want, 4) {
			t.Errorf("e^%v: %v, expected %v", x, got, want)
		}
	}
	for x, want := range map[float64]float64{710: 1.1169973830808557e+308, 710.4758: 1.797585143589559e+308, 710.5: math.Inf(1), math.Inf(1): math.Inf(1)} {
		if s, c := floats.Sinh(x), floats.Cosh(x); !near(s, want, 4) || !near(c, want, 4) || floats.Sinh(-x) != -s {
			t.Errorf("sinh and cosh of %v: %v, %v, expected %v", x, s, c, want)
		}
	}
}

func TestLogarithmsOfPowersAreExact(t *testing.T) {
	for n := -22; n <= 22; n++ {
		if got := floats.Log10(floats.Ten(n)); got != float64(n) {
			t.Errorf("log10 of 1e%d: %v", n, got)
		}
	}
	for n := -1074; n <= 1023; n++ {
		if x := math.Ldexp(1, n); floats.Log2(x) != float64(n) || floats.LogBase(2, x) != float64(n) {
			t.Errorf("log2 of 2^%d: %v, %v", n, floats.Log2(x), floats.LogBase(2, x))
		}
	}
	for i := range 1000 { // next to 1 all three are the natural logarithm's multiples
		x := 1 + float64(i-500)*0x1p-52
		if got, want := floats.Log2(x), math.Log1p(x-1)/math.Ln2; !near(got, want, 3) {
			t.Errorf("log2 of %v: %v, expected %v", x, got, want)
		}
		if got, want := floats.Log10(x), math.Log1p(x-1)/math.Ln10; !near(got, want, 3) {
			t.Errorf("log10 of %v: %v, expected %v", x, got, want)
		}
	}
}

func TestSpecialCasesAreThoseOfMath(t *testing.T) {
	pairs := map[string][2]func(float64) float64{
		"Log": {floats.Log, math.Log}, "Log2": {floats.Log2, math.Log2}, "Log10": {floats.Log10, math.Log10}, "Exp": {floats.Exp, math.Exp}, "Sinh": {floats.Sinh, math.Sinh},
		"Cosh": {floats.Cosh, math.Cosh}, "LogGamma": {floats.LogGamma, func(x float64) float64 { v, _ := math.Lgamma(x); return v }},
	}
	negative := math.Copysign(0, -1)
	for name, f := range pairs {
		for _, x := range []float64{0, negative, 1, -1, -2.5, 0.3, 7, 1e300, 1e-300, minNormal, -5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()} {
			if name == "LogGamma" && (x == -5e-324 || math.IsInf(x, 0)) { // the logarithm of 1 / x; and +inf at both ends
				continue
			}
			got, want := f[0](x), f[1](x)
			if !(got == want && math.Signbit(got) == math.Signbit(want) || got != got && want != want || near(got, want, 2)) {
				t.Errorf("%s of %v: %v, expected %v", name, x, got, want)
			}
		}
	}
}

func TestAnglesHaveTheSignOfY(t *testing.T) {
	for _, y := range []float64{0, 5e-324, 1e-310, 1, 1e300, math.Inf(1)} {
		for _, x := range []float64{math.Inf(-1), -1e300, -3, -1, math.Copysign(0, -1), 0, 1, 3, 1e300, math.Inf(1)} {
			up, down := floats.Atan2(y, x), floats.Atan2(-y, x)
			if up != math.Atan2(y, x) || y != 0 && up != -down || math.Signbit(up) {
				t.Errorf("the angles of %v and -%v at %v: %v, %v", y, y, x, up, down)
			}
		}
	}
	if got := floats.Atan2(-1e-310, -1e300); got != -math.Pi {
		t.Errorf("%v, expected -pi", got)
	}
}

func TestTenIsTheNearestFloat(t *testing.T) {
	for n := -323; n <= 308; n++ {
		want, _ := new(big.Float).SetPrec(2000).SetString("1e0")
		ten := big.NewFloat(10)
		for range max(n, -n) {
			if n > 0 {
				want.Mul(want, ten)
			} else {
				want.Quo(want, ten)
			}
		}
		if f, _ := want.Float64(); floats.Ten(n) != f {
			t.Errorf("10^%d: %v, expected %v", n, floats.Ten(n), f)
		}
	}
}
