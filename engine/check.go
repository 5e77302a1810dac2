package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		if f.Rows == 1 {
			s = f.Rule + ": 1 row"
		}
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
	samples map[string]*samples // by rule
	verdict func(failures []CheckFailure) error
	from    origin
}

func newChecker(n *plan.Node, op *plan.Check, verdict func([]CheckFailure) error) *checker {
	c := &checker{op: op, node: n, nulls: make([]atomic.Int64, len(op.NotNull)), broken: make([]atomic.Int64, len(op.Expect)),
		samples: map[string]*samples{}, verdict: verdict, show: newRenderer(n.Schema)}
	for i, e := range op.Expect {
		c.expect = append(c.expect, expr.Compile([]*expr.Bound{e}))
		c.samples[c.expectRule(i)] = &samples{}
	}
	for i := range op.NotNull {
		c.samples[c.notNull(i)] = &samples{}
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
		return c.from.explain(err, "")
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
func (c *checker) sample(rule string, unit int, b *batch.Batch, bad func(row int) bool) {
	kept := c.samples[rule]
	for row := 0; row < b.N && !kept.full(unit); row++ {
		if bad(row) {
			kept.add(unit, c.show.row(b, row))
		}
	}
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
		failures = append(failures, CheckFailure{Rule: rule, Rows: n, Samples: c.samples[rule].texts()})
	}
	for i := range c.nulls {
		fail(c.notNull(i), c.nulls[i].Load())
	}
	for i := range c.broken {
		fail(c.expectRule(i), c.broken[i].Load())
	}
	return c.verdict(failures)
}
