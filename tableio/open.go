package tableio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/arrow"
	"pqjoin/tableio/csv"
	"pqjoin/tableio/format"
	"pqjoin/tableio/jsonl"
	"pqjoin/tableio/parquet"

	"golang.org/x/sync/errgroup"
)

// The formats.
const (
	Parquet = format.Parquet
	CSV     = format.CSV
	TSV     = format.TSV
	JSONL   = format.JSONL
	Arrow   = format.Arrow
)

// textual says whether the format is one of text.
func textual(name string) bool { return format.Textual(name) }

// formatOf returns the format that a file's name tells, or "". Text may be compressed: trades.csv.gz.
func formatOf(name string) string {
	f, compression := format.OfName(name)
	if compression == "bzip2" || compression == "xz" { // not read yet
		return ""
	}
	return f
}

// IsTable says whether a file's name tells that it holds a table.
func IsTable(name string) bool { return formatOf(name) != "" }

// openAll opens the files, those of text a few at a time: of each up to 64 MB are read. The error is the first file's that has one,
// or a *HeapError when all are known.
func openAll(ctx context.Context, fsys vfs.FS, spec *Spec, found []found) ([]format.File, error) {
	heap := &room{spec: spec}
	out, errs := make([]format.File, len(found)), make([]error, len(found))
	g := errgroup.Group{}
	g.SetLimit(1)
	if textual(found[0].format) {
		g.SetLimit(min(runtime.GOMAXPROCS(0), openText))
	}
	var failed atomic.Bool
	for i, p := range found {
		if failed.Load() {
			break
		}
		g.Go(func() error {
			if out[i], errs[i] = heap.open(ctx, fsys, p); errs[i] != nil {
				failed.Store(true)
			}
			return errs[i]
		})
	}
	if g.Wait() == nil {
		return out, heap.err()
	}
	return nil, errs[slices.IndexFunc(errs, func(err error) bool { return err != nil })]
}

// within returns the spec for the files alone: without types of columns that directories give.
func (spec Spec) within(dirs *hive) *Spec {
	spec.Types = maps.Clone(spec.Types)
	maps.DeleteFunc(spec.Types, func(name string, _ batch.Type) bool { return dirs.index(name) >= 0 })
	return &spec
}

// openText is how many files of text are looked at together at most.
const openText = 8

// openFile opens a file of the table, of which not more than most bytes of the Go heap are to be kept where it is one of Parquet.
func openFile(ctx context.Context, fsys vfs.FS, spec *Spec, p found, most int64) (format.File, error) {
	switch p.format {
	case CSV:
		return csv.Open(ctx, fsys, p.path, csv.Options{Delim: ',', Types: spec.Types})
	case TSV:
		return csv.Open(ctx, fsys, p.path, csv.Options{Delim: '\t', Types: spec.Types})
	case JSONL:
		return jsonl.Open(ctx, fsys, p.path, jsonl.Options{Types: spec.Types})
	case Arrow:
		return arrow.Open(ctx, fsys, p.path)
	case Parquet, "":
		f, err := parquet.OpenWithin(ctx, fsys, p.path, most)
		if err != nil && !errors.As(err, new(*parquet.HeapError)) && spec.Format == "" && formatOf(p.path) == "" {
			return nil, fmt.Errorf("%w (its name tells no format, so it was read as Parquet: format: csv, tsv, jsonl or arrow reads it as that)", err)
		}
		if err != nil {
			return nil, err
		}
		return newParquetFile(f), nil
	}
	return nil, fmt.Errorf("%s: %w: %s is not read yet", p.path, ErrFormat, p.format)
}
