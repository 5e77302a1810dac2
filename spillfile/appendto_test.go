package spillfile

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// Batches that go to one partition each come back from it, in their order, and take no heap by the row.
func TestBatchesThatGoToOnePartition(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	dir := diskDir(t, vfs.OS(), 0)
	schema := batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64)}, batch.Field{Name: "s", Type: batch.Of(batch.String), Nullable: true})
	st, err := New(Spec{Name: "test", Schema: schema, Partitions: 3, Workers: 1, BlockBytes: 16 << 10, Acct: acct, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const n = 1 << 15
	rows := make([][]any, n)
	for i := range rows {
		if rows[i] = []any{int64(i), fmt.Sprint("text ", i)}; i%7 == 0 {
			rows[i][1] = nil
		}
	}
	heap := uint64(0)
	for _, p := range []int{2, 0, 2} {
		b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err = st.AppendTo(context.Background(), 0, 0, p, b)
		runtime.ReadMemStats(&after)
		if heap = after.TotalAlloc - before.TotalAlloc; err != nil {
			t.Fatal(err)
		}
	}
	if heap > n { // of the last, when all is warm
		t.Errorf("%d bytes of the heap for %d rows", heap, n)
	}
	if err := errors.Join(st.Seal(context.Background()), pool.Squeeze()); err != nil {
		t.Fatal(err)
	}
	for p, times := range []int{1, 0, 2} {
		b, err := st.Load(context.Background(), p, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := batchtest.Rows(b)
		if b.Release(); len(got) != times*n {
			t.Fatalf("partition %d has %d rows", p, len(got))
		}
		for i, row := range got {
			if want := rows[i%n]; row[0] != want[0] || row[1] != want[1] {
				t.Fatalf("partition %d, row %d: %v", p, i, row)
			}
		}
	}
	if err := errors.Join(st.Close(), acct.Close(), pool.Close(), dir.Close()); err != nil {
		t.Error(err)
	}
}
