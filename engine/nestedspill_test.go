package engine

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/testkit/jobgen"
)

// withPayload is a table of k and v, with a nested column between them.
func withPayload(name, columns, shape string, n int, row func(i int64) []any) *jobgen.Input {
	r := rand.New(rand.NewPCG(uint64(n), 3))
	names := strings.Fields(columns)
	in := table(name, names[0]+" "+names[2], generated(n, row)...)
	typ := batch.Type{ID: batch.Nested, Shape: shape}
	in.Schema.Fields = []batch.Field{in.Schema.Fields[0], {Name: names[1], Type: typ, Nullable: true}, in.Schema.Fields[1]}
	for i, row := range in.Rows {
		var v any
		if i%7 > 0 {
			v = jobgen.NestedValue(r, typ)
		}
		in.Rows[i] = []any{row[0], v, row[1]}
	}
	return in
}

// Rows with lists, structs and maps go to disk and come back as they were, on both sides of joins and through sorts.
func TestNestedPayloadsSpill(t *testing.T) {
	spilled := map[string]bool{}
	for _, shape := range []string{"list<int64>", "struct<a: int64, b: string>", "list<struct<x: int32 not null, y: string, z: list<bool>>>", "map<string, list<struct<f: float64>>>"} {
		l := withPayload("t", "k p v", shape, 500, func(i int64) []any { return []any{i * 7919 % 211, i} })
		r := withPayload("s", "k q w", shape, 300, func(i int64) []any { return []any{i * 31 % 251, i} })
		for _, verbs := range [][]string{
			{"index: [k, v]", "lag: {column: p, by: k, periods: [1, -1]}"},
			{"join: {with: s, on: k, how: outer, strategy: hash}", "index: [v, w]"},
			{"join: {with: s, on: k, how: left, strategy: merge}"},
			{"groupby: {by: k, agg: {f: \"first(p)\", l: \"last(p)\", m: \"arg_max(p, v)\", n: \"count(p)\"}}"},
			{"distinct: {by: [k], keep: last}"},
			{"window: {columns: {a: \"ffill(p)\", b: \"lead(p, 3)\"}, by: [k], order_by: [v]}"},
		} {
			got := agree(t, one(verbs, l, r), hard(1, 7, 5), hard(4, 50, 20))
			for _, s := range got.board.Stages {
				_, sink, _ := strings.Cut(s.Name, " -> ")
				for _, op := range []string{"index", "right side of join", "left side of join"} {
					spilled[op] = spilled[op] || strings.HasPrefix(sink, op) && s.Spilled > 0
				}
			}
		}
	}
	for op, ok := range spilled {
		if !ok {
			t.Errorf("no stage of kind %q spilled", op)
		}
	}
}
