package hashjoin

import (
	"errors"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	// filteredEntries is the fewest slots of a table that gets a filter of its keys: smaller ones lie in the second cache.
	filteredEntries = 32 << 10
	// A word of the filter has four to eight keys: of those that the table has not, one in twenty passes at most.
	keysPerWord = 8
	// bitmapWords is how many words a filter of a bit a value may have however few the keys: 4 MB.
	bitmapWords = 1 << 19
	// askTrial rows decide whether the filter is worth asking: where one row in askLeast or fewer is dropped, it is not.
	askTrial = 64 << 10
	askLeast = 3
)

// asked is how the rows of one stream fare with a table's filter.
type asked struct {
	seen, dropped int64
	off           bool // it does not pay
}

// addFilter gives a table whose slots outgrow the caches a filter of its keys, so that rows that match nothing are told by one look at less
// memory: 1 to 5 ns instead of the 20 to 50 of a slot. It is a bit for each value from the least key to the greatest where these are not too
// many, which tells all such rows and is read from front to back where the left is in the order of the key; else two bits of a key's hash in
// one word, as in filter. It takes up to room bytes; without, and without memory for it, the table does without. Cost: 2 to 5 ns a slot.
func (t *RightTable) addFilter(acct *mem.Account, room int64) error {
	if len(t.entries) < filteredEntries {
		return nil
	}
	n, bitmap := 1<<bits.Len(uint(t.rows.N/keysPerWord)), false
	lo, hi := t.keyRange()
	if words := (hi-lo)/64 + 2; t.mode != hashed && words <= max(uint64(t.rows.N), bitmapWords) && int64(8*words) <= room {
		n, bitmap = int(words), true
	}
	if int64(8*n) > room {
		return nil
	}
	buf, err := acct.Alloc(8 * n)
	if errors.Is(err, mem.ErrLimit) {
		return nil
	}
	if err != nil {
		return err
	}
	t.bufs = append(t.bufs, buf)
	t.bytes += buf.Size()
	t.filter, t.bitmap, t.filterMin = batch.View[uint64](buf.Bytes())[:n], bitmap, lo
	clear(t.filter)
	for i := range t.entries {
		if e := &t.entries[i]; e.n > 0 {
			at, set := t.filterPlace(e.key)
			t.filter[at] |= set
		}
	}
	return nil
}

// keyRange returns the least and the greatest key.
func (t *RightTable) keyRange() (lo, hi uint64) {
	lo = ^lo
	for i := range t.entries {
		if e := &t.entries[i]; e.n > 0 {
			lo, hi = min(lo, e.key), max(hi, e.key)
		}
	}
	return min(lo, hi), hi
}

// filterPlace returns the word and the bits of a key in the filter.
func (t *RightTable) filterPlace(key uint64) (at, set uint64) {
	if t.bitmap {
		return (key - t.filterMin) >> 6, 1 << ((key - t.filterMin) & 63)
	}
	return hashPlace(t.hash(key), uint64(len(t.filter)-1))
}

// hashPlace returns the word of a table's hash, by the bits of mask, and its two bits there. They are low
// bits of the hash, where slot goes by the high ones.
func hashPlace(h, mask uint64) (at, set uint64) {
	return h >> 12 & mask, 1<<(h&63) | 1<<(h>>6&63)
}

// asks says whether rows of the stream should be shown to the filter first.
func (t *RightTable) asks(a *asked) bool { return t.filter != nil && a != nil && !a.off }

// note counts n rows of which kept passed.
func (a *asked) note(n, kept int) {
	a.seen += int64(n)
	a.dropped += int64(n - kept)
	a.off = a.seen >= askTrial && a.dropped*askLeast < a.seen
}

// startFiltered sets slots and again for the words that pass the filter, out to no row for the others, and returns how many pass.
func (t *RightTable) startFiltered(words []uint64, out []ref, slots *[findChunk]uint32, again *[findChunk]uint8) int {
	if t.bitmap {
		return t.startMapped(words, out, slots, again)
	}
	filter, mask := t.filter, uint64(len(t.filter)-1)
	out = out[:len(words)]
	n := 0
	for i, w := range words {
		h := t.hash(w)
		slots[i] = uint32(slot(h, len(t.entries)))
		again[n&(findChunk-1)] = uint8(i)
		out[i] = ref{}
		at, set := hashPlace(h, mask)
		if filter[at]&set == set {
			n++
		}
	}
	return n
}

// startMapped is startFiltered with a bit a value: only the keys that are there are hashed. Values beyond them share the last word, which is empty.
func (t *RightTable) startMapped(words []uint64, out []ref, slots *[findChunk]uint32, again *[findChunk]uint8) int {
	filter, least, last := t.filter, t.filterMin, uint64(len(t.filter)-1)
	out = out[:len(words)]
	n := 0
	for i, w := range words {
		again[n&(findChunk-1)] = uint8(i)
		out[i] = ref{}
		d := w - least
		n += int(filter[min(d>>6, last)] >> (d & 63) & 1)
	}
	for _, i := range again[:n] {
		slots[i] = uint32(slot(t.hash(words[i]), len(t.entries)))
	}
	return n
}

// startAll sets slots and again for all words.
func (t *RightTable) startAll(words []uint64, slots *[findChunk]uint32, again *[findChunk]uint8) int {
	for i, w := range words {
		slots[i] = uint32(slot(t.hash(w), len(t.entries)))
		again[i] = uint8(i)
	}
	return len(words)
}
