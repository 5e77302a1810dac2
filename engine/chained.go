package engine

import "pqjoin/plan"

// held is what a table takes while it is read: of joins that are computed one behind the other there may be many at once.
type held struct {
	stores int // partition stores that are open
	peak   int // the most stores while the table is made
	loads  int // partitions that a worker has in memory
	joins  int // joins in one pipeline, each with a batch of its left in hand
}

const (
	// fewStores, fewLoads and fewJoins are as many as every job has room for.
	fewStores, fewLoads, fewJoins = 3, 2, 2
	// storeLeast is what a store takes besides its blocks: where chunks are compressed, and the pages of its ledger.
	storeLeast = 768 << 10
	// loadLeast is the least of a partition that one of many joins in a pipeline works on.
	loadLeast = 256 << 10
)

// more adds up what reading another table beside this one takes.
func (h held) more(o held) held {
	return held{
		stores: h.stores + o.stores, peak: max(h.peak, h.stores+o.peak),
		loads: max(h.loads, o.loads), joins: max(h.joins, o.joins),
	}
}

// holding returns what reading a node's table takes; seen is that of nodes that were looked at before.
func (p *phys) holding(seen map[*phys]held) held {
	if h, ok := seen[p]; ok {
		return h
	}
	h := p.computing(seen)
	if p.shared() { // a store of its own, from which it is read
		h = held{stores: 1, peak: max(h.peak, h.stores+1)}
	}
	seen[p] = h
	return h
}

// computing is holding of a table that no store is between.
func (p *phys) computing(seen map[*phys]held) held {
	if p.swap != nil {
		return p.swap.computing(seen)
	}
	ins := make([]held, len(p.in))
	for i, in := range p.in {
		ins[i] = in.holding(seen)
	}
	switch p.node.Op.(type) {
	case *plan.Index:
		return held{stores: 1, peak: max(ins[0].peak, ins[0].stores+1), loads: 1}
	case *plan.GroupBy:
		if p.strategy == streamGroup {
			return ins[0]
		}
		return held{stores: 2, peak: max(ins[0].peak, ins[0].stores+2), loads: 1}
	case *plan.Join:
		return p.joining(ins[0], ins[1])
	}
	all := held{}
	for _, in := range ins {
		all = all.more(in)
	}
	return all
}

// joining is that of a join: the right's store is made first, and is there while the left is.
func (p *phys) joining(left, right held) held {
	peak := max(right.peak, right.stores+1)
	h := held{stores: 1 + left.stores, peak: max(peak, 1+left.peak), loads: left.loads, joins: left.joins + 1}
	switch p.strategy {
	case joinBroadcast:
	case joinRange:
		h.loads++
	default: // the left is cut too, and its rows may be sorted again
		h.peak = max(h.peak, h.stores+1, 3)
		h.stores, h.loads, h.joins = 2, 1, 1
	}
	return h
}

// chained returns the most that any output or right side takes.
func (r *Run) chained() held {
	seen, most, kept := map[*phys]held{}, held{}, -1
	for _, p := range r.nodes {
		h := p.computing(seen)
		if p.shared() { // its own store, which is there until its last reader has read it
			h.peak = max(h.peak, h.stores+1)
			kept++
		}
		most.peak, most.loads, most.joins = max(most.peak, h.peak), max(most.loads, h.loads), max(most.joins, h.joins)
	}
	most.peak += max(kept, 0)
	return most
}
