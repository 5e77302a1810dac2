package spillfile

import (
	"encoding/binary"
	"errors"
	"time"

	"pqjoin/batch"
	"pqjoin/mem"
)

// wave moves as many of the rows left as the tails have room for, column by column,
// and seals the full tails. Where memory runs out it seals all of the worker's tails
// and gives their memory back, so that the next wave finds some.
func (s *Store) wave(w *worker, unit int, b *batch.Batch, rows rowSet) error {
	short := s.planWave(w, unit, rows)
	if short != nil && !errors.Is(short, mem.ErrLimit) {
		return short
	}
	for c, col := range b.Cols {
		s.scatterColumn(w, c, col, rows.idx)
	}
	for _, r := range w.runs {
		if t := &w.tails[r.p]; t.n == t.lay.rows || t.bytes() >= s.spec.BlockBytes {
			if err := s.seal(w, r.p); err != nil {
				return err
			}
		}
	}
	if short == nil {
		w.stuck = 0
		return nil
	}
	if err := s.flushTails(w); err != nil {
		return err
	}
	if len(w.runs) > 0 {
		w.stuck = 0
		return nil
	}
	if w.stuck++; w.stuck > patience {
		return short
	}
	if w.stuck > 1 { // somebody else has the memory, and gives it back with his next block, if he is at work
		time.Sleep(time.Millisecond)
	}
	return nil
}

// patience is how many times a worker that found no room for a single row, with nothing left in its tails, tries again, a millisecond apart.
const patience = 200

// planWave turns w.left into w.runs, one for each partition, and leaves in w.left what did not fit.
func (s *Store) planWave(w *worker, unit int, rows rowSet) error {
	w.runs = w.runs[:0]
	rest := w.left[:0]
	for i, r := range w.left {
		n, err := s.plan(w, &r, unit, rows)
		if err != nil {
			w.left = append(rest, w.left[i:]...)
			return err
		}
		if r.lo+n < r.hi {
			rest = append(rest, run{p: r.p, lo: r.lo + n, hi: r.hi})
		}
		if r.hi = r.lo + n; n > 0 {
			w.runs = append(w.runs, r)
		}
	}
	w.left = rest
	return nil
}

// plan finds out how many rows of r its tail takes now, makes the room for them and counts them in.
func (s *Store) plan(w *worker, r *run, unit int, in rowSet) (int, error) {
	t := &w.tails[r.p]
	if t.lay != w.lay {
		if err := s.renew(w, r.p); err != nil {
			return 0, err
		}
	}
	rows, bytes, err := s.makeRoom(t, r, in)
	if rows == 0 {
		if err != nil || t.n == 0 {
			return 0, err
		}
		return 0, s.seal(w, r.p)
	}
	r.at, r.heap = t.n, t.heapLen
	if t.lay.flat > 1 {
		binary.LittleEndian.PutUint32(t.heap.Bytes()[t.heapLen:], uint32(rows))
		r.heap += runHeader
	}
	t.n, t.heapLen = t.n+rows, t.heapLen+bytes
	t.addSegment(unit, rows)
	return rows, nil
}

// makeRoom gives t room for rows of r and returns how many, and their bytes in its heap: 0 where it must be
// sealed first. Where memory is short an empty tail takes fewer rows, and one that finds no room for one keeps nothing.
func (s *Store) makeRoom(t *tail, r *run, in rowSet) (rows, bytes int, err error) {
	for limit := min(r.hi-r.lo, t.lay.rows-t.n); ; limit = rows / 2 {
		rows, bytes = s.fitting(t, r, in, limit)
		if rows > t.cap-t.n {
			if err = t.grow(s, t.n+rows); errors.Is(err, mem.ErrLimit) && t.cap > 0 {
				rows, bytes = s.fitting(t, r, in, t.cap-t.n)
				err = nil
			}
		}
		if err == nil && rows > 0 {
			err = t.growHeap(s, bytes)
		}
		switch {
		case err == nil:
			return rows, bytes, nil
		case !errors.Is(err, mem.ErrLimit):
			return 0, 0, err
		case t.n > 0:
			return 0, 0, nil
		}
		lay := t.lay
		t.release()
		t.lay = lay
		if rows <= 1 {
			return 0, 0, err
		}
		err = nil
	}
}

// runHeader is the bytes before a run in the heap of a tail with several variable columns.
const runHeader = 4

// fitting returns how many rows of r, at most limit, fit the block that t becomes, and
// their bytes in its heap. The first row of a block always fits.
func (s *Store) fitting(t *tail, r *run, in rowSet, limit int) (rows, bytes int) {
	if t.lay.flat == 0 {
		return limit, 0
	}
	if t.lay.flat > 1 {
		bytes = runHeader
	}
	room := s.spec.BlockBytes - t.bytes()
	if in.even {
		n := int(in.lens[0])
		if rows = min(limit, max(room-bytes, 0)/(t.lay.row+n)); rows == 0 && t.n == 0 {
			rows = min(limit, 1)
		}
		return rows, bytes + rows*n
	}
	for rows < limit {
		i := r.lo + rows
		if in.idx != nil {
			i = int(in.idx[i])
		}
		n := int(in.lens[i-in.lo])
		if (rows+1)*t.lay.row+bytes+n > room && (t.n > 0 || rows > 0) {
			break
		}
		bytes += n
		rows++
	}
	return rows, bytes
}

// renew gives a tail the worker's present layout.
func (s *Store) renew(w *worker, p int) error {
	t := &w.tails[p]
	if t.n > 0 {
		if err := s.seal(w, p); err != nil {
			return err
		}
	}
	t.buf.Release()
	t.buf, t.cap, t.lay = nil, 0, w.lay
	return nil
}

// flushTails seals all tails of a worker and gives their memory back.
func (s *Store) flushTails(w *worker) error {
	for p := range w.tails {
		t := &w.tails[p]
		if t.n > 0 {
			if err := s.seal(w, p); err != nil {
				return err
			}
		}
		t.release()
	}
	return nil
}

// scatterColumn copies the planned runs of one column into their tails.
func (s *Store) scatterColumn(w *worker, c int, col *batch.Column, idx []uint32) {
	spec := &s.cols[c]
	for i := range w.runs {
		r := &w.runs[i]
		t := &w.tails[r.p]
		n := r.hi - r.lo
		dst := t.column(c, spec)[r.at*spec.width : (r.at+n)*spec.width]
		var rows []uint32
		if idx != nil {
			rows = idx[r.lo:r.hi]
		}
		valid := t.validity(c)
		if valid != nil {
			valid = valid[r.at : r.at+n]
			gatherValid(valid, col, rows, r.lo)
		}
		switch spec.kind {
		case batch.KindBool:
			scatterFixed(dst, col, col.Fixed, rows, r.lo, valid)
		case batch.KindInt64, batch.KindFloat64:
			scatterFixed(batch.View[uint64](dst), col, batch.View[uint64](col.Fixed), rows, r.lo, valid)
		case batch.KindInt128:
			scatterFixed(batch.View[batch.Int128](dst), col, batch.View[batch.Int128](col.Fixed), rows, r.lo, valid)
		case batch.KindBytes:
			if t.lay.codes[spec.varIdx] {
				w.maps[spec.varIdx].scatter(batch.View[uint32](dst), col, rows, r.lo, valid)
				continue
			}
			r.heap += scatterBytes(batch.View[uint32](dst), t.heap, r.heap, col, rows, r.lo, valid)
		}
	}
}

// gatherValid writes one byte a row: 1 for a value, 0 for a null. Rows are rows, or lo and on where rows is nil.
func gatherValid(dst []byte, col *batch.Column, rows []uint32, lo int) {
	switch m := col.Valid; {
	case m == nil:
		for i := range dst {
			dst[i] = 1
		}
	case rows == nil:
		for i := range dst {
			dst[i] = m[(lo+i)>>3] >> ((lo + i) & 7) & 1
		}
	default:
		for i, j := range rows {
			dst[i] = m[j>>3] >> (j & 7) & 1
		}
	}
}

// scatterFixed writes the rows' values; those of nulls become zero.
func scatterFixed[T comparable](dst []T, col *batch.Column, src []T, rows []uint32, lo int, valid []byte) {
	switch {
	case col.Dict != nil:
		scatterDict(dst, col, rows, lo)
	case rows == nil:
		copy(dst, src[lo:])
	default:
		dst = dst[:len(rows)]
		for i, j := range rows {
			dst[i] = src[j]
		}
	}
	if col.Valid == nil {
		return
	}
	var zero T
	for i, v := range valid[:len(dst)] {
		if v == 0 {
			dst[i] = zero
		}
	}
}

func scatterDict[T comparable](dst []T, col *batch.Column, rows []uint32, lo int) {
	if col.Dict.N == 0 {
		clear(dst)
		return
	}
	values := batch.View[T](col.Dict.Fixed)
	for i := range dst {
		j := lo + i
		if rows != nil {
			j = int(rows[i])
		}
		dst[i] = values[col.Codes[j]]
	}
}

// scatterBytes writes the lengths of the rows' values to dst and their bytes to heap at
// at; it returns how many. Rows are rows, or lo and on where rows is nil; valid is their validity.
func scatterBytes(dst []uint32, heap *mem.Buf, at int, col *batch.Column, rows []uint32, lo int, valid []byte) int {
	var out []byte
	if heap != nil {
		out = heap.Bytes()[:]
	}
	values, codes := col, col.Codes
	if col.Dict != nil {
		values = col.Dict
	}
	off, data, from := values.Off, values.Data, at
	for i := range dst {
		j := lo + i
		if rows != nil {
			j = int(rows[i])
		}
		if col.Valid != nil && valid[i] == 0 {
			dst[i] = 0
			continue
		}
		if codes != nil {
			j = int(codes[j])
		}
		s := off[j]
		n := off[j+1] - s
		if dst[i] = n; n > 0 {
			batch.CopyShort(out, at, data, int(s), int(n))
			at += int(n)
		}
	}
	return at - from
}
