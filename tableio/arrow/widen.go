package arrow

import (
	"encoding/binary"
	"math"

	"pqjoin/batch"
)

// takeFixed reads values of fixed width and holds them as their kind.
func (p *part) takeFixed(t batch.Type, n int) (*batch.Column, error) {
	if t.Kind() == batch.KindBytes {
		return p.takeFixedBytes(t, n)
	}
	c, err := batch.NewFixed(p.acct, t, n)
	if err != nil {
		return nil, err
	}
	if p.width() == t.Kind().Width() && !p.col.ms {
		err = p.vals.read(c.Fixed[:n*p.width()])
	} else {
		err = p.words(n, func(at int, raw []byte) error { return p.widen(c, at, raw) })
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// widen sets values from row at on.
func (p *part) widen(c *batch.Column, at int, raw []byte) error {
	w := p.width()
	switch {
	case c.Type.Kind() == batch.KindFloat64:
		dst := c.Float64s()[at:]
		for i := range len(raw) / w {
			if w == 2 {
				dst[i] = batch.HalfValue(binary.LittleEndian.Uint16(raw[2*i:]))
			} else {
				dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
			}
		}
	case c.Type.Kind() == batch.KindInt128: // held as such, narrow in the file
		dst := c.Int128s()[at:]
		for i := range len(raw) / w {
			dst[i] = batch.Int128Of(signed(raw[i*w:], w))
		}
	case w == 16: // a decimal that is held narrow
		dst := c.Int64s()[at:]
		for i := range len(raw) / w {
			lo, hi := binary.LittleEndian.Uint64(raw[16*i:]), int64(binary.LittleEndian.Uint64(raw[16*i+8:]))
			v, fits := batch.Int128{Lo: lo, Hi: hi}.Int64()
			if !fits {
				v = 0 // of a null, whose bytes may be anything; what is not null and does not fit is no such decimal
				if p.valid == nil {
					return malformedf("column %s has a value of more digits than its type", p.col.field.Name)
				}
			}
			dst[i] = v
		}
	case p.col.ms:
		const day = 86_400_000
		dst := c.Int64s()[at:]
		for i := range len(raw) / w {
			v := signed(raw[8*i:], 8)
			if v%day != 0 && p.valid == nil {
				return malformedf("column %s has a date that is no whole day", p.col.field.Name)
			}
			dst[i] = v / day
		}
	default:
		dst := c.Int64s()[at:]
		if c.Type.IsUnsigned() {
			for i := range len(raw) / w {
				dst[i] = int64(code(raw[i*w:], w))
			}
			return nil
		}
		for i := range len(raw) / w {
			dst[i] = signed(raw[i*w:], w)
		}
	}
	return nil
}

func signed(b []byte, w int) int64 {
	switch w {
	case 1:
		return int64(int8(b[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// takeFixedBytes reads values of as many bytes each.
func (p *part) takeFixedBytes(t batch.Type, n int) (*batch.Column, error) {
	w := p.width()
	c, err := batch.NewVar(p.acct, t, n, n*w)
	if err != nil {
		return nil, err
	}
	for i := range n + 1 {
		c.Off[i] = uint32(i * w)
	}
	if err := p.vals.read(c.Data[:n*w]); err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}
