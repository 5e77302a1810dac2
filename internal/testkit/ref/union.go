package ref

import "pqjoin/plan"

// union is the inputs one after the other.
func union(n *plan.Node, ins []*Table) *Table {
	t := &Table{Schema: n.Schema, Loose: make([]bool, len(n.Schema.Fields))}
	base := 0
	for _, in := range ins {
		for i, r := range in.Rows {
			t.Rows, t.Rank = append(t.Rows, r), append(t.Rank, base+in.Rank[i])
		}
		if k := len(in.Rank); k > 0 {
			base += in.Rank[k-1] + 1
		}
		for c, loose := range in.Loose {
			t.Loose[c] = t.Loose[c] || loose
		}
	}
	return t
}
