package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/plan"
)

// TestBoundsOfTables: a join is bounded by the product of its sides, a head by its rows, and a made text by nothing.
func TestBoundsOfTables(t *testing.T) {
	l := atMost{rows: 10, cols: []int64{8, 100}}
	r := atMost{rows: 5, cols: []int64{8, -1, 16}}
	for _, c := range []struct {
		op   plan.Op
		want int64
	}{
		{&plan.Join{Kind: plan.InnerJoin}, 65}, {&plan.Join{Kind: plan.SemiJoin}, 10}, {&plan.Join{Kind: plan.AsofJoin}, 10},
		{&plan.Union{}, 15}, {&plan.Head{N: 3}, 3}, {&plan.Head{N: 30}, 10}, {&plan.GroupBy{}, 1}, {&plan.GroupBy{Keys: []int{0}}, 10}, {&plan.Index{}, 10},
	} {
		two := atMost{rows: r.rows, cols: l.cols}
		if got := mostOf(nodeOf(c.op), []atMost{l, two}); got.rows != c.want {
			t.Errorf("%T: %d rows, want %d", c.op, got.rows, c.want)
		}
	}
	m := atMost{rows: 1, cols: []int64{8, 100, -1}}
	m.add(atMost{rows: 2, cols: []int64{9, -1, 5}})
	if d := cmp.Diff([]int64{9, -1, -1}, m.cols); d != "" || m.rows != 3 {
		t.Error(m.rows, d)
	}
	if _, ok := m.raw(); ok {
		t.Error("a column that nobody knows is bounded")
	}
	if n, ok := l.raw(); !ok || n != 1080 {
		t.Errorf("10 rows of 108 bytes are %d", n)
	}
	if _, ok := (atMost{rows: -1, cols: []int64{8}}).raw(); ok {
		t.Error("rows that nobody counted are bounded")
	}
}

// nodeOf returns a node of two columns, an integer and a text.
func nodeOf(op plan.Op) *plan.Node {
	return &plan.Node{Op: op, Schema: batch.NewSchema(batch.Field{Name: "a", Type: batch.Of(batch.Int64)}, batch.Field{Name: "b", Type: batch.Of(batch.String)})}
}
