package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCreateMakesFilesOfItsOwnAlone(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "new")
	f, err := OS().Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the new file: %v, %v", st, err)
	}
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	if err := os.Symlink(victim, link); err != nil { // as one who races for the name would put there
		t.Fatal(err)
	}
	for _, taken := range []string{name, link} {
		if f, err := OS().Create(taken); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, %v", taken, f, err)
		}
	}
	if _, err := os.Lstat(victim); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link was followed: %v", err)
	}
}
