package spillfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAKeptStoreIsVerifiedByItsWorkersWhoTellOfIt(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	spec, end := keptSpec(t, parent)
	var rows, bytes, all atomic.Int64
	var calls atomic.Int64
	met := make(chan struct{})
	arrive := sync.OnceFunc(func() { close(met) })
	spec.Verified = func(r, b, of int64) {
		rows.Add(r)
		bytes.Add(b)
		all.Store(of)
		if calls.Add(1) > 1 {
			arrive()
			return
		}
		select { // the first waits for another worker's
		case <-met:
		case <-time.After(20 * time.Second):
			t.Error("one worker verifies it all")
		}
	}
	s, _, err := Restore(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if rows.Load() != all.Load() || all.Load() != s.rowsIn() || bytes.Load() == 0 {
		t.Errorf("%d rows of %d, %d bytes: the store has %d rows", rows.Load(), all.Load(), bytes.Load(), s.rowsIn())
	}
	if err := errors.Join(s.Close(), end()); err != nil {
		t.Error(err)
	}
}

func TestOfSeveralDamagedPartitionsTheFirstIsTold(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	names, err := filepath.Glob(filepath.Join(parent, keepPrefix+"*", "*.spill"))
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	for _, name := range names { // blocks come first in their files: their first bytes are those of partitions at work at once
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		raw[blockHeader+3] ^= 1
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := map[string]bool{}
	for i := range 20 {
		spec, end := keptSpec(t, parent)
		spec.Workers = 1 + i%4
		_, _, err := Restore(context.Background(), spec)
		if !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		said[err.Error()] = true
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	if len(said) != 1 {
		t.Errorf("one thing or another is told: %v", said)
	}
}

// A partition that is read again, for there was memory for one worker alone, is told of once.
func TestAPartitionThatIsVerifiedAgainIsToldOnce(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	spec, end := keptSpec(t, parent)
	rows := atomic.Int64{}
	spec.Verified = func(r, _, _ int64) { rows.Add(r) }
	s, _, err := Restore(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	rows.Store(0)
	for p := range s.parts {
		told := 0
		for range 2 {
			if err := s.verifyPart(context.Background(), p, &told); err != nil {
				t.Error(err)
			}
		}
	}
	if rows.Load() != s.rowsIn() {
		t.Errorf("%d rows of %d were told of", rows.Load(), s.rowsIn())
	}
	if err := errors.Join(s.Close(), end()); err != nil {
		t.Error(err)
	}
}
