package engine

import "testing"

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
