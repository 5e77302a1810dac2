// Package format names what a table file is to the rest of the program, whatever its
// format: a schema, units that are read apart from each other, and what a reader needs.
//
// Invariants:
//
//   - Opening a file tells its schema; the rows may be an estimate (Rows), the units' too.
//   - Units are in the file's order. Reading a unit gives the same rows whichever columns are read.
//   - A column whose values were all null so far has type batch.Null and is read as whatever the table makes of it.
package format

import (
	"context"
	"errors"

	"pqjoin/batch"
	"pqjoin/mem"
)

var (
	// ErrMalformed marks a file of text that its format does not allow, or a value that its column's type does not.
	ErrMalformed = errors.New("malformed file")
	// ErrUnsupported marks a file that uses what we do not read.
	ErrUnsupported = errors.New("unsupported file")
	// ErrChanged marks a file that is no longer what it was when it was opened.
	ErrChanged = errors.New("file changed while it was read")
)

// Unit is a part of a file that is read on its own.
type Unit struct {
	Rows  int64 // an estimate of at least 1 where the file's rows are one
	Bytes int64 // in the file
	Raw   int64 // uncompressed
}

// ReadOptions says how a unit is read.
type ReadOptions struct {
	BatchRows  int   // the most rows of a batch; 0 means batch.Rows
	WholeBytes int64 // memory beyond the floor that makes reading faster
}

// File is an open file: what it said when it was opened. It does not change, is safe for
// concurrent use, and holds no descriptor while nobody reads.
type File interface {
	Path() string
	Size() int64 // bytes
	CreatedBy() string
	Schema() *batch.Schema
	// Rows returns the rows, and whether they are a fact.
	Rows() (n int64, exact bool)
	Units() []Unit
	// HeapBytes returns about how many bytes of the Go heap what is known of the file takes, as long as it is known: not less than it takes.
	HeapBytes() int64
	// ReadsAs says whether Read gives the column as t itself, beyond the type of the schema.
	ReadsAs(col int, t batch.Type) bool
	// ReadFloor returns the bytes of memory that reading columns of a unit takes at most, batches aside. What it returns once ctx has ended means nothing.
	ReadFloor(ctx context.Context, unit int, cols []int) int64
	// RowBytes returns the mean raw bytes of a column's values in a unit, all rows together.
	RowBytes(unit, col int) int64
	// Read opens a stream over the columns at the positions cols, in that order. types holds
	// the type of each: the schema's, or one that ReadsAs takes. Memory comes from acct.
	Read(ctx context.Context, acct *mem.Account, unit int, cols []int, types []batch.Type, o ReadOptions) (batch.Stream, error)
	// Identity says what the file was when it was opened, for comparison: its size, its time and, where it has one, its footer's checksum.
	Identity() string
	// Verify says whether the file still is what it was; else the error wraps its format's ErrChanged.
	Verify(ctx context.Context) error
}

// Summary is what a Writer has written.
type Summary struct {
	Rows  int64
	Bytes int64 // of all files
	Files int
}

// Writer writes one table. Its methods are called by one goroutine at a time.
type Writer interface {
	// Write appends the rows of b, of which it takes ownership, also when it fails.
	Write(ctx context.Context, b *batch.Batch) error
	// Close writes what is left and makes the files and their directory durable. After an error call Abort.
	Close(ctx context.Context) (Summary, error)
	// Abort releases everything. It may be called after Close and more than once.
	Abort()
}
