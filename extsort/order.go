package extsort

import (
	"math/bits"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Perm is the sorted order of rows: the row at place i of the order is IDs()[i].
type Perm struct {
	ids []uint32
	buf *mem.Buf
	n   int
}

// IDs returns the rows in order; nil where the rows are in order as they lie.
func (p *Perm) IDs() []uint32 { return p.ids }

// Len returns the number of rows.
func (p *Perm) Len() int { return p.n }

// Release gives the memory back. Nil is fine.
func (p *Perm) Release() {
	if p != nil {
		p.buf.Release()
		*p = Perm{}
	}
}

// Order sorts the first n rows of the key columns cols stably: cols[i] is the column of
// keys[i], whose Column is not used. It picks the cheapest of
//
//	nothing     the rows are in order
//	packed      the keys, narrowed to the range of values present, fit one word; short strings by the bytes that differ
//	bytes       normalised keys, 8 bytes at a time
//
// Rows must be fewer than 2^32 - 1. Temporary memory is at most 16 bytes a row for packed
// keys, and 8 for each that is a string, about 36 bytes and the key bytes for others.
func Order(acct *mem.Account, cols []*batch.Column, keys []batch.SortKey, n int) (*Perm, error) {
	if n < 2 {
		return &Perm{n: n}, nil
	}
	ranks := make([]*batch.Column, len(cols))
	defer func() {
		for _, c := range ranks {
			c.Release()
		}
	}()
	for i, c := range cols {
		var err error
		if ranks[i], err = ranked(acct, c, n); err != nil {
			return nil, err
		}
	}
	if words, total := narrow(ranks, keys, n); words != nil {
		return orderWords(acct, words, total, n)
	}
	if short, ok, err := shortStrings(acct, ranks, n); err != nil {
		return nil, err
	} else if ok {
		words, total := narrow(short, keys, n)
		if words != nil {
			defer releaseAll(short)
			return orderWords(acct, words, total, n)
		}
		releaseAll(short)
	}
	return orderBytes(acct, ranks, keys, n)
}

// ranked returns c, or, where it has a dictionary smaller than its rows, the ranks of the
// dictionary's entries as integers.
func ranked(acct *mem.Account, c *batch.Column, n int) (*batch.Column, error) {
	if c.Dict == nil || c.Dict.N == 0 || c.Dict.N > n/2 || wordKind(c.Type) {
		return c.Retain(), nil
	}
	d := c.Dict
	perm, err := Order(acct, []*batch.Column{d}, make([]batch.SortKey, 1), d.N)
	if err != nil {
		return nil, err
	}
	defer perm.Release()
	dict, err := batch.NewFixed(acct, batch.Of(batch.Uint32), d.N)
	if err != nil {
		return nil, err
	}
	same := batch.NewRowsEqual([]*batch.Column{d}, []*batch.Column{d}, true)
	rank, prev, out := int64(0), 0, dict.Int64s()
	for i := range d.N {
		id := i
		if perm.ids != nil {
			id = int(perm.ids[i])
		}
		if i > 0 && !same.Equal(prev, id) {
			rank++
		}
		out[id], prev = rank, id
	}
	codes, err := batch.NewCodes(acct, dict, c.N)
	if err != nil {
		dict.Release()
		return nil, err
	}
	copy(codes.Codes, c.Codes)
	return codes.ShareNulls(c), nil
}

// keyWord is a column's part of a packed key: (word - least) in its bits, shifted by a
// place for nulls where there are some.
type keyWord struct {
	col         *batch.Column
	desc        bool
	least       uint64
	null, value uint64 // what a null is, and what is added to a value
	bits        int
}

// narrow measures every column's range of values. It returns nil where one has no words
// or all together need more than 64 bits.
func narrow(cols []*batch.Column, keys []batch.SortKey, n int) ([]keyWord, int) {
	words, total := []keyWord{}, 0
	for i, c := range cols {
		if !wordKind(c.Type) {
			return nil, 0
		}
		w := keyWord{col: c, desc: keys[i].Desc}
		least, most, any := wordRange(c, w.desc, n)
		if any {
			w.least = least
			w.bits = bits.Len64(most - least)
		}
		if c.Valid != nil {
			if span := most - least; !any {
				w.null = 0
			} else if span == ^uint64(0) {
				return nil, 0
			} else if w.bits = bits.Len64(span + 1); keys[i].NullsFirst {
				w.value = 1
			} else {
				w.null = span + 1
			}
		}
		if total += w.bits; total > 64 {
			return nil, 0
		}
		words = append(words, w)
	}
	return words, total
}

// wordRange returns the least and the greatest order word of the rows that are not null, if there are any.
func wordRange(c *batch.Column, desc bool, n int) (least, most uint64, any bool) {
	least = ^uint64(0)
	var x [chunk]uint64
	for lo := 0; lo < n; lo += chunk {
		w := x[:min(chunk, n-lo)]
		batch.OrderWords(c, desc, lo, w)
		if c.Valid == nil {
			any = true
			for _, v := range w {
				least, most = min(least, v), max(most, v)
			}
			continue
		}
		for i, v := range w {
			if !c.IsNull(lo + i) {
				least, most, any = min(least, v), max(most, v), true
			}
		}
	}
	return least, most, any
}

// fill puts the packed keys of the rows from lo on into x.
func fill(words []keyWord, lo int, x, tmp []uint64) {
	clear(x)
	for k := range words {
		w := &words[k]
		if w.bits == 0 {
			continue
		}
		batch.OrderWords(w.col, w.desc, lo, tmp)
		base := w.least - w.value
		for i, v := range tmp {
			tmp[i] = v - base
		}
		if w.col.Valid != nil {
			for i := range tmp {
				if w.col.IsNull(lo + i) {
					tmp[i] = w.null
				}
			}
		}
		for i, v := range tmp {
			x[i] = x[i]<<w.bits | v
		}
	}
}

// orderWords sorts by keys of total bits.
func orderWords(acct *mem.Account, words []keyWord, total, n int) (*Perm, error) {
	if total == 0 || inOrder(words, n) {
		return &Perm{n: n}, nil
	}
	return orderPacked(acct, words, total, bits.Len(uint(n-1)), n)
}

// inOrder says whether the keys ascend as they lie; on rows in random order it ends at once.
func inOrder(words []keyWord, n int) bool {
	var x, tmp [chunk]uint64
	last := uint64(0)
	for lo := 0; lo < n; lo += chunk {
		m := min(chunk, n-lo)
		fill(words, lo, x[:m], tmp[:m])
		for _, v := range x[:m] {
			if v < last {
				return false
			}
			last = v
		}
	}
	return true
}

// orderPacked sorts words of the keys' bits, without the lowest low of them, and the row
// id; where these tie, ties settles it. Low is at most idBits, as keys fit a word.
func orderPacked(acct *mem.Account, words []keyWord, total, idBits, n int) (*Perm, error) {
	low := max(total+idBits-64, 0)
	s, err := newScratch[uint64](acct, n)
	if err != nil {
		return nil, err
	}
	defer s.release()
	var tmp [chunk]uint64
	for lo := 0; lo < n; lo += chunk {
		x := s.a[lo:min(lo+chunk, n)]
		fill(words, lo, x, tmp[:len(x)])
		for i, v := range x {
			x[i] = v>>low<<idBits | uint64(lo+i)
		}
	}
	sorted := sortPacked(s.a, s.b, idBits, total-low)
	inA := &sorted[0] == &s.a[0]
	if low > 0 {
		spare := s.a
		if inA {
			spare = s.b
		}
		ties(words, sorted, spare, idBits, low)
	}
	mask := uint64(1)<<idBits - 1
	return s.perm(acct, inA, func(ids []uint32) {
		for i, v := range sorted {
			ids[i] = uint32(v & mask)
		}
	})
}

// ties sorts each run of equal words by the low bits that their keys have left: these
// and the id fit a word. Cost: nothing where keys differ above them, else a look at each key.
func ties(words []keyWord, a, spare []uint64, idBits, low int) {
	for from := 0; from < len(a); {
		to := from + 1
		for to < len(a) && a[to]>>idBits == a[from]>>idBits {
			to++
		}
		if to-from > 1 {
			sortTies(words, a[from:to], spare[from:to], idBits, low)
		}
		from = to
	}
}

func sortTies(words []keyWord, a, spare []uint64, idBits, low int) {
	var x, tmp [1]uint64
	ids, keys := uint64(1)<<idBits-1, uint64(1)<<low-1
	for i, v := range a {
		id := v & ids
		fill(words, int(id), x[:], tmp[:])
		a[i] = x[0]&keys<<idBits | id
	}
	if len(a) <= insertion {
		slices.Sort(a)
	} else {
		copy(a, sortPacked(a, spare, idBits, low))
	}
}

func pairIDs(ids []uint32, a []pair) {
	for i := range a {
		ids[i] = a[i].id
	}
}

// scratch is two arrays of n values.
type scratch[T any] struct {
	a, b       []T
	bufA, bufB *mem.Buf
}

func newScratch[T uint64 | pair](acct *mem.Account, n int) (*scratch[T], error) {
	var t [1]T
	size := len(batch.BytesOf(t[:])) * n
	bufA, err := acct.Alloc(size)
	if err != nil {
		return nil, err
	}
	bufB, err := acct.Alloc(size)
	if err != nil {
		bufA.Release()
		return nil, err
	}
	return &scratch[T]{a: batch.View[T](bufA.Bytes()), b: batch.View[T](bufB.Bytes()), bufA: bufA, bufB: bufB}, nil
}

// perm makes the result: the array that does not hold the sorted values is given back first.
func (s *scratch[T]) perm(acct *mem.Account, inA bool, put func(ids []uint32)) (*Perm, error) {
	n := len(s.a)
	if inA {
		s.bufB.Release()
		s.bufB = nil
	} else {
		s.bufA.Release()
		s.bufA = nil
	}
	buf, err := acct.Alloc(4 * n)
	if err != nil {
		return nil, err
	}
	p := &Perm{ids: batch.View[uint32](buf.Bytes()), buf: buf, n: n}
	put(p.ids)
	return p, nil
}

func (s *scratch[T]) release() {
	s.bufA.Release()
	s.bufB.Release()
}
