package window

import (
	"fmt"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

// BenchmarkLag shifts a column of a batch by 0 to 3 rows within groups of so many rows.
func BenchmarkLag(b *testing.B) {
	in := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: batch.Of(batch.Float64)})
	spec := LagSpec{In: in, By: []int{0}}
	out := append([]batch.Field(nil), in.Fields...)
	for p := range 4 {
		spec.Cols = append(spec.Cols, LagColumn{Column: 1, Period: p})
		out = append(out, batch.Field{Name: fmt.Sprint("x", p), Type: in.Fields[1].Type, Nullable: true})
	}
	spec.Out = batch.NewSchema(out...)
	for _, group := range []int{1, 10, 10_000} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) { benchLag(b, NewLag(spec), in, group) })
	}
}

func benchLag(b *testing.B, l *Lag, in *batch.Schema, group int) {
	pool := mem.NewPool(64 << 20)
	acct := pool.Account("bench", 0)
	x := &batch.Batch{Schema: in, N: batch.Rows}
	for _, f := range in.Fields {
		c, err := batch.NewFixed(nil, f.Type, x.N)
		if err != nil {
			b.Fatal(err)
		}
		x.Cols = append(x.Cols, c)
	}
	for i := range x.N {
		x.Cols[0].Int64s()[i] = int64(i / group)
	}
	var st *State
	cost := microbench.Start(b)
	for b.Loop() {
		out, next, err := l.Push(acct, st, x.Retain(), false)
		if err != nil {
			b.Fatal(err)
		}
		out.Release()
		st = next
	}
	st.Release()
	cost.Rows(int64(x.N), int64(x.N*8+4*x.N/8)) // the keys are read, bitmaps are written; values are shared
	if err := acct.Close(); err != nil {
		b.Fatal(err)
	}
}
