package main

import (
	"fmt"
	"strings"
)

// hardJobs put verbs that the first list has once to other data, and the functions that it has not.
var hardJobs = [...]job{
	{"anti join, Zipf keys", "unique zipf", `{from: zipf}, {join: {with: u, on: key, how: anti}}, {index: [key, v1]}` + "\n" + `  u: [{from: unique}, {where: "key % 3 = 0"}]`, ""},
	{"anti join, one key", "onekey onekey2", `{from: onekey}, {join: {with: q, on: col1, how: anti}}, {index: [col3, col2]}` + "\n" + `  q: [{from: onekey2}, {compute: {col1: "col1 + 1"}}]`, ""},
	{"anti join, strings", "strings", `{from: strings}, {join: {with: s, on: [c1, c2], how: anti}}, {index: key}` + "\n" + `  s: [{from: strings}, {where: "key % 2 = 0"}]`, ""},
	{"outer join, Zipf keys", "unique zipf", `{from: zipf}, {join: {with: u, on: key, how: outer, indicator: which}}, {index: [key, v1]}` + "\n" + `  u: [{from: unique}, {where: "key < 800000"}, {rename: {v1: w}}]`, ""},
	{"outer join, one key on each side", "onekey onekey2", `{from: few}, {join: {with: q, on: col1, how: outer}}, {index: [col1, col3, col2, col4]}` + "\n" + `  few: [{from: onekey}, {head: 60000}]` + "\n" + `  q: [{from: onekey2}, {head: 12}]`, ""},
	{"right join, Zipf keys on the right", "unique zipf", `{from: u}, {join: {with: zipf, on: key, how: right}}, {index: [key, v1, w]}` + "\n" + `  u: [{from: unique}, {where: "key % 2 = 0"}, {rename: {v1: w}}]`, ""},
	{"join of nulls that are equal", "unique", `{from: t}, {join: {with: g, on: k, nulls: equal}}, {index: [k, key]}` + "\n" + `  t: [{from: unique}, {compute: {k: "nullif(key % 4, 1) + nullif(key % 1000, 7)"}}]` + "\n" + `  g: [{from: t}, {groupby: {by: k, agg: {m: mean(v1)}}}]`, ""},
	{"as-of join, forward, Zipf groups", "zipf unique", `{from: zipf}, {join: {with: u, on: key, how: asof, asof: {on: {v1: w}, direction: forward, tolerance: 1000}}}, {index: [key, v1]}` + "\n" + `  u: [{from: unique}, {rename: {v1: w}}]`, ""},
	{"as-of join without groups", "seed seed2", `{from: seed}, {join: {with: q, how: asof, asof: {on: col3}}}, {index: [col3, col1, col2]}` + "\n" + `  q: [{from: seed2}, {rename: {col4: col3, col1: c}}]`, ""},
	{"string_agg and list, Zipf", "zipf", `{from: zipf}, {groupby: {by: key, agg: {s: "string_agg(v1, ';')", l: list(v1)}}}`, ""},
	{"median and quantiles, one key", "onekey", `{from: onekey}, {groupby: {by: col1, agg: {a: median(col3), b: "quantile(col2, 0.99)", c: "quantile_cont(col3, 0.1)", d: mode(col2), e: approx_nunique(col3), f: "approx_quantile(col3, 0.5)"}}}`, ""},
	{"medians of all rows", "unique", `{from: unique}, {groupby: {by: [], agg: {m: median(v1), u: nunique(key), q: "quantile(key, 0.5)", n: count()}}}`, ""},
	{"200 aggregates", "seed2", `{from: seed2}, {groupby: {by: col1, agg: {` + manyAggregates(200, "sum", "mean", "min", "max", "std", "var", "first") + `}}}`, ""},
	{"30 aggregates of all values of a group", "seed2", `{from: seed2}, {groupby: {by: col1, agg: {` + manyAggregates(30, "median", "nunique", "mode") + `}}}`, ""},
	{"moments and conditions, Zipf", "zipf", `{from: zipf}, {groupby: {by: key, agg: {a: "var(v1)", b: "corr(v1, key)", c: "arg_max(v1, v1)", d: "sum(v1) filter (where v1 % 2 = 0)", e: "any(v1 > 3)", f: "cov(v1, key)"}}}`, ""},
	{"group-by of an expression, strings", "strings", `{from: strings}, {groupby: {by: [{a: "left(c1, 2)"}, {b: "upper(c2)"}], agg: {n: count(), u: nunique(c3), m: max(c4), t: "top(c5, 3)"}}}`, ""},
	{"union and distinct", "unique", `{from: unique}, {union: [u, unique]}, {distinct: all}, {index: [key, v1]}` + "\n" + `  u: [{from: unique}, {where: "key % 2 = 0"}]`, ""},
	{"union of other columns", "unique strings", `{from: unique}, {union: [strings]}, {index: [key, v1, c1]}`, ""},
	{"head of a sort", "seed", `{from: seed}, {index: [col3, col2, col1]}, {head: 1000000}`, ""},
	{"lag, the whole table", "seed", `{from: seed}, {index: [col3, col2, col1]}, {lag: {column: [col1, col2], periods: [1, 100000], as: "{column}_{period}"}}`, ""},
	{"window, the functions of columns", "seed", `{from: seed}, {window: {by: col1, order_by: [col3, col2], columns: {a: "ewm_mean(col3, 0.1)", b: "pct_change(col2, 1)", c: "ffill(nullif(col2, 5))", d: "rolling_max(col3, 50)", e: "rolling_std(col3, 50)", f: "dense_rank()", g: "cummax(col2)", h: "last(col2)"}}}`, ""},
	{"window, strings", "strings", `{from: strings}, {window: {by: c1, order_by: key, columns: {a: "lead(c2, 1)", b: "first(c3)", c: "max(c4)", d: "ffill(c5)"}}}`, ""},
	{"check, all distinct", "unique", `{from: unique}, {check: {unique: [key], not_null: [key, v1], rows: {min: 1}, expect: ["v1 is not null"]}}, {index: v1}`, ""},
	{"texts computed", "strings", `{from: strings}, {compute: {a: "sha256(c1)", b: "repeat(c2, 20)", c: "regexp_replace(c3, '[a-f]+', '<&>', 'g')", d: "c4 || c5 || c6"}}, {index: [a, key]}`, ""},
}

// manyAggregates returns n aggregates of a column, each of other values.
func manyAggregates(n int, functions ...string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`a%d: "%s(col4 + %d)"`, i, functions[i%len(functions)], i)
	}
	return strings.Join(all, ", ")
}

// hungryJobs make single values that have to fit in memory: at a small bound they may stop, and say so, but not at a larger one
// than one that was enough.
var hungryJobs = [...]job{
	{"string_agg of all rows", "onekey", `{from: onekey}, {groupby: {by: col1, agg: {s: "string_agg(col3, ',')"}}}`, ""},
	{"list of all rows", "onekey", `{from: onekey}, {groupby: {by: col1, agg: {l: list(col2), t: "top(col3, 1000000)"}}}`, ""},
	{"a list of texts of all rows, JSON lines out", "strings", `{from: strings}, {groupby: {by: [], agg: {l: list(c1)}}}`, "format: jsonl"},
}

// resumedJobs are also killed, and gone on with, at their floors.
var resumedJobs = [...]job{
	{"resumed: persist, joins and an index", "seed seed2", `{from: p}, {join: {with: g, on: col1}}, {index: [col1, col3, col2]}` + "\n" + `  p: [{from: seed}, {compute: {x: "ln(col3)"}}, {persist: true}]` + "\n" + `  g: [{from: p}, {groupby: {by: col1, agg: {m: max(x)}}}]`, ""},
	{"resumed: CSV in, an index, directories out", "csv", `{from: csv}, {index: [col3, col2]}, {compute: {p: "col1 % 20"}}`, "partition_by: [p]"},
	{"resumed: two tables of all distinct keys", "unique zipf", `{from: unique}, {join: {with: g, on: key, how: left}}, {index: [v1, key]}` + "\n" + `  g: [{from: zipf}, {groupby: {by: key, agg: {n: count(), m: median(v1)}}}]`, ""},
}

// trialJob is a job with what else may or must happen to it.
type trialJob struct {
	job
	stops   bool // it may stop for want of memory
	resumes bool // it is killed, and gone on with
}

// catalogue returns all jobs.
func catalogue() (all []trialJob) {
	for _, list := range [][]job{jobs[:], formatJobs[:], hardJobs[:]} {
		for _, j := range list {
			all = append(all, trialJob{job: j})
		}
	}
	for _, j := range hungryJobs {
		all = append(all, trialJob{job: j, stops: true})
	}
	for _, j := range resumedJobs {
		all = append(all, trialJob{job: j, resumes: true})
	}
	return all
}
