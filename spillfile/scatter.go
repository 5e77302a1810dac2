package spillfile

import (
	"context"
	"errors"
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
)

// worker is what one appending worker owns; nobody else touches it before Seal.
type worker struct {
	lay      *layout
	nullable []bool
	tails    []tail
	counts   []uint32
	runs     []run
	left     []run
	scratch  *mem.Buf // row indexes by partition, then bytes of variable width by row
	scratchN int
	in       []uint64 // column sums of what came in
	sealed   []uint64 // column sums of what was sealed
	rows     int64
	plans    []colPlan
	codes    []bool // by column of variable width: rows go as codes now
	flat     []bool // and never will again
	maps     []mapping
	lens     [][]uint32 // while a block is encoded: lengths of the values of a column,
	heaps    [][]byte   // and where its bytes go
	stuck    int        // the last waves that found no room for a row, whatever they gave back
}

// run is a stretch of rows on their way to one tail: idx[lo:hi], or rows [lo, hi) where there is no idx.
type run struct {
	p      int
	lo, hi int
	at     int // first row in the tail
	heap   int // next byte in the tail's heap
}

// rowSet is the rows of a batch being scattered, from row lo on.
type rowSet struct {
	lo   int
	idx  []uint32 // row numbers grouped by partition; nil: the rows as they are
	lens []uint32 // bytes of variable width of row lo+i
	even bool     // they are all the same
}

// UnitRows is how many rows of one worker are best numbered as a unit where their order alone matters: of those of one unit a reader
// holds all places at once, and a few bytes of a block say where a unit begins.
const UnitRows = 1 << 18

// Append scatters the rows of b: row i goes to partition part[i], all to partition 0
// where part is nil. It takes ownership of b. Calls with one worker do not overlap. A
// partition is read back ordered by unit, and within a unit in the order of arrival; a
// unit's rows come from one worker, and units are at most 2^31.
func (s *Store) Append(ctx context.Context, worker, unit int, part []uint16, b *batch.Batch) error {
	return s.append(ctx, worker, unit, target{each: part}, b)
}

// AppendTo is Append of rows that all go to one partition.
func (s *Store) AppendTo(ctx context.Context, worker, unit, part int, b *batch.Batch) error {
	return s.append(ctx, worker, unit, target{all: part}, b)
}

// target is the partitions of a batch's rows: each's, or where that is nil one of all.
type target struct {
	each []uint16
	all  int
}

func (s *Store) append(ctx context.Context, worker, unit int, to target, b *batch.Batch) error {
	defer b.Release()
	if part := to.each; part != nil && len(part) != b.N {
		panic(fmt.Sprintf("spillfile: %d partition numbers for %d rows", len(part), b.N))
	}
	w := &s.workers[worker]
	if err := s.noteLayout(w, b); err != nil {
		return s.named(err)
	}
	for lo := 0; lo < b.N; lo += batch.Rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+batch.Rows, b.N)
		if err := s.appendRows(ctx, w, unit, to, b, lo, hi); err != nil {
			return s.named(err)
		}
	}
	w.rows += int64(b.N)
	return nil
}

// storeError is an error in the store of that name.
type storeError struct {
	name string
	err  error
}

func (e *storeError) Error() string { return e.name + ": " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// named adds the store's name where no store has yet: what fails while a store makes room for another's rows
// is told of the one that it happened in.
func (s *Store) named(err error) error {
	var e *storeError
	if errors.As(err, &e) {
		return err
	}
	return &storeError{s.spec.Name, err}
}

// noteLayout changes the layout of tails where nulls appear in a column for the first time, or
// where a column's rows begin to go as codes or cease to.
func (s *Store) noteLayout(w *worker, b *batch.Batch) error {
	changed := false
	for c, col := range b.Cols {
		if col.Valid != nil && !w.nullable[c] {
			w.nullable[c], changed = true, true
			s.nullable[c].Store(true)
		}
		if v := s.cols[c].varIdx; v >= 0 {
			coded, err := s.coded(w, v, col)
			if err != nil {
				return err
			}
			changed = changed || coded != w.codes[v]
			w.codes[v] = coded
		}
	}
	if changed {
		w.lay = newLayout(s.cols, w.nullable, w.codes, s.spec.BlockBytes)
	}
	return nil
}

func (s *Store) appendRows(ctx context.Context, w *worker, unit int, to target, b *batch.Batch, lo, hi int) error {
	for c, col := range b.Cols {
		if v := s.cols[c].varIdx; v >= 0 && w.codes[v] {
			w.in[c] += w.maps[v].sum(col, lo, hi)
		} else {
			w.in[c] += sumRows(col, lo, hi)
		}
	}
	in := rowSet{lo: lo}
	part := to.each
	if s.spec.Partitions == 1 {
		part, to.all = nil, 0
	}
	if part != nil || w.lay.flat > 0 {
		if err := w.room(s, hi-lo); err != nil {
			return err
		}
		words := batch.View[uint32](w.scratch.Bytes())
		if part != nil {
			in.idx = words[:hi-lo]
		}
		if w.lay.flat > 0 {
			in.lens = words[w.scratchN:][:hi-lo]
		}
	}
	w.left = w.left[:0]
	if part == nil {
		w.left = append(w.left, run{p: to.all, lo: lo, hi: hi})
	} else {
		w.group(part[lo:hi], in.idx, lo)
	}
	if w.lay.flat > 0 {
		if err := s.rowBytes(w, b, in.lens, lo); err != nil {
			return err
		}
		in.even = allSame(in.lens)
	}
	for len(w.left) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.wave(w, unit, b, in); err != nil {
			return err
		}
	}
	return nil
}

// room gives the worker scratch for n rows.
func (w *worker) room(s *Store, n int) error {
	if n <= w.scratchN {
		return nil
	}
	w.scratch.Release()
	w.scratch, w.scratchN = nil, 0
	words := n
	if s.vars > 0 {
		words *= 2
	}
	buf, err := s.alloc(4 * words)
	if err != nil {
		return err
	}
	w.scratch, w.scratchN = buf, n
	return nil
}

// group sorts the row numbers lo, lo+1, ... by partition into idx, and makes a run for each partition.
func (w *worker) group(part []uint16, idx []uint32, lo int) {
	counts := w.counts
	clear(counts)
	for _, p := range part {
		counts[p]++
	}
	at := uint32(0)
	for p, n := range counts {
		if n > 0 {
			w.left = append(w.left, run{p: p, lo: int(at), hi: int(at + n)})
		}
		counts[p] = at
		at += n
	}
	row := uint32(lo)
	for _, p := range part {
		k := counts[p]
		idx[k] = row
		counts[p] = k + 1
		row++
	}
}

// rowBytes adds up the bytes of variable width of each row, those apart that go as codes.
func (s *Store) rowBytes(w *worker, b *batch.Batch, lens []uint32, lo int) error {
	clear(lens)
	for c, col := range b.Cols {
		if v := s.cols[c].varIdx; v < 0 || w.codes[v] {
			continue
		}
		over := false
		if col.Dict == nil && col.Valid == nil {
			off := col.Off[lo : lo+len(lens)+1]
			for i := range lens {
				n := lens[i] + off[i+1] - off[i]
				over = over || n < lens[i]
				lens[i] = n
			}
		} else {
			for i := range lens {
				n := lens[i] + valueLen(col, lo+i)
				over = over || n < lens[i]
				lens[i] = n
			}
		}
		if over {
			return fmt.Errorf("a row of more than %d bytes", uint32(math.MaxUint32))
		}
	}
	return nil
}

// allSame says whether all of v are, at 0.3 ns each.
func allSame(v []uint32) bool {
	differ := uint32(0)
	for _, x := range v {
		differ |= x ^ v[0]
	}
	return differ == 0
}

// valueLen returns the length of row i of a KindBytes column, 0 where it is null.
func valueLen(c *batch.Column, i int) uint32 {
	if c.Valid != nil && c.IsNull(i) {
		return 0
	}
	if c.Dict != nil {
		k := c.Codes[i]
		return c.Dict.Off[k+1] - c.Dict.Off[k]
	}
	return c.Off[i+1] - c.Off[i]
}
