package hashjoin

import (
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
	dicts   []*batch.Column // by column of rows: what values are put out as codes into, or nil; nil where none is
	mode    keyMode
	equal   bool // nulls are equal

	unique    bool
	order     []uint32
	min       uint64 // direct
	start     []uint32
	entries   []entry
	filter    []uint64 // of the keys of entries, see addFilter; nil: none
	bitmap    bool     // the filter is a bit a value,
	filterMin uint64   // from this on
	null      ref      // the rows whose key is null and set apart
	bytes     int64
	bufs      []*mem.Buf
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
// row ids and groups (16), entries (24).
const tableRowBytes = 50

// TableBytes returns what a resident table of rows right rows of rawBytes takes while it is built.
func TableBytes(rows, rawBytes int64) int64 { return rawBytes + rows*tableRowBytes }

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

// codedRows is how many rows a table has at most whose strings are put out as codes.
const codedRows = 2 * batch.Rows

// codeStrings lets the strings of a small table that many left rows will match be put out as codes into the table
// itself: what comes after then treats a string once, and not once a row. A batch holds on to the strings of the whole table.
func (t *RightTable) codeStrings() {
	if t.rows.N > codedRows {
		return
	}
	t.dicts = make([]*batch.Column, len(t.rows.Cols))
	for i, c := range t.rows.Cols {
		if flatBytes(c) {
			t.dicts[i] = batch.AsDict(c)
		}
	}
}

// gather returns column c of the right rows idx.
func (t *RightTable) gather(acct *mem.Account, c int, idx []uint32, mayMiss bool) (*batch.Column, error) {
	if t.dicts != nil && t.dicts[c] != nil && t.rows.N <= 2*len(idx) {
		return batch.GatherCodes(acct, t.rows.Cols[c], t.dicts[c], idx, mayMiss)
	}
	return batch.Gather(acct, t.rows.Cols[c], idx, mayMiss)
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
