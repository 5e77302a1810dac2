package groupby

import (
	"context"
	"fmt"

	"pqjoin/batch"
)

// OrderedState is the open group at a unit's end: its key and partial state.
type OrderedState struct {
	open *batch.Batch // one row of layout.state; nil where there is no open group
}

// Release drops the state without using it. Nil is fine, and so is a second time.
func (s *OrderedState) Release() {
	if s != nil {
		s.open.Release()
		s.open = nil
	}
}

// Ordered aggregates rows that arrive in an order in which equal keys are neighbours, unit
// after unit, in memory that does not grow with the groups. One Ordered works on one unit at
// a time: Begin, Push for each batch, End; the state that End returns goes to the Begin of
// the next unit, whichever Ordered of the same spec runs that, and after the last unit to Last.
// The groups come in the order of the rows.
type Ordered struct {
	lay  *layout
	spec Spec
	t    *table
	unit int
	row  int64  // of the unit, the next one
	cur  uint32 // entry of the open group, the last one; 0 where there is none

	step        int // rows at a time
	kw          []uint64
	ent, masked []uint32
}

// NewOrdered returns a streaming aggregation; of the spec it uses the schemas, Keys, Aggs, DropNulls and Acct.
func NewOrdered(spec Spec) (*Ordered, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	o := &Ordered{spec: spec.withDefaults()}
	var err error
	if o.lay, err = newLayout(&o.spec); err != nil {
		return nil, err
	}
	if len(o.lay.holds) > 0 {
		return nil, fmt.Errorf("groupby %s: quantiles of rows in order need sorted values", spec.Name)
	}
	o.step = chunkOf(o.lay.stride)
	if o.t, err = newTable(o.lay, o.spec.Acct, 1<<40, o.step+2); err != nil {
		return nil, err
	}
	o.kw = make([]uint64, o.step*max(o.lay.keys.words, 1))
	o.ent, o.masked = make([]uint32, o.step), make([]uint32, o.step)
	return o, nil
}

// Begin starts a unit with the state of the one before it (nil for the first), which it takes over.
func (o *Ordered) Begin(_ context.Context, unit int, s *OrderedState) error {
	defer s.Release()
	if o.lay.posCol >= 0 && unit >= MaxUnits {
		return fmt.Errorf("groupby %s: %d units, at most %d with first or last", o.spec.Name, unit+1, MaxUnits)
	}
	o.unit, o.row = unit, 0
	o.clear()
	if s == nil || s.open == nil {
		return nil
	}
	return o.restore(s.open)
}

// clear empties the table; without keys, the one group stays open.
func (o *Ordered) clear() {
	o.t.reset()
	o.cur = 0
	if len(o.lay.keys.cols) == 0 {
		o.cur = 1
	}
}

// restore makes the one state of b the open group.
func (o *Ordered) restore(b *batch.Batch) error {
	if o.cur == 0 {
		in := o.encode(b, 0, 1)
		var err error
		if o.cur, err = o.t.append(&in, 0); err != nil {
			return err
		}
	}
	return o.t.mergeStates(b, 0, []uint32{o.cur})
}

func (o *Ordered) encode(b *batch.Batch, lo, n int) probeIn {
	k := &o.lay.keys
	in := probeIn{cols: b.Cols[:len(k.cols)], lo: lo, kw: o.kw[:n*k.words]}
	k.encode(in.cols, lo, n, in.kw)
	return in
}

// Push takes ownership of b and returns the groups that it closed, in order, for the caller to own.
func (o *Ordered) Push(ctx context.Context, b *batch.Batch) ([]*batch.Batch, error) {
	defer b.Release()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := o.lay.rows(b.Select(o.lay.raw, o.lay.cols), position(o.unit, o.row))
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	o.row += int64(b.N)
	var out []*batch.Batch
	for lo := 0; lo < rows.N && err == nil; lo += o.step {
		var closed *batch.Batch
		closed, err = o.pushChunk(rows, lo, min(o.step, rows.N-lo))
		if closed != nil {
			out = append(out, closed)
		}
	}
	if err != nil {
		for _, c := range out {
			c.Release()
		}
		return nil, err
	}
	return out, nil
}

// pushChunk adds rows and returns the groups they closed, if any.
func (o *Ordered) pushChunk(rows *batch.Batch, lo, n int) (*batch.Batch, error) {
	if err := o.assign(rows, lo, o.ent[:n]); err != nil {
		return nil, err
	}
	if err := o.t.update(rows, lo, o.ent[:n], o.masked); err != nil {
		return nil, fmt.Errorf("groupby %s: %w", o.spec.Name, err)
	}
	if o.cur <= 1 {
		return nil, nil
	}
	ents := o.masked[:o.cur-1] // the table has at most step+1 groups, the last of which is open
	for i := range ents {
		ents[i] = uint32(i + 1)
	}
	out, err := o.t.resultBatch(ents)
	if err != nil {
		return nil, err
	}
	if err := o.carry(); err != nil {
		out.Release()
		return nil, err
	}
	return out, nil
}

// assign sets ent to the entries of the rows, a new one wherever the key changes.
func (o *Ordered) assign(rows *batch.Batch, lo int, ent []uint32) error {
	if len(o.lay.keys.cols) == 0 {
		for i := range ent {
			ent[i] = 1
		}
		return nil
	}
	in := o.encode(rows, lo, len(ent))
	for i := range ent {
		if o.cur == 0 || !o.t.same(&in, i, o.cur) {
			var err error
			if o.cur, err = o.t.append(&in, i); err != nil {
				return fmt.Errorf("groupby %s: %w", o.spec.Name, err)
			}
		}
		ent[i] = o.cur
	}
	return nil
}

// carry empties the table but for the open group.
func (o *Ordered) carry() error {
	open, err := o.t.stateBatch([]uint32{o.cur})
	if err != nil {
		return err
	}
	defer open.Release()
	o.clear()
	return o.restore(open)
}

// End ends the unit: the state of the open group, for the next unit's Begin or for Last.
func (o *Ordered) End(_ context.Context) (*OrderedState, error) {
	s := &OrderedState{}
	if o.cur == 0 {
		return s, nil
	}
	var err error
	s.open, err = o.t.stateBatch([]uint32{o.cur})
	o.clear()
	return s, err
}

// Last returns the open group after the last unit, and takes over s. The batch is nil where
// there were no rows; without keys it always has one row.
func (o *Ordered) Last(ctx context.Context, s *OrderedState) (*batch.Batch, error) {
	if err := o.Begin(ctx, 0, s); err != nil {
		return nil, err
	}
	if o.cur == 0 {
		return nil, nil
	}
	defer o.clear()
	return o.t.resultBatch([]uint32{o.cur})
}

// Close releases what is held. It may be called more than once.
func (o *Ordered) Close() error {
	if o.t != nil {
		o.t.release()
		o.t = nil
	}
	return nil
}
