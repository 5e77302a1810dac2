package text

import (
	"fmt"
	"math/big"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Span is where a value lies in a buffer: of Len's bits the upper two are flags.
type Span struct{ Off, Len uint32 }

// The flags of Span.Len, and the rest. Escaped says that the bytes are to be unescaped; Quoted that the value was in quotes.
const (
	Escaped = 1 << 31
	Quoted  = 1 << 30
	lenMask = Quoted - 1
)

// Bytes returns what the span covers.
func (s Span) Bytes(buf []byte) []byte { return buf[s.Off:][:s.Len&lenMask] }

// Cells are the values of N rows: those of a column are Stride apart. An empty one is null; with Empty, unless it was in quotes.
type Cells struct {
	Buf      []byte
	Spans    []Span
	Stride   int
	N        int
	Unescape func(dst, src []byte) []byte
	Empty    bool // what is empty in quotes is an empty text
	Nearest  bool // numbers that a float does not hold become the nearest one that it does
}

// MisfitError says that a value is not of its column's type.
type MisfitError struct {
	Row    int    // of the cells
	Column int    // position in the cells
	Text   string // its beginning
	Type   batch.Type
}

func (e *MisfitError) Error() string { return fmt.Sprintf("%q is no %s", e.Text, e.Type) }

// Reads says whether Convert makes values of the type from text.
func Reads(t batch.Type) bool {
	switch t.ID {
	case batch.Fixed, batch.UUID, batch.Nested, batch.Null, batch.Float16:
		return false
	}
	return true
}

// cell returns the bytes of a row's value and whether there is one.
func (c *Cells) cell(row, col int, scratch *[]byte) ([]byte, bool) {
	s := c.Spans[row*c.Stride+col]
	p := s.Bytes(c.Buf)
	if len(p) == 0 {
		return nil, c.Empty && s.Len&Quoted != 0
	}
	if s.Len&Escaped != 0 {
		*scratch = c.Unescape((*scratch)[:0], p)
		p = *scratch
	}
	return p, true
}

// Convert makes a column of the cells' column col. The error is a *MisfitError where a value is not of type t.
func Convert(acct *mem.Account, t batch.Type, c *Cells, col int) (*batch.Column, error) {
	switch t.Kind() {
	case batch.KindBytes:
		return c.texts(acct, t, col)
	case batch.KindBool:
		return fixed(acct, t, c, col, batch.View[byte], func(p []byte) (byte, bool) {
			v, ok := ParseBool(p)
			if v {
				return 1, ok
			}
			return 0, ok
		})
	case batch.KindFloat64:
		bits := 64
		if t.ID == batch.Float32 {
			bits = 32
		}
		parse := ParseFloat
		if c.Nearest {
			parse = NearestFloat
		}
		return fixed(acct, t, c, col, batch.View[float64], func(p []byte) (float64, bool) { return parse(p, bits) })
	case batch.KindInt128:
		return fixed(acct, t, c, col, batch.View[batch.Int128], func(p []byte) (batch.Int128, bool) { return parseDecimal(p, t) })
	}
	return fixed(acct, t, c, col, batch.View[int64], ints(t))
}

// ints returns what reads a type that is held as int64.
func ints(t batch.Type) func(p []byte) (int64, bool) {
	switch t.ID {
	case batch.Date:
		return ParseDate
	case batch.Time:
		return func(p []byte) (int64, bool) {
			c, rest, ok := parseClock(p)
			v, fits := c.ticks(t.Unit)
			return v, ok && fits && len(rest) == 0
		}
	case batch.Timestamp:
		return func(p []byte) (int64, bool) {
			c, ok := parseInstant(p)
			if !ok || c.zoned != t.UTC {
				return 0, false
			}
			return c.ticks(t.Unit)
		}
	case batch.Decimal:
		return func(p []byte) (int64, bool) {
			v, ok := parseDecimal(p, t)
			n, fits := v.Int64()
			return n, ok && fits
		}
	case batch.Uint64:
		return func(p []byte) (int64, bool) {
			v, ok := ParseUint(p)
			return int64(v), ok
		}
	case batch.Int64:
		return ParseInt
	}
	least, most := int64(0), int64(1)<<(8*t.StoredWidth())-1
	if !t.IsUnsigned() {
		least, most = -(most+1)/2, most/2
	}
	return func(p []byte) (int64, bool) {
		v, ok := ParseInt(p)
		return v, ok && v >= least && v <= most
	}
}

// fixed parses a column of fixed-width values.
func fixed[T any](acct *mem.Account, t batch.Type, c *Cells, col int, view func([]byte) []T, parse func([]byte) (T, bool)) (*batch.Column, error) {
	out, err := batch.NewFixed(acct, t, c.N)
	if err != nil {
		return nil, err
	}
	dst := view(out.Fixed)
	var scratch []byte
	for i := range c.N {
		p, ok := c.cell(i, col, &scratch)
		if !ok {
			var zero T
			dst[i] = zero
			if err := setNull(acct, out, i); err != nil {
				out.Release()
				return nil, err
			}
			continue
		}
		v, ok := parse(Trim(p))
		if !ok {
			out.Release()
			return nil, &MisfitError{Row: i, Column: col, Text: string(p[:min(len(p), 60)]), Type: t}
		}
		dst[i] = v
	}
	return out.SetNulls(), nil
}

// setNull makes row i null; rows before it were not unless they have been set so.
func setNull(acct *mem.Account, c *batch.Column, i int) error {
	if c.Valid == nil {
		if err := c.NewValid(acct); err != nil {
			return err
		}
		batch.FillBits(c.Valid, c.N)
	}
	c.Valid[i>>3] &^= 1 << (i & 7)
	return nil
}

// texts copies a column of texts.
func (c *Cells) texts(acct *mem.Account, t batch.Type, col int) (*batch.Column, error) {
	size := 0
	for i := range c.N {
		size += int(c.Spans[i*c.Stride+col].Len & lenMask)
	}
	out, err := batch.NewVar(acct, t, c.N, size)
	if err != nil {
		return nil, err
	}
	at := 0
	for i := range c.N {
		out.Off[i] = uint32(at)
		s := c.Spans[i*c.Stride+col]
		switch p := s.Bytes(c.Buf); {
		case len(p) == 0 && c.Empty && s.Len&Quoted != 0:
		case len(p) == 0:
			if err := setNull(acct, out, i); err != nil {
				out.Release()
				return nil, err
			}
		case s.Len&Escaped != 0:
			at += len(c.Unescape(out.Data[at:at:len(out.Data)], p))
		default:
			at += copy(out.Data[at:], p)
		}
	}
	out.Off[c.N] = uint32(at)
	return out.SetNulls(), nil
}

// parseDecimal reads a decimal number whose digits behind the point are no more than the type's.
func parseDecimal(p []byte, t batch.Type) (batch.Int128, bool) {
	neg := len(p) > 0 && p[0] == '-'
	if neg {
		p = p[1:]
	}
	text := make([]byte, 0, 40)
	seen, behind := false, 0
	for _, d := range p {
		switch {
		case d == '.' && !seen:
			seen = true
		case d < '0' || d > '9' || len(text) > 39:
			return batch.Int128{}, false
		default:
			text = append(text, d)
			if seen {
				behind++
			}
		}
	}
	for behind > int(t.Scale) && text[len(text)-1] == '0' {
		text, behind = text[:len(text)-1], behind-1
	}
	if len(text) == 0 || behind > int(t.Scale) {
		return batch.Int128{}, false
	}
	for ; behind < int(t.Scale); behind++ {
		text = append(text, '0')
	}
	v, ok := new(big.Int).SetString(string(text), 10)
	if !ok || v.CmpAbs(powerOfTen(int(t.Prec))) >= 0 {
		return batch.Int128{}, false
	}
	if neg {
		v.Neg(v)
	}
	return batch.Int128FromBig(v)
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
