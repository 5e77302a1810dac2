package parquet

import (
	"errors"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	pq "github.com/parquet-go/parquet-go"
)

// Memory that was promised for whole pages and is not there does not fail the read.
func TestBigPagesAreReadInPiecesWhereThePromiseDoesNotHold(t *testing.T) {
	rows := someRows(1, 20_000)
	path := filepath.Join(t.TempDir(), "t.parquet")
	writeRows(t, path, rows, pq.Compression(&pq.Snappy), pq.PageBufferSize(64<<20))
	f, err := Open(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	read := func(limit, whole int64) (n int, peak int64, err error) {
		pool := mem.NewPool(limit, mem.Protect())
		acct := pool.Account("test", 0)
		err = eachBatch(t.Context(), f, acct, 0, []int{1, 2}, ReadOptions{BatchRows: 100, limits: &tiny, WholeBytes: whole}, func(b *batch.Batch) error {
			n += b.N
			return nil
		})
		return n, pool.Peak(), errors.Join(err, acct.Close(), pool.Close())
	}
	_, least, err := read(1<<30, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, most, err := read(1<<30, 1<<30)
	if err != nil || most == least {
		t.Fatalf("%v; at most %d bytes whole, %d in pieces: nothing was read whole", err, most, least)
	}
	if n, _, err := read(least+64<<10, 1<<30); err != nil || n != len(rows) {
		t.Errorf("%d rows, %v", n, err)
	}
}
