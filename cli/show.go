package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"pqjoin/engine"
	"pqjoin/plan"
	"pqjoin/tableio"
)

func (e *env) showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "print the first rows of files, or of a job's table, as a table", ArgsUsage: "PATH... | JOB",
		Flags: jobFlags(
			&cli.IntFlag{Name: "n", Value: 20, Usage: "how many rows"},
			&cli.StringFlag{Name: "table", Usage: "which table of the job", DefaultText: "the first output's"},
		),
		Action: e.show,
	}
}

func (e *env) show(c *cli.Context) error {
	n := c.Int("n")
	if n < 0 || n > 1_000_000 {
		return usagef("-n %d: between 0 and 1,000,000", n)
	}
	var run *engine.Run
	var err error
	if isJob(c.Args().First()) {
		run, err = e.open(c)
	} else {
		run, err = e.openPaths(c)
	}
	if err != nil {
		return err
	}
	for _, why := range run.LeftOutFiles() {
		e.warn(why)
	}
	if !isJob(c.Args().First()) {
		for _, why := range run.LeftOut() {
			e.warn("left out: " + why)
		}
	}
	node, err := run.Table(c.String("table"))
	if err != nil {
		return usageError{err}
	}
	limit := math.MaxInt
	if !c.Bool("json") {
		limit = 4 * (maxCell + 1) // bytes that so many characters have at most
	}
	rows, err := run.Head(c.Context, node, n, limit)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return e.json(rows)
	}
	return printRows(e.out, rows)
}

// isJob says whether an argument is a job file rather than data.
func isJob(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// openPaths opens the files that are the command's arguments.
func (e *env) openPaths(c *cli.Context) (*engine.Run, error) {
	if c.NArg() == 0 {
		return nil, usagef("%s takes files or directories, as in: pqjoin %s data/", c.Command.Name, c.Command.Name)
	}
	cfg, err := e.config(c, &plan.Job{})
	if err != nil {
		return nil, err
	}
	run, err := opening(cfg.Mem, func() (*engine.Run, error) { return engine.OpenPaths(c.Context, c.Args().Slice(), cfg) })
	if errors.Is(err, tableio.ErrSchema) { // what it advises is written in a job
		return nil, usageError{fmt.Errorf("%w in a job; %s reads all that it is given as one table: name files that have the same columns", err, c.Command.Name)}
	}
	return run, err
}

// plural writes a number of things, as 1 row group or 1,000 row groups.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return humanize.Comma(int64(n)) + " " + thing
}

// maxCell is how many characters of a value are printed.
const maxCell = 60

func printRows(out io.Writer, rows *engine.Rows) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var names, types []string
	for _, c := range rows.Columns {
		names, types = append(names, clean(c.Name)), append(types, c.Type)
	}
	fmt.Fprintln(w, strings.Join(names, "\t"))
	fmt.Fprintln(w, strings.Join(types, "\t"))
	for _, r := range rows.Rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = clean(v.Text)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if rows.Total > int64(len(rows.Rows)) {
		_, err := fmt.Fprintf(out, "%s of %s rows\n", humanize.Comma(int64(len(rows.Rows))), humanize.Comma(rows.Total))
		return err
	}
	return nil
}

// clean keeps a value from breaking the table or the terminal.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxCell {
		return string(r[:maxCell]) + "..."
	}
	return s
}
