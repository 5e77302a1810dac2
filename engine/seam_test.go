package engine

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
	"pqjoin/window"
)

// tailedUnit is a unit of one batch that gives its last rows early, and notes how many it was asked for.
type tailedUnit struct {
	acct  *mem.Account
	b     *batch.Batch
	asked []int
}

func (s *tailedUnit) Next(context.Context) (*batch.Batch, error) {
	b := s.b
	if s.b = nil; b == nil {
		return nil, io.EOF
	}
	return b, nil
}

func (s *tailedUnit) Tail(k int) (*batch.Batch, error) {
	s.asked = append(s.asked, k)
	return s.b.Slice(s.acct, max(s.b.N-k, 0), s.b.N)
}

func (s *tailedUnit) Close() error { s.b.Release(); return nil }

// groupsOf returns a unit of so many rows, in groups of group rows, the last one maybe cut off.
func groupsOf(t *testing.T, acct *mem.Account, schema *batch.Schema, rows, group int) *tailedUnit {
	t.Helper()
	table := make([][]any, rows)
	for i := range table {
		table[i] = []any{int64(i / group), int64(i)}
	}
	b, err := batchtest.Batch(acct, schema, table, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	return &tailedUnit{acct: acct, b: b}
}

// The state behind a unit is there before any of its rows is computed, also where a look ahead comes before the
// window; where groups are larger than what is searched for one, it is not, and after some units nobody searches.
func TestWindowsHandTheirStateOnEarly(t *testing.T) {
	in := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "v", Type: batch.Of(batch.Int64)})
	ahead := batch.NewSchema(in.Fields[0], in.Fields[1], batch.Field{Name: "next", Type: batch.Of(batch.Int64), Nullable: true})
	out := batch.NewSchema(append(append([]batch.Field(nil), ahead.Fields...), batch.Field{Name: "n", Type: batch.Of(batch.Int64)})...)
	for _, c := range []struct {
		group int
		early bool
	}{{100, true}, {5000, true}, {40_000, false}} {
		pool := mem.NewPool(256<<20, mem.Protect())
		acct := pool.Account("test", 0)
		lags := newSeam(lagMachine{lag: window.NewLag(window.LagSpec{In: in, Out: ahead, By: []int{0}, Cols: []window.LagColumn{{Column: 1, Period: -1}}}), in: in, out: ahead})
		spec := window.RunningSpec{In: ahead, Out: out, By: []int{0}, Cols: []window.RunningColumn{{Func: "row_number", Arg: -1, Type: batch.Of(batch.Int64)}}}
		m := newWindowMachine(spec, batch.Rows)
		windows := newSeam(m)
		for u := range vainUnits + 1 {
			unit := groupsOf(t, acct, in, 39_990, c.group)
			run := unitRun{unit: u, units: vainUnits + 2, acct: acct}
			first, _ := lags.open(run, unit)
			second, _ := windows.open(run, first)
			s := second.(*seamStream[*window.RunningState])
			if err := s.early(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.published != c.early {
				t.Errorf("groups of %d, unit %d: the state is there early: %v", c.group, u, s.published)
			}
			if searched := len(unit.asked) > 0; searched != (c.early || u < vainUnits) {
				t.Errorf("groups of %d, unit %d: searched: %v", c.group, u, searched)
			}
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
		}
		windows.close()
		lags.close()
		if err := acct.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Where all groups were small until then, units are searched in vain no oftener than some more times.
func TestSmallGroupsPromiseNoOthers(t *testing.T) {
	m := windowMachine{vain: new(atomic.Int32)}
	for range 1000 {
		m.found()
	}
	if n := m.vain.Load(); n != -vainUnits {
		t.Errorf("%d units in vain", n)
	}
}
