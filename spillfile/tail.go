package spillfile

import (
	"encoding/binary"
	"errors"

	"pqjoin/mem"
)

// segment is a run of rows of one unit within a block.
type segment struct {
	unit int32
	rows int32
}

// tail is the block that one worker is filling for one partition. Fixed parts of the
// columns lie adjacent in buf, codes of values among them. Bytes of variable width lie in
// heap: as they came where there is one column of them; else cut into runs, each with its
// number of rows before it and then column by column.
type tail struct {
	lay     *layout
	n, cap  int
	buf     *mem.Buf
	heap    *mem.Buf
	heapLen int
	segs    []segment
}

const firstTail = 4 << 10

func (t *tail) column(c int, spec *colSpec) []byte {
	at := t.lay.off[c] * t.cap
	return t.buf.Bytes()[at : at+spec.width*t.cap]
}

// validity returns the validity bytes of column c, or nil.
func (t *tail) validity(c int) []byte {
	if t.lay.valid[c] < 0 {
		return nil
	}
	at := t.lay.valid[c] * t.cap
	return t.buf.Bytes()[at : at+t.cap]
}

func (t *tail) bytes() int { return t.n*t.lay.row + t.heapLen }

func (t *tail) reset() {
	t.n, t.heapLen, t.segs = 0, 0, t.segs[:0]
}

func (t *tail) release() {
	t.buf.Release()
	t.heap.Release()
	*t = tail{}
}

func (t *tail) addSegment(unit, rows int) {
	if k := len(t.segs) - 1; k >= 0 && t.segs[k].unit == int32(unit) {
		t.segs[k].rows += int32(rows)
		return
	}
	t.segs = append(t.segs, segment{unit: int32(unit), rows: int32(rows)})
}

// grow makes room for rows in all, or for as many as a block has.
func (t *tail) grow(s *Store, rows int) error {
	want := min(t.lay.rows, max(rows, 2*t.cap))
	want = (want + rowStep - 1) / rowStep * rowStep
	if t.lay.row == 0 {
		t.cap = t.lay.rows
		return nil
	}
	want = min(t.lay.rows, max(want, firstTail/t.lay.row/rowStep*rowStep))
	buf, err := s.alloc(want * t.lay.row)
	if err != nil {
		return err
	}
	if t.n > 0 {
		for c := range s.cols {
			w := s.cols[c].width
			copy(buf.Bytes()[t.lay.off[c]*want:], t.column(c, &s.cols[c])[:t.n*w])
			if v := t.validity(c); v != nil {
				copy(buf.Bytes()[t.lay.valid[c]*want:], v[:t.n])
			}
		}
	}
	t.buf.Release()
	t.buf, t.cap = buf, want
	return nil
}

// growHeap makes room for need more bytes.
func (t *tail) growHeap(s *Store, need int) error {
	have := 0
	if t.heap != nil {
		have = len(t.heap.Bytes())
	}
	need += t.heapLen
	if need <= have {
		return nil
	}
	buf, err := s.alloc(max(need, min(2*have, s.spec.BlockBytes), firstTail))
	if err != nil {
		return err
	}
	if t.heap != nil {
		copy(buf.Bytes(), t.heap.Bytes()[:t.heapLen])
		t.heap.Release()
	}
	t.heap = buf
	return nil
}

// splitHeap writes the bytes of the flat variable columns, in row order, to w.heaps; their lengths are w.lens.
// Cost: a copy for each run and column, and a pass over the lengths where there are several.
func (t *tail) splitHeap(s *Store, w *worker) {
	if t.heapLen == 0 {
		return
	}
	heap := t.heap.Bytes()[:t.heapLen]
	if t.lay.flat == 1 {
		for v := range w.heaps {
			if !t.lay.codes[v] {
				w.heaps[v] = w.heaps[v][copy(w.heaps[v], heap):]
			}
		}
		return
	}
	for row := 0; row < t.n; {
		n := int(binary.LittleEndian.Uint32(heap))
		heap = heap[runHeader:]
		for v, lens := range w.lens {
			if t.lay.codes[v] {
				continue
			}
			size := 0
			for _, l := range lens[row : row+n] {
				size += int(l)
			}
			copy(w.heaps[v], heap[:size])
			w.heaps[v], heap = w.heaps[v][size:], heap[size:]
		}
		row += n
	}
}

// alloc takes memory for sealed blocks and tails, spilling to make room.
func (s *Store) alloc(n int) (*mem.Buf, error) {
	for {
		b, err := s.spec.Acct.Alloc(n)
		if err == nil || !errors.Is(err, mem.ErrLimit) {
			return b, err
		}
		freed, serr := s.spill(int64(n))
		if serr != nil {
			return nil, serr
		}
		if freed == 0 {
			return nil, err
		}
	}
}
