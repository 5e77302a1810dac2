package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/plan"
	"pqjoin/window"
)

// windowMachine runs window.Running. Its state is a function of the open group's rows: where a group begins among a unit's last rows,
// the next unit need not wait. Where groups are larger than that, units are computed one after the other; they are
// read and sorted in parallel all the same.
type windowMachine struct {
	op   *window.Running
	rows int           // of a batch, at most
	vain *atomic.Int32 // units in whose last rows no group began, less those in which one did
}

const (
	// fewRows and moreRows are how many of a unit's last rows are searched for the beginning of a group.
	fewRows  = 1 << 10
	moreRows = 1 << 14
	// vainUnits is after how many units in vain no further one is searched: groups are large.
	vainUnits = 4
)

func (m windowMachine) push(_ context.Context, u unitRun, st *window.RunningState, b *batch.Batch, _ bool) (*batch.Batch, *window.RunningState, error) {
	if b == nil { // behind the last row
		st.Release()
		return nil, nil, nil
	}
	if b.N == 0 {
		return b, st, nil
	}
	return m.op.Push(u.acct, st, b)
}

// newWindowMachine returns the machine for batches of so many rows at most.
func newWindowMachine(spec window.RunningSpec, rows int) windowMachine {
	return windowMachine{op: window.NewRunning(spec), rows: rows, vain: new(atomic.Int32)}
}

// after computes the tail's last group, if it begins there. A sum that does not fit is an error when its row's turn comes.
func (m windowMachine) after(u unitRun, tail *batch.Batch) (*window.RunningState, bool, error) {
	st, ok, err := m.op.After(u.acct, tail)
	switch {
	case errors.Is(err, window.ErrOverflow):
		return nil, false, nil
	case ok:
		m.found()
	case tail.N >= m.most():
		m.vain.Add(1)
	}
	return st, ok, err
}

// found takes a unit off those in vain, but not below some: larger groups may follow many small ones.
func (m windowMachine) found() {
	for n := m.vain.Load(); n > -vainUnits && !m.vain.CompareAndSwap(n, n-1); n = m.vain.Load() {
	}
}

func (m windowMachine) contexts() []int {
	if !m.op.Grouped() || m.vain.Load() >= vainUnits {
		return nil
	}
	if few := fewRows; few < m.most() {
		return []int{few, m.most()}
	}
	return []int{m.most()}
}

// most is the largest tail: with what a lag before adds to it, it is no longer than a batch.
func (m windowMachine) most() int { return max(min(moreRows, m.rows/2), 1) }

func (m windowMachine) done(*window.RunningState) bool  { return false }
func (m windowMachine) release(st *window.RunningState) { st.Release() }
func (m windowMachine) eager() bool                     { return true }

func (x *exec) window(op *plan.Window, p *phys) transform {
	spec := window.RunningSpec{In: p.node.Inputs[0].Schema, Out: p.node.Schema, By: op.By, Order: op.Order}
	for i, c := range op.Cols {
		name := shownName(p.node.Schema.Fields[len(spec.In.Fields)+i].Name)
		spec.Cols = append(spec.Cols, window.RunningColumn{Name: name, Func: c.Func, Arg: c.Arg, N: c.N, Alpha: c.Alpha, Type: c.Type})
	}
	return newSeam(newWindowMachine(spec, x.share.rows(p.est)))
}

// windowState returns the bytes that a worker holds for the rows that rolling windows look back at, and of the batch read ahead.
func windowState(op *plan.Window, p *phys) int64 {
	rows := 1.0
	width := 0.0
	for _, c := range op.Cols {
		if c.Arg >= 0 {
			width += float64(max(c.N, 1)) * p.in[0].est.Cols[c.Arg].Width
		}
	}
	return stateCopies * int64(width+rows*p.est.RowWidth())
}
