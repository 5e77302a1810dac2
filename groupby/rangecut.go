package groupby

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// rangeCut partitions by key range: partition i has the keys from bound i-1 (included) to bound i.
//
// Bounds are normalised keys. What decides nearly always are the eight bytes behind the prefix that all
// bounds share: only a key that agrees with a bound in all of them is compared. A key of one
// nullable word is its flag and the word, so that words suffice and nothing is encoded.
type rangeCut struct {
	enc    *batch.KeyEncoder
	bounds [][]byte // ascending
	prefix []byte   // of all bounds
	words  wordCut  // the eight bytes of each bound behind the prefix, zeros behind its end
	flag   bool     // keys are one nullable word: the bounds but for a null
}

// flaggedWord is the length of the key of one nullable column of eight bytes.
const flaggedWord = 9

func newRangeCut(enc *batch.KeyEncoder, cols int, bounds [][]byte) *rangeCut {
	r := &rangeCut{enc: enc, bounds: bounds, flag: cols == 1 && enc.Width() == flaggedWord}
	if len(bounds) == 0 {
		return r
	}
	n := 0
	if r.flag {
		n = 1
		if null := len(bounds) - 1; bounds[null][0] != 1 {
			bounds = bounds[:null]
		}
	} else if w := enc.Width(); w == 0 || w > 8 {
		n = len(commonBytes(bounds[0], bounds[len(bounds)-1]))
	}
	r.prefix = r.bounds[0][:n]
	words := make([]uint64, len(bounds))
	for i, b := range bounds {
		words[i] = wordBehind(b, n)
	}
	r.words = newWordCut(words)
	return r
}

// commonBytes returns the leading bytes that a and b share.
func commonBytes(a, b []byte) []byte {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// wordBehind returns the eight bytes of key from n on, zeros behind its end: the order of such words is
// that of the keys, but that different keys may have equal words.
func wordBehind(key []byte, n int) uint64 {
	if len(key) >= n+8 {
		return binary.BigEndian.Uint64(key[n:])
	}
	var b [8]byte
	copy(b[:], key[n:])
	return binary.BigEndian.Uint64(b[:])
}

func (r *rangeCut) partitions() int { return len(r.bounds) + 1 }

func (r *rangeCut) assign(acct *mem.Account, keys *batch.Batch, out []uint16) error {
	switch {
	case len(r.bounds) == 0:
		clear(out)
		return nil
	case r.flag:
		r.assignWords(keys.Cols[0], out)
		return nil
	}
	k, err := r.enc.Encode(acct, keys.Cols, keys.N)
	if err != nil {
		return err
	}
	defer k.Release()
	if words, fixed := k.Fixed(); fixed {
		for i, w := range words {
			out[i] = uint16(r.words.upTo(w))
		}
		return nil
	}
	for i := range out {
		out[i] = uint16(r.find(k.At(i)))
	}
	return nil
}

// assignWords is assign for keys of one nullable word, without encoding them: about 3 ns a row.
func (r *rangeCut) assignWords(c *batch.Column, out []uint16) {
	var x [loadChunk]uint64
	for lo := 0; lo < len(out); lo += loadChunk {
		part := out[lo:min(lo+loadChunk, len(out))]
		batch.OrderWords(c, false, lo, x[:len(part)])
		for i, w := range x[:len(part)] {
			part[i] = uint16(r.words.upTo(w))
		}
		for i := range part {
			if c.IsNull(lo + i) {
				part[i] = uint16(len(r.bounds))
			}
		}
	}
}

// find returns how many bounds are at most key.
func (r *rangeCut) find(key []byte) int {
	if n := len(r.prefix); len(key) < n || string(key[:n]) != string(r.prefix) {
		if bytes.Compare(key, r.prefix) < 0 {
			return 0
		}
		return len(r.bounds)
	}
	w := wordBehind(key, len(r.prefix))
	n := r.words.upTo(w)
	for n > 0 && r.words.words[n-1] == w && bytes.Compare(r.bounds[n-1], key) > 0 {
		n--
	}
	return n
}

// wordCut counts how many of some ascending words are at most a given one, through a table of up to
// 2^lutBits stretches of equal width in which few of them lie each.
type wordCut struct {
	words []uint64
	shift int      // bits of a stretch
	lut   []uint16 // how many words are at most the first of each stretch; one more at the end
}

const lutBits = 10

func newWordCut(words []uint64) wordCut {
	if len(words) == 0 {
		return wordCut{}
	}
	reach := words[len(words)-1] - words[0]
	c := wordCut{words: words, shift: max(bits.Len64(reach)-lutBits, 0)}
	for at := uint64(0); at <= reach>>c.shift; at++ {
		c.lut = append(c.lut, uint16(countUpTo(words, words[0]+at<<c.shift)))
	}
	c.lut = append(c.lut, uint16(len(words)))
	return c
}

// upTo returns how many of the words are at most w.
func (c *wordCut) upTo(w uint64) int {
	if len(c.words) == 0 {
		return 0
	}
	first := c.words[0]
	switch {
	case w < first:
		return 0
	case w >= c.words[len(c.words)-1]:
		return len(c.words)
	}
	s := (w - first) >> c.shift
	n, most := int(c.lut[s]), int(c.lut[s+1])
	if most-n > 4 {
		return n + countUpTo(c.words[n:most], w)
	}
	for n < most && c.words[n] <= w {
		n++
	}
	return n
}

// countUpTo returns how many of the ascending words are at most w.
func countUpTo(words []uint64, w uint64) int {
	at, n := 0, len(words)
	for n > 0 {
		half := (n + 1) / 2
		if words[at+half-1] <= w {
			at += half
			n -= half
		} else {
			n = half - 1
		}
	}
	return at
}
