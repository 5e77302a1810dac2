package asof

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/extsort"
	"pqjoin/mem"
)

// Source returns the result, after both sides have come: a unit is a range of the keys. The memory of a unit comes from the account
// given to Open.
func (j *Join) Source() batch.Source {
	return &source{j: j, left: j.left.Ranges(), right: j.right.Ranges()}
}

type source struct {
	j           *Join
	left, right *extsort.Source
}

func (s *source) Schema() *batch.Schema { return s.j.spec.Out }
func (s *source) Units() int            { return s.left.Units() }

func (s *source) Open(ctx context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	left, err := s.left.Open(ctx, unit, acct)
	if err != nil {
		return nil, err
	}
	right, err := s.right.Open(ctx, unit, acct)
	if err != nil {
		return nil, errors.Join(err, left.Close())
	}
	return &merge{j: s.j, spec: &s.j.spec, acct: acct, unit: unit, left: left, right: right}, nil
}

// merge is one unit being joined. All right rows before row u of rb, and those of batches before, are passed: they are not after the left row at hand.
type merge struct {
	j           *Join
	spec        *Spec
	acct        *mem.Account
	unit        int
	left, right batch.Stream // right is nil when it has ended

	lb  *block
	i   int // the left row at hand
	cut int // left rows before are put out
	idx []uint32
	run leftRun

	rb     *block // nil: no right row is left
	u      int
	carry  *block // the row before rb's first; nil: none, or nobody needs it
	begun  bool
	behind bool // the edge behind has been read

	withRight *batch.RowsEqual // rows of lb and of rb, and
	withCarry *batch.RowsEqual // of lb and of carry; nil where there is none
}

// leftRun is rows of lb that agree in all keys but the last.
type leftRun struct {
	end    int
	usable int // rows before may match
	begin  int // the right run of the same keys, as far as it is in rb
	stop   int
	prev   bool // the row before begin is of the same keys too
	known  bool // begin and stop are of this rb
}

// fromCarry is what idx has for the carried row; batch.Missing means none.
const fromCarry = batch.Missing - 1

// Next implements batch.Stream.
func (m *merge) Next(ctx context.Context) (*batch.Batch, error) {
	for {
		if m.lb == nil || m.cut == m.lb.b.N {
			if err := m.nextLeft(ctx); err != nil {
				return nil, err
			}
		}
		if m.cut < m.i {
			return m.put()
		}
		if err := m.match(ctx); err != nil {
			return nil, err
		}
	}
}

func (m *merge) nextLeft(ctx context.Context) error {
	m.lb.release()
	m.lb = nil
	for {
		b, err := m.left.Next(ctx)
		if err != nil {
			return err
		}
		if b.N == 0 {
			b.Release()
			continue
		}
		if m.lb, err = newBlock(m.acct, b, m.spec.LeftKeys); err != nil {
			return err
		}
		m.i, m.cut, m.run = 0, 0, leftRun{}
		if cap(m.idx) < b.N {
			m.idx = make([]uint32, b.N)
		}
		m.idx = m.idx[:b.N]
		m.pair()
		return m.begin(ctx)
	}
}

// begin reads the first right rows, when there is a left row.
func (m *merge) begin(ctx context.Context) error {
	if m.begun {
		return nil
	}
	m.begun = true
	if m.j.edges != nil && m.spec.Direction != Forward {
		b, err := m.j.edges.beside(m.acct, m.unit, false)
		if err != nil {
			return err
		}
		if b != nil {
			if m.carry, err = newBlock(m.acct, b, m.spec.RightKeys); err != nil {
				return err
			}
		}
	}
	return m.nextRight(ctx)
}

// nextRight moves on to the next right batch, or to none.
func (m *merge) nextRight(ctx context.Context) error {
	if m.rb != nil && m.spec.Direction != Forward {
		last, err := m.rb.last(m.acct, m.spec.RightKeys)
		if err != nil {
			return err
		}
		m.carry.release()
		m.carry = last
	}
	m.rb.release()
	m.rb, m.u = nil, 0
	b, err := m.readRight(ctx)
	if err != nil {
		return err
	}
	if b != nil {
		if m.rb, err = newBlock(m.acct, b, m.spec.RightKeys); err != nil {
			return err
		}
	}
	m.run.known = false
	m.pair()
	return nil
}

// readRight returns the next right batch with rows, at last the edge behind; nil for none.
func (m *merge) readRight(ctx context.Context) (*batch.Batch, error) {
	for m.right != nil {
		b, err := m.right.Next(ctx)
		if err == nil && b.N > 0 {
			return b, nil
		}
		if err == nil {
			b.Release()
			continue
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err = m.right.Close(); err != nil {
			return nil, err
		}
		m.right = nil
	}
	if m.behind || m.j.edges == nil || m.spec.Direction == Backward {
		return nil, nil
	}
	m.behind = true
	return m.j.edges.beside(m.acct, m.unit, true)
}

// pair makes the comparisons of the batches at hand.
func (m *merge) pair() {
	m.withRight, m.withCarry = nil, nil
	if m.rb != nil {
		m.withRight = batch.NewRowsEqual(m.lb.by, m.rb.by, m.spec.NullsEqual)
	}
	if m.carry != nil {
		m.withCarry = batch.NewRowsEqual(m.lb.by, m.carry.by, m.spec.NullsEqual)
	}
}

// match finds the right rows of left rows from i on, until one needs the next right batch, which it then reads, or the left batch ends.
func (m *merge) match(ctx context.Context) error {
	for m.i < m.lb.b.N {
		if m.i >= m.run.end {
			m.newRun()
		}
		if m.i >= m.run.usable {
			for ; m.i < m.run.end; m.i++ {
				m.idx[m.i] = batch.Missing
			}
			continue
		}
		if !m.run.known && !m.findRun() || !m.matchRun() {
			if m.cut < m.i {
				return nil // put out first what needs this batch
			}
			if err := m.nextRight(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// newRun begins the run of the left row at hand. Right rows of the run before are passed.
func (m *merge) newRun() {
	if m.run.known && m.rb != nil {
		m.u = m.run.stop
	}
	end := m.lb.runEnd(m.i)
	m.run = leftRun{end: end, usable: end}
	if !m.spec.NullsEqual {
		for _, c := range m.lb.by {
			if c.IsNull(m.i) {
				m.run.usable = m.i
				return
			}
		}
	}
	for m.run.usable > m.i && !m.lb.on.usable(m.run.usable-1) { // NaN and null are the last of the run
		m.run.usable--
	}
}

// findRun passes right rows of lesser keys and finds those of the run's. False says that rb is at its end.
func (m *merge) findRun() bool {
	r := &m.run
	for m.rb != nil {
		if m.u == m.rb.b.N {
			return false
		}
		if m.withRight.Equal(m.i, m.u) {
			r.begin, r.stop = m.u, m.rb.runEnd(m.u)
			break
		}
		if compareBy(m.spec.LeftKeys, m.lb, m.i, m.rb, m.u) < 0 {
			r.begin, r.stop = m.u, m.u
			break
		}
		m.u = m.rb.runEnd(m.u)
	}
	if m.rb == nil {
		r.begin, r.stop = 0, 0
	}
	switch {
	case r.begin > 0:
		r.prev = m.withRight.Equal(m.i, r.begin-1)
	case m.carry != nil:
		r.prev = m.withCarry.Equal(m.i, 0)
	default:
		r.prev = false
	}
	r.known = true
	return true
}

// matchRun matches left rows of the run. False says that the row at hand needs the right batch behind rb.
func (m *merge) matchRun() bool {
	r := &m.run
	var on *onValues
	if m.rb != nil {
		on = m.rb.on
	}
	open := m.rb != nil && r.stop == m.rb.b.N // more of the run may follow
	for ; m.i < r.usable; m.i++ {
		if m.u < r.stop {
			m.u = m.lb.on.pass(m.i, on, m.u, r.stop, m.spec.Direction == Forward)
		}
		if open && m.u == r.stop {
			return false
		}
		m.idx[m.i] = m.choose(on)
	}
	return true
}

// choose returns the right row of the left row at hand: the one before u, or the one at u.
func (m *merge) choose(on *onValues) uint32 {
	r := &m.run
	back, from, at := uint32(batch.Missing), on, 0
	if m.spec.Direction != Forward && (m.u > r.begin || r.prev) {
		if back = fromCarry; m.u > 0 {
			back, at = uint32(m.u-1), m.u-1
		} else {
			from = m.carry.on
		}
	}
	front := uint32(batch.Missing)
	if m.spec.Direction != Backward && m.u < r.stop {
		front = uint32(m.u)
	}
	if back != batch.Missing && front == batch.Missing && !m.spec.Within {
		return back
	}
	var before, after distance
	if back != batch.Missing {
		before = m.lb.on.apart(m.i, from, at, false)
	}
	if front != batch.Missing {
		after = m.lb.on.apart(m.i, on, m.u, true)
	}
	if back == batch.Missing || front != batch.Missing && before.over(after) {
		back, before = front, after
	}
	if m.spec.Within && before.over(distance{hi: uint64(m.spec.Ticks.Hi), lo: m.spec.Ticks.Lo, real: m.spec.Real}) {
		return batch.Missing
	}
	return back
}

// put returns left rows from cut on, before i, whose right rows lie in one batch.
func (m *merge) put() (*batch.Batch, error) {
	from, to := m.cut, m.cut+1
	carried, missing := m.idx[from] == fromCarry, m.idx[from] == batch.Missing
	for to < m.i && (m.idx[to] == fromCarry) == carried {
		missing = missing || m.idx[to] == batch.Missing
		to++
	}
	m.cut = to
	idx := m.idx[from:to]
	src := m.rb
	if carried {
		src = m.carry
		clear(idx)
	}
	out, err := m.lb.b.Slice(m.acct, from, to)
	if err != nil {
		return nil, err
	}
	out.Schema = m.spec.Out
	for _, c := range m.spec.RightOut {
		col, err := m.column(src, c, idx, missing)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, col)
	}
	if len(out.Cols) != len(m.spec.Out.Fields) {
		out.Release()
		return nil, fmt.Errorf("%s: internal error: %d columns, not %d", m.spec.Name, len(out.Cols), len(m.spec.Out.Fields))
	}
	return out, nil
}

func (m *merge) column(src *block, c int, idx []uint32, mayMiss bool) (*batch.Column, error) {
	if src == nil {
		return batch.AllNull(m.acct, m.spec.Right.Fields[c].Type, len(idx))
	}
	return batch.Gather(m.acct, src.b.Cols[c], idx, mayMiss)
}

// Close implements batch.Stream.
func (m *merge) Close() error {
	m.lb.release()
	m.rb.release()
	m.carry.release()
	m.lb, m.rb, m.carry = nil, nil, nil
	err := m.left.Close()
	if m.right != nil {
		err = errors.Join(err, m.right.Close())
		m.right = nil
	}
	return err
}
