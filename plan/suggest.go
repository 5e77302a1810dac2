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
	{"full", "outer"}, {"full_outer", "outer"}, {"left_outer", "left"}, {"right_outer", "right"}, {"leftsemi", "semi"}, {"leftanti", "anti"},
	{"concat", "union"}, {"union_all", "union"}, {"append", "union"}, {"limit", "head"}, {"drop_duplicates", "distinct"}, {"shift", "lag"},
	{"cache", "persist"}, {"validate", "check"}, {"expect", "check"},
	{"avg", "mean"}, {"average", "mean"}, {"stddev", "std"}, {"stddev_samp", "std"}, {"variance", "var"}, {"var_samp", "var"},
	{"array_agg", "list"}, {"collect_list", "list"}, {"size", "count"}, {"count_distinct", "nunique"}, {"n_unique", "nunique"},
	{"approx_count_distinct", "approx_nunique"}, {"percentile", "quantile"}, {"percentile_cont", "quantile_cont"},
	{"group_concat", "string_agg"}, {"listagg", "string_agg"}, {"any_value", "first"}, {"bool_or", "any"}, {"bool_and", "all"},
	{"uniq", "nunique"}, {"argmin", "arg_min"}, {"argmax", "arg_max"}, {"min_by", "arg_min"}, {"max_by", "arg_max"},
}

// verbForms are verbs of pandas and Spark that are expressions here.
var verbForms = map[string]string{
	"fillna": "write compute: {x: coalesce(x, 0)}", "astype": "write compute: {x: cast(x as float64)}", "dropna": "write where: x is not null", "isin": "write where: x in (1, 2, 3)",
	"repartition": "write files: {size: 512MB} at the output, or rows or count",
}

// keyForms are keys of other programs that readers of CSV take, and what to do without them.
var keyForms = map[string]string{
	"delimiter": separatorHint, "delim": separatorHint, "sep": separatorHint, "separator": separatorHint,
	"nulls": nullsHint, "null": nullsHint, "na_values": nullsHint, "null_values": nullsHint, "nullstr": nullsHint,
	"dtype": "it is called types here", "dtypes": "it is called types here", "usecols": "it is called columns here", "filters": "it is called where here",
}

const (
	separatorHint = "format: tsv reads tabs; convert files with other separators first"
	nullsHint     = "an empty field is null; of other marks compute it: nullif(v, 'NA')"
)

// hintKey is hintName for keys of a mapping.
func hintKey(name string, keys []string) string {
	if h, ok := keyForms[strings.ToLower(name)]; ok && slices.Contains(keys, "nan_as_null") {
		return h
	}
	return hintName(name, keys)
}

// hintVerb is hintName for verbs.
func hintVerb(name string, verbs []string) string {
	if h, ok := verbForms[strings.ToLower(name)]; ok {
		return h
	}
	return hintName(name, verbs)
}

// hintColumn is hintName for columns: what stands for one may be a name with its table before it, or an expression.
func hintColumn(name string, columns []string) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case name == "*":
		return "leave the select out to keep all columns; drop removes some"
	case last != name && slices.Contains(columns, last):
		return fmt.Sprintf("did you mean %q? columns have no table before them", last)
	case strings.HasSuffix(name, ")") && strings.Contains(name, "("):
		return "a column is named here: compute the expression in a verb before it"
	}
	return hintName(name, columns)
}

// hintTable is hintName for tables, among which a path of a file is none.
func hintTable(name string, tables []string) string {
	if strings.ContainsAny(name, "/\\*") {
		return "give the files a name in inputs"
	}
	return hintName(name, tables)
}

// hintAggregate is hintName for aggregates, in whose place a function of single values or of a module may stand.
func hintAggregate(fn string) string {
	last := fn[strings.LastIndexByte(fn, '.')+1:]
	switch {
	case last != fn && slices.Contains(aggNames, last):
		return "write " + last + "(x)"
	case expr.HasFunction(fn):
		return "it is a function of single values: compute with the result of an aggregate in a verb of its own, behind groupby"
	}
	return hintName(fn, aggNames)
}

// innerCall returns the first call of one of names within n, or nil. Functions of single values are none.
func innerCall(n *expr.Node, names []string) *expr.Node {
	if n == nil {
		return nil
	}
	if n.Op == expr.OpCall && slices.Contains(names, n.Name) && !expr.HasFunction(n.Name) {
		return n
	}
	for _, a := range n.Args {
		if c := innerCall(a, names); c != nil {
			return c
		}
	}
	return nil
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
