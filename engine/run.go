// Package engine turns a resolved plan into physical stages and runs them inside the
// memory bound.
//
//	plan.Plan --physical--> phys nodes (strategy, estimates) --share--> sizes --exec--> pipelines
//
// A pipeline moves the units of a source (row groups of files, partitions of a store)
// through fused transforms into a sink (a store, an aggregation, an output):
//
//	source.Open(unit) -> project -> filter -> lag -> probe -> ... -> sink.Put(unit, batch)
//
// Invariants:
//
//   - Workers take units in ascending order. What must see the table in order hands a
//     state from unit to unit (chain), so the lowest unit at work never waits.
//   - Strategies, partition counts, batch sizes and threads change no byte of an output
//     whose order is defined.
//   - Nothing is visible at an output's path before the whole job has succeeded.
//   - Whatever a run makes on disk lies in its spill directory or beside an output, and
//     is gone when Execute returns.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/monitor"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/tableio"
)

// Config is what a job is run with.
type Config struct {
	FS         vfs.FS
	Mem        int64 // the bound of the whole process, bytes
	MemFrom    MemFrom
	Threads    int
	SpillDir   string // parent of the run's spill directory; empty: beside the first output
	SpillLimit int64  // bytes; 0: none; negative: never spill
	Force      bool   // run in spite of estimates
	Version    string
	Resume     bool   // keep finished stages where the run dies, and take over those that an earlier run kept
	Build      string // which build of the version: what another one kept is not taken over
	Log        *slog.Logger
	Board      *monitor.Board
	Warn       func(text string) // a warning for the user, once
	Tuning     Tuning
}

// MemFrom says who chose the bound, for messages about it.
type MemFrom uint8

// Who chooses a bound.
const (
	MemOfFlag MemFrom = iota
	MemOfJob          // its run section
	MemAuto           // what the machine leaves
)

// fill gives what may be left out a value that does nothing.
func (c *Config) fill() {
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Tuning overrides sizes that are otherwise derived from the bound, so that tests can
// force every operator to spill on small data. Zero values change nothing.
type Tuning struct {
	Pool       int64 // bytes of the pool
	BatchRows  int
	Partitions int
	Resident   int64 // bytes that broadcast tables may take; negative: none
	Load       int64 // bytes of a partition that is worked on
	Groups     int64 // bytes of a worker's table of groups; those of the tables that workers share are a thousand times as many
	Protect    bool  // released buffers fault
	Squeeze    int   // stores spill all they hold after so many batches of a pipeline
	// Preaggregate decides for all joins whether to aggregate before them: 1 both sides, 2 the left,
	// 3 the right, negative none, 0 by the estimates.
	Preaggregate int
}

// Run is a job made ready: inputs open, plan resolved, strategies chosen.
type Run struct {
	cfg    Config
	job    *plan.Job
	plan   *plan.Plan
	tables map[*plan.Input]*tableio.Table
	exact  map[*plan.Node]int64 // rows known by a scan of the keys
	// screened is rows of joins as sketches of their keys have them; nil until there is one.
	screened map[*plan.Node]int64
	counts   map[*plan.Node]*JoinCount // the same, with the heaviest keys
	need     need
	share    Share
	nodes    map[*plan.Node]*phys
	// unsure are joins that could be aggregated before, but for how little is known of their rows.
	unsure []*plan.Node
	// held are rows of joins' sides that sketching their keys has read; setAside is the bytes of the pool that are theirs.
	held     map[*plan.Node]*heldRows
	setAside int64
	named    []*plan.Node // with which each table of the job ends, also those that rewriting has made away with
	short    error        // the bound is below the floor
	rules    *ruleBook
	keep     spillfile.KeepSpec // once keepSpec has made it
}

// Open opens the inputs of a job and plans it. Nothing is written. Errors are
// *plan.Error, or name an input file.
func Open(ctx context.Context, job *plan.Job, cfg Config) (*Run, error) {
	r := &Run{cfg: cfg, job: job, tables: map[*plan.Input]*tableio.Table{}, exact: map[*plan.Node]int64{}, counts: map[*plan.Node]*JoinCount{}}
	r.cfg.fill()
	p, err := plan.Resolve(job, inputs{ctx: ctx, run: r})
	if err == nil {
		p, err = plan.Rewrite(p)
	}
	if err != nil {
		return nil, err
	}
	r.plan = p
	if err := r.refuseUnread(); err != nil {
		return nil, err
	}
	if err := r.refuseUnwritable(); err != nil {
		return nil, err
	}
	if err := r.followLinks(); err != nil {
		return nil, err
	}
	if err := r.refuseOverwriting(); err != nil {
		return nil, err
	}
	r.replan(ctx)
	r.preaggregate(ctx)
	return r, ctx.Err()
}

// refuseUnread refuses jobs that need a column of a type that is not read: a variant, or a duration.
func (r *Run) refuseUnread() error {
	for _, n := range r.plan.Nodes {
		s, ok := n.Op.(*plan.Scan)
		if !ok {
			continue
		}
		for _, f := range n.Schema.Fields {
			if f.Type.ID != batch.Nested || f.Type.Shape != "" {
				continue
			}
			why, counts := r.tables[s.Input].Unread(f.Name)
			hint := "leave it out with drop or select, or with the input's columns"
			if counts {
				hint = fmt.Sprintf("types: {%s: int64} reads the counts of its unit; drop, select or the input's columns leave it out", f.Name)
			}
			return &plan.Error{
				File: r.job.File, Line: s.Input.Pos.Line, Column: s.Input.Pos.Column, Text: r.job.Line(s.Input.Pos.Line), Err: plan.ErrUnsupported,
				Msg: fmt.Sprintf("input %q: column %q is %s, which is not supported", s.Input.Name, f.Name, why), Hint: hint,
			}
		}
	}
	return nil
}

// inputs opens tables as the plan asks for their schemas.
type inputs struct {
	ctx context.Context
	run *Run
}

// unmatched is a plan.ErrNoMatch whose sentence its cause has.
type unmatched struct{ error }

func (u unmatched) Is(target error) bool { return target == plan.ErrNoMatch }
func (u unmatched) Unwrap() error        { return u.error }

func (s inputs) Schema(in *plan.Input) (*batch.Schema, error) {
	t, err := s.run.openTable(s.ctx, in, tableio.Spec{
		Paths: in.Paths, Format: in.Format, Types: in.Types, SchemaMode: in.SchemaMode, NanAsNull: in.NanAsNull, Base: s.run.job.Dir,
	})
	if errors.Is(err, tableio.ErrNoFiles) {
		return nil, unmatched{err}
	}
	if err != nil {
		return nil, err
	}
	return t.Schema(), nil
}

// replan chooses sizes and strategies from the estimates as they stand.
func (r *Run) replan(ctx context.Context) {
	r.nodes = r.physical(0)
	r.need = r.measure(ctx)
	r.divide()
	if r.cfg.Tuning.BatchRows > 0 {
		r.share.BatchRows = r.cfg.Tuning.BatchRows
	}
	if r.cfg.Tuning.Load > 0 {
		r.share.Load, r.share.JoinLoad = r.cfg.Tuning.Load, r.cfg.Tuning.Load
	}
	if r.cfg.Tuning.Resident != 0 {
		r.share.Resident = max(0, r.cfg.Tuning.Resident)
	}
	r.nodes = r.physical(r.share.Resident / max(1, int64(r.joins())))
}

// poolLeft returns the bytes of the pool, less what is set aside.
func (r *Run) poolLeft() int64 {
	if r.cfg.Tuning.Pool > 0 {
		return r.cfg.Tuning.Pool - r.setAside
	}
	return mem.Divide(r.cfg.Mem).Pool - r.setAside
}

// divide divides the pool for what the job needs. Rows that are held for it give way where they would be why it is refused: they can be
// read again.
func (r *Run) divide() {
	r.share, r.short = r.need.divide(r.poolLeft(), max(r.cfg.Threads, 1))
	if r.short == nil || len(r.held) == 0 {
		return
	}
	if err := r.letGoAll(); err != nil {
		r.short = err
		return
	}
	r.share, r.short = r.need.divide(r.poolLeft(), max(r.cfg.Threads, 1))
}

func (r *Run) joins() int {
	n := 0
	for _, p := range r.nodes {
		if _, ok := p.node.Op.(*plan.Join); ok {
			n++
		}
	}
	return n
}

// batchesHeld is how many batches a worker holds at once at most on their way through a pipeline.
const batchesHeld = 6

// measure adds up what the widest stage needs besides what grows with the data.
func (r *Run) measure(ctx context.Context) need {
	n := need{depth: batchesHeld, known: r.HeapOfInputs()}
	for _, p := range r.nodes {
		n.widths = append(n.widths, p.est.width())
		if p.swap != nil {
			n.widths = append(n.widths, p.swap.est.width())
		}
		if l, ok := p.node.Op.(*plan.Lag); ok {
			n.states += lagState(l, p)
		}
		if w, ok := p.node.Op.(*plan.Window); ok {
			n.states += windowState(w, p)
		}
		if j, ok := p.node.Op.(*plan.Join); ok && j.Kind == plan.AsofJoin {
			n.states += asofState(p, leastRanges)
		}
		if s, ok := p.node.Op.(*plan.Scan); ok {
			n.reader = max(n.reader, r.tables[s.Input].ReadFloor(ctx, s.Columns))
		}
	}
	h := r.chained()
	n.depth += max(h.joins-fewJoins, 0)
	n.stores = int64(max(h.peak-fewStores, 0)) * storeLeast
	if h.loads > fewLoads {
		n.loads = h.loads
	}
	most := r.bounds()
	for _, o := range r.plan.Outputs {
		n.writer = max(n.writer, r.writerFloor(o, most[o.Node]))
	}
	return n
}

// stateCopies is how many times a lag's context is in memory at once: the state taken over, the
// window it becomes part of, the rows cut from it, the state handed on; and a quarter for rounding.
const stateCopies = 5

// lagState returns the bytes that a worker holds for the rows a lag looks back or ahead.
func lagState(op *plan.Lag, p *phys) int64 {
	back, ahead := 0, 0
	for _, c := range op.Cols {
		back, ahead = max(back, c.Period), max(ahead, -c.Period)
	}
	return stateCopies * int64(float64(back+ahead)*p.est.RowWidth())
}

// Plan returns the resolved and rewritten logical plan.
func (r *Run) Plan() *plan.Plan { return r.plan }

// Floor returns the smallest --mem, in bytes, with which the job runs.
func (r *Run) Floor() int64 { return mem.PoolToTotal(r.need.floor()) }

// Share returns how the bound is divided, or the refusal where it is below the floor.
func (r *Run) Share() (Share, error) { return r.share, r.short }

// Tables returns the opened inputs by name.
func (r *Run) Tables() map[string]*tableio.Table {
	out := map[string]*tableio.Table{}
	for in, t := range r.tables {
		out[in.Name] = t
	}
	return out
}
