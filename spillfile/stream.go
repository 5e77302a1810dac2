package spillfile

import (
	"context"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

// streamBytes bounds the bytes of variable width in a streamed batch, and, where not all columns are wanted, those of the blocks behind
// it, which are held whole; but for a single piece of a block.
const streamBytes = 4 << 20

// wideLeast and wideMost bound the bytes of fixed width in the rows of a streamed batch, whichever of their columns are wanted, as their
// blocks are held whole: wide rows make shorter batches, the shorter the less memory there is, but for wideRows, which fill the
// smallest buffers of columns.
const (
	wideLeast = 1 << 20
	wideMost  = 4 << 20
	wideShare = 64 // one in so many bytes of the pool
	wideRows  = 512
)

// openReaders bounds the columns of open blocks behind one batch: what finds their values lies on the Go heap, some
// 150 bytes each. Rows of very many columns make blocks of few rows, and so shorter batches.
const openReaders = 1 << 14

// stream yields a partition in sequence order.
type stream struct {
	s    *Store
	r    *reader
	rows int
	used int // rows of the next piece already given
}

// Stream yields partition p in sequence order as batches of up to batchRows rows (0:
// batch.Rows), fewer of wide rows, the columns at cols (all where cols is nil). It takes the memory of a
// batch and of a chunk for each worker that appended. It does not consume: a
// partition can be streamed and loaded as often as one likes until it is dropped.
func (s *Store) Stream(ctx context.Context, p int, acct *mem.Account, cols []int, batchRows int) (batch.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if batchRows <= 0 {
		batchRows = batch.Rows
	}
	st := &stream{s: s, r: s.newReader(p, acct, cols), rows: min(batchRows, s.streamRows())}
	s.readAhead(p)
	return st, nil
}

// streamRows returns how many rows a streamed batch has at most, by their width.
func (s *Store) streamRows() int {
	width := 1
	for _, c := range s.cols {
		width += c.width
	}
	most := int64(wideMost)
	if s.spec.Acct != nil {
		most = min(max(s.spec.Acct.Limit()/wideShare, wideLeast), most)
	}
	return max(int(most)/width, wideRows)
}

func (st *stream) Next(ctx context.Context) (*batch.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	pieces, data, n, err := st.gather()
	if err != nil {
		return nil, st.s.named(err)
	}
	if n == 0 {
		return nil, io.EOF
	}
	out, err := st.r.newOutput(n, data)
	if err != nil {
		return nil, st.s.named(err)
	}
	for _, pc := range pieces {
		if err := st.r.fill(out, pc); err != nil {
			out.b.Release()
			return nil, err
		}
	}
	return st.s.finish(st.r, out)
}

// gather collects the pieces of the next batch, with the bytes that each of its columns needs.
func (st *stream) gather() (pieces []piece, data []int, n int, err error) {
	r := st.r
	data = make([]int, len(r.cols))
	bytes := 0
	for n < st.rows && bytes < streamBytes && (n == 0 || len(r.blocks)*len(r.cols) < openReaders) {
		next, err := r.order.peek()
		if err != nil {
			return nil, nil, 0, err
		}
		if next == nil {
			break
		}
		pc := *next
		pc.from += int32(st.used)
		pc.rows = min(pc.rows-int32(st.used), int32(min(st.rows-n, batch.Rows)))
		o, err := r.block(pc.at)
		if err != nil {
			return nil, nil, 0, err
		}
		if len(r.cols) < len(r.s.cols) {
			bytes += int(pc.at.size) * int(pc.rows) / max(int(pc.at.rows), 1)
		}
		for i := range o.cols {
			c := &o.cols[i]
			if v := c.spec.varIdx; v >= 0 && !r.coded[v] {
				d := c.dataIn(int(pc.from), int(pc.rows))
				if c.enc == encBytes && d > len(c.bytes) {
					return nil, nil, 0, corrupt(r.s, r.p, pc.at.seq, "lengths of values")
				}
				data[i] += d
				bytes += d
			}
		}
		pieces = append(pieces, pc)
		n += int(pc.rows)
		if st.used += int(pc.rows); st.used == int(next.rows) {
			r.order.next, st.used = r.order.next+1, 0
		}
	}
	return pieces, data, n, nil
}

func (st *stream) Close() error {
	if st.r != nil {
		st.r.close()
		st.r = nil
	}
	return nil
}
