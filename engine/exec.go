package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"pqjoin/batch"
	"pqjoin/groupby"
	"pqjoin/mem"
	"pqjoin/monitor"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/tableio"
	"pqjoin/tableio/publish"
)

// Result is what a run did.
type Result struct {
	Outputs []OutputSummary `json:"outputs"`
	Spilled int64           `json:"spilled_bytes"`
	Pool    int64           `json:"pool_peak_bytes"`
}

// exec is the state of a running job.
type exec struct {
	run     *Run
	share   Share
	pool    *mem.Pool
	dir     *spillfile.Dir
	batches *mem.Account // batches on their way and partitions being worked on
	stores  *mem.Account // blocks of stores
	tables  *mem.Account // tables of joins and aggregations
	writers *mem.Account // output pages
	shared  map[*phys]*sharedTable
	grouped []*groupby.Grouper // finished, and not read yet
	keeper  *keeper            // nil: nothing is kept
	closed  bool
}

// sharedTable is a spooled table and how many readers it still has.
type sharedTable struct {
	sp   *spool
	left int
}

// Execute runs the job and publishes its outputs. After an error nothing has changed at
// the outputs' paths and no spill file is left.
func (r *Run) Execute(ctx context.Context) (res *Result, err error) {
	defer func() { err = errors.Join(err, r.letGoAll()) }() // of a run that is not begun
	if r.short != nil {
		return nil, r.short
	}
	keep, err := r.keepSpec()
	if err != nil {
		return nil, err
	}
	set, err := publish.Begin(r.cfg.FS, r.targets(keep.Key))
	if err != nil {
		return nil, err
	}
	defer set.Abort()
	x, err := r.newExec()
	if err != nil {
		return nil, err
	}
	defer func() { x.keeper.close(set, err) }()
	defer func() { err = errors.Join(err, x.close(err == nil)) }()
	defer contain(r.cfg.Log, &err)
	if err := x.openKeeper(keep); err != nil {
		return nil, err
	}
	if b := r.cfg.Board; b != nil {
		for _, s := range r.Stages() {
			b.Plan(r.job.Redact(s.Name), s.RowsIn)
		}
	}
	res = &Result{}
	for i, o := range r.plan.Outputs {
		sum, err := x.write(ctx, i, o, set)
		if err != nil {
			r.rules.broken(r.plan, err)
			return nil, r.failedJoin(x.explainErr(err))
		}
		sum.Path, sum.Shown = r.path(o), r.shown(o)
		res.Outputs = append(res.Outputs, sum)
	}
	r.rules.joined(r.plan)
	if err := r.verifyInputs(ctx); err != nil {
		return nil, err
	}
	res.Spilled, res.Pool = x.dir.Written(), x.pool.Peak()
	if err := x.close(true); err != nil { // what is wrong must show before anything is replaced
		return nil, err
	}
	return res, set.Commit(ctx)
}

func (r *Run) newExec() (*exec, error) { return r.newExecIn(r.spillParent()) }

// newExecIn makes the pool, and the spill directory below parent.
func (r *Run) newExecIn(parent string) (*exec, error) {
	dir, err := spillfile.OpenDir(r.cfg.FS, parent, r.cfg.SpillLimit)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		err = fmt.Errorf("%w: name a folder on a disk where it may be made with --spill-dir", err)
	}
	if err != nil {
		return nil, err
	}
	x := &exec{run: r, share: r.share, pool: mem.NewPool(r.share.Pool, r.poolOptions()...), dir: dir, shared: map[*phys]*sharedTable{}}
	x.batches = x.pool.Account("batches", 0)
	x.stores = x.pool.Account("partition stores", 0)
	x.tables = x.pool.Account("tables", 0)
	x.writers = x.pool.Account("the output writer", 0) // it keeps to its share, but for values that are far longer than most
	if b := r.cfg.Board; b != nil {
		b.Gauges(x.pool.Used, dir.Written)
	}
	return x, nil
}

func (r *Run) poolOptions() []mem.Option {
	if r.cfg.Tuning.Protect {
		return []mem.Option{mem.Protect()}
	}
	return nil
}

// close gives everything back. Where the run succeeded, memory still in use is a bug and an error.
func (x *exec) close(ok bool) error {
	if x.closed {
		return nil
	}
	x.closed = true
	var errs []error
	for _, t := range x.shared {
		errs = append(errs, t.sp.Close())
	}
	errs = append(errs, x.dir.Close())
	for _, a := range []*mem.Account{x.batches, x.stores, x.tables, x.writers} {
		if err := a.Close(); err != nil && ok {
			errs = append(errs, fmt.Errorf("self-check: %w", err))
		}
	}
	if err := x.pool.Close(); err != nil && ok {
		errs = append(errs, err)
	}
	if err := x.run.letGoAll(); err != nil && ok {
		errs = append(errs, fmt.Errorf("self-check: %w", err))
	}
	return errors.Join(errs...)
}

// explainErr adds what to do where memory ran out.
func (x *exec) explainErr(err error) error {
	switch {
	case errors.Is(err, mem.ErrLimit):
		return fmt.Errorf("%w: give the job more --mem, or fewer --threads", err)
	case errors.Is(err, spillfile.ErrQuota):
		return fmt.Errorf("%w: raise --spill-limit, or give the job more --mem", err)
	case errors.Is(err, spillfile.ErrDiskFull):
		return fmt.Errorf("%w: free some space, or choose another --spill-dir", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: free some space, or write to another disk", err)
	}
	return err
}

// rel is a table on its way: a source, the transforms fused so far, and what must be closed behind it.
type rel struct {
	src     batch.Source
	xs      []transform
	schema  *batch.Schema
	name    string
	steps   string
	closers []func() error
	// reopen gives the source once more, for a sample of the keys; nil where it cannot be read twice.
	reopen func() batch.Source
	// columns is reopen for some of the source's columns alone; nil where it cannot.
	columns func(cols []int, batchRows int) batch.Source
	expect  int64 // rows that the source will give, 0 where unknown
	counted bool  // expect is a fact, and all rows are read
	// watched says that a transform checks every row, so that none behind it may end the pipeline early.
	watched bool
}

// stage names the pipeline that ends in step.
func (r *rel) stage(step string) string { return r.name + r.steps + " -> " + step }

func (r *rel) close() error {
	var errs []error
	for _, c := range r.closers {
		errs = append(errs, c())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// add fuses a transform.
func (r *rel) add(t transform, schema *batch.Schema, step string) *rel {
	r.xs = append(r.xs, t)
	if schema != nil {
		r.schema = schema
	}
	if step != "" {
		r.steps += ", " + step
	}
	return r
}

// settle lets groups that wait in memory be spilled, but for those that src, which is read now, gives.
func (x *exec) settle(ctx context.Context, src batch.Source) error {
	kept := x.grouped[:0]
	var errs []error
	for _, g := range x.grouped {
		if gives(src, g.Source()) {
			kept = append(kept, g)
			continue
		}
		errs = append(errs, g.Settle(ctx))
	}
	clear(x.grouped[len(kept):])
	x.grouped = kept
	return errors.Join(errs...)
}

// pipe runs a table into a sink.
func (x *exec) pipe(ctx context.Context, in *rel, sink batch.Sink, step string) error {
	p := &pipeline{
		src: in.src, xs: in.xs, sink: x.squeeze(sink), workers: x.share.Workers, acct: x.batches,
		expect: in.expect, counted: in.counted,
		stage: x.stage(in.stage(step), in.expect), log: x.run.cfg.Log,
	}
	in.xs = nil
	err := x.settle(ctx, in.src)
	if err == nil {
		err = p.run(ctx)
	}
	return errors.Join(err, sink.Close())
}

func (x *exec) stage(name string, expect int64) *monitor.Stage {
	if x.run.cfg.Board == nil {
		x.run.cfg.Board = monitor.NewBoard(0, zeroTime)
	}
	return x.run.cfg.Board.Take(x.run.job.Redact(name), expect)
}

// quiet is a stage that nobody is shown, but profiles.
func (x *exec) quiet(name string) *monitor.Stage {
	return monitor.NewBoard(0, zeroTime).Plan(x.run.job.Redact(name), 0)
}

// table makes a node's table ready to be read by one reader.
func (x *exec) table(ctx context.Context, p *phys) (*rel, error) {
	if !x.run.spools(p) {
		return x.make(ctx, p)
	}
	t := x.shared[p]
	if t == nil {
		sp, err := x.spooled(ctx, p)
		if err != nil {
			return nil, err
		}
		t = &sharedTable{sp: sp, left: p.readers}
		x.shared[p] = t
	}
	return &rel{
		src: t.sp.source(), schema: p.node.Schema, name: p.node.Table, expect: t.sp.totalRows(), counted: true,
		reopen:  t.sp.source,
		closers: []func() error{func() error { return x.readOnce(p, t) }},
	}, nil
}

func (x *exec) readOnce(p *phys, t *sharedTable) error {
	if t.left--; t.left > 0 {
		return nil
	}
	delete(x.shared, p)
	return t.sp.Close()
}

// pipeKeep is pipe for a sink that is read afterwards: it is closed only where something
// fails. It closes in.
func (x *exec) pipeKeep(ctx context.Context, in *rel, sink batch.Sink, step string) error {
	err := x.pipe(ctx, in, keepOpen{sink}, step)
	if err = errors.Join(err, in.close()); err != nil {
		err = errors.Join(err, sink.Close())
	}
	return err
}

// keepOpen is a sink whose owner closes it later.
type keepOpen struct{ batch.Sink }

func (keepOpen) Close() error { return nil }

// make lowers one node.
func (x *exec) make(ctx context.Context, p *phys) (*rel, error) {
	r, err := x.lower(ctx, p)
	if h := x.run.held[p.node]; h != nil && err == nil {
		r = h.instead(r, x.share.rows(p.est))
	}
	return x.located(r, err, p.node)
}

func (x *exec) lower(ctx context.Context, p *phys) (*rel, error) {
	switch op := p.node.Op.(type) {
	case *plan.Scan:
		return x.scan(op, p), nil
	case *plan.Index:
		return x.index(ctx, op, p)
	case *plan.GroupBy:
		return x.groupBy(ctx, op, p)
	case *plan.Join:
		if op.Kind == plan.AsofJoin {
			return x.asofJoin(ctx, op, p)
		}
		return x.join(ctx, op, p)
	case *plan.Union:
		return x.union(ctx, p)
	case *plan.Persist: // several readers make it shared
		return x.table(ctx, p.in[0])
	}
	in, err := x.table(ctx, p.in[0])
	if err != nil {
		return nil, err
	}
	return x.fuse(in, p)
}

// fuse adds a node that is computed as rows pass.
func (x *exec) fuse(in *rel, p *phys) (*rel, error) {
	schema := p.node.Schema
	switch op := p.node.Op.(type) {
	case *plan.Project:
		return in.add(newProject(op.Exprs, schema, x.originOf(p.node)), schema, ""), nil
	case *plan.Filter:
		return in.add(newFilter(op.Cond, x.originOf(p.node)), schema, "where"), nil
	case *plan.Lag:
		in.reopen = nil
		return in.add(x.lag(op, p), schema, "lag"), nil
	case *plan.Window:
		in.reopen = nil
		return in.add(x.window(op, p), schema, "window"), nil
	case *plan.Head:
		in.reopen = nil
		in.counted = false // the rest may be left unread
		return in.add(newSeam(headMachine{n: op.N, in: schema, all: in.watched}), schema, fmt.Sprintf("head %d", op.N)), nil
	case *plan.Check:
		return x.check(in, op, p)
	}
	return nil, errors.Join(fmt.Errorf("internal error: no physical operator for %T", p.node.Op), in.close())
}

func (x *exec) scan(op *plan.Scan, p *phys) *rel {
	t := x.run.tables[op.Input]
	where := op.Where
	if where != nil { // the node's columns are some of the table's
		where = where.Remap(func(c int) int { return op.Columns[c] })
	}
	// No stage that scans loads partitions: their share serves big pages.
	read := tableio.Reading{BatchRows: x.share.rows(p.est), WholeBytes: x.share.Load}
	source := func() batch.Source { return t.Source(op.Columns, where, read) }
	r := &rel{src: source(), schema: p.node.Schema, name: op.Input.Name, reopen: source, expect: t.Rows()}
	if op.Where != nil {
		return r.add(newFilter(op.Where, origin{job: x.run.job, what: "input " + op.Input.Name + ": where"}), nil, "where")
	}
	r.columns = func(cols []int, batchRows int) batch.Source {
		at := make([]int, len(cols))
		for i, c := range cols {
			at[i] = op.Columns[c]
		}
		return t.Source(at, nil, tableio.Reading{BatchRows: min(batchRows, x.share.BatchRows)})
	}
	return r
}
