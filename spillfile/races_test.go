package spillfile

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
)

// Runs begin and end, and others clean up after dead ones, all in one directory and at the same time: none disturbs another.
func TestRunsAndCleanersShareADirectory(t *testing.T) {
	parent, fsys := t.TempDir(), faultfs.Hasty(vfs.OS())
	dead := func(i int) error {
		path := filepath.Join(parent, dirPrefix+"1-dead"+string(rune('a'+i)))
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		err := os.WriteFile(filepath.Join(path, lockName), nil, 0o600)
		if errors.Is(err, os.ErrNotExist) { // a cleaner was quick
			return nil
		}
		return err
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 300 {
				if err := dead(i); err != nil {
					t.Error(err)
				}
				if _, err := Reclaim(fsys, parent); err != nil {
					t.Error(err)
					return
				}
				d, err := OpenDir(fsys, parent, 0, AllowMemory())
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.Close(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if _, err := Reclaim(fsys, parent); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
