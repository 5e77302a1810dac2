package gen

import (
	"hash/fnv"
	"math/bits"
)

// stream gives a pseudo-random number for each row, in any order: SplitMix64 (Steele, Lea and Flood, Fast
// Splittable Pseudorandom Number Generators, 2014), whose n-th number is a hash of n. About 1 ns a number.
type stream uint64

const golden = 0x9e3779b97f4a7c15

// mix is SplitMix64's finaliser, a bijection of 64-bit words.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// stream returns the stream of the name, the same for all tables of the seed.
func (p *Params) stream(name string) stream {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // it never fails
	return stream(mix(mix(p.Seed+golden) ^ h.Sum64()))
}

// at returns the row's number.
func (s stream) at(row int64) uint64 { return mix(uint64(s) + uint64(row+1)*golden) }

// below returns the row's number scaled to [0, n). Its bias is at most n/2^64.
func (s stream) below(row, n int64) int64 { return scale(s.at(row), n) }

// unit returns the row's number scaled to [0, 1).
func (s stream) unit(row int64) float64 { return float64(s.at(row)>>11) * 0x1p-53 }

// scale maps a uniform word to [0, n) (Lemire, Fast Random Integer Generation in an Interval, 2019, without the rejection).
func scale(x uint64, n int64) int64 {
	hi, _ := bits.Mul64(x, uint64(n))
	return int64(hi)
}

// perm is a pseudo-random permutation of [0, n), in constant memory: a Feistel network over the
// smallest power of two that holds n, walked along its cycle until it is in range again (Black and Rogaway, Ciphers
// with Arbitrary Finite Domains, 2002). The power is less than 2n, so there are under two steps on average; about 15 ns a step.
type perm struct {
	n           uint64
	low         uint // bits of the right half
	left, right uint64
	keys        [4]uint64
}

// permRounds is enough for test data to look random; it is no cipher.
const permRounds = 4

// perm returns the permutation of [0, n) with the name.
func (p *Params) perm(name string, n int64) *perm {
	width := uint(max(bits.Len64(uint64(max(n, 1)-1)), 2))
	f := &perm{n: uint64(n), low: width / 2}
	f.right = 1<<f.low - 1
	f.left = 1<<(width-f.low) - 1
	s := p.stream(name)
	for i := range f.keys {
		f.keys[i] = s.at(int64(i))
	}
	return f
}

// at returns the place of x, which is below n.
func (f *perm) at(x int64) int64 {
	y := uint64(x)
	for {
		l, r := y>>f.low, y&f.right
		for i := 0; i < permRounds; i += 2 {
			l ^= mix(r+f.keys[i]) & f.left
			r ^= mix(l+f.keys[i+1]) & f.right
		}
		if y = l<<f.low | r; y < f.n {
			return int64(y)
		}
	}
}

// back is the inverse of at.
func (f *perm) back(x int64) int64 {
	y := uint64(x)
	for {
		l, r := y>>f.low, y&f.right
		for i := permRounds - 2; i >= 0; i -= 2 {
			r ^= mix(l+f.keys[i+1]) & f.right
			l ^= mix(r+f.keys[i]) & f.left
		}
		if y = l<<f.low | r; y < f.n {
			return int64(y)
		}
	}
}
