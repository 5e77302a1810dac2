package spillfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// ledgerReader goes through the records of a ledger as it was when the reader was made, in the order in which they were entered.
type ledgerReader struct {
	s    *Store
	p    int
	file *spillFile
	size int64 // of the file
	tail []byte
	todo []ledgerPage
	lows []int32 // of each page, the open one last, the least unit of what begins in it or behind it
	next int     // the page to load next: an index of lows
	buf  []byte  // loaded, and not yet decoded
	left int64   // bytes of the ledger that are not decoded
	ends []int64 // left at the end of each page
	page int     // the one in which the next record begins
}

// readLedger returns a reader of the ledger of p, whose lock is held.
func (s *Store) readLedger(p int) *ledgerReader {
	l := &s.parts[p].ledger
	r := &ledgerReader{s: s, p: p, file: l.file, todo: l.pages}
	if l.file == nil {
		return r
	}
	l.file.mu.Lock()
	r.size = l.file.size
	l.file.mu.Unlock()
	if l.n > 0 {
		r.tail = slices.Clone(l.page[blockHeader:][:l.n])
	}
	n := len(l.pages) + 1
	r.lows, r.ends = make([]int32, n), make([]int64, n)
	low := l.low
	left := int64(0)
	for i := n - 1; i >= 0; i-- {
		size := int64(l.n)
		if i < n-1 {
			low, size = min(low, l.pages[i].low), int64(l.pages[i].size)-blockHeader
		}
		r.lows[i], r.ends[i] = low, left
		left += size
	}
	r.left = left
	return r
}

// low returns a unit that no row of what is still to be read is below.
func (r *ledgerReader) low() int32 {
	if r.left == 0 {
		return noUnit
	}
	return r.lows[r.page]
}

// chunk returns the next chunk, which lies on disk, with its blocks; io.EOF behind the last.
func (r *ledgerReader) chunk() (*chunk, error) {
	if r.left == 0 {
		return nil, io.EOF
	}
	head, err := r.take(recordHead)
	if err != nil {
		return nil, err
	}
	body, err := r.take(int64(binary.LittleEndian.Uint32(head)))
	if err != nil {
		return nil, err
	}
	for r.page < len(r.ends)-1 && r.left <= r.ends[r.page] {
		r.page++
	}
	k := &chunk{file: r.file}
	d := recordDecoder{b: body}
	d.chunk(k)
	if d.bad || len(d.b) > 0 || k.off > r.size-int64(k.stored) {
		return nil, r.corrupt("it says what cannot be")
	}
	return k, nil
}

// take returns the next n bytes of the ledger; they are valid until the next call.
func (r *ledgerReader) take(n int64) ([]byte, error) {
	if n > r.left || n > maxRecord {
		return nil, r.corrupt("it is cut off")
	}
	for int64(len(r.buf)) < n {
		if err := r.load(); err != nil {
			return nil, err
		}
	}
	out := r.buf[:n]
	r.buf, r.left = r.buf[n:], r.left-n
	return out, nil
}

// load reads and verifies the next page.
func (r *ledgerReader) load() error {
	if r.next == len(r.todo) {
		r.buf = append(r.buf, r.tail...)
		r.next++
		return nil
	}
	place := r.todo[r.next]
	page := make([]byte, place.size)
	if _, err := r.file.f.ReadAt(page, place.off); err != nil {
		if errors.Is(err, io.EOF) {
			return r.corrupt("the file ends early")
		}
		return fmt.Errorf("read back %s: %w", r.s.spec.Name, err)
	}
	payload := page[blockHeader:]
	switch h := getHeader(page); {
	case binary.LittleEndian.Uint32(page) != blockMagic:
		return r.corrupt("it is none")
	case checksumOf(page) != checksum(page[8:blockHeader], payload):
		return r.corrupt("its checksum does not match")
	case h != r.s.pageHeader(r.p, r.next, len(payload)):
		return r.corrupt("it is another page")
	}
	if r.next++; len(r.buf) == 0 {
		r.buf = payload
	} else {
		r.buf = append(r.buf, payload...)
	}
	return nil
}

func (r *ledgerReader) corrupt(what string) error {
	return r.s.named(fmt.Errorf("partition %d, where its blocks lie, page %d: %s: %w", r.p, r.page, what, ErrCorrupt))
}

// recordDecoder decodes a record. What it returns can be, whatever the bytes: blocks lie one behind the other, and are all of their chunk;
// segments have rows, and are all of their block.
type recordDecoder struct {
	b   []byte
	bad bool
}

// number returns the next number, which is from least to most.
func (d *recordDecoder) number(least, most int64) int64 {
	v, n := binary.Uvarint(d.b)
	return d.checked(v, n, least, most)
}

func (d *recordDecoder) checked(v uint64, n int, least, most int64) int64 {
	if n <= 0 || v > math.MaxInt64 || int64(v) < least || int64(v) > most {
		d.bad, d.b = true, nil
		return least
	}
	d.b = d.b[n:]
	return int64(v)
}

// after returns last and the difference that follows; it is not below 0.
func (d *recordDecoder) after(last int32) int32 {
	v, n := binary.Varint(d.b)
	if n <= 0 || v < -math.MaxInt32 || v > math.MaxInt32 {
		d.bad, d.b = true, nil
		return last
	}
	return int32(d.checked(uint64(int64(last)+v), n, 0, math.MaxInt32))
}

// chunk decodes the record of a chunk, in one go over its bytes.
func (d *recordDecoder) chunk(k *chunk) {
	k.off = d.number(0, math.MaxInt64-math.MaxInt32)
	k.stored = int(d.number(blockHeader, math.MaxInt32))
	blocks := d.number(2, 2*int64(len(d.b))+1)
	k.s2 = blocks&1 == 1
	if blocks /= 2; d.bad || blocks > int64(len(d.b)) {
		d.bad = true
		return
	}
	k.blocks = make([]block, 0, blocks)
	seq, unit := int32(0), int32(0)
	for i := int64(0); i < blocks && !d.bad; i++ {
		seq = d.after(seq)
		b := block{seq: seq, pos: int32(k.used), size: int32(d.number(blockHeader, int64(math.MaxInt32-k.used))), seg: int32(len(k.segs))}
		for range d.number(1, int64(len(d.b))) {
			unit = d.after(unit)
			g := segment{unit: unit, rows: int32(d.number(1, int64(math.MaxInt32-b.rows)))}
			if d.bad {
				return
			}
			k.segs = append(k.segs, g)
			b.rows += g.rows
			b.segs++
		}
		k.used += int(b.size)
		k.blocks = append(k.blocks, b)
	}
	k.cap = k.used
	d.bad = d.bad || k.used < k.stored || !k.s2 && k.used != k.stored
}
