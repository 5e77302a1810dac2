package expr

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// A pickFunc chooses, for every row, which value is the result: case, coalesce, greatest
// and least are such choices. It writes the value's position, or the number of values for null.
type pickFunc struct {
	choose func(args []vec, choice []uint16)
	values func(args []vec) []vec // the results among the arguments, in the numbering of choose
}

// pickFirst chooses the first value that is not null.
var pickFirst = pickFunc{
	values: func(args []vec) []vec { return args },
	choose: func(args []vec, choice []uint16) {
		fillChoice(choice, len(args))
		for k := len(args) - 1; k >= 0; k-- {
			markValid(args[k], choice, uint16(k))
		}
	},
}

// pickCase chooses among when, then, when, then, ..., else.
var pickCase = pickFunc{
	values: func(args []vec) []vec {
		var out []vec
		for i := 1; i < len(args); i += 2 {
			out = append(out, args[i])
		}
		return append(out, args[len(args)-1])
	},
	choose: func(args []vec, choice []uint16) {
		whens := len(args) / 2
		fillChoice(choice, whens)
		for k := whens - 1; k >= 0; k-- {
			markTrue(args[2*k], choice, uint16(k))
		}
	},
}

func fillChoice(choice []uint16, k int) {
	for i := range choice {
		choice[i] = uint16(k)
	}
}

func markValid(v vec, choice []uint16, k uint16) {
	if v.c.Valid == nil {
		fillChoice(choice, int(k))
		return
	}
	m := v.index()
	for i := range choice {
		if j := i & m; v.c.Valid[j>>3]>>(j&7)&1 == 1 {
			choice[i] = k
		}
	}
}

func markTrue(v vec, choice []uint16, k uint16) {
	m := v.index()
	if v.c.Valid == nil {
		for i := range choice {
			if v.c.Fixed[i&m]&1 == 1 {
				choice[i] = k
			}
		}
		return
	}
	for i := range choice {
		if j := i & m; v.c.Fixed[j]&(v.c.Valid[j>>3]>>(j&7))&1 == 1 {
			choice[i] = k
		}
	}
}

// pickExtreme chooses the greatest (or least) value that is not null.
func pickExtreme(greatest bool, t batch.Type) func(*exec, *step, []vec) (vec, error) {
	p := pickFunc{
		values: func(args []vec) []vec { return args },
		choose: func(args []vec, choice []uint16) { chooseExtreme(args, choice, greatest, t) },
	}
	return p.kernel
}

func chooseExtreme(args []vec, choice []uint16, greatest bool, t batch.Type) {
	switch {
	case t.Kind() == batch.KindFloat64:
		extreme(args, choice, greatest, floatLess)
	case t.ID == batch.Uint64:
		extreme(args, choice, greatest, func(a, b uint64) bool { return a < b })
	case t.Kind() == batch.KindInt64:
		extreme(args, choice, greatest, func(a, b int64) bool { return a < b })
	case t.Kind() == batch.KindInt128:
		extreme(args, choice, greatest, func(a, b batch.Int128) bool { return a.Cmp(b) < 0 })
	case t.Kind() == batch.KindBool:
		extreme(args, choice, greatest, func(a, b byte) bool { return a < b })
	default:
		extremeText(args, choice, greatest)
	}
}

func extreme[T any](args []vec, choice []uint16, greatest bool, less func(a, b T) bool) {
	fillChoice(choice, len(args))
	data := make([][]T, len(args))
	for k, a := range args {
		data[k], _ = values[T](a)
	}
	for k, a := range args {
		m := a.index()
		for i := range choice {
			j := i & m
			if a.c.IsNull(j) {
				continue
			}
			if best := choice[i]; int(best) < len(args) {
				x, y := data[best][i&args[best].index()], data[k][j]
				if !(greatest && less(x, y) || !greatest && less(y, x)) {
					continue
				}
			}
			choice[i] = uint16(k)
		}
	}
}

func extremeText(args []vec, choice []uint16, greatest bool) {
	fillChoice(choice, len(args))
	for k, a := range args {
		t := textsOf(a)
		for i := range choice {
			if a.c.IsNull(i & t.m) {
				continue
			}
			if best := choice[i]; int(best) < len(args) {
				x, y := viewString(textsOf(args[best]).at(i)), viewString(t.at(i))
				if !(greatest && x < y || !greatest && y < x) {
					continue
				}
			}
			choice[i] = uint16(k)
		}
	}
}

// kernel chooses and then gathers the chosen values.
func (p pickFunc) kernel(x *exec, st *step, args []vec) (vec, error) {
	konst := true
	flat := make([]vec, 0, len(args))
	defer func() {
		for _, a := range flat {
			a.c.Release()
		}
	}()
	for _, a := range args {
		c, err := batch.Flatten(x.acct, a.c)
		if err != nil {
			return vec{}, err
		}
		flat = append(flat, vec{c, a.konst})
		konst = konst && a.konst
	}
	n := x.n
	if konst {
		n = 1
	}
	buf, err := x.acct.Alloc(2*n + 2)
	if err != nil {
		return vec{}, err
	}
	defer buf.Release()
	choice := batch.View[uint16](buf.Bytes())[:n]
	p.choose(flat, choice)
	vals := p.values(flat)
	if k, ok := uniform(choice, len(vals)); ok && (konst || !vals[k].konst) {
		return vec{vals[k].c.Retain(), konst}, nil
	}
	c, err := assemble(x.acct, st.typ, vals, choice)
	return vec{c, konst}, err
}

// uniform returns the argument that every row chose, if there is one.
func uniform(choice []uint16, args int) (int, bool) {
	k := choice[0]
	if int(k) >= args {
		return 0, false
	}
	for _, c := range choice {
		if c != k {
			return 0, false
		}
	}
	return int(k), true
}

func assemble(acct *mem.Account, t batch.Type, vals []vec, choice []uint16) (*batch.Column, error) {
	none, err := batch.AllNull(acct, t, 1) // what the position past the last stands for
	if err != nil {
		return nil, err
	}
	defer none.Release()
	vals = append(vals[:len(vals):len(vals)], vec{none, true})
	var out *batch.Column
	if t.Kind() == batch.KindBytes {
		out, err = assembleText(acct, t, vals, choice)
	} else {
		out, err = assembleFixed(acct, t, vals, choice)
	}
	if err != nil {
		return nil, err
	}
	if err := out.NewValid(acct); err != nil {
		out.Release()
		return nil, err
	}
	for i, k := range choice {
		v := vals[k]
		if !v.c.IsNull(i & v.index()) {
			out.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return out.SetNulls(), nil
}

func assembleFixed(acct *mem.Account, t batch.Type, vals []vec, choice []uint16) (*batch.Column, error) {
	out, err := batch.NewFixed(acct, t, len(choice))
	if err != nil {
		return nil, err
	}
	switch t.Kind().Width() {
	case 1:
		assembleInto(out.Fixed, vals, choice)
	case 8:
		assembleInto(batch.View[uint64](out.Fixed), vals, choice)
	case 16:
		assembleInto(out.Int128s(), vals, choice)
	}
	return out, nil
}

func assembleInto[T any](out []T, vals []vec, choice []uint16) {
	data, mask := make([][]T, len(vals)), make([]int, len(vals))
	for k, v := range vals {
		data[k], mask[k] = values[T](v)
	}
	for i, k := range choice {
		out[i] = data[k][i&mask[k]]
	}
}

func assembleText(acct *mem.Account, t batch.Type, vals []vec, choice []uint16) (*batch.Column, error) {
	w, err := newWriter(acct, len(choice))
	if err != nil {
		return nil, err
	}
	for i, k := range choice {
		v := textsOf(vals[k])
		if vals[k].c.IsNull(i & v.m) {
			w.end()
		} else if err := w.add(v.at(i)); err != nil {
			w.release()
			return nil, err
		}
	}
	return w.column(t), nil
}
