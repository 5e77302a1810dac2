// Command gen makes the tables of the benchmark as Parquet files.
//
//	go run ./bench/gen -table NAME -rows N -out DIR [flags]
//
// The files are a function of the parameters alone: -threads and -mem change nothing but time. A directory
// that holds the same table already is left as it is, so that runs share their data; one that
// holds anything else is refused. Exit codes: 0 made or there already, 1 failed, 2 wrong flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"pqjoin/internal/gen"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(2)
	}
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options is what the command line says.
type options struct {
	params  gen.Params
	out     string
	threads int
	mem     int64 // bytes
}

func parse(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("gen", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	p, bound := &o.params, "512MB"
	f.StringVar(&p.Table, "table", "", "the table's `name`")
	f.Int64Var(&p.Rows, "rows", -1, "rows (h2o-j1-*: of x; tpch-*: of lineitem)")
	f.StringVar(&o.out, "out", "", "the `directory` to make")
	f.StringVar(&p.Shape, "shape", "", "whose habits the files follow: pyarrow, fastparquet or pqjoin (default fastparquet for seed-*, else pyarrow)")
	f.Int64Var(&p.RowsPerFile, "rows-per-file", 0, "rows of a file (default: the table's own)")
	f.Uint64Var(&p.Seed, "seed", 1, "other numbers, other values")
	f.IntVar(&o.threads, "threads", runtime.NumCPU(), "files made at a time, where -mem allows")
	f.StringVar(&bound, "mem", bound, "bound of the memory")
	f.Int64Var(&p.Keys, "keys", 0, "distinct keys")
	f.BoolVar(&p.Unique, "unique", false, "every key at most once")
	f.Int64Var(&p.Groups, "groups", 0, "h2o's K")
	f.Int64Var(&p.Nulls, "nulls", 0, "percent of nulls")
	f.BoolVar(&p.Sorted, "sorted", false, "h2o's sorted variant")
	f.Float64Var(&p.Theta, "theta", 0, "Zipf's exponent")
	f.Int64Var(&p.Columns, "columns", 0, "columns, the key included")
	f.StringVar(&p.Types, "types", "", "int, string, null or mixed")
	f.StringVar(&p.Order, "order", "", "random, sorted, reversed or zipf")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			help(f, usage)
		}
		return o, err
	}
	if f.NArg() > 0 || p.Table == "" || p.Rows < 0 || o.out == "" {
		return o, fmt.Errorf("it takes -table, -rows, -out and other flags alone: see -h")
	}
	if !slices.ContainsFunc(gen.Tables(), func(k gen.Kind) bool { return k.Name == p.Table }) {
		return o, fmt.Errorf("there is no table %q: see -h", p.Table)
	}
	o.mem, err = mem.ParseSize(bound)
	return o, err
}

func help(f *flag.FlagSet, w io.Writer) {
	fmt.Fprint(w, "usage: gen -table NAME -rows N -out DIR [flags]\n\n")
	f.SetOutput(w)
	f.PrintDefaults()
	fmt.Fprint(w, "\ntables, with the flags of their own:\n")
	for _, k := range gen.Tables() {
		own := ""
		for _, u := range k.Uses {
			own += " [-" + u + "]"
		}
		fmt.Fprintf(w, "  %s%s\n      %s\n", k.Name, own, strings.TrimSpace(k.About))
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	split := mem.Divide(o.mem)
	if split.Pool <= 0 {
		return fmt.Errorf("gen: -mem %d bytes is too little", o.mem)
	}
	debug.SetMemoryLimit(split.Heap)
	pool := mem.NewPool(split.Pool)
	acct := pool.Account("gen", 0)
	there, err := gen.Make(ctx, vfs.OS(), o.out, gen.Spec{Params: o.params, Threads: o.threads, Acct: acct})
	if err := errors.Join(err, acct.Close(), pool.Close()); err != nil {
		return err
	}
	if there {
		fmt.Fprintln(out, "there already")
	}
	return nil
}
