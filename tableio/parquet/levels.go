package parquet

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// levels decodes definition levels of 0 and 1: runs as in hybrid, one bit a value, copied
// as they are into the bitmap of nulls.
type levels struct {
	in     *window
	left   int // of the run
	packed bool
	one    bool
	bit    int // bits of the first unread byte that are consumed
}

// read decodes n levels, for the rows from row on, into m and returns how many are 1.
func (l *levels) read(m *bitmap, row, n int) (ones int, err error) {
	for n > 0 {
		if l.left == 0 {
			if err := l.run(); err != nil {
				return 0, err
			}
			continue
		}
		k := min(n, l.left)
		switch {
		case l.packed:
			var some int
			if k, some, err = l.bits(m, row, k); err != nil {
				return 0, err
			}
			ones += some
		case l.one:
			m.ones(row, k)
			ones += k
		default:
			if err := m.need(row); err != nil {
				return 0, err
			}
		}
		row, n, l.left = row+k, n-k, l.left-k
	}
	return ones, nil
}

// nullRun consumes up to n levels of 0 that lie in one run; none where the next run is of another sort.
func (l *levels) nullRun(n int) (int, error) {
	for l.left == 0 {
		if err := l.run(); err != nil {
			return 0, err
		}
	}
	if l.packed || l.one {
		return 0, nil
	}
	n = min(n, l.left)
	l.left -= n
	return n, nil
}

// bits moves up to k packed levels that are at hand.
func (l *levels) bits(m *bitmap, row, k int) (n, ones int, err error) {
	b, err := l.in.peek(1)
	if err != nil {
		return 0, 0, err
	}
	if len(b) == 0 {
		return 0, 0, errEnds
	}
	n = min(k, len(b)*8-l.bit)
	if ones = countBits(b, l.bit, n); ones == n {
		m.ones(row, n)
	} else {
		if err := m.need(row); err != nil {
			return 0, 0, err
		}
		batch.CopyBits(m.b, row, b, l.bit, n)
	}
	end := l.bit + n
	l.in.advance(end / 8)
	l.bit = end % 8
	return n, ones, nil
}

func (l *levels) run() (err error) {
	l.bit = 0
	if l.left, l.packed, err = runHeader(l.in); err != nil || l.packed {
		return err
	}
	b, err := l.in.peek(1)
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return errEnds
	}
	if b[0] > 1 {
		return fmt.Errorf("has the definition level %d, at most 1 is possible", b[0])
	}
	l.one = b[0] == 1
	l.in.advance(1)
	return nil
}

// bitmap is the validity of the rows of a column in the making; it has memory from the first null on.
type bitmap struct {
	acct *mem.Account
	rows int
	buf  *mem.Buf
	b    []byte
}

// need makes the bitmap exist; the rows before row are not null.
func (m *bitmap) need(row int) (err error) {
	if m.b != nil {
		return nil
	}
	if m.buf, err = m.acct.Alloc(batch.BitmapLen(m.rows)); err != nil {
		return err
	}
	m.b = m.buf.Bytes()
	clear(m.b)
	setOnes(m.b, 0, row)
	return nil
}

// ones marks k rows from row on as not null.
func (m *bitmap) ones(row, k int) {
	if m.b != nil {
		setOnes(m.b, row, k)
	}
}

// give hands the bitmap to a column of n rows, at most as many as the bitmap was made for.
func (m *bitmap) give(c *batch.Column) {
	if m.b == nil {
		return
	}
	c.Valid = m.b[:batch.BitmapLen(c.N)]
	if r := c.N % 8; r != 0 {
		c.Valid[c.N/8] &= 1<<r - 1
	}
	c.Adopt(m.buf)
	c.SetNulls()
	m.buf, m.b = nil, nil
}

func (m *bitmap) release() {
	m.buf.Release()
	m.buf, m.b = nil, nil
}

// countBits counts the ones among n bits of m from bit at on.
func countBits(m []byte, at, n int) int {
	ones := 0
	for n > 0 && at&7 != 0 {
		ones += int(m[at>>3] >> (at & 7) & 1)
		at, n = at+1, n-1
	}
	return ones + batch.CountBitsUnaligned(m[at>>3:], n)
}

// setOnes sets n bits from bit at on.
func setOnes(m []byte, at, n int) {
	for n > 0 && at&7 != 0 {
		m[at>>3] |= 1 << (at & 7)
		at, n = at+1, n-1
	}
	b := m[at>>3:]
	for i := range b[:n/8] {
		b[i] = 0xff
	}
	if r := n % 8; r > 0 {
		b[n/8] |= 1<<r - 1
	}
}
