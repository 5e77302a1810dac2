package window

import (
	"errors"
	"runtime"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
)

// Numbers of rows are made in the columns that are put out, which are the pool's, whatever asks for them.
func TestNumbersOfRowsTakeNoHeapByTheRow(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	in := batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64)})
	spec := RunningSpec{In: in, Out: batch.NewSchema(in.Fields[0])}
	for _, fn := range []string{"row_number", "rank", "dense_rank", "cumcount", "cumcount"} {
		spec.Cols = append(spec.Cols, RunningColumn{Name: fn, Func: fn, Arg: -1, Type: batch.Of(batch.Int64)})
		spec.Out = batch.NewSchema(append(spec.Out.Fields, batch.Field{Name: fn, Type: batch.Of(batch.Int64)})...)
	}
	rows := make([][]any, 1<<14)
	for i := range rows {
		rows[i] = []any{int64(i)}
	}
	b, err := batchtest.Batch(acct, in, rows, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	op := NewRunning(spec)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, st, err := op.Push(acct, nil, b)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(len(rows)) {
		t.Errorf("%d bytes of the heap for %d rows", n, len(rows))
	}
	for i, row := range batchtest.Rows(out) {
		if n := int64(i); row[1] != n+1 || row[2] != int64(1) || row[3] != int64(1) || row[4] != n || row[5] != n {
			t.Fatalf("row %d: %v", i, row)
		}
	}
	out.Release()
	st.Release()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// A pool that has no room for the numbers is an error, and nothing is kept of what had been made.
func TestNumbersOfRowsForWhichThereIsNoRoom(t *testing.T) {
	in := batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64)})
	spec := RunningSpec{In: in, Out: in}
	for _, fn := range []string{"row_number", "rank", "dense_rank", "cumcount"} {
		spec.Cols = append(spec.Cols, RunningColumn{Name: fn, Func: fn, Arg: -1, Type: batch.Of(batch.Int64)})
	}
	rows := make([][]any, 1<<14)
	for i := range rows {
		rows[i] = []any{int64(i)}
	}
	pool := mem.NewPool(400<<10, mem.Protect())
	acct := pool.Account("test", 0)
	b, err := batchtest.Batch(acct, in, rows, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := NewRunning(spec).Push(acct, nil, b); !errors.Is(err, mem.ErrLimit) {
		t.Errorf("%v, expected mem.ErrLimit", err)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
