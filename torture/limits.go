package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tryLimits runs jobs short of what is not memory, on odd spill directories and on a slow disk.
func tryLimits(ctx context.Context, b *bench, r *result) error {
	p, err := newPair(ctx, b)
	if err != nil {
		return err
	}
	for _, try := range []func(context.Context, *result) error{p.descriptors, p.spillLimits, p.wrongSpill, p.oldLocks, p.smallCgroup, p.slowDisk} {
		if err := try(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// limited are jobs that read 200 files, each with its output.
var limited = [...]struct{ verbs, output string }{
	{`{from: many}, {index: col3}`, ""},
	{`{from: many}, {groupby: {by: [col2, col1], agg: {n: count(), q: median(col3)}}}`, ""},
	{`{from: many}, {join: {with: seed2, on: col1, how: outer}}, {index: [col1, col3, col4]}`, ""},
	{`{from: many}, {join: {with: seed2, on: col1, how: asof, asof: {on: {col3: col4}}}}, {index: [col1, col3, col2]}`, ""},
	{`{from: many}, {compute: {c: "col1 % 500"}}, {index: col3}`, "partition_by: [c]"},
	{`{from: many}, {distinct: all}, {index: [col1, col2, col3]}`, "format: csv, files: {rows: 10000}"},
}

// descriptors runs jobs with few file descriptors and with as many as they like.
func (p *pair) descriptors(ctx context.Context, r *result) error {
	for i, l := range limited {
		j := job{name: "few descriptors", inputs: "many seed2", verbs: l.verbs, output: l.output}
		file, out, err := j.write(ctx, p.bench, 1000+i)
		if err != nil {
			return err
		}
		floor, err := p.floorOf(ctx, file)
		if err != nil {
			return err
		}
		var want string
		for k, n := range []int{1024, 32, 20, 20} {
			args := []string{"-c", `ulimit -n "$0" && exec "$@"`, fmt.Sprint(n), p.bin, "run", file, "--mem", fmt.Sprint(floor), "--threads", "2", "--progress", "none", "--force"}
			with := ""
			if k > 2 {
				args, with = append(args, "--resume"), " and --resume"
			}
			o, err := p.command(ctx, 0, exec.CommandContext(ctx, "sh", args...))
			if err != nil {
				return err
			}
			got, err := hashOf(out)
			if err != nil {
				return err
			}
			if want == "" {
				want = got
			}
			if o.exit != 0 || got != want {
				r.refute("%d descriptors%s for %s: %v, other bytes %v", n, with, l.verbs, o, got != want)
				continue
			}
			r.end(fmt.Sprintf("the same with %d descriptors%s", n, with))
		}
		os.RemoveAll(out)
	}
	return nil
}

// attempt runs the job for the other v, in a cgroup where limit says so, and says how it ended, and whether as the old or the whole new output and nothing else.
func (p *pair) attempt(ctx context.Context, limit int64, more ...string) (o outcome, kept bool, what string, err error) {
	before, err := p.versions()
	if err != nil {
		return o, false, "", err
	}
	v := 1 - before[0]
	if o, err = p.run(ctx, limit, append(p.args("pair", v), more...)...); err != nil {
		return o, false, "", err
	}
	is, err := p.versions()
	if err != nil {
		return o, false, "", err
	}
	left, err := p.orphans()
	want := before
	if o.exit == 0 {
		want = [2]int{v, v}
	}
	return o, is == want && len(left) == 0 && o.kills == 0 && (o.exit == 0 || oneSentence(o.stderr)), fmt.Sprintf("%v, versions %v before %v, left over %v", o, is, before, left), err
}

// spillLimits lets runs spill no more than so much.
func (p *pair) spillLimits(ctx context.Context, r *result) error {
	for _, limit := range []string{"0", "1", "100KB", "1MB", "3MB", "7MB", "10MB", "15MB", "20MB", "30MB", "1GB"} {
		for _, force := range []bool{false, true} {
			more := []string{"--spill-limit", limit}
			if force {
				more = append(more, "--force")
			}
			o, kept, what, err := p.attempt(ctx, 0, more...)
			if err != nil {
				return err
			}
			if !kept || o.exit != 0 && o.exit != 5 && (o.exit != 4 || force) {
				r.refute("--spill-limit %s: %s", limit, what)
				continue
			}
			r.end(fmt.Sprintf("spill limit: exit %d", o.exit))
		}
	}
	return nil
}

// wrongSpill points runs to spill directories that cannot be one.
func (p *pair) wrongSpill(ctx context.Context, r *result) error {
	readOnly, memory, file := p.path("read-only"), p.path("in-memory"), p.path("pair.yaml")
	if err := errors.Join(os.MkdirAll(readOnly, 0o777), os.MkdirAll(memory, 0o777)); err != nil {
		return err
	}
	for _, m := range []struct{ dir, kind string }{{readOnly, "ro"}, {memory, "rw"}} {
		out, err := exec.Command("mount", "-t", "tmpfs", "-o", m.kind, "tmpfs", m.dir).CombinedOutput()
		if err != nil {
			r.skip(fmt.Errorf("no tmpfs can be mounted here: %s", strings.TrimSpace(string(out))))
			return nil
		}
		defer exec.Command("umount", m.dir).Run()
	}
	for _, w := range []struct {
		dir  string
		exit int
	}{{readOnly, 4}, {memory, 4}, {file, 2}, {p.path("missing", "dir"), 2}, {"/dev/null", 2}} {
		o, kept, what, err := p.attempt(ctx, 0, "--spill-dir", w.dir)
		if err != nil {
			return err
		}
		if o.exit != w.exit || !kept || !strings.Contains(o.stderr, w.dir) {
			r.refute("spill directory %s: %s", w.dir, what)
			continue
		}
		r.end(fmt.Sprintf("a directory that cannot be spilled to: exit %d", o.exit))
	}
	return nil
}

// oldLocks leaves what a dead run might have left, last written in the past or in the future.
func (p *pair) oldLocks(ctx context.Context, r *result) error {
	for _, year := range []int{1970, 2000, 2100} {
		at := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC)
		spill := p.path("pair", "spill", fmt.Sprintf("pqjoin-spill-1-%016x", year))
		files := []string{p.path("pair", ".a.pqjoin-lock"), p.path("pair", ".b.parquet.pqjoin-lock"), p.path("pair", ".b.parquet.pqjoin-new"), filepath.Join(spill, "lock"), filepath.Join(spill, "0")}
		if err := os.MkdirAll(spill, 0o700); err != nil {
			return err
		}
		for _, name := range files {
			if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Chtimes(name, at, at)); err != nil {
				return err
			}
		}
		o, kept, what, err := p.attempt(ctx, 0)
		if err != nil {
			return err
		}
		if o.exit != 0 || !kept {
			r.refute("lock files of %d: %s", year, what)
			continue
		}
		r.end("took over what the dead had left, whatever its age")
	}
	return nil
}

// smallCgroup gives a run less than its --mem.
func (p *pair) smallCgroup(ctx context.Context, r *result) error {
	if g, err := newCgroup(most); err != nil {
		r.skip(err)
		return nil
	} else {
		g.remove()
	}
	for _, limit := range []int64{30e6, 60e6, 100e6, 200e6, 300e6} {
		o, kept, what, err := p.attempt(ctx, limit, "--mem", "400MB")
		if err != nil {
			return err
		}
		if o.exit != 4 || !kept {
			r.refute("--mem 400MB in a cgroup of %d: %s", limit, what)
			continue
		}
		r.end("a cgroup below --mem: exit 4")
	}
	return nil
}

// slowDisk delays what reads, writes and makes durable, lets some runs end and asks others to stop.
func (p *pair) slowDisk(ctx context.Context, r *result) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		r.skip(errNoStrace)
		return nil
	}
	for i := range p.times(30) {
		delay, after := 20*time.Millisecond, time.Duration(0)
		if i%3 > 0 {
			delay, after = time.Second, time.Duration(200+300*i)*time.Millisecond
		}
		if err := p.slow(ctx, r, strace, delay, after); err != nil {
			return err
		}
	}
	return nil
}

// slow runs the job on a disk whose every answer takes a while; after some time, unless that is 0, it asks the run to stop.
func (p *pair) slow(ctx context.Context, r *result, strace string, delay, after time.Duration) error {
	before, err := p.versions()
	if err != nil {
		return err
	}
	v := 1 - before[0]
	inject := fmt.Sprintf("inject=pwrite64,pread64,fsync,sync_file_range:delay_enter=%d", delay.Microseconds())
	args := append([]string{"-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,pread64,fsync,sync_file_range", "-e", inject, p.bin}, p.args("pair", v)...)
	if after <= 0 {
		after = patience
	}
	o, reaction, err := p.interruptCommand(ctx, exec.CommandContext(ctx, strace, args...), after, syscall.SIGINT)
	if err != nil {
		return err
	}
	is, left, err := p.look()
	switch {
	case err != nil:
		return err
	case o.exit == 0 && is == [2]int{v, v} && len(left) == 0:
		r.end("slow disk: succeeded")
	case o.signal == syscall.SIGINT && is == before && len(left) == 0:
		r.end("slow disk: ended by the signal itself, before it began")
	case after < patience && o.exit == 130 && is == before && len(left) == 0 && reaction < 2*time.Second:
		r.end("slow disk: stopped when told to (exit 130)")
	default:
		r.refute("each answer of the disk takes %v, interrupt after %v: %v, %v later, versions %v before %v, left over %v", delay, after, o, reaction, is, before, left)
	}
	return nil
}
