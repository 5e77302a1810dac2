// Package vfs is the one small filesystem interface through which everything that
// pqjoin writes goes (spill, outputs, journals), so that faults can be injected at
// any call. Inputs are read through it too.
package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// ErrLocked says that somebody else holds a lock.
var ErrLocked = errors.New("locked by another process")

// FS is a filesystem. Names are operating system paths. Every error is a *fs.PathError or wraps one.
type FS interface {
	// Create makes a new file (O_EXCL, mode 0600) for writing and reading.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	Mkdir(name string, perm fs.FileMode) error
	MkdirAll(name string, perm fs.FileMode) error
	Remove(name string) error
	RemoveAll(name string) error
	Rename(from, to string) error
	// RenameNew renames where nothing has the new name yet; else the error is fs.ErrExist (RENAME_NOREPLACE).
	RenameNew(from, to string) error
	Chmod(name string, mode fs.FileMode) error
	// Exchange swaps two existing paths atomically (RENAME_EXCHANGE).
	Exchange(a, b string) error
	// SyncDir makes the directory's entries durable.
	SyncDir(name string) error
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	// Lock takes the exclusive lock of the named file, which it creates where it is missing,
	// without waiting; ErrLocked where somebody else holds it. Close gives it back; so does the owner's death.
	// The owner may remove the file before Close.
	Lock(name string) (io.Closer, error)
	// Space returns the bytes free to us in the filesystem that holds name, and whether it lies in memory (tmpfs, ramfs).
	Space(name string) (free int64, inMemory bool, err error)
}

// File is an open file. ReadAt and WriteAt may be called from several goroutines.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Writer
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	Sync() error
	// FlushRange starts writing dirty pages of [off, off+n) to disk; with wait it waits for that. The
	// pages stay in the page cache, clean, where the kernel takes them back when it wants to.
	FlushRange(off, n int64, wait bool) error
	// WillNeed asks for read-ahead of [off, off+n); DontNeed drops its clean pages from the page cache.
	WillNeed(off, n int64)
	DontNeed(off, n int64)
	// Random says that reads jump about: nothing is read ahead but what WillNeed asks for.
	Random()
}
