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

func TestAFailureToMakeRoomIsNotTheFilesFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	writeRows(t, path, someRows(3, 4000), pq.Compression(&pq.Snappy))
	f, err := Open(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pool := mem.NewPool(64<<10, mem.Protect())
	full := errors.New("no room to spill to")
	defer pool.AddReclaimer(func(int64) (int64, error) { return 0, full })()
	acct := pool.Account("test", 0)
	err = eachBatch(t.Context(), f, acct, 0, []int{0}, ReadOptions{}, func(*batch.Batch) error { return nil })
	if !errors.Is(err, full) || errors.Is(err, ErrCorrupt) {
		t.Errorf("reading where nothing can be spilled: %v", err)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
