package expr

import "pqjoin/batch"

// The hash of the language is part of its contract, unlike those that operators use among
// themselves: FNV-1a over a text's bytes, or the value's 64 bits, then the finaliser of
// SplitMix64 (Steele, Lea, Flood 2014). Several values are chained: h = mix(h ^ hash(next)).

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
	nullHash  = 0x9e3779b97f4a7c15
)

func mix64(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// lowerHash hashes each value alone, so that dictionaries help, gives null its number, and chains.
func (b *builder) lowerHash(n *node, args []int) int {
	slot := -1
	for i, a := range args {
		t := n.args[i].typ
		one := b.strictStep("hash", n, n.typ, hashKernel(t), a)
		one = b.pick("coalesce", n, n.typ, pickFirst, one, b.constant(Value{Int: nullHash >> 1}, n.typ, n))
		if slot < 0 {
			slot = one
			continue
		}
		slot = b.strictStep("hash chain", n, n.typ, func(f *frame) error {
			mapInts2(f, func(x, y int64) int64 { return int64(mix64(mix64(uint64(x)) ^ uint64(y))) })
			return nil
		}, slot, one)
	}
	return slot
}

func hashKernel(t batch.Type) func(*frame) error {
	switch t.Kind() {
	case batch.KindBytes:
		return func(f *frame) error {
			in, out := textsOf(f.args[0]), batch.View[uint64](f.out.Fixed)
			for i := range out {
				h := uint64(fnvOffset)
				for _, c := range in.at(i) {
					h = (h ^ uint64(c)) * fnvPrime
				}
				out[i] = mix64(h)
			}
			return nil
		}
	case batch.KindFloat64:
		return hashBits(func(v float64) uint64 { return floatKey(v) })
	case batch.KindBool:
		return hashBits(func(v byte) uint64 { return uint64(v & 1) })
	case batch.KindInt128:
		return hashBits(func(v batch.Int128) uint64 {
			if small, ok := v.Int64(); ok {
				return uint64(small)
			}
			return mix64(uint64(v.Hi)) ^ v.Lo
		})
	}
	return hashBits(func(v uint64) uint64 { return v })
}

func hashBits[T any](bits func(T) uint64) func(*frame) error {
	return func(f *frame) error {
		in, m := values[T](f.args[0])
		out := batch.View[uint64](f.out.Fixed)
		for i := range out {
			out[i] = mix64(bits(in[i&m]) + nullHash)
		}
		return nil
	}
}
