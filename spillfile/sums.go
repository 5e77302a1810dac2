package spillfile

import (
	"encoding/binary"

	"pqjoin/batch"
)

// Column sums do not depend on the order of rows, and wrap. They are computed of what
// came in, of what was sealed and of what was loaded, so that a row lost, repeated or
// changed on the way is an error and never a wrong result. Nulls count as nothing.

const (
	mix1 = 0x9e3779b97f4a7c15
	mix2 = 0xc2b2ae3d27d4eb4f
)

// sumRows returns the sum of rows [lo, hi) of c.
func sumRows(c *batch.Column, lo, hi int) uint64 {
	switch bytes := c.Type.Kind() == batch.KindBytes; {
	case bytes && c.Dict == nil && c.Valid == nil:
		return sumFlat(c.Off[lo:hi+1], c.Data)
	case bytes || c.Dict != nil:
		return sumSlow(c, lo, hi)
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return sumFixed(c.Fixed[lo:hi], c.Valid, lo)
	case batch.KindInt128:
		sum := uint64(0)
		for i, v := range c.Int128s()[lo:hi] {
			if c.Valid == nil || !c.IsNull(lo+i) {
				sum += digest128(v)
			}
		}
		return sum
	default:
		return sumFixed(batch.View[uint64](c.Fixed)[lo:hi], c.Valid, lo)
	}
}

func sumFixed[T uint8 | uint64](v []T, valid []byte, lo int) uint64 {
	if valid == nil {
		return sumAll(v)
	}
	sum := uint64(0)
	for i, x := range v {
		j := lo + i
		sum += uint64(x) & -uint64(valid[j>>3]>>(j&7)&1)
	}
	return sum
}

func sumAll[T uint8 | uint64](v []T) uint64 {
	var a, b, c, d uint64
	for len(v) >= 4 {
		a, b, c, d = a+uint64(v[0]), b+uint64(v[1]), c+uint64(v[2]), d+uint64(v[3])
		v = v[4:]
	}
	for _, x := range v {
		a += uint64(x)
	}
	return a + b + c + d
}

func digest128(v batch.Int128) uint64 { return v.Lo + uint64(v.Hi)*mix1 }

// digestBytes covers the length and up to 8 bytes at either end.
func digestBytes(v []byte) uint64 {
	n := uint64(len(v))
	switch {
	case n >= 8:
		return digestLong(v)
	case n >= 4:
		first, last := binary.LittleEndian.Uint32(v), binary.LittleEndian.Uint32(v[n-4:])
		return (n+uint64(first))*mix1 + uint64(last)*mix2
	case n > 0:
		return (n+uint64(v[0]))*mix1 + (uint64(v[n/2])<<8|uint64(v[n-1]))*mix2
	}
	return 0 // as a null
}

// digestLong is digestBytes of 8 bytes or more, for loops: it is inlined.
func digestLong(v []byte) uint64 {
	return (uint64(len(v))+binary.LittleEndian.Uint64(v))*mix1 + binary.LittleEndian.Uint64(v[len(v)-8:])*mix2
}

// sumFlat sums values of bytes between offsets, about 3 ns for each of 8 bytes or more.
func sumFlat(off []uint32, data []byte) (sum uint64) {
	from := off[0]
	for _, to := range off[1:] {
		if v := data[from:to]; len(v) >= 8 {
			sum += digestLong(v)
		} else {
			sum += digestBytes(v)
		}
		from = to
	}
	return sum
}

// sumSlow goes value by value: bytes with nulls and dictionaries.
func sumSlow(c *batch.Column, lo, hi int) uint64 {
	sum := uint64(0)
	if c.Dict != nil && c.Dict.N == 0 {
		return 0 // every row is null
	}
	for i := lo; i < hi; i++ {
		if c.Valid != nil && c.IsNull(i) {
			continue
		}
		switch c.Type.Kind() {
		case batch.KindBytes:
			sum += digestBytes(c.Value(i))
		case batch.KindBool:
			sum += uint64(c.Dict.Fixed[c.Codes[i]])
		case batch.KindInt128:
			sum += digest128(batch.View[batch.Int128](c.Dict.Fixed)[c.Codes[i]])
		default:
			sum += batch.View[uint64](c.Dict.Fixed)[c.Codes[i]]
		}
	}
	return sum
}
