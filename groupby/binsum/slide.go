package binsum

import "math"

// Sliding is the sum of values that come and go, as those in a window that moves over a column. Its State is that of
// the values in it, to the last bit, whatever else was in it before: taking a value away takes its pieces out of the bins again,
// which is exact for as long as the bins lie where they would without it. What is not finite is counted beside the bins. The zero value is empty.
type Sliding struct {
	State
	top           int // values because of which the bins lie where they do
	nan, pos, neg int // values that are not finite
}

// Add deposits x.
func (s *Sliding) Add(x float64) {
	switch at := place(x); {
	case at < 0:
		s.count(x, 1)
		return
	case at > s.Meta&posMask:
		s.top = 1
	case at == s.Meta&posMask && at > 0:
		s.top++
	}
	s.State.Add(x)
}

// Remove takes away x, which has been added. Where it says false the state is lost, and what is left must be added anew, to an empty
// Sliding: x was the last one of its magnitude. Over a window of n values that costs at most some 90 values a step in the
// mean, whatever they are: the last ones of their magnitude, of which there are 87, leave one after the other, and only then others come.
func (s *Sliding) Remove(x float64) bool {
	at := place(x)
	if at < 0 {
		s.count(x, -1)
		return true
	}
	if at > 0 && at == s.Meta&posMask {
		if s.top--; s.top == 0 {
			return false
		}
	}
	s.State.Add(-x)
	return true
}

// count counts n more of x, which is not finite, and flags in the state what there is.
func (s *Sliding) count(x float64, n int) {
	of, flag := &s.nan, int64(flagNaN)
	switch {
	case x > 0:
		of, flag = &s.pos, flagPos
	case x < 0:
		of, flag = &s.neg, flagNeg
	}
	if *of += n; *of > 0 {
		s.Meta |= flag
	} else {
		s.Meta &^= flag
	}
}

// place returns where the bins lie of a state of x alone, as Meta has it: 0 for a zero, -1 for what is not finite.
func place(x float64) int64 {
	b := math.Float64bits(x)
	eb := int(b >> 52 & 0x7ff)
	switch {
	case eb == 0x7ff:
		return -1
	case b<<1 == 0:
		return 0
	}
	return int64(baseOf(max(eb, 1)) + metaBias)
}
