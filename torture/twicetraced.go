package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"syscall"
)

// injection is what strace does to a thread's nth call of a sort.
type injection struct {
	call, how string
	nth       int
}

func (i injection) String() string {
	return fmt.Sprintf("%s at a thread's call %d of %s", i.how, i.nth, i.call)
}

// dies and fails draw injections: death at a call by which runs make, write and name files, and failing ones. A thread of a run that
// goes on makes few calls.
func dies(rng *rand.Rand) injection {
	return injection{killedAt[rng.IntN(len(killedAt))], "signal=SIGKILL", 1 + rng.IntN(12)}
}

func fails(rng *rand.Rand) injection {
	for {
		if f := faults[rng.IntN(len(faults))]; len(f.paths) == 0 { // the others are calls of the Go runtime, too
			return injection{f.call, "error=" + f.errno, nths[rng.IntN(len(nths)/2)]}
		}
	}
}

// tryTwiceTraced does with system calls of the program what tryTwice does with operations on files.
func tryTwiceTraced(ctx context.Context, b *bench, r *result, rng *rand.Rand) error {
	strace, p, err := newTraced(ctx, b, r)
	if p == nil {
		return err
	}
	p.more = []string{"--resume"}
	took := 0
	for n := range b.times(200) {
		first, second := dies(rng), fails(rng)
		switch n % 4 {
		case 0:
			first = fails(rng)
		case 1, 2:
			second = dies(rng)
		}
		if n%2 == 1 {
			first = injection{"fsync", "signal=SIGKILL", 1 + rng.IntN(12)} // when something is finished
		}
		over, err := p.twice(ctx, r, strace, first, second)
		if err != nil {
			return err
		}
		if over {
			took++
		}
	}
	r.fact("at system calls: %d of the third runs took something over", took)
	return nil
}

// traced runs the job with an injection.
func (p *pair) traced(ctx context.Context, strace string, i injection, v int) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := []string{"-f", "-qq", "-o", p.path("strace.log"), "-e", "trace=" + i.call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", i.call, i.how, i.nth), p.bin}
	return p.command(ctx, 0, exec.CommandContext(ctx, strace, append(args, p.args("pair", v)...)...))
}

// twice makes two runs with injections and one without, and says whether that took something over.
func (p *pair) twice(ctx context.Context, r *result, strace string, first, second injection) (took bool, err error) {
	before, err := p.versions()
	if err != nil {
		return false, err
	}
	v, what := 1-before[0], ""
	var last outcome
	for _, i := range [...]injection{first, second} {
		if last, err = p.traced(ctx, strace, i, v); err != nil {
			return false, err
		}
		what += fmt.Sprintf("%v: %v; ", i, last)
		is, left, err := p.look()
		if err != nil {
			return false, err
		}
		wrong := halfWay(is, v, last.exit == 0, true, left, "/pair/.a.pqjoin-commit")
		if wrong == "" && last.exit > 0 && !oneSentence(last.stderr) {
			wrong = "it does not end with one sentence"
		}
		if wrong != "" {
			r.refute("%s%s", what, wrong)
			return false, p.reset(ctx)
		}
	}
	third, err := p.run(ctx, 0, append(p.args("pair", v), "--log-level", "info")...)
	if err != nil {
		return false, err
	}
	is, left, err := p.look()
	if err != nil {
		return false, err
	}
	took = takenOver(third.stderr) > 0
	switch {
	case third.exit != 0 || is != [2]int{v, v} || len(left) > 0:
		r.refute("%sthe third run: %v, versions %v, left over %v", what, third, is, left)
		return took, p.reset(ctx)
	case last.exit == 0:
		r.end("the second run of the program succeeded")
	case last.signal == syscall.SIGKILL && took:
		r.end("the second run of the program was killed, the third went on from what was finished")
	case took:
		r.end("the second run of the program failed, the third went on from what was finished")
	default:
		r.end("the third run of the program succeeded, nothing being finished")
	}
	return took, nil
}

// reset puts things in order after a trial that refutes.
func (p *pair) reset(ctx context.Context) error {
	if _, err := p.clean(ctx); err != nil {
		return err
	}
	o, err := p.run(ctx, 0, p.args("pair", 0)...)
	return o.must(err)
}
