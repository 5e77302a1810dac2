package engine

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/expr"
)

// renderer writes values as people read them.
type renderer struct{ schema *batch.Schema }

func newRenderer(s *batch.Schema) *renderer { return &renderer{schema: s} }

// Cell is one value for people and for JSON.
type Cell struct {
	Text string // null, 12, 1.5, 2024-01-31, hello
	Bare bool   // JSON has it without quotes: a finite number, true, false or null
}

// MarshalJSON writes numbers, bools and null as what they are, anything else as a string.
func (c Cell) MarshalJSON() ([]byte, error) {
	if c.Bare {
		return []byte(c.Text), nil
	}
	return json.Marshal(c.Text)
}

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

// Render returns row i of c as text: null, 12, 1.5, 2024-01-31, hello. Long texts are cut.
func Render(c *batch.Column, i int) string { return cellAt(c, i, maxRendered).Text }

// cellAt returns row i of c. Texts of more than limit bytes are cut.
func cellAt(c *batch.Column, i, limit int) Cell {
	if c.IsNull(i) {
		return cellOf(c.Type, expr.Value{Null: true}, limit)
	}
	if c.Dict != nil {
		return cellAt(c.Dict, int(c.Codes[i]), limit)
	}
	var v expr.Value
	switch c.Type.Kind() {
	case batch.KindBool:
		v.Bool = c.Bools()[i] != 0
	case batch.KindFloat64:
		v.Float = c.Float64s()[i]
	case batch.KindInt128:
		v.Int128 = c.Int128s()[i]
	case batch.KindInt64:
		v.Int = c.Int64s()[i]
	default:
		v.Bytes = c.Value(i)
	}
	return cellOf(c.Type, v, limit)
}

// cellOf returns a value of type t.
func cellOf(t batch.Type, v expr.Value, limit int) Cell {
	switch {
	case v.Null:
		return Cell{"null", true}
	case t.Kind() == batch.KindBool:
		return Cell{strconv.FormatBool(v.Bool), true}
	case t.Kind() == batch.KindFloat64:
		return Cell{batch.FloatText(v.Float, t), !math.IsNaN(v.Float) && !math.IsInf(v.Float, 0)}
	case t.Kind() == batch.KindInt128:
		return Cell{decimal(v.Int128.Big(), int(t.Scale)), true}
	case t.Kind() == batch.KindInt64:
		return Cell{renderInt(t, v.Int), t.IsInteger() || t.ID == batch.Decimal}
	}
	if t.ID == batch.Nested && t.Shape != "" {
		return Cell{renderNested(t, v.Bytes, limit), false}
	}
	return Cell{renderBytes(t, v.Bytes, limit), false}
}

// renderNested returns a list, map or struct as compact JSON, cut where it is long.
func renderNested(t batch.Type, v []byte, limit int) string {
	typ, err := nested.Of(t)
	if err != nil {
		return renderBytes(t, v, limit)
	}
	p := nested.NewPrinter(typ, nested.JSON, func(dst []byte, c *batch.Column) ([]byte, bool) {
		cell := cellAt(c, 0, limit)
		return append(dst, cell.Text...), cell.Bare
	})
	text, err := p.Append(nil, v)
	if err != nil {
		return renderBytes(t, v, limit)
	}
	return renderBytes(batch.Of(batch.String), text, limit)
}

func renderBytes(t batch.Type, v []byte, limit int) string {
	cut := ""
	if t.ID == batch.String && utf8.Valid(v) {
		if len(v) > limit {
			v, cut = []byte(strings.ToValidUTF8(string(v[:limit]), "")), "..."
		}
		return string(v) + cut
	}
	if len(v) > limit/2 {
		v, cut = v[:limit/2], "..."
	}
	return "0x" + hex.EncodeToString(v) + cut
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
