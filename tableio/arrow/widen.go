package arrow

import (
	"encoding/binary"
	"fmt"
	"math"

	"pqjoin/batch"
)

// takeFixed reads values of fixed width and holds them as their kind. Which of them are there is read before: a null's bytes may be anything.
func (p *part) takeFixed(t batch.Type, n int) (c *batch.Column, err error) {
	bytes := t.Kind() == batch.KindBytes
	if bytes {
		c, err = p.newFixedBytes(t, n)
	} else {
		c, err = batch.NewFixed(p.acct, t, n)
	}
	if err != nil {
		return nil, err
	}
	w := p.width()
	err = p.setValid(c)
	switch {
	case err != nil:
	case bytes:
		err = p.vals.read(c.Data[:n*w])
	case w == t.Kind().Width() && !p.col.ms:
		err = p.vals.read(c.Fixed[:n*w])
	default:
		err = p.words(n, func(at int, raw []byte) error { return p.widen(c, at, raw) })
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// newFixedBytes returns a column of n values of as many bytes each, which are to be filled in.
func (p *part) newFixedBytes(t batch.Type, n int) (*batch.Column, error) {
	w := p.width()
	c, err := batch.NewVar(p.acct, t, n, n*w)
	if err != nil {
		return nil, err
	}
	for i := range n + 1 {
		c.Off[i] = uint32(i * w)
	}
	return c, nil
}

// widen sets values from row at on.
func (p *part) widen(c *batch.Column, at int, raw []byte) error {
	w := p.width()
	switch {
	case c.Type.Kind() == batch.KindFloat64:
		widenFloats(c.Float64s()[at:], raw, w)
	case c.Type.Kind() == batch.KindInt128: // held as such, narrow in the file
		dst := c.Int128s()[at:]
		for i := range len(raw) / w {
			dst[i] = batch.Int128Of(signed(raw[i*w:], w))
		}
	case w == 16:
		return p.narrowDecimals(c, at, raw)
	case p.col.ms:
		return p.days(c, at, raw)
	case c.Type.IsUnsigned():
		dst := c.Int64s()[at:]
		for i := range len(raw) / w {
			dst[i] = int64(code(raw[i*w:], w))
		}
	default:
		dst := c.Int64s()[at:]
		for i := range len(raw) / w {
			dst[i] = signed(raw[i*w:], w)
		}
	}
	return nil
}

// widenFloats makes doubles of floats of 2 or 4 bytes.
func widenFloats(dst []float64, raw []byte, w int) {
	for i := range len(raw) / w {
		if w == 2 {
			dst[i] = batch.HalfValue(binary.LittleEndian.Uint16(raw[2*i:]))
		} else {
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
		}
	}
}

// narrowDecimals sets decimals of 128 bits that are held in 64, as their type has few enough digits.
func (p *part) narrowDecimals(c *batch.Column, at int, raw []byte) error {
	dst := c.Int64s()[at:]
	for i := range len(raw) / 16 {
		wide := batch.Int128{Lo: binary.LittleEndian.Uint64(raw[16*i:]), Hi: int64(binary.LittleEndian.Uint64(raw[16*i+8:]))}
		v, fits := wide.Int64()
		if !fits {
			if v = 0; !c.IsNull(at + i) {
				return &misfit{column: p.col.field.Name, row: int64(at + i), what: fmt.Sprintf("a value with more digits than %s", c.Type)}
			}
		}
		dst[i] = v
	}
	return nil
}

// days sets dates that the file has as milliseconds.
func (p *part) days(c *batch.Column, at int, raw []byte) error {
	const day = 86_400_000
	dst := c.Int64s()[at:]
	for i := range len(raw) / 8 {
		v := signed(raw[8*i:], 8)
		if v%day != 0 {
			if !c.IsNull(at + i) {
				return &misfit{column: p.col.field.Name, row: int64(at + i), what: fmt.Sprintf("a date of %d milliseconds, which is no whole day,", v)}
			}
			v = 0
		}
		dst[i] = v / day
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
