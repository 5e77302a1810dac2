package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"pqjoin/internal/vfs"
)

// record is a set as it lies beside each of its targets: a line "pqjoin set 1 SHA256", then JSON.
type record struct {
	ID      string
	Entries []entry
}

// entry is one target. Its new content is known by its inode, which tells whether it is swapped in.
type entry struct {
	Path       string
	SingleFile bool
	Replace    bool
	Device     uint64
	Inode      uint64
}

const (
	recordMagic = "pqjoin set 1 "
	maxRecord   = 16 << 20 // bytes of a file that writeFile writes and readFile reads
)

func entryOf(fsys vfs.FS, t Target, temp string) (entry, error) {
	e := entry{Path: t.Path, SingleFile: t.SingleFile, Replace: t.Replace}
	var err error
	e.Device, e.Inode, err = identity(fsys, temp)
	return e, err
}

// identity returns what a path's content is known by.
func identity(fsys vfs.FS, path string) (device, inode uint64, err error) {
	st, err := fsys.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("%s: the filesystem does not tell inodes", path)
	}
	return sys.Dev, sys.Ino, nil
}

func (e *entry) temp() string { return beside(e.Path, newSuffix) }

// commitPath is where the set's commit record lies.
func (r *record) commitPath() string { return beside(r.Entries[0].Path, commitSuffix) }

// write makes the set durable and, as the last step, final.
func (r *record) write(fsys vfs.FS) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	raw := vfs.Seal(recordMagic, body)
	for _, e := range r.Entries {
		if err := writeFile(fsys, beside(e.Path, setSuffix), raw); err != nil {
			return err
		}
	}
	half := r.commitPath() + "-half"
	if err := errors.Join(removeFile(fsys, half), removeFile(fsys, r.commitPath())); err != nil {
		return err
	}
	err = writeFile(fsys, half, []byte(r.ID))
	if err == nil {
		err = fsys.RenameNew(half, r.commitPath())
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(half))
	}
	if err != nil {
		return errors.Join(err, removeFile(fsys, half))
	}
	return nil
}

// writeFile writes a small file durably, its name included.
func writeFile(fsys vfs.FS, name string, raw []byte) error {
	if len(raw) > maxRecord {
		return fmt.Errorf("%s: %d bytes are more than are read back", name, len(raw))
	}
	if err := vfs.WriteSynced(fsys, name, raw); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// readFile returns a small file's bytes, nil where there is none.
func readFile(fsys vfs.FS, name string) ([]byte, error) {
	raw, err := vfs.ReadUpTo(fsys, name, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// readRecord returns the set that lies beside the target; nil where there is none, or half of one.
func readRecord(fsys vfs.FS, path string) (*record, error) {
	raw, err := readFile(fsys, beside(path, setSuffix))
	if raw == nil || err != nil {
		return nil, err
	}
	body, ok := vfs.Unseal(recordMagic, raw)
	if !ok {
		return nil, nil
	}
	r := &record{}
	if err := json.Unmarshal(body, r); err != nil || !r.of(path) {
		return nil, nil
	}
	return r, nil
}

// of says whether the set can be one of the target: its paths are those of a set.
func (r *record) of(path string) bool {
	seen := map[string]bool{}
	for _, e := range r.Entries {
		if !filepath.IsAbs(e.Path) || filepath.Clean(e.Path) != e.Path || seen[e.Path] {
			return false
		}
		seen[e.Path] = true
	}
	return seen[path]
}

// committed says whether the set's moment has come.
func (r *record) committed(fsys vfs.FS) (bool, error) {
	raw, err := readFile(fsys, r.commitPath())
	return raw != nil && string(raw) == r.ID, err
}

// swap swaps in what is not yet. It may be repeated.
func (r *record) swap(fsys vfs.FS) error {
	for i := range r.Entries {
		if err := r.Entries[i].swap(fsys); err != nil {
			return err
		}
	}
	return nil
}

// sync makes the swap durable.
func (r *record) sync(fsys vfs.FS) error {
	for _, e := range r.Entries {
		if err := fsys.SyncDir(filepath.Dir(e.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) { // somebody has removed it since
			return err
		}
	}
	return nil
}

// clear removes what was replaced and, the commit record first, the records of a set that is in its places. It may be repeated.
func (r *record) clear(fsys vfs.FS) error {
	if len(r.Entries) > 1 {
		if err := removeFile(fsys, r.commitPath()); err != nil {
			return err
		}
		if err := fsys.SyncDir(filepath.Dir(r.commitPath())); err != nil {
			return err
		}
	}
	for _, e := range r.Entries {
		if err := tidy(fsys, e.Path); err != nil {
			return err
		}
	}
	return nil
}

// swap gives the new content its name, unless it has it.
func (e *entry) swap(fsys vfs.FS) error {
	dev, ino, err := identity(fsys, e.temp())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // renamed, and nothing was replaced or it has been removed
	}
	if err != nil {
		return err
	}
	if dev != e.Device || ino != e.Inode {
		return nil // exchanged: what lies there is the old output
	}
	was, err := fsys.Stat(e.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !e.Replace:
		if err = fsys.RenameNew(e.temp(), e.Path); errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w: it appeared while the job ran", e.Path, ErrExists)
		}
		return err
	case err != nil:
		return err
	case e.SingleFile && !was.IsDir():
		return fsys.Rename(e.temp(), e.Path)
	}
	return fsys.Exchange(e.temp(), e.Path)
}

// tidy removes what lies beside a target: a temporary place or a replaced output, and the set's record.
func tidy(fsys vfs.FS, path string) error {
	if err := fsys.RemoveAll(beside(path, newSuffix)); err != nil {
		return err
	}
	return errors.Join(tidyRecord(fsys, path), removeFile(fsys, beside(path, doneSuffix)))
}

// tidyRecord removes the record of a set that is completed, or was not committed.
func tidyRecord(fsys vfs.FS, path string) error {
	if err := tidyCommit(fsys, path); err != nil {
		return err
	}
	return errors.Join(removeFile(fsys, beside(path, commitSuffix+"-half")), removeFile(fsys, beside(path, setSuffix)))
}

// tidyCommit removes what is left of a commit record, unless it may be of a set that the target's own record no longer tells, as that is
// damaged: another target's may, and is completed by it. The next set for which it would be in the way removes it, see write.
func tidyCommit(fsys vfs.FS, path string) error {
	raw, err := readFile(fsys, beside(path, commitSuffix))
	if raw == nil || err != nil {
		return err
	}
	if isID(string(raw)) {
		if r, err := readRecord(fsys, path); r == nil || err != nil {
			return err
		}
	}
	return removeFile(fsys, beside(path, commitSuffix))
}

// removeFile removes a file that may be missing.
func removeFile(fsys vfs.FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func releaseLock(fsys vfs.FS, path string, l io.Closer) {
	// A lock file that cannot be removed does no harm: it is the lock that counts.
	_ = fsys.Remove(beside(path, lockSuffix))
	_ = l.Close()
}
