package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/testkit/ref"
	"pqjoin/plan"
)

// The differential test runs random jobs over random data under several conditions each
// (memory, threads, partitions, forced spilling) and compares the outputs with those of a
// row-at-a-time interpreter, and among each other byte by byte.
//
//	PQJOIN_DIFF_CASES=n   how many cases (default 300)
//	PQJOIN_DIFF_SEED=s    the first case's seed (default 1); a failure prints the seed of its case

func envInt(t *testing.T, name string, fallback int64) int64 {
	s := os.Getenv(name)
	if s == "" {
		return fallback
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// tally counts what a run of the differential test has covered.
type tally struct {
	mu      sync.Mutex
	cases   int
	failing int // cases that must fail
	open    int
	folded  int            // joins that were aggregated before
	spilled map[string]int // stages that spilled, by operator
	verbs   map[string]int
	refused map[string]string
}

func TestDifferential(t *testing.T) {
	cases, seed := envInt(t, "PQJOIN_DIFF_CASES", 300), uint64(envInt(t, "PQJOIN_DIFF_SEED", 1))
	if testing.Short() {
		cases = min(cases, 50)
	}
	total := &tally{spilled: map[string]int{}, verbs: map[string]int{}, refused: map[string]string{}}
	for i := range uint64(cases) {
		c, refused := jobgen.New(seed + i)
		for v, why := range refused {
			total.refused[v] = why
		}
		if err := differ(t.TempDir(), c, total); err != nil {
			report(t, c, err)
			return
		}
	}
	t.Logf("%d cases from seed %d: %d must fail, %d open; verbs %v; %d joins aggregated before; stages that spilled %v; %d verbs refused by plan",
		total.cases, seed, total.failing, total.open, total.verbs, total.folded, total.spilled, len(total.refused))
	if os.Getenv("PQJOIN_DIFF_REFUSED") != "" {
		for v, why := range total.refused {
			t.Logf("refused: %s: %s", v, why)
		}
	}
	if cases < 200 {
		return
	}
	if total.folded == 0 {
		t.Error("no join was aggregated before in any case")
	}
	for _, op := range []string{"index", "right side of join", "left side of join", "right side of as-of", "left side of as-of", "group by", "keep", "restore"} {
		if total.spilled[op] == 0 {
			t.Errorf("no stage of kind %q spilled in any case", op)
		}
	}
}

// conditions draws what a case is run under; the first is the plainest.
func conditions(seed uint64) []condition {
	r := rand.New(rand.NewPCG(seed, 77))
	list := []condition{{threads: 1, mem: 512 << 20, tuning: Tuning{Protect: true, Preaggregate: -1}}}
	for i := range 3 {
		c := condition{threads: []int{1, 2, 4}[r.IntN(3)], mem: 512 << 20, preflight: r.IntN(3) == 0, tuning: Tuning{Protect: true}}
		c.tuning.Preaggregate = []int{1 + r.IntN(3), 0, []int{-1, 1, 2, 3}[r.IntN(4)]}[i]
		c.tuning.BatchRows = []int{0, 2, 7, 33, 200, 1000, 4000}[r.IntN(7)]
		c.tuning.Partitions = []int{0, 1, 2, 5, 20}[r.IntN(5)]
		c.tuning.Resident = []int64{0, -1, -1}[r.IntN(3)]
		c.tuning.Load = []int64{0, 4 << 10, 64 << 10}[r.IntN(3)]
		c.tuning.Squeeze = []int{0, 1, 3, 10}[r.IntN(4)]
		c.tuning.Groups = []int64{0, 64 << 10}[rand.New(rand.NewPCG(seed, uint64(79+i))).IntN(2)]
		if r.IntN(4) == 0 {
			// At the floor the sizes are the engine's own: others than its need not fit.
			c.mem = 0
			c.tuning = Tuning{Protect: true, Resident: c.tuning.Resident, Squeeze: c.tuning.Squeeze, Preaggregate: c.tuning.Preaggregate}
		}
		list = append(list, c)
	}
	if dying := rand.New(rand.NewPCG(seed, 78)); dying.IntN(3) == 0 {
		list[1+dying.IntN(3)].dies = 20 + dying.IntN(300)
	}
	return list
}

// differ runs a case under all conditions and says what is wrong.
func differ(dir string, c *jobgen.Case, total *tally) error {
	defer os.RemoveAll(dir)
	if err := c.Write(context.Background(), hasty(), dir); err != nil {
		return err
	}
	want, err := expect(c, dir)
	if err != nil {
		return err
	}
	if errors.Is(want.err, ref.ErrTooBig) {
		total.count(c, want, nil)
		return nil
	}
	var first *outcome
	for _, cond := range conditions(c.Seed) {
		if cond.mem == 0 {
			if cond.mem, err = floorOf(c, dir, cond); err != nil {
				return err
			}
		}
		got, err := runCase(c, dir, cond)
		if err == nil {
			err = want.compare(got)
		}
		if err == nil && first != nil {
			err = want.sameFiles(first, got)
		}
		if err != nil {
			return fmt.Errorf("under %v: %w", cond, err)
		}
		if first == nil {
			first = got
		}
		total.count(nil, want, got)
	}
	total.count(c, want, nil)
	return nil
}

// floorOf returns the least memory that the job says it needs under a condition.
func floorOf(c *jobgen.Case, dir string, cond condition) (int64, error) {
	job, err := c.Parse(dir)
	if err != nil {
		return 0, err
	}
	run, err := Open(context.Background(), job, Config{FS: hasty(), Mem: 1 << 30, Threads: 1, Tuning: Tuning{Preaggregate: cond.tuning.Preaggregate}})
	if err != nil {
		return 0, err
	}
	return run.Floor(), nil
}

// count adds a case (c) or a run of it (got).
func (s *tally) count(c *jobgen.Case, want *expectation, got *outcome) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c != nil {
		s.cases++
		if want.open {
			s.open++
		} else if want.err != nil {
			s.failing++
		}
	}
	if got == nil {
		return
	}
	for _, n := range got.plan.Nodes {
		s.verbs[strings.TrimPrefix(fmt.Sprintf("%T", n.Op), "*plan.")]++
		if j, ok := n.Op.(*plan.Join); ok && j.Kind == plan.AsofJoin {
			s.verbs["Asof"]++
		}
		if j, ok := n.Op.(*plan.Join); ok && j.Whole != nil && got.err == nil {
			s.folded++
		}
	}
	for _, st := range got.board.Stages {
		_, sink, _ := strings.Cut(st.Name, " -> ")
		for _, op := range []string{"index", "right side of join", "left side of join", "right side of as-of", "left side of as-of", "group by", "keep", "restore", "write"} {
			if st.Spilled > 0 && strings.HasPrefix(sink, op) {
				s.spilled[op]++
			}
		}
	}
}

// report shrinks a failing case, keeps it on disk and fails the test.
func report(t *testing.T, c *jobgen.Case, err error) {
	t.Helper()
	t.Logf("seed %d fails: %v", c.Seed, err)
	deadline := time.Now().Add(time.Duration(envInt(t, "PQJOIN_DIFF_SHRINK", 30)) * time.Second)
	if !errors.Is(err, errStuck) {
		c, err = shrink(t, c, err, deadline)
	}
	dir, derr := os.MkdirTemp("", "pqjoin-diff-")
	if derr == nil {
		derr = c.Write(context.Background(), hasty(), dir)
	}
	if derr != nil {
		t.Logf("the case cannot be kept: %v", derr)
	}
	var data strings.Builder
	for _, in := range c.Inputs {
		fmt.Fprintf(&data, "%s: %v, %d rows in %d files\n", in.Name, in.Schema.Fields, len(in.Rows), in.Files)
		for _, r := range in.Rows[:min(len(in.Rows), 12)] {
			fmt.Fprintf(&data, "  %#v\n", r)
		}
	}
	t.Fatalf("seed %d, shrunk, fails: %v\nkept in %s\n%s\n%s", c.Seed, err, filepath.Join(dir, "job.yaml"), c.YAML(), data.String())
}

func shrink(t *testing.T, c *jobgen.Case, err error, deadline time.Time) (*jobgen.Case, error) {
	for again := true; again; {
		again = false
		for _, small := range c.Shrink() {
			if time.Now().After(deadline) {
				return c, err
			}
			if e := differ(t.TempDir(), small, nil); e != nil && !errors.Is(e, errStuck) {
				c, err, again = small, e, true
				break
			}
		}
	}
	return c, err
}

var _ plan.SchemaSource = (*jobgen.Case)(nil)
