package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"pqjoin/internal/testkit/hostile"
)

const (
	// fuzzBound is the memory of the process that reads: its pool and Go heap, the inputs, and the runtime.
	fuzzBound = 256 << 20
	// fuzzPatience is how long nothing may be heard of that process.
	fuzzPatience = 3 * time.Minute
	// fuzzDeaths is how many deaths are looked at.
	fuzzDeaths = 20
)

// tryFuzz gives damaged inputs to the readers, in a process that is started again where it dies, which no input should make it do.
func tryFuzz(ctx context.Context, b *bench, r *result) error {
	f := &fuzzing{bench: b, r: r, began: time.Now(), spec: fuzzSpec{Root: ".", Corpus: corpusFolder(), Seed: b.seed, To: b.first + b.executions}}
	if b.executions == 0 {
		f.spec.To = b.first + uint64(b.times(1_000_000))
	}
	var err error
	if f.suite, err = hostile.New(f.spec.Root, f.spec.Corpus, f.spec.Seed); err != nil {
		return err
	}
	f.sum.Next = b.first
	for f.sum.Next < f.spec.To && f.deaths < fuzzDeaths {
		err := f.process(ctx)
		if ctx.Err() != nil && f.sum.Next > b.first { // what was counted counts
			f.r.fact("it was stopped; `-first %d` goes on", f.sum.Next)
			break
		}
		if err != nil {
			return err
		}
	}
	f.report()
	return nil
}

// corpusFolder is where a copy of apache/parquet-testing may be.
func corpusFolder() string {
	if dir := os.Getenv("PQJOIN_PARQUET_TESTING"); dir != "" {
		return dir
	}
	return "../shared/corpus/parquet-testing"
}

// fuzzing is the state of the part fuzz.
type fuzzing struct {
	*bench
	r      *result
	spec   fuzzSpec
	suite  *hostile.Suite
	sum    hostile.Tally
	deaths int
	bound  string
	began  time.Time
}

// process runs one process until it ends, and takes up what it tells.
func (f *fuzzing) process(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, err := f.command(ctx)
	if err != nil {
		return err
	}
	stderr := new(head)
	cmd.Stderr = stderr
	f.bound = "without a cgroup, which only root can make"
	if g, err := newCgroup(fuzzBound); err == nil {
		defer g.remove()
		g.wrap(cmd)
		f.bound = fmt.Sprintf("in a memory cgroup of %d MiB", fuzzBound>>20)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stuck := time.AfterFunc(fuzzPatience, cancel)
	if err := f.listen(out, stuck); err != nil {
		cancel()
		return errors.Join(err, cmd.Wait())
	}
	err = cmd.Wait()
	alive := stuck.Stop()
	if err == nil && f.sum.Next >= f.spec.To {
		return nil
	}
	if ctx.Err() != nil && alive {
		return ctx.Err()
	}
	return f.died(err, stderr.String())
}

// command is the reading process, from the first execution on that was not counted.
func (f *fuzzing) command(ctx context.Context) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f.spec.From, f.spec.State = f.sum.Next, f.path("fuzz-state")
	if err := os.Remove(f.spec.State); err != nil && !errors.Is(err, os.ErrNotExist) { // it tells of another process
		return nil, err
	}
	text, err := json.Marshal(f.spec)
	return exec.CommandContext(ctx, self, "fuzz-worker", string(text)), err
}

// listen takes up what the process tells, until it ends.
func (f *fuzzing) listen(out io.Reader, stuck *time.Timer) error {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil // Wait tells why
		}
		stuck.Reset(fuzzPatience)
		var t hostile.Tally
		if err := json.Unmarshal(line, &t); err != nil {
			return fmt.Errorf("the reading process says %.200q: %w", line, err)
		}
		f.take(&t)
	}
}

// take adds counts, and keeps what was wrong.
func (f *fuzzing) take(t *hostile.Tally) {
	f.sum.Merge(t)
	for _, w := range t.Wrong {
		f.refuteExecution(w.Execution, w.Message)
	}
}

// died finds which execution the process died of, and has it skipped from now on.
func (f *fuzzing) died(err error, stderr string) error {
	var at [8]byte
	state, rerr := os.ReadFile(f.spec.State)
	if copy(at[:], state) < 8 || rerr != nil {
		return fmt.Errorf("the reading process did not begin: %w: %s", errors.Join(err, rerr), stderr)
	}
	k := binary.LittleEndian.Uint64(at[:])
	f.deaths++
	f.spec.Skip = append(f.spec.Skip, k)
	f.refuteExecution(k, fmt.Sprintf("the process died, or was ended after %v: %v: %s", fuzzPatience, err, stderr))
	return nil
}

// refuteExecution counts an execution that refutes the claim, and keeps its input.
func (f *fuzzing) refuteExecution(k uint64, what string) {
	family, input := f.suite.Input(k)
	name := f.path(fmt.Sprintf("fuzz-%d", k))
	if err := os.WriteFile(name, input, 0o666); err != nil {
		name = err.Error()
	}
	first, _, _ := strings.Cut(what, "\n")
	f.r.refute("execution %d of seed %d (%s), kept as %s: %s", k, f.spec.Seed, family.Name(), filepath.Base(name), first)
	if err := os.WriteFile(name+".txt", []byte(what), 0o666); err != nil {
		f.r.fact("execution %d: %v", k, err)
	}
}

// report writes the counts down.
func (f *fuzzing) report() {
	f.r.Ends = map[string]int{}
	f.r.Trials = 0
	for o, n := range f.sum.Sum("") {
		f.r.Ends[o.String()] = int(n)
		f.r.Trials += int(n)
	}
	took := time.Since(f.began)
	f.r.fact("executions %d to %d of seed %d; `torture fuzz-replay SEED NUMBER` makes one again", f.bench.first, f.sum.Next-1, f.spec.Seed)
	f.r.fact("%d inputs are damaged, in %d ways; %.0f executions a second by one process, %s; the pool held %d KiB at most of its 16 MiB, an execution took %d KiB of the Go heap at most (number %d; 48 MiB is the bound)",
		f.suite.Seeds, len(f.suite.Families), float64(f.r.Trials)/took.Seconds(), f.bound, f.sum.Pool>>10, f.sum.Heap>>10, f.sum.Worst)
	for _, fam := range f.suite.Families {
		ends := f.sum.Sum(fam.Name())
		n, parts := uint64(0), []string(nil)
		for o := hostile.Read; o <= hostile.Wrong; o++ {
			if n += ends[o]; ends[o] > 0 {
				parts = append(parts, fmt.Sprintf("%s %d", o, ends[o]))
			}
		}
		every := ""
		if fam.Every > 0 && n >= fam.Every {
			every = fmt.Sprintf(" (every one of the small inputs, %d)", fam.Every)
		}
		f.r.fact("%s%s: %d executions: %s", fam.Name(), every, n, strings.Join(parts, ", "))
	}
}

// fuzzSpec is what a reading process is told.
type fuzzSpec struct {
	Root, Corpus string
	Seed         uint64
	From, To     uint64
	Skip         []uint64
	State        string // the file that holds the number of the execution at work
}

// fuzzWorker is the reading process. It tells a Tally a line, of what came since the last.
func fuzzWorker(args []string) error {
	var spec fuzzSpec
	if err := json.Unmarshal([]byte(strings.Join(args, " ")), &spec); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1) // one execution at a time: other threads only wait for it
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(fuzzBound / 2)
	suite, err := hostile.New(spec.Root, spec.Corpus, spec.Seed)
	if err != nil {
		return err
	}
	state, err := os.Create(spec.State)
	if err != nil {
		return err
	}
	defer state.Close()
	told := time.Now()
	var t hostile.Tally
	var at [8]byte
	for k := spec.From; k < spec.To; k++ {
		if slices.Contains(spec.Skip, k) {
			continue
		}
		binary.LittleEndian.PutUint64(at[:], k)
		if _, err := state.WriteAt(at[:], 0); err != nil {
			return err
		}
		if t.Add(suite, k, suite.Run(k)); time.Since(told) > time.Second {
			if err := tell(os.Stdout, &t); err != nil {
				return err
			}
			t, told = hostile.Tally{}, time.Now()
		}
	}
	t.Next = spec.To
	return tell(os.Stdout, &t)
}

func tell(w io.Writer, t *hostile.Tally) error {
	text, err := json.Marshal(t)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// fuzzReplay makes one execution again, in this process, and says what comes of it.
func fuzzReplay(args []string) error {
	var seed, k uint64
	if _, err := fmt.Sscan(strings.Join(args, " "), &seed, &k); err != nil {
		return fmt.Errorf("fuzz-replay takes a seed and the number of an execution: %w", err)
	}
	suite, err := hostile.New(".", corpusFolder(), seed)
	if err != nil {
		return err
	}
	r := suite.Run(k)
	fmt.Printf("%s: %d bytes: %s, %d bytes of heap: %s\n", r.Family.Name(), r.Size, r.Outcome, r.Heap, r.Message)
	return nil
}

// head keeps the beginning of what is written to it: of a panic, what it is about.
type head struct{ b []byte }

func (h *head) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), 8<<10-len(h.b))]...)
	return len(p), nil
}

func (h *head) String() string { return string(h.b) }
