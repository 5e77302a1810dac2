// Package asof joins each left row with the right row that comes nearest in one column, among those that agree in the others, in
// bounded memory: both sides are cut by the same ranges of the whole key and sorted range by range, and merged as they are read.
//
//	Right.Put ──► sort ranges, and the last and first row of each range (edges)
//	Left.Put  ──► sort ranges
//	Source: unit p = left range p, merged with edge before p, right range p, edge behind p
//
// Invariants:
//
//   - A merge holds a batch of each side and one right row besides, whatever the sizes of groups and however many rows are tied.
//   - Ranges are independent of each other: what a left row may need of other ranges is an edge.
//   - Of right rows that are tied, the last is behind or at a left row, the first is before it: in the right's order, whatever workers did.
//   - Every left row comes out once, in the order of the sort, which is stable.
//   - Rows whose last key is null or NaN match nothing; nor do null keys, unless Spec.NullsEqual is set.
package asof

import (
	"context"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// Direction is where the right row of a left row lies.
type Direction uint8

// The directions. A right row that is equal is allowed in all of them.
const (
	Backward Direction = iota + 1 // the last that is not after it
	Forward                       // the first that is not before it
	Nearest                       // whichever is nearer, of two as near the one before
)

// Spec describes an as-of join. Left and right keys correspond by position and have the same types; the last is the one to come
// near to, a number or a time, ascending with nulls last.
type Spec struct {
	Name        string // names the stage in errors and spill
	Left, Right *batch.Schema
	LeftKeys    []batch.SortKey // positions in Left
	RightKeys   []batch.SortKey // positions in Right; the same order otherwise
	RightOut    []int           // positions in Right of the columns put out after the left's
	Out         *batch.Schema
	Direction   Direction
	NullsEqual  bool // null keys, but for the last, match null keys
	Within      bool // the distance is at most Ticks, or of floats Real
	Ticks       batch.Int128
	Real        float64
	Workers     int   // workers that put
	Partitions  int   // see extsort.Spec
	BlockBytes  int   // of the partition stores
	MaxLoad     int64 // bytes that an opened unit may take of each side
	BatchRows   int   // most rows of a batch put out; 0: batch.Rows
	Acct        *mem.Account
	Dir         *spillfile.Dir
}

// Join is an as-of join: the sinks Right and then Left, then Source.
type Join struct {
	spec        Spec
	left, right *extsort.Sorter
	split       *extsort.Splitters // of the right
	edges       *edges             // nil where there is one range
}

// New returns a join by splitters of the keys, which must have been made for a table with the key columns at those of RightKeys or
// LeftKeys, declared nullable.
func New(spec Spec, split *extsort.Splitters) (*Join, error) {
	j := &Join{spec: spec, split: split.At(batch.KeyPositions(spec.RightKeys))}
	sort := extsort.Spec{
		Name: spec.Name + ", right side", Schema: spec.Right, Keys: spec.RightKeys, Workers: spec.Workers, Partitions: spec.Partitions,
		BlockBytes: spec.BlockBytes, MaxLoad: spec.MaxLoad, BatchRows: spec.BatchRows, Acct: spec.Acct, Dir: spec.Dir,
	}
	var err error
	if j.right, err = extsort.New(sort, j.split); err != nil {
		return nil, err
	}
	sort.Name, sort.Schema, sort.Keys = spec.Name+", left side", spec.Left, spec.LeftKeys
	if j.left, err = extsort.New(sort, split.At(batch.KeyPositions(spec.LeftKeys))); err != nil {
		return nil, errors.Join(err, j.right.Close())
	}
	if split.Count() > 1 {
		j.edges = newEdges(&j.spec, j.split)
	}
	return j, nil
}

// LeftRows returns how many left rows came in.
func (j *Join) LeftRows() int64 { return j.left.Stats().Rows }

// Close gives everything back; streams must be closed before.
func (j *Join) Close() error {
	var err error
	for _, s := range []*extsort.Sorter{j.left, j.right} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	if j.edges != nil {
		j.edges.close()
	}
	return err
}

// Right returns the sink of the right side. Its Close does nothing: see Join.Close.
func (j *Join) Right() batch.Sink { return rightSink{j} }

// Left returns the sink of the left side. Its Close does nothing: see Join.Close.
func (j *Join) Left() batch.Sink { return leftSink{j.left} }

type leftSink struct{ *extsort.Sorter }

func (leftSink) Close() error { return nil }

type rightSink struct{ j *Join }

// Put takes right rows in; those that can match nothing are dropped at once.
func (s rightSink) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	j := s.j
	b, err := j.matchable(b)
	if err != nil {
		return err
	}
	if b.N == 0 {
		b.Release()
		return nil
	}
	if j.edges == nil {
		return j.right.Put(ctx, worker, unit, b)
	}
	buf, err := j.spec.Acct.Alloc(2 * b.N)
	if err != nil {
		b.Release()
		return err
	}
	defer buf.Release()
	parts := batch.View[uint16](buf.Bytes())[:b.N]
	keys, err := j.split.AssignKeys(j.spec.Acct, b, parts)
	if err == nil {
		err = j.edges.add(worker, unit, b, keys, parts)
		keys.Release()
	}
	if err != nil {
		b.Release()
		return fmt.Errorf("%s: %w", j.spec.Name, err)
	}
	return j.right.PutAt(ctx, worker, unit, parts, b)
}

func (s rightSink) EndUnit(context.Context, int, int) error { return nil }

func (s rightSink) Finish(ctx context.Context) error {
	if s.j.edges != nil {
		if err := s.j.edges.finish(); err != nil {
			return err
		}
	}
	return s.j.right.Finish(ctx)
}

func (s rightSink) Close() error { return nil }

// matchable returns b, which it takes over, without the rows that match nothing.
func (j *Join) matchable(b *batch.Batch) (*batch.Batch, error) {
	keys := j.spec.RightKeys
	last := b.Cols[keys[len(keys)-1].Column]
	nulls := last.Nulls
	for _, k := range keys[:len(keys)-1] {
		if !j.spec.NullsEqual {
			nulls += b.Cols[k.Column].Nulls
		}
	}
	if nulls == 0 && !last.Type.IsFloat() {
		return b, nil
	}
	on, err := newOnValues(j.spec.Acct, last)
	if err != nil {
		b.Release()
		return nil, err
	}
	defer on.release()
	matches := func(i int) bool {
		ok := on.usable(i)
		for _, k := range keys[:len(keys)-1] {
			ok = ok && (j.spec.NullsEqual || !b.Cols[k.Column].IsNull(i))
		}
		return ok
	}
	n := 0
	for n < b.N && matches(n) {
		n++
	}
	if n == b.N {
		return b, nil
	}
	defer b.Release()
	keep := make([]uint32, 0, b.N)
	for i := range b.N {
		if i < n || matches(i) {
			keep = append(keep, uint32(i))
		}
	}
	return batch.GatherBatch(j.spec.Acct, b, keep)
}
