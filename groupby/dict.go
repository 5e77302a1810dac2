package groupby

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// dictMax is the most entries of a dictionary that are resolved ahead of the rows.
const dictMax = 1 << 16

// unknown marks a dictionary entry that a frozen table does not have.
const unknown = ^uint32(0)

// dictUsable says whether resolving the dictionary's entries once pays.
func dictUsable(c *batch.Column) bool {
	return c.Dict != nil && c.Dict.N <= dictMax && c.Dict.N <= max(4*c.N, 1024)
}

// dictCache maps the codes of the one key column to entries, so that a row costs one
// array access. It keeps a reference to the dictionary it is for.
type dictCache struct {
	use  bool
	dict *batch.Column
	kw   *mem.Buf // key words of each dictionary entry
	hash *mem.Buf
	ents *mem.Buf // table entry of each code; 0: not looked up yet
	null uint32   // the entry of the null key, 0 or unknown likewise
}

// load makes dict the cached dictionary.
func (d *dictCache) load(w *worker, dict *batch.Column) error {
	if d.dict == dict {
		return nil
	}
	d.dict.Release()
	d.dict = nil
	k := &w.lay.keys
	for _, b := range []struct {
		buf  **mem.Buf
		size int
	}{{&d.kw, 8 * k.words * dict.N}, {&d.hash, 8 * dict.N}, {&d.ents, 4 * dict.N}} {
		if err := need(w.t.acct, b.buf, b.size); err != nil {
			return err
		}
	}
	kw, hash := batch.View[uint64](d.kw.Bytes()), batch.View[uint64](d.hash.Bytes())[:dict.N]
	k.encode([]*batch.Column{dict}, 0, dict.N, kw)
	if k.vars {
		w.hasher.Hash([]*batch.Column{dict}, hash)
	} else {
		k.hashWords(kw, hash)
	}
	d.dict = dict.Retain()
	d.forget()
	return nil
}

// forget drops what is known about entries, after the table was emptied.
func (d *dictCache) forget() {
	if d.dict != nil {
		clear(batch.View[uint32](d.ents.Bytes())[:d.dict.N])
	}
	d.null = 0
}

func (d *dictCache) release() {
	d.dict.Release()
	d.kw.Release()
	d.hash.Release()
	d.ents.Release()
	*d = dictCache{}
}

// resolveDict is resolve through the dictionary.
func (w *worker) resolveDict(c *batch.Column, lo int, ent []uint32) (int, error) {
	known := batch.View[uint32](w.dict.ents.Bytes())
	codes := c.Codes[lo : lo+len(ent)]
	for i, code := range codes {
		at := &known[code]
		if c.Valid != nil && c.IsNull(lo+i) {
			at = &w.dict.null
		}
		e := *at
		if e == 0 {
			var ok bool
			var err error
			if e, ok, err = w.resolveOne(code, at == &w.dict.null); !ok {
				return i, err
			}
			*at = e
		}
		if e == unknown {
			w.noteMiss(lo + i)
			e = 0
		}
		ent[i] = e
	}
	return len(ent), nil
}

// resolveOne finds or makes the entry of a code or of null; false says that the table is full.
func (w *worker) resolveOne(code uint32, null bool) (uint32, bool, error) {
	k := &w.lay.keys
	in := probeIn{cols: []*batch.Column{w.dict.dict}, lo: int(code)}
	var nullKey [3]uint64
	if null {
		nullKey[0] = 1
		in.kw, in.hash = nullKey[:k.words], make([]uint64, 1)
		w.hashNull(in.kw, in.hash)
	} else {
		in.kw = batch.View[uint64](w.dict.kw.Bytes())[int(code)*k.words : (int(code)+1)*k.words]
		in.hash = batch.View[uint64](w.dict.hash.Bytes())[code : code+1]
	}
	e, slot := w.t.find(&in, 0)
	if e != 0 {
		return e, true, nil
	}
	if w.frozen {
		return unknown, true, nil
	}
	return w.t.claim(&in, 0, slot)
}

// hashNull hashes the null key as prepare and probe do.
func (w *worker) hashNull(kw, hash []uint64) {
	k := &w.lay.keys
	if !k.vars {
		k.hashWords(kw, hash)
		return
	}
	null := &batch.Column{Type: k.schema.Fields[0].Type, N: 1, Nulls: 1, Valid: []byte{0}, Off: []uint32{0, 0}, Data: []byte{}}
	batch.Hash([]*batch.Column{null}, hash)
}
