package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// tryTogether starts runs that get in each other's way.
func tryTogether(ctx context.Context, b *bench, r *result) error {
	p, err := newPair(ctx, b)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 4))
	for n := range b.times(60) {
		if err := p.race(ctx, r, 2+n%3, rng); err != nil {
			return err
		}
	}
	for range b.times(25) {
		if err := p.share(ctx, r, 5, rng); err != nil {
			return err
		}
	}
	return nil
}

// late is a run and what came of it.
type late struct {
	outcome
	v   int
	err error
}

// crowd starts n runs of the job within a moment, run i writing below dirs[i%len(dirs)], and waits for all. Run 0 is killed where kill says so.
func (p *pair) crowd(ctx context.Context, n int, dirs []string, rng *rand.Rand, kill bool) []late {
	runs := make([]late, n)
	var wait sync.WaitGroup
	for i := range runs {
		runs[i].v = rng.IntN(2)
		args, after, dies := p.args(dirs[i%len(dirs)], runs[i].v), time.Duration(rng.Int64N(int64(p.took))), time.Duration(rng.Int64N(int64(p.took)*2))
		wait.Go(func() {
			time.Sleep(after)
			runs[i].outcome, runs[i].err = p.watch(ctx, 0, exec.CommandContext(ctx, p.bin, args...), func(started *os.Process) {
				if kill && i == 0 {
					time.AfterFunc(dies, func() { _ = started.Kill() })
				}
			})
		})
	}
	wait.Wait()
	return runs
}

// race lets n runs write one output.
func (p *pair) race(ctx context.Context, r *result, n int, rng *rand.Rand) error {
	runs := p.crowd(ctx, n, []string{"pair"}, rng, false)
	is, left, err := p.look()
	if err != nil {
		return err
	}
	won, refused := 0, 0
	for _, l := range runs {
		switch {
		case l.err != nil:
			return l.err
		case l.exit == 0:
			won++
		case l.exit == 6 && oneSentence(l.stderr):
			refused++
		}
	}
	whose := slices.ContainsFunc(runs, func(l late) bool { return l.exit == 0 && is == [2]int{l.v, l.v} })
	switch {
	case won+refused < n || won == 0 || !whose || len(left) > 0:
		r.refute("%d runs of one output: %v, versions %v, left over %v", n, runs, is, left)
	case refused == 0:
		r.end("one after the other")
	default:
		r.end("one wrote, others were refused (exit 6)")
	}
	return nil
}

// share lets n runs with outputs of their own share a spill directory, which clean looks after meanwhile. One of them is killed.
func (p *pair) share(ctx context.Context, r *result, n int, rng *rand.Rand) error {
	dirs := make([]string, n)
	for i := range dirs {
		dirs[i] = fmt.Sprintf("pair/%d", i)
		defer os.RemoveAll(p.path(dirs[i]))
		if err := os.MkdirAll(p.path(dirs[i]), 0o777); err != nil {
			return err
		}
	}
	tidying, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- p.tidyWhile(tidying) }()
	runs := p.crowd(ctx, n, dirs, rng, true)
	stop()
	if err := <-done; err != nil {
		r.refute("clean beside %d runs: %v", n, err)
		return nil
	}
	for i, l := range runs {
		is, err := p.versionsIn(dirs[i])
		if err := errors.Join(l.err, err); err != nil {
			return err
		}
		if l.signal == syscall.SIGKILL && i == 0 {
			r.end("was killed")
		} else if l.exit == 0 && is == [2]int{l.v, l.v} {
			r.end("succeeded beside others")
		} else {
			r.refute("run %d of %d with one spill directory: %v, versions %v", i, n, l, is)
		}
	}
	return p.allClean(ctx, r, append(dirs, "pair/spill", "pair"))
}

// tidyWhile cleans the spill directory until the context ends.
func (p *pair) tidyWhile(ctx context.Context) error {
	for ctx.Err() == nil {
		o, err := p.run(context.WithoutCancel(ctx), 0, "clean", p.path("pair", "spill"))
		if err := o.must(err); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// allClean cleans directories, behind which nothing may be left over.
func (p *pair) allClean(ctx context.Context, r *result, dirs []string) error {
	for _, dir := range dirs {
		if o, err := p.run(ctx, 0, "clean", p.path(dir)); err != nil || o.exit != 0 {
			r.refute("clean %s: %v %v", dir, o, err)
		}
	}
	left, err := p.orphans()
	if len(left) > 0 {
		r.refute("clean leaves %v", left)
	}
	return err
}
