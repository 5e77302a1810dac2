package publish

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/internal/vfs"
)

// Recovered is what Recover did, as paths in sorted order.
type Recovered struct {
	Completed []string // outputs of committed sets: they are the new ones now
	Removed   []string // temporary places, records and locks that are gone
}

// Recover completes the sets that crashed runs had committed, and removes the temporary places
// of those they had not. paths are outputs, or directories that hold outputs.
// Outputs that a living run has locked are left alone.
func Recover(fsys vfs.FS, paths ...string) (done Recovered, err error) {
	var first, then []leftover
	for _, p := range paths {
		left, err := leftBy(fsys, p)
		if err != nil {
			return done, err
		}
		for _, l := range left {
			if r, err := committedRecord(fsys, l.target); r != nil && err == nil { // an error shows again in its turn
				first = append(first, l)
			} else {
				then = append(then, l)
			}
		}
	}
	// Committed sets go first: one target's record tells of it where another's is damaged, whose new content would be removed.
	for _, l := range append(first, then...) {
		if err := done.recover(fsys, l); err != nil {
			return done, err
		}
	}
	slices.Sort(done.Completed)
	slices.Sort(done.Removed)
	done.Removed = slices.Compact(done.Removed) // what went with its set was seen before, and again in its turn
	return done, nil
}

// leftBy returns what lies beside the output at a path, and, where it is a directory, beside those in it.
func leftBy(fsys vfs.FS, path string) ([]leftover, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	left, err := leftovers(fsys, filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return nil, err
	}
	if st, err := fsys.Stat(path); err == nil && st.IsDir() {
		inside, err := leftovers(fsys, path, "")
		if err != nil {
			return nil, err
		}
		left = append(left, inside...)
	}
	return left, nil
}

// leftover is what lies beside one target.
type leftover struct {
	target string
	files  []string
}

// recover recovers one target. A set of several is completed with the first of them.
func (d *Recovered) recover(fsys vfs.FS, l leftover) error {
	completed, err := recoverOne(fsys, l.target)
	if errors.Is(err, ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	files := l.files
	for _, c := range completed {
		d.Completed = append(d.Completed, c.target)
		if c.target != l.target {
			files = append(files, c.files...)
		}
	}
	for _, f := range files {
		if _, err := fsys.Stat(f); errors.Is(err, fs.ErrNotExist) {
			d.Removed = append(d.Removed, f)
		}
	}
	return nil
}

// leftovers returns the targets in dir (only the one called name, unless that is empty) beside which something lies.
func leftovers(fsys vfs.FS, dir, name string) ([]leftover, error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var left []leftover
	at := map[string]int{}
	for _, e := range entries {
		base, ok := targetOf(e.Name())
		if !ok || name != "" && base != name {
			continue
		}
		if _, seen := at[base]; !seen {
			at[base] = len(left)
			left = append(left, leftover{target: filepath.Join(dir, base)})
		}
		l := &left[at[base]]
		l.files = append(l.files, filepath.Join(dir, e.Name()))
	}
	return left, nil
}

// targetOf returns the name of the target that a hidden file belongs to.
func targetOf(name string) (string, bool) {
	base, ok := strings.CutPrefix(name, ".")
	if !ok {
		return "", false
	}
	for _, suffix := range suffixes {
		if t, ok := strings.CutSuffix(base, suffix); ok && t != "" {
			return t, true
		}
	}
	return "", false
}

// besides returns the files that lie beside a target.
func besides(fsys vfs.FS, target string) (files []string) {
	for _, suffix := range suffixes {
		if _, err := fsys.Stat(beside(target, suffix)); err == nil {
			files = append(files, beside(target, suffix))
		}
	}
	return files
}

// recoverOne takes the target's lock and recovers it.
func recoverOne(fsys vfs.FS, path string) (completed []leftover, err error) {
	l, err := lock(fsys, path)
	if err != nil {
		return nil, err
	}
	defer releaseLock(fsys, path, l)
	return recoverTarget(fsys, path, func(p string) bool { return p == path })
}

// recoverTarget finishes or undoes what lies beside a target whose lock the caller has; owns
// says which other targets' locks it has too. completed are the outputs of a set that it finished.
func recoverTarget(fsys vfs.FS, path string, owns func(path string) bool) (completed []leftover, err error) {
	r, err := committedRecord(fsys, path)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, tidy(fsys, path)
	}
	return r.finish(fsys, owns)
}

// committedRecord returns the set that lies beside the target, if it is committed.
func committedRecord(fsys vfs.FS, path string) (*record, error) {
	r, err := readRecord(fsys, path)
	if r == nil || err != nil {
		return nil, err
	}
	committed, err := r.committed(fsys)
	if !committed || err != nil {
		return nil, err
	}
	return r, nil
}

// finish completes a committed set. The locks of targets that the caller does not own are taken for the while.
func (r *record) finish(fsys vfs.FS, owns func(path string) bool) (completed []leftover, err error) {
	for _, e := range r.Entries {
		completed = append(completed, leftover{e.Path, besides(fsys, e.Path)})
		if owns(e.Path) {
			continue
		}
		l, err := lock(fsys, e.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // somebody has removed its directory: nothing is to be done there
		}
		if err != nil {
			return nil, err
		}
		defer releaseLock(fsys, e.Path, l)
	}
	for _, step := range []func(vfs.FS) error{r.swap, r.sync, r.clear} {
		if err := step(fsys); err != nil {
			return completed, err
		}
	}
	return completed, nil
}
