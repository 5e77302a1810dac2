package engine

import (
	"context"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/groupby"
	"pqjoin/mem"
)

// Groups that a union reads stay in memory, as those do that are read alone; others may be spilled from then on.
func TestGroupsThatAUnionReadsStayInMemory(t *testing.T) {
	pool := mem.NewPool(64 << 20)
	acct := pool.Account("tables", 0)
	schema := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	x := &exec{}
	var srcs []batch.Source
	for range 4 {
		g, err := groupby.New(groupby.Spec{Name: "t", In: schema, Out: schema, Keys: []int{0}, Workers: 1, Acct: acct})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := g.Finish(context.Background()); err != nil {
			t.Fatal(err)
		}
		x.grouped = append(x.grouped, g)
		srcs = append(srcs, g.Source())
	}
	inner, outer := &concat{}, &concat{}
	inner.add(srcs[1], nil)
	inner.add(srcs[3], nil)
	outer.add(srcs[0], nil)
	outer.add(unionSource{inner}, nil)
	for _, c := range []struct {
		src  batch.Source
		want []int
	}{{unionSource{outer}, []int{0, 1, 3}}, {unionSource{inner}, []int{1, 3}}, {srcs[3], []int{3}}, {srcs[0], nil}} {
		if err := x.settle(context.Background(), c.src); err != nil {
			t.Fatal(err)
		}
		var kept []int
		for _, g := range x.grouped {
			for i, s := range srcs {
				if g.Source() == s {
					kept = append(kept, i)
				}
			}
		}
		if !slices.Equal(kept, c.want) {
			t.Errorf("groups %v are kept, want %v", kept, c.want)
		}
	}
}
