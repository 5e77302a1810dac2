package spillfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
)

func TestAnUnfinishedStageIsNotKept(t *testing.T) {
	parent := t.TempDir()
	calls := faultfs.New(vfs.OS(), nil)
	sealed := func(fsys *faultfs.FS) (want [][][]any, err error) {
		dir, keep, _ := keptIn(t, fsys, parent, "1b")
		sc := keptScript
		sc.workers, sc.keep = 1, keep.Stage("one", noted("a note"))
		pool := mem.NewPool(3<<20, mem.Protect())
		s, want, err := sc.run(t, pool, dir)
		if cerr := errors.Join(s.Close(), s.spec.Acct.Close(), pool.Close()); cerr != nil {
			t.Error(cerr)
		}
		_ = errors.Join(keep.Close(true), dir.Close()) // a dead owner does neither
		if fsys.Leaked() > 0 {
			t.Errorf("after %v %d files are open", err, fsys.Leaked())
		}
		return want, err
	}
	if _, err := sealed(calls); err != nil {
		t.Fatal(err)
	}
	opening := 30 // calls, about, which the test does not fail
	unfinished := 0
	for nth := opening; nth < calls.Calls(); nth += 1 + calls.Calls()/40 {
		if _, err := ReclaimKept(vfs.OS(), parent); err != nil {
			t.Fatal(err)
		}
		died := errors.New("died")
		want, err := sealed(faultfs.New(vfs.OS(), func(n int, op faultfs.Op, _ string) error {
			if n >= nth && op != "close" && op != "unlock" {
				return died
			}
			return nil
		}))
		rerr := restoreOne(t, parent, want) // which is whole, or not there
		if errors.Is(rerr, ErrNotKept) {
			unfinished++
		} else if rerr != nil {
			t.Errorf("died at call %d (%v), and then: %v", nth, err, rerr)
		}
	}
	if unfinished == 0 {
		t.Error("no run died before the stage was finished")
	}
}

func TestOneDirectoryOfAJobStays(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	dir, keep, gone := keptIn(t, vfs.OS(), parent, "2c")
	if len(gone) != 1 || string(gone[0].About) != "about 1b" {
		t.Errorf("replaced: %v", gone)
	}
	if _, err := os.Stat(keep.path); err != nil {
		t.Error(err)
	}
	if err := keep.Close(true); err != nil { // nothing is finished in it
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(parent, keepPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if err := dir.Close(); err != nil {
		t.Error(err)
	}
}

func TestAKeptDirectoryIsNotSharedAndNotReclaimedWhileInUse(t *testing.T) {
	parent := t.TempDir()
	dir, keep, _ := keptIn(t, vfs.OS(), parent, "1b")
	if _, _, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: "1b"}); !errors.Is(err, vfs.ErrLocked) {
		t.Errorf("a second owner: %v", err)
	}
	if removed, err := ReclaimKept(vfs.OS(), parent); err != nil || len(removed) > 0 {
		t.Errorf("reclaimed from its owner: %v, %v", removed, err)
	}
	other, _, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: "2c"}) // of the same job, another key
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(keep.path); err != nil {
		t.Errorf("replaced under its owner: %v", err)
	}
	if err := errors.Join(other.Close(true), keep.Close(true), dir.Close()); err != nil {
		t.Error(err)
	}
}

func TestADirectoryThatOthersMayWriteIsNotUsed(t *testing.T) {
	for what, place := range map[string]func(path, elsewhere string) error{
		"open to others": func(path, _ string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o755)) },
		"a link":         func(path, elsewhere string) error { return os.Symlink(elsewhere, path) },
	} {
		parent, elsewhere := t.TempDir(), t.TempDir()
		victim := filepath.Join(elsewhere, "file")
		if err := errors.Join(os.Chmod(elsewhere, 0o700), os.WriteFile(victim, nil, 0o600), place(filepath.Join(parent, keepPrefix+"0a-1b"), elsewhere)); err != nil {
			t.Fatal(err)
		}
		dir, err := OpenDir(vfs.OS(), parent, 0, AllowMemory())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: "1b"}); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), parent) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(victim); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAKeptDirectoryIsDurableOnceItIsKnownWhatItIsAbout(t *testing.T) {
	parent, last := t.TempDir(), ""
	fsys := faultfs.New(vfs.OS(), func(_ int, op faultfs.Op, name string) error {
		switch {
		case op == "rename" && strings.HasSuffix(name, aboutName+halfSuffix):
			last = "renamed"
		case op == "syncdir" && name == parent && last == "renamed":
			last = "synced"
		}
		return nil
	})
	dir, keep, _ := keptIn(t, fsys, parent, "1b")
	if last != "synced" {
		t.Errorf("what was done last: %q", last)
	}
	if err := errors.Join(keep.Close(true), dir.Close()); err != nil {
		t.Error(err)
	}
}
