// Package refexpr evaluates expressions one row at a time, for tests: slow, with big
// rationals and the standard library's calendar, so that it shares nothing with the
// column kernels of package expr but the parsed tree and the literals in it.
//
// It expects trees that expr.Bind accepts. A function that it does not know gives ErrUnknown.
package refexpr

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"pqjoin/batch"
	"pqjoin/expr"
)

// ErrUnknown says that the reference has no such function or conversion.
var ErrUnknown = errors.New("unknown to the reference")

// errRow is a failure of a value: an overflow, a text that is no number.
type errRow struct{ msg string }

func (e errRow) Error() string { return e.msg }

// IsRowError says whether err is a failure of a value, which expr reports as a RowError.
func IsRowError(err error) bool { return errors.As(err, new(errRow)) }

func fail(format string, args ...any) error { return errRow{fmt.Sprintf(format, args...)} }

// val is one typed value. Ints, decimals, dates and times are in num (ticks for times).
type val struct {
	typ  batch.Type
	null bool
	lit  bool // a literal, which adapts to what it meets
	num  *big.Rat
	f    float64
	b    bool
	s    string
}

// env evaluates over one row. In typing, no value fails: only types are wanted.
type env struct {
	schema *batch.Schema
	row    func(col int) expr.Value
	typing bool
}

// Eval returns the tree's value in a row: row gives the values of columns by position.
func Eval(t *expr.Tree, schema *batch.Schema, row func(col int) expr.Value) (expr.Value, batch.Type, error) {
	e := &env{schema: schema, row: row}
	v, err := e.eval(t.Root)
	if err != nil {
		return expr.Value{}, batch.Type{}, err
	}
	if v.typ.ID == batch.Null {
		v = null(batch.Of(batch.Int32))
	}
	return v.value(), v.typ, nil
}

func null(t batch.Type) val { return val{typ: t, null: true} }

func boolean(b bool) val { return val{typ: batch.Of(batch.Bool), b: b} }

// fromValue unpacks a stored value.
func fromValue(v expr.Value, t batch.Type) val {
	out := val{typ: t, null: v.Null || t.ID == batch.Null}
	if out.null {
		return out
	}
	switch t.Kind() {
	case batch.KindBool:
		out.b = v.Bool
	case batch.KindFloat64:
		out.f = v.Float
	case batch.KindBytes:
		out.s = string(v.Bytes)
	case batch.KindInt128:
		out.num = scaled(v.Int128.Big(), int(t.Scale))
	default:
		n := big.NewInt(v.Int)
		if t.ID == batch.Uint64 {
			n.SetUint64(uint64(v.Int))
		}
		scale := 0
		if t.ID == batch.Decimal {
			scale = int(t.Scale)
		}
		out.num = scaled(n, scale)
	}
	return out
}

// value packs v as a column would hold it.
func (v val) value() expr.Value {
	if v.null {
		return expr.Value{Null: true}
	}
	switch v.typ.Kind() {
	case batch.KindBool:
		return expr.Value{Bool: v.b}
	case batch.KindFloat64:
		return expr.Value{Float: v.f}
	case batch.KindBytes:
		return expr.Value{Bytes: []byte(v.s)}
	}
	scale := 0
	if v.typ.ID == batch.Decimal {
		scale = int(v.typ.Scale)
	}
	n := new(big.Rat).Mul(v.num, new(big.Rat).SetInt(ten(scale))).Num()
	if v.typ.Kind() == batch.KindInt128 {
		d, _ := batch.Int128FromBig(n)
		return expr.Value{Int128: d}
	}
	if v.typ.ID == batch.Uint64 {
		return expr.Value{Int: int64(n.Uint64())}
	}
	return expr.Value{Int: n.Int64()}
}

func ten(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func scaled(n *big.Int, scale int) *big.Rat { return new(big.Rat).SetFrac(n, ten(scale)) }

// roundHalfAway rounds to digits behind the point.
func roundHalfAway(r *big.Rat, digits int) *big.Rat {
	p := new(big.Rat).SetInt(ten(max(digits, -digits)))
	if digits < 0 {
		p.Inv(p)
	}
	x := new(big.Rat).Mul(r, p)
	twice := new(big.Int).Mul(new(big.Int).Abs(x.Num()), big.NewInt(2))
	twice.Add(twice, x.Denom())
	q := twice.Quo(twice, new(big.Int).Mul(x.Denom(), big.NewInt(2)))
	if x.Sign() < 0 {
		q.Neg(q)
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(q), p)
}

// fits says whether a number is a value of an integer or decimal type.
func fits(r *big.Rat, t batch.Type) bool {
	if t.ID == batch.Decimal {
		n := new(big.Rat).Mul(r, new(big.Rat).SetInt(ten(int(t.Scale))))
		return n.IsInt() && new(big.Int).Abs(n.Num()).Cmp(ten(int(t.Prec))) < 0
	}
	bits := map[batch.TypeID]uint{
		batch.Int8: 7, batch.Int16: 15, batch.Int32: 31, batch.Int64: 63, batch.Date: 31, batch.Timestamp: 63, batch.Time: 63,
		batch.Uint8: 8, batch.Uint16: 16, batch.Uint32: 32, batch.Uint64: 64,
	}[t.ID]
	hi := new(big.Int).Lsh(big.NewInt(1), bits)
	lo := new(big.Int).Neg(hi)
	if t.IsUnsigned() {
		lo.SetInt64(0)
	}
	return r.IsInt() && r.Num().Cmp(lo) >= 0 && r.Num().Cmp(hi) < 0
}

func number(r *big.Rat, t batch.Type) (val, error) {
	if !fits(r, t) {
		return null(t), fail("%s does not fit %s", r, t)
	}
	return val{typ: t, num: r}, nil
}

func float(f float64, t batch.Type) val {
	switch t.ID {
	case batch.Float16:
		f = half(f)
	case batch.Float32:
		f = float64(float32(f))
	}
	return val{typ: t, f: f}
}

// half rounds to 11 binary digits, the last worth 2^-24 at least.
func half(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	last := 0x1p-24
	for math.Abs(f)/last >= 2048 {
		last *= 2
	}
	if r := math.RoundToEven(f/last) * last; math.Abs(r) <= 65504 {
		return r
	}
	return math.Inf(btoi(f > 0) - btoi(f < 0))
}

// toFloat returns a numeric value as float64.
func (v val) toFloat() float64 {
	if v.typ.IsFloat() {
		return v.f
	}
	f, _ := v.num.Float64()
	return f
}

// compare orders two values of one type: NaN last, zeros equal.
func compare(a, b val) int {
	switch a.typ.Kind() {
	case batch.KindBool:
		return btoi(a.b) - btoi(b.b)
	case batch.KindFloat64:
		switch {
		case math.IsNaN(a.f) || math.IsNaN(b.f):
			return btoi(math.IsNaN(a.f)) - btoi(math.IsNaN(b.f))
		case a.f < b.f:
			return -1
		}
		return btoi(a.f > b.f)
	case batch.KindBytes:
		switch {
		case a.s < b.s:
			return -1
		}
		return btoi(a.s > b.s)
	}
	return a.num.Cmp(b.num)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
