package spillfile

import (
	"encoding/binary"
	"math"
	"math/bits"

	"pqjoin/batch"
)

// How a column lies in a block.
const (
	encInts   = 1 // base + an unsigned delta of width 0 to 8 bytes
	encFloat4 = 2 // float64 values that are exactly float32, 4 bytes each
	encBits   = 3 // bools, a bitmap
	encWide   = 4 // Int128, 16 bytes each
	encBytes  = 5 // lengths as in encInts, then the bytes
	encCodes  = 6 // codes of the store's dictionary, as in encInts
)

const (
	columnHeader = 40
	sumAt        = 32 // of the sum in a column's header
	flagNulls    = 1
)

// colPlan says how one column of a block will be, or is, encoded.
type colPlan struct {
	enc   byte
	width byte // bytes of a value, or of a length
	flags byte
	nulls uint32
	size  uint64 // bytes after the column header, a multiple of 8
	base  uint64
	data  uint64 // bytes of the values of encBytes, and of those that encCodes stand for
	sum   uint64
}

func pad8(n int) int { return (n + 7) &^ 7 }

func (p *colPlan) put(dst []byte) {
	dst[0], dst[1], dst[2], dst[3] = p.enc, p.width, p.flags, 0
	binary.LittleEndian.PutUint32(dst[4:], p.nulls)
	binary.LittleEndian.PutUint64(dst[8:], p.size)
	binary.LittleEndian.PutUint64(dst[16:], p.base)
	binary.LittleEndian.PutUint64(dst[24:], p.data)
	binary.LittleEndian.PutUint64(dst[sumAt:], p.sum)
}

func getPlan(src []byte) colPlan {
	return colPlan{
		enc: src[0], width: src[1], flags: src[2],
		nulls: binary.LittleEndian.Uint32(src[4:]),
		size:  binary.LittleEndian.Uint64(src[8:]),
		base:  binary.LittleEndian.Uint64(src[16:]),
		data:  binary.LittleEndian.Uint64(src[24:]),
		sum:   binary.LittleEndian.Uint64(src[sumAt:]),
	}
}

// values returns where the values begin: behind the bitmap of n rows, where there is one.
func (p *colPlan) values(n int) int {
	if p.flags&flagNulls == 0 {
		return 0
	}
	return pad8(batch.BitmapLen(n))
}

// planColumn decides how column c of a tail is encoded.
func (s *Store) planColumn(t *tail, c int) colPlan {
	spec, n := &s.cols[c], t.n
	var p colPlan
	valid := t.validity(c)
	if valid != nil {
		valid = valid[:n]
		if p.nulls = uint32(n - int(sumAll(valid))); p.nulls > 0 {
			p.flags = flagNulls
		} else {
			valid = nil
		}
	}
	raw := t.column(c, spec)[:n*spec.width]
	switch spec.kind {
	case batch.KindBool:
		p.enc, p.sum = encBits, sumAll(raw)
		p.size = uint64(pad8(batch.BitmapLen(n)))
	case batch.KindFloat64:
		p.planFloats(batch.View[uint64](raw), valid, spec.narrow)
	case batch.KindInt64:
		p.planInts(batch.View[uint64](raw), valid)
	case batch.KindInt128:
		p.enc, p.width, p.size = encWide, 16, uint64(16*n)
		for _, v := range batch.View[batch.Int128](raw) {
			p.sum += digest128(v)
		}
	case batch.KindBytes:
		if t.lay.codes[spec.varIdx] {
			p.planCodes(s.dicts[spec.varIdx], batch.View[uint32](raw), valid)
		} else {
			p.planLengths(batch.View[uint32](raw))
		}
	}
	p.size += uint64(p.values(n))
	return p
}

// setBytes sets the width of encInts to the bytes that span takes.
func (p *colPlan) setBytes(span uint64, n int) {
	p.enc, p.width = encInts, byte((bits.Len64(span)+7)/8)
	if p.width == 8 {
		p.base = 0
	}
	p.size = uint64(pad8(n * int(p.width)))
}

// setWidth is setBytes for values of at most 32 bits, of widths that are a type's.
func (p *colPlan) setWidth(span uint64, n int) {
	p.enc = encInts
	switch l := bits.Len64(span); {
	case l == 0:
		p.width = 0
	case l <= 8:
		p.width = 1
	case l <= 16:
		p.width = 2
	default:
		p.width = 4
	}
	p.size = uint64(pad8(n * int(p.width)))
}

// planInts narrows by frame of reference; nulls do not count.
func (p *colPlan) planInts(v []uint64, valid []byte) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	var a, b uint64
	if valid == nil {
		lo2, hi2 := lo, hi
		i := 0
		for ; i+1 < len(v); i += 2 {
			x, y := v[i], v[i+1]
			lo, hi, a = min(lo, int64(x)), max(hi, int64(x)), a+x
			lo2, hi2, b = min(lo2, int64(y)), max(hi2, int64(y)), b+y
		}
		lo, hi = min(lo, lo2), max(hi, hi2)
		if i < len(v) {
			lo, hi, a = min(lo, int64(v[i])), max(hi, int64(v[i])), a+v[i]
		}
	} else {
		for i, x := range v {
			if valid[i] != 0 {
				lo, hi, a = min(lo, int64(x)), max(hi, int64(x)), a+x
			}
		}
	}
	p.sum = a + b
	if lo > hi { // all null
		lo, hi = 0, 0
	}
	p.base = uint64(lo)
	p.setBytes(uint64(hi)-uint64(lo), len(v))
}

// planFloats takes 4 bytes where that is exact, else frames their bits: numbers of one sign and of magnitudes not too far apart
// differ in seven bytes, and a constant in none.
func (p *colPlan) planFloats(v []uint64, valid []byte, narrow bool) {
	lo, hi := uint64(math.MaxUint64), uint64(0)
	for i, x := range v {
		p.sum += x
		if valid == nil || valid[i] != 0 {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	p.base = min(lo, hi)
	p.setBytes(hi-p.base, len(v))
	if narrow && p.width > 4 && allFloat4(v) {
		p.enc, p.base, p.width, p.size = encFloat4, 0, 4, uint64(pad8(4*len(v)))
	}
}

func allFloat4(v []uint64) bool {
	for _, x := range v {
		if math.Float64bits(float64(float32(math.Float64frombits(x)))) != x {
			return false
		}
	}
	return true
}

func (p *colPlan) planLengths(lens []uint32) {
	lo, hi, total := uint32(math.MaxUint32), uint32(0), uint64(0)
	for _, n := range lens {
		lo, hi, total = min(lo, n), max(hi, n), total+uint64(n)
	}
	lo = min(lo, hi)
	p.base, p.data = uint64(lo), total
	p.setWidth(uint64(hi-lo), len(lens))
	p.enc = encBytes
	p.size += uint64(pad8(int(total)))
}

// encodeColumn writes column c of a tail to dst, which has the planned size. Of flat
// variable columns it writes all but the values, which splitHeap does for all together.
func (s *Store) encodeColumn(w *worker, t *tail, c int, dst []byte) {
	spec, n, p := &s.cols[c], t.n, &w.plans[c]
	p.put(dst)
	dst = dst[columnHeader:]
	var valid []byte
	if p.flags&flagNulls != 0 {
		valid = t.validity(c)[:n]
		packBits(dst[:p.values(n)], valid)
		dst = dst[p.values(n):]
	}
	raw := t.column(c, spec)[:n*spec.width]
	switch p.enc {
	case encBits:
		packBits(dst[:pad8(batch.BitmapLen(n))], raw)
	case encWide:
		copy(dst, raw)
	case encFloat4:
		out := batch.View[float32](dst[:4*n])
		for i, x := range batch.View[uint64](raw) {
			out[i] = float32(math.Float64frombits(x))
		}
		clear(dst[4*n : pad8(4*n)])
	case encInts:
		packInts(dst, batch.View[uint64](raw), valid, p)
	case encBytes:
		lens := batch.View[uint32](raw)
		packLengths(dst, lens, p)
		dst = dst[pad8(n*int(p.width)):]
		clear(dst[p.data:pad8(int(p.data))])
		w.lens[spec.varIdx], w.heaps[spec.varIdx] = lens, dst[:p.data]
	case encCodes:
		packCodes(dst, batch.View[uint32](raw), valid, p)
	}
}

// sumHeaps completes the sums of the flat variable columns of the block in dst.
func (s *Store) sumHeaps(w *worker, t *tail, dst []byte) {
	at := blockHeader
	for c := range s.cols {
		p := &w.plans[c]
		end := at + columnHeader + int(p.size)
		if v := s.cols[c].varIdx; v >= 0 && p.enc == encBytes {
			p.sum = sumValues(w.lens[v], dst[end-pad8(int(p.data)):end])
			binary.LittleEndian.PutUint64(dst[at+sumAt:], p.sum)
			w.lens[v], w.heaps[v] = nil, nil
		}
		at = end
	}
}

// sumValues is sumRows for values that lie one after the other.
func sumValues(lens []uint32, data []byte) uint64 {
	sum := uint64(0)
	for _, n := range lens {
		if n >= 8 {
			sum += digestLong(data[:n])
		} else {
			sum += digestBytes(data[:n])
		}
		data = data[n:]
	}
	return sum
}

// packBits turns one byte a row into a bitmap that fills dst.
func packBits(dst, src []byte) {
	for i := range dst {
		if 8*i+8 <= len(src) {
			w := binary.LittleEndian.Uint64(src[8*i:])
			dst[i] = byte(w * 0x0102040810204080 >> 56)
			continue
		}
		dst[i] = 0
		for j := 8 * i; j < len(src); j++ {
			dst[i] |= src[j] << (j & 7)
		}
	}
}

func packInts(dst []byte, v []uint64, valid []byte, p *colPlan) {
	n := len(v)
	switch p.width {
	case 1:
		packDeltas(dst[:n], v, valid, p.base)
	case 2:
		packDeltas(batch.View[uint16](dst[:2*n]), v, valid, p.base)
	case 4:
		packDeltas(batch.View[uint32](dst[:4*n]), v, valid, p.base)
	case 3, 5, 6, 7:
		packBytes(dst[:n*int(p.width)], v, valid, p)
	case 8:
		copy(dst, batch.BytesOf(v))
	}
	clear(dst[n*int(p.width) : pad8(n*int(p.width))])
}

// packBytes writes deltas of a width that no type has: each with eight bytes, of which the next one overwrites what is
// too much, and the last ones byte by byte. About 1 ns a value.
func packBytes(dst []byte, v []uint64, valid []byte, p *colPlan) {
	width, i := int(p.width), 0
	for ; i*width+8 <= len(dst); i++ {
		x := v[i] - p.base
		if valid != nil {
			x &= -uint64(valid[i])
		}
		binary.LittleEndian.PutUint64(dst[i*width:], x)
	}
	for ; i < len(v); i++ {
		x := v[i] - p.base
		if valid != nil {
			x &= -uint64(valid[i])
		}
		for b := range width {
			dst[i*width+b] = byte(x >> (8 * b))
		}
	}
}

func packDeltas[T uint8 | uint16 | uint32](dst []T, v []uint64, valid []byte, base uint64) {
	dst = dst[:len(v)]
	if valid == nil {
		for i, x := range v {
			dst[i] = T(x - base)
		}
		return
	}
	valid = valid[:len(v)]
	for i, x := range v {
		dst[i] = T(x-base) & -T(valid[i])
	}
}

func packLengths(dst []byte, lens []uint32, p *colPlan) {
	n := len(lens)
	switch p.width {
	case 1:
		packLens(dst[:n], lens, uint32(p.base))
	case 2:
		packLens(batch.View[uint16](dst[:2*n]), lens, uint32(p.base))
	case 4:
		packLens(batch.View[uint32](dst[:4*n]), lens, uint32(p.base))
	}
	clear(dst[n*int(p.width) : pad8(n*int(p.width))])
}

func packLens[T uint8 | uint16 | uint32](dst []T, lens []uint32, base uint32) {
	for i, n := range lens {
		dst[i] = T(n - base)
	}
}
