package engine

import (
	"math/rand/v2"
	"testing"
)

// sketchOf sketches a side in which key k occurs freq(k) times.
func sketchOf(keys int, freq func(k int) int) *keySketch {
	s := newKeySketch()
	r := rand.New(rand.NewPCG(1, 2))
	for k := range keys {
		h := r.Uint64()
		for range freq(k) {
			s.add([]uint64{h})
		}
	}
	return s
}

func TestSketchEstimatesRowsOfAJoin(t *testing.T) {
	one := func(int) int { return 1 }
	for name, c := range map[string]struct {
		keys        int
		left, right func(k int) int
	}{
		"unique on both sides": {300_000, one, one},
		"many to one":          {50_000, func(k int) int { return k % 12 }, one},
		"nothing in common":    {100_000, func(k int) int { return k % 2 }, func(k int) int { return 1 - k%2 }},
		"one heavy key":        {100_000, func(k int) int { return 1 + 40_000/(1+k) }, func(k int) int { return 1 + 20_000/(1+k) }},
	} {
		want := int64(0)
		for k := range c.keys {
			want += int64(c.left(k) * c.right(k))
		}
		got := sketchOf(c.keys, c.left).joined(sketchOf(c.keys, c.right))
		if got < want || got > want+want/4+20_000 {
			t.Errorf("%s: estimated at %d rows, makes %d", name, got, want)
		}
	}
}
