package engine

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"

	"pqjoin/plan"
	"pqjoin/spillfile"
)

// groupCost is what a group costs that an aggregation makes, in rows that pass one: it may
// be stored, and it is put out and joined. Measured with groups that do not fit a cache.
const groupCost = 8

// gain is how many times cheaper aggregating before a join must look: estimates are guesses.
const gain = 2

// preaggregate lets group-bys aggregate before the join below them where that pays, by what is known so far.
func (r *Run) preaggregate(ctx context.Context) {
	r.keep = spillfile.KeepSpec{} // the plan becomes another
	if r.named == nil {
		r.named = lastNodes(r.plan)
	}
	r.unsure = nil
	instead := map[*plan.Node]*plan.Node{}
	plan.Preaggregate(r.plan, func(ways []*plan.Preaggregation) *plan.Preaggregation {
		way := r.cheapest(ways)
		if way != nil {
			instead[way.Group] = way.Instead
		}
		return way
	})
	r.rules = newRuleBook(r.plan) // nodes may have other numbers now
	if len(instead) == 0 {
		return
	}
	for i, n := range r.named {
		if m := instead[n]; m != nil {
			r.named[i] = m
		}
	}
	r.replan(ctx)
}

// settle finds out by sketches of the keys how many rows those joins make of which that was not known, and decides anew.
func (r *Run) settle(ctx context.Context) error {
	screened := false
	for _, n := range r.unsure {
		op := n.Op.(*plan.Join)
		if !readsFiles(keysOnly(n.Inputs[0], op.LeftKeys)) || !readsFiles(keysOnly(n.Inputs[1], op.RightKeys)) {
			continue
		}
		if err := r.screen(ctx, n); err != nil {
			return err
		}
		screened = true
	}
	if screened {
		r.preaggregate(ctx)
	}
	return r.short
}

// cheapest returns the way to take; nil where the join's rows should be made, or where their number
// is anybody's guess. It compares the rows that pass through tables and joins.
func (r *Run) cheapest(ways []*plan.Preaggregation) *plan.Preaggregation {
	if t := r.cfg.Tuning.Preaggregate; t < 0 {
		return nil
	} else if t > 0 {
		return ways[(t-1)%len(ways)]
	}
	join := ways[0].Join
	left, right := r.estimateOf(join.Inputs[0]), r.estimateOf(join.Inputs[1])
	sides := float64(left.Rows) + float64(right.Rows)
	if !r.sure(join, left, right) {
		if sides >= worthScreening && !uniqueOn(join.Inputs[1], join.Op.(*plan.Join).RightKeys) {
			r.unsure = append(r.unsure, join)
		}
		return nil
	}
	least := (sides + 2*float64(r.estimateOf(join).Rows)) / gain // the rows are made, and grouped
	var best *plan.Preaggregation
	for _, w := range ways {
		if cost := sides + r.cost(w); cost <= least {
			best, least = w, cost
		}
	}
	return best
}

// worthScreening is of how many rows on both sides it is worth while to find out what their join makes.
const worthScreening = 1 << 16

// sure says whether the rows of a join are more than a guess: counted, or of keys whose ranges are known.
func (r *Run) sure(join *plan.Node, left, right Estimate) bool {
	_, counted := r.exact[join]
	_, sketched := r.screened[join]
	op := join.Op.(*plan.Join)
	return counted || sketched || known(left, op.LeftKeys) && known(right, op.RightKeys)
}

func known(e Estimate, cols []int) bool {
	for _, c := range cols {
		if e.Cols[c].Distinct <= 0 {
			return false
		}
	}
	return true
}

// cost is that of a way beyond reading its sides: making groups, and what their join makes. A
// side is taken to have as many groups as rows where nothing is known of its keys; grouped by the join's keys
// alone, it gives each row of the other side one row at most.
func (r *Run) cost(w *plan.Preaggregation) float64 {
	cost, made := 0.0, float64(r.estimateOf(w.Join).Rows)
	most := math.Inf(1)
	var groups [2]float64
	for side, n := range w.Sides {
		rows := float64(max(r.estimateOf(w.Join.Inputs[side]).Rows, 1))
		groups[side] = rows
		if !w.Grouped[side] {
			continue
		}
		if in := r.estimateOf(n.Inputs[0]); known(in, n.Op.(*plan.GroupBy).Keys) {
			groups[side] = float64(r.estimateOf(n).Rows)
		}
		made *= groups[side] / rows
		cost += groupCost * groups[side]
	}
	for side, n := range w.Sides {
		if w.Grouped[side] && len(n.Op.(*plan.GroupBy).Keys) == len(w.Join.Op.(*plan.Join).LeftKeys) {
			most = min(most, groups[1-side])
		}
	}
	return cost + 2*min(made, most)
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
