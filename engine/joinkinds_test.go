package engine

import (
	"fmt"
	"testing"

	"pqjoin/internal/testkit/jobgen"
)

// partly returns two tables that share some keys, with null keys on both sides.
func partly() []*jobgen.Input {
	rows := func(from int64) [][]any {
		return generated(120, func(i int64) []any {
			if i%10 == 0 {
				return []any{nil, i}
			}
			return []any{from + i%40, i}
		})
	}
	return []*jobgen.Input{table("t", "k v", rows(0)...), table("s", "k w", rows(25)...)}
}

var joinsOnKeys = []string{"left", "inner", "right", "outer", "semi", "anti"}

func TestTheRowsOfEveryKindOfJoinAreCountedBefore(t *testing.T) {
	for _, how := range joinsOnKeys {
		for _, nulls := range []string{"distinct", "equal"} {
			join := func(most int) *jobgen.Case {
				return one([]string{fmt.Sprintf("join: {with: s, on: k, how: %s, nulls: %s, max_rows: %d}", how, nulls, most)}, partly()...)
			}
			cond := hard(2, 10, 5)
			rows := len(agree(t, join(1<<20), cond).outputs["r"].rows)
			cond.preflight = true
			agree(t, join(rows), cond)
			mentions(t, fails(t, join(rows-1), cond, ErrRefused), "max_rows")
		}
	}
}

func TestRightRowsWithoutAMatchComeInTheirPlace(t *testing.T) {
	afters := [][]string{nil, {"head: 70"}, {"lag: {column: w, periods: [1, -2]}"}, {"index: v"}, {"index: k"}}
	for i, how := range []string{"right", "outer"} {
		for j, before := range [][]string{{"index: k"}, {"index: {by: k desc, nulls: first}"}, {"index: [k, v desc]"}, {"index: v"}, {"index: {by: [v, k], nulls: first}"}, nil} {
			verbs := append(append([]string{}, before...), "join: {with: s, on: k, how: "+how+", indicator: side}")
			agree(t, one(verbs, partly()...), hard(3, 100, 1))
			agree(t, one(append(verbs, afters[(i+j)%len(afters)]...), partly()...), hard(2, 7, 5))
		}
	}
}

func TestRightRowsWithoutAMatchHaveKeysOfTheWiderType(t *testing.T) {
	for _, how := range joinsOnKeys {
		for _, before := range []string{"index: k", "index: v"} {
			agree(t, one([]string{"compute: {k: cast(k as int16)}", before, "join: {with: s, on: k, how: " + how + "}"}, partly()...), hard(2, 7, 5))
		}
	}
}

func TestACrossJoinMakesEveryPair(t *testing.T) {
	for _, before := range [][]string{nil, {"index: v"}} {
		verbs := append(append([]string{}, before...), "join: {with: s, how: cross, suffix: _s, indicator: side}")
		if got := len(agree(t, one(verbs, partly()...), hard(2, 7, 5), hard(3, 500, 1)).outputs["r"].rows); got != 120*120 {
			t.Errorf("%d rows", got)
		}
	}
}
