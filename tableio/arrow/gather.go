package arrow

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

// gathered is a column of the record batch that is being made.
type gathered struct {
	typ   batch.Type
	width int // bytes as stored; 0: variable
	acct  *mem.Account
	rows  int
	nulls int
	valid grown
	vals  grown // or offsets
	data  grown

	// Of a nested column and its parts.
	tree *nested.Type // nil: a leaf
	kids []*gathered  // of a map the one of its entries
	size *int64       // bytes of all
}

// grown is a buffer that grows.
type grown struct {
	buf *mem.Buf
	n   int
}

// room returns n bytes more.
func (g *grown) room(acct *mem.Account, n int) ([]byte, error) {
	if g.buf == nil || g.n+n > len(g.buf.Bytes()) {
		size := max(g.n+n, leastBuffer)
		if g.buf != nil && size < 2*batchBytes {
			size = max(size, 2*g.n)
		}
		b, err := acct.Alloc(size)
		if err != nil {
			return nil, err
		}
		if g.buf != nil {
			copy(b.Bytes(), g.buf.Bytes()[:g.n])
			g.buf.Release()
		}
		g.buf = b
	}
	g.n += n
	return g.buf.Bytes()[g.n-n : g.n], nil
}

func (g *grown) bytes() []byte {
	if g.buf == nil {
		return nil
	}
	return g.buf.Bytes()[:g.n]
}

// gather appends rows [i, j) of c.
func (g *gathered) gather(c *batch.Column, i, j int) error {
	if err := g.gatherValid(c, i, j); err != nil {
		return err
	}
	if g.width == 0 {
		if err := g.gatherBytes(c, i, j); err != nil {
			return err
		}
	} else if err := g.gatherFixed(c, i, j); err != nil {
		return err
	}
	g.rows += j - i
	return nil
}

// gatherValid appends bits of which rows have values.
func (g *gathered) gatherValid(c *batch.Column, i, j int) error {
	if err := g.bits(&g.valid, j-i); err != nil {
		return err
	}
	m := g.valid.bytes()
	for r := i; r < j; r++ {
		if c.IsNull(r) {
			g.nulls++
		} else {
			k := g.rows + r - i
			m[k>>3] |= 1 << (k & 7)
		}
	}
	return nil
}

// bits makes room for n bits more, all zero.
func (g *gathered) bits(b *grown, n int) error {
	p, err := b.room(g.acct, batch.BitmapLen(g.rows+n)-b.n)
	clear(p)
	return err
}

func (g *gathered) gatherBytes(c *batch.Column, i, j int) error {
	size := 0
	for r := i; r < j; r++ {
		if !c.IsNull(r) {
			size += len(c.Value(r))
		}
	}
	first := 0
	if g.rows == 0 {
		first = 1
	}
	offs, err := g.vals.room(g.acct, 4*(j-i+first))
	if err != nil {
		return err
	}
	at := g.data.n
	if int64(at)+int64(size) > math.MaxInt32 {
		return errLong
	}
	data, err := g.data.room(g.acct, size)
	if err != nil {
		return err
	}
	if first == 1 {
		binary.LittleEndian.PutUint32(offs, 0)
		offs = offs[4:]
	}
	for r := i; r < j; r++ {
		if !c.IsNull(r) {
			n := copy(data, c.Value(r))
			data, at = data[n:], at+n
		}
		binary.LittleEndian.PutUint32(offs[4*(r-i):], uint32(at))
	}
	return nil
}

// buffers returns the buffers of a record batch: which rows have values, where some have none, and the values.
func (g *gathered) buffers() [][]byte {
	var valid []byte
	if g.nulls > 0 {
		valid = g.valid.bytes()
	}
	offsets := g.vals.bytes()
	if len(offsets) == 0 { // a part may have no rows
		offsets = make([]byte, 4)
	}
	switch {
	case g.tree != nil && g.tree.Kind == nested.Struct:
		return [][]byte{valid}
	case g.tree != nil:
		return [][]byte{valid, offsets}
	}
	if g.width == 0 {
		return [][]byte{valid, offsets, g.data.bytes()}
	}
	return [][]byte{valid, g.vals.bytes()}
}

// kept returns how many buffers it keeps.
func (g *gathered) kept() int {
	switch {
	case g.tree != nil && g.tree.Kind == nested.Struct:
		return 1
	case g.tree == nil && g.width == 0:
		return 3
	}
	return 2
}

func (g *gathered) reset() {
	g.rows, g.nulls, g.valid.n, g.vals.n, g.data.n = 0, 0, 0, 0, 0
	if g.data.buf != nil && g.data.buf.Size() > 2*batchBytes { // a value was large
		g.data.buf.Release()
		g.data.buf = nil
	}
}

func (g *gathered) release() {
	for _, b := range []*grown{&g.valid, &g.vals, &g.data} {
		b.buf.Release()
		b.buf, b.n = nil, 0
	}
}
