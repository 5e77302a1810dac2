package publish

import (
	"context"
	"errors"
	"math"
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
		_, ok, why, err := set.Reuse(context.Background(), 0)
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
