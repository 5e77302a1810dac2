package window

import (
	"errors"
	"fmt"
	"testing"

	"math/rand/v2"

	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
)

// scene is a random table in an order that keeps groups together, and shifted columns over it.
type scene struct {
	spec LagSpec
	rows [][]any
	r    *rand.Rand
}

func drawScene(t *rapid.T) scene {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	types := batchtest.Types()
	s := scene{r: r}
	in := &batch.Schema{}
	for i := range 1 + r.IntN(4) {
		in.Fields = append(in.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: types[r.IntN(len(types))], Nullable: r.IntN(2) == 0})
	}
	var keys []batch.SortKey
	for _, c := range r.Perm(len(in.Fields))[:r.IntN(min(3, len(in.Fields)+1))] {
		s.spec.By = append(s.spec.By, c)
		keys = append(keys, batch.SortKey{Column: c})
	}
	out := append([]batch.Field(nil), in.Fields...)
	for i := range 1 + r.IntN(3) {
		c := LagColumn{Column: r.IntN(len(in.Fields)), Period: r.IntN(9) - 4}
		if r.IntN(8) == 0 {
			c.Period = r.IntN(200) - 100
		}
		s.spec.Cols = append(s.spec.Cols, c)
		out = append(out, batch.Field{Name: fmt.Sprint("l", i), Type: in.Fields[c.Column].Type, Nullable: true})
	}
	s.spec.In, s.spec.Out = in, batch.NewSchema(out...)
	// Few different rows, repeated, so that groups are long, ordered by the keys.
	base := batchtest.Table(r, in, 1+r.IntN(8))
	for range r.IntN(120) {
		row := append([]any(nil), base[r.IntN(len(base))]...)
		for _, c := range r.Perm(len(in.Fields))[:r.IntN(len(in.Fields)+1)] {
			if !contains(s.spec.By, c) {
				row[c] = batchtest.Value(r, in.Fields[c].Type, in.Fields[c].Nullable)
			}
		}
		s.rows = append(s.rows, row)
	}
	sortRows(in, keys, s.rows)
	return s
}

func contains(list []int, c int) bool {
	for _, x := range list {
		if x == c {
			return true
		}
	}
	return false
}

// sortRows is a stable insertion sort.
func sortRows(schema *batch.Schema, keys []batch.SortKey, rows [][]any) {
	for i := range rows {
		for j := i; j > 0 && batchtest.CompareKeys(schema, keys, rows[j-1], rows[j]) > 0; j-- {
			rows[j-1], rows[j] = rows[j], rows[j-1]
		}
	}
}

// naive looks every shifted row up.
func (s *scene) naive() [][]any {
	keys := make([]batch.SortKey, len(s.spec.By))
	for i, c := range s.spec.By {
		keys[i].Column = c
	}
	var out [][]any
	for i, row := range s.rows {
		full := append([]any(nil), row...)
		for _, c := range s.spec.Cols {
			var v any
			if j := i - c.Period; j >= 0 && j < len(s.rows) && batchtest.CompareKeys(s.spec.In, keys, row, s.rows[j]) == 0 {
				v = s.rows[j][c.Column]
			}
			full = append(full, v)
		}
		out = append(out, full)
	}
	return out
}

// cuts divides n rows into pieces, empty ones among them.
func (s *scene) cuts(n int) []int {
	var sizes []int
	for n > 0 {
		k := min(n, s.r.IntN(1+s.r.IntN(40)))
		sizes = append(sizes, k)
		n -= k
	}
	return append(sizes, 0)
}

func (s *scene) batchOf(t *rapid.T, acct *mem.Account, rows [][]any) *batch.Batch {
	b, err := batchtest.Batch(acct, s.spec.In, rows, func(int) batchtest.Layout { return batchtest.Layout(s.r.IntN(int(batchtest.Layouts))) })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameRows(t *rapid.T, want, got [][]any) {
	if len(want) != len(got) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		for c := range want[i] {
			if !batchtest.Same(want[i][c], got[i][c]) {
				t.Fatalf("row %d column %d: %v, want %v", i, c, got[i][c], want[i][c])
			}
		}
	}
}

func withPool(t *rapid.T, use func(acct *mem.Account)) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	use(acct)
	if err := acct.Close(); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLagDoesNotDependOnBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		withPool(t, func(acct *mem.Account) {
			l := NewLag(s.spec)
			var st *State
			var got [][]any
			sizes, at := s.cuts(len(s.rows)), 0
			for i, n := range sizes {
				b := s.batchOf(t, acct, s.rows[at:at+n])
				at += n
				out, next, err := l.Push(acct, st, b, i == len(sizes)-1)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, batchtest.Rows(out)...)
				out.Release()
				st = next
			}
			if st != nil {
				t.Fatal("a state is left behind the last rows")
			}
			sameRows(t, s.naive(), got)
		})
	})
}

func TestLagBeginsAnywhereFromTheTailBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		withPool(t, func(acct *mem.Account) {
			l := NewLag(s.spec)
			cut := s.r.IntN(len(s.rows) + 1)
			tail := s.batchOf(t, acct, s.rows[max(0, cut-l.Context()):cut])
			st, ok := l.After(tail)
			tail.Release()
			if ok != (cut >= l.Context()) {
				t.Fatalf("After of %d rows with a context of %d: %v", cut, l.Context(), ok)
			}
			if !ok {
				return
			}
			out, _, err := l.Push(acct, st, s.batchOf(t, acct, s.rows[cut:]), true)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Release()
			want := s.naive()
			sameRows(t, want[cut-l.ahead:], batchtest.Rows(out))
		})
	})
}

func TestLagWithoutMemoryLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		withPool(t, func(acct *mem.Account) {
			l := NewLag(s.spec)
			at := s.r.IntN(len(s.rows) + 1)
			small := acct.Sub("small", int64(s.r.IntN(3000)))
			out, st, err := l.Push(small, nil, s.batchOf(t, acct, s.rows[:at]), false)
			if err == nil {
				out.Release()
				out, st, err = l.Push(small, st, s.batchOf(t, acct, s.rows[at:]), true)
			}
			if err == nil {
				out.Release()
			}
			if st != nil {
				t.Fatal("a state is left")
			}
			if err := small.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// Rows that wait to be written may not hold the window that they were cut from.
func TestLagOfALongPeriodHoldsNoWindows(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("lag", 0)
	const period, rows, batches = 50_000, 1000, 60
	in := batch.NewSchema(batch.Field{Name: "x", Type: batch.Of(batch.Int64)})
	for _, sign := range []int{1, -1} {
		out := batch.NewSchema(in.Fields[0], batch.Field{Name: "y", Type: batch.Of(batch.Int64), Nullable: true})
		l := NewLag(LagSpec{In: in, Out: out, Cols: []LagColumn{{Column: 0, Period: sign * period}}})
		var st *State
		var kept []*batch.Batch
		for i := range batches {
			b, err := batch.Zeros(acct, in.Fields[0].Type, rows)
			if err != nil {
				t.Fatal(err)
			}
			o, next, err := l.Push(acct, st, &batch.Batch{Schema: in, Cols: []*batch.Column{b}, N: rows}, i == batches-1)
			if err != nil {
				t.Fatal(err)
			}
			st, kept = next, append(kept, o)
		}
		if used, most := acct.Used(), int64(4*batches*rows*2*8); used > most {
			t.Errorf("period %d: %d rows hold %d bytes, at most %d are theirs", sign*period, batches*rows, used, most)
		}
		for _, b := range kept {
			b.Release()
		}
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

func TestRunsFindsGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		if len(s.spec.By) == 0 {
			return
		}
		withPool(t, func(acct *mem.Account) {
			b := s.batchOf(t, acct, s.rows)
			defer b.Release()
			keys := make([]batch.SortKey, len(s.spec.By))
			for i, c := range s.spec.By {
				keys[i].Column = c
			}
			var want []uint32
			for i := range s.rows {
				if i == 0 || batchtest.CompareKeys(s.spec.In, keys, s.rows[i-1], s.rows[i]) != 0 {
					want = append(want, uint32(i))
				}
			}
			if got := Runs(b, s.spec.By); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("runs %v, want %v", got, want)
			}
		})
	})
}
