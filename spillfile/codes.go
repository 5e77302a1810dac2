package spillfile

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// mapping is how the entries of a batch's dictionary are numbered in the store's. It
// knows the dictionary by its address, which it keeps from being used again.
type mapping struct {
	dict    *batch.Column
	buf     *mem.Buf
	codes   []uint32
	digests []uint64
}

func (m *mapping) release() {
	m.buf.Release()
	*m = mapping{}
}

// coded says whether the rows of a column can go as codes, and makes the worker's mapping
// ready. A worker that meets values which cannot goes on flat for good: it does not waver.
func (s *Store) coded(w *worker, v int, c *batch.Column) (bool, error) {
	switch m := &w.maps[v]; {
	case s.dicts == nil || w.flat[v]:
		return false, nil
	case c.Nulls == c.N || c.Dict != nil && (c.Dict == m.dict || c.Dict.N == 0):
		return w.codes[v], nil // nothing to number
	case c.Dict == nil || !s.dicts[v].takes(c):
		w.flat[v] = true
		m.release()
		return false, nil
	default:
		ok, err := s.remap(m, s.dicts[v], c.Dict)
		if !ok {
			w.flat[v] = true
			m.release()
		}
		return ok, err
	}
}

func (s *Store) remap(m *mapping, d *dictionary, from *batch.Column) (ok bool, err error) {
	m.release()
	if m.buf, err = s.alloc(mapBytes * from.N); err != nil {
		return false, unlessLimit(err)
	}
	raw := m.buf.Bytes()[:mapBytes*from.N]
	m.digests, m.codes = batch.View[uint64](raw[:8*from.N]), batch.View[uint32](raw[8*from.N:])
	m.dict = from
	return d.number(from, m.codes, m.digests)
}

// sum is sumRows of coded rows.
func (m *mapping) sum(c *batch.Column, lo, hi int) uint64 {
	if c.Nulls == c.N || c.Dict == nil || c.Dict.N == 0 {
		return 0
	}
	sum := uint64(0)
	if c.Valid == nil {
		for _, k := range c.Codes[lo:hi] {
			sum += m.digests[k]
		}
		return sum
	}
	for i := lo; i < hi; i++ {
		if !c.IsNull(i) {
			sum += m.digests[c.Codes[i]]
		}
	}
	return sum
}

// scatter writes the store's codes of the rows; those of nulls become zero.
func (m *mapping) scatter(dst []uint32, c *batch.Column, rows []uint32, lo int, valid []byte) {
	switch {
	case c.Nulls == c.N || c.Dict.N == 0:
		clear(dst)
		return
	case rows == nil:
		for i := range dst {
			dst[i] = m.codes[c.Codes[lo+i]]
		}
	default:
		for i, j := range rows {
			dst[i] = m.codes[c.Codes[j]]
		}
	}
	if c.Valid != nil {
		for i, v := range valid[:len(dst)] {
			if v == 0 {
				dst[i] = 0
			}
		}
	}
}

// planCodes narrows codes by frame of reference; data becomes the bytes of the values.
func (p *colPlan) planCodes(d *dictionary, codes []uint32, valid []byte) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	info := d.info()
	lo, hi := ^uint32(0), uint32(0)
	for i, k := range codes {
		if valid == nil || valid[i] != 0 {
			lo, hi = min(lo, k), max(hi, k)
			e := &info[k]
			p.sum += e.digest
			p.data += e.len
		}
	}
	lo = min(lo, hi)
	p.base = uint64(lo)
	p.setWidth(uint64(hi-lo), len(codes))
	p.enc = encCodes
}

func packCodes(dst []byte, codes []uint32, valid []byte, p *colPlan) {
	n := len(codes)
	switch base := uint32(p.base); p.width {
	case 1:
		packValid(dst[:n], codes, valid, base)
	case 2:
		packValid(batch.View[uint16](dst[:2*n]), codes, valid, base)
	case 4:
		packValid(batch.View[uint32](dst[:4*n]), codes, valid, base)
	}
	clear(dst[n*int(p.width) : pad8(n*int(p.width))])
}

func packValid[T uint8 | uint16 | uint32](dst []T, codes []uint32, valid []byte, base uint32) {
	if valid == nil {
		packLens(dst, codes, base)
		return
	}
	for i, k := range codes {
		dst[i] = T(k-base) & -T(valid[i])
	}
}

// codesAt writes the codes of rows [from, from+len(dst)); it is false where one is out of range.
func (r *colReader) codesAt(dst []uint32, from int) bool {
	n, most := len(dst), uint32(0)
	switch base := uint32(r.base); r.width {
	case 0:
		for i := range dst {
			dst[i] = base
		}
		most = base
	case 1:
		most = widen(dst, r.values[from:from+n], base)
	case 2:
		most = widen(dst, batch.View[uint16](r.values)[from:from+n], base)
	case 4:
		most = widen(dst, batch.View[uint32](r.values)[from:from+n], base)
	}
	return n == 0 || r.dict != nil && int(most) < r.dict.n
}

func widen[T uint8 | uint16 | uint32](dst []uint32, src []T, base uint32) (most uint32) {
	for i, v := range src {
		k := base + uint32(v)
		dst[i] = k
		most = max(most, k)
	}
	return most
}

// count adds up the sums of codes that were decoded, nulls of them at the base.
func (r *colReader) count(codes []uint32, nulls int) {
	info := r.dict.info()
	for _, k := range codes {
		r.got += info[k].digest
	}
	if nulls > 0 {
		r.got -= uint64(nulls) * info[r.base].digest
	}
}

// eachCodes hands the codes of rows [from, from+n) on in pieces.
func (r *colReader) eachCodes(from, n int, f func(at int, codes []uint32)) bool {
	var tmp [512]uint32
	for at := 0; at < n; at += len(tmp) {
		codes := tmp[:min(len(tmp), n-at)]
		if !r.codesAt(codes, from+at) {
			return false
		}
		f(at, codes)
	}
	return true
}

// codesData returns the bytes of the values of rows [from, from+n), nulls at the base included.
func (r *colReader) codesData(from, n int) (sum int) {
	info := r.dict.info()
	r.eachCodes(from, n, func(_ int, codes []uint32) {
		for _, k := range codes {
			sum += int(info[k].len)
		}
	})
	return sum
}

// unpackCodes decodes codes to out, as codes where it has the dictionary, else as values
// behind data; it returns where they end, or -1. Nulls of a flat column become empty.
func (r *colReader) unpackCodes(out *batch.Column, row, data, from, n, nulls int) int {
	if out.Dict != nil {
		codes := out.Codes[row : row+n]
		if !r.codesAt(codes, from) {
			return -1
		}
		r.count(codes, nulls)
		return data
	}
	over := false
	ok := r.eachCodes(from, n, func(at int, codes []uint32) {
		for i, k := range codes {
			j := from + at + i
			v := r.dict.value(k)
			if r.bitmap != nil && r.bitmap[j>>3]>>(j&7)&1 == 0 {
				v = nil
			} else if over = over || len(v) > len(out.Data)-data; over {
				return
			}
			copy(out.Data[data:], v)
			data += len(v)
			out.Off[row+at+i+1] = uint32(data)
		}
		r.count(codes, 0)
	})
	if !ok || over {
		return -1
	}
	if nulls > 0 {
		r.got -= uint64(nulls) * r.dict.info()[r.base].digest
	}
	return data
}
