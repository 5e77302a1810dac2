package engine

import (
	"context"

	"pqjoin/batch"
	"pqjoin/window"
)

// lagMachine runs window.Lag.
type lagMachine struct {
	lag *window.Lag
	in  *batch.Schema
	out *batch.Schema
}

func (m lagMachine) push(_ context.Context, u unitRun, st *window.State, b *batch.Batch, last bool) (*batch.Batch, *window.State, error) {
	if b == nil {
		var err error
		if b, err = batch.Empty(u.acct, m.in); err != nil {
			st.Release()
			return nil, nil, err
		}
	}
	return m.lag.Push(u.acct, st, b, last)
}

func (m lagMachine) after(_ unitRun, tail *batch.Batch) (*window.State, bool, error) {
	st, ok := m.lag.After(tail)
	return st, ok, nil
}

func (m lagMachine) contexts() []int {
	if m.lag.Context() == 0 {
		return nil
	}
	return []int{m.lag.Context()}
}

func (m lagMachine) before() int              { return m.lag.Back() }
func (m lagMachine) lead() int                { return m.lag.Ahead() }
func (m lagMachine) done(*window.State) bool  { return false }
func (m lagMachine) release(st *window.State) { st.Release() }

// headMachine passes the first n rows. Its state is how many have passed.
type headMachine struct {
	n   int64
	in  *batch.Schema
	all bool // the rest is read all the same: somebody before checks every row
}

func (m headMachine) push(_ context.Context, u unitRun, passed int64, b *batch.Batch, _ bool) (*batch.Batch, int64, error) {
	if b == nil {
		return nil, passed, nil
	}
	room := m.n - passed
	if int64(b.N) <= room {
		return b, passed + int64(b.N), nil
	}
	defer b.Release()
	out, err := b.Slice(u.acct, 0, int(room))
	return out, m.n, err
}

func (m headMachine) after(unitRun, *batch.Batch) (int64, bool, error) { return 0, false, nil }
func (m headMachine) contexts() []int                                  { return nil }
func (m headMachine) done(passed int64) bool                           { return passed >= m.n && !m.all }
func (m headMachine) release(int64)                                    {}
