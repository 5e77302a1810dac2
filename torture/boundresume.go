package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// resumed kills runs with --resume at the floor at several moments, and lets the next one go on at the same bound: a run that keeps its
// stages, and one that takes them over, stay within it too, and give the same bytes.
func (t *boundTrial) resumed(ctx context.Context) error {
	spill := t.path("out", "spill")
	if err := os.MkdirAll(spill, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(spill)
	args := []string{"run", t.file, "--mem", fmt.Sprint(t.floor), "--threads", "2", "--progress", "none", "--force", "--resume", "--spill-dir", spill}
	whole, err := t.run(ctx, t.floor, args...)
	if err != nil {
		return err
	}
	if err := t.judge(whole, "not killed"); err != nil {
		return err
	}
	for _, at := range [...]float64{0.4, 0.7, 0.9} {
		first, err := t.killed(ctx, time.Duration(at*float64(whole.took)), args)
		if err != nil {
			return err
		}
		if first.kills > 0 {
			t.r.refute("%s with --resume at its floor of %d: %v", t.job.name, t.floor, first)
			continue
		}
		kept, err := filepath.Glob(filepath.Join(spill, "pqjoin-keep-*", "*.stage"))
		if err != nil {
			return err
		}
		next, err := t.run(ctx, t.floor, args...)
		if err != nil {
			return err
		}
		if err := t.judge(next, fmt.Sprintf("killed at %.1f, with %d stages kept", at, len(kept))); err != nil {
			return err
		}
		t.kept += len(kept)
	}
	return nil
}

// killed runs the job, and kills it after a while, if it has not ended by then.
func (t *boundTrial) killed(ctx context.Context, after time.Duration, args []string) (outcome, error) {
	var timer *time.Timer
	o, err := t.watchArgs(ctx, t.floor, args, func(p *os.Process) {
		timer = time.AfterFunc(after, func() { _ = p.Kill() })
	})
	if timer != nil {
		timer.Stop()
	}
	return o, err
}

// judge counts a run with --resume that is to have ended well, with the bytes of the others.
func (t *boundTrial) judge(o outcome, how string) error {
	got, err := hashOf(t.out)
	left, gerr := filepath.Glob(t.path("out", "spill", "*"))
	if err = errors.Join(err, gerr); err != nil {
		return err
	}
	t.pairs++
	switch {
	case o.exit != 0 || o.kills > 0:
		t.r.refute("%s with --resume at its floor of %d, %s: %v", t.job.name, t.floor, how, o)
	case got != t.want:
		t.r.refute("%s with --resume at its floor of %d, %s: other bytes", t.job.name, t.floor, how)
	case len(left) > 0:
		t.r.refute("%s with --resume at its floor of %d, %s: left over: %v", t.job.name, t.floor, how, left)
	default:
		t.r.end("same bytes, with --resume")
	}
	return nil
}
