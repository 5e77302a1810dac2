package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

var errLong = errors.New("an Arrow column has a value of more than 2 GiB, or of 2^31 elements, which is not written")

// newGathered returns what gathers values of a type.
func newGathered(t batch.Type, acct *mem.Account) (*gathered, error) {
	g := &gathered{typ: t, width: t.StoredWidth(), acct: acct}
	switch t.ID {
	case batch.Time:
		g.width = timeWidth(t)
	case batch.Decimal:
		g.width = 16
	case batch.Nested:
		tree, err := nested.Of(t)
		if err != nil {
			return nil, err
		}
		return newNest(tree, acct, new(int64))
	}
	return g, nil
}

// newNest returns what gathers a part of nested values. size counts the bytes of all.
func newNest(t *nested.Type, acct *mem.Account, size *int64) (g *gathered, err error) {
	if t.Kind == nested.Leaf {
		if g, err = newGathered(t.Leaf, acct); err == nil {
			g.size = size
		}
		return g, err
	}
	g = &gathered{acct: acct, tree: t, size: size}
	fields := t.Fields
	if t.Kind == nested.Map { // its entries, which are structs
		g.kids = []*gathered{{acct: acct, tree: &nested.Type{Kind: nested.Struct}, size: size}}
	}
	for i := range fields {
		k, err := newNest(fields[i].Type, acct, size)
		if err != nil {
			return nil, err
		}
		if t.Kind == nested.Map {
			g.kids[0].kids = append(g.kids[0].kids, k)
		} else {
			g.kids = append(g.kids, k)
		}
	}
	return g, nil
}

// each yields g and its parts, in the order of a record batch.
func (g *gathered) each(yield func(*gathered)) {
	yield(g)
	for _, k := range g.kids {
		k.each(yield)
	}
}

// nest appends row i of a nested column. It returns the bytes that it takes, of validity none.
func (g *gathered) nest(c *batch.Column, i int) (int64, error) {
	before := *g.size
	if c.IsNull(i) {
		err := g.none(true)
		return *g.size - before, err
	}
	rest, err := g.value(c.Value(i))
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes follow it", nested.ErrMalformed, len(rest))
	}
	return *g.size - before, err
}

// more makes room for n bytes more.
func (g *gathered) more(b *grown, n int) ([]byte, error) {
	*g.size += int64(n)
	return b.room(g.acct, n)
}

// present appends n rows that have values, or that are null.
func (g *gathered) present(n int, null bool) error {
	if err := g.bits(&g.valid, n); err != nil {
		return err
	}
	m := g.valid.bytes()
	if null {
		g.nulls += n
	} else {
		for k := g.rows; k < g.rows+n; k++ {
			m[k>>3] |= 1 << (k & 7)
		}
	}
	g.rows += n
	return nil
}

// none appends a row without a value: null, or zeros where the type has no nulls, below a null struct.
func (g *gathered) none(null bool) error {
	if err := g.empty(); err != nil {
		return err
	}
	if err := g.present(1, null); err != nil {
		return err
	}
	if g.tree == nil || g.tree.Kind != nested.Struct {
		return nil
	}
	for i, k := range g.kids {
		if err := k.none(g.tree.Fields[i].Nullable); err != nil {
			return err
		}
	}
	return nil
}

// empty appends a row's zero, or the end of its empty value.
func (g *gathered) empty() error {
	switch {
	case g.tree != nil && g.tree.Kind == nested.Struct:
		return nil
	case g.tree != nil:
		return g.offset(g.kids[0].rows)
	case g.typ.ID == batch.Bool:
		return g.bits(&g.vals, 1)
	case g.width == 0:
		return g.offset(g.data.n)
	}
	p, err := g.more(&g.vals, g.width)
	clear(p)
	return err
}

// offset appends the end of a row's bytes or elements; before the first row, where they begin.
func (g *gathered) offset(end int) error {
	if end > math.MaxInt32 {
		return errLong
	}
	if g.vals.n == 0 {
		p, err := g.more(&g.vals, 4)
		if err != nil {
			return err
		}
		clear(p)
	}
	p, err := g.more(&g.vals, 4)
	if err == nil {
		binary.LittleEndian.PutUint32(p, uint32(end))
	}
	return err
}

// value appends the value at the beginning of b, and returns what follows it.
func (g *gathered) value(b []byte) (rest []byte, err error) {
	if g.tree == nil {
		v, rest, err := nested.CutLeaf(g.typ, b)
		if err != nil {
			return nil, err
		}
		return rest, g.leaf(v)
	}
	if g.tree.Kind == nested.Struct {
		b, err = g.structOf(b)
	} else {
		b, err = g.items(b)
	}
	if err != nil {
		return nil, err
	}
	return b, g.present(1, false)
}

func (g *gathered) structOf(b []byte) ([]byte, error) {
	n, bit := g.tree.BitmapLen(), 0
	if len(b) < n {
		return nil, fmt.Errorf("%w: a %s ends too early", nested.ErrMalformed, g.tree)
	}
	valid, b := b[:n], b[n:]
	for i, k := range g.kids {
		present := true
		if g.tree.Fields[i].Nullable {
			present = valid[bit>>3]>>(bit&7)&1 == 1
			bit++
		}
		var err error
		if b, err = k.child(b, present); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// child appends a value, or a null.
func (g *gathered) child(b []byte, present bool) ([]byte, error) {
	if present {
		return g.value(b)
	}
	return b, g.none(true)
}

// items appends the elements of a list, or the entries of a map.
func (g *gathered) items(b []byte) ([]byte, error) {
	n, valid, b, err := nested.Header(b)
	if err != nil {
		return nil, err
	}
	if valid != nil && !g.tree.Fields[len(g.tree.Fields)-1].Nullable {
		return nil, fmt.Errorf("%w: a null in a %s", nested.ErrMalformed, g.tree)
	}
	k := g.kids[0]
	if w := k.plainWidth(); w > 0 && valid == nil && n > 0 && n <= len(b)/w {
		if err := k.run(b[:n*w], n); err != nil {
			return nil, err
		}
		return b[n*w:], g.offset(k.rows)
	}
	for i := range n {
		present := valid == nil || valid[i>>3]>>(i&7)&1 == 1
		if g.tree.Kind == nested.Map {
			b, err = k.entry(b, present)
		} else {
			b, err = k.child(b, present)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, g.offset(k.rows)
}

// entry appends the key and the value of an entry of a map.
func (g *gathered) entry(b []byte, present bool) ([]byte, error) {
	b, err := g.kids[0].value(b)
	if err == nil {
		b, err = g.kids[1].child(b, present)
	}
	if err != nil {
		return nil, err
	}
	return b, g.present(1, false)
}

// plainWidth returns the bytes of a leaf that is encoded as it is stored, 0 of others.
func (g *gathered) plainWidth() int {
	if g.tree == nil && g.typ.ID != batch.Bool && nested.LeafWidth(g.typ) == g.width {
		return g.width
	}
	return 0
}

// run appends n values of plain width.
func (g *gathered) run(v []byte, n int) error {
	p, err := g.more(&g.vals, len(v))
	if err != nil {
		return err
	}
	copy(p, v)
	return g.present(n, false)
}

// leaf appends a leaf as it is encoded, without its length.
func (g *gathered) leaf(v []byte) error {
	switch {
	case g.typ.ID == batch.Bool:
		if err := g.bits(&g.vals, 1); err != nil {
			return err
		}
		g.vals.bytes()[g.rows>>3] |= v[0] & 1 << (g.rows & 7)
	case g.width == 0:
		p, err := g.more(&g.data, len(v))
		if err != nil {
			return err
		}
		copy(p, v)
		if err := g.offset(g.data.n); err != nil {
			return err
		}
	default:
		p, err := g.more(&g.vals, g.width)
		if err != nil {
			return err
		}
		g.store(p, v)
	}
	return g.present(1, false)
}

// store makes an encoded leaf of fixed width one as it is stored.
func (g *gathered) store(dst, v []byte) {
	switch {
	case g.typ.ID == batch.Float16:
		f := math.Float32frombits(binary.LittleEndian.Uint32(v))
		binary.LittleEndian.PutUint16(dst, batch.HalfBits(float64(f)))
	case len(dst) > len(v): // a decimal
		n := copy(dst, v)
		sign := byte(int8(v[n-1]) >> 7)
		for i := range dst[n:] {
			dst[n+i] = sign
		}
	default: // a time may be stored in half of its bytes
		copy(dst, v)
	}
}
