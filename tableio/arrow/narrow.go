package arrow

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"
)

// gatherFixed appends values of fixed width as they are stored; a null's value is zero, so that the bytes are the same whatever lies there.
func (g *gathered) gatherFixed(c *batch.Column, i, j int) error {
	if g.typ.ID == batch.Bool {
		if err := g.bits(&g.vals, j-i); err != nil {
			return err
		}
		putBits(g.vals.bytes(), g.rows, c, i, j)
		return nil
	}
	dst, err := g.vals.room(g.acct, (j-i)*g.width)
	if err != nil {
		return err
	}
	from := c
	at := func(r int) int { return r }
	if c.Dict != nil {
		from = c.Dict
		at = func(r int) int { return int(c.Codes[r]) }
	}
	for r := i; r < j; r, dst = r+1, dst[g.width:] {
		if c.IsNull(r) {
			clear(dst[:g.width])
			continue
		}
		put(dst[:g.width], from, at(r), g.typ)
	}
	return nil
}

func putBits(dst []byte, base int, c *batch.Column, i, j int) {
	for r := i; r < j; r++ {
		if c.IsNull(r) {
			continue
		}
		v := byte(0)
		if c.Dict != nil {
			v = c.Dict.Fixed[c.Codes[r]]
		} else {
			v = c.Fixed[r]
		}
		k := base + r - i
		dst[k>>3] |= v << (k & 7)
	}
}

// put writes row r of c, which is not coded, as its type is stored.
func put(dst []byte, c *batch.Column, r int, t batch.Type) {
	switch c.Type.Kind() {
	case batch.KindBytes:
		copy(dst, c.Value(r))
	case batch.KindInt128:
		v := c.Int128s()[r]
		binary.LittleEndian.PutUint64(dst, v.Lo)
		binary.LittleEndian.PutUint64(dst[8:], uint64(v.Hi))
	case batch.KindFloat64:
		v := c.Float64s()[r]
		switch t.ID {
		case batch.Float16:
			binary.LittleEndian.PutUint16(dst, batch.HalfBits(v))
		case batch.Float32:
			binary.LittleEndian.PutUint32(dst, math.Float32bits(float32(v)))
		default:
			binary.LittleEndian.PutUint64(dst, math.Float64bits(v))
		}
	default:
		v := c.Int64s()[r]
		switch len(dst) {
		case 1:
			dst[0] = byte(v)
		case 2:
			binary.LittleEndian.PutUint16(dst, uint16(v))
		case 4:
			binary.LittleEndian.PutUint32(dst, uint32(v))
		case 8:
			binary.LittleEndian.PutUint64(dst, uint64(v))
		default: // a decimal
			binary.LittleEndian.PutUint64(dst, uint64(v))
			binary.LittleEndian.PutUint64(dst[8:], uint64(v>>63))
		}
	}
}
