package hashjoin

import (
	"context"
	"fmt"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

const benchRows = 1 << 20

// benchTable is benchRows right rows with unique keys, and as many left rows, in batches, that hit them in random order.
func benchTable(kind string) (j *join, right *batch.Batch, left []*batch.Batch) {
	typ := batch.Of(batch.Int64)
	if kind == "string" {
		typ = batch.Of(batch.String)
	}
	schema := batch.NewSchema(batch.Field{Name: "k", Type: typ}, batch.Field{Name: "v", Type: batch.Of(batch.Int64)})
	j, err := newJoin(Spec{Name: "b", Kind: Left, Left: schema, Right: schema, LeftKeys: []int{0}, RightKeys: []int{0}, RightOut: []int{1}})
	if err != nil {
		panic(err)
	}
	make := func(n int, key func(i int) uint64) *batch.Batch {
		b := &batch.Batch{Schema: schema, N: n}
		if kind == "string" {
			c := column{off: []uint32{0}}
			for i := range n {
				c.data = append(c.data, fmt.Sprint("customer-", key(i))...)
				c.off, c.null = append(c.off, uint32(len(c.data))), append(c.null, false)
			}
			b.Cols = append(b.Cols, c.build(typ, false))
		} else {
			b.Cols = append(b.Cols, intColumn(n, func(i int) int64 {
				if kind == "hash" {
					return int64(key(i) * 0x9e3779b97f4a7c15)
				}
				return int64(key(i))
			}))
		}
		b.Cols = append(b.Cols, intColumn(n, func(i int) int64 { return int64(i) }))
		return b
	}
	right = make(benchRows, func(i int) uint64 { return uint64(i) })
	for at := 0; at < benchRows; at += batch.Rows {
		left = append(left, make(batch.Rows, func(i int) uint64 { return mix(uint64(at+i)) % benchRows }))
	}
	return j, right, left
}

// BenchmarkBuild makes the table of a million right rows.
func BenchmarkBuild(b *testing.B) {
	for _, kind := range []string{"direct", "hash", "string"} {
		b.Run(kind, func(b *testing.B) {
			j, right, _ := benchTable(kind)
			acct := mem.NewPool(1<<30).Account("b", 0)
			cost := microbench.Start(b)
			for b.Loop() {
				t, err := newTable(acct, j.rightKeys, right.Retain())
				if err != nil {
					b.Fatal(err)
				}
				t.Release()
			}
			cost.Rows(benchRows, right.Cols[0].Bytes()+8*benchRows)
		})
	}
}

// BenchmarkProbe joins 64K left rows with one of a million right rows each.
func BenchmarkProbe(b *testing.B) {
	for _, kind := range []string{"direct", "hash", "string"} {
		b.Run(kind, func(b *testing.B) {
			j, right, left := benchTable(kind)
			acct := mem.NewPool(1<<30).Account("b", 0)
			t, err := newTable(acct, j.rightKeys, right)
			if err != nil {
				b.Fatal(err)
			}
			m, at := newTableMatcher(j, acct, t, false), 0
			cost := microbench.Start(b)
			for b.Loop() {
				if err := m.start(context.Background(), left[at%len(left)].Retain()); err != nil {
					b.Fatal(err)
				}
				for {
					out, err := m.next(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					if out == nil {
						break
					}
					out.Release()
				}
				at++ // other keys each time
			}
			cost.Rows(batch.Rows, left[0].Cols[0].Bytes()+2*8*batch.Rows)
		})
	}
}
