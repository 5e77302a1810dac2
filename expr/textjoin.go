package expr

import (
	"pqjoin/batch"
)

// bindConcat types concat and concat_ws, which pass over nulls.
func bindConcat(n *node) (*node, *Error) {
	for i, a := range n.args {
		if t := a.typ.ID; t == batch.Nested || isBinary(a.typ) {
			return nil, errorAt(a.off, castOr(a.typ, batch.String, ""), "%s needs a text, not %s", n.op, a.typ)
		}
		n.args[i] = conv(a, batch.Of(batch.String))
	}
	n.typ = batch.Of(batch.String)
	n.null = n.op == "concat_ws" && n.args[0].null
	return n, nil
}

// lowerConcat joins texts. Where no value can be null that is a strict operation, which dictionaries speed up.
func (b *builder) lowerConcat(n *node, args []int) int {
	separated := n.op == "concat_ws"
	if !mayBeNull(n.args) {
		return b.strictStep(n.op, n, n.typ, func(f *frame) error { return f.rows(func(i int) error { return f.joinRow(i, separated) }) }, args...)
	}
	return b.special(n.op, n, n.typ, func(x *exec, st *step, args []vec) (vec, error) { return concatNulls(x, st, args, separated) }, args...)
}

// joinRow appends the arguments of row i that are not null, with the first between them where they are separated.
func (f *frame) joinRow(i int, separated bool) error {
	rest := f.args
	if separated {
		rest = rest[1:]
	}
	found := false
	for _, a := range rest {
		t := textsOf(a)
		if a.c.IsNull(i & t.m) {
			continue
		}
		if found && separated {
			if err := f.w.put(textsOf(f.args[0]).at(i)); err != nil {
				return err
			}
		}
		found = true
		if err := f.w.put(t.at(i)); err != nil {
			return err
		}
	}
	return nil
}

// concatNulls joins where values may be null: only a separator that is makes the result so.
func concatNulls(x *exec, st *step, args []vec, separated bool) (vec, error) {
	konst := true
	for _, a := range args {
		konst = konst && a.konst
	}
	n := x.n
	if konst {
		n = 1
	}
	f := &frame{acct: x.acct, n: n, typ: st.typ, st: st}
	defer f.release()
	for _, a := range args {
		flat, err := batch.Flatten(x.acct, a.c)
		if err != nil {
			return vec{}, err
		}
		f.args = append(f.args, vec{flat, a.konst})
	}
	inner := *st
	inner.strict = func(f *frame) error { return f.rows(func(i int) error { return f.joinRow(i, separated) }) }
	f.st = &inner
	if sep := f.args[0]; separated && sep.c.Nulls > 0 {
		if sep.konst {
			c, err := batch.AllNull(x.acct, st.typ, 1)
			return vec{c, true}, err
		}
		if err := f.makeValid(); err != nil {
			return vec{}, err
		}
		copy(f.valid, sep.c.Valid)
	}
	c, err := f.run()
	return vec{c, konst}, err
}
