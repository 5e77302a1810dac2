package hashjoin

import (
	"testing"

	"pqjoin/batch"
)

// Keys with equal hashes are told apart by their columns; no real hash is known to collide, so the hashes are set by hand.
func TestCollidingHashesAreToldApart(t *testing.T) {
	c := column{off: []uint32{0}}
	for _, s := range []string{"a", "b", "a", "c", "b"} {
		c.data = append(c.data, s...)
		c.off, c.null = append(c.off, uint32(len(c.data))), append(c.null, false)
	}
	col := c.build(batch.Of(batch.String), false)
	schema := batch.NewSchema(batch.Field{Name: "k", Type: col.Type})
	k := &keys{n: 5, words: make([]uint64, 5), cols: []*batch.Column{col}}
	table := &RightTable{rows: &batch.Batch{Schema: schema, Cols: k.cols, N: 5}, keyCols: k.cols, mode: hashed}
	if err := table.build(nil, k); err != nil {
		t.Fatal(err)
	}
	refs := make([]ref, 5)
	table.find(k, refs, nil)
	for i, want := range [][]uint32{{0, 2}, {1, 4}, {0, 2}, {3}, {1, 4}} {
		if int(refs[i].n) != len(want) {
			t.Fatalf("row %d: %d matches, want %d", i, refs[i].n, len(want))
		}
		for n, row := range want {
			if got := table.row(refs[i], uint32(n)); got != row {
				t.Errorf("row %d: match %d is row %d, want %d", i, n, got, row)
			}
		}
	}
}
