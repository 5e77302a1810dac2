package groupby

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// codesMax is the most combinations of codes that are kept at hand.
const codesMax = 1 << 16

// unknown marks a combination that a frozen table does not have.
const unknown = ^uint32(0)

// coder numbers the values of a key column: the codes of a dictionary, or integers of a
// small range by their distance from base. Where the column may be null, the last code is null's.
type coder struct {
	dict *batch.Column
	base int64
	size int // codes
}

// dictCoder returns the coder of a dictionary.
func dictCoder(dict *batch.Column, nullable bool) coder {
	return coder{dict: dict, size: dict.N + one(nullable)}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rangeCoder returns a coder of the integers in c, and false where their range is wider than most. A
// glance at the first few tells most columns that are.
func rangeCoder(c *batch.Column, nullable bool, most int) (coder, bool) {
	const glance = 64
	at, least, greatest := 0, int64(0), int64(-1)
	for _, n := range []int{min(glance, c.N), c.N} {
		least, greatest = span(c, at, n, least, greatest)
		if at = n; uint64(greatest)-uint64(least) >= uint64(most) && least <= greatest {
			return coder{}, false
		}
	}
	return coder{base: least, size: int(greatest-least) + 1 + one(nullable)}, true
}

// span widens [least, greatest], which is empty where greatest is less, by the values of rows [lo, hi): half a ns a row without nulls.
func span(c *batch.Column, lo, hi int, least, greatest int64) (int64, int64) {
	v := c.Int64s()
	for i := lo; i < hi && least > greatest; i++ {
		if !c.IsNull(i) {
			least, greatest = v[i], v[i]
		}
	}
	if least > greatest { // all null so far
		return least, greatest
	}
	if c.Valid == nil {
		for _, x := range v[lo:hi] {
			least, greatest = min(least, x), max(greatest, x)
		}
		return least, greatest
	}
	for i, x := range v[lo:hi] {
		if c.IsNull(lo + i) {
			x = least
		}
		least, greatest = min(least, x), max(greatest, x)
	}
	return least, greatest
}

// holds says whether the coder numbers all that o does, with the same meaning.
func (r coder) holds(o coder) bool {
	if r.dict != nil || o.dict != nil {
		return r.dict == o.dict
	}
	return r.base <= o.base && r.size >= o.size && uint64(o.base)-uint64(r.base) <= uint64(r.size-o.size)
}

// with returns a range that holds both.
func (r coder) with(o coder) coder {
	end := max(r.base+int64(r.size), o.base+int64(o.size))
	base := min(r.base, o.base)
	return coder{base: base, size: int(end - base)}
}

// codeCache maps the codes of the key columns, combined into one number, to entries, so that a row
// costs one array access whatever its keys are; only the first row of each combination is
// looked up. It keeps references to the dictionaries it is for.
//
//	combined code = code of key 0 + size 0 * (code of key 1 + size 1 * (...))
type codeCache struct {
	use    bool
	coders []coder
	next   []coder  // scratch
	size   int      // combinations
	ents   *mem.Buf // table entry of each; 0: not looked up yet
	codes  []uint32 // combined codes of a chunk
}

// load prepares for the keys of a batch; use says whether keeping an entry for each combination of
// codes pays: every key has codes, and there are not many more combinations than rows.
func (d *codeCache) load(w *worker, keys []*batch.Column, rows int) error {
	k := &w.lay.keys
	most := min(codesMax, max(4*rows, 1024))
	if d.use = d.plan(k, keys, most); !d.use {
		return nil
	}
	fit := len(d.coders) == len(keys)
	for i := 0; fit && i < len(keys); i++ {
		fit = d.coders[i].holds(d.next[i])
	}
	if fit {
		return nil
	}
	d.widen(most)
	d.drop()
	d.coders = append(d.coders, d.next...)
	d.size = 1
	for _, r := range d.coders {
		d.size *= r.size
		if r.dict != nil {
			r.dict.Retain()
		}
	}
	if d.codes == nil {
		d.codes = make([]uint32, chunk)
	}
	if err := need(w.t.acct, &d.ents, 4*d.size); err != nil {
		d.drop()
		return err
	}
	d.forget()
	return nil
}

// plan sets next to coders of the keys, and reports false where there are none, or more than most combinations.
func (d *codeCache) plan(k *keyLayout, keys []*batch.Column, most int) bool {
	d.next = d.next[:0]
	size := 1
	for i, c := range keys {
		var r coder
		ok := true
		switch {
		case c.Dict != nil:
			r = dictCoder(c.Dict, k.schema.Fields[i].Nullable)
		case c.Type.Kind() == batch.KindInt64:
			r, ok = rangeCoder(c, k.schema.Fields[i].Nullable, most)
		default:
			ok = false
		}
		if size *= max(r.size, 1); !ok || size > most {
			return false
		}
		d.next = append(d.next, r)
	}
	return len(keys) > 0
}

// widen makes the ranges in next hold those there were, unless that makes too many combinations: so
// that a range that grows little by little is not made anew with each batch.
func (d *codeCache) widen(most int) {
	size := 1
	wide := make([]coder, len(d.next))
	for i, r := range d.next {
		wide[i] = r
		if len(d.coders) == len(d.next) && r.dict == nil && d.coders[i].dict == nil {
			wide[i] = r.with(d.coders[i])
		}
		if size *= wide[i].size; size > most || size < 0 || !wide[i].holds(r) {
			return
		}
	}
	copy(d.next, wide)
}

// forget drops what is known about entries, after the table was emptied.
func (d *codeCache) forget() {
	if len(d.coders) > 0 {
		clear(batch.View[uint32](d.ents.Bytes())[:d.size])
	}
}

func (d *codeCache) drop() {
	for _, r := range d.coders {
		r.dict.Release()
	}
	d.coders = d.coders[:0]
}

func (d *codeCache) release() {
	d.drop()
	d.ents.Release()
	*d = codeCache{}
}

// combine returns the combined codes of rows [lo, lo+n): about 1 ns a row and column.
func (d *codeCache) combine(keys []*batch.Column, lo, n int) []uint32 {
	if len(keys) == 1 && keys[0].Dict != nil && keys[0].Valid == nil {
		return keys[0].Codes[lo : lo+n]
	}
	out := d.codes[:n]
	clear(out)
	mult := uint32(1)
	for i, c := range keys {
		d.coders[i].add(out, c, lo, mult)
		mult *= uint32(d.coders[i].size)
	}
	return out
}

// add adds mult times the codes of the rows of c from lo on to out.
func (r coder) add(out []uint32, c *batch.Column, lo int, mult uint32) {
	switch {
	case c.Valid != nil:
		r.addNullable(out, c, lo, mult)
	case r.dict != nil:
		for j, code := range c.Codes[lo : lo+len(out)] {
			out[j] += code * mult
		}
	default:
		for j, v := range c.Int64s()[lo : lo+len(out)] {
			out[j] += uint32(v-r.base) * mult
		}
	}
}

func (r coder) addNullable(out []uint32, c *batch.Column, lo int, mult uint32) {
	null, valid := uint32(r.size-1), c.Valid
	for j := range out {
		row := lo + j
		code := null
		switch {
		case valid[row>>3]>>(row&7)&1 == 0:
		case r.dict != nil:
			code = c.Codes[row]
		default:
			code = uint32(c.Int64s()[row] - r.base)
		}
		out[j] += code * mult
	}
}

// resolveCodes is resolve through the combined codes.
func (w *worker) resolveCodes(keys []*batch.Column, lo int, ent []uint32) (int, error) {
	known := batch.View[uint32](w.codes.ents.Bytes())[:w.codes.size]
	codes := w.codes.combine(keys, lo, len(ent))
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
	w.probed = probeIn{cols: keys, lo: row, kw: w.kw[:k.words], hash: w.hash[:1]}
	in := &w.probed
	k.encode(keys, row, 1, in.kw)
	if k.vars {
		w.one.hash(keys, row, in.hash)
	} else {
		k.hashWords(in.kw, in.hash)
	}
	e, slot := w.t.find(in, 0)
	if e != 0 {
		return e, true, nil
	}
	if w.frozen {
		return unknown, true, nil
	}
	return w.t.claim(in, 0, slot)
}

// oneHash hashes single rows as batch.Hash does, on columns of one row that it keeps for all of them.
type oneHash struct {
	hasher batch.Hasher
	cols   []*batch.Column
}

// hash sets out[0] to the hash of the row.
func (o *oneHash) hash(keys []*batch.Column, row int, out []uint64) {
	for len(o.cols) < len(keys) {
		o.cols = append(o.cols, new(batch.Column))
	}
	for i, c := range keys {
		setRow(o.cols[i], c, row)
	}
	o.hasher.Hash(o.cols[:len(keys)], out)
}

// What the columns of a null row refer to; nobody writes to them.
var (
	nullValid = []byte{0}
	nullFixed = batch.BytesOf(make([]uint64, 2))
	nullOff   = []uint32{0, 0}
	nullData  = []byte{}
)

// setRow makes out the row's value as a column without a dictionary. It borrows from c.
func setRow(out, c *batch.Column, row int) {
	d, at := c, row
	if c.Dict != nil {
		d, at = c.Dict, int(c.Codes[row])
	}
	*out = batch.Column{Type: c.Type, N: 1}
	null := c.IsNull(row)
	if null {
		out.Nulls, out.Valid = 1, nullValid
	}
	switch w := c.Type.Kind().Width(); {
	case w > 0 && null:
		out.Fixed = nullFixed[:w]
	case w > 0:
		out.Fixed = d.Fixed[at*w : (at+1)*w]
	case null:
		out.Off, out.Data = nullOff, nullData
	default:
		out.Off, out.Data = d.Off[at:at+2], d.Data
	}
}
