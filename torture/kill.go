package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// pairJob writes a set of two outputs that both hold ${v}, and spills at --mem of its floor.
const pairJob = `
vars: {dir: pair}
inputs: {t: data/pair}
tables:
  a: [{from: t}, {compute: {s: "repeat(cast(col2 as string), 20)"}}, {index: col3}, {compute: {v: "${v}"}}]
  b: [{from: a}, {groupby: {by: col1, agg: {n: count(), v: max(v)}}}]
outputs:
  a: {path: "${dir}/a/", if_exists: replace}
  b: {path: "${dir}/b.parquet", if_exists: replace}
`

// pair is the job above with what is known of it.
type pair struct {
	*bench
	mem   string
	took  time.Duration
	whole [2][2]string // by v and output: the hash
	more  []string     // arguments of runs
}

// args are those of a run with ${v} that writes below dir, and spills below pair/.
func (p *pair) args(dir string, v int) []string {
	args := []string{"run", p.path("pair.yaml"), "--set", fmt.Sprint("v=", v), "--set", "dir=" + dir, "--mem", p.mem, "--threads", "2",
		"--progress", "none", "--spill-dir", p.path("pair", "spill"), "--json"}
	return append(args, p.more...)
}

// newPair runs the job once for each v.
func newPair(ctx context.Context, b *bench) (*pair, error) {
	p := &pair{bench: b}
	if err := b.data(ctx, "pair"); err != nil {
		return nil, err
	}
	err := errors.Join(os.RemoveAll(b.path("pair")), os.MkdirAll(b.path("pair", "spill"), 0o777), os.WriteFile(b.path("pair.yaml"), []byte(pairJob), 0o666))
	if err != nil {
		return nil, err
	}
	floor, err := b.floorOf(ctx, b.path("pair.yaml"), "--set", "v=0")
	if err != nil {
		return nil, err
	}
	p.mem = fmt.Sprint(floor)
	for v := range p.whole {
		o, err := b.run(ctx, 0, p.args("pair", v)...)
		if err := o.must(err); err != nil {
			return nil, err
		}
		if n, err := spilledBytes(o); err != nil || n == 0 {
			return nil, fmt.Errorf("the job spills %d bytes at its floor: %w", n, err)
		}
		p.took = max(p.took, o.took)
		if p.whole[v], err = p.hashes("pair"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// hashes are those of both outputs below dir.
func (p *pair) hashes(dir string) (is [2]string, err error) {
	for i, name := range [...]string{"a", "b.parquet"} {
		if is[i], err = hashOf(p.path(dir, name)); err != nil {
			return is, err
		}
	}
	return is, nil
}

// versions returns which run's each output is; -1 is nobody's.
func (p *pair) versions() ([2]int, error) { return p.versionsIn("pair") }

func (p *pair) versionsIn(dir string) (is [2]int, err error) {
	hashes, err := p.hashes(dir)
	for i := range is {
		is[i] = -1
		for v := range 2 {
			if hashes[i] == p.whole[v][i] {
				is[i] = v
			}
		}
	}
	return is, err
}

// orphans lists what no finished run leaves behind.
func (p *pair) orphans() (names []string, err error) {
	err = filepath.WalkDir(p.path("pair"), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.Contains(filepath.Base(name), ".pqjoin-") || strings.Contains(name, "/spill/") {
			names = append(names, strings.TrimPrefix(name, p.dir))
		}
		return nil
	})
	return names, err
}

// look says which run's each output is, and what no finished run leaves behind.
func (p *pair) look() (is [2]int, left []string, err error) {
	if is, err = p.versions(); err == nil {
		left, err = p.orphans()
	}
	return is, left, err
}

// interrupt starts the job and sends it the signal after a while. reaction is how long it then ran on; 0 where it had ended before.
func (p *pair) interrupt(ctx context.Context, v int, after time.Duration, sig syscall.Signal) (o outcome, reaction time.Duration, err error) {
	return p.interruptCommand(ctx, exec.CommandContext(ctx, p.bin, p.args("pair", v)...), after, sig)
}

func (p *pair) interruptCommand(ctx context.Context, cmd *exec.Cmd, after time.Duration, sig syscall.Signal) (o outcome, reaction time.Duration, err error) {
	var timer *time.Timer
	sent := make(chan time.Time, 1)
	o, err = p.watch(ctx, 0, cmd, func(started *os.Process) {
		timer = time.AfterFunc(after, func() {
			if started.Signal(sig) == nil {
				sent <- time.Now()
			}
		})
	})
	ended := time.Now()
	if err != nil || timer == nil || timer.Stop() {
		return o, 0, err
	}
	select {
	case at := <-sent:
		return o, ended.Sub(at), nil
	default: // it found nobody to signal
		return o, 0, nil
	}
}

// clean lets the program remove and complete what dead runs left.
func (p *pair) clean(ctx context.Context) (outcome, error) {
	if o, err := p.run(ctx, 0, "clean", p.path("pair", "spill")); err != nil || o.exit != 0 {
		return o, err
	}
	return p.run(ctx, 0, "clean", p.path("pair"))
}

// tryKill kills runs that replace a set of two outputs, cleans up and looks: a thousand that a kill found alive.
func tryKill(ctx context.Context, b *bench, r *result) error {
	p, err := newPair(ctx, b)
	if err != nil {
		return err
	}
	rng, killed := rand.New(rand.NewPCG(b.seed, 1)), 0
	for n := 0; killed < b.times(1000) && n < 3*b.times(1000); n++ {
		alive, err := p.kill(ctx, r, n, rng)
		if err != nil {
			return err
		}
		if alive {
			killed++
		}
	}
	r.fact("%d runs were killed; the last ones took about %v, and moments are spread evenly over that", killed, p.took.Round(time.Millisecond))
	return nil
}

// kill kills one run, and tells whether it was alive then.
func (p *pair) kill(ctx context.Context, r *result, n int, rng *rand.Rand) (alive bool, err error) {
	before, err := p.versions()
	if err != nil {
		return false, err
	}
	v := 1 - before[0]
	after := time.Duration(rng.Int64N(int64(p.took)))
	if n%2 == 0 { // publishing is short and at the end
		after = p.took*8/10 + after*3/10
	}
	o, _, err := p.interrupt(ctx, v, after, syscall.SIGKILL)
	if err != nil {
		return false, err
	}
	p.follow(o)
	return o.signal == syscall.SIGKILL, p.survey(ctx, r, fmt.Sprintf("killed after %v", after), o, v, n%5 == 0)
}

// follow keeps took near what runs take while other work slows the machine down or no longer does:
// half of the way down to a run that ended, a fiftieth up for one that was killed before it did.
func (p *pair) follow(o outcome) {
	if o.signal == syscall.SIGKILL {
		p.took += p.took / 50
		return
	}
	p.took = (p.took + min(p.took, o.took)) / 2
}

// survey looks at what a killed run of v left, lets clean or the next run put it in order, and looks again.
func (p *pair) survey(ctx context.Context, r *result, what string, o outcome, v int, again bool) error {
	at, err := p.versions()
	if err != nil {
		return err
	}
	if at[0] < 0 || at[1] < 0 {
		r.refute("%s: the outputs are of versions %v (-1: neither's)", what, at)
		return nil
	}
	next, afterwards := "clean", p.clean
	if again {
		next, afterwards = "run", func(ctx context.Context) (outcome, error) { return p.run(ctx, 0, p.args("pair", v)...) }
	}
	if c, err := afterwards(ctx); err != nil || c.exit != 0 {
		r.refute("%s: %s ends with %v %v", what, next, c, err)
		return nil
	}
	is, left, err := p.look()
	switch {
	case err != nil:
		return err
	case is[0] < 0 || is[0] != is[1] || len(left) > 0 || again && is[0] != v || at == [2]int{v, v} && is[0] != v:
		r.refute("%s, then %s: versions %v, before that %v, left over %v", what, next, is, at, left)
	case o.signal != syscall.SIGKILL:
		r.end("ended before")
	case at[0] != at[1]:
		r.end("killed between two outputs, completed by " + next)
	case at[0] == v:
		r.end("killed after publishing, new output whole")
	case is[0] == v && !again:
		r.end("killed while publishing, completed by clean")
	default:
		r.end("killed, old output whole")
	}
	return nil
}

// tryStop asks runs to stop.
func tryStop(ctx context.Context, b *bench, r *result) error {
	p, err := newPair(ctx, b)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 2))
	slowest, signals := time.Duration(0), []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	if signal.Ignored(syscall.SIGHUP) { // the runs would inherit that
		signals = signals[:2]
	}
	for n := range b.times(300) {
		sig := signals[n%len(signals)]
		reaction, err := p.stop(ctx, r, sig, time.Duration(rng.Int64N(int64(p.took))))
		if err != nil {
			return err
		}
		slowest = max(slowest, reaction)
	}
	r.fact("the slowest reaction took %v", slowest.Round(time.Millisecond))
	return nil
}

// stop sends one run a signal after a while, and looks at what it leaves.
func (p *pair) stop(ctx context.Context, r *result, sig syscall.Signal, after time.Duration) (reaction time.Duration, err error) {
	before, err := p.versions()
	if err != nil {
		return 0, err
	}
	v, code := 1-before[0], 128+int(sig)
	o, reaction, err := p.interrupt(ctx, v, after, sig)
	if err != nil {
		return 0, err
	}
	is, left, err := p.look()
	if err != nil {
		return 0, err
	}
	want := before
	if o.exit == 0 {
		want = [2]int{v, v}
	}
	early := o.signal == sig && after < 50*time.Millisecond // before the program took over its signals
	switch {
	case o.exit != 0 && o.exit != code && !early || reaction > 2*time.Second || is != want || len(left) > 0:
		r.refute("signal %d after %v: %v, in %v, versions %v of %v, left over %v", sig, after, o, reaction, is, want, left)
	case o.exit == 0:
		r.end("ended before")
	case early:
		r.end("ended by the signal itself, before it began")
	default:
		r.end(fmt.Sprintf("exit %d", code))
	}
	return reaction, nil
}
