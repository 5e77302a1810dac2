package gen

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestPermHasEveryNumberOnceAndCanGoBack(t *testing.T) {
	for n := int64(1); n < 300; n++ {
		f := (&Params{Seed: 5}).perm("x", n)
		seen := make([]bool, n)
		for x := range n {
			y := f.at(x)
			if y < 0 || y >= n || seen[y] {
				t.Fatalf("n %d: %d goes to %d, which is out of range or taken", n, x, y)
			}
			seen[y] = true
			if f.back(y) != x {
				t.Fatalf("n %d: %d goes to %d and back to %d", n, x, y, f.back(y))
			}
		}
	}
}

func TestPermOfAnySizeGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, maxRows).Draw(t, "n")
		x := rapid.Int64Range(0, n-1).Draw(t, "x")
		f := (&Params{Seed: rapid.Uint64().Draw(t, "seed")}).perm("x", n)
		if y := f.at(x); y < 0 || y >= n || f.back(y) != x {
			t.Fatalf("%d goes to %d and back to %d", x, y, f.back(y))
		}
	})
}

func TestPermLooksRandom(t *testing.T) {
	const n, cells = 100_000, 10
	f := (&Params{Seed: 5}).perm("x", n)
	var count [cells][cells]float64 // by place of x and of where it goes
	for x := range int64(n) {
		count[x*cells/n][f.at(x)*cells/n]++
	}
	want := float64(n) / (cells * cells)
	for i := range count {
		for j, c := range count[i] {
			if math.Abs(c-want) > 5*math.Sqrt(want) {
				t.Errorf("%v of tenth %d are in tenth %d, %v expected", c, i, j, want)
			}
		}
	}
}

func TestZipfHasTheExactFrequencies(t *testing.T) {
	const draws = 200_000
	for _, theta := range []float64{0.2, 0.99, 1, 1.01, 2, 5} {
		for _, n := range []int64{1, 2, 40, 1000} {
			z, s := newZipf(n, theta), (&Params{Seed: 9}).stream("zipf")
			got := make([]float64, n+1)
			for row := range int64(draws) {
				got[z.rank(s.at(row))]++
			}
			sum := 0.0
			for k := int64(1); k <= n; k++ {
				sum += math.Pow(float64(k), -theta)
			}
			for k := int64(1); k <= n; k++ {
				want := draws * math.Pow(float64(k), -theta) / sum
				if math.Abs(got[k]-want) > 5*math.Sqrt(want)+3 {
					t.Errorf("theta %v, n %d: rank %d came %v times, %v expected", theta, n, k, got[k], want)
				}
			}
		}
	}
}

func BenchmarkZipf(b *testing.B) {
	z, s := newZipf(1_000_000, 1), stream(1)
	for b.Loop() {
		for row := range int64(1000) {
			z.rank(s.at(row))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}

func BenchmarkPerm(b *testing.B) {
	f := (&Params{}).perm("x", 100_000_000)
	for b.Loop() {
		for row := range int64(1000) {
			f.at(row)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}
