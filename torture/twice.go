package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
)

// tryTwice lets two runs with --resume die or fail, one after the other, and a third end: at operations on files in this process,
// at system calls of the program.
func tryTwice(ctx context.Context, b *bench, r *result) error {
	if err := errors.Join(b.data(ctx, "small"), b.data(ctx, "small2")); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 9))
	for i := range faultyJobs {
		for threads := 1; threads <= 2; threads++ {
			t := &twice{faulty: newFaulty(b, r, i, threads)}
			t.resume = true
			if err := t.learn(ctx); err != nil {
				return err
			}
			if err := t.everySecond(ctx, rng); err != nil {
				return err
			}
			r.fact("job %d with %d threads: up to %d operations; %d of the second runs took over %d stages and outputs, %d of the third ones %d",
				i+1, threads, t.calls, t.by[0].runs, t.by[0].stages, t.by[1].runs, t.by[1].stages)
		}
	}
	return tryTwiceTraced(ctx, b, r, rng)
}

// twice is a faulty job that is run with --resume.
type twice struct {
	*faulty
	by [2]takings // the second runs, the third
}

// takings count runs that took something over, and what.
type takings struct{ runs, stages int }

// takenOver counts the stages and outputs that a run's log says it takes over.
func takenOver(said string) int { return strings.Count(said, "is taken over") }

// take counts what a run said it takes over.
func (t *takings) take(said string) {
	if n := takenOver(said); n > 0 {
		t.runs++
		t.stages += n
	}
}

// everySecond lets faults befall operation 1, 2, 3, ... of the second run, each twice, once the first has died, or now and then
// failed, at any of its operations.
func (t *twice) everySecond(ctx context.Context, rng *rand.Rand) error {
	dead := diskFaults[len(diskFaults)-1]
	for n := range t.times(2 * t.calls) {
		first, nth := dead, 1+rng.IntN(t.calls)
		if n%4 == 0 {
			first = diskFaults[rng.IntN(len(diskFaults))]
		}
		if n%2 == 0 { // late, when much is kept
			nth = t.calls - rng.IntN(1+t.calls/3)
		}
		second, at := diskFaults[rng.IntN(len(diskFaults))], 1+n/2
		if t.scale < 1 {
			at = 1 + rng.IntN(t.calls)
		}
		if second.writes {
			at = 1 + at%t.needing
		}
		if err := t.trial(ctx, first, nth, second, at); err != nil {
			return err
		}
	}
	return nil
}

// trial makes two runs with faults and one without.
func (t *twice) trial(ctx context.Context, first diskFault, nth int, second diskFault, at int) error {
	before, err := t.versions()
	if err != nil {
		return err
	}
	v := 1 - before[0]
	one, err := t.strike(ctx, first, nth, v)
	if err != nil || one.refuted {
		return err
	}
	kept, ok, err := t.sound(one, v, nil)
	if err != nil || !ok {
		return err
	}
	kept = slices.DeleteFunc(kept, t.isEmpty)
	two, err := t.strike(ctx, second, at, v)
	two.what = one.what + "; then " + two.what
	if err != nil || two.refuted {
		return err
	}
	t.by[0].take(t.said.String())
	left, ok, err := t.sound(two, v, kept)
	if err != nil || !ok {
		return err
	}
	if err := t.execute(ctx, faultfs.Hasty(vfs.OS()), v); err != nil {
		t.r.refute("%s: the third run fails: %v", two.what, err)
		return nil
	}
	t.by[1].take(t.said.String())
	return t.ended(one, two, left, v)
}

// isEmpty says whether a file is: a note whose writing failed says of nothing that it was finished.
func (t *twice) isEmpty(name string) bool {
	st, err := os.Stat(t.dir + name)
	return err != nil || st.Size() == 0
}

// ended looks at what the third run has made.
func (t *twice) ended(one, two struck, left []string, v int) error {
	took := takenOver(t.said.String()) > 0
	is, err := t.versions()
	if err != nil {
		return err
	}
	still, err := t.leftovers()
	switch {
	case err != nil:
		return err
	case is != [2]int{v, v} || len(still) > 0:
		t.r.refute("%s: left over %v, and after the third run %v, versions %v", two.what, left, still, is)
	case one.err == nil:
		t.r.end("the first run succeeded")
	case two.err == nil:
		t.r.end("the second run succeeded")
	case took:
		t.r.end("the third run went on from what the others had finished")
	default:
		t.r.end("the third run succeeded, nothing being finished")
	}
	return nil
}

// sound looks at the outputs after a run, and at what is kept: all that was before, unless the run has come to publishing.
func (t *twice) sound(s struck, v int, kept []string) (left []string, ok bool, err error) {
	is, err := t.versions()
	if err != nil {
		return nil, false, err
	}
	if left, err = t.leftovers(); err != nil {
		return nil, false, err
	}
	if wrong := halfWay(is, v, s.err == nil, s.met, left, committedMark); wrong != "" {
		t.r.refute("%s: %s", s.what, wrong)
		return left, false, nil
	}
	for _, name := range kept {
		finished := strings.HasSuffix(name, ".stage") || strings.HasSuffix(name, ".pqjoin-done")
		if finished && s.err != nil && is != [2]int{v, v} && is[0] == is[1] && !slices.Contains(left, name) {
			t.r.refute("%s: %s was finished, and is gone", s.what, name)
			return left, false, nil
		}
	}
	return left, true, nil
}

// halfWay says what is wrong with what a run of v leaves; nothing where that is all right.
func halfWay(is [2]int, v int, succeeded, met bool, left []string, mark string) string {
	switch {
	case is[0] < 0 || is[1] < 0:
		return fmt.Sprintf("the outputs are of versions %v (-1: neither's)", is)
	case succeeded && is != [2]int{v, v}:
		return fmt.Sprintf("it succeeds with outputs of versions %v", is)
	case succeeded && !met && len(left) > 0:
		return fmt.Sprintf("it succeeds and leaves %v", left)
	case is[0] != is[1] && !slices.Contains(left, mark):
		return fmt.Sprintf("the outputs are of versions %v, and no set waits to be completed: %v", is, left)
	}
	return ""
}
