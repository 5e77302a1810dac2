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
	scarce      = 2 << 20
	entryBytes  = 48      // of an entry, its value apart: info, offset, slots of the table, and room to grow
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

// newDicts returns a dictionary for each column of variable width.
func newDicts(spec Spec, cols []colSpec, vars int) []*dictionary {
	total := dictBytes(spec, vars)
	if total == 0 {
		return nil
	}
	if spec.Acct != nil {
		total = max(total, spec.Acct.Limit()/poolShare-scarce)
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

// mapping is how the entries of a batch's dictionary are numbered in the store's. It
// knows the dictionary by its address, which it keeps from being used again.
type mapping struct {
	dict    *batch.Column
	buf     *mem.Buf
	codes   []uint32
	digests []uint64
}

func (m *mapping) release() {
	m.buf.Release()
	*m = mapping{}
}

// coded says whether the rows of a column can go as codes, and makes the worker's mapping
// ready. A worker that meets values which cannot goes on flat for good: it does not waver.
func (s *Store) coded(w *worker, v int, c *batch.Column) (bool, error) {
	switch m := &w.maps[v]; {
	case s.dicts == nil || w.flat[v]:
		return false, nil
	case c.Nulls == c.N || c.Dict != nil && (c.Dict == m.dict || c.Dict.N == 0):
		return w.codes[v], nil // nothing to number
	case c.Dict == nil || !s.dicts[v].takes(c):
		w.flat[v] = true
		m.release()
		return false, nil
	default:
		ok, err := s.remap(m, s.dicts[v], c.Dict)
		if !ok {
			w.flat[v] = true
			m.release()
		}
		return ok, err
	}
}

func (s *Store) remap(m *mapping, d *dictionary, from *batch.Column) (ok bool, err error) {
	m.release()
	if m.buf, err = s.alloc(mapBytes * from.N); err != nil {
		return false, unlessLimit(err)
	}
	raw := m.buf.Bytes()[:mapBytes*from.N]
	m.digests, m.codes = batch.View[uint64](raw[:8*from.N]), batch.View[uint32](raw[8*from.N:])
	m.dict = from
	return d.number(from, m.codes, m.digests)
}

// sum is sumRows of coded rows.
func (m *mapping) sum(c *batch.Column, lo, hi int) uint64 {
	if c.Nulls == c.N || c.Dict == nil || c.Dict.N == 0 {
		return 0
	}
	sum := uint64(0)
	if c.Valid == nil {
		for _, k := range c.Codes[lo:hi] {
			sum += m.digests[k]
		}
		return sum
	}
	for i := lo; i < hi; i++ {
		if !c.IsNull(i) {
			sum += m.digests[c.Codes[i]]
		}
	}
	return sum
}

// scatter writes the store's codes of the rows; those of nulls become zero.
func (m *mapping) scatter(dst []uint32, c *batch.Column, rows []uint32, lo int, valid []byte) {
	switch {
	case c.Nulls == c.N || c.Dict.N == 0:
		clear(dst)
		return
	case rows == nil:
		for i := range dst {
			dst[i] = m.codes[c.Codes[lo+i]]
		}
	default:
		for i, j := range rows {
			dst[i] = m.codes[c.Codes[j]]
		}
	}
	if c.Valid != nil {
		for i, v := range valid[:len(dst)] {
			if v == 0 {
				dst[i] = 0
			}
		}
	}
}

// planCodes narrows codes by frame of reference; data becomes the bytes of the values.
func (p *colPlan) planCodes(d *dictionary, codes []uint32, valid []byte) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	info := d.info()
	lo, hi := ^uint32(0), uint32(0)
	for i, k := range codes {
		if valid == nil || valid[i] != 0 {
			lo, hi = min(lo, k), max(hi, k)
			e := &info[k]
			p.sum += e.digest
			p.data += e.len
		}
	}
	lo = min(lo, hi)
	p.base = uint64(lo)
	p.setWidth(uint64(hi-lo), len(codes))
	p.enc = encCodes
}

func packCodes(dst []byte, codes []uint32, valid []byte, p *colPlan) {
	n := len(codes)
	switch base := uint32(p.base); p.width {
	case 1:
		packValid(dst[:n], codes, valid, base)
	case 2:
		packValid(batch.View[uint16](dst[:2*n]), codes, valid, base)
	case 4:
		packValid(batch.View[uint32](dst[:4*n]), codes, valid, base)
	}
	clear(dst[n*int(p.width) : pad8(n*int(p.width))])
}

func packValid[T uint8 | uint16 | uint32](dst []T, codes []uint32, valid []byte, base uint32) {
	if valid == nil {
		packLens(dst, codes, base)
		return
	}
	for i, k := range codes {
		dst[i] = T(k-base) & -T(valid[i])
	}
}

// codesAt writes the codes of rows [from, from+len(dst)); it is false where one is out of range.
func (r *colReader) codesAt(dst []uint32, from int) bool {
	n, most := len(dst), uint32(0)
	switch base := uint32(r.base); r.width {
	case 0:
		for i := range dst {
			dst[i] = base
		}
		most = base
	case 1:
		most = widen(dst, r.values[from:from+n], base)
	case 2:
		most = widen(dst, batch.View[uint16](r.values)[from:from+n], base)
	case 4:
		most = widen(dst, batch.View[uint32](r.values)[from:from+n], base)
	}
	return n == 0 || r.dict != nil && int(most) < r.dict.n
}

func widen[T uint8 | uint16 | uint32](dst []uint32, src []T, base uint32) (most uint32) {
	for i, v := range src {
		k := base + uint32(v)
		dst[i] = k
		most = max(most, k)
	}
	return most
}

// count adds up the sums of codes that were decoded, nulls of them at the base.
func (r *colReader) count(codes []uint32, nulls int) {
	info := r.dict.info()
	for _, k := range codes {
		r.got += info[k].digest
	}
	if nulls > 0 {
		r.got -= uint64(nulls) * info[r.base].digest
	}
}

// eachCodes hands the codes of rows [from, from+n) on in pieces.
func (r *colReader) eachCodes(from, n int, f func(at int, codes []uint32)) bool {
	var tmp [512]uint32
	for at := 0; at < n; at += len(tmp) {
		codes := tmp[:min(len(tmp), n-at)]
		if !r.codesAt(codes, from+at) {
			return false
		}
		f(at, codes)
	}
	return true
}

// codesData returns the bytes of the values of rows [from, from+n), nulls at the base included.
func (r *colReader) codesData(from, n int) (sum int) {
	info := r.dict.info()
	r.eachCodes(from, n, func(_ int, codes []uint32) {
		for _, k := range codes {
			sum += int(info[k].len)
		}
	})
	return sum
}

// unpackCodes decodes codes to out, as codes where it has the dictionary, else as values
// behind data; it returns where they end, or -1. Nulls of a flat column become empty.
func (r *colReader) unpackCodes(out *batch.Column, row, data, from, n, nulls int) int {
	if out.Dict != nil {
		codes := out.Codes[row : row+n]
		if !r.codesAt(codes, from) {
			return -1
		}
		r.count(codes, nulls)
		return data
	}
	over := false
	ok := r.eachCodes(from, n, func(at int, codes []uint32) {
		for i, k := range codes {
			j := from + at + i
			v := r.dict.value(k)
			if r.bitmap != nil && r.bitmap[j>>3]>>(j&7)&1 == 0 {
				v = nil
			} else if over = over || len(v) > len(out.Data)-data; over {
				return
			}
			copy(out.Data[data:], v)
			data += len(v)
			out.Off[row+at+i+1] = uint32(data)
		}
		r.count(codes, 0)
	})
	if !ok || over {
		return -1
	}
	if nulls > 0 {
		r.got -= uint64(nulls) * r.dict.info()[r.base].digest
	}
	return data
}
