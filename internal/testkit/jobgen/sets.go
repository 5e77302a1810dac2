package jobgen

import (
	"fmt"
	"strings"

	"pqjoin/batch"
)

// distinct and union.

func (g *gen) distinct(s *batch.Schema) string {
	switch g.r.IntN(4) {
	case 0:
		return "distinct: all"
	case 1:
		return "distinct: " + list(g.columns(s, 1+g.r.IntN(3)))
	}
	return fmt.Sprintf("distinct: {by: %s, keep: %s}", list(g.columns(s, 1+g.r.IntN(2))), g.pick("first", "last"))
}

// union names one or two tables, those with columns of one name and different types among them: plan refuses some.
func (g *gen) union(table string) string {
	var with []string
	names := g.tables()
	for range 1 + g.r.IntN(2) {
		if n := names[g.r.IntN(len(names))]; n != table {
			with = append(with, n)
		}
	}
	if len(with) == 0 {
		return ""
	}
	return "union: [" + strings.Join(with, ", ") + "]"
}
