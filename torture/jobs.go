package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// job is one job of the catalogue: the inputs that it reads and the verbs of its table r.
type job struct {
	name   string
	inputs string // words
	verbs  string // of table r, a flow sequence without brackets; more tables may follow after "\n"
	output string // a flow mapping without path, may be empty
}

// jobs puts every operator to every sort of data that is hard on it. All have an order, and so the same bytes at every bound.
var jobs = [...]job{
	{"index", "seed", `{from: seed}, {index: col1}`, ""},
	{"index of two columns", "seed", `{from: seed}, {index: ["col1 desc", col3]}`, ""},
	{"index, sorted already", "sorted", `{from: sorted}, {index: col1}`, ""},
	{"index, one key", "onekey", `{from: onekey}, {index: col1}`, ""},
	{"index, all distinct", "unique", `{from: unique}, {index: key}`, ""},
	{"index, Zipf", "zipf", `{from: zipf}, {index: key}`, ""},
	{"index, one row group of 8M rows", "big", `{from: big}, {index: col1}`, ""},
	{"index, 300 columns", "wide", `{from: wide}, {index: key}`, ""},
	{"index, strings", "strings", `{from: strings}, {index: [c1, key]}`, ""},
	{"index, 1 MB strings", "long", `{from: long}, {index: col1}`, ""},
	{"index, 64 MB strings", "longest", `{from: longest}, {index: col1}`, ""},
	{"index, 10,000 columns", "widest", `{from: widest}, {index: key}`, ""},
	{"index, nothing", "empty", `{from: empty}, {index: col1}`, ""},
	{"lag", "seed", `{from: seed}, {lag: {column: col3, by: col1, periods: [0, 1, 2, -1000], as: "col_{period}", apply: ln(value)}}`, ""},
	{"lag, one key", "onekey", `{from: onekey}, {lag: {column: col3, by: col1, periods: [1, 50000], as: "col_{period}"}}`, ""},
	{"window", "seed", `{from: seed}, {window: {by: col1, order_by: col3, columns: {a: "rolling_mean(col2, 100)", b: "rank()", c: "sum(col2)", d: "lead(col2, 3)", e: "bfill(col2)"}}}`, ""},
	{"window, one key", "onekey", `{from: onekey}, {window: {by: col1, order_by: col3, columns: {a: "cumsum(col2)", b: "row_number()", c: "max(col2)"}}}`, ""},
	{"join on the index", "seed seed2", `{from: seed}, {index: col1}, {join: {with: g, on: col1, how: left}}` + "\n" + `  g: [{from: seed2}, {groupby: {by: col1, agg: {m: mean(col4)}}}]`, ""},
	{"join that multiplies", "seed seed2", `{from: few}, {index: col1}, {join: {with: seed2, on: col1, how: left}}` + "\n" + `  few: [{from: seed}, {head: 100000}]`, ""},
	{"join, one key on both sides", "onekey onekey2", `{from: few}, {index: col1}, {join: {with: onekey2, on: col1}}` + "\n" + `  few: [{from: onekey}, {head: 100000}]`, ""},
	{"join of two large tables", "unique zipf", `{from: unique}, {join: {with: zipf, on: key, how: inner}}, {index: [key, v1]}`, ""},
	{"outer join", "seed seed2", `{from: some}, {join: {with: g, on: col1, how: outer, indicator: which}}, {index: col1}` + "\n" + `  some: [{from: seed}, {where: "col1 % 3 = 0"}]` + "\n" + `  g: [{from: seed2}, {groupby: {by: col1, agg: {m: mean(col4)}}}]`, ""},
	{"right join", "seed seed2", `{from: g}, {join: {with: seed, on: col1, how: right}}, {index: [col1, col2, col3]}` + "\n" + `  g: [{from: seed2}, {where: "col1 % 2 = 0"}, {groupby: {by: col1, agg: {m: mean(col4)}}}]`, ""},
	{"cross join", "seed", `{from: few}, {join: {with: c, how: cross}}, {index: [k, col1, col2, col3]}` + "\n" + `  few: [{from: seed}, {head: 200000}]` + "\n" + `  c: [{from: seed}, {head: 5}, {select: {k: col2}}]`, ""},
	{"semi join, 25 keys of 100,000 rows", "unique", `{from: t}, {join: {with: u, on: k, how: semi}}, {index: [k, key]}` + "\n" + `  t: [{from: unique}, {compute: {k: "key % 25"}}]` + "\n" + `  u: [{from: t}, {where: "k < 20"}]`, ""},
	{"join of 1 MB strings", "long", `{from: long}, {index: col1}, {join: {with: l, on: col1}}` + "\n" + `  l: [{from: long}, {head: 40}]`, ""},
	{"join, 10,000 columns", "widest", `{from: widest}, {index: key}, {join: {with: w, on: key, how: left}}` + "\n" + `  w: [{from: widest}, {select: {key: key, z: c1}}]`, ""},
	{"group-by, 10,000 columns", "widest", `{from: widest}, {groupby: {by: key, agg: {` + aggregates(10_000, 9_999) + `}}}`, ""},
	{"group-by in order, 10,000 columns", "widest", `{from: widest}, {index: key}, {groupby: {by: key, agg: {` + aggregates(10_000, 9_999) + `}}}`, ""},
	{"distinct, 10,000 columns", "widest", `{from: widest}, {union: [widest]}, {distinct: all}, {index: key}`, ""},
	{"window, 10,000 columns", "widest", `{from: widest}, {window: {by: c1, order_by: key, columns: {a: "cumsum(c2)", b: "rolling_mean(c3, 10)"}}}`, ""},
	{"as-of join, 10,000 columns", "widest", `{from: widest}, {join: {with: w, how: asof, asof: {on: key}}}, {index: key}` + "\n" + `  w: [{from: widest}, {select: {key: key, z: c1}}]`, ""},
	{"CSV out, 10,000 columns", "widest", `{from: widest}, {index: key}`, "format: csv"},
	{"Arrow out, 10,000 columns", "widest", `{from: widest}, {index: key}`, "format: arrow"},
	{"JSON lines out, 10,000 columns", "widest", `{from: widest}, {index: key}`, "format: jsonl"},
	{"semi join", "unique zipf", `{from: unique}, {index: key}, {join: {with: zipf, on: key, how: semi}}`, ""},
	{"anti join", "unique zipf", `{from: unique}, {index: key}, {join: {with: zipf, on: key, how: anti}}`, ""},
	{"join, 300 columns", "wide", `{from: wide}, {index: key}, {join: {with: w, on: key}}` + "\n" + `  w: [{from: wide}, {where: "key % 2 = 0"}]`, ""},
	{"group-by, few keys", "seed", `{from: seed}, {groupby: {by: col1, agg: {n: count(), s: sum(col2), m: mean(col3), d: std(col3), q: median(col2)}}}`, ""},
	{"group-by, all distinct", "unique", `{from: unique}, {groupby: {by: key, agg: {n: count(), s: sum(v1)}}}`, ""},
	{"group-by, Zipf", "zipf", `{from: zipf}, {groupby: {by: key, agg: {n: count(), s: sum(v1), m: max(v1), u: nunique(v1), q: "quantile(v1, 0.9)"}}}`, ""},
	{"group-by, one key", "onekey", `{from: onekey}, {groupby: {by: col1, agg: {n: count(), q: median(col2), u: nunique(col3), f: first(col2)}}}`, ""},
	{"group-by, strings", "strings", `{from: strings}, {groupby: {by: c1, agg: {n: count(), a: min(c2), b: max(c3), f: first(c4)}}}`, ""},
	{"group-by, 1 MB strings", "long", `{from: long}, {groupby: {by: col1, agg: {a: min(s), f: first(s)}}}`, ""},
	{"group-by, 300 columns", "wide", `{from: wide}, {groupby: {by: key, agg: {a: first(c1), b: max(c2), c: count()}}}`, ""},
	{"group-by of 1,000 aggregates", "wide", `{from: wide}, {groupby: {by: key, agg: {` + aggregates(1000, 250) + `}}}`, ""},
	{"distinct of distinct rows", "unique", `{from: unique}, {distinct: all}, {index: [v1, key]}`, ""},
	{"distinct, one key", "onekey", `{from: onekey}, {index: col3}, {distinct: {by: [col1], keep: last}}`, ""},
	{"distinct", "zipf", `{from: zipf}, {index: v1}, {distinct: {by: [key], keep: last}}`, ""},
	{"distinct of all", "strings", `{from: strings}, {distinct: all}, {index: key}`, ""},
	{"union and check", "seed sorted", `{from: seed}, {union: [sorted]}, {check: {not_null: [col1], unique: [col1], on_fail: warn}}`, ""},
	{"persist, read twice", "seed", `{from: p}, {join: {with: g, on: col1}}, {index: [col1, col3]}` + "\n" + `  p: [{from: seed}, {compute: {x: col2 * 2}}, {persist: true}]` + "\n" + `  g: [{from: p}, {groupby: {by: col1, agg: {m: max(x)}}}]`, ""},
	{"as-of join", "seed seed2", `{from: seed}, {join: {with: q, on: col1, how: asof, asof: {on: col3, tolerance: 5}}}, {index: [col1, col3, col2]}` + "\n" + `  q: [{from: seed2}, {rename: {col4: col3}}]`, ""},
	{"lists and texts", "seed", `{from: seed}, {index: [col1, col3]}, {groupby: {by: col1, agg: {l: list(col2), t: "top(col2, 5)", a: approx_nunique(col2), q: "approx_quantile(col3, 0.9)"}}}`, ""},
	{"hive directories out", "seed", `{from: seed}, {where: "col1 % 100 = 0"}, {index: col3}`, "partition_by: [col1]"},
	{"a directory for each of 30 values", "seed", `{from: seed}, {compute: {p: "col1 % 30"}}, {index: col3}`, "partition_by: [p]"},
	{"a directory for each of 10,000 values", "seed", `{from: seed}, {index: col3}`, "partition_by: [col1]"},
	{"hive directories out, one value", "onekey", `{from: onekey}, {index: col3}`, "partition_by: [col1]"},
	{"window, all distinct", "unique", `{from: unique}, {window: {by: key, order_by: v1, columns: {a: "rank()", b: "sum(v1)"}}}`, ""},
	{"window, Zipf", "zipf", `{from: zipf}, {window: {by: key, order_by: v1, columns: {a: "cumsum(v1)", b: "row_number()", c: "mean(v1)"}}}`, ""},
	{"lag, Zipf", "zipf", `{from: zipf}, {lag: {column: v1, by: key, periods: [1, 2], order_by: v1, as: "v_{period}"}}`, ""},
	{"as-of join, one key", "onekey onekey2", `{from: onekey}, {join: {with: q, on: col1, how: asof, asof: {on: {col3: col4}, direction: nearest}}}, {index: [col3, col2]}` + "\n" + `  q: [{from: onekey2}]`, ""},
	{"union of 1 MB strings", "long", `{from: long}, {union: [l]}, {index: [col1, col2]}` + "\n" + `  l: [{from: long}]`, ""},
	{"JSON lines out", "orders", `{from: orders}, {index: [l_shipdate, l_orderkey, l_linenumber]}`, "format: jsonl"},
	{"Arrow out", "seed", `{from: seed}, {index: col1}`, "format: arrow, compression: zstd"},
	{"CSV out", "seed", `{from: seed}, {index: col1}`, "format: csv"},
	{"dates and decimals", "orders", `{from: orders}, {groupby: {by: [l_shipdate, l_returnflag], agg: {q: sum(l_quantity), p: sum(l_extendedprice * (1 - l_discount)), n: count()}}}`, ""},
}

// aggregates makes n aggregates of the columns c1 to c<columns>, which are four kinds of aggregates in turn.
func aggregates(n, columns int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "a%d: %s(c%d), ", i, [...]string{"min", "max", "count", "first"}[i*4/n], 1+i%columns)
	}
	return strings.TrimSuffix(s.String(), ", ")
}

// write writes the job to NUMBER.yaml, with its output at out/NUMBER, and makes its data.
func (j job) write(ctx context.Context, b *bench, number int) (file, out string, err error) {
	var s strings.Builder
	s.WriteString("inputs:\n")
	for in := range strings.FieldsSeq(j.inputs) {
		if err := b.data(ctx, in); err != nil {
			return "", "", err
		}
		fmt.Fprintf(&s, "  %s: data/%s\n", in, in)
	}
	first, rest, _ := strings.Cut(j.verbs, "\n")
	out = fmt.Sprintf("out/%d", number)
	more := j.output
	if more != "" {
		more = ", " + more
	}
	fmt.Fprintf(&s, "tables:\n  r: [%s]\n%s\noutputs:\n  r: {path: %s/, if_exists: replace%s}\n", first, rest, out, more)
	file = b.path(fmt.Sprintf("%d.yaml", number))
	return file, b.path(out), os.WriteFile(file, []byte(s.String()), 0o666)
}
