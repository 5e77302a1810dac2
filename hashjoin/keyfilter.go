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
	// askTrial rows decide whether the filter is worth asking: where one row in askLeast or fewer is dropped, it is not.
	askTrial = 64 << 10
	askLeast = 3
)

// asked is how the rows of one stream fare with a table's filter.
type asked struct {
	seen, dropped int64
	off           bool // it does not pay
}

// addFilter gives a table whose slots outgrow the caches a filter of its keys, an eighth of the slots' size, so that rows that
// match nothing are told by one look at less memory: 2 to 3 ns instead of the 20 to 50 of a slot. Two bits of a key lie in one word, as in
// filter. Without memory for it the table does without. Cost: 2 to 5 ns a slot.
func (t *RightTable) addFilter(acct *mem.Account) error {
	if len(t.entries) < filteredEntries {
		return nil
	}
	n := 1 << bits.Len(uint(t.rows.N/keysPerWord))
	buf, err := acct.Alloc(8 * n)
	if errors.Is(err, mem.ErrLimit) {
		return nil
	}
	if err != nil {
		return err
	}
	t.bufs = append(t.bufs, buf)
	t.bytes += buf.Size()
	t.filter = batch.View[uint64](buf.Bytes())[:n]
	clear(t.filter)
	mask := uint64(n - 1)
	for i := range t.entries {
		if e := &t.entries[i]; e.n > 0 {
			at, set := filterPlace(t.hash(e.key), mask)
			t.filter[at] |= set
		}
	}
	return nil
}

// filterPlace returns the word of a table's hash, by the bits of mask, and its two bits there. They are low
// bits of the hash, where slot goes by the high ones.
func filterPlace(h, mask uint64) (at, set uint64) {
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
	filter, mask := t.filter, uint64(len(t.filter)-1)
	out = out[:len(words)]
	n := 0
	for i, w := range words {
		h := t.hash(w)
		slots[i] = uint32(slot(h, len(t.entries)))
		again[n&(findChunk-1)] = uint8(i)
		out[i] = ref{}
		at, set := filterPlace(h, mask)
		if filter[at]&set == set {
			n++
		}
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
