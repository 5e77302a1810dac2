package groupby

import (
	"math"
	"sync"
	"sync/atomic"
)

// trials is how many partitions' first chunks tell whether shared tables hold all groups.
const trials = 16

// trial is what the first chunk of each partition tells: as long as it lasts, none waits for others.
type trial struct {
	done atomic.Bool

	mu     sync.Mutex
	parts  int
	rows   int
	groups int // that the rows made
}

// add notes a partition's first chunk. After enough of them s is given up where its tables have no room for all groups, if the keys
// come in no order: of G equally likely groups n rows find G(1-exp(-n/G)). Some keys more frequent than others find fewer, and
// what the trial does not see the tables' growth tells later.
func (t *trial) add(s *shared, rows, groups int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() {
		return
	}
	t.parts++
	t.rows += rows
	t.groups += groups
	if t.parts < min(trials, len(s.parts)) {
		return
	}
	t.done.Store(true)
	room := float64(s.most) / float64(len(s.parts)) / sharedEntry(s.lay)
	n := float64(t.rows) / float64(t.parts)
	if float64(t.groups)/float64(t.parts) > room*(1-math.Exp(-n/room)) {
		s.giveUp()
	}
}

// sharedEntry is about how many bytes a group takes: a table has a ninth more of entries, and three slots for each.
func sharedEntry(lay *layout) float64 { return float64(lay.stride)*8*9/8 + 3*8 }
