package arrow

import (
	"errors"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/format"
)

// record reads some columns of a record batch, from front to back.
type record struct {
	rows  int64
	left  int64
	parts []*part
}

// misfit is a value that its column's type does not have. row counts from 0, in the record batch, and then in the file.
type misfit struct {
	column string
	row    int64
	what   string
	ahead  bool // it may be in a row soon after
}

func (e *misfit) Error() string {
	soon := ""
	if e.ahead {
		soon = ", or soon after it"
	}
	return fmt.Sprintf("%v: column %s has %s in row %d (counted from 0)%s", format.ErrMalformed, e.column, e.what, e.row, soon)
}

func (e *misfit) Unwrap() error { return format.ErrMalformed }

// lists are what a record batch says of its columns, and those in them, one after the other.
type lists struct{ nodes, bufs, views vector }

// viewed returns how many buffers of bytes column i of those of views has.
func (l lists) viewed(i uint32) uint32 {
	if i >= l.views.n {
		refuse("a record batch does not say how many buffers its views have")
	}
	return uint32(min(max(l.views.long(i, 8, 0), 0), 1<<20))
}

// listAt is where a column's part of each list begins.
type listAt struct{ node, buf, view uint32 }

// starts returns where the part of each column begins.
func (l lists) starts(m *message, all []column) []listAt {
	out := make([]listAt, len(all))
	var nodes, bufs uint64
	view := uint32(0)
	for i := range all {
		c := &all[i]
		out[i] = listAt{uint32(nodes), uint32(bufs), view}
		nodes, bufs = nodes+uint64(c.nodes), bufs+uint64(c.buffers)
		for range c.views {
			bufs += uint64(l.viewed(view))
			view++
		}
		if nodes > uint64(l.nodes.n) || bufs > uint64(l.bufs.n) {
			break
		}
	}
	if nodes != uint64(l.nodes.n) || bufs != uint64(l.bufs.n) {
		refuse("the record batch at byte %d has %d columns and %d buffers, which its schema does not", m.at, l.nodes.n, l.bufs.n)
	}
	return out
}

// locate finds where the buffers of column c lie, and those of its parts. It moves at on behind them.
func (p *part) locate(m *message, c *column, l lists, at *listAt) {
	p.col, p.rows, p.nulls = c, l.nodes.long(at.node, 16, 0), l.nodes.long(at.node, 16, 8)
	if p.rows < 0 || p.rows > maxRows || p.nulls > p.rows {
		refuse("column %s has %d rows, %d of them null", c.field.Name, p.rows, p.nulls)
	}
	n := uint32(c.own.buffers)
	for range c.own.views {
		n += l.viewed(at.view)
		at.view++
	}
	for b := at.buf; b < at.buf+n; b++ {
		pl := place{at: l.bufs.long(b, 16, 0), size: l.bufs.long(b, 16, 8), codec: m.codec}
		if pl.at < 0 || pl.size < 0 || pl.at > m.size || pl.size > m.size-pl.at {
			refuse("a buffer of column %s lies outside of its record batch", c.field.Name)
		}
		pl.at += m.body()
		p.places = append(p.places, pl)
	}
	at.node, at.buf = at.node+1, at.buf+n
	p.most, p.step = targetBytes, windowRows
	if c.nested {
		p.most, p.step = nestBytes, nestRows
	}
	if len(c.kids) > 0 && !c.coded {
		p.kids = make([]part, len(c.kids))
	}
	for i := range p.kids {
		p.kids[i].locate(m, &c.kids[i], l, at)
	}
}

// layoutOf finds where the buffers of the columns lie: for each column wanted, its places.
func (f *File) layoutOf(h io.ReaderAt, m *message, dict bool, all []column, want []int) ([]part, error) {
	meta, err := f.readMeta(h, m)
	if err != nil {
		return nil, err
	}
	out := make([]part, len(want))
	err = decode(func() {
		head, _ := root(meta).table(2)
		if dict {
			head, _ = head.table(1)
		}
		l := lists{nodes: head.vector(1, 16), bufs: head.vector(2, 16), views: head.vector(4, 8)}
		starts := l.starts(m, all)
		for k, i := range want {
			p := &out[k]
			p.locate(m, &all[i], l, &starts[i])
			if p.rows != m.rows {
				refuse("column %s has %d rows in a record batch of %d", p.col.field.Name, p.rows, m.rows)
			}
		}
	})
	return out, err
}

// openRecord opens a record batch, or a dictionary.
func (f *File) openRecord(acct *mem.Account, h io.ReaderAt, m *message, dict bool, all []column, want []int, step int) (*record, error) {
	parts, err := f.layoutOf(h, m, dict, all, want)
	if err != nil {
		return nil, err
	}
	r := &record{rows: m.rows, left: m.rows}
	for i := range parts {
		p := &parts[i]
		r.parts = append(r.parts, p)
		if err := p.open(acct, h, step); err != nil {
			r.close()
			return nil, err
		}
		if p.nested() {
			p.nest = newAssembler(p)
		}
	}
	return r, nil
}

// next returns at most n rows of every column; dicts holds the dictionaries. Of a misfit the row is the record batch's.
func (r *record) next(schema *batch.Schema, n int, dicts map[int64]*batch.Column) (*batch.Batch, error) {
	n = int(min(int64(n), r.left))
	for _, p := range r.parts {
		var err error
		if n, err = p.fit(n, dicts); err != nil {
			return nil, r.located(err)
		}
	}
	out := &batch.Batch{Schema: schema, Cols: make([]*batch.Column, 0, len(r.parts)), N: n}
	for i, p := range r.parts {
		c, err := p.take(schema.Fields[i].Type, n, dicts)
		if err != nil {
			out.Release()
			return nil, r.located(err)
		}
		out.Cols = append(out.Cols, c)
	}
	if r.left -= int64(n); r.left == 0 {
		for _, p := range r.parts {
			if err := p.finish(); err != nil {
				out.Release()
				return nil, err
			}
		}
	}
	return out, nil
}

// located makes the row of a misfit one of the record batch.
func (r *record) located(err error) error {
	var bad *misfit
	if errors.As(err, &bad) {
		bad.row += r.rows - r.left
	}
	return err
}

func (r *record) close() {
	if r == nil {
		return
	}
	for _, p := range r.parts {
		p.close()
	}
	r.parts = nil
}
