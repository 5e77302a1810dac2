package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"pqjoin/internal/gen"
	"pqjoin/plan"
)

// demoJob is the job that made Dask run out of memory, with the right side grouped to one
// row per key so that the join does not multiply.
const demoJob = `# The job that made Dask run out of memory: index, four lags of ln(col3), and a left join.
# test2 has about fifty rows per key at the default size; grouped first, the join adds none.
inputs:
  test:  test
  test2: test2

tables:
  means:
    - from: test2
    - groupby: {by: col1, agg: {col4_mean: mean(col4), col4_rows: count()}}
  result:
    - from: test
    - index: col1
    - lag: {column: col3, by: col1, periods: [0, 1, 2, 3], as: "col_{period}", apply: ln(value)}
    - join: {with: means, on: col1, how: left, validate: "m:1"}

outputs:
  result: {path: result/, if_exists: replace}
`

// demoMem is the bound of the demo where none is given.
const demoMem = "256MB"

func (e *env) demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "run the job that made Dask run out of memory, on data it makes",
		Flags: demoFlags(
			&cli.Int64Flag{Name: "rows", Value: 5_000_000, Usage: "rows of the left table; the right one has a tenth"},
			&cli.StringFlag{Name: "shape", Value: "fastparquet", Usage: "whose habits the files follow: fastparquet, pyarrow or pqjoin"},
			&cli.StringFlag{Name: "dir", Value: "pqjoin-demo", Usage: "where data, job and result go"},
		),
		Action: e.demo,
	}
}

// demoFlags are those of run with the demo's own default of --mem, and without --set: its job has no variables.
func demoFlags(more ...cli.Flag) []cli.Flag {
	flags := slices.DeleteFunc(runFlags(more...), func(f cli.Flag) bool { return slices.Contains(f.Names(), "set") })
	for _, f := range flags {
		if s, ok := f.(*cli.StringFlag); ok && s.Name == "mem" {
			s.DefaultText = demoMem
		}
	}
	return flags
}

func (e *env) demo(c *cli.Context) error {
	rows, dir := c.Int64("rows"), c.String("dir")
	if c.NArg() > 0 {
		return usagef("demo takes flags alone, as in: pqjoin demo --rows 1000000 --dir /data/demo")
	}
	if rows < 0 || rows > 1e12 {
		return usagef("--rows %d: between 0 and 1,000,000,000,000", rows)
	}
	shape := c.String("shape")
	if !slices.Contains(choices["shape"], shape) {
		return usagef("--shape %q: it is fastparquet, pyarrow or pqjoin", shape)
	}
	if err := checkGiven(c); err != nil {
		return err
	}
	if err := e.demoData(c, dir, rows, shape); err != nil {
		return err
	}
	job, err := e.demoFile(dir)
	if err != nil {
		return err
	}
	if c.String("mem") == "" {
		job.Run.Mem = demoMem
	}
	fmt.Fprintf(e.err, "running %s\n", job.File)
	if err := e.execute(c, job); err != nil {
		return err
	}
	if !c.Bool("json") {
		fmt.Fprintf(e.out, "\nthe same again:    %[1]s run %[2]s --mem %[3]s\nlook at it:        %[1]s show %[4]s\nwhat it planned:   %[1]s plan %[2]s --exact\nhow keys lie:      %[1]s inspect %[5]s --key col1\n",
			e.name, job.File, firstOf(c.String("mem"), demoMem), filepath.Join(dir, "result"), filepath.Join(dir, "test"))
	}
	return nil
}

// demoFile writes the job beside its data and parses it.
func (e *env) demoFile(dir string) (*plan.Job, error) {
	name := filepath.Join(dir, "job.yaml")
	if err := os.WriteFile(name, []byte(demoJob), 0o644); err != nil {
		return nil, err
	}
	return plan.Parse(name, []byte(demoJob), plan.Options{})
}

// demoData makes the two tables, unless they are there from an earlier demo of the same
// size and shape. What an interrupted demo left is made anew.
func (e *env) demoData(c *cli.Context, dir string, rows int64, shape string) error {
	stamp, making := filepath.Join(dir, "rows"), filepath.Join(dir, "making")
	want := fmt.Sprintf("%d %s\n", rows, shape)
	old, err := os.ReadFile(stamp)
	switch {
	case err == nil && string(old) == want:
		return nil
	case err == nil:
		return usagef("%s holds a demo of %s rows: remove it, or choose another --dir", dir, strings.TrimSpace(string(old)))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if _, err := os.Stat(making); err != nil {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return usagef("%s is not empty, and not a demo: choose another --dir", dir)
		}
	}
	if err := e.fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(making, []byte(want), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.err, "making %s and %s rows in %s\n", humanize.Comma(rows), humanize.Comma(rows/10), dir)
	for name, p := range map[string]gen.Params{
		"test":  {Table: "seed-test", Rows: rows, Seed: 1, Shape: shape},
		"test2": {Table: "seed-test2", Rows: rows / 10, Seed: 2, Shape: shape},
	} {
		to := filepath.Join(dir, name)
		if err := errors.Join(e.fs.RemoveAll(to), gen.Write(c.Context, e.fs, to, gen.Spec{Params: p})); err != nil {
			return err
		}
	}
	return os.Rename(making, stamp)
}
