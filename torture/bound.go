package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// steps are the bounds that a job is run at, as multiples of its floor.
var steps = [...]float64{1, 1.2, 2}

// most is the largest bound.
const most = 1 << 30

// tryBound runs every job of the catalogue at bounds from its floor to 1 GiB in memory cgroups of just
// that size, and just below the floor.
func tryBound(ctx context.Context, b *bench, r *result) error {
	if g, err := newCgroup(most); err != nil {
		r.skip(err)
		return nil
	} else {
		g.remove()
	}
	for i, j := range catalogue() {
		if b.scale < 1 && i%max(1, int(1/b.scale/4)) != 0 || !b.match.MatchString(j.name) {
			continue
		}
		t := &boundTrial{bench: b, r: r, job: j}
		if err := t.prepare(ctx, i); err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		if err := t.all(ctx); err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		r.fact("%s", t.told())
		os.RemoveAll(t.out)
	}
	return nil
}

// boundTrial is one job at all bounds.
type boundTrial struct {
	*bench
	r         *result
	job       trialJob
	file, out string
	floor     int64
	want      string // hash of the output
	pairs     int
	spilled   int
	stopped   int   // for want of memory
	enough    int64 // the least bound that it succeeded at with two threads, 0: none yet
	kept      int   // stages that were finished when it was killed
}

// told is a line of the report.
func (t *boundTrial) told() string {
	s := fmt.Sprintf("%s: floor %d MB, %d bounds, spilled at %d", t.job.name, t.floor/1e6, t.pairs, t.spilled)
	if t.job.stops {
		s += fmt.Sprintf(", not enough memory for a value at %d", t.stopped)
	}
	if t.job.resumes {
		s += fmt.Sprintf(", killed three times with %d stages finished", t.kept)
	}
	return s
}

func (t *boundTrial) prepare(ctx context.Context, number int) (err error) {
	if t.file, t.out, err = t.job.write(ctx, t.bench, number); err != nil {
		return err
	}
	t.floor, err = t.floorOf(ctx, t.file)
	return err
}

// floorOf asks a job's plan for its floor, with further arguments where the job needs any.
func (b *bench) floorOf(ctx context.Context, file string, more ...string) (int64, error) {
	o, err := b.run(ctx, 0, append([]string{"plan", file, "--format", "json", "--mem", "16GB", "--threads", "2"}, more...)...)
	if err := o.must(err); err != nil {
		return 0, err
	}
	var p struct {
		Memory struct {
			Floor int64 `json:"floor_bytes"`
		}
	}
	err = json.Unmarshal([]byte(o.stdout), &p)
	if err == nil && p.Memory.Floor <= 0 {
		err = errors.New("the plan names no floor")
	}
	return p.Memory.Floor, err
}

func (t *boundTrial) all(ctx context.Context) error {
	for _, threads := range []string{"2", "1"} {
		for _, step := range steps {
			if threads == "1" && step > 1 {
				break
			}
			if err := t.at(ctx, int64(float64(t.floor)*step), threads); err != nil {
				return err
			}
		}
	}
	if t.floor < most {
		if err := t.at(ctx, most, "2"); err != nil {
			return err
		}
	}
	if t.job.resumes {
		if err := t.resumed(ctx); err != nil {
			return err
		}
	}
	return t.below(ctx)
}

// at runs the job at a bound, and compares its output with that of the first bound.
func (t *boundTrial) at(ctx context.Context, bound int64, threads string) error {
	o, err := t.run(ctx, bound, "run", t.file, "--mem", fmt.Sprint(bound), "--threads", threads, "--progress", "none", "--json", "--force")
	t.pairs++
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		t.r.refute("%s at --mem %d, --threads %s: it has not ended after %v", t.job.name, bound, threads, patience)
		return nil
	}
	if err != nil {
		return err
	}
	if t.job.stops && o.exit == 1 && o.kills == 0 && oneSentence(o.stderr) && (t.enough == 0 || bound < t.enough || threads == "1") {
		t.stopped++
		t.r.end("a value that does not fit, and says so")
		return nil
	}
	if o.exit != 0 || o.kills > 0 {
		t.r.refute("%s at --mem %d (floor %d), --threads %s: %v", t.job.name, bound, t.floor, threads, o)
		return nil
	}
	return t.same(o, bound, threads)
}

// same compares the output of a run that succeeded with that of the first bound.
func (t *boundTrial) same(o outcome, bound int64, threads string) error {
	if t.enough == 0 && threads == "2" {
		t.enough = bound
	}
	spilled, err := spilledBytes(o)
	if err != nil {
		return err
	}
	got, err := hashOf(t.out)
	if err != nil {
		return err
	}
	if t.want == "" {
		t.want = got
	}
	if got != t.want {
		t.r.refute("%s at --mem %d, --threads %s: other bytes", t.job.name, bound, threads)
		return nil
	}
	if spilled > 0 {
		t.spilled++
		t.r.end("same bytes, spilled")
	} else {
		t.r.end("same bytes")
	}
	return nil
}

// spilledBytes reads what a run --json says that it spilled.
func spilledBytes(o outcome) (int64, error) {
	var summary struct {
		Spilled int64 `json:"spilled_bytes"`
	}
	err := json.Unmarshal([]byte(o.stdout), &summary)
	return summary.Spilled, err
}

// below runs the job just below its floor.
func (t *boundTrial) below(ctx context.Context) error {
	before, err := hashOf(t.out)
	if err != nil {
		return err
	}
	bound := t.floor * 19 / 20
	o, err := t.run(ctx, bound, "run", t.file, "--mem", fmt.Sprint(bound), "--threads", "2", "--progress", "none", "--force")
	if err != nil {
		return err
	}
	after, err := hashOf(t.out)
	switch {
	case err != nil:
		return err
	case o.exit != 4 || o.kills > 0 || after != before || !oneSentence(o.stderr):
		t.r.refute("%s at --mem %d, below its floor of %d: %v", t.job.name, bound, t.floor, o)
	default:
		t.r.end("refused below the floor")
	}
	return nil
}

// oneSentence says whether a failure was told as the contract has it: no trace of the program's inside.
func oneSentence(stderr string) bool {
	return strings.TrimSpace(stderr) != "" && !strings.Contains(stderr, "goroutine ") && !strings.Contains(stderr, "panic:") && !strings.Contains(stderr, ".go:")
}

// hashOf hashes names and contents of all files below a path; a missing path hashes as nothing.
func hashOf(path string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == path:
			return nil
		case err != nil || d.IsDir():
			return err
		}
		text, err := os.ReadFile(name)
		fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(name, path), len(text))
		h.Write(text)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)), err
}
