package batch

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"

	"pqjoin/mem"
)

// Keys holds the normalised keys of n rows in pool memory. It is in one of three
// layouts: words (keys of up to 8 bytes), bytes of constant width, bytes with offsets.
type Keys struct {
	n      int
	words  []uint64
	width  int
	off    []uint32 // n+1
	data   []byte
	bufs   []*mem.Buf
	shared *Column // whose values the keys are; nil: none
}

// Len returns the number of rows.
func (k *Keys) Len() int { return k.n }

// Fixed returns the keys as words, one a row, and true where 8 bytes suffice.
// The unsigned order of the words is the order of the keys.
func (k *Keys) Fixed() ([]uint64, bool) { return k.words, k.words != nil || k.n == 0 }

// At returns the key of row i, to be compared with bytes.Compare. Where Fixed is true it makes a new slice.
func (k *Keys) At(i int) []byte {
	if k.words != nil {
		return binary.BigEndian.AppendUint64(nil, k.words[i])
	}
	return k.raw(i)
}

// Append appends the bytes of At(i) to dst.
func (k *Keys) Append(dst []byte, i int) []byte {
	if k.words != nil {
		return binary.BigEndian.AppendUint64(dst, k.words[i])
	}
	return append(dst, k.raw(i)...)
}

func (k *Keys) raw(i int) []byte {
	if k.off != nil {
		return k.data[k.off[i]:k.off[i+1]]
	}
	return k.data[i*k.width : (i+1)*k.width]
}

// Compare returns -1, 0 or 1 as row i comes before, with or after row j.
func (k *Keys) Compare(i, j int) int {
	if k.words != nil {
		return cmp.Compare(k.words[i], k.words[j])
	}
	return bytes.Compare(k.raw(i), k.raw(j))
}

// Release gives the memory back. Nil is fine.
func (k *Keys) Release() {
	if k == nil {
		return
	}
	for _, b := range k.bufs {
		b.Release()
	}
	k.shared.Release()
	*k = Keys{}
}

func (k *Keys) alloc(acct *mem.Account, n int) ([]byte, error) {
	b, err := acct.Alloc(n)
	if err != nil {
		return nil, err
	}
	k.bufs = append(k.bufs, b)
	return b.Bytes(), nil
}

// Encode returns the keys of the first n rows of cols, which are the columns of the
// encoder's sort keys in their order. The caller releases them. Keys that are the values
// of one flat column of bytes as they lie share its memory, and retain it.
func (e *KeyEncoder) Encode(acct *mem.Account, cols []*Column, n int) (*Keys, error) {
	for i := range e.parts {
		if c := cols[i]; c.Nulls > 0 && !e.parts[i].nullable {
			return nil, fmt.Errorf("a key column of type %s holds nulls and is declared without", c.Type)
		} else if c.Type != e.parts[i].typ {
			return nil, fmt.Errorf("a key column is %s, not %s", c.Type, e.parts[i].typ)
		}
	}
	k := &Keys{n: n, width: e.width}
	var err error
	switch {
	case len(e.parts) == 1 && e.parts[0].asItLies(cols[0]):
		k.shared = cols[0].Retain()
		k.off, k.data = cols[0].Off[:n+1], cols[0].Data
	case e.width > 0 && e.width <= 8:
		err = e.encodeWords(acct, k, cols)
	case e.width > 0 || len(e.parts) == 0:
		err = e.encodeConst(acct, k, cols)
	default:
		err = e.encodeVar(acct, k, cols)
	}
	if err != nil {
		k.Release()
		return nil, err
	}
	return k, nil
}

// asItLies says that a value's bytes are its key.
func (p *keyPart) asItLies(c *Column) bool {
	return p.width == 0 && p.last && !p.desc && !p.nullable && c.Dict == nil
}

// encodeWords packs all parts of a row into one word.
func (e *KeyEncoder) encodeWords(acct *mem.Account, k *Keys, cols []*Column) error {
	b, err := k.alloc(acct, 8*k.n)
	if err != nil {
		return err
	}
	k.words = view[uint64](b, k.n)
	clear(k.words)
	var x [hashChunk]uint64
	for pi := range e.parts {
		p, c := &e.parts[pi], cols[pi]
		shift := 8 * (p.width + p.flag())
		for lo := 0; lo < k.n; lo += hashChunk {
			out := k.words[lo:min(lo+hashChunk, k.n)]
			w := x[:len(out)]
			p.words(c, lo, w)
			if p.nullable {
				flag := uint64(1) << (8 * p.width)
				for i := range w {
					w[i] |= flag
				}
				if c.Valid != nil {
					setNulls(c, lo, w, uint64(p.null)<<(8*p.width))
				}
			}
			for i, v := range w {
				out[i] = out[i]<<shift | v // a shift of 64 gives 0
			}
		}
	}
	return nil
}

// words fills x with the part's value bytes, without flag, as a number; the part is at most 8 bytes wide.
func (p *keyPart) words(c *Column, lo int, x []uint64) {
	if c.Type.Kind() == KindBytes {
		for i := range x {
			x[i] = 0
			for _, b := range fixedValue(c, lo+i, p.width) {
				x[i] = x[i]<<8 | uint64(b)
			}
		}
		if p.desc {
			for i := range x {
				x[i] = ^x[i]
			}
		}
	} else {
		OrderWords(c, false, lo, x)
		if c.Type.Kind() == KindInt64 && !c.Type.IsUnsigned() && p.width < 8 {
			for i := range x {
				x[i] ^= 1<<63 | 1<<(8*p.width-1)
			}
		}
		if p.desc {
			for i := range x {
				x[i] = ^x[i]
			}
		}
	}
	if p.width < 8 {
		mask := uint64(1)<<(8*p.width) - 1
		for i := range x {
			x[i] &= mask
		}
	}
}

// fixedValue returns the width bytes of row i; of a null row, which may be shorter, nothing.
func fixedValue(c *Column, i, width int) []byte {
	v := c.Value(i)
	if len(v) != width {
		return nil
	}
	return v
}

// encodeConst lays keys of constant width side by side.
func (e *KeyEncoder) encodeConst(acct *mem.Account, k *Keys, cols []*Column) error {
	var err error
	if k.data, err = k.alloc(acct, e.width*k.n); err != nil {
		return err
	}
	at := 0
	for i := range e.parts {
		p := &e.parts[i]
		p.putConst(cols[i], k.n, func(row int) []byte { return k.data[row*e.width+at:][:p.flag()+p.width] })
		at += p.flag() + p.width
	}
	return nil
}

// putConst writes flag and value of every row to the place that dst names.
func (p *keyPart) putConst(c *Column, n int, dst func(row int) []byte) {
	var x [hashChunk]uint64
	for lo := 0; lo < n; lo += hashChunk {
		m := min(hashChunk, n-lo)
		small := p.width <= 8
		if small {
			p.words(c, lo, x[:m])
		}
		for i := range m {
			d := dst(lo + i)
			if p.nullable {
				d[0] = 1
				d = d[1:]
			}
			if c.IsNull(lo + i) {
				clear(d)
				dst(lo + i)[0] = p.null
				continue
			}
			if small {
				for b := range d {
					d[b] = byte(x[i] >> (8 * (p.width - 1 - b)))
				}
			} else {
				p.putWide(c, lo+i, d)
			}
		}
	}
}

// putWide writes a value of more than 8 bytes.
func (p *keyPart) putWide(c *Column, i int, d []byte) {
	if c.Type.Kind() == KindInt128 {
		v, codes := int128Values(c)
		v[row(codes, i)].AppendKey(d[:0])
	} else {
		copy(d, c.Value(i))
	}
	if p.desc {
		invert(d)
	}
}

func invert(d []byte) {
	for i := range d {
		d[i] = ^d[i]
	}
}

// encodeVar measures every row, then writes the parts one after the other. off[i+1]
// is the place where row i continues, and so in the end where it ends.
func (e *KeyEncoder) encodeVar(acct *mem.Account, k *Keys, cols []*Column) error {
	b, err := k.alloc(acct, 4*(k.n+1))
	if err != nil {
		return err
	}
	k.off = view[uint32](b, k.n+1)
	next := k.off[1:]
	clear(k.off)
	total := int64(0)
	for i := range k.n {
		n := 0
		for pi := range e.parts {
			n += e.parts[pi].size(cols[pi], i)
		}
		next[i] = uint32(total)
		total += int64(n)
	}
	if total > MaxData {
		return fmt.Errorf("batch: %d bytes of sort keys in one piece, at most %d", total, int64(MaxData))
	}
	if k.data, err = k.alloc(acct, int(total)); err != nil {
		return err
	}
	for pi := range e.parts {
		p, c := &e.parts[pi], cols[pi]
		if p.width == 0 {
			p.putVar(c, k.data, next)
			continue
		}
		w := p.flag() + p.width
		p.putConst(c, k.n, func(row int) []byte { return k.data[next[row]:][:w] })
		for i := range next {
			next[i] += uint32(w)
		}
	}
	return nil
}

// size returns the bytes of the part for row i.
func (p *keyPart) size(c *Column, i int) int {
	switch {
	case p.width > 0:
		return p.flag() + p.width
	case c.IsNull(i):
		return 1
	}
	v := c.Value(i)
	if p.last && !p.desc {
		return p.flag() + len(v)
	}
	return p.flag() + len(v) + bytes.Count(v, []byte{0}) + 2
}

// putVar writes a string part of every row at data[next[i]:] and advances next.
func (p *keyPart) putVar(c *Column, data []byte, next []uint32) {
	for i := range next {
		at := next[i]
		if c.IsNull(i) {
			data[at] = p.null
			next[i]++
			continue
		}
		if p.nullable {
			data[at] = 1
			at++
		}
		v := c.Value(i)
		if p.last && !p.desc {
			next[i] = at + uint32(copy(data[at:], v))
			continue
		}
		from := at
		for _, b := range v {
			data[at] = b
			at++
			if b == 0 {
				data[at] = 0xff
				at++
			}
		}
		data[at], data[at+1] = 0, 0
		at += 2
		if p.desc {
			invert(data[from:at])
		}
		next[i] = at
	}
}
