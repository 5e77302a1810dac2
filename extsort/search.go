package extsort

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sort"

	"pqjoin/batch"
)

const cells = 4096

// wordIndex counts the bounds that are at most a word. The span of the bounds is cut
// into equal cells, so that most words are placed by one table lookup; where the bounds crowd
// in few cells (floats), by a binary search without branches.
type wordIndex struct {
	bounds   []uint64
	padded   []uint64 // bounds and greatest words up to a power of two less one; nil: use the table
	shift    int
	table    []uint16 // bounds at or before the start of each cell, and of one past the last
	lo, last uint64
}

func newWordIndex(bounds []uint64) wordIndex {
	x := wordIndex{bounds: bounds}
	n := len(bounds)
	if n == 0 {
		return x
	}
	x.lo, x.last = bounds[0], bounds[n-1]
	span := x.last - x.lo
	x.shift = max(bits.Len64(span)-bits.Len64(cells-1), 0)
	x.table = make([]uint16, span>>x.shift+2)
	for c := range x.table {
		start := x.lo + uint64(c)<<x.shift
		if start < x.lo || start > x.last {
			x.table[c] = uint16(n)
			continue
		}
		x.table[c] = uint16(sort.Search(n, func(i int) bool { return bounds[i] > start }))
	}
	crowded := 0
	for c := range x.table[1:] {
		if m := int(x.table[c+1] - x.table[c]); m > 1 {
			crowded += m
		}
	}
	if crowded > n/8 {
		x.padded = make([]uint64, 1<<bits.Len(uint(n))-1)
		for i := copy(x.padded, bounds); i < len(x.padded); i++ {
			x.padded[i] = ^uint64(0)
		}
	}
	return x
}

// search is assign by binary search.
func (x *wordIndex) search(words []uint64, first uint16, out []uint16) {
	half, n := uint(len(x.padded)+1)/2, uint(len(x.bounds))
	bounds := x.padded
	for i, w := range words {
		at := uint(0)
		for step := half; step > 0; step >>= 1 {
			_, before := bits.Sub64(w, bounds[at+step-1], 0) // 1 where w comes before the bound
			at += step & uint(before-1)
		}
		out[i] = first + uint16(min(at, n))
	}
}

// assign sets out[i] to first plus the number of bounds that are at most words[i].
func (x *wordIndex) assign(words []uint64, first uint16, out []uint16) {
	n := uint16(len(x.bounds))
	out = out[:len(words)]
	if n == 0 {
		for i := range out {
			out[i] = first
		}
		return
	}
	if x.padded != nil {
		x.search(words, first, out)
		return
	}
	lo, last, shift, table := x.lo, x.last, x.shift&63, x.table
	for i, w := range words {
		switch {
		case w < lo:
			out[i] = first
		case w >= last:
			out[i] = first + n
		default:
			c := (w - lo) >> shift
			a, b := table[c], table[c+1]
			if a != b {
				a = x.within(w, a, b)
			}
			out[i] = first + a
		}
	}
}

// within counts on from a, where the answer is in [a, b].
func (x *wordIndex) within(w uint64, a, b uint16) uint16 {
	for a < b {
		if m := a + (b-a)/2; x.bounds[m] <= w {
			a = m + 1
		} else {
			b = m
		}
	}
	return a
}

// byteIndex counts the bounds that are at most a key: by the 8 bytes after the bounds'
// common prefix, then in full among those that share them.
type byteIndex struct {
	bounds [][]byte
	prefix []byte
	words  []uint64  // of the bounds, behind the prefix
	quick  wordIndex // of words
}

func newByteIndex(bounds [][]byte) byteIndex {
	x := byteIndex{bounds: bounds}
	if len(bounds) == 0 {
		return x
	}
	first, last := bounds[0], bounds[len(bounds)-1]
	n := 0
	for n < min(len(first), len(last)) && first[n] == last[n] {
		n++
	}
	x.prefix = first[:n]
	for _, b := range bounds {
		x.words = append(x.words, wordAt(b, n))
	}
	x.quick = newWordIndex(x.words)
	return x
}

// wordAt returns the 8 bytes of key from depth on, big-endian, with zeros past its end.
func wordAt(key []byte, depth int) uint64 {
	if len(key) >= depth+8 {
		return binary.BigEndian.Uint64(key[depth:])
	}
	w := uint64(0)
	if len(key) > depth {
		for i, b := range key[depth:] {
			w |= uint64(b) << (56 - 8*i)
		}
	}
	return w
}

func (x *byteIndex) find(key []byte) int {
	d := len(x.prefix)
	if c := bytes.Compare(key[:min(d, len(key))], x.prefix); c < 0 {
		return 0
	} else if c > 0 {
		return len(x.bounds)
	}
	w := wordAt(key, d)
	a, b := 0, len(x.words)
	for a < b {
		if m := (a + b) / 2; x.words[m] < w {
			a = m + 1
		} else {
			b = m
		}
	}
	for a < len(x.words) && x.words[a] == w {
		if bytes.Compare(x.bounds[a], key) > 0 {
			break
		}
		a++
	}
	return a
}

// assign sets out[i] to the number of bounds that are at most row i of c, a flat column of
// bytes: by their words, and in full where a word is a bound's too. Cost: about 10 ns a row.
func (x *byteIndex) assign(c *batch.Column, out []uint16) {
	var w [chunk]uint64
	d := len(x.prefix)
	for lo := 0; lo < len(out); lo += chunk {
		o := out[lo:min(lo+chunk, len(out))]
		off := c.Off[lo : lo+len(o)+1]
		for i := range o {
			w[i] = wordAt(c.Data[off[i]:off[i+1]], d)
		}
		x.quick.assign(w[:len(o)], 0, o)
		for i, at := range o {
			v := c.Data[off[i]:off[i+1]]
			if at > 0 && x.words[at-1] == w[i] || !bytes.HasPrefix(v, x.prefix) {
				o[i] = uint16(x.find(v))
			}
		}
	}
}
