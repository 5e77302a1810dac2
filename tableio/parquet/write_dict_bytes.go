package parquet

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// bytesDict numbers byte strings in the order of their first appearance.
type bytesDict struct {
	acct  *mem.Account
	seed  maphash.Seed
	n     int
	used  int      // bytes of data
	data  *mem.Buf // the entries, one behind the other
	ends  *mem.Buf // []uint32: where each entry ends
	seen  *mem.Buf // []uint32: the page that has used the entry last
	table *mem.Buf // []uint64: upper half of the hash, number + 1
}

func newBytesDict(acct *mem.Account) *bytesDict {
	return &bytesDict{acct: acct, seed: maphash.MakeSeed()}
}

// entry returns entry k.
func (d *bytesDict) entry(k int) []byte {
	ends := batch.View[uint32](d.ends.Bytes())
	from := uint32(0)
	if k > 0 {
		from = ends[k-1]
	}
	return d.data.Bytes()[from:ends[k]]
}

// number returns the number of v, giving it one where it has none; ok is false where that
// goes over the limits. first says that page has not used the entry before.
func (d *bytesDict) number(v []byte, page uint32, limit int, r dictRule) (k int, first, ok bool, err error) {
	if d.table == nil || 4*d.n > len(d.table.Bytes())/4 {
		if err := d.rehash(max(1024, 1<<bits.Len(uint(4*d.n)))); err != nil {
			return 0, false, false, err
		}
	}
	slots := batch.View[uint64](d.table.Bytes())
	mask := uint64(len(slots) - 1)
	hash := maphash.Bytes(d.seed, v)
	h := hash & mask
	for ; slots[h] != 0; h = (h + 1) & mask {
		if s := slots[h]; s>>32 == hash>>32 {
			if k = int(uint32(s)) - 1; bytes.Equal(d.entry(k), v) {
				seen := batch.View[uint32](d.seen.Bytes())
				first = seen[k] != page
				seen[k] = page
				return k, first, true, nil
			}
		}
	}
	if d.n >= limit || d.used+len(v) > r.bytes {
		return 0, false, false, nil
	}
	if err := d.push(v, page); err != nil {
		return 0, false, false, err
	}
	slots[h] = hash>>32<<32 | uint64(d.n)
	return d.n - 1, true, true, nil
}

func (d *bytesDict) push(v []byte, page uint32) error {
	if d.data == nil || d.used+len(v) > len(d.data.Bytes()) {
		if err := grow(d.acct, &d.data, d.used, max(4096, 2*(d.used+len(v)))); err != nil {
			return err
		}
	}
	if d.ends == nil || 4*(d.n+1) > len(d.ends.Bytes()) {
		if err := grow(d.acct, &d.ends, 4*d.n, max(4096, 8*d.n)); err != nil {
			return err
		}
		if err := grow(d.acct, &d.seen, 4*d.n, max(4096, 8*d.n)); err != nil {
			return err
		}
	}
	d.used += copy(d.data.Bytes()[d.used:], v)
	batch.View[uint32](d.ends.Bytes())[d.n] = uint32(d.used)
	batch.View[uint32](d.seen.Bytes())[d.n] = page
	d.n++
	return nil
}

func (d *bytesDict) rehash(size int) error {
	t, err := d.acct.Alloc(8 * size)
	if err != nil {
		return err
	}
	clear(t.Bytes())
	slots := batch.View[uint64](t.Bytes())
	mask := uint64(size - 1)
	for k := range d.n {
		hash := maphash.Bytes(d.seed, d.entry(k))
		h := hash & mask
		for slots[h] != 0 {
			h = (h + 1) & mask
		}
		slots[h] = hash>>32<<32 | uint64(k+1)
	}
	d.table.Release()
	d.table = t
	return nil
}

// truncate forgets the entries from n on; number must not be called any more.
func (d *bytesDict) truncate(n int) {
	d.n, d.used = n, 0
	if n > 0 {
		d.used = int(batch.View[uint32](d.ends.Bytes())[n-1])
	}
}

func (d *bytesDict) dropTable() {
	d.table.Release()
	d.seen.Release()
	d.table, d.seen = nil, nil
}

func (d *bytesDict) release() {
	d.dropTable()
	d.data.Release()
	d.ends.Release()
	d.data, d.ends = nil, nil
}
