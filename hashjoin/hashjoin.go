// Package hashjoin joins two tables out of core: left, inner, right, outer, semi and
// anti joins, many to many, on any number of keys, in memory that does not grow with the data.
//
// One idea: every strategy probes in left order into a RightTable, which maps a
// key to its right rows in right order. So the left's order is kept by
// construction, and the matches of one left row come in the right table's order.
//
//	Resident   the right side fits: one shared table, left units probe it as they pass
//	Range      the left is sorted by the key: the right is cut by splitters on the key,
//	           and the left stream walks over the right's partitions; the order is kept
//	Hash       both sides are cut by key hash, then joined partition by partition;
//	           the order of left rows among partitions is lost, nothing else is
//
// A right partition that is too large is cut again: by the next hash bits, with heavy
// keys peeled off (Hash), or by finer key ranges (Range). What one key owns is replayed:
// the right rows are streamed again for every left row (Range) or block of left rows (Hash).
//
// Invariants:
//
//   - Rows are neither lost nor repeated, whatever the memory: a failure is an error.
//   - A right row has a row id within its table, and matching goes through row ids: right and outer
//     joins keep a bit a row of the partition in hand, and put out the rows without one after its left rows.
//   - Keys compare as the job's contract says: NaN equals NaN, -0.0 equals 0.0, and null
//     equals null only where Spec.NullsEqual is set.
//   - Everything that grows with data is pool memory.
package hashjoin

import (
	"errors"
	"fmt"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Kind is what happens to rows without a match.
type Kind uint8

// The kinds of join.
const (
	Left       Kind = iota + 1 // left rows without a match are put out once, the right's columns null
	Inner                      // rows without a match are dropped
	Semi                       // left rows with a match are put out once; Spec.RightOut is empty
	Anti                       // left rows without a match are put out; Spec.RightOut is empty
	RightOuter                 // right rows without a match are put out once: the left's keys are theirs, its other columns null
	FullOuter                  // both Left and RightOuter
)

// keepsLeft says whether left rows without a match are put out with null right columns.
func (k Kind) keepsLeft() bool { return k == Left || k == FullOuter }

// keepsRight says whether right rows without a match are put out.
func (k Kind) keepsRight() bool { return k == RightOuter || k == FullOuter }

// filters says whether the left's rows are put out as they are, at most once.
func (k Kind) filters() bool { return k == Semi || k == Anti }

// needsMatch says whether left rows without a match are dropped.
func (k Kind) needsMatch() bool { return k == Inner || k == Semi || k == RightOuter }

// Validate says on which sides a key must be unique.
type Validate uint8

// The relations that can be asserted, left to right.
const (
	ManyToMany Validate = iota
	OneToOne
	OneToMany // left keys are unique
	ManyToOne // right keys are unique
)

// ParseValidate reads 1:1, 1:m, m:1, m:m or nothing, as job files write them.
func ParseValidate(s string) (Validate, error) {
	switch s {
	case "", "m:m":
		return ManyToMany, nil
	case "1:1":
		return OneToOne, nil
	case "1:m":
		return OneToMany, nil
	case "m:1":
		return ManyToOne, nil
	}
	return 0, fmt.Errorf("validate is 1:1, 1:m, m:1 or m:m, not %q", s)
}

// LeftUnique says whether left keys must be unique.
func (v Validate) LeftUnique() bool { return v == OneToOne || v == OneToMany }

// RightUnique says whether right keys must be unique.
func (v Validate) RightUnique() bool { return v == OneToOne || v == ManyToOne }

// Errors that decide what a caller does; test with errors.Is.
var (
	// ErrValidate marks a broken Spec.Validate; the error is a *ValidateError.
	ErrValidate = errors.New("join keys are not unique")
	// ErrMaxRows says that the join would put out more than Spec.MaxRows rows.
	ErrMaxRows = errors.New("join reached max_rows")
	// ErrTooBig says that the right side does not fit its share; nothing is lost, and the join can go on partitioned.
	ErrTooBig = errors.New("right side of the join outgrew its share of memory")
	// ErrSelfCheck says that rows were lost or repeated inside the join: a bug, never bad input.
	ErrSelfCheck = errors.New("join self-check failed")
)

// ValidateError names a key that breaks Spec.Validate. Keys whose nulls match nothing never break it.
type ValidateError struct {
	ID      int      // Spec.ID: which join it is
	Want    string   // "1:1", "1:m" or "m:1"
	Side    string   // "left" or "right": where the key is repeated
	Columns []string // names of the left's key columns
	Keys    []string // the key, rendered, one a column
	// Left and Right are how many rows have the key: of the side that broke it as far as it
	// was read, so at least 2; of the other side -1, for nobody counted.
	Left, Right int64
}

func (e *ValidateError) Error() string {
	n := max(e.Left, e.Right)
	return fmt.Sprintf("the join is not %s: key %s is in %d rows or more of the %s side", e.Want, renderKey(e.Columns, e.Keys), n, e.Side)
}

// Is makes errors.Is(err, ErrValidate) true.
func (e *ValidateError) Is(target error) bool { return target == ErrValidate }

// Spec describes a join. Left and right keys correspond by position and have the same kinds.
type Spec struct {
	Name        string // names the stage in errors and spill
	ID          int    // the caller's number of the join: see ValidateError
	Kind        Kind
	Left, Right *batch.Schema
	LeftKeys    []int // positions in Left
	RightKeys   []int // positions in Right
	RightOut    []int // positions in Right of the columns put out after the left's
	// RightCarry is positions in Right of what right rows without a match have in the columns that Right.Carry adds, in order.
	RightCarry []int
	// Out is the result's schema; nil: the left's fields, then the right's at RightOut, each nullable where rows lack that side.
	Out        *batch.Schema
	NullsEqual bool // null keys match null keys
	Validate   Validate
	MaxRows    int64 // 0: no bound
	BatchRows  int   // most rows of a batch put out; 0: batch.Rows
	Workers    int   // workers that put and probe
	// Partitions is how many partitions the right side (and the left, in Hash) is scattered into; 1 to 65535. 0: 64.
	Partitions int
	// PartBytes is the most bytes that a worker's loaded right partition and its table may take.
	PartBytes int64
	// ResidentBytes is the most bytes that the shared table of Resident may take.
	ResidentBytes int64
	// RightRows is a guess of the right's rows, 0 where there is none. Nothing but speed depends on it.
	RightRows int64
	// Acct pays for the shared tables and for what has no unit; partitions are paid by the account given to Open.
	Acct *mem.Account
	// Stores makes the partition stores.
	Stores StoreFactory
}

// OutSchema returns the schema of the result.
func (s *Spec) OutSchema() *batch.Schema {
	if s.Out != nil {
		return s.Out
	}
	out := &batch.Schema{Fields: append([]batch.Field(nil), s.Left.Fields...)}
	for i := range out.Fields {
		out.Fields[i].Nullable = out.Fields[i].Nullable || s.Kind.keepsRight()
	}
	for _, c := range s.RightOut {
		f := s.Right.Fields[c]
		f.Nullable = f.Nullable || s.Kind.keepsLeft()
		out.Fields = append(out.Fields, f)
	}
	return out
}

// Counters is what a join did so far.
type Counters struct {
	LeftRows, RightRows, OutRows int64
	Matches                      int64 // pairs of rows that matched
	BuildBytes                   int64 // most bytes that one right table took
	Tables                       int64 // tables built
	Splits                       int64 // partitions cut again
	Replays                      int64 // passes over a right partition that was too large for a table
}

// counters is Counters while it is counted, and the row limit, shared by all workers.
type counters struct {
	left, right, out, matches, build, tables, splits, replays atomic.Int64
	maxRows                                                   int64
}

func (c *counters) snapshot() Counters {
	return Counters{
		LeftRows: c.left.Load(), RightRows: c.right.Load(), OutRows: c.out.Load(), Matches: c.matches.Load(),
		BuildBytes: c.build.Load(), Tables: c.tables.Load(), Splits: c.splits.Load(), Replays: c.replays.Load(),
	}
}

// emit counts n rows that are about to be put out, or says that they are too many.
func (c *counters) emit(n int) error {
	if out := c.out.Add(int64(n)); c.maxRows > 0 && out > c.maxRows {
		return fmt.Errorf("%w: more than %d rows", ErrMaxRows, c.maxRows)
	}
	return nil
}

// built records a table of n bytes.
func (c *counters) built(n int64) {
	c.tables.Add(1)
	for {
		old := c.build.Load()
		if n <= old || c.build.CompareAndSwap(old, n) {
			return
		}
	}
}
