package binsum

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pqjoin/internal/microbench"
)

// anyFloat draws numbers of all magnitudes, often close to each other, and now and then special ones.
func anyFloat(special bool) *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 {
		m := rapid.Float64Range(-2, 2).Draw(t, "m")
		switch k := rapid.IntRange(0, 11).Draw(t, "k"); {
		case k == 0:
			return math.Ldexp(m, rapid.IntRange(-1100, 1020).Draw(t, "e"))
		case k == 1:
			return math.Float64frombits(rapid.Uint64Range(0, 1<<53).Draw(t, "tiny"))
		case k == 2:
			return math.Copysign(0, m)
		case k == 3 && special:
			return rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "s")
		case k < 7:
			return math.Ldexp(m, rapid.IntRange(-80, 80).Draw(t, "e"))
		}
		return m
	})
}

func sumOf(v []float64) State {
	var s State
	for _, x := range v {
		s.Add(x)
	}
	return s
}

func TestAnyOrderAndTreeGivesTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(anyFloat(true), 0, 60).Draw(t, "v")
		want := sumOf(v)
		p := rapid.Permutation(v).Draw(t, "p")
		var slice State
		slice.AddSlice(p)
		if d := cmp.Diff(want, slice); d != "" {
			t.Fatal(d)
		}
		at := rapid.IntRange(0, len(p)).Draw(t, "at")
		left, right := sumOf(p[:at]), sumOf(p[at:])
		right.Merge(&left)
		if d := cmp.Diff(want, right); d != "" {
			t.Fatal(d)
		}
	})
}

// Whatever was in a window before, its sum is that of the values in it, to the last bit.
func TestSlidingIsTheSumOfWhatIsInIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(anyFloat(rapid.Bool().Draw(t, "special")), 0, 60).Draw(t, "v")
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var s Sliding
		for i, x := range v {
			lo := max(0, i-n+1)
			if i >= n && !s.Remove(v[i-n]) {
				s = Sliding{}
				for _, y := range v[lo:i] {
					s.Add(y)
				}
			}
			s.Add(x)
			if d := cmp.Diff(sumOf(v[lo:i+1]), s.State); d != "" {
				t.Fatal(i, d)
			}
		}
	})
}

// A value that is not finite leaves as cheaply as others, whatever is beside it.
func TestSlidingOverValuesThatAreNotFiniteIsNeverAddedAnew(t *testing.T) {
	v := []float64{1, math.NaN(), math.Inf(1), 2, math.NaN(), math.Inf(-1), math.Inf(1), -1.5, math.Inf(-1), math.NaN(), 1, 1, 1, 1}
	for n := 4; n < 8; n++ {
		var s Sliding
		s.Add(1) // which stays, so that finite ones are never the last of their magnitude
		for i, x := range v {
			if i >= n && !s.Remove(v[i-n]) {
				t.Fatalf("n %d: value %d is lost", n, i-n)
			}
			s.Add(x)
			want := sumOf(append([]float64{1}, v[max(0, i-n+1):i+1]...))
			if d := cmp.Diff(want, s.State); d != "" {
				t.Fatal(n, i, d)
			}
		}
	}
}

// A value that is the last of its magnitude is the only one for which the rest must be added anew.
func TestSlidingIsSeldomAddedAnew(t *testing.T) {
	var s Sliding
	for range 3 {
		s.Add(1000)
	}
	s.Add(1e-9)
	for i, x := range []float64{1e-9, 1000, 1000} {
		if !s.Remove(x) {
			t.Errorf("value %d is lost", i)
		}
	}
	if s.Remove(1000) {
		t.Error("the last value of the largest magnitude went, and the state stayed")
	}
}

func TestAddEachIsAddForEachState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const states, stride, off = 5, Words + 3, 2
		v := rapid.SliceOfN(anyFloat(true), 0, 60).Draw(t, "v")
		at := rapid.SliceOfN(rapid.Uint32Range(0, states-1), len(v), len(v)).Draw(t, "at")
		words := make([]uint64, states*stride+off)
		AddEach(words[off:], stride, at, v)
		var want [states]State
		var counts [states]uint64
		for i, x := range v {
			want[at[i]].Add(x)
			counts[at[i]]++
		}
		for k := range want {
			w := words[off+k*stride:]
			got := State{Bins: [4]int64{int64(w[0]), int64(w[1]), int64(w[2]), int64(w[3])}, Meta: int64(w[4])}
			if d := cmp.Diff(want[k], got); d != "" || w[Words] != counts[k] || w[Words+1] != 0 {
				t.Fatal(k, d, w[:stride])
			}
		}
	})
}

func TestSumIsWithinTheDocumentedBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(anyFloat(false), 1, 60).Draw(t, "v")
		exact, most := new(big.Float).SetPrec(4000), 0.0
		for _, x := range v {
			exact.Add(exact, new(big.Float).SetFloat64(x))
			most = max(most, math.Abs(x))
		}
		s := sumOf(v)
		got := s.Sum()
		if math.IsInf(got, 0) {
			if f, _ := exact.Float64(); !math.IsInf(f, 0) && math.Abs(f) < 1.7e308 {
				t.Fatalf("got %v for %v", got, f)
			}
			return
		}
		diff := new(big.Float).SetPrec(4000).Sub(exact, new(big.Float).SetFloat64(got))
		bound := new(big.Float).SetPrec(4000).SetFloat64(most)
		bound.Mul(bound, new(big.Float).SetMantExp(big.NewFloat(float64(len(v))), -72))
		ulp := math.Nextafter(math.Abs(got), math.Inf(1)) - math.Abs(got)
		bound.Add(bound, new(big.Float).SetMantExp(big.NewFloat(ulp), -1))
		if diff.Abs(diff).Cmp(bound) > 0 {
			t.Fatalf("off by %v, bound %v, got %v", diff, bound, got)
		}
	})
}

func TestScaleEqualsAddingAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(anyFloat(true), 0, 20).Draw(t, "v")
		n := rapid.Int64Range(0, 5).Draw(t, "n")
		var want State
		for range n {
			want.AddSlice(v)
		}
		got := sumOf(v)
		got.Scale(n)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestSpecialValues(t *testing.T) {
	inf, nan, neg := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct {
		in   []float64
		want float64
	}{
		{nil, 0}, {[]float64{neg, neg}, 0}, {[]float64{inf, 1}, inf}, {[]float64{-inf, 1}, -inf},
		{[]float64{inf, -inf}, nan}, {[]float64{nan, 1}, nan},
		{[]float64{1e308, 1e308, -1e308}, 1e308}, {[]float64{1e308, 1e308}, inf},
		{[]float64{5e-324, 5e-324}, 1e-323}, {[]float64{1, 1e-16, 1e-16, 1e-16}, 1.0000000000000002 + 0},
	} {
		s := sumOf(c.in)
		if got := s.Sum(); math.Float64bits(got) != math.Float64bits(c.want) && !(got != got && c.want != c.want) {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
	}
	s := sumOf([]float64{1.5e308, 1.5e308})
	if got := s.Mean(2); got != 1.5e308 {
		t.Errorf("mean without overflow: %v", got)
	}
}

func BenchmarkAdd(b *testing.B) {
	v := values()
	var s State
	cost := microbench.Start(b)
	for b.Loop() {
		for _, x := range v {
			s.Add(x)
		}
	}
	cost.Rows(int64(len(v)), 8*int64(len(v)))
}

func BenchmarkSliding(b *testing.B) {
	v := values()
	cost := microbench.Start(b)
	for b.Loop() {
		var s Sliding
		for i, x := range v {
			if i >= 20 && !s.Remove(v[i-20]) {
				s = Sliding{}
				for _, y := range v[i-19 : i] {
					s.Add(y)
				}
			}
			s.Add(x)
		}
	}
	cost.Rows(int64(len(v)), 8*int64(len(v)))
}

func BenchmarkAddSlice(b *testing.B) {
	v := values()
	var s State
	cost := microbench.Start(b)
	for b.Loop() {
		s.AddSlice(v)
	}
	cost.Rows(int64(len(v)), 8*int64(len(v)))
}

func values() []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]float64, 4096)
	for i := range v {
		v[i] = r.NormFloat64() * 100
	}
	return v
}
