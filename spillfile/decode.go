package spillfile

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"
)

// colReader decodes one column of a block, stretch by stretch.
type colReader struct {
	colPlan
	spec   *colSpec
	n      int    // rows of the block
	bitmap []byte // nil: no nulls
	values []byte
	bytes  []byte      // data of encBytes
	dict   *dictionary // of encCodes
	row    int         // the data position data0 belongs to this row
	data0  int
	got    uint64 // sum of what has been decoded
}

// openColumns finds columns in the payload of a block of n rows: column c of the store goes to out at want[c]-1,
// where that is not negative. The string says what is wrong, if anything.
func openColumns(s *Store, out []colReader, want []int, n int, payload []byte) string {
	specs := s.cols
	for c := range specs {
		if len(payload) < columnHeader {
			return "a column is missing"
		}
		p := getPlan(payload)
		payload = payload[columnHeader:]
		if p.size > uint64(len(payload)) {
			return "a column is cut off"
		}
		if p.size%8 != 0 {
			return "a column has the wrong length"
		}
		if i := want[c]; i > 0 {
			r := &out[i-1]
			*r = colReader{colPlan: p, spec: &specs[c], n: n}
			if v := specs[c].varIdx; v >= 0 && s.dicts != nil {
				r.dict = s.dicts[v]
			}
			if !r.open(payload[:p.size]) {
				return "a column has the wrong length"
			}
		}
		payload = payload[p.size:]
	}
	if len(payload) != 0 {
		return "there is more than the columns"
	}
	return ""
}

// fits says whether the column can lie as its header says.
func (r *colReader) fits() bool {
	narrow := r.width <= 2 || r.width == 4
	switch r.spec.kind {
	case batch.KindBool:
		return r.enc == encBits
	case batch.KindInt64:
		return r.enc == encInts && r.width <= 8
	case batch.KindFloat64:
		return r.enc == encInts && r.width <= 8 || r.enc == encFloat4 && r.width == 4
	case batch.KindInt128:
		return r.enc == encWide && r.width == 16
	case batch.KindBytes:
		return narrow && (r.enc == encBytes && r.base <= math.MaxUint32 || r.enc == encCodes && r.dict != nil && r.base < uint64(r.dict.n))
	}
	return false
}

// open finds the parts of the column in its bytes, and says whether it can be decoded.
func (r *colReader) open(b []byte) bool {
	at := r.colPlan.values(r.n)
	if at > len(b) || !r.fits() {
		return false
	}
	if at > 0 {
		r.bitmap = b[:at]
	}
	switch r.enc {
	case encBits:
		r.values = b[at:]
		return len(r.values) == pad8(batch.BitmapLen(r.n))
	case encCodes:
		r.values = b[at:]
		return len(r.values) == pad8(int(r.width)*r.n)
	}
	end := at + pad8(int(r.width)*r.n)
	if end > len(b) || r.data > uint64(len(b)-end) {
		return false
	}
	r.values, r.bytes = b[at:end], b[end:end+int(r.data)]
	return true
}

// nullsIn returns the nulls among rows [from, from+n).
func (r *colReader) nullsIn(from, n int) int {
	if r.bitmap == nil {
		return 0
	}
	ones := 0
	for i := from; i < from+n; i++ {
		ones += int(r.bitmap[i>>3] >> (i & 7) & 1)
	}
	return n - ones
}

// dataIn returns the bytes of the values of rows [from, from+n) of a column of KindBytes. Lengths that cannot be may make it more than there are.
func (r *colReader) dataIn(from, n int) int {
	if r.enc == encCodes {
		return r.codesData(from, n)
	}
	sum := n * int(r.base)
	switch r.width {
	case 1:
		sum += sumInts(r.values[from : from+n])
	case 2:
		sum += sumInts(batch.View[uint16](r.values)[from : from+n])
	case 4:
		sum += sumInts(batch.View[uint32](r.values)[from : from+n])
	}
	return sum
}

func sumInts[T uint8 | uint16 | uint32](v []T) (sum int) {
	for _, x := range v {
		sum += int(x)
	}
	return sum
}

// into decodes rows [from, from+n) to rows [row, row+n) of out, whose bytes so far end
// at data; it returns where they end now, or -1 where the block's lengths cannot be.
func (r *colReader) into(out *batch.Column, row, data, from, n int) int {
	nulls := r.nullsIn(from, n)
	if out.Valid != nil {
		if r.bitmap != nil {
			batch.CopyBits(out.Valid, row, r.bitmap, from, n)
		} else {
			setOnes(out.Valid, row, n)
		}
	}
	switch r.enc {
	case encBits:
		r.unpackBits(out.Fixed[row:row+n], from)
	case encWide:
		dst := out.Int128s()[row : row+n]
		copy(dst, batch.View[batch.Int128](r.values)[from:from+n])
		for _, v := range dst {
			r.got += digest128(v)
		}
	case encFloat4:
		dst := out.Float64s()[row : row+n]
		for i, v := range batch.View[float32](r.values)[from : from+n] {
			dst[i] = float64(v)
			r.got += math.Float64bits(dst[i])
		}
	case encInts:
		r.unpackInts(batch.View[uint64](out.Fixed)[row:row+n], from)
		r.got -= uint64(nulls) * r.base // they were left at the base
	case encBytes:
		return r.unpackBytes(out, row, data, from, n)
	case encCodes:
		return r.unpackCodes(out, row, data, from, n, nulls)
	}
	return data
}

func (r *colReader) unpackBits(dst []byte, from int) {
	for i := range dst {
		j := from + i
		dst[i] = r.values[j>>3] >> (j & 7) & 1
	}
	r.got += sumAll(dst)
}

func (r *colReader) unpackInts(dst []uint64, from int) {
	switch r.width {
	case 0:
		for i := range dst {
			dst[i] = r.base
		}
		r.got += uint64(len(dst)) * r.base
	case 1:
		r.got += unpackDeltas(dst, r.values[from:], r.base)
	case 2:
		r.got += unpackDeltas(dst, batch.View[uint16](r.values)[from:], r.base)
	case 4:
		r.got += unpackDeltas(dst, batch.View[uint32](r.values)[from:], r.base)
	case 3, 5, 6, 7:
		r.got += r.unpackWide(dst, r.values[from*int(r.width):])
	case 8:
		copy(dst, batch.View[uint64](r.values)[from:])
		r.got += sumAll(dst)
	}
}

// unpackWide is unpackDeltas of a width that no type has. About 1 ns a value.
func (r *colReader) unpackWide(dst []uint64, src []byte) (sum uint64) {
	width, base, i := int(r.width), r.base, 0
	mask := uint64(1)<<(8*width) - 1
	for ; i < len(dst) && len(src) >= 8; i++ {
		x := base + binary.LittleEndian.Uint64(src)&mask
		dst[i] = x
		sum += x
		src = src[width:]
	}
	for ; i < len(dst); i++ {
		x := base
		for b, y := range src[:width] {
			x += uint64(y) << (8 * b)
		}
		dst[i] = x
		sum += x
		src = src[width:]
	}
	return sum
}

func unpackDeltas[T uint8 | uint16 | uint32](dst []uint64, src []T, base uint64) (sum uint64) {
	src = src[:len(dst)]
	for i, v := range src {
		x := base + uint64(v)
		dst[i] = x
		sum += x
	}
	return sum
}

func (r *colReader) unpackBytes(out *batch.Column, row, data, from, n int) int {
	if out.Dict != nil { // not a block of codes
		return -1
	}
	off := out.Off[row+1 : row+n+1]
	switch r.width {
	case 0:
		unpackOffsets(off, make([]uint8, 0), uint32(r.base), uint32(data))
	case 1:
		unpackOffsets(off, r.values[from:from+n], uint32(r.base), uint32(data))
	case 2:
		unpackOffsets(off, batch.View[uint16](r.values)[from:from+n], uint32(r.base), uint32(data))
	case 4:
		unpackOffsets(off, batch.View[uint32](r.values)[from:from+n], uint32(r.base), uint32(data))
	}
	if from != r.row {
		r.row, r.data0 = from, r.dataIn(0, from)
	}
	end := data
	if n > 0 {
		end = int(off[n-1])
	}
	if end < data || r.data0+end-data > len(r.bytes) || end > len(out.Data) {
		return -1
	}
	copy(out.Data[data:end], r.bytes[r.data0:])
	at := data
	for _, o := range off {
		if int(o) < at || int(o) > end {
			return -1
		}
		if v := out.Data[at:o]; len(v) >= 8 {
			r.got += digestLong(v)
		} else {
			r.got += digestBytes(v)
		}
		at = int(o)
	}
	r.row, r.data0 = from+n, r.data0+end-data
	return end
}

// unpackOffsets turns lengths into offsets that begin at at; no lengths mean base for each.
func unpackOffsets[T uint8 | uint16 | uint32](off []uint32, lens []T, base, at uint32) {
	if len(lens) == 0 {
		for i := range off {
			at += base
			off[i] = at
		}
		return
	}
	for i, n := range lens {
		at += base + uint32(n)
		off[i] = at
	}
}

// setOnes sets bits [from, from+n) of m.
func setOnes(m []byte, from, n int) {
	for i := from; i < from+n; {
		if i&7 == 0 && i+8 <= from+n {
			m[i>>3] = 0xff
			i += 8
			continue
		}
		m[i>>3] |= 1 << (i & 7)
		i++
	}
}
