package plan

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/expr"
)

// nearest returns the candidate closest to name by edit distance (letter case and
// swapped neighbours count little), or "" where none is close.
func nearest(name string, candidates []string) string {
	if len(name) > 64 {
		return ""
	}
	best, bestCost := "", len([]rune(name))/3+2
	for _, c := range candidates {
		if len(c) > 64 || c == name {
			continue
		}
		cost := expr.EditDistance([]rune(strings.ToLower(name)), []rune(strings.ToLower(c)), true)
		if cost < bestCost && cost < max(len([]rune(name)), len([]rune(c))) {
			best, bestCost = c, cost
		}
	}
	return best
}

// otherWords are what SQL, pandas, Dask and Spark call things that have another name here.
var otherWords = [...]struct{ theirs, ours string }{
	{"sort", "index"}, {"sort_values", "index"}, {"order_by", "index"}, {"orderby", "index"}, {"set_index", "index"},
	{"filter", "where"}, {"query", "where"}, {"merge", "join"}, {"merge_asof", "join"},
	{"assign", "compute"}, {"mutate", "compute"}, {"with_columns", "compute"}, {"group_by", "groupby"}, {"aggregate", "groupby"},
	{"concat", "union"}, {"union_all", "union"}, {"append", "union"}, {"limit", "head"}, {"drop_duplicates", "distinct"}, {"shift", "lag"},
	{"cache", "persist"}, {"validate", "check"}, {"expect", "check"},
	{"avg", "mean"}, {"average", "mean"}, {"stddev", "std"}, {"stddev_samp", "std"}, {"variance", "var"}, {"var_samp", "var"},
	{"array_agg", "list"}, {"collect_list", "list"}, {"size", "count"}, {"count_distinct", "nunique"}, {"n_unique", "nunique"},
	{"approx_count_distinct", "approx_nunique"}, {"percentile", "quantile"}, {"percentile_cont", "quantile_cont"},
	{"group_concat", "string_agg"}, {"listagg", "string_agg"}, {"any_value", "first"}, {"bool_or", "any"}, {"bool_and", "all"},
	{"argmin", "arg_min"}, {"argmax", "arg_max"}, {"min_by", "arg_min"}, {"max_by", "arg_max"},
}

// maxListed is how many candidates a hint spells out.
const maxListed = 24

// hintName says which of the candidates was probably meant, or lists them.
func hintName(name string, candidates []string) string {
	for _, w := range otherWords {
		if strings.EqualFold(name, w.theirs) && slices.Contains(candidates, w.ours) {
			return fmt.Sprintf("it is called %s here", w.ours)
		}
	}
	if c := nearest(name, candidates); c != "" {
		return fmt.Sprintf("did you mean %q?", c)
	}
	switch n := len(candidates); {
	case n == 0:
		return ""
	case n <= maxListed:
		return "there is " + strings.Join(candidates, ", ")
	default:
		return fmt.Sprintf("there is %s and %d more", strings.Join(candidates[:maxListed], ", "), n-maxListed)
	}
}
