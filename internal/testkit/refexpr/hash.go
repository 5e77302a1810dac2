package refexpr

import (
	"math"

	"pqjoin/batch"
	"pqjoin/expr"
)

func hashCall(_ string, args []val) (val, error) {
	if len(args) != 1 {
		return val{}, ErrUnknown
	}
	h := uint64(0x9e3779b97f4a7c15) >> 1 // of null
	if !args[0].null {
		h = Hash(args[0].value(), args[0].typ)
	}
	return fromValue(expr.Value{Int: int64(h)}, batch.Of(batch.Uint64)), nil
}

// Hash is hash(v) of the expression language, of a value of type t that is not null.
func Hash(v expr.Value, t batch.Type) uint64 {
	const plus = 0x9e3779b97f4a7c15
	switch t.Kind() {
	case batch.KindBytes:
		h := uint64(14695981039346656037)
		for _, c := range v.Bytes {
			h = (h ^ uint64(c)) * 1099511628211
		}
		return splitMix(h)
	case batch.KindFloat64:
		f := v.Float + 0
		if f != f {
			f = math.NaN()
		}
		return splitMix(math.Float64bits(f) + plus)
	case batch.KindBool:
		if v.Bool {
			return splitMix(1 + plus)
		}
		return splitMix(plus)
	case batch.KindInt128:
		if small, ok := v.Int128.Int64(); ok {
			return splitMix(uint64(small) + plus)
		}
		return splitMix((splitMix(uint64(v.Int128.Hi)) ^ v.Int128.Lo) + plus)
	}
	return splitMix(uint64(v.Int) + plus)
}

// splitMix is the finaliser of SplitMix64.
func splitMix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
