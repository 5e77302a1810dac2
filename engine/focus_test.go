package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pqjoin/batch"
	"pqjoin/hashjoin"
	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
	"pqjoin/monitor"
	"pqjoin/tableio/publish"
)

// table returns an input of nullable int64 columns.
func table(name string, columns string, rows ...[]any) *jobgen.Input {
	in := &jobgen.Input{Name: name, Schema: &batch.Schema{}, Rows: rows, Files: 2, RowGroupRows: 50}
	for _, c := range strings.Fields(columns) {
		in.Schema.Fields = append(in.Schema.Fields, batch.Field{Name: c, Type: batch.Of(batch.Int64), Nullable: true})
	}
	return in
}

// generated returns n rows.
func generated(n int, row func(i int64) []any) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = row(int64(i))
	}
	return rows
}

// one returns a case of one table with one output.
func one(verbs []string, inputs ...*jobgen.Input) *jobgen.Case {
	return &jobgen.Case{
		Inputs: inputs, Pipelines: []*jobgen.Pipeline{{Name: "r", From: inputs[0].Name, Verbs: verbs}},
		Outputs: []*jobgen.Output{{Label: "r", Table: "r", Path: "out/r/"}},
	}
}

func written(t *testing.T, c *jobgen.Case) string {
	t.Helper()
	dir := t.TempDir()
	if err := c.Write(context.Background(), hasty(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// hard is a condition under which everything is cut into pieces and spilled.
func hard(threads, batchRows, partitions int) condition {
	return condition{threads: threads, mem: 512 << 20, tuning: Tuning{Protect: true, BatchRows: batchRows, Partitions: partitions, Resident: -1, Load: 4 << 10, Squeeze: 1}}
}

var plain = condition{threads: 1, mem: 512 << 20, tuning: Tuning{Protect: true}}

// agree runs the case under the conditions and compares each with the reference.
func agree(t *testing.T, c *jobgen.Case, conds ...condition) *outcome {
	t.Helper()
	dir := written(t, c)
	want, err := expect(c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if want.err != nil {
		t.Fatalf("the reference fails: %v", want.err)
	}
	var last *outcome
	for _, cond := range append([]condition{plain}, conds...) {
		got, err := runCase(c, dir, cond)
		if err == nil {
			err = want.compare(got)
		}
		if err == nil && last != nil {
			err = want.sameFiles(last, got)
		}
		if err != nil {
			t.Fatalf("%v: %v", cond, err)
		}
		last = got
	}
	return last
}

// fails runs the case, which must fail with class.
func fails(t *testing.T, c *jobgen.Case, cond condition, class error) error {
	t.Helper()
	got, err := runCase(c, written(t, c), cond)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(got.err, class) {
		t.Fatalf("the run ends with %v, want %v", got.err, class)
	}
	return got.err
}

func mentions(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q does not mention %q", err, p)
		}
	}
}

func TestLagInAGroupLargerThanAPartition(t *testing.T) {
	rows := generated(700, func(i int64) []any {
		sym := int64(7)
		if i%10 == 0 {
			sym = i % 50
		}
		return []any{sym, (i * 7919) % 701, i}
	})
	for _, periods := range []string{"[1]", "[-1]", "[0, 3, -3]", "[500, -400]", "[10000]"} {
		c := one([]string{"index: [k, ts]", "lag: {column: [v, ts], by: k, periods: " + periods + "}"}, table("t", "k ts v", rows...))
		agree(t, c, hard(1, 5, 20), hard(4, 16, 20), hard(2, 64, 3))
	}
}

func TestLagWithoutGroupsRunsThroughAllUnits(t *testing.T) {
	rows := generated(400, func(i int64) []any { return []any{i % 13, i} })
	in := table("t", "k v", rows...)
	in.RowGroupRows, in.Files = 3, 4 // units much shorter than the periods
	for _, periods := range []string{"[1, -1]", "[100, 7]", "[-150]", "[390, -390]"} {
		agree(t, one([]string{"lag: {column: v, periods: " + periods + "}"}, in), hard(4, 2, 0), hard(2, 100, 0))
		agree(t, one([]string{"where: \"k = 3\"", "lag: {column: v, periods: " + periods + "}"}, in), hard(4, 2, 0))
	}
}

func TestHeadStopsReading(t *testing.T) {
	in := table("t", "k v", generated(5000, func(i int64) []any { return []any{i, i} })...)
	got := agree(t, one([]string{"head: 5"}, in), condition{threads: 2, mem: 512 << 20, tuning: Tuning{BatchRows: 10}})
	if read := got.board.Stages[0].RowsIn; read > 1000 {
		t.Errorf("head 5 of 5000 rows read %d rows", read)
	}
}

func TestJoinOfHotKeysOnBothSides(t *testing.T) {
	hot := func(n int) [][]any {
		return generated(n, func(i int64) []any {
			k := int64(1)
			if i%4 == 0 {
				k = i
			}
			return []any{k, i}
		})
	}
	conds := []condition{hard(4, 50, 20), hard(2, 1000, 1)}
	for i, how := range joinsOnKeys {
		for _, before := range [][]string{nil, {"index: k"}, {"index: [v, k]"}} {
			c := one(append(before, "join: {with: s, on: k, how: "+how+", indicator: i}"), table("t", "k v", hot(200)...), table("s", "k w", hot(180)...))
			agree(t, c, hard(1, 7, 5), conds[i%2])
		}
	}
}

func TestUniqueIndexNamesTheRepeatedKey(t *testing.T) {
	rows := generated(300, func(i int64) []any { return []any{i, i} })
	rows = append(rows, []any{int64(123), int64(0)}, []any{int64(123), int64(1)})
	c := one([]string{"index: {by: k, unique: true}", "drop: k"}, table("t", "k v", rows...))
	for _, cond := range []condition{plain, hard(4, 3, 20)} {
		mentions(t, fails(t, c, cond, ErrCheck), "unique k", "2 rows", "123")
	}
	agree(t, one([]string{"index: {by: k, unique: true}"}, table("t", "k v", rows[:300]...)), hard(2, 3, 20))
}

func TestCheckCountsWhatItFinds(t *testing.T) {
	rows := generated(100, func(i int64) []any {
		if i%10 == 4 {
			return []any{i, nil}
		}
		return []any{i, i}
	})
	in := table("t", "k v", rows...)
	check := "check: {rows: {min: 200}, not_null: [v], expect: [\"k < 95\"]"
	for _, cond := range []condition{plain, hard(4, 3, 0)} {
		err := fails(t, one([]string{check + "}"}, in), cond, ErrCheck)
		mentions(t, err, "table r", "not_null v: 10 rows", "expect", "5 rows", "at least 200: 100 rows")
		var ce *CheckError
		if !errors.As(err, &ce) || len(ce.Failures) != 3 {
			t.Fatalf("failures: %+v", ce)
		}
	}
	if got := agree(t, one([]string{check + ", on_fail: warn}"}, in)); len(got.warned) == 0 {
		t.Error("on_fail: warn does not warn")
	}
	mentions(t, fails(t, one([]string{"check: {unique: [v]}"}, in), hard(2, 7, 3), ErrCheck), "unique v", "10 rows")
	mentions(t, fails(t, one([]string{"check: {rows: {max: 99}}"}, in), plain, ErrCheck), "100")
}

func TestCheckSeesRowsThatALaterFilterDrops(t *testing.T) {
	in := table("t", "k v", generated(100, func(i int64) []any { return []any{i, i} })...)
	fails(t, one([]string{"check: {expect: [\"k < 50\"]}", "where: \"k < 50\"", "select: [v]"}, in), plain, ErrCheck)
}

func TestHeadHidesNoFailedCheck(t *testing.T) {
	rows := generated(300, func(i int64) []any { return []any{i, i} })
	in := table("t", "k v", rows...)
	for _, cond := range []condition{plain, hard(2, 3, 5)} {
		agree(t, one([]string{"check: {rows: {min: 300, max: 300}}", "head: 1"}, in), cond)
		fails(t, one([]string{"check: {expect: [\"k < 299\"]}", "head: 1"}, in), cond, ErrCheck)
		twice := table("t", "k v", append(rows, []any{int64(299), nil})...)
		fails(t, one([]string{"index: {by: k, unique: true}", "head: 1"}, twice), cond, ErrCheck)
		for _, v := range []string{"1:1", "m:1"} {
			fails(t, one([]string{"join: {with: s, on: k, how: left, validate: \"" + v + "\"}", "head: 1"}, in, table("s", "k w", twice.Rows...)), cond, hashjoin.ErrValidate)
		}
		fails(t, one([]string{"index: k", "join: {with: s, on: k, how: left, validate: \"1:m\"}", "head: 1"}, twice, table("s", "k w", rows...)), cond, hashjoin.ErrValidate)
	}
}

func TestJoinStopsAtMaxRows(t *testing.T) {
	one1 := func(i int64) []any { return []any{i % 3, i} }
	c := one([]string{"join: {with: s, on: k, how: left, max_rows: 1000}"}, table("t", "k v", generated(90, one1)...), table("s", "k w", generated(90, one1)...))
	for _, cond := range []condition{plain, hard(2, 10, 5)} {
		mentions(t, fails(t, c, cond, hashjoin.ErrMaxRows), "1000")
		cond.preflight = true
		err := fails(t, c, cond, ErrRefused)
		mentions(t, err, "2,700", "1,000")
	}
	exact := one([]string{"join: {with: s, on: k, how: left, max_rows: 2700}"}, c.Inputs...)
	cond := hard(2, 10, 5)
	cond.preflight = true
	agree(t, exact, cond)
}

func TestJoinValidateNamesTheKey(t *testing.T) {
	twice := generated(60, func(i int64) []any { return []any{i % 59, i} }) // key 0 is there twice
	once := generated(60, func(i int64) []any { return []any{i, i} })
	for _, tc := range []struct {
		validate string
		l, r     [][]any
		ok       bool
	}{
		{"1:1", once, once, true}, {"m:1", twice, once, true}, {"1:m", once, twice, true},
		{"1:1", twice, once, false}, {"1:1", once, twice, false}, {"m:1", once, twice, false}, {"1:m", twice, once, false},
	} {
		for i, before := range [][]string{nil, {"index: k"}, nil, {"index: k"}} {
			how := []string{"inner", "left", "outer", "semi"}[i]
			c := one(append(before, fmt.Sprintf("join: {with: s, on: k, how: %s, validate: %q}", how, tc.validate)), table("t", "k v", tc.l...), table("s", "k w", tc.r...))
			if tc.ok {
				agree(t, c, hard(2, 3, 4))
				continue
			}
			for _, cond := range []condition{plain, hard(2, 3, 4)} {
				mentions(t, fails(t, c, cond, hashjoin.ErrValidate), tc.validate, "k", "0")
			}
		}
	}
}

// wide is a case in which every operator works and spills.
func wide() *jobgen.Case {
	l := table("t", "k v", generated(400, func(i int64) []any { return []any{i % 40, i} })...)
	r := table("s", "k w", generated(80, func(i int64) []any { return []any{i % 50, i} })...)
	c := one([]string{"index: [k, v]", "lag: {column: v, by: k, periods: [1, -1]}", "join: {with: s, on: k, how: left}"}, l, r)
	c.Pipelines = append(c.Pipelines, &jobgen.Pipeline{Name: "g", From: "r", Verbs: []string{"groupby: {by: [w], agg: {n: \"count()\", f: \"first(v)\"}}"}})
	c.Outputs = []*jobgen.Output{
		{Label: "r", Table: "r", Path: "out/r/", Options: ", if_exists: replace"},
		{Label: "g", Table: "g", Path: "out/g.parquet", Options: ", if_exists: replace"},
	}
	return c
}

// open opens the case's job in dir with some of the Config set.
func open(t *testing.T, c *jobgen.Case, dir string, cfg Config) *Run {
	t.Helper()
	job, err := c.Parse(dir)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.FS == nil {
		cfg.FS = hasty()
	}
	if cfg.Mem == 0 {
		cfg.Mem = 512 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Threads, cfg.SpillDir = max(cfg.Threads, 1), filepath.Join(dir, "spill")
	if err := os.MkdirAll(cfg.SpillDir, 0o755); err != nil {
		t.Fatal(err)
	}
	run, err := Open(context.Background(), job, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// logged returns a log and what has been written to it, line ends unquoted.
func logged() (*slog.Logger, func() string) {
	var log bytes.Buffer
	return slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), func() string {
		return strings.ReplaceAll(log.String(), "\\n", "\n")
	}
}

// contents reads all files below out.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var s strings.Builder
	err := filepath.WalkDir(filepath.Join(dir, "out"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		fmt.Fprintf(&s, "%s %x\n", path, raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.String()
}

// rewritten is a case whose outputs are there, of other inputs than it has now.
type rewritten struct {
	c        *jobgen.Case
	dir      string
	old, new string // contents of the outputs
}

func newRewritten(t *testing.T) *rewritten {
	t.Helper()
	r := &rewritten{c: wide()}
	r.dir = written(t, r.c)
	r.run(t, Config{})
	r.old = contents(t, r.dir)
	if err := os.CopyFS(filepath.Join(r.dir, "saved"), os.DirFS(filepath.Join(r.dir, "out"))); err != nil {
		t.Fatal(err)
	}
	r.c.Inputs[0].Rows = r.c.Inputs[0].Rows[:390]
	if err := errors.Join(os.RemoveAll(filepath.Join(r.dir, "in")), r.c.Write(context.Background(), hasty(), r.dir)); err != nil {
		t.Fatal(err)
	}
	r.run(t, Config{})
	if r.new = contents(t, r.dir); r.new == r.old {
		t.Fatal("the outputs are the same")
	}
	r.reset(t)
	return r
}

func (r *rewritten) run(t *testing.T, cfg Config) {
	t.Helper()
	if _, err := open(t, r.c, r.dir, cfg).Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// reset puts the old outputs back.
func (r *rewritten) reset(t *testing.T) {
	t.Helper()
	out := filepath.Join(r.dir, "out")
	if err := errors.Join(os.RemoveAll(out), os.CopyFS(out, os.DirFS(filepath.Join(r.dir, "saved")))); err != nil {
		t.Fatal(err)
	}
}

// faulty runs the job with a fault at the nth call to the filesystem behind opening it. It
// returns false where the run made fewer calls.
func (r *rewritten) faulty(t *testing.T, nth int) bool {
	t.Helper()
	defer r.reset(t)
	injected := errors.New("injected")
	f := faultfs.New(hasty(), faultfs.FailAt(nth, injected))
	log, said := logged()
	before := runtime.NumGoroutine()
	_, err := open(t, r.c, r.dir, Config{FS: f, Log: log, Threads: 2, Tuning: hard(2, 20, 6).tuning}).Execute(context.Background())
	if f.Faults() == 0 {
		return false
	}
	if err != nil && !errors.Is(err, injected) {
		t.Errorf("a fault at call %d ends in %v\n%s", nth, err, said())
	}
	if f.Leaked() != 0 {
		t.Errorf("a fault at call %d (%v) leaves %d files open", nth, err, f.Leaked())
	}
	if err := goroutinesGone(before); err != nil {
		t.Errorf("a fault at call %d: %v", nth, err)
	}
	r.checkOutputs(t, nth, err)
	if left, _ := os.ReadDir(filepath.Join(r.dir, "spill")); len(left) > 0 {
		if err == nil || !strings.Contains(err.Error(), "removeall") { // unless it is what fails
			t.Errorf("a fault at call %d (%v) leaves %s", nth, err, left[0].Name())
		}
		_ = os.RemoveAll(filepath.Join(r.dir, "spill"))
	}
	return true
}

// checkOutputs: the outputs are all old, or all new where the set had been committed; then, what is left half done is completed by the next run.
func (r *rewritten) checkOutputs(t *testing.T, nth int, err error) {
	t.Helper()
	out := filepath.Join(r.dir, "out")
	now := contents(t, r.dir)
	if now != r.old && now != r.new {
		if _, rerr := publish.Recover(hasty(), out, filepath.Join(out, "r"), filepath.Join(out, "g.parquet")); rerr != nil {
			t.Errorf("a fault at call %d (%v): recovery: %v", nth, err, rerr)
		}
		now = contents(t, r.dir)
	}
	if now != r.new && (now != r.old || err == nil) {
		t.Errorf("a fault at call %d (%v): the outputs are neither the old nor the new ones", nth, err)
	}
}

func TestFaultAtAnyCallLeavesTheOutputsOldOrNew(t *testing.T) {
	r := newRewritten(t)
	count := faultfs.New(hasty(), nil)
	run := open(t, r.c, r.dir, Config{FS: count, Threads: 2, Tuning: hard(2, 20, 6).tuning})
	opening := count.Calls()
	if _, err := run.Execute(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.reset(t)
	hit := 0
	for nth := opening + 1; nth < count.Calls()-60; nth += 1 + nth/15 {
		if r.faulty(t, nth) {
			hit++
		}
	}
	for nth := max(opening, count.Calls()-60); r.faulty(t, nth); nth++ { // publishing
		hit++
	}
	if hit < 60 {
		t.Errorf("only %d faults were met", hit)
	}
}

// cancelling is a filesystem that cancels a context at the nth call of Create or Open.
type cancelling struct {
	vfs.FS
	left   int
	cancel func()
}

func (f *cancelling) Create(name string) (vfs.File, error) { f.count(); return f.FS.Create(name) }
func (f *cancelling) Open(name string) (vfs.File, error)   { f.count(); return f.FS.Open(name) }

func (f *cancelling) count() {
	if f.left--; f.left == 0 {
		f.cancel()
	}
}

func TestCancelCleansUp(t *testing.T) {
	c := wide()
	dir := written(t, c)
	cancelled := 0
	for nth := 1; nth < 60; nth += 2 {
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancelCause(context.Background())
		stop := errors.New("stop")
		f := &cancelling{FS: hasty(), left: -1, cancel: func() { cancel(stop) }}
		run := open(t, c, dir, Config{FS: f, Threads: 1, Tuning: hard(1, 20, 6).tuning})
		f.left = nth
		begin := time.Now()
		_, err := run.Execute(ctx)
		cancel(nil)
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("cancelled at file %d, it takes %v to stop", nth, took)
		}
		if err != nil {
			cancelled++
			if !errors.Is(err, stop) && !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled at file %d, the run ends with %v", nth, err)
			}
			if left := contents(t, dir); left != "" {
				t.Errorf("cancelled at file %d, the run leaves outputs", nth)
			}
		} else {
			if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, "out"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(leftovers(dir), goroutinesGone(before)); err != nil {
			t.Errorf("cancelled at file %d: %v", nth, err)
		}
	}
	if cancelled == 0 {
		t.Error("no run was cancelled")
	}
}

// crowded is a filesystem with little space.
type crowded struct {
	vfs.FS
	free int64
}

func (f crowded) Space(name string) (int64, bool, error) {
	_, in, err := f.FS.Space(name)
	return f.free, in, err
}

func TestPreflightRefusesWhatDoesNotFit(t *testing.T) {
	ctx := context.Background()
	c := wide()
	dir := written(t, c)
	roomy := open(t, c, dir, Config{})
	if err := roomy.Preflight(ctx); err != nil {
		t.Errorf("with room for everything: %v", err)
	}
	floor := roomy.Floor()
	for _, tc := range []struct {
		mem int64
		ok  bool
	}{{floor, true}, {floor - floor/4, false}, {mem.PoolToTotal(1), false}} {
		run := open(t, c, dir, Config{Mem: tc.mem})
		err := run.Preflight(ctx)
		if tc.ok != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("preflight with %d bytes, the floor is %d: %v", tc.mem, floor, err)
		}
		if _, err := run.Execute(ctx); tc.ok != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("run with %d bytes, the floor is %d: %v", tc.mem, floor, err)
		}
	}
	full := open(t, c, dir, Config{FS: crowded{hasty(), 1000}})
	err := full.Preflight(ctx)
	if !errors.Is(err, ErrRefused) {
		t.Fatalf("on a full disk: %v", err)
	}
	var refused *RefusedError
	if !errors.As(err, &refused) || !refused.Forceable {
		t.Errorf("an estimate cannot be forced: %v", err)
	}
	mentions(t, err, "--force", "free")
	if err := open(t, c, dir, Config{FS: crowded{hasty(), 1000}, Force: true}).Preflight(ctx); err != nil {
		t.Errorf("forced: %v", err)
	}
}

func TestStagesCountTheirRows(t *testing.T) {
	c := wide()
	got := agree(t, c, hard(2, 20, 6))
	names := map[string]monitor.StageSnapshot{}
	for _, s := range got.board.Stages {
		if s.State != "done" {
			t.Errorf("stage %q is %s behind the run", s.Name, s.State)
		}
		_, sink, _ := strings.Cut(s.Name, " -> ")
		names[sink] = s
	}
	if s := names["index k, v"]; s.RowsIn != 400 || s.RowsOut != 400 {
		t.Errorf("index: %+v", s)
	}
	if s := names["right side of join on k"]; s.RowsIn != 80 {
		t.Errorf("right side: %+v", s)
	}
	rows := int64(len(got.outputs["r"].rows))
	if s := names["write r"]; s.RowsOut != rows {
		t.Errorf("write r: %+v, want %d rows out", s, rows)
	}
	if got.result.Spilled == 0 || got.result.Pool == 0 {
		t.Errorf("spilled %d bytes, peak of the pool %d", got.result.Spilled, got.result.Pool)
	}
}
