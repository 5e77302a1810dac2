package arrow

import (
	"encoding/binary"

	"pqjoin/batch"
)

// inline is the longest value that a view holds itself.
const inline = 12

// openViews brings the bytes of compressed views into memory, where any of them can be had.
func (p *part) openViews() error {
	for _, s := range p.data {
		if s.r == nil || s.mem != nil {
			continue
		}
		if s.left > int64(batch.MaxData) {
			return malformedf("column %s has %d bytes in one compressed buffer, more than can be held", p.col.field.Name, s.left)
		}
		if err := s.whole(int(s.left)); err != nil {
			return err
		}
	}
	return nil
}

// fitViews reads views until there are n, or as many as the window has, and returns how many make a batch.
func (p *part) fitViews(n int) (int, error) {
	n = min(n, len(p.views)/16)
	if p.have < n {
		if err := p.vals.read(p.views[16*p.have : 16*n]); err != nil {
			return 0, err
		}
		p.have = n
	}
	size := int64(0)
	for i := range n {
		if size += int64(binary.LittleEndian.Uint32(p.views[16*i:])); size > p.most && i > 0 {
			return i, nil
		}
	}
	return n, nil
}

// takeViews copies the values of n views. What a null's view says is not looked at.
func (p *part) takeViews(t batch.Type, n int) (*batch.Column, error) {
	valid, err := p.validity(n)
	if err != nil {
		return nil, err
	}
	defer valid.Release()
	size := int64(0)
	for i := range n {
		if !valid.IsNull(i) {
			size += int64(binary.LittleEndian.Uint32(p.views[16*i:]))
		}
	}
	if most := p.viewed(); size > most+int64(n)*inline {
		return nil, malformedf("the views of column %s hold %d bytes, and its buffers %d", p.col.field.Name, size, most)
	}
	c, err := batch.NewVar(p.acct, t, n, int(size))
	if err != nil {
		return nil, err
	}
	at := 0
	for i := range n {
		c.Off[i] = uint32(at)
		if valid.IsNull(i) {
			continue
		}
		k, err := p.view(c.Data[at:], p.views[16*i:16*i+16])
		if err != nil {
			c.Release()
			return nil, err
		}
		at += k
	}
	c.Off[n] = uint32(at)
	copy(p.views, p.views[16*n:16*p.have])
	p.have -= n
	return c.ShareNulls(valid), nil
}

// viewed returns the bytes of all buffers. One value may be many rows'; of what is more than the buffers a batch is cut before.
func (p *part) viewed() (n int64) {
	for _, s := range p.data {
		n += s.left
	}
	return max(n, targetBytes)
}

// view copies one value.
func (p *part) view(dst, v []byte) (int, error) {
	n := int(binary.LittleEndian.Uint32(v))
	if n <= inline {
		return copy(dst, v[4:4+n]), nil
	}
	buf, off := binary.LittleEndian.Uint32(v[8:]), int64(binary.LittleEndian.Uint32(v[12:]))
	if int64(buf) >= int64(len(p.data)) || off+int64(n) > p.data[buf].left {
		return 0, malformedf("a view of column %s points outside of its buffers", p.col.field.Name)
	}
	s := p.data[buf]
	if s.mem != nil {
		return copy(dst, s.mem[off:][:n]), nil
	}
	return n, p.near(dst[:n], s, buf, off)
}

// nearBytes is how much of a buffer is read at once: views mostly point to values one after the other.
const nearBytes = 256 << 10

// near reads dst from a buffer in the file.
func (p *part) near(dst []byte, s *section, buf uint32, off int64) error {
	if len(dst) > nearBytes {
		_, err := s.h.ReadAt(dst, s.at+off)
		return err
	}
	if p.raw == nil {
		var err error
		if p.raw, err = p.acct.Alloc(nearBytes); err != nil {
			return err
		}
	}
	if buf != p.nearBuf || off < p.nearAt || off+int64(len(dst)) > p.nearAt+int64(p.nearN) {
		p.nearN = 0
		n := int(min(nearBytes, s.left-off))
		if _, err := s.h.ReadAt(p.raw.Bytes()[:n], s.at+off); err != nil {
			return err
		}
		p.nearBuf, p.nearAt, p.nearN = buf, off, n
	}
	copy(dst, p.raw.Bytes()[off-p.nearAt:])
	return nil
}
