package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/plan"
)

// ErrCheck marks a failed check: the data is not what the job says it should be.
var ErrCheck = errors.New("check failed")

// CheckError lists what a check found. errors.Is(err, ErrCheck) is true.
type CheckError struct {
	Table    string
	Failures []CheckFailure
}

// CheckFailure is one broken rule.
type CheckFailure struct {
	Rule    string   // not_null price; expect price > 0; rows
	Rows    int64    // rows that break it; for rows: how many there are
	Samples []string // the first such rows, as far as they were seen; at most maxSamples
}

// maxSamples is how many rows are shown of those that break a rule.
const maxSamples = 5

func (e *CheckError) Error() string {
	var parts []string
	for _, f := range e.Failures {
		s := fmt.Sprintf("%s: %d rows", f.Rule, f.Rows)
		if len(f.Samples) > 0 {
			s += ", for example " + f.Samples[0]
		}
		parts = append(parts, s)
	}
	return fmt.Sprintf("check of table %s failed: %s", e.Table, strings.Join(parts, "; "))
}

// Is makes errors.Is(err, ErrCheck) true.
func (e *CheckError) Is(target error) bool { return target == ErrCheck }

// checker watches the rows that pass a check verb.
type checker struct {
	op     *plan.Check
	node   *plan.Node
	expect []*expr.Program
	show   *renderer

	rows    atomic.Int64
	nulls   []atomic.Int64
	broken  []atomic.Int64
	mu      sync.Mutex
	samples map[string][]place // by rule, in the order of the table
	verdict func(failures []CheckFailure) error
}

// place is where a sample was found, so that the first rows are shown whatever worker met them.
type place struct {
	unit int
	text string
}

func newChecker(n *plan.Node, op *plan.Check, verdict func([]CheckFailure) error) *checker {
	c := &checker{op: op, node: n, nulls: make([]atomic.Int64, len(op.NotNull)), broken: make([]atomic.Int64, len(op.Expect)),
		samples: map[string][]place{}, verdict: verdict, show: newRenderer(n.Schema)}
	for _, e := range op.Expect {
		c.expect = append(c.expect, expr.Compile([]*expr.Bound{e}))
	}
	return c
}

// transform returns the check as a step of a pipeline.
func (c *checker) transform() transform { return &tap{see: c.see, end: c.end} }

func (c *checker) see(_ context.Context, u unitRun, b *batch.Batch) error {
	c.rows.Add(int64(b.N))
	for i, col := range c.op.NotNull {
		if n := b.Cols[col].Nulls; n > 0 {
			c.nulls[i].Add(int64(n))
			c.sample(c.notNull(i), u.unit, b, func(row int) bool { return b.Cols[col].IsNull(row) })
		}
	}
	for i, p := range c.expect {
		if err := c.seeExpect(i, p, u, b); err != nil {
			return err
		}
	}
	return nil
}

// seeExpect counts the rows for which the condition is not true; null is not true.
func (c *checker) seeExpect(i int, p *expr.Program, u unitRun, b *batch.Batch) error {
	cols, err := p.Eval(u.acct, b)
	if err != nil {
		return originOf(c.node).explain(err, "")
	}
	defer cols[0].Release()
	flat, err := batch.Flatten(u.acct, cols[0])
	if err != nil {
		return err
	}
	defer flat.Release()
	holds := func(row int) bool { return !flat.IsNull(row) && flat.Bools()[row] != 0 }
	bad := int64(0)
	for row := range b.N {
		if !holds(row) {
			bad++
		}
	}
	if bad > 0 {
		c.broken[i].Add(bad)
		c.sample(c.expectRule(i), u.unit, b, func(row int) bool { return !holds(row) })
	}
	return nil
}

// sample keeps the batch's first bad rows where they are among the table's first ones that were seen.
// The batches of a unit come in order.
func (c *checker) sample(rule string, unit int, b *batch.Batch, bad func(row int) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.samples[rule]
	for row := range b.N {
		if len(kept) == maxSamples && kept[maxSamples-1].unit <= unit {
			break
		}
		if !bad(row) {
			continue
		}
		at := slices.IndexFunc(kept, func(p place) bool { return p.unit > unit })
		if at < 0 {
			at = len(kept)
		}
		kept = slices.Insert(kept, at, place{unit: unit, text: c.show.row(b, row)})
		kept = kept[:min(len(kept), maxSamples)]
	}
	c.samples[rule] = kept
}

func (c *checker) notNull(i int) string    { return notNullRule(c.node.Schema, c.op.NotNull[i]) }
func (c *checker) expectRule(i int) string { return expectRule(c.op.Expect[i]) }

func (c *checker) end(context.Context) error {
	var failures []CheckFailure
	if n := c.rows.Load(); n < c.op.MinRows || c.op.MaxRows >= 0 && n > c.op.MaxRows {
		failures = append(failures, CheckFailure{Rule: rowsRule(c.op), Rows: n})
	}
	fail := func(rule string, n int64) {
		if n == 0 {
			return
		}
		f := CheckFailure{Rule: rule, Rows: n}
		for _, p := range c.samples[rule] {
			f.Samples = append(f.Samples, p.text)
		}
		failures = append(failures, f)
	}
	for i := range c.nulls {
		fail(c.notNull(i), c.nulls[i].Load())
	}
	for i := range c.broken {
		fail(c.expectRule(i), c.broken[i].Load())
	}
	return c.verdict(failures)
}
