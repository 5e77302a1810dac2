package parquet

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// A bytesDecoder appends the next n values of a page, nulls left out.
type bytesDecoder interface {
	append(v *varBuilder, n int) error
}

// varBuilder builds offsets and bytes. Its memory is the account's from the start.
type varBuilder struct {
	acct *mem.Account
	off  *mem.Buf
	data *mem.Buf
	rows int
	pos  int // bytes of data in use
}

// begin makes room for rows values, and for a guess of their bytes.
func (v *varBuilder) begin(rows, bytes int) (err error) {
	if v.off == nil {
		if v.off, err = v.acct.Alloc(4 * (rows + 1)); err != nil {
			return err
		}
	}
	if v.data == nil {
		if v.data, err = v.acct.Alloc(bytes + slack); err != nil {
			return err
		}
	}
	v.offsets()[0] = 0
	return nil
}

func (v *varBuilder) offsets() []uint32 { return batch.View[uint32](v.off.Bytes()) }

// grow makes room for n bytes more and returns it.
func (v *varBuilder) grow(n int) ([]byte, error) {
	b := v.data.Bytes()
	if n <= len(b)-v.pos {
		return b[v.pos : v.pos+n], nil
	}
	if int64(v.pos)+int64(n) > batch.MaxData {
		return nil, fmt.Errorf("%w: %d bytes of values in one batch, at most %d are held", ErrUnsupported, int64(v.pos)+int64(n), int64(batch.MaxData))
	}
	bigger, err := v.acct.Alloc(max(v.pos+n, min(2*len(b), batch.MaxData)))
	if err != nil {
		return nil, err
	}
	copy(bigger.Bytes(), b[:v.pos])
	v.data.Release()
	v.data = bigger
	return bigger.Bytes()[v.pos : v.pos+n], nil
}

// add notes a value of n bytes that were put into what grow returned.
func (v *varBuilder) add(n int) {
	v.pos += n
	v.rows++
	v.offsets()[v.rows] = uint32(v.pos)
}

// spread makes the last values, as many as valid bits are set among the n rows that begin at row, lie at their rows.
func (v *varBuilder) spread(valid []byte, row, n, some int) {
	off := v.offsets()
	base := off[row]
	for i, k := n-1, some; i >= k; i-- {
		if k > 0 {
			off[row+1+i] = off[row+k]
		} else {
			off[row+1+i] = base
		}
		if valid[(row+i)>>3]>>((row+i)&7)&1 == 1 {
			k--
		}
	}
	v.rows = row + n
}

// column hands the memory to a column.
func (v *varBuilder) column(t batch.Type) *batch.Column {
	c := &batch.Column{Type: t, N: v.rows, Off: v.offsets()[:v.rows+1], Data: v.data.Bytes()[:v.pos]}
	c.Adopt(v.off, v.data)
	v.off, v.data = nil, nil
	v.reset()
	return c
}

func (v *varBuilder) reset() { v.rows, v.pos = 0, 0 }

func (v *varBuilder) release() {
	v.off.Release()
	v.data.Release()
	v.off, v.data = nil, nil
}

// plainVar decodes values that have their length before them.
type plainVar struct{ in *window }

func (d *plainVar) append(v *varBuilder, n int) error {
	for n > 0 {
		b, err := d.in.peek(4)
		if err != nil {
			return err
		}
		if len(b) < 4 {
			return errEnds
		}
		k, used := v.take(b, n)
		d.in.advance(used)
		if n -= k; n == 0 {
			return nil
		}
		if k == 0 {
			if err := d.long(v); err != nil {
				return err
			}
			n--
		}
	}
	return nil
}

// take adds up to n values that lie whole in b, while there is room, and returns how many and their bytes in b.
func (v *varBuilder) take(b []byte, n int) (k, used int) {
	off, data, pos := v.offsets()[v.rows+1:], v.data.Bytes(), v.pos
	n = min(n, len(off))
	for k < n && len(b)-used >= 4 {
		size := int(binary.LittleEndian.Uint32(b[used:]))
		if size > len(b)-used-4 || size > len(data)-pos {
			break
		}
		val := b[used+4 : used+4+size]
		if out := data[pos:]; size <= 16 && cap(val) >= 16 && len(out) >= 16 {
			copy(out[:16], val[:16]) // two moves instead of a call
		} else {
			copy(out, val)
		}
		pos += size
		used += 4 + size
		off[k] = uint32(pos)
		k++
	}
	v.rows, v.pos = v.rows+k, pos
	return k, used
}

// long adds a value that is longer than what is at hand or than the room that is left.
func (d *plainVar) long(v *varBuilder) error {
	b, err := d.in.peek(4)
	if err != nil {
		return err
	}
	if len(b) < 4 {
		return errEnds
	}
	size := int64(binary.LittleEndian.Uint32(b))
	if size > d.in.remains()-4 {
		return fmt.Errorf("has a value of %d bytes where %d are left", size, d.in.remains()-4)
	}
	d.in.advance(4)
	dst, err := v.grow(int(size))
	if err != nil {
		return err
	}
	if err := d.in.readInto(dst); err != nil {
		return err
	}
	v.add(int(size))
	return nil
}

// plainFixedBytes decodes values of a fixed width as bytes.
type plainFixedBytes struct {
	in    *window
	width int
}

func (d *plainFixedBytes) append(v *varBuilder, n int) error {
	dst, err := v.grow(n * d.width)
	if err != nil {
		return err
	}
	if int64(len(dst)) > d.in.remains() {
		return errEnds
	}
	if err := d.in.readInto(dst); err != nil {
		return err
	}
	for range n {
		v.add(d.width)
	}
	return nil
}

// splitBytes decodes BYTE_STREAM_SPLIT values as bytes.
type splitBytes struct {
	b     []byte
	n, at int
	width int
}

func (d *splitBytes) append(v *varBuilder, n int) error {
	if n > d.n-d.at {
		return errEnds
	}
	dst, err := v.grow(n * d.width)
	if err != nil {
		return err
	}
	joinSplit(dst, d.b, d.n, d.at, n, d.width)
	d.at += n
	for range n {
		v.add(d.width)
	}
	return nil
}

// deltaLengths decodes DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. The page lies whole in memory.
type deltaLengths struct {
	lens    window
	data    window
	lengths deltaInts
	tmp     []int64
}

// reset splits the page: it passes over the lengths once to find the bytes.
func (d *deltaLengths) reset(b []byte) error {
	d.data = whole(b)
	if err := d.lengths.reset(&d.data); err != nil {
		return err
	}
	if err := d.lengths.pass(d.tmp); err != nil {
		return err
	}
	d.lens = whole(b)
	return d.lengths.reset(&d.lens)
}

func (d *deltaLengths) append(v *varBuilder, n int) error {
	for n > 0 {
		k := min(n, len(d.tmp))
		if err := d.lengths.decode(d.tmp[:k]); err != nil {
			return err
		}
		for _, size := range d.tmp[:k] {
			if size < 0 || size > d.data.remains() {
				return fmt.Errorf("has a value of %d bytes where %d are left", size, d.data.remains())
			}
			dst, err := v.grow(int(size))
			if err != nil {
				return err
			}
			if err := d.data.readInto(dst); err != nil {
				return err
			}
			v.add(int(size))
		}
		n -= k
	}
	return nil
}

// deltaStrings decodes DELTA_BYTE_ARRAY: how much of the value before to repeat, then the
// rest as DELTA_LENGTH_BYTE_ARRAY. The page lies whole in memory.
type deltaStrings struct {
	acct     *mem.Account
	head     window
	prefixes deltaInts
	suffix   deltaLengths
	prefix   []int64 // scratch
	size     []int64 // scratch
	last     *mem.Buf
	lastLen  int
	width    int // of fixed-length values; 0: any
}

func (d *deltaStrings) reset(b []byte) error {
	d.lastLen = 0
	in := whole(b)
	if err := d.prefixes.reset(&in); err != nil {
		return err
	}
	if err := d.prefixes.pass(d.prefix); err != nil {
		return err
	}
	if err := d.suffix.reset(in.b[in.r:]); err != nil {
		return err
	}
	d.head = whole(b)
	return d.prefixes.reset(&d.head)
}

func (d *deltaStrings) append(v *varBuilder, n int) error {
	for n > 0 {
		k := min(n, len(d.prefix))
		if err := d.prefixes.decode(d.prefix[:k]); err != nil {
			return err
		}
		if err := d.suffix.lengths.decode(d.size[:k]); err != nil {
			return err
		}
		for i := range k {
			if err := d.one(v, d.prefix[i], d.size[i]); err != nil {
				return err
			}
		}
		n -= k
	}
	return nil
}

// one appends a value and remembers it.
func (d *deltaStrings) one(v *varBuilder, prefix, size int64) error {
	if prefix < 0 || prefix > int64(d.lastLen) {
		return fmt.Errorf("repeats %d bytes of a value of %d", prefix, d.lastLen)
	}
	if size < 0 || size > d.suffix.data.remains() {
		return fmt.Errorf("has a value of %d bytes where %d are left", size, d.suffix.data.remains())
	}
	n := int(prefix + size)
	if d.width > 0 && n != d.width {
		return fmt.Errorf("has a value of %d bytes in a column of %d", n, d.width)
	}
	dst, err := v.grow(n)
	if err != nil {
		return err
	}
	if prefix > 0 {
		copy(dst, d.last.Bytes()[:prefix])
	}
	if err := d.suffix.data.readInto(dst[prefix:]); err != nil {
		return err
	}
	if err := d.remember(dst, int(prefix)); err != nil {
		return err
	}
	v.add(n)
	return nil
}

// remember keeps a value, whose first bytes are those of the last one.
func (d *deltaStrings) remember(val []byte, same int) error {
	if d.last == nil || len(d.last.Bytes()) < len(val) {
		b, err := d.acct.Alloc(max(2*len(val), 1<<12))
		if err != nil {
			return err
		}
		copy(b.Bytes(), val[:same])
		d.last.Release()
		d.last = b
	}
	copy(d.last.Bytes()[same:], val[same:])
	d.lastLen = len(val)
	return nil
}

func (d *deltaStrings) release() {
	d.last.Release()
	d.last = nil
}
