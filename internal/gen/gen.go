// Package gen makes the tables of the join that inspired pqjoin: a large one and a
// smaller one that share ten thousand keys, so that joining them multiplies.
//
// Invariant: a table is a function of its Spec alone; Threads and memory do not change it, and
// a file's values do not depend on its shape.
package gen

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"
)

// Table says which table to make.
type Table uint8

// The tables.
const (
	Test  Table = iota + 1 // col1 int64 key, col2 int64 in [101, 20000), col3 double in [0, 10000)
	Test2                  // col1 int64 key, col4 double in [0, 10000)
)

// Shape says whose habits the files follow.
type Shape uint8

// The shapes.
const (
	Fastparquet      Shape = iota // one plain page per column chunk, snappy, no CRC, no dictionary
	FastparquetPlain              // the same, uncompressed
	Pyarrow                       // dictionaries, pages of 1 MiB, snappy
	Pqjoin                        // our own writer's
)

// Spec says what to make. Zero values mean the defaults.
type Spec struct {
	Table       Table
	Rows        int64 // of all files
	RowsPerFile int64 // default 1,000,000; the last file may have fewer
	KeyLo       int64 // keys are uniform in [KeyLo, KeyHi); default [90000, 100000)
	KeyHi       int64
	Shape       Shape
	Seed        uint64
	Threads     int // files written at a time; default 1
	Acct        *mem.Account
}

// column is how one column's values are made.
type column struct {
	name   string
	typ    batch.Type
	lo, hi int64
}

func (s *Spec) columns() ([]column, error) {
	key := column{"col1", batch.Of(batch.Int64), s.KeyLo, s.KeyHi}
	switch s.Table {
	case Test:
		return []column{key, {"col2", batch.Of(batch.Int64), 101, 20_000}, {"col3", batch.Of(batch.Float64), 0, 10_000}}, nil
	case Test2:
		return []column{key, {"col4", batch.Of(batch.Float64), 0, 10_000}}, nil
	}
	return nil, fmt.Errorf("gen: no table %d", s.Table)
}

// Seed writes the table as part.0.parquet, part.1.parquet ... into dir, which it makes. A table of no rows has one file.
func Seed(ctx context.Context, fsys vfs.FS, dir string, s Spec) error {
	if s.KeyLo == 0 && s.KeyHi == 0 {
		s.KeyLo, s.KeyHi = 90_000, 100_000
	}
	if s.RowsPerFile <= 0 {
		s.RowsPerFile = 1_000_000
	}
	if s.Rows < 0 || s.KeyHi <= s.KeyLo {
		return fmt.Errorf("gen: %d rows with keys in [%d, %d)", s.Rows, s.KeyLo, s.KeyHi)
	}
	cols, err := s.columns()
	if err != nil {
		return err
	}
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(s.Threads, 1))
	files := max((s.Rows+s.RowsPerFile-1)/s.RowsPerFile, 1)
	for i := range files {
		if ctx.Err() != nil {
			break
		}
		f := file{spec: &s, cols: cols, number: i, rows: min(s.RowsPerFile, s.Rows-i*s.RowsPerFile),
			path: filepath.Join(dir, fmt.Sprintf("part.%d.parquet", i))}
		g.Go(func() error { return f.write(ctx, fsys) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}

// file is one file of the table.
type file struct {
	spec   *Spec
	cols   []column
	number int64
	rows   int64
	path   string
}

func (f *file) write(ctx context.Context, fsys vfs.FS) error {
	if f.spec.Shape == Pyarrow || f.spec.Shape == Pqjoin {
		return f.stream(ctx, fsys)
	}
	t := parquet.PlainTable{Rows: f.rows, Plain: f.spec.Shape == FastparquetPlain, Acct: f.spec.Acct,
		CreatedBy: "fastparquet-python version 2026.9.0 (build 0)", KeyValue: f.pandas("fastparquet", "2026.9.0")}
	for i, c := range f.cols {
		t.Columns = append(t.Columns, parquet.PlainColumn{Name: c.name, Type: c.typ,
			Fill: func(row int64, dst []uint64) { f.fill(i, row, dst) }})
	}
	_, err := parquet.WritePlain(ctx, fsys, f.path, t)
	return err
}

// stream writes the file through the table writer.
func (f *file) stream(ctx context.Context, fsys vfs.FS) error {
	schema := &batch.Schema{}
	for _, c := range f.cols {
		schema.Fields = append(schema.Fields, batch.Field{Name: c.name, Type: c.typ, Nullable: true})
	}
	o := parquet.WriterOptions{Acct: f.spec.Acct}
	if f.spec.Shape == Pyarrow {
		o.Shape, o.KeyValue = parquet.ShapePyarrow, f.pandas("pyarrow", "26.0.1")
	}
	w, err := parquet.CreateFile(ctx, fsys, f.path, schema, o)
	if err != nil {
		return err
	}
	defer w.Abort()
	for row := int64(0); row < f.rows; row += parquet.PlainBlock {
		b, err := f.batch(schema, row)
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

func (f *file) batch(schema *batch.Schema, row int64) (*batch.Batch, error) {
	n := int(min(parquet.PlainBlock, f.rows-row))
	b := &batch.Batch{Schema: schema, N: n}
	for i, c := range f.cols {
		col, err := batch.NewFixed(f.spec.Acct, c.typ, n)
		if err != nil {
			b.Release()
			return nil, err
		}
		b.Cols = append(b.Cols, col)
		f.fill(i, row, batch.View[uint64](col.Fixed))
	}
	return b, nil
}

// fill makes the values of column i from row on. Every block of a column has a generator of its own,
// so that it can be made alone.
func (f *file) fill(i int, row int64, dst []uint64) {
	block := uint64(f.number)<<32 | uint64(row/parquet.PlainBlock)
	r := rand.New(rand.NewPCG(f.spec.Seed<<8^uint64(f.spec.Table)<<4^uint64(i), block))
	c := f.cols[i]
	if c.typ.ID == batch.Float64 {
		for k := range dst {
			dst[k] = math.Float64bits(float64(c.lo) + float64(c.hi-c.lo)*r.Float64())
		}
		return
	}
	for k := range dst {
		dst[k] = uint64(c.lo + r.Int64N(c.hi-c.lo))
	}
}

// pandas returns the metadata by which pandas restores a data frame.
func (f *file) pandas(library, version string) []parquet.KeyValue {
	var cols []string
	for _, c := range f.cols {
		cols = append(cols, fmt.Sprintf(`{"field_name": %[1]q, "metadata": null, "name": %[1]q, "numpy_type": %[2]q, "pandas_type": %[2]q}`, c.name, c.typ))
	}
	v := fmt.Sprintf(`{"column_indexes": [{"field_name": null, "metadata": null, "name": null, "numpy_type": "str", "pandas_type": "unicode"}], `+
		`"columns": [%s], "creator": {"library": %q, "version": %q}, `+
		`"index_columns": [{"kind": "range", "name": null, "start": 0, "step": 1, "stop": %d}], "pandas_version": "3.1.1", "partition_columns": []}`,
		strings.Join(cols, ", "), library, version, f.rows)
	return []parquet.KeyValue{{Key: "pandas", Value: v}}
}
