package groupby

import (
	"bytes"
	"math"

	"pqjoin/batch"
)

// pickExtreme returns the kernel of min or max over a type. Floats are compared in the
// total order of their bits, with one NaN greater than every number (as in sorts) and -0.0
// below 0.0, so that which of the two is put out does not depend on the order of the rows.
func pickExtreme(t batch.Type, max bool) kernel {
	switch t.Kind() {
	case batch.KindBytes:
		return extremeBytes{typ: t, max: max}
	case batch.KindInt128:
		return extremeWide{max: max}
	case batch.KindBool:
		return extremeWord{max: max, load: loadBools, store: storeBools}
	case batch.KindFloat64:
		return extremeWord{max: max, load: loadFloats, store: storeFloats}
	}
	if t.IsUnsigned() {
		return extremeWord{max: max, load: loadUints, store: storeUints}
	}
	return extremeWord{max: max, load: loadInts, store: storeInts}
}

// loadChunk is how many values are turned into ordered words at a time.
const loadChunk = 256

// extremeWord is min or max of values of one word. The state is the value as an int64 of the
// same order, and how many values there were.
type extremeWord struct {
	max   bool
	load  func(c *batch.Column, lo int, x []int64)
	store func(x []int64, c *batch.Column)
}

func (extremeWord) words() int            { return 2 }
func (extremeWord) columns() []batch.Type { return wordTypes(2) }
func (extremeWord) ordered() bool         { return false }
func (extremeWord) viewWord() int         { return 0 }

func (k extremeWord) update(t *table, off int, in *input) error {
	var x [loadChunk]int64
	for at := 0; at < len(in.ent); at += loadChunk {
		ent := in.ent[at:min(at+loadChunk, len(in.ent))]
		k.load(in.col, in.lo+at, x[:len(ent)])
		k.put(t, off, ent, x[:len(ent)])
	}
	return nil
}

func (k extremeWord) put(t *table, off int, ent []uint32, x []int64) {
	words, stride := t.ent[off:], t.lay.stride
	if k.max {
		for i, e := range ent {
			w := words[int(e)*stride:][:2]
			if w[1] == 0 || x[i] > int64(w[0]) {
				w[0] = uint64(x[i])
			}
			w[1] = 1
		}
		return
	}
	for i, e := range ent {
		w := words[int(e)*stride:][:2]
		if w[1] == 0 || x[i] < int64(w[0]) {
			w[0] = uint64(x[i])
		}
		w[1] = 1
	}
}

func (k extremeWord) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	x, has := cols[0].Int64s()[lo:], cols[1].Int64s()[lo:]
	for i := range ent {
		if has[i] != 0 {
			k.put(t, off, ent[i:i+1], x[i:i+1])
		}
	}
	return nil
}

func (extremeWord) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, 2, ents)
}

func (k extremeWord) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	var x [loadChunk]int64
	for at := 0; at < len(ents); at += loadChunk {
		part := ents[at:min(at+loadChunk, len(ents))]
		gatherWords(t, off, part, x[:len(part)])
		w := c.Type.Kind().Width()
		k.store(x[:len(part)], &batch.Column{Type: c.Type, N: len(part), Fixed: c.Fixed[at*w:]})
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off+1] == 0 })
}

func loadInts(c *batch.Column, lo int, x []int64)  { copy(x, c.Int64s()[lo:]) }
func storeInts(x []int64, c *batch.Column)         { copy(c.Int64s(), x) }
func loadUints(c *batch.Column, lo int, x []int64) { flipSign(x, c.Int64s()[lo:]) }
func storeUints(x []int64, c *batch.Column)        { flipSign(c.Int64s(), x) }

func flipSign(dst, src []int64) {
	for i := range dst {
		dst[i] = src[i] ^ math.MinInt64
	}
}

func loadBools(c *batch.Column, lo int, x []int64) {
	for i, v := range c.Bools()[lo : lo+len(x)] {
		x[i] = int64(v)
	}
}

func storeBools(x []int64, c *batch.Column) {
	for i, v := range x {
		c.Bools()[i] = byte(v)
	}
}

func loadFloats(c *batch.Column, lo int, x []int64) {
	for i, v := range c.Float64s()[lo : lo+len(x)] {
		b := int64(math.Float64bits(v))
		if v != v {
			b = 0x7ff8000000000000
		}
		x[i] = b ^ int64(uint64(b>>63)>>1) // negative: the other digits turn around
	}
}

func storeFloats(x []int64, c *batch.Column) {
	for i, v := range x {
		c.Float64s()[i] = math.Float64frombits(uint64(v ^ int64(uint64(v>>63)>>1)))
	}
}

// extremeWide is min or max of Int128 values: low word, high word, whether there is one.
type extremeWide struct{ max bool }

func (extremeWide) words() int            { return 3 }
func (extremeWide) columns() []batch.Type { return wordTypes(3) }
func (extremeWide) ordered() bool         { return false }
func (extremeWide) viewWord() int         { return 0 }

func (k extremeWide) put(w []uint64, v batch.Int128) {
	if w[2] != 0 {
		c := v.Cmp(batch.Int128{Lo: w[0], Hi: int64(w[1])})
		if c == 0 || (c > 0) != k.max {
			return
		}
	}
	w[0], w[1], w[2] = v.Lo, uint64(v.Hi), 1
}

func (k extremeWide) update(t *table, off int, in *input) error {
	v := in.col.Int128s()[in.lo:]
	for i, e := range in.ent {
		k.put(t.ent[int(e)*t.lay.stride+off:], v[i])
	}
	return nil
}

func (k extremeWide) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	l, h, has := cols[0].Int64s()[lo:], cols[1].Int64s()[lo:], cols[2].Int64s()[lo:]
	for i, e := range ent {
		if has[i] != 0 {
			k.put(t.ent[int(e)*t.lay.stride+off:], batch.Int128{Lo: uint64(l[i]), Hi: h[i]})
		}
	}
	return nil
}

func (extremeWide) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, 3, ents)
}

func (extremeWide) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := wideColumn(t, off, ents, typ)
	if err != nil {
		return nil, err
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off+2] == 0 })
}

// wideColumn returns the Int128 values whose low words are at off.
func wideColumn(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	v := c.Int128s()
	for i, e := range ents {
		w := t.ent[int(e)*t.lay.stride+off:]
		v[i] = batch.Int128{Lo: w[0], Hi: int64(w[1])}
	}
	return c, nil
}

// extremeBytes is min or max of strings in the order of their bytes: a view, and whether there is one.
type extremeBytes struct {
	typ batch.Type
	max bool
}

func (extremeBytes) words() int              { return 3 }
func (k extremeBytes) columns() []batch.Type { return []batch.Type{batch.Of(batch.Int64), k.typ} }
func (extremeBytes) ordered() bool           { return false }
func (extremeBytes) viewWord() int           { return 0 }

func (k extremeBytes) put(t *table, w []uint64, p []byte) error {
	fresh := w[2] == 0
	if !fresh {
		var scratch [16]byte
		c := bytes.Compare(p, t.arena.value(w[0], w[1], &scratch))
		if c == 0 || (c > 0) != k.max {
			return nil
		}
	}
	w[2] = 1
	return t.arena.set(w, p, fresh)
}

func (k extremeBytes) update(t *table, off int, in *input) error {
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		if err := k.put(t, t.ent[int(e)*t.lay.stride+off:], in.col.Value(in.lo+i)); err != nil {
			return err
		}
	}
	return nil
}

func (k extremeBytes) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	has := cols[0].Int64s()[lo:]
	for i, e := range ent {
		if e == 0 || has[i] == 0 {
			continue
		}
		if err := k.put(t, t.ent[int(e)*t.lay.stride+off:], cols[1].Value(lo+i)); err != nil {
			return err
		}
	}
	return nil
}

func (k extremeBytes) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportView(t, off+2, off, ents, k.typ)
}

func (extremeBytes) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := viewColumn(t, off, ents, typ)
	if err != nil {
		return nil, err
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off+2] == 0 })
}

// exportView returns the word at off as a column and the view at view as another.
func exportView(t *table, off, view int, ents []uint32, typ batch.Type) ([]*batch.Column, error) {
	out, err := exportWords(t, off, 1, ents)
	if err != nil {
		return nil, err
	}
	c, err := viewColumn(t, view, ents, typ)
	if err != nil {
		releaseAll(out)
		return nil, err
	}
	return append(out, c), nil
}

// viewColumn returns the values of the views at off.
func viewColumn(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	total := 0
	for _, e := range ents {
		total += viewLen(t.ent[int(e)*t.lay.stride+off])
	}
	c, err := batch.NewVar(t.acct, typ, len(ents), total)
	if err != nil {
		return nil, err
	}
	at := uint32(0)
	var scratch [16]byte
	for i, e := range ents {
		w := t.ent[int(e)*t.lay.stride+off:]
		c.Off[i] = at
		at += uint32(copy(c.Data[at:], t.arena.value(w[0], w[1], &scratch)))
	}
	c.Off[len(ents)] = at
	return c, nil
}
