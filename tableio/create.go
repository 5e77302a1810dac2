package tableio

import (
	"context"
	"fmt"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/arrow"
	"pqjoin/tableio/csv"
	"pqjoin/tableio/format"
	"pqjoin/tableio/jsonl"
	"pqjoin/tableio/parquet"
	"pqjoin/tableio/text"
)

// WriterOptions says how a table is written, in which format.
type WriterOptions struct {
	Format string // one of Formats
	// PartitionBy are the columns whose values name the directories in which a folder's rows go; the rows of a partition
	// are next to each other. PartitionRows is the rows of each, in their order, where FileCount is given.
	PartitionBy   []int
	PartitionRows []int64
	parquet.WriterOptions
}

// Writer writes a table in a format, Summary is what it has written.
type (
	Writer  = format.Writer
	Summary = format.Summary
)

// Create starts a table: of part files in the folder path, which exists, where dir is true, else of one file.
func Create(ctx context.Context, fs vfs.FS, path string, dir bool, schema *batch.Schema, o WriterOptions) (Writer, error) {
	if len(o.PartitionBy) > 0 {
		return newPartitioned(fs, path, schema, o), nil
	}
	if o.Format == Parquet {
		create := parquet.CreateFile
		if dir {
			create = parquet.CreateDir
		}
		w, err := create(ctx, fs, path, schema, o.WriterOptions)
		if err != nil {
			return nil, err
		}
		return parquetWriter{w}, nil
	}
	var enc text.Encoder
	var err error
	switch {
	case textual(o.Format):
		enc, err = encoder(schema, o.Format)
	case o.Format == Arrow:
		enc, err = arrow.NewEncoder(schema, o.Compression, o.RowGroupRows, o.Acct)
	default:
		err = fmt.Errorf("%w: %s is not written yet", ErrFormat, o.Format)
	}
	if err != nil {
		return nil, err
	}
	w, err := text.NewWriter(fs, path, dir, enc, o.text())
	if err != nil {
		return nil, err // and no writer: one that is nil would not be nil as a Writer
	}
	return w, nil
}

// CheckWrites refuses a schema that the format does not hold, the columns at partitionBy aside; the error names the column.
func CheckWrites(schema *batch.Schema, format string, partitionBy []int) error {
	schema, _ = withoutColumns(schema, partitionBy)
	var err error
	switch {
	case textual(format):
		_, err = encoder(schema, format)
	case format == Arrow:
		_, err = arrow.NewEncoder(schema, "none", 0, nil)
	}
	return err
}

// WriterFloor returns the pool bytes that writing the schema takes at least.
func WriterFloor(schema *batch.Schema, o WriterOptions) int64 {
	if len(o.PartitionBy) > 0 {
		inner, keep := withoutColumns(schema, o.PartitionBy)
		return WriterFloor(inner, o.inside(keep))
	}
	if textual(o.Format) {
		return text.WriterHeap(codecs[o.Compression]) + int64(o.RowBytes)
	}
	if o.Format == Arrow {
		return text.WriterHeap(text.Plain) + arrow.WriterHeap(schema, o.Compression) + int64(o.RowBytes)
	}
	return parquet.WriterFloor(schema, o.WriterOptions)
}

// encoder returns what writes a format of text.
func encoder(schema *batch.Schema, format string) (text.Encoder, error) {
	switch format {
	case TSV:
		return csv.NewEncoder(schema, '\t')
	case JSONL:
		return jsonl.NewEncoder(schema)
	}
	return csv.NewEncoder(schema, ',')
}

// codecs of text by the names of compressions.
var codecs = map[string]text.Codec{"none": text.Plain, "gzip": text.Gzip, "zstd": text.Zstd}

// text returns the options that text has, and Arrow files, which compress within.
func (o WriterOptions) text() text.WriterOptions {
	codec, ext := text.Plain, "."+o.Format
	if textual(o.Format) {
		codec = codecs[o.Compression]
		ext += map[string]string{"gzip": ".gz", "zstd": ".zst"}[o.Compression]
	}
	return text.WriterOptions{
		Codec: codec, Extension: ext, SortKeys: o.SortKeys,
		FileSize: o.FileSize, FileRows: o.FileRows, FileCount: o.FileCount, TotalRows: o.TotalRows, Acct: o.Acct,
	}
}

// parquetWriter is a Parquet writer as a writer of any format.
type parquetWriter struct{ *parquet.Writer }

func (w parquetWriter) Close(ctx context.Context) (Summary, error) {
	s, err := w.Writer.Close(ctx)
	return Summary{Rows: s.Rows, Bytes: s.Bytes, Files: len(s.Files)}, err
}
