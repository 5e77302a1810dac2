package parquet

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// leadingNulls counts rows that are null, up to n in all, in c.nulled: those that runs of null levels
// begin with. They are consumed, so whoever makes the column begins behind them.
func (c *chunk) leadingNulls(n int) error {
	for c.col.optional && c.nulled < n {
		if c.page == 0 {
			if err := c.nextPage(); err != nil {
				return err
			}
		}
		k, err := c.levs.nullRun(min(n-c.nulled, c.page))
		if err != nil {
			return err
		}
		if k == 0 {
			break
		}
		c.nulled += k
		c.page -= k
	}
	return nil
}

// takeNulls returns how many leading nulls there are and marks them in m.
func (c *chunk) takeNulls(m *bitmap) (int, error) {
	n := c.nulled
	if n == 0 {
		return 0, nil
	}
	c.nulled = 0
	return n, m.need(0)
}

// nullColumn returns a column of n nulls: a view of zeros that all such columns of a stream share.
func (c *chunk) nullColumn(n int) (*batch.Column, error) {
	t := c.col.field.Type
	width := t.Kind().Width()
	zeros, err := c.tmp.zeroes(c.acct, max(width, 4)*(n+1))
	if err != nil {
		return nil, err
	}
	zeros.Retain()
	col := &batch.Column{Type: t, N: n, Nulls: n, Valid: zeros.Bytes()[:batch.BitmapLen(n)]}
	if width > 0 {
		col.Fixed = zeros.Bytes()[:n*width]
	} else {
		col.Off = batch.View[uint32](zeros.Bytes())[:n+1]
	}
	col.Adopt(zeros)
	return col, nil
}

// zeroes returns a buffer of at least n bytes, all zero, that is written to no more.
func (s *scratch) zeroes(acct *mem.Account, n int) (*mem.Buf, error) {
	if s.zeros == nil || len(s.zeros.Bytes()) < n {
		b, err := acct.Alloc(n)
		if err != nil {
			return nil, err
		}
		clear(b.Bytes())
		s.zeros.Release()
		s.zeros = b
	}
	return s.zeros, nil
}

func (s *scratch) close() {
	s.zeros.Release()
	s.zeros = nil
}
