package spillfile

import (
	"context"
	"errors"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
)

// Two stores of 64 partitions have eight files each where they may.
func TestStoresShareFilesWhereFewMayBeOpen(t *testing.T) {
	for _, c := range []struct{ most, open int }{{1000, 16}, {5, 5}, {1, 1}, {0, 1}} {
		fsys := faultfs.New(vfs.OS(), nil)
		pool, dir := mem.NewPool(1<<30, mem.Protect()), diskDir(t, fsys, 0, maxFiles(c.most))
		before := fsys.Leaked()
		var stores []*Store
		var wants [][][][]any
		scripts := []script{
			{seed: 1, partitions: 64, workers: 2, units: 4, batches: 3, rows: 1500, block: 4 << 10, schema: allTypes},
			{seed: 2, partitions: 64, workers: 1, units: 4, batches: 3, rows: 1500, block: 4 << 10, schema: allTypes.Select([]int{1, 6})},
		}
		for _, sc := range scripts {
			s, want, err := sc.run(t, pool, dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Spill(context.Background(), 1<<40); err != nil {
				t.Fatal(err)
			}
			stores, wants = append(stores, s), append(wants, want)
		}
		if open := fsys.Leaked() - before; open != c.open {
			t.Errorf("of %d files %d are open, not %d", c.most, open, c.open)
		}
		for i, s := range stores {
			scripts[i].check(t, s, wants[i])
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if dir.Used() != 0 || fsys.Leaked() != before {
			t.Errorf("%d bytes are still used, %d files open", dir.Used(), fsys.Leaked()-before)
		}
		closeAll(t, stores[0], pool, dir)
	}
}

func TestAKeptStoreHasOneFileWhereFewMayBeOpen(t *testing.T) {
	for _, c := range []struct{ most, kept, open int }{{1000, 8, 16}, {16 * 2, 2, 10}, {5, 1, 5}, {1, 1, 2}} {
		fsys, parent := faultfs.New(vfs.OS(), nil), t.TempDir()
		dir, err := OpenDir(fsys, parent, 0, AllowMemory(), maxFiles(c.most))
		if err != nil {
			t.Fatal(err)
		}
		keep, _, err := OpenKeep(dir, KeepSpec{Job: "0a", Key: "1b"})
		if err != nil {
			t.Fatal(err)
		}
		pool, before := mem.NewPool(1<<30, mem.Protect()), fsys.Leaked()
		sc := script{seed: 1, partitions: 64, workers: 2, units: 4, batches: 3, rows: 1500, block: 4 << 10, schema: allTypes, keep: keep.Stage("one", nil)}
		s, want, err := sc.run(t, pool, dir)
		if err != nil {
			t.Fatal(err)
		}
		if open := fsys.Leaked() - before; open != c.kept {
			t.Errorf("of %d files a kept store has %d open, not %d", c.most, open, c.kept)
		}
		other := script{seed: 2, partitions: 64, workers: 1, units: 4, batches: 3, rows: 1500, block: 4 << 10, schema: allTypes}
		o, owant, err := other.run(t, pool, dir)
		if err == nil {
			_, err = o.Spill(context.Background(), 1<<40)
		}
		if err != nil {
			t.Fatal(err)
		}
		if open := fsys.Leaked() - before; open != c.open {
			t.Errorf("of %d files %d are open, not %d", c.most, open, c.open)
		}
		sc.check(t, s, want)
		other.check(t, o, owant)
		if err := errors.Join(s.Close(), o.Close()); err != nil {
			t.Error(err)
		}
		if open := fsys.Leaked() - before; open != 0 || dir.kept != 0 {
			t.Errorf("%d files are still open, %d counted", open, dir.kept)
		}
		spec := sc.spec(pool.Account("store", 0), dir)
		if s, _, err = Restore(context.Background(), spec); err != nil {
			t.Fatal(err)
		}
		sc.check(t, s, want)
		if err := errors.Join(s.Close(), keep.Close(false), spec.Acct.Close(), dir.Close()); err != nil {
			t.Error(err)
		}
	}
}
