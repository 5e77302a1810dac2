package engine

import (
	"context"
	"errors"
	"fmt"
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
	Rule   string `json:"rule"`             // not_null price; expect price > 0; rows
	Rows   int64  `json:"rows"`             // rows that break it; for rows: how many there are
	Sample string `json:"sample,omitempty"` // the first such row, as far as it was seen
}

func (e *CheckError) Error() string {
	var parts []string
	for _, f := range e.Failures {
		s := fmt.Sprintf("%s: %d rows", f.Rule, f.Rows)
		if f.Sample != "" {
			s += ", for example " + f.Sample
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
	samples map[string]place
	report  func(*CheckError) error
}

// place is where a sample was found, so that the first row is shown whatever worker met it.
type place struct {
	unit int
	text string
}

func newChecker(n *plan.Node, op *plan.Check, report func(*CheckError) error) *checker {
	c := &checker{op: op, node: n, nulls: make([]atomic.Int64, len(op.NotNull)), broken: make([]atomic.Int64, len(op.Expect)),
		samples: map[string]place{}, report: report, show: newRenderer(n.Schema)}
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

func (c *checker) sample(rule string, unit int, b *batch.Batch, bad func(row int) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.samples[rule]; ok && old.unit <= unit {
		return
	}
	for row := range b.N {
		if bad(row) {
			c.samples[rule] = place{unit: unit, text: c.show.row(b, row)}
			return
		}
	}
}

func (c *checker) notNull(i int) string {
	return "not_null " + c.node.Schema.Fields[c.op.NotNull[i]].Name
}
func (c *checker) expectRule(i int) string { return "expect " + c.op.Expect[i].String() }

func (c *checker) end(context.Context) error {
	e := &CheckError{Table: c.node.Table}
	if n := c.rows.Load(); n < c.op.MinRows || c.op.MaxRows >= 0 && n > c.op.MaxRows {
		want := fmt.Sprintf("rows at least %d", c.op.MinRows)
		if c.op.MaxRows >= 0 {
			want = fmt.Sprintf("rows between %d and %d", c.op.MinRows, c.op.MaxRows)
		}
		e.Failures = append(e.Failures, CheckFailure{Rule: want, Rows: n})
	}
	for i := range c.nulls {
		if n := c.nulls[i].Load(); n > 0 {
			e.Failures = append(e.Failures, CheckFailure{Rule: c.notNull(i), Rows: n, Sample: c.samples[c.notNull(i)].text})
		}
	}
	for i := range c.broken {
		if n := c.broken[i].Load(); n > 0 {
			e.Failures = append(e.Failures, CheckFailure{Rule: c.expectRule(i), Rows: n, Sample: c.samples[c.expectRule(i)].text})
		}
	}
	if len(e.Failures) == 0 {
		return nil
	}
	return c.report(e)
}
