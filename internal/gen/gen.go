// Package gen makes the tables of the join that inspired pqjoin, seeded and reproducible.
package gen

import (
	"context"
	"errors"

	"pqjoin/internal/vfs"
)

// Table says which table to make.
type Table uint8

// The tables.
const (
	Test  Table = iota + 1 // col1 int64, col2 int64 in [101, 20000), col3 double in [0, 10000)
	Test2                  // col1 int64, col4 double in [0, 10000)
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

// Spec says what to make: Rows rows in files of RowsPerFile (default 1,000,000).
type Spec struct {
	Table       Table
	Rows        int64
	RowsPerFile int64
	KeyLo       int64 // keys are uniform in [KeyLo, KeyHi); default [90000, 100000)
	KeyHi       int64
	Shape       Shape
	Seed        uint64
	Threads     int
}

// Seed writes the table as part.0.parquet, part.1.parquet ... into dir, which it makes.
func Seed(ctx context.Context, fs vfs.FS, dir string, s Spec) error { return errors.ErrUnsupported }
