// Package window shifts and accumulates columns within groups of an ordered table.
//
// A table arrives in order, batch by batch. An operator here is a machine with an
// explicit State that is handed from one batch to the next and, where the table comes
// in units that are processed in parallel, from one unit to the next: so a group may
// be larger than memory and span any number of batches and units. A State holds the few
// last rows that the next batch needs to look back at, and those rows not yet put out
// because they look ahead. Memory: (look-back + look-ahead) rows a state.
package window

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// LagSpec describes shifted columns. Positions refer to the input's schema.
type LagSpec struct {
	In   *batch.Schema
	Out  *batch.Schema // In's fields, then one a column of Cols
	By   []int         // groups are runs of equal values; none: the whole table is one group
	Cols []LagColumn
}

// LagColumn is column Column, Period rows earlier in the group; later where Period is negative.
type LagColumn struct {
	Column, Period int
}

// Lag computes shifted columns. It is immutable and may be used by several goroutines, each with its own State.
type Lag struct {
	spec        LagSpec
	back, ahead int    // the furthest any column looks, in rows
	windowed    []bool // input columns that are needed beyond the batch itself
}

// NewLag returns the operator.
func NewLag(spec LagSpec) *Lag {
	l := &Lag{spec: spec, windowed: make([]bool, len(spec.In.Fields))}
	for _, c := range spec.Cols {
		l.back = max(l.back, c.Period)
		l.ahead = max(l.ahead, -c.Period)
		l.windowed[c.Column] = true
	}
	for _, c := range spec.By {
		l.windowed[c] = true
	}
	if l.ahead > 0 { // whole rows wait, so all columns are carried
		for i := range l.windowed {
			l.windowed[i] = true
		}
	}
	return l
}

// Back and Ahead return how many rows before and behind it, at most, a row's columns are taken from.
func (l *Lag) Back() int  { return l.back }
func (l *Lag) Ahead() int { return l.ahead }

// Context returns how many rows a State holds at most.
func (l *Lag) Context() int { return l.back + l.ahead }

// State is what one stretch of rows leaves to the next: rows, of which the last
// pending ones are not put out yet. A nil *State is the beginning of the table.
type State struct {
	rows    *batch.Batch
	pending int
}

// Release drops the state's rows. Nil is fine.
func (s *State) Release() {
	if s != nil {
		s.rows.Release()
	}
}

func (s *State) len() int {
	if s == nil {
		return 0
	}
	return s.rows.N
}

// After returns the state behind a stretch of rows whose last rows are tail, without
// computing the stretch: what lets the next unit begin while this one still runs. It is
// possible where tail fills the context alone, whatever came before.
func (l *Lag) After(tail *batch.Batch) (*State, bool) {
	if tail.N < l.Context() {
		return nil, false
	}
	return &State{rows: tail.Retain(), pending: l.ahead}, true
}

// Push computes the batch b in the state st and returns the rows that are complete,
// which may be none, and the next state. It takes over b and st. last says that no row
// follows: all rows are put out and the next state is nil.
func (l *Lag) Push(acct *mem.Account, st *State, b *batch.Batch, last bool) (*batch.Batch, *State, error) {
	defer st.Release()
	defer b.Release()
	h := st.len()
	lo := h // the first row to put out, in window coordinates
	if st != nil {
		lo -= st.pending
	}
	n := h + b.N
	hi := n
	if !last {
		hi = max(lo, n-l.ahead)
	}
	w, err := l.window(acct, st, b, lo)
	if err != nil {
		return nil, nil, err
	}
	defer w.release()
	out, err := l.emit(acct, w, b, lo, hi)
	if err != nil || last {
		return out, nil, err
	}
	rows, err := l.keep(acct, st, b, max(0, hi-l.back), n)
	if err != nil {
		out.Release()
		return nil, nil, err
	}
	return out, &State{rows: rows, pending: n - hi}, nil
}

// keep copies rows [from, to) of state and batch, so that a few rows do not hold a whole batch's memory.
func (l *Lag) keep(acct *mem.Account, st *State, b *batch.Batch, from, to int) (*batch.Batch, error) {
	var parts []*batch.Batch
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	h := st.len()
	if from < h {
		p, err := st.rows.Slice(acct, from, min(h, to))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if to > h {
		p, err := b.Slice(acct, max(from, h)-h, to-h)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return batch.Concat(acct, l.spec.In, parts)
}

// win is the columns in window coordinates: front rows of padding, the state's rows, the
// batch's, and padding again, so that every shifted view lies inside.
type win struct {
	cols   []*batch.Column // nil where not windowed
	front  int
	starts []uint32 // window rows that begin a group, ascending; row 0 is left out (nothing is before it)
	n      int      // rows, padding left out
}

func (w *win) release() {
	for _, c := range w.cols {
		c.Release()
	}
}

func (l *Lag) window(acct *mem.Account, st *State, b *batch.Batch, lo int) (*win, error) {
	w := &win{cols: make([]*batch.Column, len(b.Cols)), front: max(0, l.back-lo), n: st.len() + b.N}
	for i, need := range l.windowed {
		if !need {
			continue
		}
		parts := make([]*batch.Column, 0, 2)
		if st.len() > 0 {
			parts = append(parts, st.rows.Cols[i])
		}
		c, err := padded(acct, append(parts, b.Cols[i]), w.front, l.ahead)
		if err != nil {
			w.release()
			return nil, err
		}
		w.cols[i] = c
	}
	by := make([]*batch.Column, len(l.spec.By))
	for i, c := range l.spec.By {
		by[i] = w.cols[c]
	}
	w.starts = runsOf(by, w.front, w.n)
	return w, nil
}

// emit builds the rows [lo, hi) of the output.
func (l *Lag) emit(acct *mem.Account, w *win, b *batch.Batch, lo, hi int) (*batch.Batch, error) {
	out := &batch.Batch{Schema: l.spec.Out, Cols: make([]*batch.Column, 0, len(l.spec.Out.Fields)), N: hi - lo}
	for i, c := range b.Cols {
		if l.ahead == 0 { // the batch's own rows, exactly
			out.Cols = append(out.Cols, c.Retain())
			continue
		}
		s, err := w.cols[i].Slice(acct, w.front+lo, w.front+hi)
		if err == nil {
			s, err = w.detached(acct, s)
		}
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, s)
	}
	for _, c := range l.spec.Cols {
		s, err := w.shifted(acct, w.cols[c.Column], c.Period, lo, hi)
		if err == nil {
			s, err = w.detached(acct, s)
		}
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, s)
	}
	return out, nil
}

// viewShare is the part of a window that a view of it must have to hold the window's memory.
const viewShare = 4

// detached takes over a view of a window and returns it, or a copy where the window is so
// much larger (the context is long, the batch short) that those who keep the rows would keep mostly others.
func (w *win) detached(acct *mem.Account, c *batch.Column) (*batch.Column, error) {
	if c.N*viewShare >= w.n {
		return c, nil
	}
	defer c.Release()
	schema := batch.NewSchema(batch.Field{Type: c.Type, Nullable: true})
	all, err := batch.Concat(acct, schema, []*batch.Batch{{Schema: schema, Cols: []*batch.Column{c}, N: c.N}})
	if err != nil {
		return nil, fmt.Errorf("lag: %w", err)
	}
	return all.Cols[0], nil
}

// shifted returns the rows [lo, hi) of c, period rows earlier: a view of the same
// values with a bitmap of its own, in which the rows that would look over a group's edge are null.
func (w *win) shifted(acct *mem.Account, c *batch.Column, period, lo, hi int) (*batch.Column, error) {
	from := w.front + lo - period
	if period == 0 {
		return c.Slice(acct, from, from+hi-lo)
	}
	plain := *c // the values without their bitmap
	plain.Valid, plain.Nulls = nil, 0
	out, err := plain.Slice(acct, from, from+hi-lo)
	if err != nil {
		return nil, err
	}
	if err := out.NewValid(acct); err != nil {
		out.Release()
		return nil, err
	}
	if c.Valid != nil {
		batch.CopyBits(out.Valid, 0, c.Valid, from, hi-lo)
	} else {
		batch.FillBits(out.Valid, hi-lo)
	}
	w.cutEdges(out.Valid, period, lo, hi)
	return out.SetNulls(), nil
}

// cutEdges clears the bits of rows whose shifted row lies in another group or outside the table.
func (w *win) cutEdges(valid []byte, period, lo, hi int) {
	clearRange := func(i, j int) {
		for i, j = max(i, lo), min(j, hi); i < j; i++ {
			valid[(i-lo)>>3] &^= 1 << ((i - lo) & 7)
		}
	}
	// A range ends at the neighbouring start at the latest, whose own range goes on from there.
	if period > 0 {
		clearRange(0, period)
		for k, s := range w.starts {
			next := w.n
			if k+1 < len(w.starts) {
				next = int(w.starts[k+1])
			}
			clearRange(int(s), min(int(s)+period, next))
		}
		return
	}
	clearRange(w.n+period, w.n)
	prev := 0
	for _, s := range w.starts {
		clearRange(max(int(s)+period, prev), int(s))
		prev = int(s)
	}
}

// padded concatenates the parts with front and back rows of padding around them.
func padded(acct *mem.Account, parts []*batch.Column, front, back int) (*batch.Column, error) {
	schema := batch.NewSchema(batch.Field{Type: parts[0].Type, Nullable: true})
	bs := make([]*batch.Batch, 0, len(parts)+2)
	add := func(c *batch.Column) {
		bs = append(bs, &batch.Batch{Schema: schema, Cols: []*batch.Column{c}, N: c.N})
	}
	pads := [2]*batch.Column{}
	defer func() { pads[0].Release(); pads[1].Release() }()
	for i, n := range []int{front, back} {
		var err error
		if pads[i], err = batch.Zeros(acct, parts[0].Type, n); err != nil {
			return nil, fmt.Errorf("lag: %w", err)
		}
	}
	add(pads[0])
	for _, p := range parts {
		add(p)
	}
	add(pads[1])
	all, err := batch.Concat(acct, schema, bs)
	if err != nil {
		return nil, fmt.Errorf("lag: %w", err)
	}
	return all.Cols[0], nil
}
