package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/plan"
	"pqjoin/tableio"
	"pqjoin/tableio/parquet"
	"pqjoin/tableio/publish"
)

// OutputSummary describes a published output.
type OutputSummary struct {
	Label string `json:"label"`
	Path  string `json:"path"` // absolute
	Shown string `json:"-"`    // the path from the working directory, where that is shorter
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	Files int    `json:"files"`
}

func (r *Run) writerOptions(o *plan.Output, threads int, acct *mem.Account) tableio.WriterOptions {
	return tableio.WriterOptions{Format: o.Format, PartitionBy: o.PartitionBy, WriterOptions: parquet.WriterOptions{
		Compression: o.Compression, RowGroupRows: int(o.RowGroupRows), SortKeys: o.Node.Index,
		Version: r.cfg.Version, FileSize: o.FilesSize, FileRows: o.FilesRows, FileCount: o.FilesCount,
		Bloom: o.Bloom, PandasIndex: !o.NoPandasIndex, Threads: threads, Acct: acct, Share: r.share.Writer, RowBytes: int64(r.nodes[o.Node].est.RowWidth()),
	}}
}

// writerFloor returns what the writer of o takes at least; most bounds its table.
func (r *Run) writerFloor(o *plan.Output, most atMost) int64 {
	opts := r.writerOptions(o, 1, nil)
	if raw, ok := most.raw(); ok {
		opts.MostRows, opts.MostRaw = most.rows, max(raw, 1)
	}
	opts.FileCount = 0 // needs the number of rows, and takes no memory
	return tableio.WriterFloor(o.Node.Schema, opts)
}

// refuseUnwritable refuses outputs whose format does not hold a column of theirs.
func (r *Run) refuseUnwritable() error {
	for _, o := range r.plan.Outputs {
		if err := tableio.CheckWrites(o.Node.Schema, o.Format, o.PartitionBy); err != nil {
			return &plan.Error{
				File: r.job.File, Line: o.Pos.Line, Column: o.Pos.Column, Text: r.job.Line(o.Pos.Line), Err: plan.ErrUnsupported,
				Msg: fmt.Sprintf("output %q: %v", o.Label, err), Hint: "leave the column out, or write Parquet",
			}
		}
	}
	return nil
}

// targets returns where the outputs go. All but the last, behind which nothing is left to do, may be kept by key.
func (r *Run) targets(key string) []publish.Target {
	var ts []publish.Target
	for i, o := range r.plan.Outputs {
		t := publish.Target{Path: o.Path, SingleFile: o.SingleFile, Replace: o.Replace}
		if i < len(r.plan.Outputs)-1 {
			t.Key = key
		}
		ts = append(ts, t)
	}
	return ts
}

// write fills output i at its temporary place, unless an earlier run has.
func (x *exec) write(ctx context.Context, i int, o *plan.Output, set *publish.Set) (OutputSummary, error) {
	v := x.verification("output " + o.Label)
	sum, ok, err := x.keeper.finishedOutput(ctx, i, o, set, func(bytes int64) { v.told(0, bytes, 0) })
	v.end(ok)
	if ok || err != nil {
		return sum, err
	}
	if sum, err = x.fill(ctx, i, o, set); err != nil {
		return sum, err
	}
	return sum, x.keeper.finishOutput(ctx, i, o, set, sum)
}

// fill runs the pipeline that fills output i.
func (x *exec) fill(ctx context.Context, i int, o *plan.Output, set *publish.Set) (sum OutputSummary, err error) {
	rel, err := x.table(ctx, x.run.nodes[o.Node])
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, rel.close()) }()
	opts := x.run.writerOptions(o, x.share.Workers, x.writers)
	if o.FilesCount > 0 {
		if rel, opts.TotalRows, err = x.counted(ctx, rel, x.run.nodes[o.Node].est); err != nil {
			return sum, err
		}
		if opts.TotalRows == 0 { // nothing to divide
			opts.FileCount = 0
		}
		if len(o.PartitionBy) > 0 {
			if opts.PartitionRows, err = x.partitionRows(ctx, rel, o); err != nil {
				return sum, err
			}
		}
	}
	step := "write " + o.Label
	var w tableio.Writer
	pprof.Do(ctx, stageLabel(x.run.job.Redact(rel.stage(step))), func(ctx context.Context) { // its goroutines work for that stage
		w, err = x.create(ctx, o, set.Temp(i), opts)
	})
	if err != nil {
		return sum, err
	}
	defer w.Abort()
	var total tableio.Summary
	var put int64
	sink := newOrderedSink(x.share.Window, func(ctx context.Context, b *batch.Batch) error {
		put += int64(b.N)
		return w.Write(ctx, b)
	}, func(ctx context.Context) (err error) {
		total, err = w.Close(ctx)
		return err
	})
	if err := x.pipe(ctx, rel, sink, step); err != nil {
		return sum, err
	}
	if total.Rows != put {
		return sum, fmt.Errorf("self-check: %d rows went to output %s and %d were written", put, o.Label, total.Rows)
	}
	return OutputSummary{Label: x.run.job.Redact(o.Label), Rows: total.Rows, Bytes: total.Bytes, Files: total.Files}, nil
}

// path is an output's absolute path as it may be shown: a variable of the environment in it is not.
func (r *Run) path(o *plan.Output) string {
	switch {
	case !strings.Contains(o.Show, "${"):
		return r.job.Redact(o.Path)
	case strings.HasPrefix(o.Show, "${") || filepath.IsAbs(o.Show):
		return o.Show
	}
	return filepath.Join(r.job.Dir, o.Show)
}

// shown is an output's path as a user can paste it: from the working directory where that is not far.
func (r *Run) shown(o *plan.Output) string {
	path := r.path(o)
	wd, err := os.Getwd()
	if wd = resolved(wd); err != nil || wd == "/" {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "../..") {
		return rel
	}
	return path
}

func (x *exec) create(ctx context.Context, o *plan.Output, at string, opts tableio.WriterOptions) (tableio.Writer, error) {
	return tableio.Create(ctx, x.run.cfg.FS, at, !o.SingleFile, o.Node.Schema, opts)
}

// counted spools a table whose number of rows must be known before its first row is written.
func (x *exec) counted(ctx context.Context, in *rel, est Estimate) (*rel, int64, error) {
	sp, err := x.newSpool("rows counted for files: count", in.schema, est, in.src.Units(), nil)
	if err != nil {
		return in, 0, err
	}
	if err := x.pipeKeep(ctx, in, sp, "count rows"); err != nil {
		return in, 0, err
	}
	out := &rel{src: sp.source(), schema: in.schema, name: in.name, reopen: sp.source, closers: []func() error{sp.Close, in.close}}
	return out, sp.totalRows(), nil
}

// verifyInputs says whether every input still is what it was when the run began.
func (r *Run) verifyInputs(ctx context.Context) error {
	for in, t := range r.tables {
		if err := t.Verify(ctx); err != nil {
			return fmt.Errorf("input %s: %w", in.Name, err)
		}
	}
	return nil
}

var _ batch.Sink = (*orderedSink)(nil)
