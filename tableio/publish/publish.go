// Package publish makes outputs appear whole or not at all. What is written goes to a
// temporary place beside each target; Commit swaps the set in.
//
//	.NAME.pqjoin-lock      held while a run writes NAME; the kernel drops it when the run dies
//	.NAME.pqjoin-new       the new output, and after an exchange the old one until it is removed
//	.NAME.pqjoin-set       beside every target of a set: what the set consists of
//	.NAME.pqjoin-done      the temporary place is filled, by a run that had more to do, and may serve the next one
//	.NAME.pqjoin-commit    beside the set's first target: the set is complete and will be swapped in
//	.NAME.pqjoin-commit-half  that record while it is written; and, for a moment, a directory that shows the mode of new ones
//
// Invariants:
//
//   - A target is at any time the whole old output, the whole new one or, where there was none,
//     nothing. Only renames touch it.
//   - A set becomes new at one moment: when its commit record has its name. What a crash then leaves
//     undone, Recover (and Begin, for its own targets) does; every step may be repeated.
//   - Before that moment a crash leaves temporary places only, which Recover and Begin remove, but for
//     those that are finished and have the Key that Begin is given.
//   - A Begin that fails leaves beside each target what it found, or that recovered.
//   - Whoever touches any of these files holds the target's lock.
package publish

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"pqjoin/internal/vfs"
)

// The sentinels of Begin and Commit; test with errors.Is.
var (
	ErrExists = errors.New("the output exists")
	ErrLocked = errors.New("the output is locked by another run")
)

// Target is one output: a directory of files, or one file.
type Target struct {
	Path       string
	SingleFile bool
	Replace    bool // an existing output is replaced; else it is an error
	// Key is all that the output depends on: what an earlier run finished with the same key may be reused. Empty: nothing is.
	Key string
}

// Suffixes of the files beside a target.
const (
	lockSuffix   = ".pqjoin-lock"
	newSuffix    = ".pqjoin-new"
	setSuffix    = ".pqjoin-set"
	doneSuffix   = ".pqjoin-done"
	commitSuffix = ".pqjoin-commit"
)

// maxName is how long the name of a target may be, in bytes: filesystems take names of 255, and the longest beside it is .NAME.pqjoin-commit-half.
const maxName = 255 - len("."+commitSuffix+"-half")

// suffixes are those of all files beside a target.
var suffixes = [...]string{lockSuffix, newSuffix, setSuffix, doneSuffix, commitSuffix, commitSuffix + "-half"}

// beside returns the name of a target's file with the suffix.
func beside(target, suffix string) string {
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+suffix)
}

// Set is a number of outputs that appear together.
type Set struct {
	fsys    vfs.FS
	targets []Target
	locks   []io.Closer
	mode    fs.FileMode // of published directories; files lack the execute bits
	done    bool
	// Of each target: what an earlier run finished, why that is not used, and whether the temporary place stays when the set is given up.
	found  []*finished
	unused []error
	keeps  []bool
	// settled counts the targets beside which nothing is left of an earlier run's set, but what found says. Abort leaves
	// the others alone: what lies there may be committed, and is for recovery.
	settled int
}

// Begin locks the targets, completes what a crashed run left half done, checks that they may be written and makes
// a temporary place beside each. The error wraps ErrLocked or ErrExists where that is why.
func Begin(fsys vfs.FS, targets []Target) (*Set, error) {
	s := &Set{fsys: fsys}
	for _, t := range targets {
		path, err := filepath.Abs(t.Path)
		if err != nil {
			return nil, err
		}
		t.Path = path
		if slices.ContainsFunc(s.targets, func(o Target) bool { return o.Path == path }) {
			return nil, fmt.Errorf("%s: two outputs have this path", path)
		}
		s.targets = append(s.targets, t)
	}
	s.found, s.unused, s.keeps = make([]*finished, len(targets)), make([]error, len(targets)), make([]bool, len(targets))
	if err := s.begin(); err != nil {
		s.Abort()
		return nil, err
	}
	return s, nil
}

func (s *Set) begin() error {
	if err := s.check(); err != nil { // before anything is made, a directory included
		return err
	}
	for _, t := range s.targets {
		if err := makeDir(s.fsys, filepath.Dir(t.Path)); err != nil {
			return err
		}
		l, err := lock(s.fsys, t.Path)
		if err != nil {
			return err
		}
		s.locks = append(s.locks, l)
	}
	for _, t := range s.targets { // first, as in Recover
		r, err := committedRecord(s.fsys, t.Path)
		if err == nil && r != nil {
			_, err = r.finish(s.fsys, s.owns)
		}
		if err != nil {
			return err
		}
	}
	for i, t := range s.targets {
		if err := s.find(i); err != nil {
			return err
		}
		if s.found[i] == nil {
			if _, err := recoverTarget(s.fsys, t.Path, s.owns); err != nil {
				return err
			}
		}
		s.settled = i + 1
	}
	if err := s.check(); err != nil {
		return err
	}
	return s.makeTemps()
}

// makeDir makes a directory and those above it that are missing, and their names durable.
func makeDir(fsys vfs.FS, dir string) error {
	var holders []string // of what is missing
	for d := dir; filepath.Dir(d) != d; d = filepath.Dir(d) {
		if _, err := fsys.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		holders = append(holders, filepath.Dir(d))
	}
	if err := fsys.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, h := range holders {
		// A directory that may be written but not read can hold outputs, and cannot be synced.
		if err := fsys.SyncDir(h); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// lock takes a target's lock.
func lock(fsys vfs.FS, path string) (io.Closer, error) {
	l, err := fsys.Lock(beside(path, lockSuffix))
	if errors.Is(err, vfs.ErrLocked) {
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	return l, err
}

// owns says whether the set holds the target's lock.
func (s *Set) owns(path string) bool {
	return slices.ContainsFunc(s.targets[:len(s.locks)], func(t Target) bool { return t.Path == path })
}

// makeTemps makes the temporary places, but for those that an earlier run has filled.
func (s *Set) makeTemps() error {
	for i := range s.targets {
		var err error
		if s.found[i] != nil {
			err = s.learnMode(beside(s.targets[i].Path, commitSuffix+"-half"))
		} else {
			err = s.makeTemp(i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeTemp makes the temporary place of target i. Its mode is closed until it is published.
func (s *Set) makeTemp(i int) error {
	tmp := s.Temp(i)
	if s.targets[i].SingleFile {
		return s.learnMode(tmp)
	}
	if err := s.mkdir(tmp); err != nil {
		return err
	}
	return s.fsys.Chmod(tmp, 0o700)
}

// learnMode makes a directory for the while.
func (s *Set) learnMode(path string) error {
	if err := s.mkdir(path); err != nil {
		return err
	}
	return s.fsys.Remove(path)
}

// mkdir makes a directory, and keeps the mode that the process gives to new ones for publishing.
func (s *Set) mkdir(path string) error {
	if err := s.fsys.Mkdir(path, 0o777); err != nil {
		return err
	}
	st, err := s.fsys.Stat(path)
	if err == nil {
		s.mode = st.Mode().Perm()
	}
	return err
}

// Temp returns where to write target i: an existing empty directory, or the path of a file to be created.
func (s *Set) Temp(i int) string { return beside(s.targets[i].Path, newSuffix) }

// ErrComplete is in the errors of a Commit that fails after the set's moment: nobody may say then that nothing was changed.
var ErrComplete = errors.New("the new outputs are complete")

const unsure = "%w; %w, but perhaps not all in their places: the next run, or `pqjoin clean`, puts them there"

// Commit makes everything durable and swaps it in. When it fails before the set's moment, Abort leaves all old outputs as they
// were; after it, which the error says, the next Begin or Recover completes the set. The moment of one output is its swap.
func (s *Set) Commit(ctx context.Context) error {
	for i := range s.targets {
		if err := s.settle(ctx, i); err != nil {
			return err
		}
	}
	r := &record{ID: newID()}
	for i, t := range s.targets {
		e, err := entryOf(s.fsys, t, s.Temp(i))
		if err != nil {
			return err
		}
		r.Entries = append(r.Entries, e)
	}
	if len(r.Entries) > 1 {
		err := r.write(s.fsys)
		ok, cerr := r.committed(s.fsys)
		if ok || cerr != nil {
			s.done = true // from here on forward only, if need be by recovery
		}
		if err != nil && ok {
			return fmt.Errorf(unsure, err, ErrComplete)
		}
		if err != nil {
			return err
		}
	}
	if err := r.swap(s.fsys); err != nil {
		if s.done {
			err = fmt.Errorf(unsure, err, ErrComplete)
		}
		return err
	}
	s.done = true // also of one output, which needs no record: it is the new one
	if err := r.sync(s.fsys); err != nil {
		return fmt.Errorf(unsure, err, ErrComplete)
	}
	if err := r.clear(s.fsys); err != nil {
		return fmt.Errorf("%w; %w and in their places: the next run, or `pqjoin clean`, removes what is left beside them", err, ErrComplete)
	}
	s.unlock()
	return nil
}

// settle gives the temporary place of target i its final mode and makes it durable.
func (s *Set) settle(ctx context.Context, i int) error {
	tmp := s.Temp(i)
	if s.targets[i].SingleFile {
		return s.settleFile(ctx, tmp)
	}
	return s.settleDir(ctx, tmp)
}

// settleDir settles a directory: an output, or one within it, as partitioned outputs have them.
func (s *Set) settleDir(ctx context.Context, dir string) error {
	entries, err := s.fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = s.settleDir(ctx, name)
		} else {
			err = s.settleFile(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	if err := s.fsys.Chmod(dir, s.mode); err != nil {
		return err
	}
	return s.fsys.SyncDir(dir)
}

func (s *Set) settleFile(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.fsys.Chmod(name, s.mode&0o666); err != nil {
		return err
	}
	f, err := s.fsys.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}

// Abort removes the temporary places, but for finished ones that have a Key, and gives the locks back. After Commit, which has
// done so or left the rest to recovery, it does nothing.
func (s *Set) Abort() {
	if !s.done {
		for i := range s.settled {
			// What cannot be removed now, the next run removes.
			_ = s.fsys.Remove(beside(s.targets[i].Path, setSuffix))
			if s.keeps[i] {
				continue
			}
			_ = s.fsys.Remove(beside(s.targets[i].Path, doneSuffix))
			_ = s.fsys.RemoveAll(s.Temp(i))
		}
	}
	s.done = true
	s.unlock()
}

// unlock gives the locks back. The lock files go while they are still held, so that nobody is
// between opening one and locking it who could hold a lock that others no longer see.
func (s *Set) unlock() {
	for i, l := range s.locks {
		releaseLock(s.fsys, s.targets[i].Path, l)
	}
	s.locks = nil
}

// newID names a set.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// isID says whether newID may have given the name.
func isID(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == 12
}
