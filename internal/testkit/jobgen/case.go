// Package jobgen makes random small jobs with their data, for tests: a Case is a few
// input tables and a job file over them. A seed gives the same case for ever, as long as
// the generator stays as it is.
package jobgen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/plan"
	"pqjoin/tableio"
	"pqjoin/tableio/parquet"
)

// Case is a job and its data.
type Case struct {
	Seed      uint64
	Inputs    []*Input
	Pipelines []*Pipeline
	Outputs   []*Output
}

// Input is a table on disk.
type Input struct {
	Name         string
	Schema       *batch.Schema
	Rows         [][]any
	Files        int // part files that the rows are dealt to
	RowGroupRows int
	Compression  string
	Shape        parquet.Shape
	Format       string // parquet where empty; of text, the types are given
	Options      string // ", nan_as_null: true" and the like
	Hive         []int  // columns that directories give, the last of the schema: rows are in the order in which those are read
}

// Pipeline is one table of the job.
type Pipeline struct {
	Name, From string
	Verbs      []string // each as the job file has it: "where: \"k0 > 1\""
}

// Output is one output of the job.
type Output struct {
	Label, Table, Path string
	Options            string // ", row_group_rows: 10" and the like
}

// YAML returns the job file. Paths are relative to the case's folder.
func (c *Case) YAML() string {
	var s strings.Builder
	s.WriteString("inputs:\n")
	for _, in := range c.Inputs {
		fmt.Fprintf(&s, "  %s: {path: in/%s%s%s}\n", in.Name, in.Name, in.types(), in.Options)
	}
	if len(c.Pipelines) > 0 {
		s.WriteString("tables:\n")
	}
	for _, p := range c.Pipelines {
		fmt.Fprintf(&s, "  %s:\n    - from: %s\n", p.Name, p.From)
		for _, v := range p.Verbs {
			fmt.Fprintf(&s, "    - %s\n", v)
		}
	}
	s.WriteString("outputs:\n")
	for _, o := range c.Outputs {
		fmt.Fprintf(&s, "  %s: {table: %s, path: %q%s}\n", o.Label, o.Table, o.Path, o.Options)
	}
	return s.String()
}

// Parse returns the job, as if its file lay in dir.
func (c *Case) Parse(dir string) (*plan.Job, error) {
	return plan.Parse(filepath.Join(dir, "job.yaml"), []byte(c.YAML()), plan.Options{})
}

// Resolve returns the plan of the job before any rewriting, from the schemas alone.
func (c *Case) Resolve(dir string) (*plan.Plan, error) {
	job, err := c.Parse(dir)
	if err != nil {
		return nil, err
	}
	return plan.Resolve(job, c)
}

// Schema makes a Case a plan.SchemaSource.
func (c *Case) Schema(in *plan.Input) (*batch.Schema, error) {
	for _, i := range c.Inputs {
		if i.Name == in.Name {
			return i.Schema, nil
		}
	}
	return nil, plan.ErrNoMatch
}

// Write writes the inputs below dir/in, and dir/job.yaml.
func (c *Case) Write(ctx context.Context, fsys vfs.FS, dir string) error {
	for _, in := range c.Inputs {
		if err := in.write(ctx, fsys, filepath.Join(dir, "in", in.Name)); err != nil {
			return fmt.Errorf("write input %s: %w", in.Name, err)
		}
	}
	if err := fsys.MkdirAll(filepath.Join(dir, "out"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "job.yaml"), []byte(c.YAML()), 0o644)
}

func (in *Input) write(ctx context.Context, fsys vfs.FS, dir string) error {
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if len(in.Hive) > 0 {
		return in.writeHive(ctx, fsys, dir)
	}
	n := max(in.Files, 1)
	if in.Format == tableio.JSONL {
		n = max(1, min(n, len(in.Rows))) // an empty file of objects has the columns that the job names, by name
	}
	for i := range n {
		lo, hi := len(in.Rows)*i/n, len(in.Rows)*(i+1)/n
		// Natural order: part.2 before part.10.
		if err := in.writeFile(ctx, fsys, filepath.Join(dir, fmt.Sprintf("part.%d.%s", i, in.format())), in.Rows[lo:hi]); err != nil {
			return err
		}
	}
	return nil
}

func (in *Input) writeFile(ctx context.Context, fsys vfs.FS, path string, rows [][]any) error {
	o := tableio.WriterOptions{Format: in.format(), WriterOptions: parquet.WriterOptions{RowGroupRows: in.RowGroupRows, Compression: in.Compression, Shape: in.Shape}}
	if in.Format != "" {
		o.Compression = textCompression[in.Compression]
	}
	if in.Format == tableio.Arrow {
		o.Compression = arrowCompression[in.Compression]
	}
	w, err := tableio.Create(ctx, fsys, path, false, in.Schema, o)
	if err != nil {
		return err
	}
	defer w.Abort()
	for chunk := range slices.Chunk(rows, 1000) {
		b, err := batchtest.Batch(nil, in.Schema, chunk, func(col int) batchtest.Layout { return batchtest.Layout(col % int(batchtest.Layouts)) })
		if err != nil {
			return err
		}
		if err := w.Write(ctx, b); err != nil {
			return err
		}
	}
	_, err = w.Close(ctx)
	return err
}
