package publish

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pqjoin/internal/vfs"
)

// lockedOut lets Begin meet a lock that another run holds on target i.
func (s *scene) lockedOut(t *testing.T, i int) {
	t.Helper()
	l, err := lock(vfs.OS(), s.targets[i].Path)
	if err != nil {
		t.Fatal(err)
	}
	defer releaseLock(vfs.OS(), s.targets[i].Path, l)
	if _, err := Begin(vfs.OS(), s.targets); !errors.Is(err, ErrLocked) {
		t.Errorf("Begin with a locked target: %v", err)
	}
}

func TestALockedTargetCostsNoCommittedOutput(t *testing.T) {
	for i := range 2 {
		s := committed(t, "one", "two.parquet")
		s.lockedOut(t, i)
		if _, err := Recover(vfs.OS(), s.root); err != nil {
			t.Error(err)
		}
		s.published(t)
	}
}

func TestALockedTargetCostsNoFinishedOutput(t *testing.T) {
	for i := range 2 {
		s := died(t)
		s.lockedOut(t, i)
		if reused, why, err := s.again(t, vfs.OS()); reused != 2 || why != nil || err != nil {
			t.Errorf("target %d was locked: %d reused, %v, %v", i, reused, why, err)
		}
		s.published(t)
	}
}

func TestACommittedSetIsCompletedAfterAFaultInRecovery(t *testing.T) {
	for _, crash := range []bool{false, true} {
		for n := 1; ; n++ {
			s := committed(t, "one", "two.parquet", "three")
			f := &faulty{FS: vfs.OS(), n: n, crash: crash}
			if set, err := Begin(f, s.targets); err == nil {
				set.Abort()
			}
			if _, err := Recover(vfs.OS(), s.root); err != nil {
				t.Errorf("call %d: %v", n, err)
			}
			s.published(t)
			if t.Failed() {
				t.Fatalf("call %d, crash %v", n, crash)
			}
			if f.calls < n {
				break
			}
		}
	}
}

// damage makes the record of a set beside target i unreadable, where there is one.
func (s *scene) damage(t *testing.T, i int) {
	t.Helper()
	name := beside(s.targets[i].Path, setSuffix)
	if _, err := os.Stat(name); err != nil {
		return
	}
	if err := os.WriteFile(name, []byte(recordMagic), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whenever a completion dies, and whichever record is damaged then: what another target's tells of the set is completed.
func TestACommittedSetIsCompletedByAnyOfItsRecords(t *testing.T) {
	for n, more := 1, true; more; n++ {
		damaged, names := 0, []string{"one", "two.parquet"}
		if n%4 > 1 {
			damaged, names = 1, []string{"two.parquet", "one"}
		}
		s := committed(t, names...)
		f := &faulty{FS: vfs.OS(), n: n, crash: true}
		if set, err := Begin(f, s.targets); err == nil {
			set.Abort()
		}
		more = f.calls >= n
		s.damage(t, damaged)
		if n%2 == 0 {
			if _, err := Recover(vfs.OS(), s.root); err != nil {
				t.Errorf("call %d: %v", n, err)
			}
		} else if set, err := Begin(vfs.OS(), s.targets); err != nil {
			t.Errorf("call %d: %v", n, err)
		} else {
			set.Abort()
		}
		s.published(t)
		if t.Failed() {
			t.Fatalf("call %d, the record of %s is damaged", n, names[damaged])
		}
	}
}

// A commit record stays while the other targets of its set may need it, and is in nobody's way.
func TestACommitRecordWithoutItsSetIsKeptForTheOthers(t *testing.T) {
	s := committed(t, "one", "two.parquet")
	r, err := readRecord(vfs.OS(), s.targets[0].Path)
	if err = errors.Join(err, r.Entries[0].swap(vfs.OS())); err != nil {
		t.Fatal(err)
	}
	s.damage(t, 0)
	set, err := Begin(vfs.OS(), s.targets[:1]) // of a run without the other
	if err != nil {
		t.Fatal(err)
	}
	set.Abort()
	if _, err := Recover(vfs.OS(), s.root); err != nil {
		t.Error(err)
	}
	s.published(t)

	s = committed(t, "one", "two.parquet")
	s.damage(t, 0)
	s.damage(t, 1)
	if err := s.run(t, vfs.OS()); err != nil {
		t.Error(err)
	}
	s.published(t)
}

func TestADamagedCommitRecordIsInNobodysWay(t *testing.T) {
	for _, text := range []string{"", "another"} {
		s := committed(t, "one", "two.parquet")
		record := beside(s.targets[0].Path, commitSuffix)
		if err := os.WriteFile(record, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.run(t, vfs.OS()); err != nil {
			t.Errorf("the next run: %v", err)
		}
		s.published(t)

		if err := os.WriteFile(record, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if done, err := Recover(vfs.OS(), s.root); err != nil || !slices.Equal(done.Removed, []string{record}) {
			t.Errorf("%v, recovered: %+v", err, done)
		}
	}
}

func TestASetIsCompletedWithoutADirectoryThatIsGone(t *testing.T) {
	s := committed(t, "one", "below/two.parquet")
	if err := os.RemoveAll(filepath.Join(s.root, "below")); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(vfs.OS(), s.root); err != nil {
		t.Error(err)
	}
	s.targets = s.targets[:1]
	s.published(t)
}

// A record that takes a directory for a file, or a file for a directory, is in nobody's way either.
func TestARecordThatIsWrongAboutFilesIsCompleted(t *testing.T) {
	s := committed(t, "one", "two.parquet")
	r, err := readRecord(vfs.OS(), s.targets[0].Path)
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	for i := range r.Entries {
		r.Entries[i].SingleFile = !r.Entries[i].SingleFile
	}
	body, err := json.Marshal(r)
	for _, target := range s.targets {
		err = errors.Join(err, os.WriteFile(beside(target.Path, setSuffix), vfs.Seal(recordMagic, body), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(vfs.OS(), s.root); err != nil {
		t.Error(err)
	}
	s.published(t)
}

func TestARecordOfPathsThatAreNoTargetsIsNone(t *testing.T) {
	for what, change := range map[string]func(r *record, path string){
		"no path":         func(r *record, _ string) { r.Entries[1].Path = "" },
		"a relative path": func(r *record, _ string) { r.Entries[1].Path = "../two" },
		"an unclean path": func(r *record, path string) { r.Entries[1].Path = path + "/../two" },
		"a path twice":    func(r *record, path string) { r.Entries[1].Path = path },
		"others' paths":   func(r *record, _ string) { r.Entries = r.Entries[1:] },
	} {
		s := committed(t, "one", "two.parquet")
		path := s.targets[0].Path
		r, err := readRecord(vfs.OS(), path)
		if err != nil || r == nil {
			t.Fatal(r, err)
		}
		change(r, path)
		body, err := json.Marshal(r)
		if err = errors.Join(err, os.WriteFile(beside(path, setSuffix), vfs.Seal(recordMagic, body), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := s.run(t, vfs.OS()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		s.published(t)
	}
}

func TestFinishedOutputsOutliveAFaultInBegin(t *testing.T) {
	for n := 1; ; n++ {
		s := died(t)
		f := &faulty{FS: vfs.OS(), n: n}
		if set, err := Begin(f, s.targets); err == nil {
			set.Abort()
		}
		if reused, why, err := s.again(t, vfs.OS()); reused != 2 || why != nil || err != nil {
			t.Fatalf("call %d: %d reused, %v, %v", n, reused, why, err)
		}
		if f.calls < n {
			break
		}
	}
}

func TestAFinishedOutputThatCannotBeReadNowStays(t *testing.T) {
	for n := 1; ; n++ {
		s := died(t)
		f := &faulty{FS: vfs.OS(), n: math.MaxInt}
		set, err := Begin(f, s.targets)
		if err != nil {
			t.Fatal(err)
		}
		f.n = f.calls + n
		_, ok, why, err := set.Reuse(context.Background(), 0, nil)
		set.Abort() // one of its removals may fail: it leaves that to the next run
		if f.calls < f.n {
			break
		}
		if !ok && (why != nil || !errors.Is(err, errFault)) {
			t.Errorf("call %d: %v, %v", n, why, err)
		}
		if reused, why, err := s.again(t, vfs.OS()); reused != 2 || why != nil || err != nil {
			t.Fatalf("call %d: %d reused, %v, %v", n, reused, why, err)
		}
	}
}
