package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"pqjoin/internal/vfs"
)

// Check refuses a target as Begin does before it makes anything: one that exists and may not be replaced, or is of the other sort
// (the error wraps ErrExists), and one whose name is too long.
func Check(fsys vfs.FS, t Target) error {
	path, err := filepath.Abs(t.Path)
	if err != nil {
		return err
	}
	t.Path = path
	return (&Set{fsys: fsys, targets: []Target{t}}).check()
}

// check refuses targets that exist and may not be replaced, or are of the other sort.
func (s *Set) check() error {
	for _, t := range s.targets {
		if name := filepath.Base(t.Path); len(name) > maxName {
			return fmt.Errorf("%s: its name has %d bytes; with those of the temporary files beside it at most %d can be written", t.Path, len(name), maxName)
		}
		st, err := s.fsys.Stat(t.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !t.Replace && pending(s.fsys, t.Path):
			// a crashed run's set comes first, and may have made it
		case !t.Replace:
			return fmt.Errorf("%s: %w: remove it, or say if_exists: replace", t.Path, ErrExists)
		case st.IsDir() == t.SingleFile && st.IsDir():
			return fmt.Errorf("%s: %w, as a directory; the new output is one file and does not replace it", t.Path, ErrExists)
		case st.IsDir() == t.SingleFile:
			return fmt.Errorf("%s: %w, as a file; the new output is a directory and does not replace it", t.Path, ErrExists)
		}
	}
	return nil
}

// pending says whether an earlier run's set waits for recovery.
func pending(fsys vfs.FS, path string) bool {
	_, err := fsys.Stat(beside(path, setSuffix))
	return err == nil
}
