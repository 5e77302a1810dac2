package parquet

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

var errInjected = errors.New("injected")

// failing fails the nth call that writes.
type failing struct {
	vfs.FS
	n int
}

type failingFile struct {
	vfs.File
	fs *failing
}

func (f *failing) hit() error {
	if f.n--; f.n == 0 {
		return errInjected
	}
	return nil
}

func (f *failing) Create(name string) (vfs.File, error) {
	if err := f.hit(); err != nil {
		return nil, err
	}
	h, err := f.FS.Create(name)
	return failingFile{h, f}, err
}

func (f *failing) SyncDir(name string) error { return errors.Join(f.hit(), f.FS.SyncDir(name)) }

func (f failingFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.hit(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}
func (f failingFile) Sync() error  { return errors.Join(f.fs.hit(), f.File.Sync()) }
func (f failingFile) Close() error { return errors.Join(f.File.Close(), f.fs.hit()) }
func (f failingFile) FlushRange(off, n int64, wait bool) error {
	return errors.Join(f.fs.hit(), f.File.FlushRange(off, n, wait))
}

func TestAnyFaultIsReportedAndGivesEverythingBack(t *testing.T) {
	schema := manyDoubles(3)
	rows := randomBatch(t, rand.New(rand.NewPCG(1, 2)), schema, 30_000)
	for n := 1; ; n++ {
		pool := mem.NewPool(64<<20, mem.Protect())
		f := &failing{FS: vfs.OS(), n: n}
		acct := pool.Account("writer", 0)
		err := writeAll(f, t.TempDir(), copyOf(t, acct, rows), WriterOptions{Threads: 2, Acct: acct, RowGroupRaw: 100_000, FileRows: 10_000, Compression: "none"})
		noError(t, acct.Close())
		noError(t, pool.Close())
		if f.n > 0 {
			noError(t, err)
			if n < 12 {
				t.Errorf("only %d calls", n)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Errorf("call %d: %v", n, err)
		}
	}
}

// writeAll writes b in a few batches, and releases it.
func writeAll(fsys vfs.FS, dir string, b *batch.Batch, o WriterOptions) error {
	defer b.Release()
	ctx := context.Background()
	w, err := CreateDir(ctx, fsys, dir, b.Schema, o)
	if err != nil {
		return err
	}
	defer w.Abort()
	for i := 0; i < b.N; i += 3000 {
		part, err := b.Slice(o.Acct, i, min(i+3000, b.N))
		if err != nil {
			return err
		}
		if err := w.Write(ctx, part); err != nil {
			return err
		}
	}
	_, err = w.Close(ctx)
	return err
}

func TestMemoryThatRunsOutIsReported(t *testing.T) {
	rows := randomBatch(t, rand.New(rand.NewPCG(1, 2)), allTypes(), 20_000)
	pool := mem.NewPool(3<<20, mem.Protect())
	acct := pool.Account("writer", 0)
	if err := writeAll(vfs.OS(), t.TempDir(), rows, WriterOptions{Threads: 2, Acct: acct}); !errors.Is(err, mem.ErrLimit) {
		t.Errorf("%v", err)
	}
	noError(t, acct.Close())
	noError(t, pool.Close())
}

func TestCancelledWriterStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	schema := manyDoubles(3)
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("writer", 0)
	w, err := CreateDir(ctx, vfs.OS(), t.TempDir(), schema, WriterOptions{Acct: acct})
	noError(t, err)
	noError(t, w.Write(ctx, copyOf(t, acct, randomBatch(t, rand.New(rand.NewPCG(1, 2)), schema, 3000))))
	cancel()
	if _, err := w.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	w.Abort()
	noError(t, acct.Close())
	noError(t, pool.Close())
}
