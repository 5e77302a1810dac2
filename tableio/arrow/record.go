package arrow

import (
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

// record reads some columns of a record batch, from front to back.
type record struct {
	acct  *mem.Account
	left  int64
	parts []*part
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
		nodes, bufs, views := head.vector(1, 16), head.vector(2, 16), head.vector(4, 8)
		starts := make([][3]uint32, len(all))
		var at [3]uint32
		for i := range all {
			c := &all[i]
			starts[i] = at
			at[0], at[1] = at[0]+uint32(c.nodes), at[1]+uint32(c.buffers)
			for range c.views {
				at[1] += uint32(min(max(views.long(at[2], 8, 0), 0), 1<<20))
				at[2]++
			}
		}
		if at[0] != nodes.n || at[1] != bufs.n {
			refuse("the record batch at byte %d has %d columns and %d buffers, and its schema %d and %d", m.at, nodes.n, bufs.n, at[0], at[1])
		}
		for k, i := range want {
			p, c, at := &out[k], &all[i], starts[i]
			p.col, p.rows, p.nulls = c, nodes.long(at[0], 16, 0), nodes.long(at[0], 16, 8)
			if p.rows != m.rows || p.nulls > p.rows {
				refuse("column %s has %d rows, %d of them null, in a record batch of %d", c.field.Name, p.rows, p.nulls, m.rows)
			}
			n := uint32(c.buffers)
			if c.layout == layoutView && !c.coded {
				n += uint32(min(max(views.long(at[2], 8, 0), 0), 1<<20))
			}
			for b := at[1]; b < at[1]+n; b++ {
				pl := place{at: bufs.long(b, 16, 0), size: bufs.long(b, 16, 8), codec: m.codec}
				if pl.at < 0 || pl.size < 0 || pl.at > m.size || pl.size > m.size-pl.at {
					refuse("a buffer of column %s lies outside of its record batch", c.field.Name)
				}
				pl.at += m.body
				p.places = append(p.places, pl)
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
	r := &record{acct: acct, left: m.rows}
	for i := range parts {
		p := &parts[i]
		r.parts = append(r.parts, p)
		if err := p.open(acct, h, step); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

// next returns at most n rows of every column; dicts holds the dictionaries.
func (r *record) next(schema *batch.Schema, n int, dicts map[int64]*batch.Column) (*batch.Batch, error) {
	n = int(min(int64(n), r.left))
	for _, p := range r.parts {
		var err error
		if n, err = p.fit(n); err != nil {
			return nil, err
		}
	}
	out := &batch.Batch{Schema: schema, Cols: make([]*batch.Column, 0, len(r.parts)), N: n}
	for i, p := range r.parts {
		c, err := p.take(schema.Fields[i].Type, n, dicts)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, c)
	}
	r.left -= int64(n)
	return out, nil
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
