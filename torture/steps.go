package main

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
)

// killedAt are the system calls by which a run makes, writes, names and removes files.
var killedAt = [...]string{
	"mkdirat", "flock", "openat", "write", "pwrite64", "pread64", "sync_file_range", "fsync", "fchmodat", "renameat", "renameat2", "unlinkat", "close",
}

// trySteps kills runs with strace at a thread's nth call of each sort, for as many n as there are, up to forty.
func trySteps(ctx context.Context, b *bench, r *result) error {
	strace, p, err := newTraced(ctx, b, r)
	if p == nil {
		return err
	}
	for i, call := range killedAt {
		for nth, survived := 1, 0; nth <= b.times(40) && survived < 3; nth++ {
			killed, err := p.killAt(ctx, r, strace, call, nth, (i+nth)%5 == 0)
			if err != nil {
				return err
			}
			if !killed {
				survived++
			}
		}
	}
	return nil
}

// killAt lets a run die at a call, and says whether it came so far.
func (p *pair) killAt(ctx context.Context, r *result, strace, call string, nth int, again bool) (killed bool, err error) {
	before, err := p.versions()
	if err != nil {
		return false, err
	}
	v := 1 - before[0]
	args := []string{"-f", "-qq", "-o", p.path("strace.log"), "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, nth), p.bin}
	o, err := p.command(ctx, 0, exec.CommandContext(ctx, strace, append(args, p.args("pair", v)...)...))
	if err != nil {
		return false, err
	}
	killed = o.signal == syscall.SIGKILL
	return killed, p.survey(ctx, r, fmt.Sprintf("killed at a thread's call %d of %s", nth, call), o, v, again)
}
