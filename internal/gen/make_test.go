package gen

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
)

func TestMakeUsesWhatIsThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data")
	s := Spec{Params: Params{Table: "group", Rows: 1000}}
	for i, want := range []bool{false, true} {
		if there, err := Make(t.Context(), vfs.OS(), dir, s); there != want || err != nil {
			t.Errorf("call %d: %v, %v", i, there, err)
		}
	}
	s.Keys, s.Threads = 10_000, 3 // the default, said aloud
	if there, err := Make(t.Context(), vfs.OS(), dir, s); !there || err != nil {
		t.Errorf("the same with a default given: %v, %v", there, err)
	}
	s.Rows = 1001
	if _, err := Make(t.Context(), vfs.OS(), dir, s); !errors.Is(err, ErrOther) {
		t.Errorf("another table: %v", err)
	}
	if n := readTable(t, dir)["key"].n; n != 1000 {
		t.Errorf("%d rows", n)
	}
}

func TestMakeKeepsItsHandsOffOtherDirectories(t *testing.T) {
	dir := t.TempDir()
	s := Spec{Params: Params{Table: "group", Rows: 10}}
	if there, err := Make(t.Context(), vfs.OS(), dir, s); there || err != nil {
		t.Errorf("an empty directory: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(t.Context(), vfs.OS(), other, s); !errors.Is(err, ErrOther) {
		t.Errorf("a directory that holds a file: %v", err)
	}
}

func TestATableIsMadeWholeOrNotAtAll(t *testing.T) {
	for _, p := range []Params{{Table: "h2o-g1", Rows: 100_000}, {Table: "h2o-j1-big", Rows: 200_000, Sorted: true}, {Table: "seed-test", Rows: 300_000, RowsPerFile: 100_000}} {
		calls := makeAt(t, p, 0)
		for nth := 1; nth <= calls; nth += 1 + calls/12 {
			makeAt(t, p, nth)
		}
	}
}

// makeAt makes the table with the nth call failing, and returns how many calls there were.
func makeAt(t *testing.T, p Params, nth int) int {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	pool := mem.NewPool(160<<20, mem.Protect())
	acct := pool.Account("gen", 0)
	boom := errors.New("boom")
	fsys := faultfs.New(vfs.OS(), faultfs.FailAt(nth, boom))
	_, err := Make(t.Context(), fsys, dir, Spec{Params: p, Threads: 2, Acct: acct})
	if nth > 0 && err != nil && !errors.Is(err, boom) {
		t.Errorf("%s, call %d: %v", p.Table, nth, err)
	}
	if nth == 0 && err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		if there, err := Make(t.Context(), vfs.OS(), dir, Spec{Params: p}); !there || err != nil {
			t.Errorf("%s, call %d left something else: %v", p.Table, nth, err)
		}
	} else if nth == 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", p.Table, err)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil || fsys.Leaked() > 0 {
		t.Errorf("%s, call %d: %d files open; %v", p.Table, nth, fsys.Leaked(), err)
	}
	return fsys.Calls()
}
