package groupby

import (
	"math"
	"math/bits"
	"slices"
)

// selectAt puts the value that belongs at place k of a, were it sorted, there, none greater before it and none less behind,
// and returns it. Values in random order cost about 1.5 n comparisons for the median; the worst order costs a sort of a.
//
// R. W. Floyd, R. L. Rivest, "Algorithm 489: the algorithm SELECT" (1975), with a partition that does not branch.
func selectAt(a []int64, k int) int64 {
	rounds := 4 * bits.Len(uint(len(a)))
	for lo, hi := 0, len(a); ; rounds-- {
		if hi-lo <= smallSelect || rounds <= 0 {
			slices.Sort(a[lo:hi])
			return a[k]
		}
		pivot := a[pivotAt(a, lo, hi, k)]
		cut := lo + partition(a[lo:hi], pivot)
		switch {
		case k < cut:
			hi = cut
		case cut-lo > (hi-lo)/8:
			lo = cut
		default: // few are less: perhaps many are equal
			same := cut + partition(a[cut:hi], pivot+1)
			if k < same || pivot == math.MaxInt64 {
				return pivot
			}
			lo = same
		}
	}
}

const (
	smallSelect = 24
	// sampleSelect is from how many values on the pivot is the one of a sample that is near the place.
	sampleSelect = 600
)

// pivotAt returns where in a[lo:hi] there is a value near the one that belongs at place k.
func pivotAt(a []int64, lo, hi, k int) int {
	n := float64(hi - lo)
	if n < sampleSelect {
		return middle(a, lo, lo+(hi-lo)/2, hi-1)
	}
	i, z := float64(k-lo), math.Log(n)
	s := math.Exp(2*z/3) / 2
	sd := math.Sqrt(z*s*(n-s)/n) / 2
	if i < n/2 {
		sd = -sd
	}
	from := max(lo, int(float64(k)-i*s/n+sd))
	to := min(hi, int(float64(k)+(n-i)*s/n+sd)+1)
	if k < from || k >= to { // not by more than rounding
		return k
	}
	selectAt(a[from:to], k-from)
	return k
}

// middle returns the one of three places that has the middle value.
func middle(a []int64, x, y, z int) int {
	if a[x] > a[y] {
		x, y = y, x
	}
	switch {
	case a[z] < a[x]:
		return x
	case a[z] < a[y]:
		return z
	}
	return y
}

// partition puts the values below pivot first and returns how many there are: about 1.5 ns a value in any order.
func partition(a []int64, pivot int64) int {
	n := 0
	for i, x := range a {
		a[i] = a[n]
		a[n] = x
		less := 0
		if x < pivot {
			less = 1
		}
		n += less
	}
	return n
}
