package spillfile

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"pqjoin/internal/vfs"
)

// flushStep is how many bytes are written to a file before their way to the disk begins.
const flushStep = 1 << 20

// spillFile is a file of blocks. It has no name once it is open, so that it goes with
// its owner. The last reference closes it and gives its bytes back to the quota.
type spillFile struct {
	dir   *Dir
	f     vfs.File
	mu    sync.Mutex
	size  int64
	at    int64 // where what has not begun its way to the disk begins
	refs  int
	users int  // who write to it; the directory's mutex guards it
	kept  bool // it has a name, and its bytes stay counted
}

// use returns a file to write to, with one reference: a new one, or where the directory has as many open as it may,
// the one that the fewest write to.
func (d *Dir) use() (*spillFile, error) {
	d.mu.Lock()
	if len(d.open) > 0 && len(d.open)+d.making+d.kept >= d.most {
		defer d.mu.Unlock()
		f := slices.MinFunc(d.open, func(a, b *spillFile) int { return cmp.Compare(a.users, b.users) })
		f.users++
		f.mu.Lock()
		f.refs++
		f.mu.Unlock()
		return f, nil
	}
	id := d.nextID
	d.nextID++
	d.making++
	d.mu.Unlock()
	f, err := d.create(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.making--
	if err == nil {
		d.open = append(d.open, f)
	}
	return f, err
}

// letGo ends what use began.
func (d *Dir) letGo(f *spillFile) error {
	d.mu.Lock()
	f.users--
	last := f.users == 0
	if last {
		d.open = slices.DeleteFunc(d.open, func(o *spillFile) bool { return o == f })
	}
	d.mu.Unlock()
	var err error
	if last {
		err = d.forget(f)
	}
	return errors.Join(err, f.release())
}

// create makes a file in the directory, with one user and one reference.
func (d *Dir) create(id int) (*spillFile, error) {
	name := filepath.Join(d.path, fmt.Sprintf("%06d.spill", id))
	f, err := d.fs.Create(name)
	if err != nil {
		return nil, d.diskError(err)
	}
	if err := d.fs.Remove(name); err != nil {
		_ = f.Close() // the first error is the one to tell
		return nil, d.diskError(err)
	}
	return openedFile(&spillFile{dir: d, f: f}), nil
}

// createBlocks makes the stage's file of a group of partitions, with one user and one reference; nobody shares it.
func (s *Stage) createBlocks(group int) (*spillFile, error) {
	d := s.keep.dir
	f, err := d.fs.Create(s.file(blocksSuffix(group)))
	if err != nil {
		return nil, d.diskError(err)
	}
	return openedKept(&spillFile{dir: d, f: f}), nil
}

// reopen opens the file again, of a finished stage, to be read. Other than size bytes are damage.
func (s *Stage) reopen(group int, size int64) (*spillFile, error) {
	d := s.keep.dir
	f, err := s.open(blocksSuffix(group))
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.Size() != size {
		err = fmt.Errorf("a file of another size: %w", ErrCorrupt)
	}
	if err == nil {
		err = d.reserve(size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return openedKept(&spillFile{dir: d, f: f, size: size, at: size}), nil
}

// openedKept is openedFile of a file that has a name, and counts it: others share the fewer.
func openedKept(f *spillFile) *spillFile {
	f.kept = true
	f.dir.mu.Lock()
	f.dir.kept++
	f.dir.mu.Unlock()
	return openedFile(f)
}

// openedFile returns f with its first reference and user. It is read in chunks here and there: left to itself the kernel
// would read on from a chunk into other partitions' chunks.
func openedFile(f *spillFile) *spillFile {
	f.f.Random()
	f.refs, f.users = 1, 1
	return f
}

func blocksSuffix(group int) string { return fmt.Sprintf(".%d.spill", group) }

func (f *spillFile) release() error {
	f.mu.Lock()
	f.refs--
	last := f.refs == 0
	size := f.size
	f.mu.Unlock()
	if !last {
		return nil
	}
	if f.kept {
		f.dir.mu.Lock()
		f.dir.kept--
		f.dir.mu.Unlock()
	} else {
		f.dir.unreserve(size)
	}
	return f.dir.diskError(f.f.Close())
}

// append writes b behind what the file has, and returns where.
func (f *spillFile) append(b []byte) (off int64, err error) {
	if err := f.dir.reserve(int64(len(b))); err != nil {
		return 0, err
	}
	f.mu.Lock()
	off = f.size
	f.size += int64(len(b))
	f.mu.Unlock()
	if _, err := f.f.WriteAt(b, off); err != nil {
		return 0, f.dir.diskError(err)
	}
	return off, f.dir.wrote(f, int64(len(b)))
}

// wrote starts n more bytes of f on their way to the disk, and waits for the oldest
// where more than dirtyWindow are under way.
func (d *Dir) wrote(f *spillFile, n int64) error {
	f.mu.Lock()
	var w window
	if f.size-f.at >= flushStep {
		w = window{f: f, off: f.at, n: f.size - f.at}
		f.at = f.size
		f.refs++
	}
	f.mu.Unlock()
	d.mu.Lock()
	d.written += n
	d.mu.Unlock()
	if w.f == nil {
		return nil
	}
	err := f.f.FlushRange(w.off, w.n, false)
	d.mu.Lock()
	d.dirty = append(d.dirty, w)
	d.pending += w.n
	d.mu.Unlock()
	for err == nil {
		old, ok := d.oldest()
		if !ok {
			return nil
		}
		err = old.f.f.FlushRange(old.off, old.n, true)
		if rerr := old.f.release(); err == nil {
			err = rerr
		}
	}
	return d.diskError(err)
}

// oldest takes the oldest window off the list where the list is too long.
func (d *Dir) oldest() (window, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending <= dirtyWindow {
		return window{}, false
	}
	w := d.dirty[0]
	d.dirty = d.dirty[1:]
	d.pending -= w.n
	return w, true
}

// forget drops the windows of a file that is no longer needed; a nil file means all.
func (d *Dir) forget(f *spillFile) (err error) {
	d.mu.Lock()
	var gone []window
	kept := d.dirty[:0:0]
	for _, w := range d.dirty {
		if f == nil || w.f == f {
			gone = append(gone, w)
			d.pending -= w.n
		} else {
			kept = append(kept, w)
		}
	}
	d.dirty = kept
	d.mu.Unlock()
	for _, w := range gone {
		if rerr := w.f.release(); err == nil {
			err = rerr
		}
	}
	return err
}
