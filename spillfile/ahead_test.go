package spillfile

import (
	"context"
	"errors"
	"sync"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// adviceFS records what is asked of the page cache.
type adviceFS struct {
	vfs.FS
	mu      sync.Mutex
	random  int             // files that said so
	ahead   map[int64]int64 // asked for and not read: bytes by offset
	most    int64
	cold    int   // reads of what nobody asked for
	dropped int64 // bytes
}

type adviceFile struct {
	vfs.File
	fs *adviceFS
}

func (a *adviceFS) Create(name string) (vfs.File, error) {
	f, err := a.FS.Create(name)
	return adviceFile{f, a}, err
}

func (f adviceFile) Random() {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.random++
}

func (f adviceFile) WillNeed(off, n int64) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.ahead[off] = n
	sum := int64(0)
	for _, n := range f.fs.ahead {
		sum += n
	}
	f.fs.most = max(f.fs.most, sum)
}

func (f adviceFile) DontNeed(_, n int64) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.dropped += n
}

func (f adviceFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	if _, ok := f.fs.ahead[off]; !ok && len(p) > maxPage { // pages of places are not asked for
		f.fs.cold++
	}
	delete(f.fs.ahead, off)
	f.fs.mu.Unlock()
	return f.File.ReadAt(p, off)
}

// spilledStore returns a store of one file whose three partitions, 12 MB each, are on disk.
func spilledStore(t *testing.T, fsys vfs.FS) *Store {
	t.Helper()
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	dir := diskDir(t, fsys, 0)
	st, err := New(Spec{Name: "test", Schema: batch.NewSchema(batch.Field{Name: "v", Type: batch.Of(batch.Int64)}),
		Partitions: 3, Workers: 1, BlockBytes: 64 << 10, Acct: acct, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(st.Close(), acct.Close(), pool.Close(), dir.Close()); err != nil {
			t.Error(err)
		}
	})
	const rows, n = 3 << 19, 1 << 16
	for lo := 0; lo < 3*rows; lo += n {
		c, err := batch.NewFixed(acct, batch.Of(batch.Int64), n)
		if err != nil {
			t.Fatal(err)
		}
		part := make([]uint16, n)
		for i := range n {
			c.Int64s()[i], part[i] = int64(uint64(lo+i)*mix1), uint16((lo+i)/rows)
		}
		if err := st.Append(context.Background(), 0, 0, part, &batch.Batch{Schema: st.Schema(), N: n, Cols: []*batch.Column{c}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(st.Seal(context.Background()), pool.Squeeze()); err != nil {
		t.Fatal(err)
	}
	return st
}

func readAll(t *testing.T, st *Store, p int) {
	t.Helper()
	in, err := st.Stream(context.Background(), p, st.spec.Acct, nil, 0)
	if err == nil {
		err = batchtest.Drain(in, func(*batch.Batch) {})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadingAheadTakesBoundedPageCache(t *testing.T) {
	fsys := &adviceFS{FS: vfs.OS(), ahead: map[int64]int64{}}
	st := spilledStore(t, fsys)
	if fsys.random != 1 {
		t.Errorf("%d files of random reads, want 1", fsys.random)
	}
	for p := range 3 {
		before := fsys.dropped
		readAll(t, st, p)
		st.Drop(p)
		if got := fsys.dropped - before; got < 12<<20 {
			t.Errorf("partition %d: %d bytes of page cache were given back", p, got)
		}
	}
	if fsys.cold > 0 {
		t.Errorf("%d chunks were read that nobody had asked for", fsys.cold)
	}
	if fsys.most > aheadBytes || fsys.most < aheadBytes/2 {
		t.Errorf("at most %d bytes were asked for and not read, the bound is %d", fsys.most, aheadBytes)
	}
}

func TestReadingAheadGoesOnAfterAPartitionIsLeftUnread(t *testing.T) {
	fsys := &adviceFS{FS: vfs.OS(), ahead: map[int64]int64{}}
	st := spilledStore(t, fsys)
	in, err := st.Stream(context.Background(), 0, st.spec.Acct, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if got := st.ahead.Load(); got != 0 {
		t.Errorf("%d bytes are still expected after nobody reads", got)
	}
	readAll(t, st, 0)
	if fsys.cold > 0 {
		t.Errorf("%d chunks were read that nobody had asked for", fsys.cold)
	}
}

func TestNothingIsAskedForOfADroppedPartition(t *testing.T) {
	st := spilledStore(t, &adviceFS{FS: vfs.OS(), ahead: map[int64]int64{}})
	if !st.drop(0) || st.beginAsking(0) || st.parts[0].cached.ledger != nil {
		t.Error("the ledger of a partition that is dropped is read")
	}
}
