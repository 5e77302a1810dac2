package engine

import (
	"testing"

	"pqjoin/plan"
)

// At the floor of a table of many columns partitions hold rows enough that its columns are worth touching: with a fixed
// few megabytes 10,000 columns were sorted twenty rows at a time, and a job took as many times longer.
func TestAtTheFloorPartitionsFillABufferOfEachColumn(t *testing.T) {
	for _, columns := range []int{1, 30, 1000, 10_000, 100_000} {
		w := rowWidth{bytes: 8 * int64(columns), columns: columns}
		n := need{depth: batchesHeld, reader: 1 << 20, writer: 1 << 20, widths: []rowWidth{{bytes: 8, columns: 1}, w}}
		s, err := n.divide(n.floor(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if least := int64(columns) * columnLeast; s.Load < least {
			t.Errorf("%d columns: %d bytes for partitions, below %d", columns, s.Load, least)
		}
		if _, err := n.divide(n.floor()-1, 2); err == nil {
			t.Errorf("%d columns: a byte below the floor is taken", columns)
		}
	}
}

// Forty joins in one pipeline each have a store open, a partition in memory and a batch in hand.
func TestTheFloorCountsJoinsThatAreComputedBehindEachOther(t *testing.T) {
	scan := func() *phys { return &phys{node: &plan.Node{Op: &plan.Scan{}}} }
	for _, c := range []struct {
		strategy      Strategy
		stores, loads int
	}{{joinRange, 41, 41}, {joinHash, 42, 1}, {joinBroadcast, 41, 1}} {
		p := &phys{node: &plan.Node{Op: &plan.Index{}}, in: []*phys{scan()}, strategy: externalSort}
		for range 40 {
			p = &phys{node: &plan.Node{Op: &plan.Join{}}, in: []*phys{p, scan()}, strategy: c.strategy}
		}
		h := p.holding(map[*phys]held{})
		if h.peak < c.stores || h.peak > c.stores+2 || h.loads != c.loads {
			t.Errorf("%s: %+v, want %d stores and %d loads", c.strategy, h, c.stores, c.loads)
		}
	}
	side, swapped := scan(), scan()
	for range 40 { // whichever side is written left
		join := &phys{node: &plan.Node{Op: &plan.Join{}}, in: []*phys{side, scan()}, strategy: joinRange}
		side = join
		turned := &phys{node: &plan.Node{Op: &plan.Join{}}, in: []*phys{scan(), swapped}, strategy: joinRange}
		turned.swap = &phys{node: turned.node, in: []*phys{swapped, turned.in[0]}, strategy: joinRange}
		swapped = turned
	}
	if a, b := side.holding(map[*phys]held{}), swapped.holding(map[*phys]held{}); a != b {
		t.Errorf("joins whose sides change places hold %+v, want %+v", b, a)
	}
	n := need{depth: batchesHeld, reader: 1 << 20, writer: 1 << 20, widths: []rowWidth{{bytes: 8, columns: 1}}, loads: 41}
	s, err := n.divide(n.floor(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if s.JoinLoad < loadLeast || s.JoinLoad*41 > 2*s.Load {
		t.Errorf("of %d bytes for partitions each of 41 joins has %d", s.Load, s.JoinLoad)
	}
}
