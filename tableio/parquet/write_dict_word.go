package parquet

import (
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

// dictRule says how long a dictionary is kept. It is a function of the values alone.
type dictRule struct {
	entries int  // most entries
	bytes   int  // most bytes of entries (byte strings)
	half    bool // also: at most half as many entries as values, counting the page at hand
}

// Pages are tried in full unless the first dictProbe values of a chunk are nearly all distinct.
const (
	dictProbe    = 4096
	dictProbeMax = dictProbe * 19 / 20
	maxDirect    = 1 << 17 // widest range of integers that is looked up in a table without hashing
)

// limit returns the most entries once a page has brought the chunk to values values.
func (r dictRule) limit(values int64) int {
	if r.half && values/2 < int64(r.entries) {
		return int(values / 2)
	}
	return r.entries
}

// wordDict numbers 8-byte values in the order of their first appearance. Integers in a
// narrow range are looked up directly (slot v - base), others by hash; the numbers are the same.
type wordDict struct {
	acct   *mem.Account
	n      int // entries
	vals   *mem.Buf
	table  *mem.Buf // []uint32: number + 1, or 0
	direct bool
	base   uint64
}

func (d *wordDict) values() []uint64 {
	if d.vals == nil {
		return nil
	}
	return batch.View[uint64](d.vals.Bytes())[:d.n]
}

func (d *wordDict) slots() []uint32 { return batch.View[uint32](d.table.Bytes()) }

// encode sets codes to the numbers of vals; ok is false where that takes more than limit
// entries. lo and hi are the least and greatest value where they are integers (ranged).
func (d *wordDict) encode(vals []uint64, codes []int32, lo, hi uint64, ranged bool, limit int) (ok bool, err error) {
	if len(vals) == 0 {
		return true, nil
	}
	if err := d.prepare(lo, hi, ranged); err != nil {
		return false, err
	}
	probe := d.n == 0 && len(vals) > dictProbe && !d.direct
	if probe {
		if ok, err = d.encodeHash(vals[:dictProbe], codes, min(limit, dictProbeMax)); !ok || err != nil {
			return ok, err
		}
		vals, codes = vals[dictProbe:], codes[dictProbe:]
	}
	if d.direct {
		return d.encodeDirect(vals, codes, limit)
	}
	return d.encodeHash(vals, codes, limit)
}

func (d *wordDict) encodeDirect(vals []uint64, codes []int32, limit int) (bool, error) {
	slots, base := d.slots(), d.base
	codes = codes[:len(vals)]
	for i, v := range vals {
		k := slots[v-base]
		if k == 0 {
			if d.n >= limit {
				return false, nil
			}
			if err := d.push(v); err != nil {
				return false, err
			}
			k = uint32(d.n)
			slots[v-base] = k
		}
		codes[i] = int32(k - 1)
	}
	return true, nil
}

func (d *wordDict) encodeHash(vals []uint64, codes []int32, limit int) (bool, error) {
	codes = codes[:len(vals)]
	slots, known := d.slots(), d.values()
	shift := 64 - uint(bits.Len(uint(len(slots)-1)))
	mask := uint64(len(slots) - 1)
	for i, v := range vals {
		h := (v ^ v>>32) * 0x9e3779b97f4a7c15 >> shift
		for ; ; h = (h + 1) & mask {
			k := slots[h]
			if k != 0 && known[k-1] == v {
				codes[i] = int32(k - 1)
				break
			}
			if k != 0 {
				continue
			}
			if d.n >= limit {
				return false, nil
			}
			if err := d.push(v); err != nil {
				return false, err
			}
			known = d.values()
			slots[h] = uint32(d.n)
			codes[i] = int32(d.n - 1)
			if 2*d.n > len(slots) {
				if err := d.rehash(2 * len(slots)); err != nil {
					return false, err
				}
				slots = d.slots()
				shift--
				mask = uint64(len(slots) - 1)
			}
			break
		}
	}
	return true, nil
}

func (d *wordDict) push(v uint64) error {
	if d.vals == nil || 8*(d.n+1) > len(d.vals.Bytes()) {
		if err := grow(d.acct, &d.vals, 8*d.n, max(4096, 16*d.n)); err != nil {
			return err
		}
	}
	batch.View[uint64](d.vals.Bytes())[d.n] = v
	d.n++
	return nil
}

// grow replaces *b by a buffer of size bytes that begins with the first used bytes of the old one.
func grow(acct *mem.Account, b **mem.Buf, used, size int) error {
	bigger, err := acct.Alloc(size)
	if err != nil {
		return err
	}
	if *b != nil {
		copy(bigger.Bytes(), (*b).Bytes()[:used])
		(*b).Release()
	}
	*b = bigger
	return nil
}

// prepare makes the table fit values in [lo, hi].
func (d *wordDict) prepare(lo, hi uint64, ranged bool) error {
	fresh := d.table == nil
	if !fresh && !d.direct {
		return nil
	}
	end := hi + 1
	ranged = ranged && hi-lo < maxDirect
	if !fresh && ranged {
		size := uint64(len(d.slots()))
		if lo-d.base < size && hi-d.base < size {
			return nil
		}
		// The signed distance of two values that both fit a narrow range is exact in either signedness; where the
		// two ranges are so far apart that it is not, what is between them is too wide below.
		if int64(d.base-lo) < 0 {
			lo = d.base
		}
		if int64(d.base+size-end) > 0 {
			end = d.base + size
		}
	}
	if !ranged || end-lo > maxDirect || end == lo {
		d.direct = false
		return d.rehash(max(1024, 1<<bits.Len(uint(4*d.n))))
	}
	return d.makeDirect(lo, int(end-lo))
}

func (d *wordDict) makeDirect(base uint64, size int) error {
	d.table.Release()
	d.table = nil
	t, err := d.acct.Alloc(4 * size)
	if err != nil {
		return err
	}
	clear(t.Bytes())
	d.table, d.base, d.direct = t, base, true
	slots := d.slots()
	for i, v := range d.values() {
		slots[v-base] = uint32(i + 1)
	}
	return nil
}

func (d *wordDict) rehash(size int) error {
	d.table.Release()
	d.table = nil
	t, err := d.acct.Alloc(4 * size)
	if err != nil {
		return err
	}
	clear(t.Bytes())
	d.table = t
	slots := d.slots()
	shift := 64 - uint(bits.Len(uint(size-1)))
	for i, v := range d.values() {
		h := (v ^ v>>32) * 0x9e3779b97f4a7c15 >> shift
		for slots[h] != 0 {
			h = (h + 1) & uint64(size-1)
		}
		slots[h] = uint32(i + 1)
	}
	return nil
}

// dropTable keeps only the entries.
func (d *wordDict) dropTable() {
	d.table.Release()
	d.table = nil
}

func (d *wordDict) release() {
	d.dropTable()
	d.vals.Release()
	d.vals = nil
}
