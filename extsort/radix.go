package extsort

import "math/bits"

// pair is a key word and the row it belongs to.
type pair struct {
	k  uint64
	id uint32
	_  uint32
}

const (
	lsdDigit   = 11
	insertion  = 40 // rows that are sorted by insertion
	smallDigit = 6
	msdDigit   = 8
	firstCut   = 1 << 12 // words that fit the first cache twice, or nearly
)

// sortPacked sorts words stably by their bits [shift, shift+keyBits), which are their
// top bits, least significant digit first. It returns the one of a and tmp that holds the result.
// Cost: about 7 ns a row for 20 bits while the words fit the cache.
func sortPacked(a, tmp []uint64, shift, keyBits int) []uint64 {
	if keyBits > 2*lsdDigit && len(a) > firstCut {
		return sortWide(a, tmp, shift, keyBits)
	}
	passes := (keyBits + lsdDigit - 1) / lsdDigit
	if passes == 0 || len(a) < 2 {
		return a
	}
	digit := (keyBits + passes - 1) / passes
	var counts [6][1 << lsdDigit]uint32
	mask := uint64(1)<<digit - 1
	for _, x := range a {
		x >>= shift
		for p := range passes {
			counts[p][x&mask]++
			x >>= digit
		}
	}
	for p := range passes {
		c := &counts[p]
		sh := shift + p*digit
		if c[a[0]>>sh&mask] == uint32(len(a)) {
			continue
		}
		sum := uint32(0)
		for i := range c[:mask+1] {
			c[i], sum = sum, sum+c[i]
		}
		for _, x := range a {
			d := x >> sh & mask
			tmp[c[d]] = x
			c[d]++
		}
		a, tmp = tmp, a
	}
	return a
}

// sortWide distributes a by its first bits into pieces that fit the first cache, and sorts
// each: many passes over all of a would each miss it. The result is in a.
func sortWide(a, tmp []uint64, shift, keyBits int) []uint64 {
	digit := min(max(bits.Len(uint(len(a)/firstCut)), 4), msdDigit)
	keyBits -= digit
	var ends [1 << msdDigit]uint32
	sh, mask := shift+keyBits, uint64(1)<<digit-1
	for _, x := range a {
		ends[x>>sh&mask]++
	}
	sum := uint32(0)
	for i := range ends {
		ends[i], sum = sum, sum+ends[i]
	}
	for _, x := range a {
		d := x >> sh & mask
		tmp[ends[d]] = x
		ends[d]++
	}
	from := uint32(0)
	for _, to := range ends {
		if from < to {
			copy(a[from:to], sortPiece(tmp[from:to], a[from:to], shift, keyBits))
			from = to
		}
	}
	return a
}

// sortPiece is sortPacked, by insertion where there are few.
func sortPiece(a, tmp []uint64, shift, keyBits int) []uint64 {
	if len(a) > insertion {
		return sortPacked(a, tmp, shift, keyBits)
	}
	for i := 1; i < len(a); i++ {
		x, j := a[i], i
		for ; j > 0 && a[j-1]>>shift > x>>shift; j-- {
			a[j] = a[j-1]
		}
		a[j] = x
	}
	return a
}

// sortPairs sorts a stably by key; tmp is as long and is overwritten. The result is
// in a. Most significant digit first: one pass over the bits that vary, then each bucket on its own.
func sortPairs(a, tmp []pair) { sortInto(a, tmp, false) }

// sortInto leaves the sorted pairs in tmp where swap is set, else in a.
func sortInto(a, tmp []pair, swap bool) {
	if len(a) <= insertion {
		if swap {
			copy(tmp, a)
			a = tmp
		}
		insertPairs(a)
		return
	}
	varying, first := uint64(0), a[0].k
	for i := range a {
		varying |= a[i].k ^ first
	}
	hb := bits.Len64(varying)
	if hb == 0 {
		if swap {
			copy(tmp, a)
		}
		return
	}
	digit := min(max(bits.Len(uint(len(a)))-3, 4), lsdDigit, hb)
	if sh := hb - digit; digit <= smallDigit {
		var ends [1 << smallDigit]uint32
		sortBuckets(a, tmp, sh, ends[:1<<digit], swap)
	} else {
		var ends [1 << lsdDigit]uint32
		sortBuckets(a, tmp, sh, ends[:1<<digit], swap)
	}
}

// sortBuckets distributes a into tmp by the bits from shift on, and sorts each bucket. ends is zero, one a bucket.
func sortBuckets(a, tmp []pair, shift int, ends []uint32, swap bool) {
	scatterPairs(a, tmp, shift, ends)
	if shift == 0 {
		if !swap {
			copy(a, tmp)
		}
		return
	}
	from := uint32(0)
	for _, to := range ends {
		if from < to {
			sortInto(tmp[from:to], a[from:to], !swap)
		}
		from = to
	}
}

// scatterPairs distributes a into tmp by the bits from shift on, and sets where each bucket ends.
func scatterPairs(a, tmp []pair, shift int, c []uint32) {
	mask := uint64(len(c) - 1)
	for i := range a {
		c[a[i].k>>shift&mask]++
	}
	sum := uint32(0)
	for i := range c {
		c[i], sum = sum, sum+c[i]
	}
	for _, x := range a {
		d := x.k >> shift & mask
		tmp[c[d]] = x
		c[d]++
	}
}

func insertPairs(a []pair) {
	for i := 1; i < len(a); i++ {
		x := a[i]
		j := i
		for j > 0 && a[j-1].k > x.k {
			a[j] = a[j-1]
			j--
		}
		a[j] = x
	}
}
