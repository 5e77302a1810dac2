package engine

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pqjoin/batch"
)

// renderer writes values as people read them.
type renderer struct{ schema *batch.Schema }

func newRenderer(s *batch.Schema) *renderer { return &renderer{schema: s} }

// row renders row i as {a: 1, b: "x"}.
func (r *renderer) row(b *batch.Batch, i int) string {
	var s strings.Builder
	s.WriteByte('{')
	for c, f := range r.schema.Fields {
		if c > 0 {
			s.WriteString(", ")
		}
		if c == 8 {
			s.WriteString("...")
			break
		}
		s.WriteString(f.Name + ": " + Render(b.Cols[c], i))
	}
	s.WriteByte('}')
	return s.String()
}

// maxRendered is how many bytes of a text are shown.
const maxRendered = 80

// Render returns row i of c as text: null, 12, 1.5, 2024-01-31, hello.
func Render(c *batch.Column, i int) string {
	if c.IsNull(i) {
		return "null"
	}
	if c.Dict != nil {
		return Render(c.Dict, int(c.Codes[i]))
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return strconv.FormatBool(c.Bools()[i] != 0)
	case batch.KindFloat64:
		bits := 64
		if c.Type.ID != batch.Float64 {
			bits = 32
		}
		return strconv.FormatFloat(c.Float64s()[i], 'g', -1, bits)
	case batch.KindInt128:
		return decimal(c.Int128s()[i].Big(), int(c.Type.Scale))
	case batch.KindInt64:
		return renderInt(c.Type, c.Int64s()[i])
	}
	v := c.Value(i)
	if c.Type.ID == batch.String && utf8.Valid(v) {
		if len(v) > maxRendered {
			return strings.ToValidUTF8(string(v[:maxRendered]), "") + "..."
		}
		return string(v)
	}
	if len(v) > maxRendered/2 {
		return "0x" + hex.EncodeToString(v[:maxRendered/2]) + "..."
	}
	return "0x" + hex.EncodeToString(v)
}

func renderInt(t batch.Type, v int64) string {
	switch t.ID {
	case batch.Uint64:
		return strconv.FormatUint(uint64(v), 10)
	case batch.Decimal:
		return decimal(big.NewInt(v), int(t.Scale))
	case batch.Date:
		return time.Unix(v*86400, 0).UTC().Format(time.DateOnly)
	case batch.Timestamp:
		s := instant(t.Unit, v).Format("2006-01-02 15:04:05.999999999")
		if t.UTC {
			s += "Z"
		}
		return s
	case batch.Time:
		return instant(t.Unit, v).Format("15:04:05.999999999")
	}
	return strconv.FormatInt(v, 10)
}

func instant(u batch.Unit, v int64) time.Time {
	switch u {
	case batch.Second:
		return time.Unix(v, 0).UTC()
	case batch.Milli:
		return time.UnixMilli(v).UTC()
	case batch.Micro:
		return time.UnixMicro(v).UTC()
	}
	sec, nsec := v/1e9, v%1e9
	return time.Unix(sec, nsec).UTC()
}

func decimal(v *big.Int, scale int) string {
	if scale <= 0 {
		return v.String() + strings.Repeat("0", -scale)
	}
	sign := ""
	if v.Sign() < 0 {
		sign, v = "-", new(big.Int).Neg(v)
	}
	digits := v.String()
	digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}
