// Package mutate makes damaged inputs of whole ones, for tests of readers: bits flipped, files cut off, and changes that
// know the format, so that what is damaged gets past the first checks of lengths and checksums.
//
//	Flip, Cut      every single bit, every length, by number; then several flips at once
//	Splice         bytes overwritten, moved, repeated, taken of another input
//	Words          numbers at aligned offsets, as FlatBuffers and spill blocks have them
//	Tokens         pieces of text, for formats of lines, jobs and expressions
//	Parquet        fields of the footer and of page headers, pages decompressed, changed and compressed again, with sizes,
//	               offsets and checksums that fit (footers of Thrift's compact protocol, whatever their fields)
//	Sealed         small files with a checksum, which fits
//	Spilled        blocks of spill files, with checksums that fit
//
// A mutant depends on its input and on the source of random numbers alone, so that a number names it. Inputs are not changed.
package mutate

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
)

// Flip returns b with bit n flipped, bits counted from the first byte's lowest on.
func Flip(b []byte, n int) []byte {
	out := bytes.Clone(b)
	if len(out) > 0 {
		out[n/8%len(out)] ^= 1 << (n % 8)
	}
	return out
}

// Flips returns b with a few bits flipped.
func Flips(r *rand.Rand, b []byte) []byte {
	out := bytes.Clone(b)
	for range 2 + r.IntN(4) {
		if len(out) > 0 {
			out[r.IntN(len(out))] ^= 1 << r.IntN(8)
		}
	}
	return out
}

// Cut returns the first n bytes of b.
func Cut(b []byte, n int) []byte { return bytes.Clone(b[:min(n, len(b))]) }

// odd are numbers that readers get wrong: the edges of every width, and those beside them.
func odd(r *rand.Rand) int64 {
	switch r.IntN(12) {
	case 0:
		return 0
	case 1:
		return 1
	case 2:
		return -1
	case 3:
		return math.MaxInt64 - int64(r.IntN(9))
	case 4:
		return math.MinInt64 + int64(r.IntN(9))
	case 5:
		return math.MaxInt32 - 4 + int64(r.IntN(9))
	case 6:
		return math.MinInt32 + int64(r.IntN(9)) - 4
	case 7:
		return 1<<(8*r.IntN(8)) - 1 + int64(r.IntN(3))
	case 8:
		return 1 << r.IntN(63)
	case 9:
		return -1 << r.IntN(63)
	case 10:
		return int64(r.IntN(300))
	}
	return int64(r.Uint64())
}

// Number changes one of the numbers, takes one out, or puts one more in.
func Number(r *rand.Rand, of *[]int64) {
	out := slices.Clone(*of)
	at := r.IntN(len(out) + 1)
	switch {
	case at == len(out) || r.IntN(8) == 0:
		out = slices.Insert(out, at, odd(r))
	case r.IntN(8) == 0:
		out = slices.Delete(out, at, at+1)
	case r.IntN(4) == 0:
		out[at] = out[r.IntN(len(out))]
	default:
		out[at] = Near(r, out[at])
	}
	*of = out
}

// Near changes a number a little, or altogether.
func Near(r *rand.Rand, v int64) int64 {
	switch r.IntN(8) {
	case 0:
		return v + 1
	case 1:
		return v - 1
	case 2:
		return -v
	case 3:
		return 2 * v
	case 4:
		return v / 2
	case 5:
		return v + int64(r.IntN(64)) - 32
	}
	return odd(r)
}

// Words returns b with a few numbers changed, of 1, 2, 4 or 8 bytes at offsets that are multiples of it, from at on for n bytes.
func Words(r *rand.Rand, b []byte, at, n int) []byte {
	out := bytes.Clone(b)
	n = min(n, len(out)-at)
	for range 1 + r.IntN(3) {
		width := 1 << r.IntN(4)
		if n < width {
			continue
		}
		p := out[at+r.IntN(n/width)*width:][:width]
		var word [8]byte
		copy(word[:], p)
		v := Near(r, int64(binary.LittleEndian.Uint64(word[:])))
		if r.IntN(6) == 0 { // a number from elsewhere
			copy(word[:], out[at+r.IntN(n-width+1):])
			v = int64(binary.LittleEndian.Uint64(word[:]))
		}
		binary.LittleEndian.PutUint64(word[:], uint64(v))
		copy(p, word[:])
	}
	return out
}

// Splice returns b with stretches overwritten, taken out, repeated, or put in from other.
func Splice(r *rand.Rand, b, other []byte) []byte {
	out := bytes.Clone(b)
	for range 1 + r.IntN(3) {
		out = splice(r, out, other)
	}
	return out
}

// maxStretch is the longest stretch that Splice moves.
const maxStretch = 64

func splice(r *rand.Rand, b, other []byte) []byte {
	at := r.IntN(len(b) + 1)
	n := min(r.IntN(maxStretch), len(b)-at)
	head, piece, tail := b[:at], b[at:at+n], b[at+n:]
	switch r.IntN(6) {
	case 0: // taken out
		return bytes.Join([][]byte{head, tail}, nil)
	case 1: // repeated
		return bytes.Join([][]byte{head, bytes.Repeat(piece, 2+r.IntN(30)), tail}, nil)
	case 2: // of another
		from := r.IntN(len(other) + 1)
		return bytes.Join([][]byte{head, other[from:min(len(other), from+r.IntN(maxStretch))], tail}, nil)
	case 3: // all one byte
		return bytes.Join([][]byte{head, bytes.Repeat([]byte{byte(odd(r))}, n), tail}, nil)
	case 4: // moved
		rest := bytes.Join([][]byte{head, tail}, nil)
		to := r.IntN(len(rest) + 1)
		return bytes.Join([][]byte{rest[:to], piece, rest[to:]}, nil)
	}
	if len(b) > at {
		b[at] = byte(odd(r))
	}
	return b
}

// Tokens returns b with a few pieces of text put in, taken out or put in another's place. Places are where words and signs begin.
func Tokens(r *rand.Rand, b, other []byte, tokens []string) []byte {
	out := bytes.Clone(b)
	for range 1 + r.IntN(4) {
		from, to := word(r, out)
		var put []byte
		switch r.IntN(5) {
		case 0:
		case 1:
			f, t := word(r, other)
			put = other[f:t]
		case 2:
			put = bytes.Repeat(out[from:to], 2+r.IntN(3))
		case 3:
			f, t := word(r, out)
			put = out[f:t]
		default:
			put = []byte(tokens[r.IntN(len(tokens))])
			if r.IntN(2) == 0 {
				to = from
			}
		}
		out = bytes.Join([][]byte{out[:from], put, out[to:]}, nil)
	}
	return out
}

// word finds a stretch of letters and digits, or a sign.
func word(r *rand.Rand, b []byte) (from, to int) {
	if len(b) == 0 {
		return 0, 0
	}
	from = r.IntN(len(b))
	for from > 0 && plain(b[from]) && plain(b[from-1]) {
		from--
	}
	for to = from + 1; to < len(b) && plain(b[from]) && plain(b[to]); to++ {
	}
	return from, to
}

func plain(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
