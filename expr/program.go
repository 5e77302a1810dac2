package expr

import (
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Program is several expressions compiled together: common parts are computed once,
// constants at compile time. It is immutable and safe for concurrent use.
//
// It is a list of steps, each of which fills one slot from slots before it. A slot is
// released after its last use.
type Program struct {
	steps []step
	outs  []int // slots of the results
	cols  []int // columns of the batch that steps read
}

// step computes one slot. Exactly one of the four ways is set.
type step struct {
	typ     batch.Type
	args    []int
	free    []int // slots that nobody reads after this step
	src     *node // for messages
	out     int   // the first expression of the program that needs it
	claimed bool
	column  int // a column of the batch, where way is wayColumn
	way     way
	konst   *batch.Column // one row
	strict  func(f *frame) error
	pick    func(x *exec, st *step, args []vec) (vec, error)
}

type way uint8

const (
	wayColumn way = iota + 1
	wayConst
	wayStrict // null where an argument is null
	waySpecial
)

// vec is a column, or one row that stands for all rows.
type vec struct {
	c     *batch.Column
	konst bool
}

// index returns m such that row i of the vector is at i & m.
func (v vec) index() int {
	if v.konst {
		return 0
	}
	return -1
}

// exec is one evaluation of a Program.
type exec struct {
	acct  *mem.Account
	in    *batch.Batch
	n     int
	slots []vec
	// guarded says that the rows were chosen already, so that guards inside do not try all rows first.
	guarded bool
}

// Eval returns one column an expression; the caller owns them. A bare column is retained, not
// copied. Errors are *RowError or wrap mem.ErrLimit.
func (p *Program) Eval(acct *mem.Account, b *batch.Batch) ([]*batch.Column, error) {
	return p.eval(&exec{acct: acct, in: b, n: b.N})
}

func (p *Program) eval(x *exec) ([]*batch.Column, error) {
	x.slots = make([]vec, len(p.steps))
	defer x.release()
	if x.n > 0 {
		for i := range p.steps {
			if err := x.run(&p.steps[i], i); err != nil {
				return nil, err
			}
		}
	}
	outs := make([]*batch.Column, 0, len(p.outs))
	for _, o := range p.outs {
		c, err := x.output(&p.steps[o], o)
		if err != nil {
			for _, c := range outs {
				c.Release()
			}
			return nil, err
		}
		outs = append(outs, c)
	}
	return outs, nil
}

func (x *exec) release() {
	for _, v := range x.slots {
		v.c.Release()
	}
}

func (x *exec) output(st *step, slot int) (*batch.Column, error) {
	if x.n == 0 {
		if st.way == wayColumn {
			return x.in.Cols[st.column].Retain(), nil
		}
		return batch.AllNull(x.acct, st.typ, 0)
	}
	if v := x.slots[slot]; v.konst {
		return broadcast(x.acct, v.c, x.n)
	}
	return x.slots[slot].c.Retain(), nil
}

func (x *exec) run(st *step, slot int) error {
	var err error
	switch st.way {
	case wayColumn:
		x.slots[slot] = vec{c: x.in.Cols[st.column].Retain()}
	case wayConst:
		x.slots[slot] = vec{c: st.konst.Retain(), konst: true}
	default:
		args := make([]vec, len(st.args))
		for i, a := range st.args {
			args[i] = x.slots[a]
		}
		if st.way == wayStrict {
			x.slots[slot], err = x.strict(st, args)
		} else {
			x.slots[slot], err = st.pick(x, st, args)
		}
	}
	for _, s := range st.free {
		x.slots[s].c.Release()
		x.slots[s] = vec{}
	}
	return err
}

// broadcast returns a column of n times the one row of c.
func broadcast(acct *mem.Account, c *batch.Column, n int) (*batch.Column, error) {
	if c.Nulls > 0 {
		return batch.AllNull(acct, c.Type, n)
	}
	if c.Type.Kind() == batch.KindBytes {
		flat, err := batch.Flatten(acct, c)
		if err != nil {
			return nil, err
		}
		out, err := batch.NewCodes(acct, flat, n)
		if err != nil {
			flat.Release()
			return nil, err
		}
		clear(out.Codes)
		return out, nil
	}
	out, err := batch.NewFixed(acct, c.Type, n)
	if err != nil {
		return nil, err
	}
	w := copy(out.Fixed, c.Fixed[:c.Type.Kind().Width()])
	for w < len(out.Fixed) {
		w += copy(out.Fixed[w:], out.Fixed[:w])
	}
	return out, nil
}

// Filter returns the rows of b for which the program's single bool expression is true, as a
// batch that the caller owns; b stays the caller's (all of b retained where every row passes).
func (p *Program) Filter(acct *mem.Account, b *batch.Batch) (*batch.Batch, error) {
	if len(p.outs) != 1 || p.steps[p.outs[0]].typ.ID != batch.Bool {
		return nil, errors.New("expr: filter needs one bool expression")
	}
	cols, err := p.Eval(acct, b)
	if err != nil {
		return nil, err
	}
	defer cols[0].Release()
	flat, err := batch.Flatten(acct, cols[0])
	if err != nil {
		return nil, err
	}
	defer flat.Release()
	idx, buf, err := trueRows(acct, flat)
	if err != nil {
		return nil, err
	}
	defer buf.Release()
	if len(idx) == b.N {
		return b.Retain(), nil
	}
	return batch.GatherBatch(acct, b, idx)
}

// trueRows returns the rows at which a flat bool column is true, in buf.
func trueRows(acct *mem.Account, c *batch.Column) ([]uint32, *mem.Buf, error) {
	buf, err := acct.Alloc(4*c.N + 4)
	if err != nil {
		return nil, nil, err
	}
	idx := batch.View[uint32](buf.Bytes())
	n := 0
	if c.Valid == nil {
		for i, v := range c.Bools() {
			idx[n] = uint32(i)
			n += int(v & 1)
		}
		return idx[:n], buf, nil
	}
	for i, v := range c.Bools() {
		idx[n] = uint32(i)
		n += int(v & 1 & (c.Valid[i>>3] >> (i & 7)))
	}
	return idx[:n], buf, nil
}

// rowError says what failed in which expression.
func (st *step) rowError(format string, args ...any) *RowError {
	return &RowError{Expr: shorten(printNode(st.src)), Msg: fmt.Sprintf(format, args...), At: st.src.place(), Out: st.out}
}
