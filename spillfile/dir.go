package spillfile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/dustin/go-humanize"

	"pqjoin/internal/vfs"
)

const (
	dirPrefix   = "pqjoin-spill-"
	lockName    = "lock"
	dirtyWindow = 8 << 20 // bytes being written to disk before the writer waits for the oldest
)

// Dir is the directory of one run: 0700, below a parent that many runs may share,
// and owned by a kernel lock that dies with its owner. It counts what lies on disk
// against a quota and keeps dirty page cache small. It is safe for concurrent use.
type Dir struct {
	fs    vfs.FS
	path  string
	lock  io.Closer
	quota int64

	mu      sync.Mutex
	used    int64
	peak    int64
	written int64
	nextID  int
	open    []*spillFile // that somebody uses
	making  int          // files about to be in open
	kept    int          // files of kept stores that are open
	most    int          // of both, as far as files can be shared
	dirty   []window
	pending int64 // bytes of dirty
}

// window is a range of a file whose writing to disk has begun.
type window struct {
	f      *spillFile
	off, n int64
}

// DirOption changes how a directory is opened.
type DirOption func(*dirOptions)

type dirOptions struct {
	allowMemory bool
	files       int
}

// AllowMemory accepts a parent in tmpfs or ramfs, where spilling takes memory instead of freeing it.
func AllowMemory() DirOption { return func(o *dirOptions) { o.allowMemory = true } }

// maxFiles bounds the files that are open at once, one of each kept store apart, instead of a quarter of what the process may open.
func maxFiles(n int) DirOption { return func(o *dirOptions) { o.files = n } }

// OpenDir removes what dead owners left below parent, and makes a directory of its own
// there. quota bounds the bytes on disk (0: no bound; negative: nothing may be written). Errors: ErrInMemory, or the filesystem's.
func OpenDir(fsys vfs.FS, parent string, quota int64, opts ...DirOption) (*Dir, error) {
	o := dirOptions{files: vfs.MaxOpen() / 4}
	for _, opt := range opts {
		opt(&o)
	}
	_, inMemory, err := fsys.Space(parent)
	if err != nil {
		return nil, fmt.Errorf("spill directory %s: %w", parent, err)
	}
	if inMemory && !o.allowMemory {
		return nil, fmt.Errorf("spill directory %s: %w", parent, ErrInMemory)
	}
	if _, err := Reclaim(fsys, parent); err != nil {
		return nil, err
	}
	for range 10 {
		d, err := makeDir(fsys, parent)
		if err != nil {
			return nil, fmt.Errorf("spill directory %s: %w", parent, err)
		}
		if d != nil {
			d.quota, d.most = quota, max(1, o.files)
			return d, nil
		}
	}
	return nil, fmt.Errorf("spill directory %s: others keep removing it", parent)
}

// makeDir makes and locks a directory; nil where another run took the directory,
// not yet locked, for a dead owner's.
func makeDir(fsys vfs.FS, parent string) (*Dir, error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	path := filepath.Join(parent, fmt.Sprintf("%s%d-%s", dirPrefix, os.Getpid(), hex.EncodeToString(id)))
	if err := fsys.Mkdir(path, 0o700); err != nil {
		return nil, err
	}
	lockPath := filepath.Join(path, lockName)
	lock, err := fsys.Lock(lockPath)
	if errors.Is(err, vfs.ErrLocked) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Join(err, fsys.RemoveAll(path))
	}
	if _, err := fsys.Stat(lockPath); err != nil {
		lerr := lock.Close()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, lerr
		}
		return nil, errors.Join(err, lerr, fsys.RemoveAll(path))
	}
	return &Dir{fs: fsys, path: path, lock: lock}, nil
}

// Reclaim removes the spill directories below parent whose owners are dead, and returns their paths.
func Reclaim(fsys vfs.FS, parent string) (removed []string, err error) {
	return reclaim(fsys, parent, dirPrefix)
}

// reclaim removes this user's directories below parent whose names begin with prefix and whose owners are dead.
func reclaim(fsys vfs.FS, parent, prefix string) (removed []string, err error) {
	entries, err := fsys.ReadDir(parent)
	if err != nil {
		return nil, fmt.Errorf("spill directory %s: %w", parent, err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		path := filepath.Join(parent, e.Name())
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // just removed
		}
		if err != nil {
			return removed, fmt.Errorf("reclaim %s: %w", path, err)
		}
		if !ours(st) {
			continue
		}
		gone, err := reclaimOne(fsys, path)
		if err != nil {
			return removed, fmt.Errorf("reclaim %s: %w", path, err)
		}
		if gone {
			removed = append(removed, path)
		}
	}
	return removed, nil
}

// ours says that st is of a directory of this process's user. Others may write to a parent such as /tmp: nothing in a directory
// of theirs is opened, as that may be a named pipe, which makes its opener wait.
func ours(st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return st.IsDir() && ok && int(sys.Uid) == os.Geteuid()
}

func reclaimOne(fsys vfs.FS, path string) (bool, error) {
	inside, err := fsys.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false, nil // just removed, or another user's
	}
	if err != nil {
		return false, err
	}
	known := len(inside) == 0 // its owner died before it made the lock
	for _, e := range inside {
		known = known || e.Name() == lockName
	}
	if !known {
		return false, nil
	}
	lock, err := fsys.Lock(filepath.Join(path, lockName))
	if errors.Is(err, vfs.ErrLocked) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	gone, err := removeDir(fsys, path)
	return gone, errors.Join(err, lock.Close())
}

// removeDir removes a directory whose lock the caller holds, the lock last: what is left of it when this is cut short is removed by the
// next. Once the lock has lost its name others may lock the directory anew, to remove or to use it: then it is theirs, gone is
// false, and that is no error.
func removeDir(fsys vfs.FS, path string) (gone bool, err error) {
	inside, err := fsys.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	for _, e := range inside {
		if e.Name() != lockName {
			err = errors.Join(err, fsys.RemoveAll(filepath.Join(path, e.Name())))
		}
	}
	gone, rerr := removeLast(fsys, path)
	err = errors.Join(err, rerr)
	return gone && err == nil, err
}

// removeLast removes a directory with its lock and whatever else is in it; gone is as removeDir has it.
func removeLast(fsys vfs.FS, path string) (gone bool, err error) {
	err = fsys.RemoveAll(path)
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return false, nil
	}
	return err == nil, err
}

// Path returns the directory.
func (d *Dir) Path() string { return d.path }

// Used, Peak and Written return bytes on disk now, at most, and written in all.
func (d *Dir) Used() int64    { d.mu.Lock(); defer d.mu.Unlock(); return d.used }
func (d *Dir) Peak() int64    { d.mu.Lock(); defer d.mu.Unlock(); return d.peak }
func (d *Dir) Written() int64 { d.mu.Lock(); defer d.mu.Unlock(); return d.written }

// Close removes the directory with everything in it and gives up the lock.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	_, err := removeLast(d.fs, d.path)
	err = errors.Join(err, d.lock.Close())
	d.lock = nil
	return err
}

// reserve counts n bytes about to be written.
func (d *Dir) reserve(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if most := max(0, d.quota); d.quota != 0 && d.used+n > most {
		return fmt.Errorf("%w: %s used of %s", ErrQuota, humanize.IBytes(uint64(d.used)), humanize.IBytes(uint64(most)))
	}
	d.used += n
	d.peak = max(d.peak, d.used)
	return nil
}

func (d *Dir) unreserve(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used -= n
}

// diskError names the directory, and marks a full disk.
func (d *Dir) diskError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("spill to %s: %w: %w", d.path, ErrDiskFull, err)
	}
	return fmt.Errorf("spill to %s: %w", d.path, err)
}
