package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// fault is a system call that fails at a thread's nth call.
type fault struct {
	call, errno string
	paths       []string // only calls on these files, relative to pair/; all files where empty
}

// ours are the files that a run of pairJob writes with write(2). Elsewhere the Go runtime itself writes, and may not survive it.
var ours = []string{".a.pqjoin-new/part-00000.parquet", ".b.parquet.pqjoin-new", ".a.pqjoin-set", ".b.parquet.pqjoin-set", ".a.pqjoin-commit-half"}

var faults = [...]fault{
	{"write", "ENOSPC", ours}, {"write", "EIO", ours},
	{"pwrite64", "ENOSPC", nil}, {"pwrite64", "EIO", nil},
	{"fsync", "EIO", nil}, {"fsync", "ENOSPC", nil},
	{"renameat2", "EIO", nil}, {"renameat2", "ENOSPC", nil}, {"renameat", "EIO", nil},
	{"pread64", "EIO", nil},
	{"close", "EIO", nil},
	{"openat", "EMFILE", nil}, {"openat", "EACCES", nil},
	{"mkdirat", "ENOSPC", nil},
	{"flock", "ENOLCK", nil},
	{"getdents64", "EIO", nil}, {"newfstatat", "EIO", nil},
	{"unlinkat", "EIO", nil},
	{"sync_file_range", "EIO", nil}, {"fadvise64", "EIO", nil},
}

// nths are the calls of a thread that fail, one in each trial.
var nths = [...]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500}

var errNoStrace = errors.New("strace is not installed")

// newTraced returns strace and a pair to run in it; no pair where there is no strace, which is said to r.
func newTraced(ctx context.Context, b *bench, r *result) (strace string, p *pair, err error) {
	if strace, err = exec.LookPath("strace"); err != nil {
		r.skip(errNoStrace)
		return "", nil, nil
	}
	p, err = newPair(ctx, b)
	return strace, p, err
}

// trySyscalls makes system calls of real runs fail with strace.
func trySyscalls(ctx context.Context, b *bench, r *result) error {
	strace, p, err := newTraced(ctx, b, r)
	if p == nil {
		return err
	}
	for _, f := range faults {
		for i, nth := range nths {
			if b.scale < 1 && i%max(1, int(1/b.scale/2)) != 0 {
				continue
			}
			if err := p.fail(ctx, r, strace, f, nth); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail runs the job with one fault a thread.
func (p *pair) fail(ctx context.Context, r *result, strace string, f fault, nth int) error {
	before, err := p.versions()
	if err != nil {
		return err
	}
	v := 1 - before[0]
	log := p.path("strace.log")
	args := []string{"-f", "-qq", "-o", log, "-e", "trace=" + f.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, f.errno, nth)}
	for _, path := range f.paths {
		args = append(args, "-P", p.path("pair", path))
	}
	cmd := exec.CommandContext(ctx, strace, append(append(args, p.bin), p.args("pair", v)...)...)
	o, err := p.command(ctx, 0, cmd)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	hit := strings.Contains(string(text), "(INJECTED)")
	is, left, err := p.look()
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s fails with %s at a thread's call %d", f.call, f.errno, nth)
	switch {
	case !hit:
		r.end("no such call")
	case o.exit == 0 && is == [2]int{v, v}:
		r.end("succeeded nevertheless")
	case o.exit > 0 && is == before && oneSentence(o.stderr):
		r.end(fmt.Sprintf("exit %d, old output whole", o.exit))
	case o.exit > 0 && is == [2]int{v, v} && oneSentence(o.stderr):
		r.end(fmt.Sprintf("exit %d after publishing, new output whole", o.exit))
	case o.exit > 0 && is[0] >= 0 && is[1] >= 0 && strings.Contains(strings.Join(left, " "), ".pqjoin-commit") && oneSentence(o.stderr):
		r.end("failed between two outputs, completed by clean")
	default:
		r.refute("%s: %v, versions %v before %v", what, o, is, before)
	}
	return p.tidy(ctx, r, what, o, hit, left)
}

// tidy lets clean remove what a run could not remove because the fault hit its tidying up.
func (p *pair) tidy(ctx context.Context, r *result, what string, o outcome, hit bool, left []string) error {
	if len(left) == 0 {
		return nil
	}
	c, err := p.clean(ctx)
	if err != nil {
		return err
	}
	still, err := p.orphans()
	if err != nil {
		return err
	}
	is, err := p.versions()
	if err != nil {
		return err
	}
	if c.exit != 0 || len(still) > 0 || is[0] < 0 || is[0] != is[1] {
		r.refute("%s: %v left %v, and after clean (%v) %v, versions %v", what, o, left, c, still, is)
		return nil
	}
	if hit {
		r.end("left something that clean removed")
	}
	return nil
}
