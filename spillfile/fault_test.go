package spillfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
)

var faultScript = script{
	seed: 3, partitions: 10, workers: 1, units: 6, batches: 2, rows: 3000, block: 16 << 10,
	schema: allTypes.Select([]int{1, 3, 5, 6}),
}

// runAll spills, loads and streams everything through fsys, checks that nothing is
// left over whatever happens, and returns the first error.
func runAll(t *testing.T, fsys *faultfs.FS) (err error) {
	t.Helper()
	parent := t.TempDir()
	dir, err := OpenDir(fsys, parent, 0, AllowMemory())
	if err != nil {
		if n := fsys.Leaked(); n != 0 {
			t.Errorf("after %v: %d files are open", err, n)
		}
		return err
	}
	pool := mem.NewPool(1500<<10, mem.Protect())
	s, _, err := faultScript.run(t, pool, dir)
	if s == nil {
		t.Fatal(err)
	}
	if err == nil {
		_, err = s.Spill(context.Background(), 1<<40)
	}
	for p := 0; err == nil && p < faultScript.partitions; p++ {
		_, err = streamRows(s, p, nil, 500)
		if err == nil {
			b, lerr := s.Load(context.Background(), p, nil, nil)
			b.Release()
			err = lerr
		}
		if err == nil && p%2 == 0 {
			s.Drop(p)
		}
	}
	cerr := s.Close()
	if aerr := s.spec.Acct.Close(); aerr != nil {
		t.Errorf("after %v: %v", err, aerr)
	}
	if perr := pool.Close(); perr != nil {
		t.Errorf("after %v: %v", err, perr)
	}
	if n := dir.Used(); n != 0 {
		t.Errorf("after %v: %d bytes on disk are left", err, n)
	}
	err = errors.Join(err, cerr, dir.Close())
	if n := fsys.Leaked(); n != 0 {
		t.Errorf("after %v: %d files are open", err, n)
	}
	return err
}

func TestAFaultAtAnyCallIsAnErrorAndLeavesNothing(t *testing.T) {
	clean := faultfs.New(vfs.OS(), nil)
	if err := runAll(t, clean); err != nil {
		t.Fatal(err)
	}
	if clean.Calls() < 50 {
		t.Fatalf("%d calls: the run did not spill", clean.Calls())
	}
	t.Logf("%d calls", clean.Calls())
	step := max(1, clean.Calls()/150)
	for n := 1; n <= clean.Calls(); n += step {
		var at faultfs.Op
		fsys := faultfs.New(vfs.OS(), func(i int, op faultfs.Op, _ string) error {
			if i != n {
				return nil
			}
			at = op
			return syscall.EIO
		})
		err := runAll(t, fsys)
		if fsys.Faults() == 0 {
			continue // a little fewer calls this time
		}
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("fault at call %d, %s: got %v", n, at, err)
		}
	}
}

func TestAFullDiskIsNamed(t *testing.T) {
	full := func(_ int, op faultfs.Op, _ string) error {
		if op == "writeat" {
			return syscall.ENOSPC
		}
		return nil
	}
	if err := runAll(t, faultfs.New(vfs.OS(), full)); !errors.Is(err, ErrDiskFull) {
		t.Errorf("got %v, want ErrDiskFull", err)
	}
}

// openNamed keeps the names of files, for tests to reach what was written.
type openNamed struct{ vfs.FS }

func (f openNamed) Remove(name string) error {
	if strings.HasSuffix(name, ".spill") {
		return nil
	}
	return f.FS.Remove(name)
}

// damaged spills everything of a small store, hands the file to damage, and returns what loading all says.
func damaged(t *testing.T, damage func(file []byte, s *Store) []byte) error {
	t.Helper()
	sc := script{seed: 6, partitions: 2, workers: 1, units: 2, batches: 3, rows: 900, block: 8 << 10, schema: allTypes.Select([]int{1, 2})}
	pool := mem.NewPool(1<<30, mem.Protect())
	dir, err := OpenDir(openNamed{vfs.OS()}, t.TempDir(), 0, AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := sc.run(t, pool, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, s, pool, dir)
	if _, err := s.Spill(context.Background(), 1<<40); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir.Path(), "*.spill"))
	if err != nil || len(names) != 1 {
		t.Fatalf("files %v, %v", names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[0], damage(data, s), 0o600); err != nil {
		t.Fatal(err)
	}
	for p := range sc.partitions {
		b, err := s.Load(context.Background(), p, nil, nil)
		b.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func TestDamageToSpilledBlocksIsDetected(t *testing.T) {
	if err := damaged(t, func(f []byte, _ *Store) []byte { return f }); err != nil {
		t.Fatalf("without damage: %v", err)
	}
	for at := 0; at < 20000; at += 97 {
		err := damaged(t, func(f []byte, _ *Store) []byte { f[at%len(f)] ^= 1 << (at % 8); return f })
		if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("a flipped bit in byte %d: got %v", at, err)
		}
	}
	for _, c := range []struct {
		name   string
		damage func(f []byte, s *Store) []byte
	}{
		{"truncated by a byte", func(f []byte, _ *Store) []byte { return f[:len(f)-1] }},
		{"truncated in the middle", func(f []byte, _ *Store) []byte { return f[:len(f)/2] }},
		{"empty", func(f []byte, _ *Store) []byte { return nil }},
		{"two blocks swapped", swapBlocks},
		{"a block of another store", func(f []byte, s *Store) []byte { s.id++; return f }},
		{"zeros", func(f []byte, _ *Store) []byte { clear(f[len(f)/2:]); return f }},
	} {
		err := damaged(t, c.damage)
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v", c.name, err)
		} else if !strings.Contains(err.Error(), "test: partition") {
			t.Errorf("%s: the error does not name the place: %v", c.name, err)
		}
	}
}

// swapBlocks exchanges two blocks of one size in a file.
func swapBlocks(f []byte, s *Store) []byte {
	type span struct{ at, n int }
	var seen []span
	for ledger := s.readLedger(0); ; {
		k, err := ledger.chunk()
		if err != nil {
			return nil
		}
		at := int(k.off)
		for range k.blocks {
			n := blockHeader + int(getHeader(f[at:]).length)
			for _, o := range seen {
				if o.n == n {
					tmp := append([]byte(nil), f[at:at+n]...)
					copy(f[at:at+n], f[o.at:o.at+n])
					copy(f[o.at:o.at+n], tmp)
					return f
				}
			}
			seen = append(seen, span{at, n})
			at += n
		}
	}
}

func TestDirIsOwnedUntilItsOwnerDies(t *testing.T) {
	parent := t.TempDir()
	a, err := OpenDir(vfs.OS(), parent, 0, AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenDir(vfs.OS(), parent, 0, AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(a.Path()); err != nil || st.Mode().Perm() != 0o700 {
		t.Fatalf("the first directory: %v, %v", st, err)
	}
	dead := filepath.Join(parent, dirPrefix+"1-dead")
	stranger := filepath.Join(parent, dirPrefix+"of-something-else")
	for _, f := range []string{filepath.Join(dead, lockName), filepath.Join(dead, "000000.spill"), filepath.Join(stranger, "data")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(f), 0o700), os.WriteFile(f, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := Reclaim(vfs.OS(), parent)
	if err != nil || len(removed) != 1 || removed[0] != dead {
		t.Errorf("reclaimed %v, %v; want %s alone", removed, err, dead)
	}
	for _, d := range []*Dir{a, b} {
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(d.Path()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", d.Path(), err)
		}
	}
}

// inMemory says that everything lies in tmpfs.
type inMemory struct{ vfs.FS }

func (inMemory) Space(string) (int64, bool, error) { return 1 << 40, true, nil }

func TestDirRefusesMemoryAndMissingParents(t *testing.T) {
	if _, err := OpenDir(inMemory{vfs.OS()}, t.TempDir(), 0); !errors.Is(err, ErrInMemory) {
		t.Errorf("tmpfs: got %v", err)
	}
	if _, err := OpenDir(vfs.OS(), filepath.Join(t.TempDir(), "missing"), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing parent: got %v", err)
	}
}
