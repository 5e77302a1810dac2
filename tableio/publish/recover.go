package publish

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"pqjoin/internal/vfs"
)

// Recover completes the sets that crashed runs had committed, and removes the temporary places
// of those they had not. paths are outputs, or directories that hold outputs.
// Outputs that a living run has locked are left alone.
func Recover(fsys vfs.FS, paths ...string) error {
	for _, p := range paths {
		p, err := filepath.Abs(p)
		if err != nil {
			return err
		}
		targets, err := leftovers(fsys, filepath.Dir(p), filepath.Base(p))
		if err != nil {
			return err
		}
		if st, err := fsys.Stat(p); err == nil && st.IsDir() {
			inside, err := leftovers(fsys, p, "")
			if err != nil {
				return err
			}
			targets = append(targets, inside...)
		}
		for _, t := range targets {
			if err := recoverOne(fsys, t); err != nil && !errors.Is(err, ErrLocked) {
				return err
			}
		}
	}
	return nil
}

// leftovers returns the targets in dir (only the one called name, unless that is empty) beside which something lies.
func leftovers(fsys vfs.FS, dir, name string) ([]string, error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var targets []string
	seen := map[string]bool{}
	for _, e := range entries {
		base, ok := targetOf(e.Name())
		if ok && !seen[base] && (name == "" || base == name) {
			seen[base] = true
			targets = append(targets, filepath.Join(dir, base))
		}
	}
	return targets, nil
}

// targetOf returns the name of the target that a hidden file belongs to.
func targetOf(name string) (string, bool) {
	base, ok := strings.CutPrefix(name, ".")
	if !ok {
		return "", false
	}
	for _, suffix := range []string{lockSuffix, newSuffix, setSuffix, commitSuffix, commitSuffix + "-half"} {
		if t, ok := strings.CutSuffix(base, suffix); ok && t != "" {
			return t, true
		}
	}
	return "", false
}

func recoverOne(fsys vfs.FS, path string) error {
	l, err := lock(fsys, path)
	if err != nil {
		return err
	}
	defer releaseLock(fsys, path, l)
	return recoverTarget(fsys, path, func(p string) bool { return p == path })
}

// recoverTarget finishes or undoes what lies beside a target whose lock the caller has; owns
// says which other targets' locks it has too. The others' are taken for the while.
func recoverTarget(fsys vfs.FS, path string, owns func(path string) bool) error {
	r, err := readRecord(fsys, path)
	if err != nil {
		return err
	}
	if r == nil {
		return tidy(fsys, path)
	}
	committed, err := r.committed(fsys)
	if err != nil {
		return err
	}
	if !committed {
		return tidy(fsys, path)
	}
	for _, e := range r.Entries {
		if owns(e.Path) {
			continue
		}
		l, err := lock(fsys, e.Path)
		if err != nil {
			return err
		}
		defer releaseLock(fsys, e.Path, l)
	}
	return r.complete(fsys)
}
