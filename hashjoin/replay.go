package hashjoin

import (
	"context"
	"errors"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

// replayMatcher joins with right rows that are too many for a table, because one key
// owns them: a block of left rows at a time, it streams the right rows past, a chunk and a small table
// at a time. Memory holds one block and one chunk, whatever the key has; reads never
// exceed the rows put out by more than the rows of other keys.
//
// Output is by block, then in right order, then in left order within a chunk. So with blocks
// of one row it is in left order; with longer blocks the matches of each left row are still in right order.
type replayMatcher struct {
	j     *join
	acct  *mem.Account
	right part
	block int // left rows that share a pass
	chunk int // right rows of a table

	p      prober
	left   *batch.Batch
	at     int // left rows done
	cur    *batch.Batch
	seen   *mem.Buf
	pass   batch.Stream
	table  *RightTable
	none   *RightTable // without rows: what is left of the block misses it
	missed bool        // the block's pass is over
	only   unmatched
	tail   *batch.Batch // right rows whose matches are known
}

// newReplay returns a matcher with the rows of right, whose tables are built from chunks that fit j's PartBytes.
func newReplay(j *join, acct *mem.Account, right part, block int) *replayMatcher {
	perRow := right.tableBytes()/max(right.rows(), 1) + 1
	chunk := min(max(j.spec.PartBytes/2/perRow, 1), batch.Rows)
	return &replayMatcher{j: j, acct: acct, right: right, block: block, chunk: int(chunk), p: prober{j: j, acct: acct}}
}

func (m *replayMatcher) start(_ context.Context, left *batch.Batch) error {
	m.left, m.at = left, 0
	return nil
}

func (m *replayMatcher) next(ctx context.Context) (*batch.Batch, error) {
	for {
		if b, err := m.p.next(); b != nil || err != nil {
			return b, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch {
		case m.cur == nil && m.at == m.left.N:
			m.left.Release()
			m.left = nil
			return nil, nil
		case m.cur == nil:
			if err := m.startBlock(ctx); err != nil {
				return nil, err
			}
		case m.missed:
			m.endBlock()
		default:
			if err := m.advance(ctx); err != nil {
				return nil, err
			}
		}
	}
}

// startBlock takes the next left rows and begins a pass over the right ones.
func (m *replayMatcher) startBlock(ctx context.Context) error {
	n := min(m.block, m.left.N-m.at)
	var err error
	if m.cur, err = m.left.Slice(m.acct, m.at, m.at+n); err != nil {
		return err
	}
	m.at += n
	if err := m.only.need(&m.p, int(m.right.rows())); err != nil {
		return err
	}
	m.p.base, m.p.all = 0, false
	if m.seen, err = m.acct.Alloc(batch.BitmapLen(n)); err != nil {
		return err
	}
	clear(m.seen.Bytes())
	m.p.seen = m.seen.Bytes()
	m.missed = false
	m.j.replays.Add(1)
	m.pass, err = m.right.stream(ctx, m.acct, m.chunk)
	return err
}

// advance probes the next chunk of the pass, or after the last one what has not matched.
func (m *replayMatcher) advance(ctx context.Context) error {
	if m.table != nil {
		m.p.base += m.table.rows.N
	}
	m.table.Release()
	m.table = nil
	b, err := m.pass.Next(ctx)
	if errors.Is(err, io.EOF) {
		return m.misses()
	}
	if err != nil {
		return err
	}
	if m.table, err = newTable(m.acct, m.j.rightKeys, b); err != nil {
		return err
	}
	m.j.built(m.table.bytes)
	return m.p.probe(m.table, m.cur.Retain())
}

// misses probes the rows that have matched nothing with an empty table; of a semi join, those that have matched.
func (m *replayMatcher) misses() error {
	m.missed = true
	kind, hits := m.j.spec.Kind, batch.CountBitsUnaligned(m.p.seen, m.cur.N)
	n, hit := m.cur.N-hits, byte(0)
	if kind == Semi {
		n, hit = hits, 1
	}
	if n == 0 || kind.needsMatch() && kind != Semi {
		return nil
	}
	buf, err := m.acct.Alloc(4 * n)
	if err != nil {
		return err
	}
	defer buf.Release()
	idx := batch.View[uint32](buf.Bytes())[:0]
	for i := range m.cur.N {
		if m.p.seen[i>>3]>>(i&7)&1 == hit {
			idx = append(idx, uint32(i))
		}
	}
	rest, err := batch.GatherBatch(m.acct, m.cur, idx)
	if err != nil {
		return err
	}
	if m.none == nil {
		if m.none, err = emptyTable(m.j); err != nil {
			rest.Release()
			return err
		}
	}
	m.p.seen, m.p.all = nil, kind.filters()
	return m.p.probe(m.none, rest)
}

// emptyTable returns a table without rows.
func emptyTable(j *join) (*RightTable, error) {
	b, err := batch.Concat(nil, j.schema, nil)
	if err != nil {
		return nil, err
	}
	return newTable(nil, j.rightKeys, b)
}

func (m *replayMatcher) endBlock() {
	if m.pass != nil {
		m.pass.Close()
	}
	m.table.Release()
	m.cur.Release()
	m.seen.Release()
	m.pass, m.table, m.cur, m.seen, m.p.seen = nil, nil, nil, nil, nil
}

func (m *replayMatcher) close() {
	m.p.close()
	m.endBlock()
	m.only.close()
	m.left.Release()
	m.tail.Release()
	m.none.Release()
	m.left, m.tail, m.none = nil, nil, nil
}
