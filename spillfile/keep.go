package spillfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"pqjoin/internal/vfs"
)

const (
	keepPrefix  = "pqjoin-keep-"
	aboutName   = "about"
	stageSuffix = ".stage"
	halfSuffix  = "-half"
	keepMagic   = "pqjoin stage 1 "
	maxManifest = 64 << 20 // bytes that are read of one
)

// KeepSpec names a directory of finished stages.
type KeepSpec struct {
	Job   string // in hexadecimal: the job, whatever it reads; of its directories that nobody uses one at most is left
	Key   string // in hexadecimal: all that the stages depend on
	About []byte // what Key was made of, to tell what differs
}

// Keep is the directory of the finished stages of one job. It lies beside the directory of the run, 0700,
// locked by the run that uses it, and outlives a run that dies. Its stages may be made and finished by several goroutines at once.
type Keep struct {
	dir  *Dir
	path string
	lock io.Closer
	lost bool // what was in the directory is gone, as nothing told any longer what it was about
}

// Replaced is a directory of the same job with another key, which is gone, or what was in the directory itself and is about nobody
// knows what: then About is nil.
type Replaced struct{ About []byte }

// OpenKeep takes the directory of spec beside d, and makes it where there is none. Stages that are not finished
// are removed, and so are directories of the same job with other keys, unless somebody uses them. Errors: vfs.ErrLocked
// where another run uses it, ErrForeign, or the filesystem's.
func OpenKeep(d *Dir, spec KeepSpec) (*Keep, []Replaced, error) {
	parent := filepath.Dir(d.path)
	k := &Keep{dir: d, path: spec.path(parent)}
	if err := k.open(parent, spec.About); err != nil {
		return nil, nil, fmt.Errorf("kept stages %s: %w", k.path, err)
	}
	gone, err := k.replace(parent, spec.Job)
	if k.lost {
		gone = append(gone, Replaced{})
	}
	if err == nil {
		err = k.sweep()
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("kept stages %s: %w", k.path, err), k.lock.Close())
	}
	return k, gone, nil
}

// KeptBytes returns the bytes of the files in the directory of spec below parent, as far as they can be told.
func KeptBytes(fsys vfs.FS, parent string, spec KeepSpec) (n int64) {
	entries, _ := fsys.ReadDir(spec.path(parent)) // none where there is no directory
	for _, e := range entries {
		if st, err := e.Info(); err == nil {
			n += st.Size()
		}
	}
	return n
}

func (spec KeepSpec) path(parent string) string {
	return filepath.Join(parent, keepPrefix+spec.Job+"-"+spec.Key)
}

// open makes the directory, if it is not there, and locks it.
func (k *Keep) open(parent string, about []byte) error {
	for range 10 {
		if err := k.dir.fs.Mkdir(k.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		err := ownDir(k.dir.fs, parent, filepath.Base(k.path))
		var lock io.Closer
		if err == nil {
			lock, err = k.dir.fs.Lock(filepath.Join(k.path, lockName))
		}
		if err == nil {
			if err = k.begin(about); err == nil {
				k.lock = lock
				return nil
			}
			err = errors.Join(err, lock.Close())
		}
		if !errors.Is(err, fs.ErrNotExist) { // else somebody has removed it meanwhile
			return err
		}
	}
	return errors.New("others keep removing it")
}

// begin says what the directory, which is locked, is about, unless that is known.
func (k *Keep) begin(about []byte) error {
	_, err := k.read(aboutName)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrCorrupt) {
		return err
	}
	k.lost = errors.Is(err, ErrCorrupt)
	err = errors.Join(k.clear(), k.write(aboutName, about)) // else it was begun, and no more
	if err == nil {
		err = k.dir.fs.SyncDir(filepath.Dir(k.path)) // what is finished in it is durable if it is
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a full disk, say; else the place may be another's by now
		_, rerr := removeDir(k.dir.fs, k.path)
		err = errors.Join(err, rerr)
	}
	return err
}

// ownDir refuses what somebody else may have put there: what is no directory, or open to others.
func ownDir(fsys vfs.FS, parent, name string) error {
	entries, err := fsys.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == name {
			return ownEntry(e)
		}
	}
	return &fs.PathError{Op: "open", Path: filepath.Join(parent, name), Err: fs.ErrNotExist}
}

func ownEntry(e fs.DirEntry) error {
	st, err := e.Info()
	if err == nil && (!ours(st) || st.Mode().Perm()&0o077 != 0) {
		err = ErrForeign
	}
	return err
}

// replace removes the job's directories with other keys whose owners are dead.
func (k *Keep) replace(parent, job string) (gone []Replaced, err error) {
	entries, err := k.dir.fs.ReadDir(parent)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if path == k.path || !strings.HasPrefix(e.Name(), keepPrefix+job+"-") || ownEntry(e) != nil {
			continue // an entry without its owner is gone, or nobody's to remove
		}
		other := &Keep{dir: k.dir, path: path}
		about, _ := other.read(aboutName) // without it nothing can be told
		removed, err := reclaimOne(k.dir.fs, path)
		if err != nil {
			return gone, err
		}
		if removed {
			gone = append(gone, Replaced{about})
		}
	}
	return gone, nil
}

// ReclaimKept removes the kept stages below parent that nobody uses, and returns their directories' paths.
func ReclaimKept(fsys vfs.FS, parent string) (removed []string, err error) {
	return reclaim(fsys, parent, keepPrefix)
}

// names returns the files of the directory, but for its lock and what it is about.
func (k *Keep) names() (names []string, err error) {
	entries, err := k.dir.fs.ReadDir(k.path)
	for _, e := range entries {
		if e.Name() != lockName && e.Name() != aboutName {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// sweep removes what belongs to no finished stage.
func (k *Keep) sweep() error {
	names, err := k.names()
	if err != nil {
		return err
	}
	finished := map[string]bool{}
	for _, n := range names {
		if stage, ok := strings.CutSuffix(n, stageSuffix); ok {
			finished[stage] = true
		}
	}
	for _, n := range names {
		stage, _, _ := strings.Cut(n, ".")
		if !finished[stage] || strings.HasSuffix(n, halfSuffix) {
			err = errors.Join(err, k.dir.fs.Remove(filepath.Join(k.path, n)))
		}
	}
	return err
}

// clear removes all files but the lock.
func (k *Keep) clear() error {
	entries, err := k.dir.fs.ReadDir(k.path)
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, k.dir.fs.RemoveAll(filepath.Join(k.path, e.Name())))
		}
	}
	return err
}

// Close gives the directory up. It stays for the next run where keep is true and a stage is finished; else it is removed.
func (k *Keep) Close(keep bool) error {
	if k.lock == nil {
		return nil
	}
	var err error
	if keep {
		if err = k.sweep(); err == nil {
			var left []string
			left, err = k.names()
			keep = err != nil || len(left) > 0
		}
	}
	if !keep {
		_, rerr := removeDir(k.dir.fs, k.path)
		err = errors.Join(err, rerr)
	}
	err = errors.Join(err, k.lock.Close())
	k.lock = nil
	return err
}

// Stage is one stage in a Keep, finished or not. Its name has no dots: what is behind the first tells its files apart.
type Stage struct {
	keep *Keep
	name string
	note func() ([]byte, error) // what is to be noted of the stage when it is finished; may be nil
}

// Stage returns the stage of the name. note may be nil.
func (k *Keep) Stage(name string, note func() ([]byte, error)) *Stage {
	return &Stage{keep: k, name: name, note: note}
}

// Name returns the stage's name, with which those of its files begin.
func (s *Stage) Name() string { return s.name }

// Finished returns the manifest of the stage, encoded. The error wraps ErrNotKept where it was not finished, and
// ErrCorrupt where what says so is damaged.
func (s *Stage) Finished() ([]byte, error) {
	raw, err := s.keep.read(s.name + stageSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("stage %s: %w", s.name, ErrNotKept)
	}
	return raw, err
}

// Remove forgets the stage, and removes its files. Nobody reads them.
func (s *Stage) Remove() error {
	names, err := s.keep.names()
	if err != nil {
		return err
	}
	last := s.name + stageSuffix // it goes first: what is half removed is not finished
	if err := s.keep.dir.fs.Remove(filepath.Join(s.keep.path, last)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, n := range names {
		if strings.HasPrefix(n, s.name+".") && n != last {
			err = errors.Join(err, s.keep.dir.fs.Remove(filepath.Join(s.keep.path, n)))
		}
	}
	return err
}

// file returns the path of one of the stage's files.
func (s *Stage) file(suffix string) string { return filepath.Join(s.keep.path, s.name+suffix) }

// write writes a small file durably with its checksum; it has its name only when it is whole.
func (k *Keep) write(name string, body []byte) error {
	if len(body) > maxManifest {
		return fmt.Errorf("%s has %d bytes", name, len(body))
	}
	half := filepath.Join(k.path, name+halfSuffix)
	if err := vfs.WriteSynced(k.dir.fs, half, vfs.Seal(keepMagic, body)); err != nil {
		return err
	}
	if err := k.dir.fs.Rename(half, filepath.Join(k.path, name)); err != nil {
		return err
	}
	return k.dir.fs.SyncDir(k.path)
}

// read reads a file that write wrote. The error wraps ErrCorrupt where it is damaged.
func (k *Keep) read(name string) ([]byte, error) {
	const head = len(keepMagic) + 2*sha256.Size + 1
	raw, err := vfs.ReadUpTo(k.dir.fs, filepath.Join(k.path, name), maxManifest+int64(head))
	if err != nil {
		return nil, err
	}
	body, ok := vfs.Unseal(keepMagic, raw)
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, ErrCorrupt)
	}
	return body, nil
}
