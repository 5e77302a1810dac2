package parquet

import (
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// nestedColumn reads a nested column: it puts rows together of the entries of its leaves, which advance in
// lock-step, a piece of a page of each at a time. A value is as large as it is; nothing else grows with it but
// a bit an element.
//
// The levels are those of Melnik et al., Dremel (VLDB 2010). The first leaf of a list says how long it is; the
// others must agree, entry by entry.
type nestedColumn struct {
	leftover
	col    *column
	lim    limits
	leaves []*nestedLeaf
	rows   int64 // not yet handed on
	b      nested.Builder
	data   *mem.Buf // b.Bytes
	bits   *mem.Buf // of b's
	guess  int
	at     int // the leaf at work, for errors
}

func (s *groupStream) openNested(h vfs.File, col *column, chunks []chunkMeta) (columnReader, error) {
	r := &nestedColumn{leftover: leftover{acct: s.acct}, col: col, lim: s.lim, rows: s.rows}
	raw, values := int64(0), max(s.rows, 1)
	for i := range col.nest.leaves {
		leaf := &col.nest.leaves[i]
		m := &chunks[leaf.leaf]
		c, err := s.openChunk(h, leaf, m, s.rows)
		if err != nil {
			r.close()
			return nil, err
		}
		raw += max(m.raw, 0)
		r.leaves = append(r.leaves, s.openLeaf(c))
	}
	r.guess = int(min(raw/values+16, int64(s.lim.data)))
	r.b.Grow = r.grow
	return r, nil
}

// grow moves what the builder has to more memory, of which it may use as much as offsets of 32 bits reach.
func (r *nestedColumn) grow(b []byte, n int, bits bool) ([]byte, error) {
	buf := &r.data
	if bits {
		buf = &r.bits
	}
	need, most := int64(len(b))+int64(n), r.lim.mostOfBatch()
	if need > most {
		return nil, fmt.Errorf("%w: a value of more than %d bytes", ErrUnsupported, most)
	}
	next, err := r.acct.Alloc(int(max(need, min(2*int64(cap(b)), most), 512)))
	if err != nil {
		return nil, err
	}
	out := next.Bytes() // which is rounded up, and what has room is not asked for
	out = out[:copy(out, b):min(int64(cap(out)), most)]
	(*buf).Release()
	*buf = next
	return out, nil
}

func (r *nestedColumn) close() {
	for _, l := range r.leaves {
		l.close()
	}
	r.rest.Release()
	r.data.Release()
	r.bits.Release()
	r.leaves, r.rest, r.data, r.bits = nil, nil, nil, nil
}

// fail names the leaf.
func (r *nestedColumn) fail(err error) error {
	if errors.Is(err, nested.ErrMalformed) {
		err = fmt.Errorf("%w: it has a null where its type has none (%w)", ErrUnsupported, err)
	}
	return r.leaves[min(r.at, len(r.leaves)-1)].c.fail(err)
}

func (r *nestedColumn) atEnd() error {
	for i, l := range r.leaves {
		r.at = i
		if left := int64(l.n - l.at); left > 0 {
			return fmt.Errorf("has %d entries more than its row group", left)
		}
		if err := l.c.atEnd(); err != nil {
			return err
		}
	}
	return nil
}

// next puts together the next rows, at most n: fewer where their bytes are many.
func (r *nestedColumn) next(n int) (*batch.Column, error) {
	if r.rest != nil {
		return r.nextRest(n)
	}
	col, err := r.assemble(int(min(int64(n), r.rows)))
	if err != nil {
		return nil, r.fail(err)
	}
	r.rows -= int64(col.N)
	return col, nil
}

func (r *nestedColumn) assemble(n int) (_ *batch.Column, err error) {
	m := bitmap{acct: r.acct, rows: n}
	off, err := r.acct.Alloc(4 * (n + 1))
	if err != nil {
		return nil, err
	}
	done := false
	defer func() { // after a panic too
		if !done {
			off.Release()
			m.release()
			r.b.Reset()
		}
	}()
	if err := r.begin(n); err != nil {
		return nil, err
	}
	offs := batch.View[uint32](off.Bytes())
	offs[0] = 0
	row := 0
	for ; row < n && (row == 0 || len(r.b.Bytes) < r.lim.data); row++ {
		if err := r.value(&r.col.nest.root, 0); err != nil {
			return nil, err
		}
		end := uint32(len(r.b.Bytes))
		if offs[row+1] = end; end > offs[row] {
			m.ones(row, 1)
		} else if err := m.need(row); err != nil { // no value is of no bytes
			return nil, err
		}
	}
	col := &batch.Column{Type: r.col.field.Type, N: row, Off: offs[:row+1], Data: r.b.Bytes}
	col.Adopt(off)
	if r.data != nil {
		col.Adopt(r.data)
		r.data = nil
	}
	r.guess = max(len(r.b.Bytes)/max(row, 1), 1)
	r.b.Bytes = nil
	m.give(col)
	done = true
	return col, nil
}

// begin makes room for what n rows take, by those before.
func (r *nestedColumn) begin(n int) error {
	if r.b.Bytes != nil {
		return nil
	}
	b, err := r.grow(nil, int(min(int64(n)*int64(r.guess)*9/8, int64(r.lim.data))), false)
	r.b.Bytes = b
	return err
}

// value puts together the next value of n; rep is the repetition level that its first entry has.
func (r *nestedColumn) value(n *nest, rep uint8) error {
	l, err := r.driver(n)
	if err != nil {
		return err
	}
	if n.typ.Kind == nested.Leaf {
		return r.leaf(n, l, rep)
	}
	if d := l.def[l.at]; d < n.def {
		if !n.nullable {
			return errLevel
		}
		if err := r.b.Null(); err != nil {
			return err
		}
		return r.pass(n, rep, n.outer)
	}
	if err := r.b.Begin(n.typ); err != nil {
		return err
	}
	if n.typ.Kind == nested.Struct {
		err = r.fields(n, rep)
	} else if l.def[l.at] < n.item {
		err = r.pass(n, rep, n.def)
	} else {
		err = r.items(n, l, rep)
	}
	if err != nil {
		return err
	}
	return r.b.End()
}

// driver returns the first leaf of n, which has an entry at hand.
func (r *nestedColumn) driver(n *nest) (*nestedLeaf, error) {
	r.at = n.lo
	l := r.leaves[n.lo]
	if l.at < l.n {
		return l, nil
	}
	ok, err := l.next()
	if err == nil && !ok {
		err = fmt.Errorf("%w: its chunk ends too early", ErrCorrupt)
	}
	return l, err
}

func (r *nestedColumn) leaf(n *nest, l *nestedLeaf, rep uint8) error {
	d, err := l.take(rep)
	if err != nil {
		return err
	}
	if d >= n.def {
		if err := r.b.Run(1, nil); err != nil {
			return err
		}
		return l.put(&r.b, 1)
	}
	if d < n.outer {
		return errLevel
	}
	return r.b.Null()
}

// pass takes the one entry that each leaf has for a value that is null or empty.
func (r *nestedColumn) pass(n *nest, rep, def uint8) error {
	for i := n.lo; i < n.hi; i++ {
		r.at = i
		d, err := r.leaves[i].take(rep)
		if err != nil {
			return err
		}
		if d != def {
			return fmt.Errorf("has the definition level %d where %d is due", d, def)
		}
	}
	return nil
}

func (r *nestedColumn) fields(n *nest, rep uint8) error {
	for i := range n.kids {
		if err := r.value(&n.kids[i], rep); err != nil {
			return err
		}
	}
	return nil
}

// items puts together the elements of a list, or the entries of a map, of which there is one.
func (r *nestedColumn) items(n *nest, l *nestedLeaf, rep uint8) error {
	plain := len(n.kids) == 1 && n.kids[0].typ.Kind == nested.Leaf
	for {
		for i := range n.kids {
			if err := r.value(&n.kids[i], rep); err != nil {
				return err
			}
		}
		rep = n.rep
		if plain && l.at < l.n {
			if err := r.run(&n.kids[0], l, rep); err != nil {
				return err
			}
		}
		r.at = n.lo
		if ok, err := l.next(); !ok || err != nil || l.rep[l.at] < rep {
			return err
		}
	}
}

// run takes the entries at hand that are further elements of a list of leaves: its whole cost, for the
// most common of nested columns, is that of looking for the end of runs, and of a copy.
func (r *nestedColumn) run(n *nest, l *nestedLeaf, rep uint8) error {
	for l.at < l.n && l.rep[l.at] == rep {
		j := l.at
		for j < l.n && l.rep[j] == rep && l.def[j] == n.def {
			j++
		}
		if k := j - l.at; k > 0 {
			if err := r.b.Run(k, nil); err != nil {
				return err
			}
			if err := l.put(&r.b, k); err != nil {
				return err
			}
			l.at = j
			continue
		}
		if err := r.leaf(n, l, rep); err != nil {
			return err
		}
	}
	return nil
}
