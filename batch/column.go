package batch

import (
	"math/bits"
	"unsafe"

	"pqjoin/mem"
)

// Column is an immutable vector of N values of one type. Its memory lies in pool
// buffers that it holds by reference count: whoever receives a Column owns one
// reference and calls Release; Retain adds one.
//
// Exactly one of three layouts holds the values:
//
//	fixed width       Fixed: N values of Kind().Width() bytes, native order
//	variable width    Off: N+1 offsets into Data
//	dictionary        Codes: N indexes into Dict, a Column of the same type without nulls
//
// A null row's value (and its code) is unspecified but safe to read: codes are in range, offsets ascend.
type Column struct {
	Type  Type
	N     int
	Nulls int    // rows that are null
	Valid []byte // bitmap, least significant bit first, 1 = not null; nil where Nulls == 0. Bits past N are zero.
	Fixed []byte
	Off   []uint32
	Data  []byte
	Codes []uint32
	Dict  *Column

	bufs []*mem.Buf
}

// Adopt hands the column one reference to each buffer; Release drops them.
func (c *Column) Adopt(bufs ...*mem.Buf) { c.bufs = append(c.bufs, bufs...) }

// Retain adds a reference to the column's memory and returns the column.
func (c *Column) Retain() *Column {
	for _, b := range c.bufs {
		b.Retain()
	}
	if c.Dict != nil {
		c.Dict.Retain()
	}
	return c
}

// Release drops a reference. Nil is fine.
func (c *Column) Release() {
	if c == nil {
		return
	}
	for _, b := range c.bufs {
		b.Release()
	}
	c.Dict.Release()
}

// Bytes returns the pool bytes charged for the column, its dictionary included.
func (c *Column) Bytes() int64 {
	var n int64
	for _, b := range c.bufs {
		n += b.Size()
	}
	if c.Dict != nil {
		n += c.Dict.Bytes()
	}
	return n
}

// IsNull says whether row i is null.
func (c *Column) IsNull(i int) bool {
	return c.Valid != nil && c.Valid[i>>3]>>(i&7)&1 == 0
}

// Int64s returns the values of a KindInt64 column.
func (c *Column) Int64s() []int64 { return view[int64](c.Fixed, c.N) }

// Float64s returns the values of a KindFloat64 column.
func (c *Column) Float64s() []float64 { return view[float64](c.Fixed, c.N) }

// Bools returns the values of a KindBool column, 0 or 1 each.
func (c *Column) Bools() []byte { return c.Fixed[:c.N] }

// Int128s returns the values of a KindInt128 column.
func (c *Column) Int128s() []Int128 { return view[Int128](c.Fixed, c.N) }

// Value returns the bytes of row i of a KindBytes column, through the dictionary where there is one.
func (c *Column) Value(i int) []byte {
	if c.Dict != nil {
		return c.Dict.Value(int(c.Codes[i]))
	}
	return c.Data[c.Off[i]:c.Off[i+1]]
}

// view reinterprets the first n values of b. Pool and Go memory of such sizes is aligned.
func view[T any](b []byte, n int) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// View reinterprets b as values of T, which must hold no pointers; b must be aligned for T.
func View[T any](b []byte) []T {
	var t T
	return view[T](b, len(b)/int(unsafe.Sizeof(t)))
}

// BytesOf reinterprets values, which must hold no pointers, as bytes.
func BytesOf[T any](v []T) []byte {
	var t T
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(t)))
}

// BitmapLen returns the bytes of a bitmap of n bits.
func BitmapLen(n int) int { return (n + 7) / 8 }

// CountBits returns the ones among the first n bits of m.
func CountBits(m []byte, n int) int {
	ones, i := 0, 0
	for words := View[uint64](m[:n/64*8]); i < len(words); i++ {
		ones += bits.OnesCount64(words[i])
	}
	for j := i * 64; j < n; j++ {
		ones += int(m[j>>3] >> (j & 7) & 1)
	}
	return ones
}

// Slice returns rows [i, j) as a column of its own, which shares the memory (and so
// retains it) except that a bitmap which does not begin at a byte is copied.
func (c *Column) Slice(acct *mem.Account, i, j int) (*Column, error) {
	out := &Column{Type: c.Type, N: j - i, Dict: c.Dict, Data: c.Data}
	if w := c.Type.Kind().Width(); w > 0 && c.Dict == nil {
		out.Fixed = c.Fixed[i*w : j*w]
	}
	if c.Off != nil {
		out.Off = c.Off[i : j+1]
	}
	if c.Codes != nil {
		out.Codes = c.Codes[i:j]
	}
	var own *mem.Buf
	if c.Valid != nil {
		var err error
		if own, err = out.sliceValid(acct, c, i, j); err != nil {
			return nil, err
		}
	}
	c.Retain()
	out.bufs = append(out.bufs, c.bufs...)
	if own != nil {
		out.bufs = append(out.bufs, own)
	}
	return out, nil
}

func (c *Column) sliceValid(acct *mem.Account, from *Column, i, j int) (*mem.Buf, error) {
	n := j - i
	ones := 0
	whole := i%8 == 0 && (j == from.N || j%8 == 0)
	if whole {
		m := from.Valid[i/8 : i/8+BitmapLen(n)]
		ones = CountBitsUnaligned(m, n)
		if c.Nulls = n - ones; c.Nulls > 0 {
			c.Valid = m
		}
		return nil, nil
	}
	buf, err := acct.Alloc(BitmapLen(n))
	if err != nil {
		return nil, err
	}
	m := buf.Bytes()
	CopyBits(m, 0, from.Valid, i, n)
	if r := n % 8; r != 0 {
		m[len(m)-1] &= 1<<r - 1
	}
	if c.Nulls = n - CountBits(m, n); c.Nulls == 0 {
		buf.Release()
		return nil, nil
	}
	c.Valid = m
	return buf, nil
}

// CountBitsUnaligned is CountBits for a bitmap at any address.
func CountBitsUnaligned(m []byte, n int) int {
	ones := 0
	for _, b := range m[:n/8] {
		ones += bits.OnesCount8(b)
	}
	if r := n % 8; r != 0 {
		ones += bits.OnesCount8(m[n/8] & (1<<r - 1))
	}
	return ones
}

// CopyBits copies n bits from src at bit s to dst at bit d. Other bits of dst stay as they are.
func CopyBits(dst []byte, d int, src []byte, s, n int) {
	for n > 0 && (d&7 != 0 || n < 8) {
		setBit(dst, d, src[s>>3]>>(s&7)&1)
		d, s, n = d+1, s+1, n-1
	}
	if n <= 0 {
		return
	}
	full, r := n/8, s&7
	out, in := dst[d/8:d/8+full], src[s/8:]
	if r == 0 {
		copy(out, in)
	} else {
		for k := range out {
			out[k] = in[k]>>r | in[k+1]<<(8-r)
		}
	}
	for k := full * 8; k < n; k++ {
		setBit(dst, d+k, src[(s+k)>>3]>>((s+k)&7)&1)
	}
}

func setBit(m []byte, i int, v byte) {
	m[i>>3] = m[i>>3]&^(1<<(i&7)) | v<<(i&7)
}

// FillBits sets the first n bits of m to one and the rest of its last byte to zero.
func FillBits(m []byte, n int) {
	for i := range m[:n/8] {
		m[i] = 0xff
	}
	if r := n % 8; r != 0 {
		m[n/8] = 1<<r - 1
	}
}
