package spillfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"pqjoin/internal/vfs"
)

// strangers is a filesystem where every directory but a run's own is another user's.
type strangers struct{ vfs.FS }

type strangersEntry struct{ fs.DirEntry }

type strangersInfo struct{ fs.FileInfo }

func (f strangers) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := f.FS.ReadDir(name)
	for i, e := range entries {
		entries[i] = strangersEntry{e}
	}
	return entries, err
}

func (e strangersEntry) Info() (fs.FileInfo, error) {
	st, err := e.DirEntry.Info()
	return strangersInfo{st}, err
}

func (st strangersInfo) Sys() any {
	sys := *st.FileInfo.Sys().(*syscall.Stat_t)
	sys.Uid++
	return &sys
}

// trap makes a directory whose files make who opens them wait.
func trap(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, mode))
	for _, name := range []string{lockName, aboutName} {
		err = errors.Join(err, syscall.Mkfifo(filepath.Join(path, name), 0o666))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inTime fails the test where f takes long.
func inTime(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for a named pipe")
	}
}

func TestNothingInAnotherUsersDirectoryIsOpened(t *testing.T) {
	parent := t.TempDir()
	spill, kept := filepath.Join(parent, dirPrefix+"1-trap"), filepath.Join(parent, keepPrefix+"0a-trap")
	trap(t, spill, 0o700)
	trap(t, kept, 0o700)
	inTime(t, func() error {
		dir, err := OpenDir(strangers{vfs.OS()}, parent, 0, AllowMemory())
		if err != nil {
			return err
		}
		removed, err := ReclaimKept(strangers{vfs.OS()}, parent)
		if len(removed) > 0 {
			t.Errorf("removed %v", removed)
		}
		return errors.Join(err, dir.Close())
	})
	for _, path := range []string{spill, kept} {
		if _, err := os.Stat(filepath.Join(path, lockName)); err != nil {
			t.Error(err)
		}
	}
}

func TestADirectoryOfTheJobThatOthersMayWriteIsLeftAlone(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, keepPrefix+"0a-trap")
	trap(t, path, 0o777)
	inTime(t, func() error {
		dir, keep, gone := keptIn(t, vfs.OS(), parent, "1b")
		if len(gone) > 0 {
			t.Errorf("replaced %v", gone)
		}
		return errors.Join(keep.Close(true), dir.Close())
	})
	if _, err := os.Stat(filepath.Join(path, aboutName)); err != nil {
		t.Error(err)
	}
}

// cleaned is a filesystem where somebody removes the directory just when its lock has been taken anew.
type cleaned struct {
	vfs.FS
	times *int
}

func (f cleaned) Lock(name string) (io.Closer, error) {
	lock, err := f.FS.Lock(name)
	if *f.times > 0 && err == nil {
		*f.times--
		err = os.RemoveAll(filepath.Dir(name))
	}
	return lock, err
}

func TestAKeptDirectoryThatIsRemovedMeanwhileIsMadeAgain(t *testing.T) {
	parent, times := t.TempDir(), 0
	dir, err := OpenDir(cleaned{vfs.OS(), &times}, parent, 0, AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	times = 2
	keep, _, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: "1b", About: []byte("about")})
	if err != nil {
		t.Fatal(err)
	}
	if about, err := keep.read(aboutName); err != nil || string(about) != "about" {
		t.Errorf("%q, %v", about, err)
	}
	if err := errors.Join(keep.Close(true), dir.Close()); err != nil {
		t.Error(err)
	}
}
