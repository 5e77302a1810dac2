package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"pqjoin/engine"
	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/plan"
)

// faultyJobs write a set of two outputs below faults/, which hold ${v}. Between them they read and write by every way there is.
var faultyJobs = [...]string{`
inputs: {t: data/small, s: data/small2}
tables:
  a: [{from: t}, {index: [col1, col3]}, {lag: {column: col3, by: col1, periods: [1, -1]}}, {join: {with: s, on: col1, how: left}}, {compute: {v: "${v}"}}]
  b: [{from: a}, {groupby: {by: [col4], agg: {n: count(), f: first(col3), v: max(v)}}}]
outputs:
  a: {path: faults/a/, if_exists: replace}
  b: {path: faults/b.parquet, if_exists: replace}
`, `
inputs: {t: data/small, s: data/small2}
tables:
  j: [{from: t}, {compute: {c: "col2 % 3"}}, {join: {with: s, on: col1, how: outer}}, {distinct: all}, {compute: {v: "${v}"}}, {persist: true}]
  a: [{from: j}, {index: [c, col1, col2, col3, col4]}]
  b: [{from: j}, {groupby: {by: col1, agg: {m: median(col3), u: nunique(col2), v: max(v)}}}]
outputs:
  a: {path: faults/a/, if_exists: replace, partition_by: [c]}
  b: {path: faults/b.csv.gz, if_exists: replace}
`}

// faulty is one such job, run in this process with everything spilled.
type faulty struct {
	*bench
	r       *result
	text    string
	threads int
	outputs [2]string
	resume  bool
	said    *strings.Builder // by the log of the latest run
	whole   [2][2]string     // by v and output: the hash
	calls   int              // of a run without faults, at most
	needing int              // of these, calls that need room
}

func newFaulty(b *bench, r *result, job, threads int) *faulty {
	return &faulty{bench: b, r: r, text: faultyJobs[job], threads: threads, outputs: [2]string{"a", [...]string{"b.parquet", "b.csv.gz"}[job]}}
}

// tryFaults fails every operation of runs on files, one a run, and from each on.
func tryFaults(ctx context.Context, b *bench, r *result) error {
	if err := errors.Join(b.data(ctx, "small"), b.data(ctx, "small2")); err != nil {
		return err
	}
	for i := range faultyJobs {
		for threads := 1; threads <= 2; threads++ {
			f := newFaulty(b, r, i, threads)
			if err := f.learn(ctx); err != nil {
				return err
			}
			for _, k := range diskFaults {
				if err := f.everyCall(ctx, k); err != nil {
					return err
				}
			}
			r.fact("job %d with %d threads: up to %d operations, %d of which need room", i+1, threads, f.calls, f.needing)
		}
	}
	return nil
}

// diskFault is what befalls operations.
type diskFault struct {
	name   string
	errno  syscall.Errno
	onward bool // all operations from one on fail, not one
	writes bool // only those that need room do
}

var diskFaults = [...]diskFault{
	{"an I/O error", syscall.EIO, false, false},
	{"no space once", syscall.ENOSPC, false, true},
	{"a full disk", syscall.ENOSPC, true, true},
	{"a dead disk", syscall.EIO, true, false},
}

// writing are operations that need room, tidying those that end something: where one fails, something may stay for the next run.
var (
	writing = []faultfs.Op{"create", "write", "writeat", "mkdir", "mkdirall", "sync", "flushrange", "rename", "renamenew"}
	tidying = []faultfs.Op{"remove", "removeall", "unlock", "exchange", "rename", "renamenew", "syncdir"}
)

// committedMark is there while a committed set is not yet all in its place.
const committedMark = "/faults/.a.pqjoin-commit"

// learn runs the job for each v without faults.
func (f *faulty) learn(ctx context.Context) (err error) {
	if err := errors.Join(os.RemoveAll(f.path("faults")), os.MkdirAll(f.path("faults", "spill"), 0o777)); err != nil {
		return err
	}
	for v := range f.whole {
		needing := 0
		fsys := faultfs.New(faultfs.Hasty(vfs.OS()), func(_ int, o faultfs.Op, _ string) error {
			if slices.Contains(writing, o) {
				needing++
			}
			return nil
		})
		if err := f.execute(ctx, fsys, v); err != nil {
			return err
		}
		f.calls, f.needing = max(f.calls, fsys.Calls()), max(f.needing, needing)
		if f.whole[v], err = f.hashes(); err != nil {
			return err
		}
	}
	return nil
}

func (f *faulty) hashes() (is [2]string, err error) {
	for i, name := range f.outputs {
		if is[i], err = hashOf(f.path("faults", name)); err != nil {
			return is, err
		}
	}
	return is, nil
}

// versions returns which run's each output is; -1 is nobody's.
func (f *faulty) versions() (is [2]int, err error) {
	hashes, err := f.hashes()
	for i := range is {
		is[i] = slices.IndexFunc(f.whole[:], func(whole [2]string) bool { return whole[i] == hashes[i] })
	}
	return is, err
}

// execute opens and runs the job.
func (f *faulty) execute(ctx context.Context, fsys vfs.FS, v int) error {
	job, err := plan.Parse(f.path("faults.yaml"), []byte(f.text), plan.Options{Set: map[string]string{"v": fmt.Sprint(v)}})
	if err != nil {
		return err
	}
	f.said = new(strings.Builder)
	run, err := engine.Open(ctx, job, engine.Config{
		Resume: f.resume, Log: slog.New(slog.NewTextHandler(f.said, nil)), FS: fsys, Mem: 512 << 20, Threads: f.threads, SpillDir: f.path("faults", "spill"), Version: "torture",
		Tuning: engine.Tuning{BatchRows: 80, Partitions: 3, Resident: -1, Load: 4 << 10, Squeeze: 1},
	})
	if err == nil {
		_, err = run.Execute(ctx)
	}
	return err
}

// everyCall lets the fault befall operation 1, 2, 3, ..., a run each, until runs have ended before theirs.
func (f *faulty) everyCall(ctx context.Context, k diskFault) error {
	step, most := max(1, int(1/f.scale)), f.calls
	if k.writes {
		most = f.needing
	}
	for nth, early := 1, 0; early < 3; nth += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		met, err := f.once(ctx, k, nth)
		if err != nil {
			return err
		}
		if !met && nth > most {
			early++
		}
	}
	return nil
}

// once runs the job with a fault, and says whether it was met.
func (f *faulty) once(ctx context.Context, k diskFault, nth int) (met bool, err error) {
	before, err := f.versions()
	if err != nil {
		return false, err
	}
	v := 1 - before[0]
	s, err := f.strike(ctx, k, nth, v)
	if err != nil || !s.met || s.refuted {
		return s.met, err
	}
	return true, f.survey(ctx, s, before, v)
}

// struck is a run that a fault was to befall.
type struck struct {
	err     error // of the run
	what    string
	met     bool // the fault befell it
	tidies  bool // it may have befallen what ends something: then something may stay for the next run
	refuted bool // the run shows that the claim is wrong, which has been counted
}

// strike runs the job with a fault at operation nth.
func (f *faulty) strike(ctx context.Context, k diskFault, nth, v int) (s struck, err error) {
	var op faultfs.Op // the first that failed
	var file string
	seen := 0
	fsys := faultfs.New(faultfs.Hasty(vfs.OS()), func(_ int, o faultfs.Op, name string) error {
		if k.writes && !slices.Contains(writing, o) {
			return nil
		}
		if seen++; seen < nth || seen > nth && !k.onward {
			return nil
		}
		if op == "" {
			op, file = o, name
		}
		return k.errno
	})
	goroutines := runtime.NumGoroutine()
	s.err = f.execute(ctx, fsys, v)
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	s.what = fmt.Sprintf("job with %d threads, %s at operation %d (%s %s): %v", f.threads, k.name, nth, op, filepath.Base(file), s.err)
	s.met, s.tidies = fsys.Faults() > 0, k.onward && !k.writes || slices.Contains(tidying, op)
	switch {
	case s.err != nil && (!errors.Is(s.err, k.errno) || !k.onward && !strings.Contains(s.err.Error(), file)):
		s.refuted = true
		f.r.refute("%s", s.what)
	case fsys.Leaked() != 0 || !gone(goroutines):
		s.refuted = true
		f.r.refute("%s: %d files are open, %d goroutines", s.what, fsys.Leaked(), runtime.NumGoroutine()-goroutines)
	}
	return s, nil
}

// survey looks at what a run left, and lets the next one put it in order where it may have left anything.
func (f *faulty) survey(ctx context.Context, s struck, before [2]int, v int) error {
	what, rerr := s.what, s.err
	is, err := f.versions()
	if err != nil {
		return err
	}
	left, err := f.leftovers()
	if err != nil {
		return err
	}
	fresh := [2]int{v, v}
	committed := slices.Contains(left, committedMark) // the set is complete, wherever its parts lie
	placed := is == fresh && rerr != nil && strings.Contains(rerr.Error(), "complete and in their places")
	tidies := s.tidies || committed || placed
	switch {
	case is[0] < 0 || is[1] < 0 || rerr == nil && is != fresh || rerr != nil && is != before && !tidies:
		f.r.refute("%s: versions %v, before %v, left over %v", what, is, before, left)
	case len(left) > 0 && !tidies:
		f.r.refute("%s: left over %v", what, left)
	case rerr == nil:
		f.r.end("succeeded")
	case is == before && !committed:
		f.r.end("failed, old outputs whole")
	default:
		f.r.end("failed while publishing, completed by the next run")
	}
	if rerr == nil && len(left) == 0 || is == before && len(left) == 0 {
		return nil
	}
	if err := f.execute(ctx, faultfs.Hasty(vfs.OS()), v); err != nil {
		f.r.refute("%s: the next run fails: %v", what, err)
	}
	if is, err = f.versions(); err != nil {
		return err
	}
	if left, err = f.leftovers(); is != fresh || len(left) > 0 {
		f.r.refute("%s: after the next run versions %v, left over %v", what, is, left)
	}
	return err
}

// leftovers lists what no finished run leaves behind.
func (f *faulty) leftovers() (names []string, err error) {
	err = filepath.WalkDir(f.path("faults"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && (strings.HasPrefix(d.Name(), ".") || strings.Contains(name, "/spill/")) {
			names = append(names, strings.TrimPrefix(name, f.dir))
		}
		return err
	})
	return names, err
}

// gone waits until no more goroutines run than there were.
func gone(before int) bool {
	for wait := time.Microsecond; runtime.NumGoroutine() > before; wait *= 2 {
		if wait > time.Second {
			return false
		}
		time.Sleep(wait)
	}
	return true
}
