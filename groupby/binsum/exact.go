package binsum

import "math/big"

// Finite says whether no NaN and no infinity was added.
func (s *State) Finite() bool { return s.Meta&flagAny == 0 }

// Exact returns what a finite state holds, to prec digits; at 192 without rounding.
func (s *State) Exact(prec uint) *big.Float {
	out := new(big.Float).SetPrec(max(prec, 192))
	if s.Meta&posMask == 0 {
		return out
	}
	neg, w2, w1, w0 := s.magnitude()
	v := new(big.Int).SetUint64(w2)
	for _, w := range []uint64{w1, w0} {
		v.Lsh(v, 64)
		v.Add(v, new(big.Int).SetUint64(w))
	}
	if neg {
		v.Neg(v)
	}
	out.SetInt(v)
	return out.SetMantExp(out, base(s.Meta)-1074)
}
