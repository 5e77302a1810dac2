package expr

import (
	"math"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
)

// anyInt128 draws numbers of every length, and those at the ends of one and two words.
func anyInt128(r *rand.Rand) batch.Int128 {
	ends := []batch.Int128{
		{}, batch.Int128Of(1), batch.Int128Of(-1), batch.Int128Of(math.MaxInt64), batch.Int128Of(math.MinInt64), {Lo: math.MaxUint64}, {Lo: 1 << 63},
		{Hi: math.MaxInt64, Lo: math.MaxUint64}, {Hi: math.MinInt64}, pow10[38], pow10[18], pow10[37].Neg(),
	}
	if r.IntN(4) == 0 {
		return ends[r.IntN(len(ends))]
	}
	v := batch.Int128{Lo: r.Uint64() >> r.UintN(64)}
	if r.IntN(2) == 0 {
		v.Hi = int64(r.Uint64() >> r.UintN(64) >> 1)
	}
	if r.IntN(2) == 0 {
		v = v.Neg()
	}
	return v
}

func TestDecimalsInChunksAreThoseRowByRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		x, y, prec := anyInt128(r), anyInt128(r), 1+r.IntN(38)
		for _, op := range []string{"+", "-", "*"} {
			var a, b decimals
			a[0], b[0] = x, y
			ok := false
			switch op {
			case "*":
				ok = a.times(&b, 1)
			default:
				ok = a.plus(&b, 1, op == "-")
			}
			ok = ok && a.fit(1, prec)
			want, fit := decimalOp(op, x, y)
			fit = fit && fits(want, prec)
			if op == "-" && y == (batch.Int128{Hi: math.MinInt64}) {
				continue // which no decimal is
			}
			if ok != fit || fit && a[0] != want {
				t.Fatalf("%v %s %v in %d digits: %v, %v; want %v, %v", x, op, y, prec, a[0], ok, want, fit)
			}
		}
	}
}

func TestDecimalsAreMovedUpWhenLoaded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, typ := range []batch.Type{batch.DecimalOf(18, 0), batch.DecimalOf(38, 0), batch.Of(batch.Int64), batch.Of(batch.Uint64)} {
		const n = 300
		c := &batch.Column{Type: typ, N: n, Fixed: make([]byte, n*typ.Kind().Width())}
		for i := range n {
			if v := anyInt128(r); typ.Kind() == batch.KindInt128 {
				c.Int128s()[i] = v
			} else {
				c.Int64s()[i] = int64(v.Lo)
			}
		}
		at := int128At(vec{c: c})
		for shift := range 39 {
			for i := range n {
				var d decimals
				want, fit := rescale(at(i), shift)
				if ok := d.load(vec{c: c}, i, 1, shift); ok != fit || fit && d[0] != want {
					t.Fatalf("%s %v by %d digits: %v, %v; want %v, %v", typ, at(i), shift, d[0], ok, want, fit)
				}
			}
		}
	}
	if new(decimals).load(vec{c: &batch.Column{Type: batch.Of(batch.Int64), N: 1, Fixed: make([]byte, 8)}}, 0, 1, -1) {
		t.Error("moved down")
	}
}
