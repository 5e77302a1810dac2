package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/hashjoin"
	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/testkit/ref"
	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/monitor"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/tableio/parquet"
	"pqjoin/tableio/publish"
)

// hasty is the operating system's files without waiting for the disk.
func hasty() vfs.FS { return faultfs.Hasty(vfs.OS()) }

// condition is how a case is run: what must change no result.
type condition struct {
	threads   int
	mem       int64
	preflight bool
	dies      int // the run goes on from one that died at that call to the filesystem; 0: it does not
	tuning    Tuning
}

func (c condition) String() string {
	return fmt.Sprintf("threads %d, mem %d, preflight %v, dies %d, %+v", c.threads, c.mem, c.preflight, c.dies, c.tuning)
}

// output is what a run published.
type output struct {
	schema *batch.Schema
	rows   [][]any
	files  map[string][32]byte
	parts  map[string]*output // by directory, where partition_by makes such
}

// outcome is what a run did.
type outcome struct {
	err     error
	outputs map[string]*output
	plan    *plan.Plan
	result  *Result
	board   monitor.Snapshot
	warned  []string
}

var errStuck = errors.New("the run does not end")

// runCase runs the job of dir/job.yaml under c. It returns an error for what no run may
// do: leave files, goroutines or memory, hang, or fail in an undocumented way.
func runCase(c *jobgen.Case, dir string, cond condition) (*outcome, error) {
	before := runtime.NumGoroutine()
	type both struct {
		o   *outcome
		err error
	}
	done := make(chan both, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	go func() {
		o, err := execute(ctx, c, dir, cond)
		done <- both{o, err}
	}()
	var b both
	select {
	case b = <-done:
	case <-time.After(90 * time.Second):
		buf := make([]byte, 1<<20)
		return nil, fmt.Errorf("%w:\n%s", errStuck, buf[:runtime.Stack(buf, true)])
	}
	if b.err != nil {
		return nil, b.err
	}
	if errors.Is(b.o.err, context.DeadlineExceeded) {
		return nil, errStuck
	}
	if err := leftovers(dir); err != nil {
		return nil, err
	}
	return b.o, goroutinesGone(before)
}

func goroutinesGone(before int) error {
	for wait := time.Microsecond; runtime.NumGoroutine() > before; wait *= 2 {
		if wait > time.Second {
			buf := make([]byte, 1<<20)
			return fmt.Errorf("%d goroutines before the run, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(wait)
	}
	return nil
}

// leftovers says what a run left in dir besides inputs and outputs.
func leftovers(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && (strings.HasPrefix(e.Name(), ".") || strings.Contains(e.Name(), "spill")) && path != filepath.Join(dir, "spill") {
			return fmt.Errorf("the run left %s", path)
		}
		return err
	})
}

func execute(ctx context.Context, c *jobgen.Case, dir string, cond condition) (*outcome, error) {
	out := filepath.Join(dir, "out")
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755), os.MkdirAll(filepath.Join(dir, "spill"), 0o755)); err != nil {
		return nil, err
	}
	if cond.dies > 0 {
		if err := dieFirst(ctx, c, dir, cond); err != nil {
			return nil, err
		}
		defer forgetKept(dir)
	}
	job, err := c.Parse(dir)
	if err != nil {
		return nil, err
	}
	o := &outcome{outputs: map[string]*output{}}
	board := monitor.NewBoard(cond.mem, time.Now)
	log, said := logged()
	run, err := Open(ctx, job, Config{
		FS: hasty(), Mem: cond.mem, Threads: cond.threads, SpillDir: filepath.Join(dir, "spill"), Version: "test", Board: board,
		Log: log, Warn: func(s string) { o.warned = append(o.warned, s) }, Tuning: cond.tuning, Resume: cond.dies > 0,
	})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	o.plan = run.Plan()
	if cond.preflight {
		o.err = run.Preflight(ctx)
	}
	if o.err == nil {
		o.result, o.err = run.Execute(ctx)
	}
	o.board = board.Snapshot()
	if err := stagesAreForPeople(o.board.Stages); err != nil {
		return nil, err
	}
	if o.err != nil {
		if strings.Contains(o.err.Error(), "internal error") || strings.Contains(o.err.Error(), "self-check") {
			return nil, fmt.Errorf("%w\n%s", o.err, said())
		}
		if left, _ := os.ReadDir(out); len(left) > 0 && cond.dies == 0 {
			return nil, fmt.Errorf("the run failed (%w) and left %s", o.err, left[0].Name())
		}
		return o, nil
	}
	for i, po := range o.plan.Outputs {
		if o.outputs[po.Label], err = readOutput(ctx, po); err != nil {
			return nil, fmt.Errorf("output %s: %w", po.Label, err)
		}
		if got := o.result.Outputs[i].Rows; got != int64(len(o.outputs[po.Label].rows)) {
			return nil, fmt.Errorf("output %s is said to have %d rows, it has %d", po.Label, got, len(o.outputs[po.Label].rows))
		}
	}
	return o, nil
}

// dieFirst runs the case's job with Resume until it dies.
func dieFirst(ctx context.Context, c *jobgen.Case, dir string, cond condition) error {
	job, err := c.Parse(dir)
	if err != nil {
		return err
	}
	var begun atomic.Bool
	calls := 0
	f := faultfs.New(hasty(), func(_ int, op faultfs.Op, _ string) error {
		if begun.Load() {
			calls++
		}
		if calls >= cond.dies && op != "close" && op != "unlock" {
			return errDied
		}
		return nil
	})
	cfg := Config{FS: f, Mem: cond.mem, Threads: cond.threads, SpillDir: filepath.Join(dir, "spill"), Version: "test", Tuning: cond.tuning, Resume: true}
	run, err := Open(ctx, job, cfg)
	if err != nil {
		return err
	}
	if cond.preflight {
		err = run.Preflight(ctx)
	}
	if begun.Store(true); err == nil {
		_, err = run.Execute(ctx)
	}
	if err != nil && strings.Contains(err.Error(), "internal error") {
		return err
	}
	out := filepath.Join(dir, "out")
	whole, _ := filepath.Glob(filepath.Join(out, "[^.]*"))
	committed, _ := filepath.Glob(filepath.Join(out, ".*commit")) // the next run would complete these, and find them there
	if err == nil || len(whole)+len(committed) > 0 {              // it was too late to die
		forgetKept(dir)
		return errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755))
	}
	return nil
}

// forgetKept removes what a run that fails with Resume leaves.
func forgetKept(dir string) {
	_, _ = publish.Recover(vfs.OS(), filepath.Join(dir, "out"))
	_, _ = spillfile.ReclaimKept(vfs.OS(), filepath.Join(dir, "spill"))
}

// readOutput reads a published output back, files in natural order.
func readOutput(ctx context.Context, o *plan.Output) (*output, error) {
	if len(o.PartitionBy) > 0 {
		return readPartitions(ctx, o)
	}
	paths := []string{o.Path}
	if !o.SingleFile {
		paths = nil
		list, err := os.ReadDir(o.Path)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			paths = append(paths, filepath.Join(o.Path, e.Name()))
		}
	}
	out := &output{files: map[string][32]byte{}}
	for _, p := range paths {
		if err := out.readFile(ctx, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o *output) readFile(ctx context.Context, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	o.files[filepath.Base(path)] = sha256.Sum256(raw)
	if err := o.read(ctx, path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (o *output) read(ctx context.Context, path string) error {
	f, err := parquet.Open(ctx, vfs.OS(), path)
	if err != nil {
		return err
	}
	defer f.Close()
	o.schema = f.Schema()
	cols := batch.Positions(len(o.schema.Fields))
	for g := range f.RowGroups() {
		st, err := f.ReadRowGroup(ctx, nil, g, cols, parquet.ReadOptions{})
		if err != nil {
			return err
		}
		for {
			b, err := st.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				return errors.Join(err, st.Close())
			}
			o.rows = append(o.rows, batchtest.Rows(b)...)
			b.Release()
		}
		if err := st.Close(); err != nil {
			return err
		}
	}
	return nil
}

// expectation is what the reference says of a case.
type expectation struct {
	tables map[string]*ref.Table
	err    error
	open   bool // the reference cannot tell
	lazy   bool // a head may end a join before it makes too many rows
}

// expect interprets a case.
func expect(c *jobgen.Case, dir string) (*expectation, error) {
	p, err := c.Resolve(dir)
	if err != nil {
		return nil, err
	}
	in := &ref.Interpreter{MaxRows: 40_000, Input: func(name string) *ref.Table {
		for _, i := range c.Inputs {
			if i.Name == name {
				return ref.New(i.Schema, i.Rows)
			}
		}
		return nil
	}}
	e := &expectation{}
	e.tables, e.err = in.Run(p)
	for _, known := range []error{ref.ErrOpen, ref.ErrTooBig, ref.ErrRow} {
		e.open = e.open || errors.Is(e.err, known)
	}
	for _, n := range p.Nodes {
		if _, ok := n.Op.(*plan.Head); ok {
			e.lazy = true
		}
	}
	if e.err != nil && !e.open && !errors.Is(e.err, ref.ErrCheck) && !errors.Is(e.err, ref.ErrValidate) && !errors.Is(e.err, ref.ErrMaxRows) {
		return nil, fmt.Errorf("reference: %w", e.err)
	}
	return e, nil
}

// compare says how an outcome differs from what is expected.
func (e *expectation) compare(o *outcome) error {
	switch {
	case e.open:
		return nil
	case e.err == nil && o.err != nil && strings.Contains(o.err.Error(), "partition_by: column"):
		for _, po := range o.plan.Outputs {
			if unfit(e.tables[po.Label], po) {
				return nil
			}
		}
		return fmt.Errorf("the run refuses a partition that is none to refuse: %w", o.err)
	case e.err == nil && o.err != nil:
		return fmt.Errorf("the run fails: %w", o.err)
	case e.err != nil && o.err == nil:
		if e.lazy && errors.Is(e.err, ref.ErrMaxRows) {
			return nil
		}
		return fmt.Errorf("the run succeeds, it should fail: %w", e.err)
	case e.err != nil:
		return e.sameFailure(o.err)
	}
	for _, po := range o.plan.Outputs {
		compare := compareTable
		if len(po.PartitionBy) > 0 {
			compare = func(want *ref.Table, got *output, _ bool) error { return comparePartitions(want, got, po) }
		}
		if err := compare(e.tables[po.Label], o.outputs[po.Label], po.Node.Ordered); err != nil {
			return fmt.Errorf("output %s: %w", po.Label, err)
		}
	}
	return nil
}

// sameFailure accepts any failure of the data: a job may break several rules, and who finds his first is open.
func (e *expectation) sameFailure(got error) error {
	for _, class := range []error{ErrCheck, hashjoin.ErrValidate, hashjoin.ErrMaxRows, ErrRefused} {
		if errors.Is(got, class) {
			return nil
		}
	}
	return fmt.Errorf("the run fails with %w, it should with %w", got, e.err)
}

func compareTable(want *ref.Table, got *output, ordered bool) error {
	if len(want.Schema.Fields) != len(got.schema.Fields) {
		return fmt.Errorf("columns %v, want %v", got.schema.Names(), want.Schema.Names())
	}
	for i, f := range want.Schema.Fields {
		g := got.schema.Fields[i]
		if f.Name != g.Name || f.Type != g.Type {
			return fmt.Errorf("column %d is %s %s, want %s %s", i, g.Name, g.Type, f.Name, f.Type)
		}
	}
	if len(want.Rows) != len(got.rows) {
		return fmt.Errorf("%d rows, want %d", len(got.rows), len(want.Rows))
	}
	if !ordered {
		return sameSet(want.Rows, got.rows, want.Loose, 0)
	}
	for lo := 0; lo < len(want.Rows); {
		hi := lo + 1
		for hi < len(want.Rows) && want.Rank[hi] == want.Rank[lo] {
			hi++
		}
		if err := sameSet(want.Rows[lo:hi], got.rows[lo:hi], want.Loose, lo); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// sameSet compares rows in any order.
func sameSet(want, got [][]any, loose []bool, at int) error {
	if len(want) > 1 {
		want, got = slices.Clone(want), slices.Clone(got)
		for _, rows := range [][][]any{want, got} {
			keys := make(map[*any]string, len(rows))
			for _, r := range rows {
				if len(r) > 0 {
					keys[&r[0]] = rowKey(r, loose)
				}
			}
			sort.SliceStable(rows, func(i, j int) bool {
				return len(rows[i]) > 0 && keys[&rows[i][0]] < keys[&rows[j][0]]
			})
		}
	}
	for i := range want {
		for c := range want[i] {
			if !sameCell(want[i][c], got[i][c], loose[c]) {
				return fmt.Errorf("row %d column %d: %#v, want %#v\n got %#v\nwant %#v", at+i, c, got[i][c], want[i][c], got[i], want[i])
			}
		}
	}
	return nil
}

func rowKey(row []any, loose []bool) string {
	var s strings.Builder
	for c, v := range row {
		f, ok := v.(float64)
		switch {
		case ok && f != f:
			s.WriteString("nan;")
		case ok && loose[c]:
			fmt.Fprintf(&s, "%.9g;", f)
		case ok:
			fmt.Fprintf(&s, "%x;", math.Float64bits(f))
		default:
			fmt.Fprintf(&s, "%#v;", v)
		}
	}
	return s.String()
}

// sameCell compares bit by bit, rounded means and deviations within sixteen units of the last place: two ways of computing
// a deviation differ by a few for each factor of ten of rows.
func sameCell(want, got any, loose bool) bool {
	x, ok := want.(float64)
	y, ok2 := got.(float64)
	if loose && ok && ok2 && math.Abs(x-y) <= 16*math.Abs(math.Nextafter(x, math.Inf(1))-x) {
		return true
	}
	return batchtest.Same(want, got)
}

// sameFiles compares the bytes of outputs whose order is fully defined.
func (e *expectation) sameFiles(a, b *outcome) error {
	if e.open || e.err != nil || a.err != nil || b.err != nil {
		return nil
	}
	for _, po := range a.plan.Outputs {
		if !po.Node.Ordered || !e.tables[po.Label].Total() {
			continue
		}
		x, y := a.outputs[po.Label].files, b.outputs[po.Label].files
		if len(x) != len(y) {
			return fmt.Errorf("output %s: %d files, and %d elsewhere", po.Label, len(y), len(x))
		}
		for name, sum := range x {
			if y[name] != sum {
				return fmt.Errorf("output %s: the bytes of %s differ", po.Label, name)
			}
		}
	}
	return nil
}
