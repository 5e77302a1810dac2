package hashjoin

import (
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// RightTable maps a key to its right rows, in right order. It is immutable and may
// be probed by several goroutines.
//
//	direct      key - min  ->  start[k], start[k+1]          dense integers
//	hash        key        ->  entry{key, lo, n}             open addressing, linear probing
//	            [lo, lo+n) ->  order: row ids grouped by key
//
// Where every key has one row, order is left out and lo is the row id itself
// (direct: start[k] is the row id plus one, 0 for none).
type RightTable struct {
	rows    *batch.Batch // all stored columns
	keyCols []*batch.Column
	mode    keyMode
	equal   bool // nulls are equal

	unique  bool
	order   []uint32
	min     uint64 // direct
	start   []uint32
	entries []entry
	null    ref // the rows whose key is null and set apart
	bytes   int64
	bufs    []*mem.Buf
}

// entry is a slot of the hash layout; n is 0 in an empty one.
type entry struct {
	key   uint64
	lo, n uint32
}

// ref is the right rows of one key: order[lo:lo+n], or row lo where the table is unique.
type ref struct{ lo, n uint32 }

// directSlack is how many times larger than the number of rows a key range may be to be addressed directly.
const directSlack = 4

// tableRowBytes bounds what building a table takes a row, without the rows themselves: keys and mask (9),
// row ids and groups (12), entries while they grow (30).
const tableRowBytes = 52

// newTable builds the table of rows, which it takes over, errors included. keyCols are positions in rows.
func newTable(acct *mem.Account, k *keyer, rows *batch.Batch) (*RightTable, error) {
	t := &RightTable{rows: rows, mode: k.mode, equal: k.nullsEqual}
	for _, c := range k.cols {
		t.keyCols = append(t.keyCols, rows.Cols[c])
	}
	var h batch.Hasher
	ks, err := k.extract(acct, rows, &h)
	if err != nil {
		t.Release()
		return nil, err
	}
	defer ks.release()
	if err := t.build(acct, &ks); err != nil {
		t.Release()
		return nil, err
	}
	t.bytes = rows.Bytes()
	for _, b := range t.bufs {
		t.bytes += b.Size()
	}
	return t, nil
}

// Release gives the table and its rows back.
func (t *RightTable) Release() {
	if t == nil {
		return
	}
	for _, b := range t.bufs {
		b.Release()
	}
	t.bufs = nil
	t.rows.Release()
	t.rows = nil
}

// Rows returns the number of right rows, and Bytes the pool bytes that they and the table take.
func (t *RightTable) Rows() int    { return t.rows.N }
func (t *RightTable) Bytes() int64 { return t.bytes }

// row returns the i-th right row of a group.
func (t *RightTable) row(r ref, i uint32) uint32 {
	if t.order == nil {
		return r.lo
	}
	return t.order[r.lo+i]
}

func (t *RightTable) alloc(acct *mem.Account, n int) ([]byte, error) {
	b, err := acct.Alloc(n)
	if err != nil {
		return nil, err
	}
	t.bufs = append(t.bufs, b)
	return b.Bytes(), nil
}

// drop releases a buffer that was only needed while building.
func (t *RightTable) drop(mem []byte) {
	for i, b := range t.bufs {
		if m := b.Bytes(); len(m) > 0 && len(mem) > 0 && &m[0] == &mem[0] {
			b.Release()
			t.bufs = append(t.bufs[:i], t.bufs[i+1:]...)
			return
		}
	}
}

func (t *RightTable) build(acct *mem.Account, k *keys) error {
	if k.n == 0 {
		t.unique = true
		return nil
	}
	if t.mode != hashed {
		if lo, hi, some := wordRange(k); some && hi-lo < uint64(directSlack*k.n+1024) {
			return t.buildDirect(acct, k, lo, int(hi-lo)+1)
		}
	}
	return t.buildHash(acct, k)
}

func wordRange(k *keys) (lo, hi uint64, some bool) {
	lo = ^lo
	for i, w := range k.words {
		if k.apart == nil || k.apart[i] == 0 {
			lo, hi, some = min(lo, w), max(hi, w), true
		}
	}
	return lo, hi, some
}

// buildDirect sorts row ids by counting; size is the number of key values.
func (t *RightTable) buildDirect(acct *mem.Account, k *keys, lo uint64, size int) error {
	mem, err := t.alloc(acct, 4*(size+2))
	if err != nil {
		return err
	}
	count := batch.View[uint32](mem)
	clear(count)
	t.min = lo
	dup, nulls := uint32(0), uint32(0)
	for i, w := range k.words {
		if k.apart != nil && k.apart[i] != 0 {
			nulls++
			continue
		}
		c := &count[w-lo+2]
		*c++
		dup |= *c >> 1
	}
	if nulls = t.keptNulls(nulls); dup == 0 && nulls == 0 {
		t.unique = true
		t.start = count[:size]
		clear(t.start)
		for i, w := range k.words {
			if k.apart == nil || k.apart[i] == 0 {
				t.start[w-lo] = uint32(i) + 1
			}
		}
		return nil
	}
	sum := nulls
	for i, c := range count {
		sum += c
		count[i] = sum
	}
	if err := t.fill(acct, k, int(sum), nulls, func(i int) *uint32 { return &count[k.words[i]-lo+1] }); err != nil {
		return err
	}
	t.unique = dup == 0 && nulls <= 1
	t.start = count[:size+1]
	return nil
}

// keptNulls returns how many of the rows with a null key the table keeps: none unless null equals null.
func (t *RightTable) keptNulls(n uint32) uint32 {
	if !t.equal {
		return 0
	}
	return n
}

// fill writes order: the rows with a null key first, then every row at the place that next names and advances.
func (t *RightTable) fill(acct *mem.Account, k *keys, n int, nulls uint32, next func(i int) *uint32) error {
	mem, err := t.alloc(acct, 4*n)
	if err != nil {
		return err
	}
	t.order = batch.View[uint32](mem)
	t.null = ref{0, nulls}
	at := uint32(0)
	for i := range k.n {
		p := &at
		if k.apart == nil || k.apart[i] == 0 {
			p = next(i)
		} else if nulls == 0 {
			continue
		}
		t.order[*p] = uint32(i)
		*p++
	}
	return nil
}

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

// insert fills entries with (key, group, count) and group with the group of each row.
func (t *RightTable) insert(acct *mem.Account, k *keys, group []uint32) (groups int, nulls uint32, err error) {
	limit := k.n + k.n/2 + 8
	if err := t.newEntries(acct, min(limit, 4096)); err != nil {
		return 0, 0, err
	}
	first, eq, err := t.firstRows(acct, k)
	if err != nil {
		return 0, 0, err
	}
	for i, w := range k.words {
		if k.apart != nil && k.apart[i] != 0 {
			nulls++
			continue
		}
		s := slot(t.hash(w), len(t.entries))
		for {
			e := &t.entries[s]
			if e.n == 0 {
				*e = entry{key: w, lo: uint32(groups), n: 1}
				group[i] = uint32(groups)
				if first != nil {
					first[groups] = uint32(i)
				}
				groups++
				break
			}
			if e.key == w && (eq == nil || eq.Equal(i, int(first[e.lo]))) {
				e.n++
				group[i] = e.lo
				break
			}
			if s++; s == len(t.entries) {
				s = 0
			}
		}
		if groups > len(t.entries)*2/3 && len(t.entries) < limit {
			if err := t.growEntries(acct, min(limit, 4*len(t.entries))); err != nil {
				return 0, 0, err
			}
		}
	}
	if first != nil {
		t.drop(batch.BytesOf(first))
	}
	return groups, nulls, nil
}

// firstRows returns, in hashed mode, room for the first row of each group and the comparison of right rows.
func (t *RightTable) firstRows(acct *mem.Account, k *keys) ([]uint32, *batch.RowsEqual, error) {
	if t.mode != hashed {
		return nil, nil, nil
	}
	mem, err := t.alloc(acct, 4*k.n)
	if err != nil {
		return nil, nil, err
	}
	return batch.View[uint32](mem), batch.NewRowsEqual(k.cols, k.cols, t.equal), nil
}

func (t *RightTable) newEntries(acct *mem.Account, n int) error {
	mem, err := t.alloc(acct, 16*n)
	if err != nil {
		return err
	}
	t.entries = batch.View[entry](mem)
	clear(t.entries)
	return nil
}

func (t *RightTable) growEntries(acct *mem.Account, n int) error {
	old := t.entries
	if err := t.newEntries(acct, n); err != nil {
		return err
	}
	for _, e := range old {
		if e.n == 0 {
			continue
		}
		s := slot(t.hash(e.key), n)
		for t.entries[s].n != 0 {
			if s++; s == n {
				s = 0
			}
		}
		t.entries[s] = e
	}
	t.drop(batch.BytesOf(old))
	return nil
}
