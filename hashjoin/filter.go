package hashjoin

import (
	"errors"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// filter remembers the hashes of the right's keys with two bits each, so that left rows which match nothing are
// dropped before they are stored. Both bits of a key lie in one word, which one cache miss brings (register-blocked
// Bloom filter: Lang, Neumann, Kemper and Boncz, "Performance-Optimal Filtering", 2019). While the right comes every
// worker has words of its own; seal makes one filter of them. A key that was added always passes.
type filter struct {
	acct  *mem.Account
	parts []filterPart // one a worker
	words []uint64     // after seal; nil: everything passes
	buf   *mem.Buf
}

// filterPart is what a worker notes of the right, and how its left rows fare.
type filterPart struct {
	words []uint64
	buf   *mem.Buf
	rows  int  // noted
	off   bool // it does not pay

	seen, dropped int64
}

const (
	maxFilter = 4 << 20 // bytes of a worker's words, and least of them
	minFilter = 64 << 10
	// A word has no room for more keys than this: a filter of more rows is looked at, and given up where over half of its bits are set.
	filterRoom = 6
	// filterGuess is how many times more rows there may be than was guessed.
	filterGuess = 4
	// filterTrial left rows decide whether dropping one in filterLeast or fewer is worth asking for all.
	filterTrial = 128 << 10
	filterLeast = 8
	// foldBelow is the share of set bits, one in so many, below which a filter is folded to half its size.
	foldBelow = 16
)

// newFilter returns a filter that takes up to share bytes; nil where that is too little. It is made for a guess of the right's rows, 0
// where there is none, and so small that a small right side is not outdone by the clearing of its memory.
func newFilter(acct *mem.Account, workers int, share, rows int64) (*filter, error) {
	size := maxFilter
	for rows > 0 && size > minFilter && int64(size)/8*filterRoom/(2*filterGuess) > rows {
		size /= 2
	}
	for size > 0 && int64(size)*int64(workers) > share {
		size /= 2
	}
	if size < minFilter {
		return nil, nil
	}
	f := &filter{acct: acct, parts: make([]filterPart, workers)}
	for i := range f.parts {
		buf, err := acct.Alloc(size)
		if err != nil {
			f.release()
			if errors.Is(err, mem.ErrLimit) {
				return nil, nil // it only saves time
			}
			return nil, err
		}
		f.parts[i].buf, f.parts[i].words = buf, batch.View[uint64](buf.Bytes()[:size])
		clear(f.parts[i].words)
	}
	return f, nil
}

// place returns the word of a hash, by the bits of mask, and its two bits there.
func place(h, mask uint64) (at, set uint64) {
	h = mix(h ^ 0xd1b54a32d192ed03) // other bits than those of partitions and tables
	return h >> 12 & mask, 1<<(h&63) | 1<<(h>>6&63)
}

// add notes the hashes of right rows: about 2 ns each.
func (p *filterPart) add(hash []uint64) {
	if p.off {
		return
	}
	words, mask := p.words, uint64(len(p.words)-1)
	for _, h := range hash {
		at, set := place(h, mask)
		words[at] |= set
	}
	if p.rows += len(hash); p.rows > filterRoom*len(words) {
		p.rows = 0
		p.off = setShare(words[:min(1<<12, len(words))]) > 0.5
	}
}

// setShare returns the share of set bits.
func setShare(words []uint64) float64 {
	n := 0
	for _, w := range words {
		n += bits.OnesCount64(w)
	}
	return float64(n) / float64(64*len(words))
}

// seal makes one filter of the workers', as small as still tells keys apart.
func (f *filter) seal() {
	if f == nil || f.buf != nil {
		return
	}
	for i := range f.parts {
		if f.parts[i].off {
			f.release()
			return
		}
	}
	f.words, f.buf = f.parts[0].words, f.parts[0].buf
	f.parts[0].words, f.parts[0].buf = nil, nil
	for i := range f.parts[1:] {
		p := &f.parts[1+i]
		or(f.words, p.words)
		p.buf.Release()
		p.words, p.buf = nil, nil
	}
	for len(f.words) > minFilter/8 && setShare(f.words)*foldBelow < 1 {
		half := len(f.words) / 2
		or(f.words[:half], f.words[half:])
		f.words = f.words[:half]
	}
	if setShare(f.words) > 0.5 {
		f.release()
	}
}

func or(dst, src []uint64) {
	for i, w := range src {
		dst[i] |= w
	}
}

// pass sets idx to the rows whose hash the right may have, and returns how many they are; a worker of whose rows
// nearly all pass is not asked any more, and all says so. About 2 ns a row.
func (f *filter) pass(worker int, hash []uint64, idx []uint32) (n int, all bool) {
	if f == nil || f.words == nil || f.parts[worker].off {
		return 0, true
	}
	p := &f.parts[worker]
	words, mask := f.words, uint64(len(f.words)-1)
	idx = idx[:len(hash)]
	for i, h := range hash {
		at, set := place(h, mask)
		idx[n] = uint32(i)
		if words[at]&set == set {
			n++
		}
	}
	p.seen += int64(len(hash))
	p.dropped += int64(len(hash) - n)
	p.off = p.seen >= filterTrial && p.dropped*filterLeast < p.seen
	return n, n == len(hash)
}

// release gives the memory back: everything passes from then on. It may be called more than once.
func (f *filter) release() {
	if f == nil {
		return
	}
	for i := range f.parts {
		f.parts[i].buf.Release()
		f.parts[i].buf, f.parts[i].words, f.parts[i].off = nil, nil, true
	}
	f.buf.Release()
	f.buf, f.words = nil, nil
}
