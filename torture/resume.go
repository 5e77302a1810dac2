package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// longJob has a stage of every sort that can be kept, and two outputs.
const longJob = `
inputs: {seed: data/seed, seed2: data/seed2}
tables:
  m: [{from: seed2}, {groupby: {by: col1, agg: {m: mean(col4)}}}]
  p: [{from: seed}, {join: {with: m, on: col1, how: left}}, {compute: {x: "ln(col3) + m"}}, {persist: true}]
  r: [{from: p}, {index: [col3]}, {lag: {column: x, by: col3, periods: [1], as: "x{period}"}}]
  g: [{from: p}, {index: [col1, "x desc"]}, {groupby: {by: col1, agg: {n: count(), f: first(col2)}}}]
outputs:
  r: {path: long/r/, if_exists: replace}
  g: {path: long/g.parquet, if_exists: replace}
`

// long is the job above with what is known of it.
type long struct {
	*bench
	want  string
	fresh costs // of a run that keeps nothing
	whole costs // of one that keeps what it finishes
}

// costs are what a run took.
type costs struct {
	took          time.Duration
	cpu           time.Duration
	rows          int64 // read by its stages; 0 where it did not end
	read, written int64 // bytes, by system calls
	signaled      bool
	exit          int
	said          string // on stderr
}

// String is the cells of a table.
func (c costs) String() string {
	return fmt.Sprintf("%.1f s | %.1f s | %.1f M | %d MB | %d MB", c.took.Seconds(), c.cpu.Seconds(), float64(c.rows)/1e6, c.read>>20, c.written>>20)
}

// tryResume kills runs of a long job at ten points and lets the next one go on, and again with a byte of what was kept flipped.
func tryResume(ctx context.Context, b *bench, r *result) error {
	l, err := newLong(ctx, b)
	if err != nil {
		return err
	}
	lines := []string{
		"| run | time | CPU | rows read | read | written | kept |", "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
		fmt.Sprintf("| without the flag, not killed | %v | |", l.fresh), fmt.Sprintf("| with `--resume`, not killed | %v | |", l.whole),
	}
	const points = 10
	for i := range points {
		line, err := l.point(ctx, r, float64(2*i+1)/(2*points))
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	rng := rand.New(rand.NewPCG(b.seed, 7))
	for range b.times(20) {
		if err := l.flipped(ctx, r, rng); err != nil {
			return err
		}
	}
	r.fact("what the run after a kill took, by when the first was killed (bytes by system calls; a run without the flag begins anew wherever it was killed):\n\n  %s", strings.Join(lines, "\n  "))
	return nil
}

func newLong(ctx context.Context, b *bench) (*long, error) {
	l := &long{bench: b}
	for _, name := range []string{"seed", "seed2"} {
		if err := b.data(ctx, name); err != nil {
			return nil, err
		}
	}
	err := errors.Join(os.MkdirAll(b.path("long", "spill"), 0o777), os.WriteFile(b.path("long.yaml"), []byte(longJob), 0o666))
	if err == nil {
		l.fresh, err = l.start(ctx, 0)
	}
	if err == nil {
		l.whole, err = l.start(ctx, 0, "--resume")
	}
	if err == nil && l.fresh.exit+l.whole.exit != 0 {
		err = errors.New(l.fresh.said + l.whole.said)
	}
	if err != nil {
		return nil, err
	}
	l.want, err = l.now()
	return l, err
}

// now hashes both outputs.
func (l *long) now() (string, error) {
	r, err := hashOf(l.path("long", "r"))
	g, gerr := hashOf(l.path("long", "g.parquet"))
	return r + g, errors.Join(err, gerr)
}

// start runs the job, and kills it after a while where that is not 0.
func (l *long) start(ctx context.Context, after time.Duration, more ...string) (c costs, err error) {
	return l.startUntil(ctx, func(ended <-chan struct{}) bool { return after > 0 && waited(ended, after) }, more...)
}

// startUntil runs the job, and kills it when what is called beside it returns true. That is told when the run has ended.
func (l *long) startUntil(ctx context.Context, kill func(ended <-chan struct{}) bool, more ...string) (c costs, err error) {
	args := []string{"run", l.path("long.yaml"), "--mem", "200MB", "--threads", "2", "--progress", "none", "--json", "--log-level", "info", "--spill-dir", l.path("long", "spill")}
	cmd := exec.CommandContext(ctx, l.bin, append(args, more...)...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &out, &errs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return c, err
	}
	ended, killer := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killer)
		if kill(ended) {
			_ = cmd.Process.Kill()
		}
	}()
	for { // it has ended, and can still be asked
		if err = unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			break
		}
	}
	c.took = time.Since(began)
	close(ended)
	<-killer
	if err == nil {
		c.read, c.written, err = moved(cmd.Process.Pid)
	}
	var exit *exec.ExitError
	if werr := cmd.Wait(); werr != nil && !errors.As(werr, &exit) {
		return c, errors.Join(err, werr)
	}
	c.exit, c.said = cmd.ProcessState.ExitCode(), errs.String()
	c.signaled = c.exit < 0
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	var sum struct {
		Stages []struct {
			Name   string `json:"name"`
			RowsIn int64  `json:"rows_in"`
		} `json:"stages"`
	}
	if c.exit == 0 {
		err = errors.Join(err, json.Unmarshal(out.Bytes(), &sum))
	}
	for _, s := range sum.Stages {
		if !strings.HasPrefix(s.Name, "verify kept ") { // those of finished stages are read in any case
			c.rows += s.RowsIn
		}
	}
	return c, err
}

// moved returns the bytes that a process that has ended, and was not waited for, read and wrote by system calls.
func moved(pid int) (read, written int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "rchar":
			read = n
		case "wchar":
			written = n
		}
	}
	return read, written, nil
}

// kept lists the finished stages and outputs that lie about.
func (l *long) kept() (names []string) {
	stages, _ := filepath.Glob(l.path("long", "spill", "pqjoin-keep-*", "*.stage"))
	outputs, _ := filepath.Glob(l.path("long", ".*.pqjoin-done"))
	for _, n := range append(stages, outputs...) {
		n, _, _ = strings.Cut(strings.TrimPrefix(filepath.Base(n), "."), ".")
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// point kills a run at a part of its time, lets the next one go on, and returns a line of the table.
func (l *long) point(ctx context.Context, r *result, at float64) (string, error) {
	first, err := l.start(ctx, time.Duration(at*float64(l.whole.took)), "--resume")
	if err != nil {
		return "", err
	}
	kept := l.kept()
	next, err := l.start(ctx, 0, "--resume")
	if err != nil {
		return "", err
	}
	switch wrong, err := l.wrong(next); {
	case err != nil:
		return "", err
	case wrong != "":
		r.refute("killed at %.2f with %v kept: %s", at, kept, wrong)
	case len(kept) > 0 && next.rows >= l.whole.rows:
		r.refute("killed at %.2f with %v kept: %d rows are read, %d by a run from the beginning", at, kept, next.rows, l.whole.rows)
	case !first.signaled:
		r.end("had ended before it was killed")
		return fmt.Sprintf("| after %.0f %% of its time: it had ended | %v | |", 100*at, next), nil
	case len(kept) > 0:
		r.end("went on from finished stages")
	default:
		r.end("nothing was finished")
	}
	return fmt.Sprintf("| after %.0f %% of its time | %v | %s |", 100*at, next, strings.Join(kept, ", ")), nil
}

// wrong says what is wrong with a run that was to finish the job; nothing where it is right.
func (l *long) wrong(c costs) (string, error) {
	if c.exit != 0 {
		return fmt.Sprintf("exit %d: %s", c.exit, firstLine(c.said)), nil
	}
	is, err := l.now()
	if err != nil {
		return "", err
	}
	if is != l.want {
		return "the outputs are others than those of a run that was not killed", nil
	}
	var left []string
	err = filepath.WalkDir(l.path("long"), func(name string, _ fs.DirEntry, err error) error {
		if err == nil && (strings.Contains(filepath.Base(name), "pqjoin-") || filepath.Base(filepath.Dir(name)) == "spill") {
			left = append(left, strings.TrimPrefix(name, l.dir))
		}
		return err
	})
	if len(left) > 0 {
		return fmt.Sprintf("left over: %v", left), err
	}
	return "", err
}
