// Command torture tries to break pqjoin with the real binary on real disks and in real memory cgroups, and
// writes what it tried, how often, and what happened to docs/reliability.md.
//
//	go run ./torture -bin bin/pqjoin -work DIR [-part bound,kill,...] [-scale 1] [-report docs/reliability.md]
//
// Every part states a claim, tries to refute it, and counts; parts.go lists them. A refutation is printed with what
// shows it, and makes the exit code 1; what cannot be tried on a machine (no root, no strace) is
// reported as skipped, never as passed. The same -seed makes the same trials.
//
// A part leaves its result in the working directory. A later run there with the same program takes it into its report, so
// that a long run can be made in pieces, and those of one part with several seeds at the same time, in directories of their own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "fuzz-worker" {
		return fuzzWorker(args[1:])
	}
	if len(args) > 0 && args[0] == "fuzz-replay" {
		return fuzzReplay(args[1:])
	}
	f := flag.NewFlagSet("torture", flag.ContinueOnError)
	bin := f.String("bin", "bin/pqjoin", "the `program`")
	work := f.String("work", "", "a `directory` on the disk to use; default: a new one here, removed at the end")
	names := f.String("part", "", "the parts to run, separated by commas; none: only the report is written; default: all")
	scale := f.Float64("scale", 1, "of the numbers of trials: 0.05 takes a minute or two")
	match := f.String("job", "", "of the part bound, only jobs whose names match this regular `expression`")
	executions := f.Float64("executions", 0, "of the part fuzz; 0: a million times the scale")
	first := f.Uint64("first", 0, "of the part fuzz, the `number` of the first execution: where an earlier run was stopped")
	seed := f.Uint64("seed", 1, "other moments, other bytes")
	report := f.String("report", "", "write the report to this `file`")
	if err := f.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*names)
	if err != nil {
		return err
	}
	b, err := newBench(*bin, *work, *scale, *seed)
	if err != nil {
		return err
	}
	defer b.close()
	if b.match, err = regexp.Compile(*match); err != nil {
		return err
	}
	b.executions, b.first = uint64(*executions), *first
	return b.try(ctx, chosen, *report)
}

// try tries parts, and writes the report after each.
func (b *bench) try(ctx context.Context, chosen []part, report string) error {
	wrong := 0
	for _, p := range chosen {
		r, err := p.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		wrong += len(r.Refuted)
		if err := b.writeReport(report); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d trials refute a claim", wrong)
	}
	return b.writeReport(report)
}

// run tries the part and keeps its result, also of the trials that were made until an interrupt.
func (p part) run(ctx context.Context, b *bench) (*result, error) {
	r := &result{Part: p.name, Of: b.id, Scale: b.scale, Seed: b.seed, stopped: ctx.Err}
	began := time.Now()
	err := p.try(ctx, b, r)
	r.Took = time.Since(began)
	if err != nil && r.Trials > 0 {
		r.Skipped = fmt.Sprintf("it was stopped before its end (%v)", err)
		return r, errors.Join(err, b.keep(r))
	}
	if err != nil {
		return nil, err
	}
	fmt.Println(r.line())
	return r, b.keep(r)
}

// choose returns the named parts, all of them where none is named.
func choose(names string) ([]part, error) {
	if names == "" {
		return parts[:], nil
	}
	if names == "none" {
		return nil, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(parts[:], func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q", name)
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}

// bench is where trials happen.
type bench struct {
	bin   string // absolute
	dir   string // absolute; data and outputs
	scale float64
	seed  uint64
	match *regexp.Regexp // of names of jobs
	// executions of the part fuzz, 0: by the scale; and the first of them.
	executions, first uint64
	temp              bool // dir is ours to remove
	id                id
}

func newBench(bin, dir string, scale float64, seed uint64) (*bench, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	if st, err := os.Stat(bin); err != nil || st.IsDir() {
		return nil, fmt.Errorf("there is no program at %s: make build makes it", bin)
	}
	b := &bench{bin: bin, scale: scale, seed: seed, temp: dir == ""}
	if b.id, err = newID(bin); err != nil {
		return nil, err
	}
	if b.temp {
		dir, err = os.MkdirTemp(".", ".torture.")
	} else {
		err = os.MkdirAll(dir, 0o777)
	}
	if err != nil {
		return nil, err
	}
	b.dir, err = filepath.Abs(dir)
	return b, err
}

func (b *bench) close() {
	if b.temp {
		os.RemoveAll(b.dir)
	}
}

// times scales a number of trials; there is at least one.
func (b *bench) times(n int) int { return max(1, int(float64(n)*b.scale)) }

// path joins names below the directory.
func (b *bench) path(names ...string) string {
	return filepath.Join(append([]string{b.dir}, names...)...)
}
