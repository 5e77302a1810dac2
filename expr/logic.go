package expr

import (
	"encoding/binary"
	"errors"

	"pqjoin/batch"
	"pqjoin/mem"
)

const ones64 = 0x0101010101010101 // eight bools that are true

// kernelNot flips bools.
func kernelNot(f *frame) error {
	in := f.args[0].c.Bools()
	out := f.out.Fixed[:len(in)]
	i := 0
	for ; i+8 <= len(in); i += 8 {
		binary.LittleEndian.PutUint64(out[i:], ^binary.LittleEndian.Uint64(in[i:])&ones64)
	}
	for ; i < len(in); i++ {
		out[i] = ^in[i] & 1
	}
	return nil
}

// kernelIsNull turns validity into values.
func kernelIsNull(x *exec, st *step, args []vec) (vec, error) {
	c := args[0].c
	if c.Nulls == 0 || c.Nulls == c.N {
		return vec{constColumn(Value{Bool: c.Nulls > 0}, st.typ), true}, nil
	}
	out, err := batch.NewFixed(x.acct, st.typ, c.N)
	if err != nil {
		return vec{}, err
	}
	for i := range out.Fixed {
		out.Fixed[i] = ^(c.Valid[i>>3] >> (i & 7)) & 1
	}
	return vec{c: out}, nil
}

// kernelAnd is SQL's and: false beats null.
func kernelAnd(x *exec, st *step, args []vec) (vec, error) { return logic(x, st, args, false) }

// kernelOr is SQL's or: true beats null.
func kernelOr(x *exec, st *step, args []vec) (vec, error) { return logic(x, st, args, true) }

func logic(x *exec, st *step, args []vec, or bool) (vec, error) {
	for i, a := range args {
		if !a.konst || a.c.Nulls > 0 {
			continue
		}
		if (a.c.Fixed[0]&1 == 1) == or { // decides alone
			return vec{a.c.Retain(), true}, nil
		}
		other := args[1-i]
		return vec{other.c.Retain(), other.konst}, nil
	}
	konst := args[0].konst && args[1].konst
	n := x.n
	if konst {
		n = 1
	}
	var sides [2]*batch.Column
	for i, a := range args {
		c, err := sideColumn(x.acct, a, n)
		if err != nil {
			sides[0].Release()
			return vec{}, err
		}
		sides[i] = c
	}
	defer sides[0].Release()
	defer sides[1].Release()
	c, err := logicColumns(x.acct, sides[0], sides[1], or)
	return vec{c, konst}, err
}

func sideColumn(acct *mem.Account, a vec, n int) (*batch.Column, error) {
	if a.konst {
		return broadcast(acct, a.c, n)
	}
	return batch.Flatten(acct, a.c)
}

func logicColumns(acct *mem.Account, a, b *batch.Column, or bool) (*batch.Column, error) {
	out, err := batch.NewFixed(acct, a.Type, a.N)
	if err != nil {
		return nil, err
	}
	joinBools(out.Fixed, a.Fixed[:a.N], b.Fixed[:b.N], or)
	if a.Valid == nil && b.Valid == nil {
		return out, nil
	}
	if err := out.NewValid(acct); err != nil {
		out.Release()
		return nil, err
	}
	for k := range out.Valid {
		at := 8 * k
		va, vb := validByte(a, k), validByte(b, k)
		pa, pb := packBools(a.Fixed[at:a.N]), packBools(b.Fixed[at:b.N])
		if !or {
			pa, pb = ^pa, ^pb
		}
		out.Valid[k] = va&vb | va&pa | vb&pb
	}
	if r := a.N & 7; r != 0 {
		out.Valid[len(out.Valid)-1] &= 1<<r - 1
	}
	return out.SetNulls(), nil
}

func joinBools(out, a, b []byte, or bool) {
	i := 0
	for ; i+8 <= len(out); i += 8 {
		x, y := binary.LittleEndian.Uint64(a[i:]), binary.LittleEndian.Uint64(b[i:])
		if or {
			x |= y
		} else {
			x &= y
		}
		binary.LittleEndian.PutUint64(out[i:], x&ones64)
	}
	for ; i < len(out); i++ {
		if or {
			out[i] = (a[i] | b[i]) & 1
		} else {
			out[i] = a[i] & b[i] & 1
		}
	}
}

func validByte(c *batch.Column, k int) byte {
	if c.Valid == nil {
		return 0xff
	}
	return c.Valid[k]
}

// packBools packs the first eight bools (fewer at the end) into bits, the first lowest.
func packBools(v []byte) byte {
	if len(v) >= 8 {
		return byte((binary.LittleEndian.Uint64(v) & ones64) * 0x0102040810204080 >> 56)
	}
	var m byte
	for i, b := range v {
		m |= b & 1 << i
	}
	return m
}

// guard returns a kernel that evaluates p, using its result only where the mask is true.
// It tries all rows first, which is cheaper, and takes the true ones alone where that fails.
func guard(p *Program) func(*exec, *step, []vec) (vec, error) {
	return func(x *exec, st *step, args []vec) (vec, error) {
		if x.in == nil {
			return vec{}, &RowError{Expr: printNode(st.src), Msg: "it is not constant", At: st.src.place()}
		}
		if !x.guarded {
			c, err := p.evalGuarded(x.acct, x.in)
			if err == nil || !isRowError(err) {
				return vec{c: c}, err
			}
		}
		c, err := evalWhere(x, p, st, args[0])
		var re *RowError
		if errors.As(err, &re) {
			re.Out = st.out
		}
		return c, err
	}
}

// evalGuarded evaluates the program's one expression as part of a guarded one.
func (p *Program) evalGuarded(acct *mem.Account, in *batch.Batch) (*batch.Column, error) {
	cols, err := p.eval(&exec{acct: acct, in: in, n: in.N, guarded: true})
	if err != nil {
		return nil, err
	}
	return cols[0], nil
}

// evalWhere evaluates p on the rows where mask is true; the others are null.
func evalWhere(x *exec, p *Program, st *step, mask vec) (vec, error) {
	flat, err := sideColumn(x.acct, mask, x.n)
	if err != nil {
		return vec{}, err
	}
	defer flat.Release()
	idx, buf, err := trueRows(x.acct, flat)
	if err != nil {
		return vec{}, err
	}
	defer buf.Release()
	switch len(idx) {
	case 0:
		c, err := batch.AllNull(x.acct, st.typ, 1)
		return vec{c, true}, err
	case x.n:
		c, err := p.evalGuarded(x.acct, x.in)
		return vec{c: c}, err
	}
	part, err := p.gatherUsed(x, idx)
	if err != nil {
		return vec{}, err
	}
	defer part.Release()
	c, err := p.evalGuarded(x.acct, part)
	if err != nil {
		return vec{}, err
	}
	defer c.Release()
	out, err := spread(x.acct, c, idx, x.n)
	return vec{c: out}, err
}

// gatherUsed gathers the columns that the program reads; the others stay nil.
func (p *Program) gatherUsed(x *exec, idx []uint32) (*batch.Batch, error) {
	part := &batch.Batch{Schema: x.in.Schema, Cols: make([]*batch.Column, len(x.in.Cols)), N: len(idx)}
	for _, i := range p.cols {
		c, err := batch.Gather(x.acct, x.in.Cols[i], idx, false)
		if err != nil {
			part.Release()
			return nil, err
		}
		part.Cols[i] = c
	}
	return part, nil
}

// spread puts row k of c at idx[k] of n rows; the others are null.
func spread(acct *mem.Account, c *batch.Column, idx []uint32, n int) (*batch.Column, error) {
	buf, err := acct.Alloc(4 * n)
	if err != nil {
		return nil, err
	}
	defer buf.Release()
	from := batch.View[uint32](buf.Bytes())
	for i := range from {
		from[i] = batch.Missing
	}
	for k, i := range idx {
		from[i] = uint32(k)
	}
	return batch.Gather(acct, c, from, true)
}
