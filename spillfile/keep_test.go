package spillfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
)

// keptScript has values in dictionaries and flat ones, in memory and on disk.
var keptScript = script{seed: 5, partitions: 20, workers: 2, units: 6, batches: 2, rows: 3000, block: 16 << 10, pool: 3 << 20, dict: 3, codes: true, schema: allTypes}

// keptIn is a stage of a job, in the directory of a run below parent.
func keptIn(t *testing.T, fsys vfs.FS, parent, key string) (*Dir, *Keep, []Replaced) {
	t.Helper()
	dir, err := OpenDir(fsys, parent, 0, AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	keep, gone, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: key, About: []byte("about " + key)})
	if err != nil {
		t.Fatal(errors.Join(err, dir.Close()))
	}
	return dir, keep, gone
}

func noted(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

// keepOne makes a finished stage of the script below parent, and returns the rows of its partitions.
func keepOne(t *testing.T, parent string) (want [][][]any) {
	t.Helper()
	dir, keep, _ := keptIn(t, vfs.OS(), parent, "1b")
	sc := keptScript
	sc.keep = keep.Stage("one", noted("a note"))
	pool := mem.NewPool(sc.pool, mem.Protect())
	s, want, err := sc.run(t, pool, dir)
	if err != nil {
		t.Fatal(err)
	}
	for p := range want { // what is kept can still be read, and lies on disk too
		rows, err := streamRows(s, p, s.spec.Acct, 500)
		if diff := cmp.Diff(want[p], rows); err != nil || diff != "" {
			t.Fatalf("partition %d: %v\n%s", p, err, diff)
		}
	}
	if st := s.Stats(); st.Spilled < st.Encoded/2 && !sc.long { // a long value is one letter, which shrinks
		t.Errorf("%d bytes of %d lie on disk", st.Spilled, st.Encoded)
	}
	if err := errors.Join(s.Close(), s.spec.Acct.Close(), pool.Close(), keep.Close(true), dir.Close()); err != nil {
		t.Fatal(err)
	}
	return want
}

// keptSpec is what the stage of keepOne is restored by, and end what is called when that is closed.
func keptSpec(t *testing.T, parent string) (spec Spec, end func() error) {
	t.Helper()
	dir, keep, _ := keptIn(t, vfs.OS(), parent, "1b")
	sc := keptScript
	sc.keep = keep.Stage("one", nil)
	pool := mem.NewPool(3<<20, mem.Protect())
	spec = sc.spec(pool.Account("store", 0), dir)
	return spec, func() error { return errors.Join(spec.Acct.Close(), pool.Close(), keep.Close(true), dir.Close()) }
}

// restoreOne restores the stage, and checks its rows where that succeeds.
func restoreOne(t *testing.T, parent string, want [][][]any) error {
	t.Helper()
	spec, end := keptSpec(t, parent)
	s, note, err := Restore(context.Background(), spec)
	if err == nil {
		if string(note) != "a note" || s.Partitions() != len(want) {
			t.Errorf("note %q, %d partitions", note, s.Partitions())
		}
		for p := range want {
			rows, err := streamRows(s, p, s.spec.Acct, 700)
			if diff := cmp.Diff(want[p], rows); err != nil || diff != "" {
				t.Errorf("partition %d: %v\n%s", p, err, diff)
			}
			b, err := s.Load(context.Background(), p, nil, nil)
			if err != nil || b.N != len(want[p]) {
				t.Errorf("partition %d: %v", p, err)
			}
			b.Release()
			s.Drop(p)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	} else if spec.Dir.Used() != 0 {
		t.Errorf("after %v %d bytes on disk are counted", err, spec.Dir.Used())
	}
	if cerr := end(); cerr != nil {
		t.Error(cerr)
	}
	return err
}

// filesOf returns the files of the kept stages below parent.
func filesOf(t *testing.T, parent string) (files []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(parent, keepPrefix+"*", "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is kept: %v", err)
	}
	return files
}

func TestAKeptStoreIsRestored(t *testing.T) {
	parent := t.TempDir()
	want := keepOne(t, parent)
	for range 2 { // restoring consumes nothing
		if err := restoreOne(t, parent, want); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStagesThatAreAboutNobodyKnowsWhatAreReplaced(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	about := filepath.Join(parent, keepPrefix+"0a-1b", aboutName)
	raw, err := os.ReadFile(about)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if err := os.WriteFile(about, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, keep, gone := keptIn(t, vfs.OS(), parent, "1b")
	if len(gone) != 1 || gone[0].About != nil {
		t.Errorf("replaced: %q", gone)
	}
	if _, err := keep.Stage("one", nil).Finished(); !errors.Is(err, ErrNotKept) {
		t.Errorf("the stage: %v", err)
	}
	if err := errors.Join(keep.Close(true), dir.Close()); err != nil {
		t.Error(err)
	}
	dir, keep, gone = keptIn(t, vfs.OS(), parent, "1b")
	if len(gone) > 0 {
		t.Errorf("replaced once more: %q", gone)
	}
	if err := errors.Join(keep.Close(true), dir.Close()); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsMissingOfAKeptStoreIsNamed(t *testing.T) {
	parent := t.TempDir()
	want := keepOne(t, parent)
	for _, name := range filesOf(t, parent) {
		if strings.HasSuffix(name, stageSuffix) {
			continue
		}
		if err := os.Rename(name, name+".away"); err != nil {
			t.Fatal(err)
		}
		err := restoreOne(t, parent, want)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), dirPrefix) {
			t.Errorf("without %s: %v", name, err)
		}
		if err := os.Rename(name+".away", name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFlippedByteOfAKeptStoreIsFound(t *testing.T) {
	parent := t.TempDir()
	want := keepOne(t, parent)
	for _, name := range filesOf(t, parent) {
		good, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, len(good) / 3, len(good) / 2, len(good) - 1} {
			bad := slices.Clone(good)
			bad[at] ^= 4
			for what, raw := range map[string][]byte{"flipped": bad, "cut": good[:at]} {
				if err := os.WriteFile(name, raw, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := restoreOne(t, parent, want); !errors.Is(err, ErrCorrupt) {
					t.Errorf("%s, %s at byte %d of %d: %v", filepath.Base(name), what, at, len(good), err)
				}
			}
		}
		if err := os.WriteFile(name, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := restoreOne(t, parent, want); err != nil {
		t.Fatal(err)
	}
}

// reopened restores the stage of the script below parent and closes it again.
func reopened(t *testing.T, fsys vfs.FS, parent string) error {
	t.Helper()
	dir, err := OpenDir(fsys, parent, 0, AllowMemory())
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	keep, _, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: "1b", About: []byte("about 1b")})
	if err != nil {
		return err
	}
	sc := keptScript
	sc.keep = keep.Stage("one", nil)
	pool := mem.NewPool(3 << 20)
	spec := sc.spec(pool.Account("store", 0), dir)
	s, _, err := Restore(context.Background(), spec)
	if err == nil {
		err = s.Close()
	}
	return errors.Join(err, spec.Acct.Close(), pool.Close(), keep.Close(true))
}

func TestWhatCannotBeReadStaysAndIsNotTakenForDamage(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	want := filesOf(t, parent)
	injected := &fs.PathError{Op: "read", Path: "a file", Err: syscall.EIO}
	told, silent := 0, 0
	for nth := 1; ; nth += 1 + nth/10 {
		seen := 0
		f := faultfs.New(vfs.OS(), func(_ int, op faultfs.Op, name string) error {
			if !strings.Contains(name, keepPrefix) || op != "open" && op != "readat" && op != "fstat" {
				return nil
			}
			if seen++; seen == nth {
				return injected
			}
			return nil
		})
		err := reopened(t, f, parent)
		if f.Faults() == 0 {
			if err != nil || nth < 20 {
				t.Errorf("after %d faults: %v", nth, err)
			}
			break
		}
		if err != nil && !errors.Is(err, injected) || errors.Is(err, ErrCorrupt) || f.Leaked() > 0 {
			t.Errorf("call %d: %v, %d files are open", nth, err, f.Leaked())
		}
		if err == nil { // it was to find out what to ask for ahead, and is read again
			silent++
		} else {
			told++
		}
		if diff := cmp.Diff(want, filesOf(t, parent)); diff != "" {
			t.Fatalf("call %d: %s", nth, diff)
		}
	}
	if told < 2*silent {
		t.Errorf("%d faults were told of, %d were not", told, silent)
	}
	for _, name := range want {
		if strings.HasSuffix(name, stageSuffix) {
			continue
		}
		if err := os.Rename(name, filepath.Join(parent, "gone")); err != nil {
			t.Fatal(err)
		}
		if err := reopened(t, vfs.OS(), parent); !errors.Is(err, ErrCorrupt) {
			t.Errorf("without %s: %v", filepath.Base(name), err)
		}
		if err := os.Rename(filepath.Join(parent, "gone"), name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStageOfOtherColumnsIsRefused(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	saved := keptScript
	defer func() { keptScript = saved }()
	keptScript.schema = allTypes.Select([]int{0, 1, 2, 3, 4, 5, 7, 6})
	if err := restoreOne(t, parent, nil); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}
