package engine

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"pqjoin/plan"
)

// groupCost is what a group costs that an aggregation makes, in rows that pass one: it may
// be stored, and it is put out and joined. Measured with groups that do not fit a cache.
const groupCost = 8

// gain is how many times cheaper aggregating before a join must look: estimates are guesses.
const gain = 2

// preaggregate lets group-bys aggregate before the join below them where that pays, by the estimates as they stand.
func (r *Run) preaggregate() {
	r.named = lastNodes(r.plan)
	instead := map[*plan.Node]*plan.Node{}
	plan.Preaggregate(r.plan, func(f *plan.Preaggregation) bool {
		if !r.worth(f) {
			return false
		}
		instead[f.Group] = f.Instead
		return true
	})
	if len(instead) == 0 {
		return
	}
	for i, n := range r.named {
		if m := instead[n]; m != nil {
			r.named[i] = m
		}
	}
	r.replan()
}

// worth compares the rows that pass through tables and joins, either way.
func (r *Run) worth(f *plan.Preaggregation) bool {
	if t := r.cfg.Tuning.Preaggregate; t != 0 {
		return t > 0
	}
	rows := func(n *plan.Node) float64 { return float64(r.estimateOf(n).Rows) }
	sides := rows(f.Join.Inputs[0]) + rows(f.Join.Inputs[1])
	before := sides + 2*rows(f.Join) // the rows are made, and grouped
	after := sides + groupCost*(rows(f.Sides[0])+rows(f.Sides[1])) + 2*rows(f.Made)
	return gain*after <= before
}

// estimateOf returns the estimate of a node, also of one that is not part of the plan.
func (r *Run) estimateOf(n *plan.Node) Estimate {
	if p := r.nodes[n]; p != nil {
		return p.est
	}
	var e Estimate
	if s, ok := n.Op.(*plan.Scan); ok {
		e = scanEstimate(r.tables[s.Input], s, n.Schema)
	} else {
		var ins []Estimate
		for _, in := range n.Inputs {
			ins = append(ins, r.estimateOf(in))
		}
		e = estimate(n, ins, uniqueOn)
	}
	return r.counted(n, e)
}

// wholeJoin returns the join of rows that the join at n stands for: n itself, or the one that is aggregated before.
func wholeJoin(n *plan.Node) *plan.Node {
	if op := n.Op.(*plan.Join); op.Whole != nil {
		return op.Whole
	}
	return n
}

// insteadText says what is joined instead of the rows.
func (r *Run) insteadText(n *plan.Node) string {
	rows := func(n *plan.Node) string { return humanize.Comma(r.nodes[n].est.Rows) }
	return fmt.Sprintf("these rows are not made: the sides are aggregated first, to about %s and %s groups, which join to about %s rows",
		rows(n.Inputs[0]), rows(n.Inputs[1]), rows(n))
}
