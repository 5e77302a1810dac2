package batch

import (
	"encoding/binary"
	"math/bits"
)

// The constants of the hash. They are fixed for good: spilled partitions and the
// engine's checks rely on equal rows having equal hashes in every run.
const (
	hashInit = 0x9e3779b97f4a7c15
	hashNull = 0xd6e8feb86659fd93
	hashMul  = 0xa0761d6478bd642f
	hashLen  = 0xe7037ed1a0b428db
)

// hashChunk is how many rows are hashed at a time, so that the scratch stays on the stack.
const hashChunk = 256

// hashDictMax bounds the dictionaries whose entries are hashed ahead of the rows, and so the scratch memory.
const hashDictMax = Rows

// A Hasher hashes rows and remembers the hashes of the last dictionary of each column.
// The zero value is ready; it is for one goroutine.
type Hasher struct {
	dict []*Column
	sums [][]uint64
}

// Hash fills out with a 64-bit hash of each of the first len(out) rows over the key
// columns cols. Rows that are equal as keys have equal hashes in any batch, layout and
// run: null equals null, NaN equals NaN, -0.0 equals 0.0, and a dictionary does not matter.
func Hash(cols []*Column, out []uint64) {
	var h Hasher
	h.Hash(cols, out)
}

// Hash is the function Hash, cheaper for batches that share dictionaries.
func (h *Hasher) Hash(cols []*Column, out []uint64) {
	for i := range out {
		out[i] = hashInit
	}
	var x, y [hashChunk]uint64
	for k, c := range cols {
		sums := h.dictSums(k, c)
		for lo := 0; lo < len(out); lo += hashChunk {
			hi := min(lo+hashChunk, len(out))
			w := x[:hi-lo]
			hashRaw(c, sums, lo, w)
			if c.Type.Kind() == KindInt128 {
				int128Words(c, lo, w, y[:hi-lo])
				mixIn(out[lo:hi], y[:hi-lo])
			}
			if c.Valid != nil {
				setNulls(c, lo, w, hashNull)
			}
			mixIn(out[lo:hi], w)
		}
	}
}

// dictSums returns the hashes of the entries of column k's dictionary, or nil where hashing by row is cheaper.
func (h *Hasher) dictSums(k int, c *Column) []uint64 {
	if c.Dict == nil || c.Type.Kind() != KindBytes || c.Dict.N > hashDictMax {
		return nil
	}
	for len(h.dict) <= k {
		h.dict, h.sums = append(h.dict, nil), append(h.sums, nil)
	}
	if h.dict[k] == c.Dict {
		return h.sums[k]
	}
	if c.Dict.N > c.N {
		return nil
	}
	if cap(h.sums[k]) < c.Dict.N {
		h.sums[k] = make([]uint64, c.Dict.N)
	}
	s := h.sums[k][:c.Dict.N]
	for i := range s {
		s[i] = hashBytes(c.Dict.Value(i))
	}
	h.dict[k], h.sums[k] = c.Dict, s
	return s
}

// hashRaw sets x to words that identify the values of the rows from lo on; of a 128-bit value, the low half.
func hashRaw(c *Column, sums []uint64, lo int, x []uint64) {
	switch kind := c.Type.Kind(); {
	case kind == KindBytes && sums != nil:
		for i, k := range c.Codes[lo : lo+len(x)] {
			x[i] = sums[k]
		}
	case kind == KindBytes && c.Dict == nil:
		off := c.Off[lo : lo+len(x)+1]
		for i := range x {
			x[i] = hashBytes(c.Data[off[i]:off[i+1]])
		}
	case kind == KindBytes:
		for i := range x {
			x[i] = hashBytes(c.Value(lo + i))
		}
	case kind == KindInt128:
		v, codes := int128Values(c)
		for i := range x {
			x[i] = v[row(codes, lo+i)].Lo
		}
	default:
		rawWords(c, lo, x)
		if kind == KindFloat64 {
			canonicalFloats(x)
		}
	}
}

// int128Words sets hi to the high halves of the rows from lo on, 0 where a row is null.
func int128Words(c *Column, lo int, low, hi []uint64) {
	v, codes := int128Values(c)
	for i := range hi {
		hi[i] = uint64(v[row(codes, lo+i)].Hi)
	}
	if c.Valid != nil {
		setNulls(c, lo, hi, 0)
	}
}

func int128Values(c *Column) ([]Int128, []uint32) {
	if c.Dict != nil {
		return c.Dict.Int128s(), c.Codes
	}
	return c.Int128s(), nil
}

func row(codes []uint32, i int) int {
	if codes != nil {
		return int(codes[i])
	}
	return i
}

// rawWords copies the values of the rows from lo on of a bool, int64 or float64 column, by their bits.
func rawWords(c *Column, lo int, x []uint64) {
	v := c
	if c.Dict != nil {
		v = c.Dict
	}
	if c.Type.Kind() == KindBool {
		b := v.Bools()
		for i := range x {
			x[i] = uint64(b[row(c.Codes, lo+i)])
		}
		return
	}
	words := view[uint64](v.Fixed, v.N)
	if c.Dict == nil {
		copy(x, words[lo:])
		return
	}
	for i, k := range c.Codes[lo : lo+len(x)] {
		x[i] = words[k]
	}
}

// canonicalFloats makes every NaN the same and -0.0 into 0.0, on the bits of float64s.
func canonicalFloats(x []uint64) {
	const inf = 0x7ff << 52
	for i, w := range x {
		if m := w << 1; m == 0 {
			x[i] = 0
		} else if m > inf<<1 {
			x[i] = canonicalNaN
		}
	}
}

const canonicalNaN = 0x7ff8 << 48

// setNulls sets x to word at the null rows, where x holds the rows of c from lo on.
func setNulls(c *Column, lo int, x []uint64, word uint64) {
	for i := 0; i < len(x); {
		at := lo + i
		if at&7 == 0 && c.Valid[at>>3] == 0xff {
			i += 8
			continue
		}
		if c.Valid[at>>3]>>(at&7)&1 == 0 {
			x[i] = word
		}
		i++
	}
}

// mixIn folds one word a row into the hashes: murmur3's finaliser over a combination that keeps order of columns apart.
func mixIn(out, x []uint64) {
	x = x[:len(out)]
	for i, h := range out {
		h = h*hashMul ^ x[i]
		h ^= h >> 33
		h *= 0xff51afd7ed558ccd
		h ^= h >> 33
		h *= 0xc4ceb9fe1a85ec53
		out[i] = h ^ h>>33
	}
}

// hashBytes hashes a string in the manner of wyhash: 16 bytes a step, folded 128-bit products.
func hashBytes(p []byte) uint64 {
	n := len(p)
	a, b, seed := uint64(0), uint64(0), uint64(hashInit)
	switch {
	case n == 0:
	case n < 4:
		a = uint64(p[0])<<16 | uint64(p[n>>1])<<8 | uint64(p[n-1])
	case n <= 8:
		a, b = uint64(binary.LittleEndian.Uint32(p)), uint64(binary.LittleEndian.Uint32(p[n-4:]))
	default:
		for q := p; len(q) > 16; q = q[16:] {
			seed = fold(binary.LittleEndian.Uint64(q)^hashMul, binary.LittleEndian.Uint64(q[8:])^seed)
		}
		if n <= 16 {
			a = binary.LittleEndian.Uint64(p)
		} else {
			a = binary.LittleEndian.Uint64(p[n-16:])
		}
		b = binary.LittleEndian.Uint64(p[n-8:])
	}
	return fold(hashLen^uint64(n), fold(a^hashMul, b^seed))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// orderFloat maps the canonical bits of a float64 to a word of the same order: negatives, zero, positives, NaN.
func orderFloat(w uint64) uint64 {
	return w ^ (uint64(int64(w)>>63) | 1<<63)
}
