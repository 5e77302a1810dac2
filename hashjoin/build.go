package hashjoin

import (
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// slot maps a word to a position among n entries: by the high bits, partitions go by others.
func slot(h uint64, n int) int {
	hi, _ := bits.Mul64(h, uint64(n))
	return int(hi)
}

// hash returns what the entry of a word is looked up by.
func (t *RightTable) hash(w uint64) uint64 {
	if t.mode == hashed {
		return w
	}
	return mix(w)
}

// buildHash gives every key a group number in order of appearance, then lays the groups out.
func (t *RightTable) buildHash(acct *mem.Account, k *keys) error {
	gmem, err := t.alloc(acct, 4*k.n)
	if err != nil {
		return err
	}
	group := batch.View[uint32](gmem)
	groups, nulls, err := t.insert(acct, k, group)
	if err != nil {
		return err
	}
	nulls = t.keptNulls(nulls)
	if groups == k.n { // no duplicates, no nulls: group numbers are row ids
		t.unique = true
		t.drop(gmem)
		return nil
	}
	smem, err := t.alloc(acct, 4*(groups+1))
	if err != nil {
		return err
	}
	start := batch.View[uint32](smem)
	clear(start)
	for _, e := range t.entries {
		if e.n > 0 {
			start[e.lo+1] = e.n
		}
	}
	t.unique = nulls <= 1
	sum := nulls
	for i, n := range start {
		t.unique = t.unique && n <= 1
		sum += n
		start[i] = sum
	}
	for i := range t.entries {
		if e := &t.entries[i]; e.n > 0 {
			e.lo = start[e.lo]
		}
	}
	if err := t.fill(acct, k, int(sum), nulls, func(i int) *uint32 { return &start[group[i]] }); err != nil {
		return err
	}
	t.drop(gmem)
	t.drop(smem)
	return nil
}

// slotCount is the size of the hash layout: two thirds of its slots are taken where every row has a key of its own.
func slotCount(rows int) int { return rows + rows/2 + 8 }

// insert fills entries with (key, group, count) and group with the group of each row. Cost: 10 to 30 ns a
// row; the table is made at its final size, and a chunk of slots is touched before it is
// filled, so that cache misses overlap (group prefetching: Chen, Ailamaki, Gibbons and Mowry, 2004).
func (t *RightTable) insert(acct *mem.Account, k *keys, group []uint32) (groups int, nulls uint32, err error) {
	if err := t.newEntries(acct, slotCount(k.n)); err != nil {
		return 0, 0, err
	}
	in := inserter{t: t, group: group}
	if t.mode == hashed {
		mem, err := t.alloc(acct, 4*k.n)
		if err != nil {
			return 0, 0, err
		}
		defer t.drop(mem)
		in.first = batch.View[uint32](mem)
		in.eq = batch.NewRowsEqual(k.cols, k.cols, t.equal)
	}
	var slots [findChunk]uint32
	for lo := 0; lo < k.n; lo += findChunk {
		words := k.words[lo:min(lo+findChunk, k.n)]
		for i, w := range words {
			slots[i] = uint32(slot(t.hash(w), len(t.entries)))
		}
		touch(t.entries, slots[:len(words)])
		for i, w := range words {
			if k.apart != nil && k.apart[lo+i] != 0 {
				nulls++
				continue
			}
			in.add(lo+i, w, slots[i])
		}
	}
	return in.groups, nulls, nil
}

// touch reads the entries at slots, which brings them into the cache together.
//
//go:noinline
func touch(entries []entry, slots []uint32) (n uint32) {
	for _, s := range slots {
		n += entries[s].n
	}
	return n
}

// inserter is the state of insert.
type inserter struct {
	t      *RightTable
	group  []uint32
	groups int
	first  []uint32         // hashed: the first row of each group
	eq     *batch.RowsEqual // hashed: compares right rows
}

// add enters row i, whose word w belongs at slot s or after it.
func (in *inserter) add(i int, w uint64, s uint32) {
	entries := in.t.entries
	for {
		e := &entries[s]
		if e.n == 0 {
			*e = entry{key: w, lo: uint32(in.groups), n: 1}
			in.group[i] = uint32(in.groups)
			if in.first != nil {
				in.first[in.groups] = uint32(i)
			}
			in.groups++
			return
		}
		if e.key == w && (in.eq == nil || in.eq.Equal(i, int(in.first[e.lo]))) {
			e.n++
			in.group[i] = e.lo
			return
		}
		if s++; s == uint32(len(entries)) {
			s = 0
		}
	}
}

func (t *RightTable) newEntries(acct *mem.Account, n int) error {
	mem, err := t.alloc(acct, 16*n)
	if err != nil {
		return err
	}
	t.entries = batch.View[entry](mem)[:n]
	clear(t.entries)
	return nil
}
