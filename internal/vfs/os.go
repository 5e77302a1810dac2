package vfs

import (
	"io"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// OS returns the operating system's filesystem.
func OS() FS { return osFS{} }

type osFS struct{}

type osFile struct{ *os.File }

func openFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Create(name string) (File, error) {
	return openFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (osFS) Open(name string) (File, error) { return openFile(name, os.O_RDONLY) }

func (osFS) Mkdir(name string, perm fs.FileMode) error    { return os.Mkdir(name, perm) }
func (osFS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (osFS) Remove(name string) error                     { return os.Remove(name) }
func (osFS) RemoveAll(name string) error                  { return os.RemoveAll(name) }
func (osFS) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFS) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (osFS) ReadDir(name string) ([]fs.DirEntry, error)   { return os.ReadDir(name) }

func (osFS) Chmod(name string, mode fs.FileMode) error { return os.Chmod(name, mode) }

func (osFS) RenameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err != nil {
		return &fs.PathError{Op: "rename", Path: from + " to " + to, Err: err}
	}
	return nil
}

func (osFS) Exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if err != nil {
		return &fs.PathError{Op: "exchange", Path: a + ", " + b, Err: err}
	}
	return nil
}

func (osFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

func (osFS) Lock(name string) (io.Closer, error) {
	for {
		l := flock.New(name, flock.SetPermissions(0o600))
		ok, err := l.TryLock()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, &fs.PathError{Op: "lock", Path: name, Err: ErrLocked}
		}
		if stillNamed(l, name) {
			return l, nil
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
}

// stillNamed says whether the locked file still has its name: an owner may remove the
// file before giving the lock back, and what we have locked may be what it removed.
func stillNamed(l *flock.Flock, name string) bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(held, named)
}

func (osFS) Space(name string) (free int64, inMemory bool, err error) {
	var st unix.Statfs_t
	if err := retry(func() error { return unix.Statfs(name, &st) }); err != nil {
		return 0, false, &fs.PathError{Op: "statfs", Path: name, Err: err}
	}
	inMemory = st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC
	return int64(st.Bavail) * st.Bsize, inMemory, nil
}

// FlushRange uses sync_file_range, which neither writes metadata nor flushes the
// device's cache: it bounds dirty memory and promises nothing about durability.
func (f osFile) FlushRange(off, n int64, wait bool) error {
	flags := unix.SYNC_FILE_RANGE_WRITE
	if wait {
		flags |= unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	}
	err := retry(func() error { return unix.SyncFileRange(int(f.Fd()), off, n, flags) })
	if err == unix.ENOSYS || err == unix.EINVAL || err == unix.ESPIPE {
		err = nil // a filesystem without it decides for itself when to write
	}
	if err != nil {
		return &fs.PathError{Op: "sync_file_range", Path: f.Name(), Err: err}
	}
	return nil
}

// WillNeed, DontNeed and Random are advice: nothing depends on whether the kernel takes it.
func (f osFile) WillNeed(off, n int64) { _ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_WILLNEED) }
func (f osFile) DontNeed(off, n int64) { _ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_DONTNEED) }
func (f osFile) Random()               { _ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM) }

// Writable returns why this process may not make files in a directory; nil where it may.
func Writable(dir string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}

// MaxOpen returns how many files the process may have open at once.
func MaxOpen() int {
	var most unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &most); err != nil {
		return 256 // nobody has less without wanting it
	}
	return int(min(most.Cur, 1<<20))
}

func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
