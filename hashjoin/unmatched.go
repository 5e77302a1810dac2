package hashjoin

import (
	"context"
	"errors"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

// unmatched keeps a bit for every right row of a partition, set where the row matched, and puts out the others after the
// partition's left rows. So the bits of a whole right side never are in memory together, and no worker waits for another.
type unmatched struct {
	buf *mem.Buf
	at  int // rows before are done
}

// need gives p a bitmap of n right rows, once, where the kind of join asks for one.
func (u *unmatched) need(p *prober, n int) error {
	if u.buf != nil || !p.j.spec.Kind.keepsRight() {
		return nil
	}
	var err error
	if u.buf, err = p.acct.Alloc(batch.BitmapLen(n)); err != nil {
		return err
	}
	p.hit = u.buf.Bytes()
	clear(p.hit)
	return nil
}

func (u *unmatched) close() {
	u.buf.Release()
	u.buf = nil
}

// next returns the next rows without a match of rows, whose first is row p.base of the bitmap; nil where there are no more.
func (u *unmatched) next(p *prober, rows *batch.Batch) (*batch.Batch, error) {
	if err := p.room(min(p.j.spec.BatchRows, rows.N)); err != nil {
		return nil, err
	}
	n := 0
	for ; u.at < rows.N && n < p.j.spec.BatchRows; u.at++ {
		p.ri[n] = uint32(u.at)
		at := p.base + u.at
		n += int(1 ^ p.hit[at>>3]>>(at&7)&1)
	}
	if n == 0 {
		return nil, nil
	}
	if err := p.j.emit(n); err != nil {
		return nil, err
	}
	return p.j.rightOnly(p.acct, rows, p.ri[:n])
}

// rightOnly returns the rows idx of rows, stored right rows, as the join puts them out: the left's keys are theirs.
func (j *join) rightOnly(acct *mem.Account, rows *batch.Batch, idx []uint32) (*batch.Batch, error) {
	out := &batch.Batch{Schema: j.out, N: len(idx)}
	add := func(c *batch.Column, err error) error {
		if err == nil {
			out.Cols = append(out.Cols, c)
		}
		return err
	}
	for i, from := range j.fromRight {
		var err error
		if from < 0 {
			err = add(batch.AllNull(acct, j.out.Fields[i].Type, len(idx)))
		} else {
			err = add(batch.Gather(acct, rows.Cols[from], idx, false))
		}
		if err != nil {
			out.Release()
			return nil, err
		}
	}
	for _, c := range j.rightOut {
		if err := add(batch.Gather(acct, rows.Cols[c], idx, false)); err != nil {
			out.Release()
			return nil, err
		}
	}
	return out, nil
}

// rest of a replay streams the right rows once more.
func (m *replayMatcher) rest(ctx context.Context) (*batch.Batch, error) {
	if err := m.only.need(&m.p, int(m.right.rows())); err != nil {
		return nil, err
	}
	if m.pass == nil {
		var err error
		if m.pass, err = m.right.stream(ctx, m.acct, m.chunk); err != nil {
			return nil, err
		}
		m.p.base, m.only.at = 0, 0
	}
	for {
		if m.tail != nil {
			b, err := m.only.next(&m.p, m.tail)
			if b != nil || err != nil {
				return b, err
			}
			m.p.base += m.tail.N
			m.only.at = 0
			m.tail.Release()
			m.tail = nil
		}
		b, err := m.pass.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		m.tail = b
	}
}

// rest of a walk over ranges has nothing: right and outer joins are cut by hash.
func (w *walker) rest(context.Context) (*batch.Batch, error) { return nil, nil }
