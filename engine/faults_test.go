package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pqjoin/internal/vfs/faultfs"
	"pqjoin/spillfile"
	"pqjoin/tableio/publish"
)

// diskCall is what sort of call to the filesystem it is: the operation, and whose file it is about.
type diskCall struct {
	op    faultfs.Op
	place string // input, output or spill
}

func (r *rewritten) callOf(op faultfs.Op, name string) diskCall {
	rel, _ := filepath.Rel(r.dir, name)
	place, _, _ := strings.Cut(rel, string(filepath.Separator))
	return diskCall{op, map[string]string{"in": "input", "out": "output", "spill": "spill"}[place]}
}

// writes says whether a call needs room on the disk.
func (c diskCall) writes() bool {
	return slices.Contains([]faultfs.Op{"create", "write", "writeat", "mkdir", "mkdirall", "sync", "flushrange", "rename", "renamenew"}, c.op)
}

// tidies says whether a call is one that ends something: where it fails, something may be left for the next run.
func (c diskCall) tidies() bool {
	return slices.Contains([]faultfs.Op{"remove", "removeall", "unlock", "exchange", "rename", "renamenew", "syncdir"}, c.op)
}

// try opens and runs the job with everything spilled, and says what is left open.
func (r *rewritten) try(t *testing.T, f *faultfs.FS) error {
	t.Helper()
	job, err := r.c.Parse(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	run, err := Open(context.Background(), job, Config{FS: f, Mem: 512 << 20, Threads: 1, SpillDir: filepath.Join(r.dir, "spill"), Tuning: hard(1, 50, 4).tuning})
	if err == nil {
		_, err = run.Execute(context.Background())
	}
	if gone := goroutinesGone(before); gone != nil {
		t.Errorf("after %v: %v", err, gone)
	}
	if n := f.Leaked(); n != 0 {
		t.Errorf("after %v: %d files are open", err, n)
	}
	return err
}

// next runs the job on a sound disk: it must put everything right.
func (r *rewritten) next(t *testing.T, after string) {
	t.Helper()
	if err := r.try(t, faultfs.New(hasty(), nil)); err != nil {
		t.Errorf("%s: the next run: %v", after, err)
	}
	if contents(t, r.dir) != r.new {
		t.Errorf("%s: the next run's outputs are wrong", after)
	}
	if err := leftovers(r.dir); err != nil {
		t.Errorf("%s: the next run: %v", after, err)
	}
}

// whole checks that the outputs are the old ones, or the new ones, which they must be where the run succeeded, and that
// nothing is left beside them. A set that was committed, and not yet in its place, is put there first.
func (r *rewritten) whole(t *testing.T, after string, err error) {
	t.Helper()
	now, old := contents(t, r.dir), r.old
	if err != nil && strings.Contains(err.Error(), "the new outputs are complete") {
		out := filepath.Join(r.dir, "out")
		if _, rerr := publish.Recover(hasty(), filepath.Join(out, "r"), filepath.Join(out, "g.parquet")); rerr != nil {
			t.Errorf("%s (%v): recovery: %v", after, err, rerr)
		}
		now, old = contents(t, r.dir), r.new
	}
	if now != r.new && (now != old || err == nil) {
		t.Errorf("%s (%v): the outputs are neither the old nor the new ones", after, err)
	}
	if left := leftovers(r.dir); left != nil {
		t.Errorf("%s (%v): %v", after, err, left)
	}
}

// traced is the calls of a run without faults, in their order.
func (r *rewritten) traced(t *testing.T) (calls []diskCall) {
	t.Helper()
	f := faultfs.New(hasty(), func(_ int, op faultfs.Op, name string) error {
		calls = append(calls, r.callOf(op, name))
		return nil
	})
	if err := r.try(t, f); err != nil {
		t.Fatal(err)
	}
	r.whole(t, "without a fault", nil)
	r.reset(t)
	return calls
}

// spread returns up to n numbers below size, the first and the last among them.
func spread(size, n int) (out []int) {
	for i := range min(n, size) {
		out = append(out, i*(size-1)/max(1, min(n, size)-1))
	}
	return out
}

// often is how many faults of a sort a test injects.
func often(n int) int {
	if testing.Short() {
		return 1
	}
	return n
}

func TestFaultOfEveryKindNamesTheFileAndLeavesNothing(t *testing.T) {
	r := newRewritten(t)
	count := map[diskCall]int{}
	for _, c := range r.traced(t) {
		count[c]++
	}
	for _, c := range []diskCall{
		{"open", "input"}, {"readat", "input"}, {"create", "spill"}, {"writeat", "spill"}, {"readat", "spill"}, {"close", "spill"},
		{"removeall", "spill"}, {"create", "output"}, {"sync", "output"}, {"close", "output"}, {"exchange", "output"},
	} {
		if count[c] == 0 {
			t.Errorf("the job does not %s: %v", c, count)
		}
	}
	tried, met := 0, 0
	for c, n := range count {
		at := spread(n, often(3))
		if c == (diskCall{"write", "output"}) || c == (diskCall{"sync", "output"}) { // records of the set, at the end
			at = append(at, n-2)
		}
		for _, k := range at {
			if tried++; r.oneFault(t, c, k) {
				met++
			}
		}
	}
	if 4*met < 3*tried {
		t.Errorf("%d of %d faults were met", met, tried)
	}
}

// oneFault fails call k of a sort. It returns false where there were fewer this time.
func (r *rewritten) oneFault(t *testing.T, c diskCall, k int) (met bool) {
	t.Helper()
	defer r.reset(t)
	errno := syscall.EIO
	if c.writes() && k%2 == 0 {
		errno = syscall.ENOSPC
	}
	seen, file := 0, ""
	f := faultfs.New(hasty(), func(_ int, op faultfs.Op, name string) error {
		if r.callOf(op, name) != c {
			return nil
		}
		if seen++; seen != k+1 {
			return nil
		}
		file = name
		return errno
	})
	err := r.try(t, f)
	after := fmt.Sprintf("%s of %s, call %d: %v", c.op, c.place, k, errno)
	switch {
	case f.Faults() == 0 && err != nil:
		t.Errorf("%s: there was no such call, and yet %v", after, err)
	case err != nil && (!errors.Is(err, errno) || !strings.Contains(err.Error(), file)):
		t.Errorf("%s: %v does not name %s", after, err, file)
	case err != nil && c == diskCall{"writeat", "spill"} && errors.Is(err, spillfile.ErrDiskFull) != (errno == syscall.ENOSPC):
		t.Errorf("%s: got %v", after, err)
	}
	if c.tidies() {
		r.next(t, after)
		return f.Faults() > 0
	}
	r.whole(t, after, err)
	return f.Faults() > 0
}

func TestFullDiskLeavesNothing(t *testing.T) {
	r := newRewritten(t)
	calls := r.traced(t)
	for _, from := range spread(len(calls), 2+often(10)) {
		f := faultfs.New(hasty(), func(n int, op faultfs.Op, name string) error {
			if n > from && r.callOf(op, name).writes() {
				return syscall.ENOSPC
			}
			return nil
		})
		err := r.try(t, f)
		after := fmt.Sprintf("full from call %d of %d", from, len(calls))
		if f.Faults() > 0 && err != nil && !errors.Is(err, syscall.ENOSPC) || f.Faults() == 0 && err != nil {
			t.Errorf("%s: got %v", after, err)
		}
		r.whole(t, after, err)
		r.reset(t)
	}
}

func TestNextRunTidiesUpAfterADeadDisk(t *testing.T) {
	r := newRewritten(t)
	calls := r.traced(t)
	points := spread(len(calls), 2+often(5))
	for i := range often(8) { // and while publishing
		points = append(points, len(calls)-2-3*i)
	}
	for _, from := range points {
		f := faultfs.New(hasty(), func(n int, _ faultfs.Op, _ string) error {
			if n > from {
				return syscall.EIO
			}
			return nil
		})
		err := r.try(t, f)
		after := fmt.Sprintf("dead from call %d of %d (%v)", from, len(calls), err)
		if err != nil && !errors.Is(err, syscall.EIO) {
			t.Error(after)
		}
		r.next(t, after)
		r.reset(t)
	}
}
