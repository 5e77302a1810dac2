// Package batch holds data in memory: schemas, typed columns, batches of rows, and
// what every operator does with them: build, gather, slice, hash, and encode as
// comparable keys. batch/stream.go names the interfaces through which operators meet.
//
// Invariants:
//
//   - Columns and batches are immutable once they have been handed on.
//   - Memory is reference counted: whoever receives a Batch or Column owns one
//     reference and releases it, on every path.
//   - A batch has up to about 64K rows (Rows); operators must cope with any number, 0 included.
package batch

import (
	"context"

	"pqjoin/mem"
)

// Rows is how many rows a batch has by habit.
const Rows = 1 << 16

// Batch is N rows of a schema, one column a field. N is meaningful with zero columns too.
type Batch struct {
	Schema *Schema
	Cols   []*Column
	N      int
}

// Retain adds a reference to every column and returns the batch.
func (b *Batch) Retain() *Batch {
	for _, c := range b.Cols {
		c.Retain()
	}
	return b
}

// Release drops a reference to every column. Nil is fine.
func (b *Batch) Release() {
	if b == nil {
		return
	}
	for _, c := range b.Cols {
		c.Release()
	}
}

// Bytes returns the pool bytes charged for the batch; memory shared with other batches counts in each.
func (b *Batch) Bytes() int64 {
	var n int64
	for _, c := range b.Cols {
		n += c.Bytes()
	}
	return n
}

// Slice returns rows [i, j) sharing b's memory. The caller keeps its reference to b.
func (b *Batch) Slice(acct *mem.Account, i, j int) (*Batch, error) {
	out := &Batch{Schema: b.Schema, Cols: make([]*Column, 0, len(b.Cols)), N: j - i}
	for _, c := range b.Cols {
		s, err := c.Slice(acct, i, j)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, s)
	}
	return out, nil
}

// Positions returns 0 to n-1: the positions of the first n columns.
func Positions(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Select returns the columns at the positions idx, in that order, with references of its own.
func (b *Batch) Select(schema *Schema, idx []int) *Batch {
	out := &Batch{Schema: schema, Cols: make([]*Column, len(idx)), N: b.N}
	for i, j := range idx {
		out.Cols[i] = b.Cols[j].Retain()
	}
	return out
}

// A Stream yields batches until io.EOF. It is used by one goroutine at a time.
type Stream interface {
	// Next returns the next batch, which the caller owns, or io.EOF.
	Next(ctx context.Context) (*Batch, error)
	// Close releases what the stream holds. It may be called more than once and before io.EOF.
	Close() error
}

// A Source is a table cut into ordered units that can be read in parallel: the row
// groups of files, the partitions of a store. The table's order is unit by unit, and
// within a unit the order of its stream.
type Source interface {
	Schema() *Schema
	// Units returns how many units there are. They are opened in ascending order, each once.
	Units() int
	// Open starts reading a unit; memory comes from acct.
	Open(ctx context.Context, unit int, acct *mem.Account) (Stream, error)
}

// A Sink takes a table in, unit by unit. Units may arrive interleaved from several
// workers; the batches of one unit arrive in order from one worker.
type Sink interface {
	// Put takes ownership of b, which is part of the unit. worker is below the worker
	// count that the sink was made for; calls with the same worker do not overlap.
	Put(ctx context.Context, worker, unit int, b *Batch) error
	// EndUnit says that the unit is complete.
	EndUnit(ctx context.Context, worker, unit int) error
	// Finish says that all units are complete; it is called once, and not after an error.
	Finish(ctx context.Context) error
	// Close releases what is still held. It may be called after an error, and more than once.
	Close() error
}

// A Tailer is a Stream that can give its last rows before its first batch is read.
type Tailer interface {
	// Tail returns the last min(k, all) rows, which the caller owns. It is called before the first Next.
	Tail(k int) (*Batch, error)
}
