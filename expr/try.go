package expr

import (
	"strconv"

	"pqjoin/batch"
)

// bindTry types try(x): x, or null on rows where computing it fails.
func bindTry(n *node) (*node, *Error) {
	n.args[0] = typed(n.args[0])
	n.typ, n.null = n.args[0].typ, true
	return n, nil
}

// typed gives a bare null the type that a column of it has.
func typed(a *node) *node {
	if a.typ.ID == batch.Null {
		return conv(a, batch.Of(batch.Int32))
	}
	return a
}

// lowerTry compiles what may fail as a program of its own.
func (b *builder) lowerTry(n *node) int {
	if !b.canFail(n.args[0]) {
		return b.lower(n.args[0])
	}
	p := compile(n.args[:1])
	b.inner = append(b.inner, p.cols...)
	return b.special("try "+strconv.Itoa(b.id(n)), n, n.typ, tryRows(p))
}

// tryRows evaluates p over all rows and, where that fails, finds the rows that do by halves:
// time grows with the rows that fail, by the logarithm of a batch's rows each.
func tryRows(p *Program) func(*exec, *step, []vec) (vec, error) {
	return func(x *exec, st *step, _ []vec) (vec, error) {
		c, err := p.evalGuarded(x.acct, x.in)
		if err == nil || !isRowError(err) {
			return vec{c: c}, err
		}
		mask, err := batch.NewFixed(x.acct, boolType(), x.n)
		if err != nil {
			return vec{}, err
		}
		defer mask.Release()
		clear(mask.Fixed)
		buf, err := x.acct.Alloc(4 * x.n)
		if err != nil {
			return vec{}, err
		}
		defer buf.Release()
		rows := batch.View[uint32](buf.Bytes())[:x.n]
		for i := range rows {
			rows[i] = uint32(i)
		}
		if err := p.markGood(x, rows, mask.Fixed); err != nil {
			return vec{}, err
		}
		return evalWhere(x, p, st, vec{c: mask})
	}
}

// markGood sets good[row] for those of the rows that do not fail; some row of them does, or there is one alone.
func (p *Program) markGood(x *exec, rows []uint32, good []byte) error {
	if len(rows) == 1 {
		return p.markHalf(x, rows, good)
	}
	half := len(rows) / 2
	if err := p.markHalf(x, rows[:half], good); err != nil {
		return err
	}
	return p.markHalf(x, rows[half:], good)
}

func (p *Program) markHalf(x *exec, rows []uint32, good []byte) error {
	part, err := p.gatherUsed(x, rows)
	if err != nil {
		return err
	}
	c, err := p.evalGuarded(x.acct, part)
	part.Release()
	switch {
	case err == nil:
		c.Release()
		for _, r := range rows {
			good[r] = 1
		}
		return nil
	case !isRowError(err):
		return err
	case len(rows) == 1:
		return nil
	}
	return p.markGood(x, rows, good)
}
