// Package faultfs wraps a filesystem for tests: it counts calls, fails those that it is
// told to fail, and knows which files and locks are still open.
//
// A test runs once without faults to learn the number of calls, then once for each call
// with FailAt, and asserts each time that an error came out and that Leaked is 0.
package faultfs

import (
	"io"
	"io/fs"
	"sync"

	"pqjoin/internal/vfs"
)

// Op names a call of vfs.FS or vfs.File.
type Op string

// FS is a filesystem with faults. It is safe for concurrent use.
type FS struct {
	base vfs.FS

	mu     sync.Mutex
	fail   func(n int, op Op, name string) error
	calls  int
	faults int
	open   int
}

// New wraps base. fail is asked at every call that can fail, numbered from 1, and returns the
// error that the call returns in its stead, or nil. A nil fail never fails. Close is
// carried out even where it is made to fail, as the kernel does it; a write that fails has written its first half.
func New(base vfs.FS, fail func(n int, op Op, name string) error) *FS {
	return &FS{base: base, fail: fail}
}

// FailAt fails the nth call with err.
func FailAt(nth int, err error) func(int, Op, string) error {
	return func(n int, _ Op, _ string) error {
		if n == nth {
			return err
		}
		return nil
	}
}

// Calls returns how many calls there were, Faults how many were made to fail, and Leaked how many files and locks are open.
func (f *FS) Calls() int  { f.mu.Lock(); defer f.mu.Unlock(); return f.calls }
func (f *FS) Faults() int { f.mu.Lock(); defer f.mu.Unlock(); return f.faults }
func (f *FS) Leaked() int { f.mu.Lock(); defer f.mu.Unlock(); return f.open }

// call counts a call and returns its fault, if it has one.
func (f *FS) call(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.fail == nil {
		return nil
	}
	err := f.fail(f.calls, op, name)
	if err == nil {
		return nil
	}
	f.faults++
	return &fs.PathError{Op: string(op), Path: name, Err: err}
}

func (f *FS) opened(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open += n
}

func (f *FS) file(v vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	f.opened(1)
	return &file{File: v, fs: f}, nil
}

// Create is vfs.FS's; so are the methods below.
func (f *FS) Create(name string) (vfs.File, error) {
	if err := f.call("create", name); err != nil {
		return nil, err
	}
	return f.file(f.base.Create(name))
}

func (f *FS) Open(name string) (vfs.File, error) {
	if err := f.call("open", name); err != nil {
		return nil, err
	}
	return f.file(f.base.Open(name))
}

func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	if err := f.call("mkdir", name); err != nil {
		return err
	}
	return f.base.Mkdir(name, perm)
}

func (f *FS) MkdirAll(name string, perm fs.FileMode) error {
	if err := f.call("mkdirall", name); err != nil {
		return err
	}
	return f.base.MkdirAll(name, perm)
}

func (f *FS) Remove(name string) error {
	if err := f.call("remove", name); err != nil {
		return err
	}
	return f.base.Remove(name)
}

func (f *FS) RemoveAll(name string) error {
	if err := f.call("removeall", name); err != nil {
		return err
	}
	return f.base.RemoveAll(name)
}

func (f *FS) Rename(from, to string) error {
	if err := f.call("rename", from); err != nil {
		return err
	}
	return f.base.Rename(from, to)
}

func (f *FS) RenameNew(from, to string) error {
	if err := f.call("renamenew", from); err != nil {
		return err
	}
	return f.base.RenameNew(from, to)
}

func (f *FS) Chmod(name string, mode fs.FileMode) error {
	if err := f.call("chmod", name); err != nil {
		return err
	}
	return f.base.Chmod(name, mode)
}

func (f *FS) Exchange(a, b string) error {
	if err := f.call("exchange", a); err != nil {
		return err
	}
	return f.base.Exchange(a, b)
}

func (f *FS) SyncDir(name string) error {
	if err := f.call("syncdir", name); err != nil {
		return err
	}
	return f.base.SyncDir(name)
}

func (f *FS) Stat(name string) (fs.FileInfo, error) {
	if err := f.call("stat", name); err != nil {
		return nil, err
	}
	return f.base.Stat(name)
}

func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.call("readdir", name); err != nil {
		return nil, err
	}
	return f.base.ReadDir(name)
}

func (f *FS) Space(name string) (int64, bool, error) {
	if err := f.call("space", name); err != nil {
		return 0, false, err
	}
	return f.base.Space(name)
}

// Lock counts as an open file until it is closed.
func (f *FS) Lock(name string) (io.Closer, error) {
	if err := f.call("lock", name); err != nil {
		return nil, err
	}
	l, err := f.base.Lock(name)
	if err != nil {
		return nil, err
	}
	f.opened(1)
	return &lock{Closer: l, fs: f, name: name}, nil
}

type lock struct {
	io.Closer
	fs   *FS
	name string
}

func (l *lock) Close() error {
	l.fs.opened(-1)
	fault := l.fs.call("unlock", l.name)
	if err := l.Closer.Close(); err != nil {
		return err
	}
	return fault
}

type file struct {
	vfs.File
	fs *FS
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.call("readat", f.Name()); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// WriteAt writes the first half where it is made to fail, as a full disk does.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.call("writeat", f.Name()); err != nil {
		n, werr := f.File.WriteAt(p[:len(p)/2], off)
		if werr != nil {
			return n, werr
		}
		return n, err
	}
	return f.File.WriteAt(p, off)
}

// Write is as WriteAt.
func (f *file) Write(p []byte) (int, error) {
	if err := f.fs.call("write", f.Name()); err != nil {
		n, werr := f.File.Write(p[:len(p)/2])
		if werr != nil {
			return n, werr
		}
		return n, err
	}
	return f.File.Write(p)
}

func (f *file) Stat() (fs.FileInfo, error) {
	if err := f.fs.call("fstat", f.Name()); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *file) Sync() error {
	if err := f.fs.call("sync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *file) FlushRange(off, n int64, wait bool) error {
	if err := f.fs.call("flushrange", f.Name()); err != nil {
		return err
	}
	return f.File.FlushRange(off, n, wait)
}

func (f *file) Close() error {
	f.fs.opened(-1)
	fault := f.fs.call("close", f.Name())
	if err := f.File.Close(); err != nil {
		return err
	}
	return fault
}
