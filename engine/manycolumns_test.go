package engine

import (
	"fmt"
	"strings"
	"testing"
)

// manyColumns is a table whose rows differ in one of their many columns at most, by a null where others have 0.
func manyColumns(n int) (names string, rows [][]any) {
	for c := range n {
		names += fmt.Sprintf(" c%d", c)
	}
	for i := range 4 * n {
		row := make([]any, n)
		for c := range row {
			row[c] = int64(0)
		}
		if i%4 > 0 {
			row[i/4] = []any{nil, nil, int64(1)}[i%4-1]
		}
		rows = append(rows, row)
	}
	return names, rows
}

// A null is no 0 in whichever of the key's columns it is: null bits take a word for each 64 columns.
func TestKeysOfManyNullableColumns(t *testing.T) {
	names, rows := manyColumns(130)
	keys := "[" + strings.Join(strings.Fields(names), ", ") + "]"
	for _, verbs := range [][]string{
		{"distinct: all", "index: " + keys},
		{"groupby: {by: " + keys + ", agg: {n: count()}}"},
		{"groupby: {by: " + keys + ", agg: {n: count()}, nulls: drop}"},
		{"index: " + keys, "groupby: {by: " + keys + ", agg: {n: count()}}"},
		{"index: " + keys, "join: {with: u, on: " + keys + ", how: left, nulls: equal}"},
		{"index: " + keys, "join: {with: u, on: " + keys + ", how: anti}"},
	} {
		c := one(verbs, table("t", names, rows...), table("u", names+" x", rowsWith(rows[:90])...))
		agree(t, c, hard(2, 16, 8))
	}
}

// rowsWith returns some of the rows, each once, with one more column.
func rowsWith(rows [][]any) (out [][]any) {
	for i, r := range rows {
		if i%4 == 1 || i%4 == 3 {
			out = append(out, append(append([]any{}, r...), int64(i)))
		}
	}
	return out
}
