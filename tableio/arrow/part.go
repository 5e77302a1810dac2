package arrow

import (
	"encoding/binary"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	// windowRows is how many offsets, or views, are looked at at once.
	windowRows = 16 << 10
	// targetBytes is how many bytes of a column a batch has about at most.
	targetBytes = 1 << 20
	// narrowRows is how many narrow values are read at once.
	narrowRows = 4 << 10
	// placeHeap is the heap that a buffer takes to know where it is: views may have a great many.
	placeHeap = 192
)

// part reads a column of a record batch.
type part struct {
	col    *column
	acct   *mem.Account
	h      io.ReaderAt
	rows   int64
	nulls  int64
	places []place
	heap   int64 // reserved for places

	valid  *section
	carry  byte // the byte of valid that has been read in part
	used   int  // bits of carry used; 0: there is none
	vals   *section
	bcarry byte // the same of vals, where they are bits
	bused  int
	data   []*section

	scratch *mem.Buf // narrow values, offsets or views
	offs    []int64  // offsets that have been read, from the next row's on
	have    int      // in offs, beyond the first; or in views
	seen    int64    // rows whose offsets, or views, have been read
	dataAt  int64    // bytes of data used
	raw     *mem.Buf // offsets as they are read; of views a piece of a buffer, which is nearBuf from nearAt on
	views   []byte
	nearBuf uint32
	nearAt  int64
	nearN   int

	kids []part     // of a nested column
	nest *assembler // of a top one
	most int64      // bytes of a batch, about: targetBytes, or nestBytes
	step int        // rows of which offsets or views are looked at at once
}

// coded layouts are those of codes.
func (p *part) layout() layout {
	if p.col.coded {
		return layoutFixed
	}
	return p.col.layout
}

func (p *part) width() int {
	if p.col.coded {
		return p.col.index
	}
	return p.col.width
}

// each yields the part and those within it.
func (p *part) each(yield func(*part)) {
	yield(p)
	for i := range p.kids {
		p.kids[i].each(yield)
	}
}

// windows returns the bytes of buffers that are no file buffer's.
func (p *part) windows() int64 {
	heap := placeHeap * int64(len(p.places))
	if p.most == nestBytes { // what is put together of it
		heap += int64(mem.ClassSize(nestBytes) + mem.ClassSize(16*nestRows))
	}
	switch p.layout() {
	case layoutVar, layoutList, layoutListView:
		return heap + int64(2*mem.ClassSize(8*(p.step+1)))
	case layoutView:
		return heap + int64(mem.ClassSize(16*p.step)+mem.ClassSize(nearBytes))
	case layoutFixed, layoutBits:
		return heap + int64(mem.ClassSize(16*narrowRows)+batch.BitmapLen(batch.Rows)+512)
	}
	return heap
}

// open opens the buffers.
func (p *part) open(acct *mem.Account, h io.ReaderAt, step int) (err error) {
	p.acct, p.h = acct, h
	if p.nested() {
		step = nestRows
	}
	for i := range p.kids {
		if err := p.openKid(&p.kids[i]); err != nil {
			return err
		}
	}
	if p.layout() == layoutNull {
		return nil
	}
	if err := acct.Reserve(placeHeap * int64(len(p.places))); err != nil {
		return err
	}
	p.heap = placeHeap * int64(len(p.places))
	for i := range p.places {
		if err := p.openPlace(i); err != nil {
			return err
		}
	}
	if err := p.enough(); err != nil {
		return err
	}
	return p.openWindows(step)
}

// openPlace opens buffer i: which rows have values, where some have none, the values, and others.
func (p *part) openPlace(i int) error {
	if err := p.places[i].prefix(p.h); err != nil {
		return err
	}
	s, err := p.places[i].open(p.acct, p.h)
	if err != nil {
		return err
	}
	switch {
	case i == 0 && p.nulls > 0 && s.left == 0:
		s.close()
		return malformedf("column %s has %d nulls, and nothing says which", p.col.field.Name, p.nulls)
	case i == 0 && (p.nulls == 0 || s.left == 0):
		s.close()
	case i == 0:
		p.valid = s
	case i == 1:
		p.vals = s
	default:
		p.data = append(p.data, s)
	}
	return nil
}

// nested says whether the part is of a nested column.
func (p *part) nested() bool { return p.most == nestBytes }

// openKid opens a part within, which has a row for each that p is sure to ask for.
func (p *part) openKid(k *part) error {
	if (p.layout() == layoutStruct && k.rows < p.rows) || (p.layout() == layoutFixedList && p.col.width > 0 && k.rows/int64(p.col.width) < p.rows) {
		return malformedf("column %s has %d rows in one of %d", k.col.field.Name, k.rows, p.rows)
	}
	return k.open(p.acct, p.h, nestRows)
}

// enough looks whether there are as many values, or offsets, as there are rows.
func (p *part) enough() error {
	need := p.need()
	if need == 0 {
		return nil
	}
	left := p.vals.left
	if p.layout() == layoutListView {
		left = min(left, p.data[0].left)
	}
	if left < need {
		return malformedf("column %s has %d bytes for %d rows", p.col.field.Name, left, p.rows)
	}
	return nil
}

// need returns the bytes that the buffer of values, or of offsets, has at least.
func (p *part) need() int64 {
	switch p.layout() {
	case layoutBits:
		return (p.rows + 7) / 8
	case layoutStruct, layoutFixedList:
		return 0
	case layoutVar, layoutList:
		if p.rows == 0 {
			return 0 // an empty column may have no offsets
		}
		return (p.rows + 1) * int64(p.width())
	}
	return p.rows * int64(p.width())
}

func (p *part) openWindows(step int) (err error) {
	rows := min(step, p.step)
	switch p.layout() {
	case layoutVar, layoutList, layoutListView:
		if p.raw, err = p.acct.Alloc(8 * (rows + 1)); err != nil {
			return err
		}
		if p.scratch, err = p.acct.Alloc(8 * (rows + 1)); err != nil {
			return err
		}
		p.offs = batch.View[int64](p.scratch.Bytes())[:rows+1]
	case layoutView:
		if p.scratch, err = p.acct.Alloc(16 * rows); err != nil {
			return err
		}
		p.views = p.scratch.Bytes()[:16*rows]
		return p.openViews()
	case layoutFixed:
		p.scratch, err = p.acct.Alloc(min(narrowRows, max(step, 1)) * p.width())
	}
	return err
}

// finish judges the buffers once all rows have been read.
func (p *part) finish() error {
	for _, s := range append([]*section{p.valid, p.vals}, p.data...) {
		if err := s.finish(); err != nil {
			return fmt.Errorf("column %s: %w", p.col.field.Name, err)
		}
	}
	for i := range p.kids {
		if err := p.kids[i].finish(); err != nil {
			return err
		}
	}
	return nil
}

func (p *part) close() {
	for _, s := range append([]*section{p.valid, p.vals}, p.data...) {
		s.close()
	}
	p.valid, p.vals, p.data = nil, nil, nil
	p.nest.close()
	p.nest = nil
	for i := range p.kids {
		p.kids[i].close()
	}
	p.scratch.Release()
	p.raw.Release()
	p.acct.Unreserve(p.heap)
	p.scratch, p.raw, p.heap = nil, nil, 0
}

// fit returns how many of the next n rows a batch has of this column: those whose bytes are about p.most.
func (p *part) fit(n int, dicts map[int64]*batch.Column) (int, error) {
	if p.nest != nil {
		return p.nest.fit(n, dicts)
	}
	switch p.layout() {
	case layoutVar:
		if err := p.fillOffsets(n); err != nil {
			return 0, err
		}
		n = min(n, p.have)
		k := n
		for k > 1 && p.offs[k]-p.offs[0] > p.most {
			k /= 2
		}
		for k < n && p.offs[k+1]-p.offs[0] <= p.most {
			k++
		}
		return k, nil
	case layoutView:
		return p.fitViews(n)
	}
	return n, nil
}

// fillOffsets reads offsets until there are those of n rows, or of the window.
func (p *part) fillOffsets(n int) error {
	n = min(n, len(p.offs)-1)
	if p.have >= n {
		return nil
	}
	first := p.seen == 0 && p.have == 0
	more := n - p.have
	if first {
		more++
	}
	w := p.width()
	raw := p.raw.Bytes()[:more*w]
	if err := p.vals.read(raw); err != nil {
		return err
	}
	at := p.have + 1
	if first {
		at = 0
	}
	for i := range more {
		v := int64(0)
		if w == 8 {
			v = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		} else {
			v = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		}
		if v < 0 || at+i > 0 && v < p.offs[at+i-1] {
			return malformedf("the offsets of column %s do not ascend", p.col.field.Name)
		}
		p.offs[at+i] = v
	}
	p.seen += int64(n - p.have)
	p.have = n
	return nil
}

// take returns the next n rows, which fit has allowed.
func (p *part) take(t batch.Type, n int, dicts map[int64]*batch.Column) (*batch.Column, error) {
	if p.nest != nil {
		return p.nest.take(n)
	}
	if p.layout() == layoutNull {
		return batch.AllNull(p.acct, t, n)
	}
	if p.col.coded {
		return p.takeCodes(t, n, dicts[p.col.dict])
	}
	var c *batch.Column
	var err error
	switch p.layout() {
	case layoutVar:
		c, err = p.takeVar(t, n)
	case layoutView:
		return p.takeViews(t, n)
	case layoutBits:
		if c, err = batch.NewFixed(p.acct, t, n); err == nil {
			err = p.bools(c)
		}
	default:
		return p.takeFixed(t, n)
	}
	if err == nil {
		err = p.setValid(c)
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// takeVar copies values between offsets.
func (p *part) takeVar(t batch.Type, n int) (*batch.Column, error) {
	size := p.offs[n] - p.offs[0]
	data := p.data[0]
	if err := data.skip(p.offs[0] - p.dataAt); err != nil {
		return nil, err
	}
	if size > data.left {
		return nil, malformedf("the offsets of column %s point behind its bytes", p.col.field.Name)
	}
	c, err := batch.NewVar(p.acct, t, n, int(size))
	if err != nil {
		return nil, err
	}
	if err := data.read(c.Data[:size]); err != nil {
		c.Release()
		return nil, err
	}
	for i := range n + 1 {
		c.Off[i] = uint32(p.offs[i] - p.offs[0])
	}
	p.dataAt = p.offs[n]
	copy(p.offs, p.offs[n:p.have+1])
	p.have -= n
	return c, nil
}
