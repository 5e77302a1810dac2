package publish

import (
	"context"
	"errors"
	"sync"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
)

// Runs publish and give up beside each other, and several cleaners pass: no cleaner fails, and no output is touched.
func TestCleanersDisturbNobody(t *testing.T) {
	s := newScene(t, true, "a", "b.parquet", "c", "d.parquet")
	fsys := faultfs.Hasty(vfs.OS())
	var wg sync.WaitGroup
	for i, target := range s.targets {
		one := scene{root: s.root, targets: []Target{target}}
		wg.Go(func() {
			for k := range 100 {
				set, err := Begin(fsys, one.targets)
				if errors.Is(err, ErrLocked) { // a cleaner looks at it just now
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				fill(t, set.Temp(0), target.SingleFile, "new")
				if k%3 == i%3 {
					set.Abort()
					continue
				}
				if err := set.Commit(context.Background()); err != nil {
					t.Error(err)
				}
				set.Abort()
			}
		})
		wg.Go(func() {
			for range 100 {
				if _, err := Recover(fsys, s.root); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, target := range s.targets {
		if state := s.state(t, target); state != "new" && state != "old" {
			t.Errorf("%s is %s", target.Path, state)
		}
	}
}
