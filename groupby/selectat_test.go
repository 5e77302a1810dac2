package groupby

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSelectionFindsWhatSortingDoes goes over orders that partitions find hard, and checks what lies on either side too.
func TestSelectionFindsWhatSortingDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	orders := map[string]func(i, n int) int64{
		"random":  func(int, int) int64 { return int64(r.Uint64()) },
		"few":     func(int, int) int64 { return r.Int64N(3) },
		"equal":   func(int, int) int64 { return math.MaxInt64 },
		"least":   func(int, int) int64 { return math.MinInt64 },
		"rising":  func(i, _ int) int64 { return int64(i) },
		"falling": func(i, _ int) int64 { return int64(-i) },
		"pipe":    func(i, n int) int64 { return int64(min(i, n-i)) },
		"mostly":  func(i, n int) int64 { return r.Int64N(int64(n)) * (int64(i) & 1) },
		"saw":     func(i, _ int) int64 { return int64(i % 17) },
	}
	for name, of := range orders {
		for _, n := range []int{1, 2, 24, 25, 26, 100, 601, 5000} {
			a := make([]int64, n)
			for i := range a {
				a[i] = of(i, n)
			}
			want := slices.Sorted(slices.Values(a))
			for _, k := range []int{0, 1, n / 4, n / 2, n - 2, n - 1, r.IntN(n)} {
				if k < 0 || k >= n {
					continue
				}
				b := slices.Clone(a)
				if got := selectAt(b, k); got != want[k] || b[k] != want[k] {
					t.Fatalf("%s: place %d of %d: %d, want %d", name, k, n, got, want[k])
				}
				if slices.Max(b[:k+1]) != want[k] || slices.Min(b[k:]) != want[k] {
					t.Fatalf("%s: place %d of %d: values on the wrong side", name, k, n)
				}
				slices.Sort(b)
				if !slices.Equal(b, want) {
					t.Fatalf("%s: place %d of %d: values were lost", name, k, n)
				}
			}
		}
	}
}

// BenchmarkSelect takes the medians of groups of 1,000 and of 1M random values.
func BenchmarkSelect(b *testing.B) {
	for _, n := range []int{1000, 1 << 20} {
		b.Run(map[bool]string{true: "1000", false: "1M"}[n == 1000], func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			const all = 1 << 20
			values, a := make([]int64, all), make([]int64, all)
			for i := range values {
				values[i] = int64(r.Uint64())
			}
			for b.Loop() {
				copy(a, values)
				for at := 0; at+n <= all; at += n {
					selectAt(a[at:at+n], n/2)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/all, "ns/value")
		})
	}
}
