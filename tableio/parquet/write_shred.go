package parquet

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

// shredder takes the values of nested columns apart into the entries of their leaves: a value, where there
// is one, and two levels, as Melnik et al., Dremel (VLDB 2010) define them. A page ends with a
// row, the one that makes it longer than half of a usual one.
type shredder struct {
	acct   *mem.Account
	leaves []shredLeaf // of the column at work
	levels growing     // of the page that is encoded
}

// shredLeaf is the page of a leaf in the making.
type shredLeaf struct {
	leaf     *leaf
	rep, def growing
	vals     growing // as columns hold them
	off      growing // of byte strings: their ends
	n        int     // values
	rows     int
}

// growing is bytes that grow, in the account's memory.
type growing struct {
	buf *mem.Buf
	b   []byte
}

func (g *growing) room(acct *mem.Account, n int) error {
	if cap(g.b)-len(g.b) >= n {
		return nil
	}
	next, err := acct.Alloc(max(len(g.b)+n, 2*cap(g.b), 1<<10))
	if err != nil {
		return err
	}
	g.b = next.Bytes()[:copy(next.Bytes(), g.b)]
	g.buf.Release()
	g.buf = next
	return nil
}

func (g *growing) release() {
	g.buf.Release()
	g.buf, g.b = nil, nil
}

// entries is what a page of a nested column's leaf is of.
type entries struct {
	rows, all, values int
	levels            []byte
}

func (s *shredder) close() {
	for i := range s.leaves {
		s.leaves[i].release()
	}
	s.leaves = nil
	s.levels.release()
}

func (l *shredLeaf) release() {
	for _, g := range []*growing{&l.rep, &l.def, &l.vals, &l.off} {
		g.release()
	}
}

func (l *shredLeaf) reset() {
	l.rep.b, l.def.b, l.vals.b, l.off.b = l.rep.b[:0], l.def.b[:0], l.vals.b[:0], l.off.b[:0]
	l.n, l.rows = 0, 0
}

// shred encodes the rows of the spans of a nested column: a page of each leaf, or several.
func (f *writeField) shred(e *encoder, spans []span, chunks []chunkWriter) error {
	s := &e.shredder
	defer s.close() // the next column's are others
	s.acct = e.acct
	s.leaves = make([]shredLeaf, f.n)
	for i := range s.leaves {
		s.leaves[i].leaf = chunks[i].leaf
	}
	for _, sp := range spans {
		for i := sp.i; i < sp.j; i++ {
			if err := s.row(f, sp.c, i); err != nil {
				return err
			}
			for k := range s.leaves {
				l := &s.leaves[k]
				l.rows++
				if most := chunks[k].opts.pageBytes; int64(len(l.rep.b)) >= most/16 || int64(len(l.vals.b)) >= most/2 {
					if err := s.page(e, l, &chunks[k]); err != nil {
						return err
					}
				}
			}
		}
	}
	for k := range s.leaves {
		if l := &s.leaves[k]; l.rows > 0 {
			if err := s.page(e, l, &chunks[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// page encodes what a leaf has as a page.
func (s *shredder) page(e *encoder, l *shredLeaf, c *chunkWriter) error {
	n := len(l.rep.b)
	s.levels.b = s.levels.b[:0]
	if err := s.levels.room(s.acct, hybridRoom(n, l.leaf.maxRep)+hybridRoom(n, l.leaf.maxDef)+16); err != nil {
		return err
	}
	if l.leaf.maxRep > 0 {
		s.levels.b = appendHybrid(s.levels.b, l.rep.b, l.leaf.maxRep)
	}
	if l.leaf.maxDef > 0 {
		s.levels.b = appendHybrid(s.levels.b, l.def.b, l.leaf.maxDef)
	}
	col := &batch.Column{Type: l.leaf.field.Type, N: l.n}
	if col.Type.Kind() == batch.KindBytes {
		if err := l.off.room(s.acct, 4); err != nil { // before the first value
			return err
		}
		if l.n == 0 {
			l.off.b = append(l.off.b, 0, 0, 0, 0)
		}
		col.Off, col.Data = batch.View[uint32](l.off.b[:4*(l.n+1)]), l.vals.b
	} else {
		col.Fixed = l.vals.b
	}
	own := e.levels
	e.entries = entries{rows: l.rows, all: n, values: l.n, levels: s.levels.b}
	err := c.encodeEntries(e, []span{{col, 0, l.n}})
	e.levels, e.entries = own, entries{}
	l.reset()
	return err
}

// row takes row i apart.
func (s *shredder) row(f *writeField, c *batch.Column, i int) error {
	if c.IsNull(i) {
		if !f.root.nullable {
			return fmt.Errorf("column %q: a null in a column without nulls", f.field.Name)
		}
		return s.none(f.root, 0, f.root.outer)
	}
	rest, err := s.value(f.root, c.Value(i), 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes follow it", nested.ErrMalformed, len(rest))
	}
	if err != nil {
		return fmt.Errorf("column %q: %w", f.field.Name, err)
	}
	return nil
}

// none notes that n is null or empty, or not there.
func (s *shredder) none(n *nest, rep, def uint8) error {
	for k := n.lo; k < n.hi; k++ {
		if err := s.leaves[k].entry(s.acct, rep, def); err != nil {
			return err
		}
	}
	return nil
}

func (l *shredLeaf) entry(acct *mem.Account, rep, def uint8) error {
	if err := l.rep.room(acct, 1); err != nil {
		return err
	}
	if err := l.def.room(acct, 1); err != nil {
		return err
	}
	l.rep.b, l.def.b = append(l.rep.b, rep), append(l.def.b, def)
	return nil
}

// value takes the value of n at the beginning of b apart and returns what follows it.
func (s *shredder) value(n *nest, b []byte, rep uint8) ([]byte, error) {
	switch n.typ.Kind {
	case nested.Leaf:
		l := &s.leaves[n.lo]
		if err := l.entry(s.acct, rep, n.def); err != nil {
			return nil, err
		}
		return l.put(s.acct, b)
	case nested.Struct:
		return s.fields(n, b, rep)
	}
	count, valid, b, err := nested.Header(b)
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return b, s.none(n, rep, n.def)
	}
	last := len(n.kids) - 1
	if valid == nil && last == 0 && n.kids[0].typ.Kind == nested.Leaf {
		return s.run(n, b, count, rep)
	}
	for i := range count {
		if last == 1 {
			if b, err = s.value(&n.kids[0], b, rep); err != nil {
				return nil, err
			}
		}
		if valid == nil || valid[i>>3]>>(i&7)&1 == 1 {
			b, err = s.value(&n.kids[last], b, rep)
		} else {
			err = s.null(&n.kids[last], rep)
		}
		if err != nil {
			return nil, err
		}
		rep = n.rep
	}
	return b, nil
}

func (s *shredder) null(n *nest, rep uint8) error {
	if !n.nullable {
		return fmt.Errorf("%w: a null where there must be none", nested.ErrMalformed)
	}
	return s.none(n, rep, n.outer)
}

func (s *shredder) fields(n *nest, b []byte, rep uint8) ([]byte, error) {
	size := n.typ.BitmapLen()
	if len(b) < size {
		return nil, fmt.Errorf("%w: a struct ends too early", nested.ErrMalformed)
	}
	valid, b := b[:size], b[size:]
	bit := 0
	for i := range n.kids {
		kid := &n.kids[i]
		present := true
		if kid.nullable {
			present = valid[bit>>3]>>(bit&7)&1 == 1
			bit++
		}
		var err error
		if present {
			b, err = s.value(kid, b, rep)
		} else {
			err = s.none(kid, rep, kid.outer)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// run takes a list of leaves without nulls apart: numbers cost about 2 ns each.
func (s *shredder) run(n *nest, b []byte, count int, rep uint8) (_ []byte, err error) {
	l, def := &s.leaves[n.lo], n.kids[0].def
	if err := l.rep.room(s.acct, count); err != nil {
		return nil, err
	}
	if err := l.def.room(s.acct, count); err != nil {
		return nil, err
	}
	l.rep.b = append(l.rep.b, rep)
	for range count - 1 {
		l.rep.b = append(l.rep.b, n.rep)
	}
	for range count {
		l.def.b = append(l.def.b, def)
	}
	if t := l.leaf.field.Type; nested.LeafWidth(t) == 8 && t.Kind() != batch.KindBytes && len(b) >= 8*count {
		if err := l.vals.room(s.acct, 8*count); err != nil {
			return nil, err
		}
		l.vals.b = append(l.vals.b, b[:8*count]...)
		l.n += count
		return b[8*count:], nil
	}
	for range count {
		if b, err = l.put(s.acct, b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// put adds the leaf at the beginning of b.
func (l *shredLeaf) put(acct *mem.Account, b []byte) ([]byte, error) {
	t := l.leaf.field.Type
	v, rest, err := nested.CutLeaf(t, b)
	if err != nil {
		return nil, err
	}
	if err := l.vals.room(acct, max(len(v), 16)); err != nil {
		return nil, err
	}
	l.n++
	switch t.Kind() {
	case batch.KindBytes:
		if err := l.off.room(acct, 8); err != nil {
			return nil, err
		}
		if l.n == 1 {
			l.off.b = append(l.off.b, 0, 0, 0, 0)
		}
		l.vals.b = append(l.vals.b, v...)
		l.off.b = binary.NativeEndian.AppendUint32(l.off.b, uint32(len(l.vals.b)))
	case batch.KindBool:
		l.vals.b = append(l.vals.b, v[0]&1)
	case batch.KindInt128:
		l.vals.b = append(l.vals.b, v...)
	default:
		l.vals.b = binary.NativeEndian.AppendUint64(l.vals.b, nested.Wide(t, v))
	}
	return rest, nil
}
