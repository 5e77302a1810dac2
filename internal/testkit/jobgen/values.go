package jobgen

import (
	"math"
	"math/big"
	"math/rand/v2"

	"pqjoin/batch"
)

// keyTypes are types of columns that several tables have; dataTypes are all that are made.
var (
	keyTypes = []batch.Type{
		batch.Of(batch.Int64), batch.Of(batch.Int64), batch.Of(batch.Int32), batch.Of(batch.String), batch.Of(batch.String), batch.Of(batch.Float64),
		batch.Of(batch.Uint64), batch.Of(batch.Uint8), batch.Of(batch.Bool), batch.Of(batch.Date), batch.DecimalOf(9, 2), batch.DecimalOf(30, 4),
		batch.Of(batch.Binary), batch.Of(batch.UUID), batch.TimestampOf(batch.Micro, true), {ID: batch.Fixed, Width: 5}, batch.Of(batch.Float32),
		batch.Of(batch.Int8), batch.Of(batch.Uint32), batch.Of(batch.Float16), batch.TimestampOf(batch.Nano, false), {ID: batch.Time, Unit: batch.Milli},
	}
	dataTypes = []batch.Type{
		batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Int16), batch.Of(batch.Int32), batch.Of(batch.Int64), batch.Of(batch.Int64),
		batch.Of(batch.Uint8), batch.Of(batch.Uint16), batch.Of(batch.Uint32), batch.Of(batch.Uint64),
		batch.Of(batch.Float32), batch.Of(batch.Float64), batch.Of(batch.Float64), batch.Of(batch.Float64), batch.DecimalOf(9, 2), batch.DecimalOf(18, 3), batch.DecimalOf(30, 4),
		batch.Of(batch.String), batch.Of(batch.String), batch.Of(batch.Binary), {ID: batch.Fixed, Width: 3}, batch.Of(batch.UUID),
		batch.Of(batch.Date), batch.TimestampOf(batch.Milli, false), batch.TimestampOf(batch.Micro, true), batch.TimestampOf(batch.Nano, false),
		{ID: batch.Time, Unit: batch.Micro}, {ID: batch.Time, Unit: batch.Milli, UTC: true}, {ID: batch.Time, Unit: batch.Nano},
		batch.Of(batch.Float16), batch.DecimalOf(38, 6), batch.DecimalOf(4, 4), batch.TimestampOf(batch.Milli, true),
	}
)

// domain draws the values of a column.
type domain struct {
	typ   batch.Type
	vals  []any   // a few values, or none: draw anew
	nulls float64 // share of nulls
	heavy float64 // share of rows that have vals[0]
}

func (d *domain) draw(r *rand.Rand) any {
	if d.nulls > 0 && r.Float64() < d.nulls {
		return nil
	}
	if len(d.vals) == 0 {
		return value(r, d.typ)
	}
	if d.heavy > 0 && r.Float64() < d.heavy {
		return d.vals[0]
	}
	return d.vals[r.IntN(len(d.vals))]
}

// newDomain returns a domain of n values at most; 0 means any.
func newDomain(r *rand.Rand, t batch.Type, n int) *domain {
	d := &domain{typ: t}
	for range n {
		d.vals = append(d.vals, value(r, t))
	}
	return d
}

// value returns a random value of t, awkward ones often. Sums of floats stay exact, except
// that very large and very small ones are rare.
func value(r *rand.Rand, t batch.Type) any {
	switch t.Kind() {
	case batch.KindBool:
		return r.IntN(2) == 1
	case batch.KindFloat64:
		return float(r, t)
	case batch.KindInt128:
		v := new(big.Int).SetUint64(r.Uint64())
		v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(r.Uint64()))
		v.Mod(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(1+r.IntN(int(t.Prec)-2))), nil))
		if r.IntN(2) == 0 {
			v.Neg(v)
		}
		w, _ := batch.Int128FromBig(v)
		return w
	case batch.KindBytes:
		return text(r, t)
	}
	switch t.ID {
	case batch.Decimal:
		top := int64(math.Pow10(1 + r.IntN(int(t.Prec))))
		return r.Int64N(2*top-1) - top + 1
	case batch.Date:
		return int64(r.IntN(30000) - 5000)
	case batch.Time:
		return r.Int64N(86_400_000) * map[batch.Unit]int64{batch.Milli: 1, batch.Micro: 1e3, batch.Nano: 1e6}[t.Unit]
	case batch.Timestamp:
		ticks := map[batch.Unit]int64{batch.Milli: 1e3, batch.Micro: 1e6, batch.Nano: 1e9}[t.Unit]
		return (r.Int64N(3e9) - 5e8) * ticks / int64(1+r.IntN(3))
	}
	return integer(r, t)
}

func integer(r *rand.Rand, t batch.Type) int64 {
	bits := t.StoredWidth() * 8
	switch r.IntN(8) {
	case 0:
	case 1:
		bits = min(bits, 32)
	default:
		bits = min(bits, 5)
	}
	if t.IsUnsigned() {
		return int64(r.Uint64() >> (64 - bits))
	}
	return int64(r.Uint64()) >> (64 - bits)
}

func float(r *rand.Rand, t batch.Type) float64 {
	kind := r.IntN(12)
	if t.ID == batch.Float16 && kind > 0 {
		kind = 12 // what has few enough digits
	}
	switch kind {
	case 0:
		special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1, -1, 0.5}
		return special[r.IntN(len(special))]
	case 1, 2, 3:
		return float64(float32(r.NormFloat64()))
	case 4:
		return float64(float32(r.NormFloat64() * 1e6))
	}
	return float64(r.IntN(4001)-2000) / 8
}

func text(r *rand.Rand, t batch.Type) string {
	alphabet := []string{"a", "b", "p", "p", "p", "Z", " ", "é", "\x00"}
	if t.ID != batch.String {
		alphabet = []string{"a", "p", "\x00", "\x01", "\xff"}
	}
	n := []int{0, 1, 2, 3, 7, 8, 9, 16, 17, 40}[r.IntN(10)]
	if w := t.StoredWidth(); w > 0 {
		n = w
	}
	var b []byte
	for len(b) < n {
		if len(b) < 8 && r.IntN(2) == 0 {
			b = append(b, 'p')
			continue
		}
		b = append(b, alphabet[r.IntN(len(alphabet))]...)
	}
	if t.StoredWidth() > 0 {
		b = b[:n]
	}
	return string(b)
}
