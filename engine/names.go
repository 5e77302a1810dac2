package engine

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"pqjoin/batch"
	"pqjoin/plan"
)

// The columns that the planner makes for itself have names that begin with ~, and those of the engine with a zero byte. What
// people are shown says what they hold.

// shownName returns a column's name as people are shown it: hidden ones by what they hold, and "" where that is a constant.
func shownName(name string) string {
	plain := strings.TrimLeft(name, "~\x00")
	if plain == name {
		return name
	}
	switch plain {
	case "row":
		return "row number"
	case "all", "constant":
		return ""
	}
	for _, made := range []string{"arg:", "apply:", "key:"} { // of an expression, or of the values of a column
		plain = strings.TrimPrefix(plain, made)
	}
	return plain
}

// mostNames is how many columns are named where there may be thousands.
const mostNames = 12

// names returns the names of the columns at idx, for people: the first of them, and how many more there are.
func names(s *batch.Schema, idx []int) string {
	var out []string
	for _, c := range idx {
		if n := shownName(s.Fields[c].Name); n != "" {
			out = append(out, n)
		}
	}
	if more := len(out) - mostNames; more > 1 {
		out = append(out[:mostNames], fmt.Sprintf("and %s more", humanize.Comma(int64(more))))
	}
	return strings.Join(out, ", ")
}

// within is a step that has its rows in groups by some keys, if any.
func within(step string, s *batch.Schema, keys []int) string {
	if by := names(s, keys); by != "" {
		return step + " by " + by
	}
	return step
}

// sortName names a sort's keys.
func sortName(s *batch.Schema, keys []batch.SortKey) string {
	return names(s, batch.KeyPositions(keys))
}

// groupStep says by what a table is grouped, and groupedName names it then.
func groupStep(s *batch.Schema, keys []int) string {
	if step := within("group", s, keys); step != "group" {
		return step
	}
	return "aggregate all rows"
}

func groupedName(name string, s *batch.Schema, keys []int) string {
	if by := within(name, s, keys); by != name {
		return by
	}
	return name + " in all"
}

// joinStep says on what a side of a join is joined; keys are those of the side, whose schema is s.
func joinStep(op *plan.Join, s *batch.Schema, keys []int) string {
	step := "join"
	if op.Kind == plan.AsofJoin {
		step = "as-of join"
	}
	switch on := names(s, keys); {
	case on != "":
		return step + " on " + on
	case len(keys) > 0 && strings.TrimLeft(s.Fields[keys[0]].Name, "~") == "all":
		return step + " with totals"
	case len(keys) > 0:
		return "cross join"
	}
	return step
}
