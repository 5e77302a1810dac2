package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/monitor"
)

var errDied = errors.New("the process has died")

// death is a filesystem that at call nth turns into what a killed process leaves: nothing changes any more, and the kernel
// closes what is open.
func death(nth int) *faultfs.FS {
	return faultfs.New(hasty(), func(n int, op faultfs.Op, _ string) error {
		if n >= nth && op != "close" && op != "unlock" {
			return errDied
		}
		return nil
	})
}

// resumed is a job of two outputs whose tables can be kept.
type resumed struct {
	c    *jobgen.Case
	dir  string
	want string // contents of the outputs
	rows int64  // read by all stages of a run that is not interrupted
	cond condition
	n    int // calls to the filesystem of such a run
	// opening is how many of them open the inputs.
	opening int
	said    strings.Builder
}

// keepable is a job that keeps a table and two indexes.
func keepable() *jobgen.Case {
	t := table("t", "k v", generated(400, func(i int64) []any { return []any{i * 7 % 40, i} })...)
	c := one([]string{"index: [k, v]", "lag: {column: x, by: k, periods: [1, -1]}"}, t)
	c.Pipelines = []*jobgen.Pipeline{
		{Name: "p", From: "t", Verbs: []string{"compute: {x: v * 2}", "check: {expect: [v < 390], on_fail: warn}", "persist: true"}},
		{Name: "r", From: "p", Verbs: []string{"index: [k, v]", "lag: {column: x, by: k, periods: [1, -1]}"}},
		{Name: "g", From: "p", Verbs: []string{"index: v desc", "groupby: {by: [k], agg: {n: \"count()\", f: \"first(v)\"}}"}},
	}
	c.Outputs = []*jobgen.Output{
		{Label: "r", Table: "r", Path: "out/r/", Options: ", if_exists: replace"},
		{Label: "g", Table: "g", Path: "out/g.parquet", Options: ", if_exists: replace"},
	}
	return c
}

func newResumed(t *testing.T, cond condition) *resumed {
	t.Helper()
	r := &resumed{c: keepable(), cond: cond}
	r.dir = written(t, r.c)
	f := faultfs.New(hasty(), nil)
	rows, err := r.run(t, Config{FS: f})
	if err != nil {
		t.Fatal(err)
	}
	r.want, r.rows, r.n = contents(t, r.dir), rows, f.Calls()
	r.clear(t)
	return r
}

// run runs the job with Resume, and returns the rows that its stages read.
func (r *resumed) run(t *testing.T, cfg Config) (rows int64, err error) {
	t.Helper()
	r.said.Reset()
	cfg.Board = monitor.NewBoard(0, time.Now)
	cfg.Resume, cfg.Threads, cfg.Tuning = true, r.cond.threads, r.cond.tuning
	cfg.Log = slog.New(slog.NewTextHandler(&r.said, nil))
	cfg.Warn = func(text string) { fmt.Fprintln(&r.said, "warning:", text) }
	run := open(t, r.c, r.dir, cfg)
	if f, ok := cfg.FS.(*faultfs.FS); ok {
		r.opening = f.Calls()
	}
	_, err = run.Execute(context.Background())
	for _, s := range cfg.Board.Snapshot().Stages {
		if strings.HasPrefix(s.Name, verifyKept) {
			continue
		}
		rows += s.RowsIn
	}
	return rows, err
}

// clear removes outputs and kept stages.
func (r *resumed) clear(t *testing.T) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(filepath.Join(r.dir, "out")), os.RemoveAll(filepath.Join(r.dir, "spill"))); err != nil {
		t.Fatal(err)
	}
}

// die runs the job until its nth call to the filesystem.
func (r *resumed) die(t *testing.T, nth int) {
	t.Helper()
	f := death(nth)
	if _, err := r.run(t, Config{FS: f}); err != nil && !errors.Is(err, errDied) || f.Faults() == 0 {
		t.Fatalf("died at call %d of %d: %v", nth, r.n, err)
	}
	if f.Leaked() > 0 {
		t.Errorf("died at call %d: %d files are open", nth, f.Leaked())
	}
}

// stages returns the files that say which stages are kept.
func (r *resumed) stages(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(r.dir, "spill", "pqjoin-keep-*", "*.stage"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// done returns the files that say which outputs are kept.
func (r *resumed) done() []string {
	names, _ := filepath.Glob(filepath.Join(r.dir, "out", ".*.pqjoin-done"))
	return names
}

// filled returns how many outputs are kept.
func (r *resumed) filled() int { return len(r.done()) }

// finish runs the job to its end, checks the outputs and that nothing is left, and returns the rows read.
func (r *resumed) finish(t *testing.T, after string) int64 {
	t.Helper()
	rows, err := r.run(t, Config{})
	if err != nil {
		t.Fatalf("%s: %v\n%s", after, err, &r.said)
	}
	if contents(t, r.dir) != r.want {
		t.Errorf("%s: the outputs are others than those of a run that is not interrupted", after)
	}
	if err := leftovers(r.dir); err != nil {
		t.Errorf("%s: %v", after, err)
	}
	if left, _ := os.ReadDir(filepath.Join(r.dir, "spill")); len(left) > 0 {
		t.Errorf("%s: %s is left", after, left[0].Name())
	}
	if n := strings.Count(r.said.String(), "warning: check of table p failed: expect v < 390: 10 rows"); n != 1 {
		t.Errorf("%s: the check of what was kept is reported %d times\n%s", after, n, &r.said)
	}
	return rows
}

func TestARunThatDiedIsResumedFromFinishedStages(t *testing.T) {
	for _, cond := range []condition{plain, hard(2, 50, 4)} {
		r := newResumed(t, cond)
		skipped := map[string]int64{} // rows, by what was kept
		for i := range 10 {
			nth := 1 + (2*i+1)*r.n/20
			r.die(t, nth)
			what := append(r.stages(t), r.done()...)
			kept := len(what)
			at, _ := filepath.Glob(filepath.Join(r.dir, "out", ".*")) // an output that has its name by now is written again
			names := strings.Join(append(what, at...), " ")
			rows := r.finish(t, fmt.Sprintf("%v, died at call %d of %d with %d stages kept", cond, nth, r.n, kept))
			if (kept > 0) != (rows < r.rows) || rows > r.rows {
				t.Errorf("died at call %d of %d with %d stages kept, resumed: %d rows read of %d", nth, r.n, kept, rows, r.rows)
			}
			if was, again := skipped[names]; again && was != r.rows-rows {
				t.Errorf("with %s kept %d rows were skipped, and now %d", names, was, r.rows-rows)
			}
			skipped[names] = r.rows - rows
			r.clear(t)
		}
		if len(skipped) < 3 {
			t.Errorf("the run dies with the same stages kept again and again: %v", skipped)
		}
	}
}

func TestAFaultWhileStagesAreKeptOrTakenOverHarmsNothing(t *testing.T) {
	r := newResumed(t, plain)
	for i := range often(30) {
		nth := r.opening + 1 + i*(r.n-r.opening)/often(30)
		injected := errors.New("injected")
		for _, before := range []int{0, r.late()} {
			if before > 0 {
				r.die(t, before)
			}
			f := faultfs.New(hasty(), faultfs.FailAt(nth, injected))
			if _, err := r.run(t, Config{FS: f}); err != nil && !errors.Is(err, injected) {
				t.Errorf("a fault at call %d, after %d: %v", nth, before, err)
			}
			if f.Leaked() > 0 {
				t.Errorf("a fault at call %d, after %d: %d files are open", nth, before, f.Leaked())
			}
			r.finish(t, fmt.Sprintf("a fault at call %d, after %d", nth, before))
			r.clear(t)
		}
	}
}

// late is a call at which the first stages are finished.
func (r *resumed) late() int { return r.n * 3 / 4 }

func TestDamagedStagesAreComputedAgain(t *testing.T) {
	r := newResumed(t, plain)
	r.die(t, r.late())
	var files []string
	for _, stage := range r.stages(t) { // what an unfinished one has is removed unread
		names, _ := filepath.Glob(strings.TrimSuffix(stage, ".stage") + ".*")
		files = append(files, names...)
	}
	if len(files) < 3 {
		t.Fatalf("kept: %v", files)
	}
	for _, name := range files {
		rel, _ := filepath.Rel(r.dir, name)
		r.clear(t)
		r.die(t, r.late())
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		stage, _, _ := strings.Cut(filepath.Base(name), ".")
		for _, other := range r.stages(t) { // a later one would do without this
			if filepath.Base(other) != stage+".stage" {
				if err := os.Remove(other); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, done := range r.done() {
			if err := os.Remove(done); err != nil {
				t.Fatal(err)
			}
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		r.finish(t, "with a byte flipped in "+filepath.Base(rel))
		if !strings.Contains(r.said.String(), "computed again") {
			t.Errorf("with a byte flipped in %s nothing is said:\n%s", rel, &r.said)
		}
	}
}

func TestStagesOfAnotherJobInputOrVersionAreNotUsed(t *testing.T) {
	first := func(dir string) string {
		names, _ := filepath.Glob(filepath.Join(dir, "in", "t", "*"))
		return names[0]
	}
	for what, c := range map[string]struct {
		change func(t *testing.T, r *resumed) Config
		why    string
	}{
		"another version": {func(*testing.T, *resumed) Config { return Config{Version: "next"} }, "another version"},
		"another build":   {func(*testing.T, *resumed) Config { return Config{Build: "next"} }, "another version"},
		"another job": {func(_ *testing.T, r *resumed) Config {
			r.c.Pipelines[2].Verbs[0] = "index: [v desc]"
			return Config{}
		}, "the job has changed"},
		"another time of an input": {func(t *testing.T, r *resumed) Config {
			if err := os.Chtimes(first(r.dir), time.Time{}, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			return Config{}
		}, "the input t has changed"},
		"an input's bytes, of the same size and time": {func(t *testing.T, r *resumed) Config {
			name := first(r.dir)
			st, err := os.Stat(name)
			raw, rerr := os.ReadFile(name)
			if err := errors.Join(err, rerr, os.WriteFile(name, raw, 0o666), os.Chtimes(name, time.Time{}, st.ModTime())); err != nil {
				t.Fatal(err)
			}
			return Config{}
		}, "the input t has changed"},
	} {
		t.Run(what, func(t *testing.T) {
			r := newResumed(t, plain)
			r.die(t, r.late())
			if len(r.stages(t)) == 0 {
				t.Fatal("nothing is kept: this test tests nothing")
			}
			if err := r.written(t); err != nil {
				t.Fatal(err)
			}
			cfg := c.change(t, r)
			rows, err := r.run(t, cfg)
			if err != nil || rows != r.rows || !strings.Contains(r.said.String(), c.why) {
				t.Errorf("%v, %d rows read of %d:\n%s", err, rows, r.rows, &r.said)
			}
			if left, _ := os.ReadDir(filepath.Join(r.dir, "spill")); len(left) > 0 {
				t.Errorf("%s is left", left[0].Name())
			}
		})
	}
}

// written checks that the kept directory is private.
func (r *resumed) written(t *testing.T) error {
	t.Helper()
	dir := filepath.Dir(r.stages(t)[0])
	st, err := os.Stat(dir)
	if err == nil && st.Mode().Perm() != 0o700 {
		t.Errorf("%s has mode %v", dir, st.Mode())
	}
	return err
}

// What a run's stages depend on is asked once, before the run and for it: with thousands of files it takes a while.
func TestEachInputIsLookedAtOnceForItsIdentity(t *testing.T) {
	r := newResumed(t, condition{threads: 2})
	defer r.clear(t)
	counting, stats := false, map[string]int{}
	f := faultfs.New(hasty(), func(_ int, op faultfs.Op, name string) error {
		if rel, err := filepath.Rel(r.dir, name); counting && op == "stat" && err == nil && strings.HasSuffix(rel, ".parquet") && !strings.HasPrefix(rel, "out") {
			stats[name]++
		}
		return nil
	})
	run := open(t, r.c, r.dir, Config{FS: f, Resume: true, Threads: 2})
	counting = true
	if err := run.Preflight(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(stats) == 0 {
		t.Error("no file was looked at")
	}
	for name, n := range stats {
		if n != 1 {
			t.Errorf("%s was looked at %d times", name, n)
		}
	}
}
