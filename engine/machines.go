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

func (m lagMachine) after(tail *batch.Batch) (*window.State, bool) { return m.lag.After(tail) }
func (m lagMachine) context() int                                  { return m.lag.Context() }
func (m lagMachine) done(*window.State) bool                       { return false }
func (m lagMachine) release(st *window.State)                      { st.Release() }

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

func (m headMachine) after(*batch.Batch) (int64, bool) { return 0, false }
func (m headMachine) context() int                     { return 0 }
func (m headMachine) done(passed int64) bool           { return passed >= m.n && !m.all }
func (m headMachine) release(int64)                    {}
