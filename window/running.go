package window

import (
	"errors"
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/groupby/binsum"
	"pqjoin/mem"
)

// ErrOverflow says that a cumulative or rolling sum does not fit its type.
var ErrOverflow = errors.New("the sum does not fit")

// RunningSpec describes columns that look back over the rows of their group. Positions refer to the input's schema.
type RunningSpec struct {
	In    *batch.Schema
	Out   *batch.Schema // In's fields, then one a column of Cols
	By    []int         // groups are runs of equal values; none: the whole table is one group
	Order []int         // rows of a group that agree in these have one rank
	Cols  []RunningColumn
}

// RunningColumn is one computed column. The functions are
//
//	row_number rank dense_rank cumcount   of no argument; int64
//	cumsum                                null where the row is; of ints int64, of decimals decimal(38, s), of floats float64
//	cummin cummax                         null where the row is, in the order of keys, -0.0 below 0.0
//	ffill first                           the last value that is not null; the first row's value
//	rolling_sum ... rolling_std           of the last N rows; null where one of them is null or they are fewer
//	ewm_mean                              weights (1-Alpha)^k, k rows back, of a float64 column
//
// rolling_mean, rolling_std and ewm_mean take float64 columns.
type RunningColumn struct {
	Name  string // for messages
	Func  string
	Arg   int // -1 for none
	N     int // of the rolling ones, at least 1
	Alpha float64
	Type  batch.Type // of the result
}

// Running computes them. It is immutable and may be used by several goroutines, each with its own RunningState.
// A rolling value is a function of its window's values alone, and a cumulative one of the group's rows so
// far in their order: neither depends on where batches and units are cut.
type Running struct {
	spec    RunningSpec
	numbers [len(numberings)]bool // whether a column is of them
}

// NewRunning returns the operator.
func NewRunning(spec RunningSpec) *Running {
	r := &Running{spec: spec}
	for _, c := range spec.Cols {
		if n := numberOf(c.Func); n >= 0 {
			r.numbers[n] = true
		}
	}
	return r
}

// numberings are the functions that number rows. It is never written to.
var numberings = [...]string{"row_number", "rank", "dense_rank", "cumcount"}

// numberOf returns which of a row's numbers a function shows; -1: none.
func numberOf(fn string) int { return slices.Index(numberings[:], fn) }

// RunningState is what one stretch of rows leaves to the next. A nil *RunningState is the beginning of the table.
// It holds one row of keys, and of each column one value or its last N-1.
type RunningState struct {
	keys             *batch.Batch // the last row's By and Order columns
	row, rank, dense int64        // of the last row
	cols             []colState
}

// colState is the state of one column.
type colState struct {
	kept  *batch.Column // ffill, first, cummin, cummax: the value so far, one row; rolling: the last rows; or nil
	total batch.Int128  // cumsum of ints and decimals
	sum   binsum.State  // cumsum of floats
	mean  float64       // ewm_mean: the mean so far, and the weight of its rows against that of the next
	old   float64
	any   bool // ewm_mean: there is a mean
}

// Release drops what the state holds. Nil is fine.
func (s *RunningState) Release() {
	if s == nil {
		return
	}
	s.keys.Release()
	for _, c := range s.cols {
		c.kept.Release()
	}
}

// segment is rows [lo, hi) of a batch that belong to one group; fresh says that the group begins there.
type segment struct {
	lo, hi int
	fresh  bool
}

// Push computes the batch b in the state st: it returns b's rows with the new columns, and the next state. It takes over b and st.
func (r *Running) Push(acct *mem.Account, st *RunningState, b *batch.Batch) (*batch.Batch, *RunningState, error) {
	defer st.Release()
	defer b.Release()
	if b.N == 0 {
		return nil, nil, errors.New("window: an empty batch")
	}
	if st == nil {
		st = &RunningState{cols: make([]colState, len(r.spec.Cols))}
	}
	k, err := r.keysOf(acct, st, b)
	if err != nil {
		return nil, nil, err
	}
	next := &RunningState{keys: k.last, cols: make([]colState, len(st.cols))}
	out := &batch.Batch{Schema: r.spec.Out, N: b.N}
	for _, c := range b.Cols {
		out.Cols = append(out.Cols, c.Retain())
	}
	defer k.release()
	if err := k.number(acct, r.numbers, st, next); err != nil {
		out.Release()
		next.Release()
		return nil, nil, fmt.Errorf("window: %w", err)
	}
	for i, c := range r.spec.Cols {
		col, err := r.column(acct, c, k, b, &st.cols[i], &next.cols[i])
		if err != nil {
			out.Release()
			next.Release()
			return nil, nil, fmt.Errorf("window: column %q: %w", c.Name, err)
		}
		out.Cols = append(out.Cols, col)
	}
	return out, next, nil
}

// Grouped says whether the table is cut into groups, so that After may help.
func (r *Running) Grouped() bool { return len(r.spec.By) > 0 }

// After returns the state behind a stretch of rows whose last rows are tail, without computing the stretch: what lets the next unit
// begin while this one still runs. It is possible where a group begins in tail behind its first row. It takes the time of that group.
func (r *Running) After(acct *mem.Account, tail *batch.Batch) (*RunningState, bool, error) {
	starts := Runs(tail, r.spec.By)
	if len(starts) < 2 {
		return nil, false, nil
	}
	group, err := tail.Slice(acct, int(starts[len(starts)-1]), tail.N)
	if err != nil {
		return nil, false, err
	}
	out, st, err := r.Push(acct, nil, group)
	if err != nil {
		return nil, false, err
	}
	out.Release()
	return st, true, nil
}

func (r *Running) column(acct *mem.Account, c RunningColumn, k *keyed, b *batch.Batch, st, next *colState) (*batch.Column, error) {
	if n := numberOf(c.Func); n >= 0 {
		return k.numbers[n].Retain(), nil
	}
	switch c.Func {
	case "ffill", "first", "cummin", "cummax":
		return picked(acct, c.Func, k.segs, b.Cols[c.Arg], st, next)
	case "cumsum":
		return cumulated(acct, c, k.segs, b.Cols[c.Arg], st, next)
	case "ewm_mean":
		return weighted(acct, c.Alpha, k.segs, b.Cols[c.Arg], st, next)
	}
	return rolled(acct, c, k.segs, b.Cols[c.Arg], st, next)
}

// keyed is a batch cut into groups.
type keyed struct {
	n       int
	segs    []segment
	peers   []uint32 // rows at which a rank begins, group starts among them, ascending
	last    *batch.Batch
	numbers [len(numberings)]*batch.Column // int64; nil where nobody asks
}

// keysOf finds where groups and ranks begin in b.
func (r *Running) keysOf(acct *mem.Account, st *RunningState, b *batch.Batch) (*keyed, error) {
	k := &keyed{n: b.N}
	cols := append(append([]int(nil), r.spec.By...), r.spec.Order...)
	if len(cols) == 0 {
		k.segs = []segment{{0, b.N, st.row == 0}}
		if st.row == 0 {
			k.peers = []uint32{0}
		}
		return k, nil
	}
	schema := r.spec.In.Select(cols)
	own := b.Select(schema, cols)
	defer own.Release()
	parts := []*batch.Batch{own}
	if st.keys != nil {
		parts = []*batch.Batch{st.keys, own}
	}
	all, err := batch.Concat(acct, schema, parts)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	before := all.N - b.N
	groups := runsAfter(all, len(r.spec.By), before)
	k.peers = runsAfter(all, len(cols), before)
	lo, fresh := 0, false
	for _, s := range groups {
		if int(s) > lo {
			k.segs = append(k.segs, segment{lo, int(s), fresh})
		}
		lo, fresh = int(s), true
	}
	k.segs = append(k.segs, segment{lo, b.N, fresh})
	k.last, err = batch.GatherBatch(acct, all, []uint32{uint32(all.N - 1)})
	return k, err
}

// runsAfter returns where runs of equal values in the first count columns begin, counted from row before, which rows
// before it take part in.
func runsAfter(all *batch.Batch, count, before int) []uint32 {
	var starts []uint32
	if before == 0 {
		starts = append(starts, 0)
	}
	starts = append(starts, runsOf(all.Cols[:count], 0, all.N)...)
	for i := range starts {
		starts[i] -= uint32(before)
	}
	return starts
}

// number counts rows and ranks on from st, in columns of those that are asked, and leaves the last row's in next.
func (k *keyed) number(acct *mem.Account, asked [len(numberings)]bool, st, next *RunningState) error {
	var out [len(numberings)][]int64
	for i := range asked {
		if !asked[i] {
			continue
		}
		c, err := batch.NewFixed(acct, batch.Of(batch.Int64), k.n)
		if err != nil {
			return err
		}
		k.numbers[i], out[i] = c, c.Int64s()
	}
	row, rank, dense, p := st.row, st.rank, st.dense, 0
	for _, s := range k.segs {
		if s.fresh {
			row, rank, dense = 0, 0, 0
		}
		for i := s.lo; i < s.hi; i++ {
			row++
			if p < len(k.peers) && int(k.peers[p]) == i {
				rank, p = row, p+1
				dense++
			}
			for n, v := range [len(numberings)]int64{row, rank, dense, row - 1} {
				if asked[n] {
					out[n][i] = v
				}
			}
		}
	}
	next.row, next.rank, next.dense = row, rank, dense
	return nil
}

// release gives the numbers up, but for the columns that were retained.
func (k *keyed) release() {
	for _, c := range k.numbers {
		c.Release()
	}
}
