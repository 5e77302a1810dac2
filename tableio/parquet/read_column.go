package parquet

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// next returns the next rows, at most n: fewer of strings, where their bytes are many or
// the chunk goes over from codes to plain values.
func (c *chunk) next(n int) (*batch.Column, error) {
	if c.rest != nil {
		return c.nextRest(n)
	}
	n = int(min(int64(n), c.rows))
	if err := c.leadingNulls(n); err != nil {
		return nil, c.fail(err)
	}
	var col *batch.Column
	var err error
	if n > 0 && c.nulled == n {
		c.nulled = 0
		col, err = c.nullColumn(n)
	} else if c.col.field.Type.Kind() == batch.KindBytes {
		col, err = c.nextBytes(n)
	} else {
		col, err = c.nextFixed(n)
	}
	if err != nil {
		return nil, c.fail(err)
	}
	c.rows -= int64(col.N)
	return col, nil
}

// leftover keeps rows that were decoded and did not go into the last batch.
type leftover struct {
	acct *mem.Account
	rest *batch.Column
}

func (c *leftover) nextRest(n int) (*batch.Column, error) {
	col := c.rest
	c.rest = nil
	if col.N <= n {
		return col, nil
	}
	return c.cut(col, n)
}

// cut returns the first n rows and keeps the others for the next call. It takes over col.
func (c *leftover) cut(col *batch.Column, n int) (*batch.Column, error) {
	defer col.Release()
	head, err := col.Slice(c.acct, 0, n)
	if err != nil {
		return nil, err
	}
	if c.rest, err = col.Slice(c.acct, n, col.N); err != nil {
		head.Release()
		return nil, err
	}
	return head, nil
}

// nulls decodes the levels of n rows from row on, and returns how many have a value.
func (c *chunk) nulls(m *bitmap, row, n int) (int, error) {
	if !c.col.optional {
		return n, nil
	}
	return c.levs.read(m, row, n)
}

// nextFixed decodes n rows straight into a column's memory.
func (c *chunk) nextFixed(n int) (*batch.Column, error) {
	col, err := batch.NewFixed(c.acct, c.col.field.Type, n)
	if err != nil {
		return nil, err
	}
	m := bitmap{acct: c.acct, rows: n}
	done := false
	defer func() { // after a panic too
		if !done {
			m.release()
			col.Release()
		}
	}()
	width := col.Type.Kind().Width()
	nulls, err := c.takeNulls(&m)
	if err != nil {
		return nil, err
	}
	clear(col.Fixed[:nulls*width])
	for row := nulls; row < n; {
		k, err := c.fixedRows(col.Fixed[row*width:], &m, row, n-row, width)
		if err != nil {
			return nil, err
		}
		row += k
	}
	m.give(col)
	done = true
	return col, nil
}

// fixedRows decodes up to n rows of one page to dst and returns how many.
func (c *chunk) fixedRows(dst []byte, m *bitmap, row, n, width int) (int, error) {
	if c.page == 0 {
		if err := c.nextPage(); err != nil {
			return 0, err
		}
	}
	n = min(n, c.page)
	some, err := c.nulls(m, row, n)
	if err != nil {
		return 0, err
	}
	if err := c.fixed.decode(dst[:some*width], some); err != nil {
		return 0, err
	}
	if some < n {
		spreadFixed(dst, m.b, row, n, some, width)
	}
	c.page -= n
	return n, nil
}

func spreadFixed(dst, valid []byte, row, n, some, width int) {
	switch width {
	case 1:
		spread(dst[:n], valid, row, some)
	case 8:
		spread(values[uint64](dst, n), valid, row, some)
	default:
		spreadBig(values[batch.Int128](dst, n), valid, row, some)
	}
}

// spread moves the first values of dst, as many as rows are not null, to their rows; null
// rows are zero. It does not branch on a row: nulls are hard to predict.
func spread[T uint8 | uint32 | uint64](dst []T, valid []byte, row, some int) {
	if some == 0 {
		clear(dst)
		return
	}
	for i := len(dst) - 1; i >= some && some > 0; i-- {
		at := row + i
		bit := valid[at>>3] >> (at & 7) & 1
		some -= int(bit)
		dst[i] = dst[some] & -T(bit)
	}
	if some == 0 {
		clear(dst[:spreadEnd(valid, row, len(dst))])
	}
}

// spreadEnd returns how many rows of the n that begin at row are null before the first that is not.
func spreadEnd(valid []byte, row, n int) int {
	for i := range n {
		if at := row + i; valid[at>>3]>>(at&7)&1 == 1 {
			return i
		}
	}
	return n
}

// spreadBig is spread for values of 16 bytes.
func spreadBig(dst []batch.Int128, valid []byte, row, some int) {
	for i := len(dst) - 1; i >= some; i-- {
		if at := row + i; valid[at>>3]>>(at&7)&1 == 1 {
			some--
			dst[i] = dst[some]
		} else {
			dst[i] = batch.Int128{}
		}
	}
}

// nextBytes decodes up to n rows: codes as long as pages have them, else bytes.
func (c *chunk) nextBytes(n int) (*batch.Column, error) {
	if c.page == 0 && n > 0 {
		if err := c.nextPage(); err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return batch.AllNull(c.acct, c.col.field.Type, 0)
	}
	if c.coded {
		return c.nextCodes(n)
	}
	return c.nextVar(n)
}

func (c *chunk) nextCodes(n int) (*batch.Column, error) {
	buf, err := c.acct.Alloc(4 * n)
	if err != nil {
		return nil, err
	}
	m := bitmap{acct: c.acct, rows: n}
	done := false
	defer func() {
		if !done {
			buf.Release()
			m.release()
		}
	}()
	row, err := c.takeNulls(&m)
	if err != nil {
		return nil, err
	}
	clear(values[uint32](buf.Bytes(), n)[:row])
	for row < n {
		if c.page == 0 {
			if err := c.nextPage(); err != nil {
				return nil, err
			}
		}
		if !c.coded {
			break
		}
		k := min(n-row, c.page)
		if err := c.codeRows(values[uint32](buf.Bytes(), n)[row:row+k], &m, row); err != nil {
			return nil, err
		}
		row += k
		c.page -= k
	}
	done = true
	return c.codeColumn(buf, &m, row)
}

func (c *chunk) codeRows(dst []uint32, m *bitmap, row int) error {
	some, err := c.nulls(m, row, len(dst))
	if err != nil {
		return err
	}
	runs := &c.decoders.codes
	if err := runs.decode(dst[:some]); err != nil {
		return err
	}
	if err := checkCodes(dst[:some], c.dict.N, runs.bits); err != nil {
		return err
	}
	if some < len(dst) {
		spread(dst, m.b, row, some)
	}
	return nil
}

func (c *chunk) codeColumn(buf *mem.Buf, m *bitmap, n int) (*batch.Column, error) {
	if c.dict.N == 0 { // every row is null: no code is in range
		buf.Release()
		m.release()
		return batch.AllNull(c.acct, c.col.field.Type, n)
	}
	col := &batch.Column{Type: c.col.field.Type, N: n, Codes: values[uint32](buf.Bytes(), n), Dict: c.dict.Retain()}
	col.Adopt(buf)
	m.give(col)
	return col, nil
}

// guess returns the rows that are decoded between two looks at the bytes, and the bytes a batch of n rows may take.
func (c *chunk) guess(n int) (step, bytes int) {
	each := int(min(max(c.meta.raw/max(c.meta.values, 1), 1), int64(c.lim.data))) // the footer may say anything
	step = min(max(c.lim.data/4/each, 1), codePiece)
	return step, int(min(int64(n)*int64(each)*9/8, int64(c.lim.data)))
}

func (c *chunk) nextVar(n int) (*batch.Column, error) {
	v := varBuilder{acct: c.acct}
	m := bitmap{acct: c.acct, rows: n}
	defer func() { // of what the column has not taken
		v.release()
		m.release()
	}()
	step, bytes := c.guess(n)
	if err := v.begin(n, bytes); err != nil {
		return nil, err
	}
	nulls, err := c.takeNulls(&m)
	if err != nil {
		return nil, err
	}
	clear(v.offsets()[:nulls+1])
	v.rows = nulls
	for v.rows < n && (v.pos < c.lim.data || v.rows == 0) {
		if c.page == 0 {
			if err := c.nextPage(); err != nil {
				return nil, err
			}
		}
		if c.coded {
			break
		}
		if err := c.varRows(&v, &m, min(n-v.rows, c.page, step)); err != nil {
			return nil, err
		}
	}
	col := v.column(c.col.field.Type)
	m.give(col)
	return col, nil
}

func (c *chunk) varRows(v *varBuilder, m *bitmap, n int) error {
	row := v.rows
	some, err := c.nulls(m, row, n)
	if err != nil {
		return err
	}
	if err := c.bytes.append(v, some); err != nil {
		return err
	}
	if some < n {
		v.spread(m.b, row, n, some)
	}
	c.page -= n
	return nil
}
