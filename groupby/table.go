package groupby

import (
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// table is a hash table of groups. Entries are dense: entry e is the words
// [e*stride, (e+1)*stride) of ent, the key's and then the states'. The index holds one
// word a slot, the hash's upper half and the entry; entry 0 means an empty slot.
//
//	index   | tag 32 | entry 32 |  position = tag & mask, linear probing
//	entry   | key words | state of aggregate 0 | state of aggregate 1 | ...
//
// Entry 0 is no group: rows that are to be left out (nulls, filtered, bypassed) are sent
// to it, so that kernels need no branch for them.
type table struct {
	lay    *layout
	acct   *mem.Account
	idx    []uint64
	ent    []uint64
	idxBuf *mem.Buf
	entBuf *mem.Buf
	n      int // entries in use, entry 0 included
	room   int // entries that fit before the table must grow
	max    int // entries that the table may have
	arena  arena
	// arenaMax is the most bytes that the arena should hold.
	arenaMax int64
	tails    []tail   // of kernels that gather
	values   []values // of holistic kernels
	again    bool     // the rows come once more, for holistic kernels alone
	warmed   uint64   // of warm, so that its reads are not left out
	gentle   bool     // it grows by a quarter, not fourfold: there are many like it
}

const firstSlots = 1 << 10

// tableRoom returns how many entries of a layout fit in limit bytes, and the slots of their index.
func tableRoom(lay *layout, limit int64) (entries, slots int) {
	if lay.vars {
		limit /= 2
	}
	limit -= limit / 5 // while a table grows, the old one, a quarter of the size, is still there
	per := int64(lay.stride*8) + int64(lay.extra)
	for s := int64(firstSlots); ; s *= 2 {
		e := min(s*3/4, (limit-8*s)/per)
		if e < int64(entries) || s > 1<<31 {
			return entries, slots
		}
		entries, slots = int(e), int(s)
		if e < s*3/4 {
			return entries, slots
		}
	}
}

// newTable returns an empty table of at most limit bytes, with room for about expect groups at first.
func newTable(lay *layout, acct *mem.Account, limit int64, expect int) (*table, error) {
	most, _ := tableRoom(lay, limit)
	slots := firstSlots
	for slots*3/4 < min(expect, most) {
		slots *= 2
	}
	return newTableOf(lay, acct, limit, slots)
}

// newTableOf returns an empty table of at most limit bytes with an index of so many slots at first.
func newTableOf(lay *layout, acct *mem.Account, limit int64, slots int) (*table, error) {
	t := &table{lay: lay, acct: acct, n: 1, arena: arena{acct: acct}, arenaMax: limit / 6, tails: make([]tail, lay.tails), values: make([]values, len(lay.holds))} // sorting holds the keys twice more
	t.max, _ = tableRoom(lay, limit)
	if err := t.resize(slots, min(slots*3/4, t.max)); err != nil {
		return nil, err
	}
	if len(lay.keys.cols) == 0 {
		t.addOnly()
	}
	return t, nil
}

// addOnly makes the one group of an aggregation without keys.
func (t *table) addOnly() {
	clear(t.ent[t.lay.stride : 2*t.lay.stride])
	t.n = 2
}

// groups returns the number of groups in the table.
func (t *table) groups() int { return t.n - 1 }

// bytes returns the pool bytes that the table takes, but for its arena.
func (t *table) bytes() int64 { return t.entBuf.Size() + t.idxBuf.Size() }

// warm reads the table from front to back, so that it is in the cache when rows in no order come: a few microseconds for
// each hundred KB, where every first access by a row would wait for memory.
func (t *table) warm() {
	sum := uint64(0)
	for i := 0; i < len(t.idx); i += cacheLine {
		sum += t.idx[i]
	}
	for i := 0; i < t.n*t.lay.stride; i += cacheLine {
		sum += t.ent[i]
	}
	t.warmed = sum
}

// cacheLine is the words of a line of the processor's caches.
const cacheLine = 8

// resize moves the table to an index of the given slots, with room for so many entries.
func (t *table) resize(slots, room int) error {
	room = max(room, 2)
	entBuf, err := t.acct.Alloc((room + 1) * t.lay.stride * 8)
	if err != nil {
		return err
	}
	idxBuf, err := t.acct.Alloc(slots * 8)
	if err != nil {
		entBuf.Release()
		return err
	}
	ent, idx := batch.View[uint64](entBuf.Bytes()), batch.View[uint64](idxBuf.Bytes())
	clear(idx)
	if t.ent == nil {
		clear(ent[:t.lay.stride])
	} else {
		copy(ent, t.ent[:t.n*t.lay.stride])
	}
	t.entBuf.Release()
	t.ent, t.entBuf, t.room = ent, entBuf, room
	mask := uint64(slots - 1)
	for _, s := range t.idx {
		if s == 0 {
			continue
		}
		p := s >> 32 & mask
		for idx[p] != 0 {
			p = (p + 1) & mask
		}
		idx[p] = s
	}
	t.idxBuf.Release()
	t.idx, t.idxBuf = idx, idxBuf
	return nil
}

// grow makes room for more entries; it reports false where the table is at its bound.
func (t *table) grow() (bool, error) {
	if t.room >= t.max {
		return false, nil
	}
	slots := len(t.idx)
	if t.gentle {
		room := min(t.room+t.room/4+1, t.max)
		for slots < 2*room { // so that few keys are not in their first slot
			slots *= 2
		}
		return true, t.resize(slots, room)
	}
	for slots *= 4; slots/2*3/4 >= t.max; {
		slots /= 2
	}
	return true, t.resize(slots, min(slots*3/4, t.max))
}

// probeIn is a run of rows with their keys encoded.
type probeIn struct {
	cols []*batch.Column // key columns, for long bytes
	lo   int             // row of the first key
	kw   []uint64
	hash []uint64
}

// find returns the entry of key i, 0 if there is none, and the slot where the search ended.
func (t *table) find(in *probeIn, i int) (entry uint32, slot uint64) {
	mask := uint64(len(t.idx) - 1)
	tag := in.hash[i] >> 32
	for p := tag & mask; ; p = (p + 1) & mask {
		s := t.idx[p]
		if s == 0 {
			return 0, p
		}
		if s>>32 == tag && t.same(in, i, uint32(s)) {
			return uint32(s), p
		}
	}
}

// same says whether entry e has key i.
func (t *table) same(in *probeIn, i int, e uint32) bool {
	w := t.lay.keys.words
	key := in.kw[i*w : (i+1)*w]
	ent := t.ent[int(e)*t.lay.stride:][:w]
	if !t.lay.keys.vars {
		for k, v := range key {
			if ent[k] != v {
				return false
			}
		}
		return true
	}
	return t.sameVar(in, i, key, ent)
}

func (t *table) sameVar(in *probeIn, i int, key, ent []uint64) bool {
	if n := t.lay.keys.nulls; !slices.Equal(key[:n], ent[:n]) {
		return false
	}
	for k, c := range t.lay.keys.cols {
		a, b := ent[c.word:], key[c.word:]
		switch {
		case c.kind == batch.KindBytes && viewLen(b[0]) > viewInline:
			if a[0] != b[0] || !t.arena.equal(a[0], a[1], b[0], b[1], in.cols[k].Value(in.lo+i)) {
				return false
			}
		case a[0] != b[0]:
			return false
		case (c.kind == batch.KindBytes || c.kind == batch.KindInt128) && a[1] != b[1]:
			return false
		}
	}
	return true
}

// insert adds key i, which find did not find, at the slot. The caller has made room.
func (t *table) insert(in *probeIn, i int, slot uint64) (uint32, error) {
	e, err := t.append(in, i)
	if err != nil {
		return 0, err
	}
	t.idx[slot] = in.hash[i]>>32<<32 | uint64(e)
	return e, nil
}

// append makes an entry for key i without noting it in the index.
func (t *table) append(in *probeIn, i int) (uint32, error) {
	e := t.n
	w := t.lay.keys.words
	ent := t.ent[e*t.lay.stride : (e+1)*t.lay.stride]
	copy(ent, in.kw[i*w:(i+1)*w])
	clear(ent[w:])
	if t.lay.keys.vars {
		if err := t.storeLong(in, i, ent); err != nil {
			return 0, err
		}
	}
	t.n++
	return uint32(e), nil
}

// storeLong copies the long bytes values of key i into the arena.
func (t *table) storeLong(in *probeIn, i int, ent []uint64) error {
	for k, c := range t.lay.keys.cols {
		if c.kind != batch.KindBytes || viewLen(ent[c.word]) <= viewInline {
			continue
		}
		place, err := t.arena.put(in.cols[k].Value(in.lo + i))
		if err != nil {
			return fmt.Errorf("a value of key column %q: %w", t.lay.keys.schema.Fields[k].Name, err)
		}
		ent[c.word+1] = place
	}
	return nil
}

// upsert sets ent to the entries of the keys, making groups as needed. It returns how
// many keys it did: fewer than all where the table is full.
func (t *table) upsert(in *probeIn, ent []uint32) (int, error) {
	if t.match(in, ent) == 0 {
		return len(ent), nil
	}
	for i, e := range ent {
		if e != 0 {
			continue
		}
		e, slot := t.find(in, i)
		if e == 0 {
			var ok bool
			var err error
			if e, ok, err = t.claim(in, i, slot); !ok {
				return i, err
			}
		}
		ent[i] = e
	}
	return len(ent), nil
}

// claim inserts key i at the slot where find ended; it reports false where the table is full.
func (t *table) claim(in *probeIn, i int, slot uint64) (uint32, bool, error) {
	if t.n > t.room {
		if ok, err := t.grow(); !ok || err != nil {
			return 0, false, err
		}
		_, slot = t.find(in, i)
	}
	e, err := t.insert(in, i, slot)
	return e, err == nil, err
}

// lookup sets ent to the entries of the keys, 0 for those that have none.
func (t *table) lookup(in *probeIn, ent []uint32) {
	if t.match(in, ent) == 0 {
		return
	}
	for i, e := range ent {
		if e == 0 {
			ent[i], _ = t.find(in, i)
		}
	}
}

// reset empties the table and keeps its memory.
func (t *table) reset() {
	clear(t.idx)
	t.n = 1
	t.arena.reset()
	for i := range t.tails {
		t.tails[i].reset()
	}
	for i := range t.values {
		t.values[i].release()
	}
	if len(t.lay.keys.cols) == 0 {
		t.addOnly()
	}
}

func (t *table) release() {
	t.idxBuf.Release()
	t.entBuf.Release()
	t.arena.release()
	for i := range t.tails {
		t.tails[i].release()
	}
	for i := range t.values {
		t.values[i].release()
	}
	t.idx, t.ent, t.idxBuf, t.entBuf = nil, nil, nil, nil
}
