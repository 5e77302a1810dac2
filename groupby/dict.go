package groupby

import (
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// dictMax is the most combinations of dictionary entries that are kept at hand.
const dictMax = 1 << 16

// unknown marks a combination that a frozen table does not have.
const unknown = ^uint32(0)

// dictUsable says whether keeping an entry for each combination of codes pays: all keys have
// dictionaries, and not many more combinations than rows.
func (k *keyLayout) dictUsable(keys []*batch.Column, rows int) bool {
	if len(keys) == 0 {
		return false
	}
	size := 1
	for i, c := range keys {
		if c.Dict == nil {
			return false
		}
		if size *= k.radix(i, c.Dict); size > min(dictMax, max(4*rows, 1024)) {
			return false
		}
	}
	return true
}

// radix is how many codes key column i has: one for each entry of its dictionary, and one for null.
func (k *keyLayout) radix(i int, dict *batch.Column) int {
	if k.schema.Fields[i].Nullable {
		return dict.N + 1
	}
	return dict.N
}

// dictCache maps the codes of the key columns, combined into one number, to entries, so that a row
// costs one array access whatever its keys are; only the first row of each combination is
// looked up. It keeps references to the dictionaries it is for.
//
//	combined code = code of key 0 + radix 0 * (code of key 1 + radix 1 * (...))
type dictCache struct {
	use   bool
	dicts []*batch.Column
	size  int      // combinations
	ents  *mem.Buf // table entry of each; 0: not looked up yet
	codes []uint32 // combined codes of a chunk, where there are several columns or nulls
}

// load makes the dictionaries of keys the cached ones.
func (d *dictCache) load(w *worker, keys []*batch.Column) error {
	if slices.EqualFunc(d.dicts, keys, func(dict, c *batch.Column) bool { return dict == c.Dict }) {
		return nil
	}
	d.drop()
	size := 1
	for i, c := range keys {
		size *= w.lay.keys.radix(i, c.Dict)
	}
	if err := need(w.t.acct, &d.ents, 4*size); err != nil {
		return err
	}
	for _, c := range keys {
		d.dicts = append(d.dicts, c.Dict.Retain())
	}
	if d.codes == nil {
		d.codes = make([]uint32, chunk)
	}
	d.size = size
	d.forget()
	return nil
}

// forget drops what is known about entries, after the table was emptied.
func (d *dictCache) forget() {
	if len(d.dicts) > 0 {
		clear(batch.View[uint32](d.ents.Bytes())[:d.size])
	}
}

func (d *dictCache) drop() {
	for _, c := range d.dicts {
		c.Release()
	}
	d.dicts = d.dicts[:0]
}

func (d *dictCache) release() {
	d.drop()
	d.ents.Release()
	*d = dictCache{}
}

// combine returns the combined codes of rows [lo, lo+n): about 1 ns a row and column.
func (d *dictCache) combine(k *keyLayout, keys []*batch.Column, lo, n int) []uint32 {
	if len(keys) == 1 && keys[0].Valid == nil {
		return keys[0].Codes[lo : lo+n]
	}
	out := d.codes[:n]
	clear(out)
	mult := uint32(1)
	for i, c := range keys {
		codes := c.Codes[lo : lo+n]
		if c.Valid == nil {
			for j, code := range codes {
				out[j] += code * mult
			}
		} else {
			addCodes(out, c, lo, mult)
		}
		mult *= uint32(k.radix(i, c.Dict))
	}
	return out
}

// addCodes adds mult times the codes of the rows of c from lo on to out; a null's code is the one behind the dictionary.
func addCodes(out []uint32, c *batch.Column, lo int, mult uint32) {
	null, valid := uint32(c.Dict.N), c.Valid
	for j, code := range c.Codes[lo : lo+len(out)] {
		if r := lo + j; valid[r>>3]>>(r&7)&1 == 0 {
			code = null
		}
		out[j] += code * mult
	}
}

// resolveDict is resolve through the dictionaries.
func (w *worker) resolveDict(keys []*batch.Column, lo int, ent []uint32) (int, error) {
	known := batch.View[uint32](w.dict.ents.Bytes())[:w.dict.size]
	codes := w.dict.combine(&w.lay.keys, keys, lo, len(ent))
	others := 0
	for i, code := range codes {
		e := known[code]
		ent[i] = e
		if e == 0 || e == unknown {
			others++
		}
	}
	for i := 0; others > 0; i++ {
		if ent[i] != 0 && ent[i] != unknown {
			continue
		}
		others--
		at := &known[codes[i]]
		if *at == 0 {
			e, ok, err := w.resolveOne(keys, lo+i)
			if !ok {
				return i, err
			}
			*at = e
		}
		if ent[i] = *at; *at == unknown {
			w.noteMiss(lo + i)
			ent[i] = 0
		}
	}
	return len(ent), nil
}

// resolveOne finds or makes the entry of a row's key; false says that the table is full.
func (w *worker) resolveOne(keys []*batch.Column, row int) (uint32, bool, error) {
	k := &w.lay.keys
	in := probeIn{kw: w.kw[:k.words], hash: w.hash[:1]}
	for _, c := range keys {
		in.cols = append(in.cols, oneRow(c, row))
	}
	k.encode(in.cols, 0, 1, in.kw)
	if k.vars {
		batch.Hash(in.cols, in.hash)
	} else {
		k.hashWords(in.kw, in.hash)
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

// oneRow returns the value of a row of a dictionary-coded column as a column without a dictionary. It borrows from c.
func oneRow(c *batch.Column, row int) *batch.Column {
	d, code := c.Dict, int(c.Codes[row])
	out := &batch.Column{Type: c.Type, N: 1}
	null := c.IsNull(row)
	if null {
		out.Nulls, out.Valid = 1, []byte{0}
	}
	switch w := c.Type.Kind().Width(); {
	case w > 0 && null:
		out.Fixed = batch.BytesOf(make([]uint64, 2))[:w]
	case w > 0:
		out.Fixed = d.Fixed[code*w : (code+1)*w]
	case null:
		out.Off, out.Data = []uint32{0, 0}, []byte{}
	default:
		out.Off, out.Data = d.Off[code:code+2], d.Data
	}
	return out
}
