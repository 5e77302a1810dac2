package engine

import (
	"fmt"
	"strings"

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
	plan.Preaggregate(r.plan, func(ways []*plan.Preaggregation) *plan.Preaggregation {
		way := r.cheapest(ways)
		if way != nil {
			instead[way.Group] = way.Instead
		}
		return way
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

// cheapest returns the way to take; nil where the join's rows should be made. It compares the rows
// that pass through tables and joins.
func (r *Run) cheapest(ways []*plan.Preaggregation) *plan.Preaggregation {
	if t := r.cfg.Tuning.Preaggregate; t < 0 {
		return nil
	} else if t > 0 {
		return ways[(t-1)%len(ways)]
	}
	rows := func(n *plan.Node) float64 { return float64(r.estimateOf(n).Rows) }
	join := ways[0].Join
	sides := rows(join.Inputs[0]) + rows(join.Inputs[1])
	least := (sides + 2*rows(join)) / gain // the rows are made, and grouped
	var best *plan.Preaggregation
	for _, w := range ways {
		cost := sides + 2*rows(w.Made)
		for side, n := range w.Sides {
			if w.Grouped[side] {
				cost += groupCost * rows(n)
			}
		}
		if cost <= least {
			best, least = w, cost
		}
	}
	return best
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
	var to []string
	for side, in := range n.Inputs {
		if _, grouped := in.Op.(*plan.GroupBy); grouped && in != wholeJoin(n).Inputs[side] {
			to = append(to, fmt.Sprintf("the %s side to about %s groups", []string{"left", "right"}[side], humanize.Comma(r.nodes[in].est.Rows)))
		}
	}
	return fmt.Sprintf("these rows are not made: aggregated first are %s, and about %s rows are joined", strings.Join(to, " and "), humanize.Comma(r.nodes[n].est.Rows))
}
