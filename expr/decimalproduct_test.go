package expr

import (
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
)

// Products of small factors are those of the long way, and factors whose products might not fit go that way.
func TestProductsOfSmallFactorsAreThoseRowByRow(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	types := []batch.Type{batch.DecimalOf(18, 0), batch.DecimalOf(38, 0), batch.Of(batch.Int64), batch.Of(batch.Uint64)}
	short := 0
	for range 4000 {
		n := 1 + r.IntN(20)
		var args [2]vec
		for i := range args {
			typ, width, rows := types[r.IntN(len(types))], r.UintN(65), n+3
			if args[i].konst = r.IntN(3) == 0; args[i].konst {
				rows = 1
			}
			c := &batch.Column{Type: typ, N: rows, Fixed: make([]byte, rows*typ.Kind().Width())}
			for row := range rows {
				v := int64(r.Uint64()>>1>>(64-width)) ^ -int64(r.UintN(2))
				switch {
				case typ.Kind() == batch.KindInt128 && r.IntN(50) == 0:
					c.Int128s()[row] = anyInt128(r)
				case typ.Kind() == batch.KindInt128:
					c.Int128s()[row] = batch.Int128Of(v)
				default:
					c.Int64s()[row] = v
				}
			}
			args[i].c = c
		}
		out := batch.DecimalOf(1+r.IntN(38), 0)
		f := &frame{n: n + 3, args: args[:], out: &batch.Column{Type: out, N: n + 3, Fixed: make([]byte, (n+3)*out.Kind().Width())}}
		k := &decimalKernel{op: "*", t: out}
		if !k.product(f, 2, n) {
			continue
		}
		short++
		a, b, got := int128At(args[0]), int128At(args[1]), int128At(vec{c: f.out})
		for i := 2; i < 2+n; i++ {
			want, ok := decimalOp("*", a(i), b(i))
			if !ok || !fits(want, int(out.Prec)) || got(i) != want {
				t.Fatalf("%v * %v in %d digits: %v, want %v, fits %v", a(i), b(i), out.Prec, got(i), want, ok && fits(want, int(out.Prec)))
			}
		}
	}
	if short < 400 || short > 3600 {
		t.Errorf("%d of 4000 products went the short way", short)
	}
}
