package batch

import (
	"fmt"
	"math"

	"pqjoin/mem"
)

// MaxData is the most bytes of Data a column may have: offsets are 32 bits.
const MaxData = math.MaxUint32

// NewFixed returns a column of n rows of a fixed-width type without nulls, its values
// undefined, for the caller to fill before handing it on.
func NewFixed(acct *mem.Account, t Type, n int) (*Column, error) {
	w := t.Kind().Width()
	if w == 0 {
		panic(fmt.Sprintf("batch: NewFixed of %s", t))
	}
	buf, err := acct.Alloc(n * w)
	if err != nil {
		return nil, err
	}
	c := &Column{Type: t, N: n, Fixed: buf.Bytes()}
	c.Adopt(buf)
	return c, nil
}

// NewVar returns a column of n rows of a variable-width type without nulls, with
// undefined offsets and room for dataLen bytes, for the caller to fill.
func NewVar(acct *mem.Account, t Type, n, dataLen int) (*Column, error) {
	if int64(dataLen) > MaxData {
		return nil, fmt.Errorf("batch: %d bytes of %s in one batch, at most %d", dataLen, t, int64(MaxData))
	}
	off, err := acct.Alloc(4 * (n + 1))
	if err != nil {
		return nil, err
	}
	data, err := acct.Alloc(dataLen)
	if err != nil {
		off.Release()
		return nil, err
	}
	c := &Column{Type: t, N: n, Off: view[uint32](off.Bytes(), n+1), Data: data.Bytes()}
	c.Adopt(off, data)
	return c, nil
}

// NewCodes returns a dictionary column of n rows with undefined codes. It takes over one reference to dict.
func NewCodes(acct *mem.Account, dict *Column, n int) (*Column, error) {
	buf, err := acct.Alloc(4 * n)
	if err != nil {
		return nil, err
	}
	c := &Column{Type: dict.Type, N: n, Codes: view[uint32](buf.Bytes(), n), Dict: dict}
	c.Adopt(buf)
	return c, nil
}

// NewValid gives c a bitmap of N bits, all zero, for the caller to fill; SetNulls completes it.
func (c *Column) NewValid(acct *mem.Account) error {
	buf, err := acct.Alloc(BitmapLen(c.N))
	if err != nil {
		return err
	}
	c.Valid = buf.Bytes()
	clear(c.Valid)
	c.Adopt(buf)
	return nil
}

// SetNulls counts the nulls of the bitmap and drops it where there are none. It returns c.
func (c *Column) SetNulls() *Column {
	if c.Valid == nil {
		c.Nulls = 0
		return c
	}
	if c.Nulls = c.N - CountBitsUnaligned(c.Valid, c.N); c.Nulls == 0 {
		c.Valid = nil
	}
	return c
}

// Zeros returns a column of n zeros or empty values.
func Zeros(acct *mem.Account, t Type, n int) (*Column, error) {
	if t.Kind() == KindBytes {
		c, err := NewVar(acct, t, n, 0)
		if err != nil {
			return nil, err
		}
		clear(c.Off)
		return c, nil
	}
	c, err := NewFixed(acct, t, n)
	if err != nil {
		return nil, err
	}
	clear(c.Fixed)
	return c, nil
}

// Empty returns a batch of no rows.
func Empty(acct *mem.Account, schema *Schema) (*Batch, error) { return Concat(acct, schema, nil) }

// ShareNulls gives c, which has no nulls yet, the nulls of from, which has as many rows: they share the bitmap. It returns c.
func (c *Column) ShareNulls(from *Column) *Column {
	if from.Valid == nil {
		return c
	}
	c.Valid, c.Nulls = from.Valid, from.Nulls
	for _, b := range from.bufs {
		b.Retain()
		c.bufs = append(c.bufs, b)
	}
	return c
}

// AllNull returns a column of n nulls.
func AllNull(acct *mem.Account, t Type, n int) (*Column, error) {
	c, err := Zeros(acct, t, n)
	if err != nil || n == 0 {
		return c, err
	}
	if err := c.NewValid(acct); err != nil {
		c.Release()
		return nil, err
	}
	c.Nulls = n
	return c, nil
}

// Missing is the row index that Gather turns into null.
const Missing = math.MaxUint32

// Gather returns the rows of c at idx, in that order; an index of Missing gives null
// where mayMiss is true (without it idx must have none). Cost: about 1 ns a row for
// fixed widths while c fits the cache.
func Gather(acct *mem.Account, c *Column, idx []uint32, mayMiss bool) (*Column, error) {
	if c.N == 0 {
		return AllNull(acct, c.Type, len(idx))
	}
	out, err := gatherValues(acct, c, idx, mayMiss)
	if err != nil {
		return nil, err
	}
	return out.gatherNulls(acct, c, idx, mayMiss)
}

// gatherNulls gives c, whose reference it takes over on failure, the nulls of the rows of from at idx.
func (c *Column) gatherNulls(acct *mem.Account, from *Column, idx []uint32, mayMiss bool) (*Column, error) {
	if from.Valid == nil && !mayMiss {
		return c, nil
	}
	if err := c.NewValid(acct); err != nil {
		c.Release()
		return nil, err
	}
	gatherValid(c.Valid, from.Valid, idx)
	return c.SetNulls(), nil
}

func gatherValid(dst, src []byte, idx []uint32) {
	for i, j := range idx {
		if j != Missing && (src == nil || src[j>>3]>>(j&7)&1 == 1) {
			dst[i>>3] |= 1 << (i & 7)
		}
	}
}

func gatherValues(acct *mem.Account, c *Column, idx []uint32, mayMiss bool) (*Column, error) {
	if c.Dict != nil {
		out, err := NewCodes(acct, c.Dict, len(idx))
		if err != nil {
			return nil, err
		}
		c.Dict.Retain()
		gatherFixed(out.Codes, c.Codes, idx, mayMiss)
		return out, nil
	}
	if c.Type.Kind() == KindBytes {
		return gatherBytes(acct, c, idx)
	}
	out, err := NewFixed(acct, c.Type, len(idx))
	if err != nil {
		return nil, err
	}
	switch c.Type.Kind().Width() {
	case 1:
		gatherFixed(out.Fixed, c.Fixed, idx, mayMiss)
	case 8:
		gatherFixed(view[uint64](out.Fixed, out.N), view[uint64](c.Fixed, c.N), idx, mayMiss)
	case 16:
		gatherFixed(out.Int128s(), c.Int128s(), idx, mayMiss)
	}
	return out, nil
}

func gatherFixed[T any](dst, src []T, idx []uint32, mayMiss bool) {
	dst = dst[:len(idx)]
	if !mayMiss {
		for i, j := range idx {
			dst[i] = src[j]
		}
		return
	}
	var zero T
	for i, j := range idx {
		if j == Missing {
			dst[i] = zero
		} else {
			dst[i] = src[j]
		}
	}
}

// GatherBatch gathers every column of b.
func GatherBatch(acct *mem.Account, b *Batch, idx []uint32) (*Batch, error) {
	out := &Batch{Schema: b.Schema, Cols: make([]*Column, 0, len(b.Cols)), N: len(idx)}
	for _, c := range b.Cols {
		g, err := Gather(acct, c, idx, false)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, g)
	}
	return out, nil
}

// Flatten returns c without a dictionary; the result has a reference of its own.
func Flatten(acct *mem.Account, c *Column) (*Column, error) {
	if c.Dict == nil {
		return c.Retain(), nil
	}
	out, err := Gather(acct, c.Dict, c.Codes[:c.N], false)
	if err != nil {
		return nil, err
	}
	if c.Valid == nil {
		return out, nil
	}
	if out.N != c.N { // an empty dictionary: every row is null
		panic("batch: dictionary column of the wrong length")
	}
	buf, err := acct.Alloc(BitmapLen(c.N))
	if err != nil {
		out.Release()
		return nil, err
	}
	copy(buf.Bytes(), c.Valid)
	out.Adopt(buf)
	out.Valid, out.Nulls = buf.Bytes(), c.Nulls
	return out, nil
}

// Concat returns the rows of all batches, which must share a schema, as one batch of
// flat columns. The callers' references stay theirs.
func Concat(acct *mem.Account, schema *Schema, parts []*Batch) (*Batch, error) {
	out := &Batch{Schema: schema, Cols: make([]*Column, 0, len(schema.Fields))}
	for _, p := range parts {
		out.N += p.N
	}
	for i, f := range schema.Fields {
		c, err := concatColumn(acct, f.Type, out.N, parts, i)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, c)
	}
	return out, nil
}

func concatColumn(acct *mem.Account, t Type, n int, parts []*Batch, at int) (*Column, error) {
	nulls, data := 0, int64(0)
	for _, p := range parts {
		c := p.Cols[at]
		nulls += c.Nulls
		if t.Kind() == KindBytes {
			data += DataLen(c)
		}
	}
	var out *Column
	var err error
	if t.Kind() != KindBytes {
		out, err = NewFixed(acct, t, n)
	} else if data > MaxData {
		err = fmt.Errorf("batch: %d bytes of %s in one batch, at most %d", data, t, int64(MaxData))
	} else {
		out, err = NewVar(acct, t, n, int(data))
	}
	if err != nil {
		return nil, err
	}
	if nulls > 0 {
		if err := out.NewValid(acct); err != nil {
			out.Release()
			return nil, err
		}
	}
	row, pos := 0, uint32(0)
	if out.Off != nil {
		out.Off[0] = 0
	}
	for _, p := range parts {
		c := p.Cols[at]
		pos = copyRows(out, row, pos, c)
		if nulls > 0 {
			copyValid(out.Valid, row, c)
		}
		row += c.N
	}
	out.Nulls = nulls
	return out, nil
}

// DataLen returns the bytes of the values of a KindBytes column.
func DataLen(c *Column) int64 {
	if c.Dict == nil {
		return int64(c.Off[c.N] - c.Off[0])
	}
	n := int64(0)
	for _, k := range c.Codes[:c.N] {
		n += int64(c.Dict.Off[k+1] - c.Dict.Off[k])
	}
	return n
}

func copyRows(out *Column, row int, pos uint32, c *Column) uint32 {
	w := c.Type.Kind().Width()
	switch {
	case w > 0 && c.Dict == nil:
		copy(out.Fixed[row*w:], c.Fixed[:c.N*w])
	case w > 0:
		for i := range c.N {
			k := int(c.Codes[i])
			copy(out.Fixed[(row+i)*w:(row+i+1)*w], c.Dict.Fixed[k*w:])
		}
	case c.Dict == nil:
		base := c.Off[0]
		copy(out.Data[pos:], c.Data[base:c.Off[c.N]])
		for i, o := range c.Off[1 : c.N+1] {
			out.Off[row+i+1] = pos + (o - base)
		}
		pos += c.Off[c.N] - base
	default:
		for i := range c.N {
			k := c.Codes[i]
			from := c.Dict.Off[k]
			n := c.Dict.Off[k+1] - from
			CopyShort(out.Data, int(pos), c.Dict.Data, int(from), int(n))
			pos += n
			out.Off[row+i+1] = pos
		}
	}
	return pos
}

func copyValid(dst []byte, row int, c *Column) {
	if c.Valid != nil {
		CopyBits(dst, row, c.Valid, 0, c.N)
		return
	}
	for i := row; i < row+c.N; {
		if i%8 == 0 && i+8 <= row+c.N {
			dst[i/8] = 0xff
			i += 8
			continue
		}
		setBit(dst, i, 1)
		i++
	}
}
