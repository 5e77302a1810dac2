package spillfile

import (
	"bytes"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	dictShare   = 2  // a store's dictionaries take at most 1/dictShare of its tails,
	poolShare   = 16 // or 1/poolShare of the account's limit less scarce, which is more where there is plenty
	keptShare   = 8  // those of a restored store, whose run had other threads, may take 1/keptShare of it
	scarce      = 2 << 20
	entryBytes  = 48      // of an entry, its value apart: info, offset, slots of the table, and room to grow
	sealedBytes = 20      // of an entry of a sealed store, its value apart: info and offset
	mapBytes    = 12      // of an entry in a worker's mapping
	manyEntries = 8 << 10 // entries that are taken in without asking how many rows there are
)

// entryInfo is what the sums of codes need of an entry.
type entryInfo struct {
	digest uint64
	len    uint64
}

// dictionary numbers the values of one column for a whole store: workers bring the
// dictionaries of their batches, and tails and blocks hold codes of this one. Entry 0 is
// the empty value, so that the code 0 of a null is always in range. What does not fit
// goes as flat values; a partition that holds both comes back flat.
type dictionary struct {
	acct    *mem.Account
	typ     batch.Type
	seed    maphash.Seed
	workers int
	left    *atomic.Int64 // bytes that the dictionaries of the store may still take

	mu    sync.RWMutex
	n     int
	data  int // bytes of the values
	infos *mem.Buf
	offs  *mem.Buf
	vals  *mem.Buf
	slots *mem.Buf      // open addressing: 0 or an entry + 1
	col   *batch.Column // all entries, once the store is sealed
}

// dictBytes is what the dictionaries of a store and the workers' mappings to them may take.
func dictBytes(spec Spec, vars int) int64 {
	if vars == 0 || !spec.Codes {
		return 0
	}
	return int64(spec.Partitions) * int64(spec.Workers) * int64(blockBytes(spec)) / dictShare
}

// dictBudget is what the dictionaries of a store that is being filled may take in all.
func dictBudget(spec Spec, vars int) int64 {
	total := dictBytes(spec, vars)
	if total > 0 && spec.Acct != nil {
		total = max(total, spec.Acct.Limit()/poolShare-scarce)
	}
	return total
}

// newDicts returns a dictionary for each column of variable width.
func newDicts(spec Spec, cols []colSpec, vars int) []*dictionary {
	total := dictBudget(spec, vars)
	if total == 0 {
		return nil
	}
	left := &atomic.Int64{}
	left.Store(total)
	out := make([]*dictionary, 0, vars)
	for i, c := range cols {
		if c.varIdx >= 0 {
			out = append(out, &dictionary{acct: spec.Acct, typ: spec.Schema.Fields[i].Type, seed: maphash.MakeSeed(), workers: spec.Workers, left: left})
		}
	}
	return out
}

// cost is what an entry takes of the budget.
func (d *dictionary) cost(v []byte) int64 { return int64(entryBytes + mapBytes*d.workers + len(v)) }

func (d *dictionary) info() []entryInfo { return batch.View[entryInfo](d.infos.Bytes())[:d.n] }
func (d *dictionary) off() []uint32     { return batch.View[uint32](d.offs.Bytes()) }

// value returns entry k.
func (d *dictionary) value(k uint32) []byte {
	off := d.off()
	return d.vals.Bytes()[off[k]:off[k+1]]
}

// takes says whether the values of a batch's dictionary are worth numbering.
func (d *dictionary) takes(c *batch.Column) bool {
	return c.Dict.N <= max(manyEntries, c.N/2)
}

// number sets codes and digests to those of the entries of from. ok is false where they do not fit.
func (d *dictionary) number(from *batch.Column, codes []uint32, digests []uint64) (ok bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.col != nil {
		return false, nil
	}
	if d.n == 0 {
		if _, ok, err = d.code(nil); !ok {
			return false, err
		}
	}
	for k := range from.N {
		v := from.Value(k)
		if codes[k], ok, err = d.code(v); !ok {
			return false, err
		}
		digests[k] = digestBytes(v)
	}
	return true, nil
}

// code returns the number of a value, which it enters where it is new and there is room.
func (d *dictionary) code(v []byte) (code uint32, ok bool, err error) {
	if d.n == 0 || 2*d.n >= len(d.slots.Bytes())/4 {
		if err := d.grow(); err != nil {
			return 0, false, unlessLimit(err)
		}
	}
	slots := batch.View[uint32](d.slots.Bytes())
	at := d.slot(v)
	for slots[at] != 0 {
		if k := slots[at] - 1; bytes.Equal(d.value(k), v) {
			return k, true, nil
		}
		at = (at + 1) & (len(slots) - 1)
	}
	if d.left.Add(-d.cost(v)) < 0 {
		d.left.Add(d.cost(v))
		return 0, false, nil
	}
	if d.data+len(v) > len(d.vals.Bytes()) {
		if err := replace(d.acct, &d.vals, d.data, max(2*d.data, d.data+len(v))); err != nil {
			return 0, false, unlessLimit(err)
		}
	}
	if int64(d.data)+int64(len(v)) > batch.MaxData {
		return 0, false, nil
	}
	k := uint32(d.n)
	d.data += copy(d.vals.Bytes()[d.data:], v)
	d.n++
	d.off()[k+1] = uint32(d.data)
	d.info()[k] = entryInfo{digest: digestBytes(v), len: uint64(len(v))}
	slots[at] = k + 1
	return k, true, nil
}

func (d *dictionary) slot(v []byte) int {
	return int(maphash.Bytes(d.seed, v)) & (len(d.slots.Bytes())/4 - 1)
}

// grow doubles the room for entries.
func (d *dictionary) grow() error {
	room := max(2*d.n, 512)
	if d.n == 0 {
		if err := replace(d.acct, &d.vals, 0, 4<<10); err != nil {
			return err
		}
	}
	if err := replace(d.acct, &d.infos, 16*d.n, 16*room); err != nil {
		return err
	}
	have := 0
	if d.offs != nil {
		have = 4 * (d.n + 1)
	}
	if err := replace(d.acct, &d.offs, have, 4*(room+1)); err != nil {
		return err
	}
	d.off()[0] = 0
	if err := replace(d.acct, &d.slots, 0, 4*2*room); err != nil {
		return err
	}
	slots := batch.View[uint32](d.slots.Bytes())
	clear(slots)
	for k := range d.n {
		at := d.slot(d.value(uint32(k)))
		for slots[at] != 0 {
			at = (at + 1) & (len(slots) - 1)
		}
		slots[at] = uint32(k) + 1
	}
	return nil
}

// replace gives *b size bytes, of which it keeps the first have.
func replace(acct *mem.Account, b **mem.Buf, have, size int) error {
	buf, err := acct.Alloc(size)
	if err != nil {
		return err
	}
	if *b != nil {
		copy(buf.Bytes(), (*b).Bytes()[:have])
		(*b).Release()
	}
	*b = buf
	return nil
}

// unlessLimit drops an error that says that there is no memory: values go flat then.
func unlessLimit(err error) error {
	if errors.Is(err, mem.ErrLimit) {
		return nil
	}
	return err
}

// seal makes the column of all entries, from which blocks are read back.
func (d *dictionary) seal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slots.Release()
	d.slots = nil
	if d.n == 0 {
		return
	}
	d.col = &batch.Column{Type: d.typ, N: d.n, Off: d.off()[:d.n+1], Data: d.vals.Bytes()[:d.data]}
	d.offs.Retain()
	d.vals.Retain()
	d.col.Adopt(d.offs, d.vals)
}

func (d *dictionary) release() {
	d.col.Release()
	for _, b := range []*mem.Buf{d.infos, d.offs, d.vals, d.slots} {
		b.Release()
	}
	d.col, d.infos, d.offs, d.vals, d.slots, d.n = nil, nil, nil, nil, nil, 0
}
