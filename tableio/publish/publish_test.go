package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/internal/vfs"
)

var errFault = errors.New("injected fault")

// faulty fails its nth call, and with crash all that follow, as a process that has died would.
type faulty struct {
	vfs.FS
	calls, n int
	crash    bool
}

func (f *faulty) hit() error {
	f.calls++
	if f.calls == f.n || f.crash && f.calls > f.n {
		return errFault
	}
	return nil
}

type faultyFile struct {
	vfs.File
	f *faulty
}

type faultyLock struct {
	io.Closer
}

func try[T any](f *faulty, call func() (T, error)) (T, error) {
	if err := f.hit(); err != nil {
		var zero T
		return zero, err
	}
	return call()
}

func (f *faulty) do(call func() error) error {
	if err := f.hit(); err != nil {
		return err
	}
	return call()
}

func (f *faulty) Create(name string) (vfs.File, error) {
	return try(f, func() (vfs.File, error) {
		h, err := f.FS.Create(name)
		return faultyFile{h, f}, err
	})
}
func (f *faulty) Open(name string) (vfs.File, error) {
	return try(f, func() (vfs.File, error) {
		h, err := f.FS.Open(name)
		return faultyFile{h, f}, err
	})
}
func (f *faulty) Mkdir(name string, perm fs.FileMode) error {
	return f.do(func() error { return f.FS.Mkdir(name, perm) })
}
func (f *faulty) MkdirAll(name string, perm fs.FileMode) error {
	return f.do(func() error { return f.FS.MkdirAll(name, perm) })
}
func (f *faulty) Remove(name string) error { return f.do(func() error { return f.FS.Remove(name) }) }
func (f *faulty) RemoveAll(name string) error {
	return f.do(func() error { return f.FS.RemoveAll(name) })
}
func (f *faulty) Rename(a, b string) error { return f.do(func() error { return f.FS.Rename(a, b) }) }
func (f *faulty) RenameNew(a, b string) error {
	return f.do(func() error { return f.FS.RenameNew(a, b) })
}
func (f *faulty) Exchange(a, b string) error {
	return f.do(func() error { return f.FS.Exchange(a, b) })
}
func (f *faulty) SyncDir(name string) error { return f.do(func() error { return f.FS.SyncDir(name) }) }
func (f *faulty) Chmod(name string, m fs.FileMode) error {
	return f.do(func() error { return f.FS.Chmod(name, m) })
}
func (f *faulty) Stat(name string) (fs.FileInfo, error) {
	return try(f, func() (fs.FileInfo, error) { return f.FS.Stat(name) })
}
func (f *faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	return try(f, func() ([]fs.DirEntry, error) { return f.FS.ReadDir(name) })
}
func (f *faulty) Lock(name string) (io.Closer, error) {
	return try(f, func() (io.Closer, error) {
		l, err := f.FS.Lock(name)
		return faultyLock{l}, err
	})
}
func (f faultyFile) Sync() error { return f.f.do(f.File.Sync) }
func (f faultyFile) Write(p []byte) (int, error) {
	return try(f.f, func() (int, error) { return f.File.Write(p) })
}
func (f faultyFile) ReadAt(p []byte, off int64) (int, error) {
	return try(f.f, func() (int, error) { return f.File.ReadAt(p, off) })
}
func (f faultyFile) Close() error {
	err := f.File.Close()
	return errors.Join(f.f.hit(), err)
}

// scene is two directories and a file to publish, beside what was there before.
type scene struct {
	root    string
	targets []Target
}

func newScene(t *testing.T, old bool, names ...string) scene {
	t.Helper()
	s := scene{root: t.TempDir()}
	for _, n := range names {
		p := filepath.Join(s.root, n)
		s.targets = append(s.targets, Target{Path: p, SingleFile: strings.HasSuffix(n, ".parquet"), Replace: old})
		if old {
			fill(t, p, s.targets[len(s.targets)-1].SingleFile, "old")
		}
	}
	return s
}

func fill(t *testing.T, path string, single bool, text string) {
	t.Helper()
	files := []string{path}
	if !single {
		if err := os.MkdirAll(filepath.Join(path, "k=1"), 0o755); err != nil {
			t.Fatal(err)
		}
		files = []string{filepath.Join(path, "a"), filepath.Join(path, "k=1", "b")}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// state returns "old", "new", "none", or what is wrong.
func (s *scene) state(t *testing.T, target Target) string {
	t.Helper()
	files := []string{target.Path}
	if !target.SingleFile {
		files = []string{filepath.Join(target.Path, "a"), filepath.Join(target.Path, "k=1", "b")}
	}
	state := ""
	for i, f := range files {
		raw, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			raw, err = []byte("none"), nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && string(raw) != state {
			return "mixed"
		}
		state = string(raw)
	}
	return state
}

func (s *scene) run(t *testing.T, f vfs.FS) error {
	set, err := Begin(f, s.targets)
	if err != nil {
		return err
	}
	defer set.Abort()
	for i, target := range s.targets {
		fill(t, set.Temp(i), target.SingleFile, "new")
	}
	return set.Commit(context.Background())
}

func (s *scene) hidden(t *testing.T) (left []string) {
	t.Helper()
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestOutputsAreOldOrNewAfterAFaultAtAnyCall(t *testing.T) {
	for _, names := range [][]string{{"out"}, {"out.parquet"}, {"out", "sub/two.parquet", "three"}} {
		for _, old := range []bool{false, true} {
			for _, crash := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d outputs, %s, old %v, crash %v", len(names), names[0], old, crash), func(t *testing.T) {
					before := "none"
					if old {
						before = "old"
					}
					for n := 1; faultAt(t, names, old, crash, n, before); n++ {
					}
				})
			}
		}
	}
}

// faultAt lets the nth call fail; it returns false once there is no nth call.
func faultAt(t *testing.T, names []string, old, crash bool, n int, before string) bool {
	t.Helper()
	s := newScene(t, old, names...)
	f := &faulty{FS: vfs.OS(), n: n, crash: crash}
	err := s.run(t, f)
	for _, target := range s.targets { // even before recovery each is whole
		if got := s.state(t, target); got != before && got != "new" {
			t.Errorf("call %d: %s is %s", n, target.Path, got)
		}
	}
	s.isAs(t, err)
	left := s.hidden(t)
	done, rerr := Recover(vfs.OS(), s.root, filepath.Join(s.root, "sub"))
	if rerr != nil {
		t.Errorf("call %d: recover: %v", n, rerr)
	}
	slices.Sort(left)
	if !slices.Equal(done.Removed, left) {
		t.Errorf("call %d: recover says it removed %v of %v", n, done.Removed, left)
	}
	if k := len(done.Completed); k > 0 && (k != len(names) || s.state(t, s.targets[0]) != "new") {
		t.Errorf("call %d: recover says it completed %v", n, done.Completed)
	}
	first := s.state(t, s.targets[0])
	for _, target := range s.targets {
		if got := s.state(t, target); got != first || err == nil && got != "new" || got != before && got != "new" {
			t.Errorf("call %d (%v): %s is %s, the first %s", n, err, target.Path, got, first)
		}
	}
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("call %d: left over: %v", n, left)
	}
	return f.calls >= n
}

// isAs checks that the outputs are where Commit's error says they are.
func (s *scene) isAs(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	all := !slices.ContainsFunc(s.targets, func(target Target) bool { return s.state(t, target) != "new" })
	if says := strings.Contains(err.Error(), "the new outputs are complete"); says != errors.Is(err, ErrComplete) {
		t.Errorf("whether the outputs are complete is not told by %v", err)
	}
	if strings.Contains(err.Error(), "complete and in their places") && !all {
		t.Errorf("not all outputs are new, and the error is %v", err)
	}
	if all && s.targets[0].Replace && !strings.Contains(err.Error(), "the new outputs are complete") {
		t.Errorf("all outputs are new, and the error is %v", err)
	}
}

// committing is a filesystem of a process that dies right after its commit record.
type committing struct{ *faulty }

func (f committing) RenameNew(a, b string) error {
	err := f.faulty.RenameNew(a, b)
	if strings.HasSuffix(b, commitSuffix) {
		f.n = f.calls + 1
	}
	return err
}

// committed is a scene whose first run dies right after its commit record, before anything is swapped in.
func committed(t *testing.T, names ...string) *scene {
	t.Helper()
	s := newScene(t, true, names...)
	if err := s.run(t, committing{&faulty{FS: vfs.OS(), n: math.MaxInt, crash: true}}); !errors.Is(err, errFault) {
		t.Fatalf("no crash after the commit record: %v", err)
	}
	return &s
}

func TestNextRunCompletesACommittedSet(t *testing.T) {
	s := committed(t, "one", "two")
	set, err := Begin(vfs.OS(), s.targets[1:])
	if err != nil {
		t.Fatal(err)
	}
	set.Abort()
	for _, target := range s.targets {
		if got := s.state(t, target); got != "new" {
			t.Errorf("%s is %s", target.Path, got)
		}
	}
}

func TestExistingOutputIsRefused(t *testing.T) {
	s := newScene(t, true, "out", "one.parquet")
	for _, target := range s.targets {
		target.Replace = false
		if _, err := Begin(vfs.OS(), []Target{target}); !errors.Is(err, ErrExists) {
			t.Errorf("%s: %v", target.Path, err)
		}
		target.Replace, target.SingleFile = true, !target.SingleFile
		if _, err := Begin(vfs.OS(), []Target{target}); !errors.Is(err, ErrExists) {
			t.Errorf("%s of the other sort: %v", target.Path, err)
		}
	}
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestWhatAppearsMeanwhileIsNotReplaced(t *testing.T) {
	s := newScene(t, false, "one.parquet")
	set, err := Begin(vfs.OS(), s.targets)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, set.Temp(0), true, "new")
	fill(t, s.targets[0].Path, true, "other")
	if err := set.Commit(context.Background()); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	set.Abort()
	if got := s.state(t, s.targets[0]); got != "other" {
		t.Errorf("it is %s", got)
	}
	if left := s.hidden(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestSecondRunIsLockedOut(t *testing.T) {
	s := newScene(t, false, "out")
	set, err := Begin(vfs.OS(), s.targets)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Begin(vfs.OS(), s.targets); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	if _, err := Recover(vfs.OS(), s.root); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(set.Temp(0)); err != nil {
		t.Errorf("recovery took a living run's place: %v", err)
	}
	set.Abort()
	if err := s.run(t, vfs.OS()); err != nil {
		t.Error(err)
	}
}

func TestPublishedOutputHasOrdinaryModes(t *testing.T) {
	s := newScene(t, false, "out", "one.parquet")
	if err := s.run(t, vfs.OS()); err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(s.root, "probe")
	if err := os.Mkdir(probe, 0o777); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(probe)
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]fs.FileMode{s.targets[0].Path: want.Mode().Perm(), s.targets[1].Path: want.Mode().Perm() & 0o666} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, not %v (%v)", path, st.Mode(), mode, err)
		}
	}
}

func TestDirectoriesAboveAnOutputAreDurable(t *testing.T) {
	s := newScene(t, false, "a/b/out", "c/one.parquet", "a/two.parquet")
	l := &logged{FS: vfs.OS()}
	set, err := Begin(l, s.targets)
	if err != nil {
		t.Fatal(err)
	}
	set.Abort()
	slices.Sort(l.synced)
	if want := []string{s.root, s.root, filepath.Join(s.root, "a")}; !slices.Equal(l.synced, want) {
		t.Errorf("synced are %v, not %v", l.synced, want)
	}
}
