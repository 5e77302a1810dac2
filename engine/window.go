package engine

import (
	"context"

	"pqjoin/batch"
	"pqjoin/plan"
	"pqjoin/window"
)

// windowMachine runs window.Running. Its state is a function of all rows before, so units are computed one
// after the other; they are read and sorted in parallel all the same.
type windowMachine struct{ op *window.Running }

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

func (m windowMachine) after(*batch.Batch) (*window.RunningState, bool) { return nil, false }
func (m windowMachine) context() int                                    { return 0 }
func (m windowMachine) done(*window.RunningState) bool                  { return false }
func (m windowMachine) release(st *window.RunningState)                 { st.Release() }
func (m windowMachine) eager() bool                                     { return true }

func (x *exec) window(op *plan.Window, p *phys) transform {
	spec := window.RunningSpec{In: p.node.Inputs[0].Schema, Out: p.node.Schema, By: op.By, Order: op.Order}
	for i, c := range op.Cols {
		name := shownName(p.node.Schema.Fields[len(spec.In.Fields)+i].Name)
		spec.Cols = append(spec.Cols, window.RunningColumn{Name: name, Func: c.Func, Arg: c.Arg, N: c.N, Alpha: c.Alpha, Type: c.Type})
	}
	return newSeam(windowMachine{window.NewRunning(spec)})
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
