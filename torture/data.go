package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"pqjoin/internal/gen"
	"pqjoin/internal/testkit/foreign"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// made are the tables that internal/gen makes, by directory below data/. Sizes are such that every operator spills at its floor.
var made = map[string]gen.Params{
	"seed":    {Table: "seed-test", Rows: 2_500_000, RowsPerFile: 500_000, Keys: 10_000},
	"seed2":   {Table: "seed-test2", Rows: 300_000, Keys: 10_000},
	"pair":    {Table: "seed-test", Rows: 600_000, RowsPerFile: 150_000, Keys: 10_000},
	"many":    {Table: "seed-test", Rows: 900_000, RowsPerFile: 4500, Keys: 10_000},
	"small":   {Table: "seed-test", Rows: 160, RowsPerFile: 80, Keys: 40},
	"small2":  {Table: "seed-test2", Rows: 50, Keys: 50},
	"big":     {Table: "seed-test", Rows: 8_000_000, RowsPerFile: 8_000_000, Keys: 10_000, Shape: gen.FastparquetPlain},
	"unique":  {Table: "group", Rows: 2_500_000, Keys: 2_500_000, Unique: true},
	"zipf":    {Table: "zipf", Rows: 2_500_000, Keys: 500_000, Theta: 1},
	"wide":    {Table: "wide", Rows: 30_000, Columns: 300, Types: "mixed"},
	"widest":  {Table: "wide", Rows: 2000, Columns: 10_000},
	"strings": {Table: "wide", Rows: 400_000, Columns: 10, Types: "string"},
	"orders":  {Table: "tpch-lineitem", Rows: 400_000},
}

// derived are tables that a job makes of others, of an input named by from; output is a flow mapping without path.
var derived = map[string]struct{ from, verbs, output string }{
	"onekey":     {"seed", `[{select: {col1: "cast(0 as bigint)", col2: col2, col3: col3}}]`, ""},
	"onekey2":    {"seed2", `[{select: {col1: "cast(0 as bigint)", col4: col4}}, {head: 30}]`, ""},
	"sorted":     {"seed", `[{index: col1}]`, ""},
	"long":       {"seed", `[{head: 300}, {compute: {s: "repeat(cast(col2 as string), 60000)"}}]`, ""},
	"longest":    {"seed", `[{head: 9}, {compute: {s: "repeat('0123456789abcdef', 1048576 - cast(floor(col3) as bigint) % 7)"}}, {compute: {s: "s || s || s || s"}}]`, ""},
	"empty":      {"seed", `[{where: "col1 < 0"}]`, ""},
	"csv":        {"seed", `[{head: 1500000}, {compute: {d: "ln(col3 + 1)", e: "sqrt(col3)", f: "col3 * col2"}}]`, "format: csv, files: {count: 2}"},
	"csvgz":      {"seed", `[{head: 600000}]`, "format: csv, compression: gzip"},
	"csvtexts":   {"strings", `[{head: 200000}]`, "format: csv"},
	"jsonl":      {"seed", `[{head: 1200000}, {compute: {d: "ln(col3 + 1)", e: "sqrt(col3)", f: "col3 * col2"}}]`, "format: jsonl, files: {count: 2}"},
	"arrow":      {"seed", `[{head: 2000000}, {compute: {d: "ln(col3 + 1)", e: "sqrt(col3)", f: "col3 * col2"}}]`, "format: arrow"},
	"arrowtexts": {"strings", `[{head: 300000}]`, "format: arrow, compression: zstd"},
	"tree":       {"pair", `[{compute: {p: "col1 % 50"}}]`, "partition_by: [p]"},
	"nested":     {"seed", `[{groupby: {by: col1, agg: {n: sum(col2), l: list(col2), t: "list(cast(col3 as string))"}}}]`, ""},
	"nestedlong": {"seed", `[{compute: {k: "col1 % 3"}}, {groupby: {by: k, agg: {l: list(col2)}}}]`, ""},
}

// data makes what data/NAME is to hold, once.
func (b *bench) data(ctx context.Context, name string) error {
	dir := b.path("data", name)
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if p, ok := made[name]; ok {
		p.Seed = 1
		pool := mem.NewPool(2 << 30)
		acct := pool.Account("gen", 0)
		_, err := gen.Make(ctx, vfs.OS(), dir, gen.Spec{Params: p, Threads: 2, Acct: acct})
		return errors.Join(err, acct.Close(), pool.Close())
	}
	if write, ok := foreign.Tables[name]; ok {
		return write(ctx, dir)
	}
	d, ok := derived[name]
	if !ok {
		return fmt.Errorf("there is no table %q", name)
	}
	if err := b.data(ctx, d.from); err != nil {
		return err
	}
	verbs := strings.Replace(d.verbs, "[", "[{from: t}, ", 1)
	more := d.output
	if more != "" {
		more = ", " + more
	}
	text := fmt.Sprintf("inputs: {t: data/%s}\ntables: {r: %s}\noutputs: {r: {path: data/%s/%s}}\n", d.from, verbs, name, more)
	file := b.path("make-" + name + ".yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return err
	}
	o, err := b.run(ctx, 0, "run", file, "--mem", "8GB", "--progress", "none")
	if err := o.must(err); err != nil {
		return fmt.Errorf("making %s: %w", name, err)
	}
	return nil
}
