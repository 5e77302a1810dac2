package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"pqjoin/mem"
	"pqjoin/plan"
)

// Preflight refuses outputs that cannot be written to their places, and what cannot fit, before anything is written: the memory floor, rows
// known exactly against max_rows, estimates over twice the free disk or the spill limit.
// Smaller doubts are warnings. A join that might multiply is estimated from a sketch of its keys, and counted exactly
// where that shows that it may, or where it has a max_rows. The error is a *RefusedError, or what went wrong while counting.
func (r *Run) Preflight(ctx context.Context) error {
	if r.short != nil {
		return r.tooShort()
	}
	if err := r.CheckPlaces(); err != nil {
		return err
	}
	return r.CheckFit(ctx)
}

// CheckFit is the part of Preflight that estimates and counts: what it finds out is in the plan afterwards.
func (r *Run) CheckFit(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, r.letGoAll())
		}
	}()
	if r.short != nil {
		return r.tooShort()
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if err := r.checkSpill(); err != nil {
		return err
	}
	for _, n := range r.plan.Nodes {
		if op, ok := n.Op.(*plan.Join); ok {
			if err := r.resolve(ctx, n, op); err != nil {
				return err
			}
		}
	}
	for _, n := range r.plan.Nodes {
		if op, ok := n.Op.(*plan.Join); ok && op.MaxRows > 0 {
			if err := r.checkMaxRows(n, op); err != nil {
				return err
			}
		}
	}
	return r.checkOutputs()
}

// fewBytes is a bound, in bytes, that was meant in another unit.
const fewBytes = 1_000_000

// tooShort is why the bound is below the floor, and names who chose it.
func (r *Run) tooShort() error {
	var refused *RefusedError
	if !errors.As(r.short, &refused) {
		return r.short
	}
	least := floorText(r.Floor())
	switch {
	case r.cfg.MemFrom != MemOfFlag:
	case r.cfg.Mem < fewBytes:
		return &RefusedError{Reason: refused.Reason, Advice: fmt.Sprintf("%d is a number of bytes; give it --mem %s or more", r.cfg.Mem, least)}
	default:
		return r.short
	}
	if r.cfg.MemFrom == MemOfJob {
		return r.job.FailedDefault("mem", &RefusedError{
			Reason: fmt.Sprintf("%s is below this job's floor of %s", humanize.Bytes(uint64(r.cfg.Mem)), least), Advice: fmt.Sprintf("write mem: %s or more", least),
		})
	}
	return &RefusedError{
		Reason: fmt.Sprintf("--mem auto, of what is free here, is %s, below this job's floor of %s", humanize.Bytes(uint64(r.cfg.Mem)), least), Advice: fmt.Sprintf("give it --mem %s or more", least),
	}
}

// resolve counts the rows of a doubtful join, unless a sketch of its keys, which is far cheaper, shows that they are few.
func (r *Run) resolve(ctx context.Context, n *plan.Node, op *plan.Join) error {
	if !r.countable(n, op) {
		return nil
	}
	if op.MaxRows == 0 {
		if !r.large(r.worst(n)) {
			return nil
		}
		if err := r.screen(ctx, wholeJoin(n)); err != nil {
			return err
		}
		if !r.large(r.nodes[n].est.Bytes()) {
			return nil
		}
	}
	_, err := r.Count(ctx, n)
	return err
}

// Count counts the rows of the join at n exactly and plans anew with what it found. Of a join
// that is aggregated before, the rows are counted that need not be made.
func (r *Run) Count(ctx context.Context, n *plan.Node) (*JoinCount, error) {
	n = wholeJoin(n)
	if c, ok := r.counts[n]; ok {
		return c, nil
	}
	c, err := r.CountJoin(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("count the rows of the join in table %s: %w", n.Table, err)
	}
	r.counts[n] = c
	r.exact[n] = c.Rows
	r.replan(ctx)
	return c, nil
}

// countable says whether a join's rows are neither known nor bounded by its sides', and counting them reads files alone.
func (r *Run) countable(n *plan.Node, op *plan.Join) bool {
	if _, done := r.exact[n]; done || op.Kind == plan.AsofJoin { // which makes the left's rows
		return false
	}
	bounded := op.Kind.Filters() || uniqueOn(n.Inputs[1], op.RightKeys)
	if bounded && (op.MaxRows == 0 || op.Kind == plan.LeftJoin || op.Kind == plan.InnerJoin) {
		return false
	}
	return readsFiles(keysOnly(n.Inputs[0], op.LeftKeys)) && readsFiles(keysOnly(n.Inputs[1], op.RightKeys))
}

// worst returns the bytes that a join makes if all its rows have one key, where nobody looked at the keys yet.
func (r *Run) worst(n *plan.Node) int64 {
	p := r.nodes[n]
	if wholeJoin(n) != n { // it is aggregated before: its rows are not made
		return p.est.Bytes()
	}
	return saturate(float64(p.in[0].est.Rows) * float64(p.in[1].est.Rows) * p.est.RowWidth())
}

// large says whether so many bytes may be too much for the disk.
func (r *Run) large(size int64) bool {
	free, _, err := r.cfg.FS.Space(r.spillParent())
	return err == nil && size > free/8
}

// readsFiles says whether a table is made from files row by row.
func readsFiles(n *plan.Node) bool {
	for {
		switch n.Op.(type) {
		case *plan.Scan:
			return true
		case *plan.Project, *plan.Filter:
			n = n.Inputs[0]
		default:
			return false
		}
	}
}

func (r *Run) checkMaxRows(n *plan.Node, op *plan.Join) error {
	rows, exact := r.exact[n]
	if est := r.nodes[n].est; op.Kind == plan.AsofJoin && est.Exact {
		rows, exact = est.Rows, true
	}
	switch {
	case exact && rows > op.MaxRows:
		return r.job.Failed(n.Pos, &RefusedError{
			Reason: fmt.Sprintf("the join in table %s makes %s rows, over its max_rows of %s%s", n.Table, humanize.Comma(rows), humanize.Comma(op.MaxRows), r.heavy(n)),
			Advice: "group the right side to one row per key first, or raise max_rows",
		})
	case !exact && r.nodes[n].est.Rows > op.MaxRows:
		r.cfg.Warn(fmt.Sprintf("the join in table %s is estimated at %s rows, over its max_rows of %s; it will stop there", n.Table, humanize.Comma(r.nodes[n].est.Rows), humanize.Comma(op.MaxRows)))
	}
	return nil
}

// heavy names the heaviest keys of a counted join.
func (r *Run) heavy(n *plan.Node) string {
	c := r.counts[n]
	if c == nil || len(c.Heaviest) == 0 {
		return ""
	}
	var parts []string
	for _, h := range c.Heaviest[:min(3, len(c.Heaviest))] {
		parts = append(parts, fmt.Sprintf("%s (%s x %s rows)", h.Key, humanize.Comma(h.Left), humanize.Comma(h.Right)))
	}
	return "; its heaviest keys are " + strings.Join(parts, ", ")
}

// checkOutputs compares the estimated outputs with the free disk.
func (r *Run) checkOutputs() error {
	for _, o := range r.plan.Outputs {
		free, _, err := r.cfg.FS.Space(r.existing(filepath.Dir(o.Path)))
		if err != nil {
			return fmt.Errorf("free space for output %s: %w", o.Label, err)
		}
		est := r.nodes[o.Node].est
		size := est.Bytes()
		said := fmt.Sprintf("output %s takes about %s (%s rows%s), and %s of disk are free%s", o.Label, humanize.Bytes(uint64(size)),
			humanize.Comma(est.Rows), estimated(est), humanize.Bytes(uint64(free)), r.multiplies(o.Node))
		if size/2 > free && !r.cfg.Force {
			return &RefusedError{Reason: said, Advice: r.adviceFor(o.Node), Forceable: true}
		}
		if size > free {
			r.cfg.Warn(said)
		}
	}
	return nil
}

func estimated(e Estimate) string {
	if e.Exact {
		return ", counted"
	}
	return ", estimated"
}

// multiplies says which join below n multiplies rows, with its heaviest keys.
func (r *Run) multiplies(n *plan.Node) string {
	if j := r.multiplying(n); j != nil {
		return fmt.Sprintf("; the join in table %s multiplies the rows%s", j.Table, r.heavy(j))
	}
	return ""
}

func (r *Run) multiplying(n *plan.Node) *plan.Node {
	for _, m := range ordered(n, map[*plan.Node]bool{}) {
		if _, ok := m.Op.(*plan.Join); ok && r.nodes[m].est.Rows > 2*r.nodes[m.Inputs[0]].est.Rows {
			return m
		}
	}
	return nil
}

func (r *Run) adviceFor(n *plan.Node) string {
	if j := r.multiplying(n); j != nil {
		return "group the right side to one row per key before the join, or write to a larger disk"
	}
	return "write to a larger disk, or keep fewer columns or rows"
}

// checkSpill compares what the job will spill with the limit and the free disk.
func (r *Run) checkSpill() error {
	spill := r.Spill()
	free, inMemory, err := r.cfg.FS.Space(r.spillParent())
	if err != nil {
		return &RefusedError{Reason: fmt.Sprintf("the spill directory %s cannot be used: %v", r.spillParent(), err), Advice: "make it, or choose another with --spill-dir"}
	}
	if inMemory {
		what := "the spill directory " + r.spillParent()
		if r.cfg.SpillDir == "" {
			what = r.spillParent() + ", beside the output, where spill files go by default,"
		}
		return &RefusedError{Reason: what + " lies in memory (tmpfs), where spilling takes memory instead of freeing it",
			Advice: "choose a directory on a disk with --spill-dir"}
	}
	free += r.alreadyKept()
	limit, what := free, "of disk are free"
	if most := max(0, r.cfg.SpillLimit); r.cfg.SpillLimit != 0 && most < limit {
		limit, what = most, "is the spill limit"
	}
	said := fmt.Sprintf("the job will spill about %s, and %s %s", humanize.Bytes(uint64(spill)), humanize.Bytes(uint64(limit)), what)
	if spill/2 > limit && !r.cfg.Force {
		return &RefusedError{Reason: said, Advice: "give it more --mem, a larger --spill-limit or another --spill-dir", Forceable: true}
	}
	if spill > limit {
		r.cfg.Warn(said)
	}
	return nil
}

// Spill estimates the bytes that the job writes to its spill directory at most at one time:
// what its stores hold beyond the memory that they may keep, and at least what is kept for later runs.
func (r *Run) Spill() int64 {
	total := int64(0)
	for _, p := range r.nodes {
		total = saturate(float64(total) + float64(r.storeBytes(p)))
	}
	return max(r.toKeep(), total-(r.share.Pool-r.share.Fixed))
}

// storeBytes estimates what a node puts into partition stores, as spill blocks hold it.
func (r *Run) storeBytes(p *phys) int64 {
	switch {
	case p.strategy == externalSort:
		return p.in[0].stored()
	case p.strategy == joinRange:
		return p.in[1].stored()
	case (p.strategy == joinHash || p.strategy == joinAsof) && p.rowNumber:
		return saturate(float64(p.in[0].stored()) + float64(p.in[1].stored()) + float64(p.stored()))
	case p.strategy == joinHash || p.strategy == joinAsof:
		return addSat(p.in[0].stored(), p.in[1].stored())
	case p.holds():
		return p.in[0].stored()
	case p.strategy == hashGroup && p.est.Bytes() > r.share.Tails:
		return p.stored()
	case p.shared():
		return p.stored()
	}
	return 0
}

// stored is a table's size in a store: integers of a known range are narrowed.
func (p *phys) stored() int64 {
	w := 0.0
	for _, c := range p.est.Cols {
		switch {
		case c.Distinct > 0 && c.Distinct <= 1<<8:
			w++
		case c.Distinct > 0 && c.Distinct <= 1<<16:
			w += 2
		case c.Distinct > 0 && c.Distinct <= 1<<32:
			w += min(4, c.Width)
		default:
			w += c.Width
		}
	}
	return saturate(float64(p.est.Rows) * w)
}

const pageSize = 4096

// CheckBound refuses a bound that the host cannot keep.
func CheckBound(total int64, h mem.Host) error {
	if total-pageSize < h.Most() { // the kernel rounds a limit down to pages
		return nil
	}
	what := "the machine's"
	if h.Limit < h.Total {
		what = "this cgroup's limit of"
	}
	return &RefusedError{
		Reason: fmt.Sprintf("--mem %s is more than %s %s", humanize.Bytes(uint64(total)), what, humanize.Bytes(uint64(h.Most()))),
		Advice: "give a smaller --mem, or leave it out",
	}
}
