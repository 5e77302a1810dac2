package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/internal/vfs"
)

// keyed gives all targets a key.
func (s *scene) keyed(key string) {
	for i := range s.targets {
		s.targets[i].Key = key
	}
}

// again reuses what is finished, writes the rest and finishes it, and commits. It returns how many targets were reused,
// and the last reason why one was not.
func (s *scene) again(t *testing.T, f vfs.FS) (reused int, why, err error) {
	set, err := Begin(f, s.targets)
	if err != nil {
		return 0, nil, err
	}
	defer set.Abort()
	for i, target := range s.targets {
		note, ok, w, err := set.Reuse(context.Background(), i, nil)
		if w != nil {
			why = w
		}
		if err != nil {
			return reused, why, err
		}
		if ok {
			if string(note) != target.Path {
				t.Errorf("%s was noted of %s", note, target.Path)
			}
			reused++
			continue
		}
		fill(t, set.Temp(i), target.SingleFile, "new")
		if err := set.Finish(context.Background(), i, []byte(target.Path)); err != nil {
			return reused, why, err
		}
	}
	return reused, why, set.Commit(context.Background())
}

// died is a scene whose first run dies when both targets are finished.
func died(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, true, "out", "one.parquet")
	s.keyed("a key")
	set, err := Begin(vfs.OS(), s.targets)
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range s.targets {
		fill(t, set.Temp(i), target.SingleFile, "new")
		if err := set.Finish(context.Background(), i, []byte(target.Path)); err != nil {
			t.Fatal(err)
		}
	}
	set.Abort()
	return &s
}

// published checks that all targets are the new ones and nothing is left.
func (s *scene) published(t *testing.T) {
	t.Helper()
	for _, target := range s.targets {
		if got := s.state(t, target); got != "new" {
			t.Errorf("%s is %s", target.Path, got)
		}
	}
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestAFinishedOutputIsReused(t *testing.T) {
	s := died(t)
	for _, target := range s.targets {
		if got := s.state(t, target); got != "old" {
			t.Errorf("%s is %s before it is published", target.Path, got)
		}
	}
	if reused, why, err := s.again(t, vfs.OS()); reused != 2 || why != nil || err != nil {
		t.Errorf("%d reused, %v, %v", reused, why, err)
	}
	s.published(t)
	if st, err := os.Stat(filepath.Join(s.targets[0].Path, "a")); err != nil || st.Mode().Perm() == 0o600 {
		t.Errorf("a reused file has mode %v, %v", st.Mode(), err)
	}
}

func TestAFinishedOutputThatIsNotWhatItWasIsWrittenAgain(t *testing.T) {
	in := func(name string) func(s *scene) string {
		return func(s *scene) string { return filepath.Join(beside(s.targets[0].Path, newSuffix), name) }
	}
	for what, c := range map[string]struct {
		change func(s *scene) error
		why    error
	}{
		"a changed byte":    {func(s *scene) error { return os.WriteFile(in("k=1/b")(s), []byte("neW"), 0o600) }, ErrDamaged},
		"a file that goes":  {func(s *scene) error { return os.Remove(in("a")(s)) }, ErrDamaged},
		"a file that comes": {func(s *scene) error { return os.WriteFile(in("c")(s), nil, 0o600) }, ErrDamaged},
		"a link": {func(s *scene) error {
			return errors.Join(os.Remove(in("a")(s)), os.Symlink(in("k=1/b")(s), in("a")(s)))
		}, ErrDamaged},
		"no output":  {func(s *scene) error { return os.RemoveAll(in("")(s)) }, ErrDamaged},
		"the record": {func(s *scene) error { return os.WriteFile(beside(s.targets[0].Path, doneSuffix), []byte("x"), 0o600) }, ErrDamaged},
		"another key": {func(s *scene) error {
			s.targets[0].Key = "another"
			return nil
		}, ErrOtherKey},
	} {
		s := died(t)
		if err := c.change(s); err != nil {
			t.Fatal(err)
		}
		if reused, why, err := s.again(t, vfs.OS()); reused != 1 || !errors.Is(why, c.why) || err != nil {
			t.Errorf("%s: %d reused, %v, %v", what, reused, why, err)
		}
		s.published(t)
	}
}

func TestAFinishedOutputGoesWithTheNextRunThatHasNoKey(t *testing.T) {
	s := died(t)
	s.keyed("")
	if err := s.run(t, vfs.OS()); err != nil {
		t.Fatal(err)
	}
	s.published(t)

	s = died(t)
	if _, err := Recover(vfs.OS(), s.root); err != nil {
		t.Fatal(err)
	}
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("recovery leaves %v", left)
	}

	s = died(t)
	set, err := Begin(vfs.OS(), s.targets)
	if err != nil {
		t.Fatal(err)
	}
	set.Forget()
	set.Abort()
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("what is forgotten leaves %v", left)
	}
}

func TestOutputsAreWholeWhereARunWithKeysDiesAtAnyCall(t *testing.T) {
	for n := 1; ; n++ {
		s := newScene(t, true, "out", "one.parquet")
		s.keyed("a key")
		f := &faulty{FS: vfs.OS(), n: n, crash: true}
		_, _, _ = s.again(t, f)
		for _, target := range s.targets {
			if got := s.state(t, target); got != "old" && got != "new" {
				t.Errorf("call %d: %s is %s", n, target.Path, got)
			}
		}
		g := &faulty{FS: vfs.OS(), n: n / 2, crash: true} // and the next one too
		_, _, _ = s.again(t, g)
		if _, _, err := s.again(t, vfs.OS()); err != nil {
			t.Errorf("call %d: the next run: %v", n, err)
		}
		s.published(t)
		if f.calls < n {
			return
		}
	}
}

// logged notes which directories were made durable until something is said to be finished.
type logged struct {
	vfs.FS
	synced []string
	done   bool
}

func (l *logged) SyncDir(name string) error {
	if !l.done {
		l.synced = append(l.synced, name)
	}
	return l.FS.SyncDir(name)
}

func (l *logged) Create(name string) (vfs.File, error) {
	l.done = l.done || strings.HasSuffix(name, doneSuffix)
	return l.FS.Create(name)
}

// finish begins a set of one directory, fills it with more files than fill does, and finishes it with the note.
func finish(t *testing.T, f vfs.FS, files int, note []byte) (s scene, temp string) {
	t.Helper()
	s = newScene(t, false, "out")
	s.keyed("a key")
	set, err := Begin(f, s.targets)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Abort()
	fill(t, set.Temp(0), false, "new")
	for i := range files {
		if err := os.WriteFile(filepath.Join(set.Temp(0), fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Finish(context.Background(), 0, note); err != nil {
		t.Fatal(err)
	}
	return s, set.Temp(0)
}

func TestDirectoriesAreDurableBeforeTheyAreFinished(t *testing.T) {
	l := &logged{FS: vfs.OS()}
	_, temp := finish(t, l, 0, nil)
	for _, dir := range []string{temp, filepath.Join(temp, "k=1")} {
		if !slices.Contains(l.synced, dir) {
			t.Errorf("%s is not durable when it is said to be finished", dir)
		}
	}
}

func TestWhatIsSaidOfAFinishedOutputDoesNotGrowWithItsFiles(t *testing.T) {
	s, _ := finish(t, vfs.OS(), 1000, nil)
	if st, err := os.Stat(beside(s.targets[0].Path, doneSuffix)); err != nil || st.Size() > 1000 {
		t.Errorf("of 1000 files %d bytes are said (%v)", st.Size(), err)
	}
}

func TestANoteThatCannotBeReadBackIsNotKept(t *testing.T) {
	s, _ := finish(t, vfs.OS(), 0, make([]byte, maxRecord))
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if reused, why, err := s.again(t, vfs.OS()); reused != 0 || why != nil || err != nil {
		t.Errorf("%d reused, %v, %v", reused, why, err)
	}
	s.published(t)
}
