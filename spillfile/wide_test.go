package spillfile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
)

// A stream of wide rows yields short batches, also where one column is wanted: its blocks are held whole.
func TestStreamsOfWideRowsYieldShortBatches(t *testing.T) {
	const columns, n, most = 400, 1000, 1 << 20
	schema := &batch.Schema{}
	for i := range columns {
		schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("x", i), Type: batch.Of(batch.Int64)})
	}
	pool := mem.NewPool(64 << 20)
	acct := pool.Account("rows", 0)
	st, err := New(Spec{Name: "wide", Schema: schema, Partitions: 1, Workers: 1, Acct: acct})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for range 8 {
		b := &batch.Batch{Schema: schema, N: n}
		for range columns {
			c, err := batch.NewFixed(acct, batch.Of(batch.Int64), n)
			if err != nil {
				t.Fatal(err)
			}
			clear(c.Int64s())
			b.Cols = append(b.Cols, c)
		}
		if err := st.Append(context.Background(), 0, 0, make([]uint16, n), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Seal(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, cols := range [][]int{nil, {0}} {
		rows := 0
		in, err := st.Stream(context.Background(), 0, acct, cols, 0)
		err = errors.Join(err, batchtest.Drain(in, func(b *batch.Batch) {
			rows += b.N
			if b.N > max(most/(8*columns), wideRows) {
				t.Errorf("a batch has %d rows", b.N)
			}
		}))
		if err != nil || rows != 8*n {
			t.Errorf("%d rows, %v", rows, err)
		}
	}
}

// The blocks behind a batch of a narrow column are held whole: long texts beside it make such batches short, too.
func TestStreamsOfAKeyBesideLongTextsHoldFewBlocks(t *testing.T) {
	const n, size = 60, 1 << 20
	schema := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "s", Type: batch.Of(batch.String)})
	pool := mem.NewPool(2 * n * size)
	acct, read := pool.Account("rows", 0), pool.Account("read", 12*size)
	st, err := New(Spec{Name: "long", Schema: schema, Partitions: 1, Workers: 1, Acct: acct})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i := range n {
		b, err := batchtest.Batch(acct, schema, [][]any{{int64(i), strings.Repeat("x", size)}}, func(int) batchtest.Layout { return batchtest.Flat })
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Append(context.Background(), 0, 0, make([]uint16, 1), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Seal(context.Background()); err != nil {
		t.Fatal(err)
	}
	rows := 0
	in, err := st.Stream(context.Background(), 0, read, []int{0}, 0)
	if err = errors.Join(err, batchtest.Drain(in, func(b *batch.Batch) {
		rows += b.N
		if b.N > 8 {
			t.Errorf("a batch has %d rows", b.N)
		}
	})); err != nil || rows != n {
		t.Errorf("%d rows, %v", rows, err)
	}
}
