package asof

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/extsort"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// job is one join to be checked: of sides whose columns are k, on and a number of the row.
type job struct {
	key, on     batch.Type
	left, right [][]any
	direction   Direction
	equalNulls  bool
	workers     int
	parts       int
	rows        int // of a batch
	maxLoad     int64
	most        int64 // bytes of a piece of edges; 0: as it is
}

func (j job) schema() *batch.Schema {
	return batch.NewSchema(batch.Field{Name: "k", Type: j.key, Nullable: true}, batch.Field{Name: "on", Type: j.on, Nullable: true},
		batch.Field{Name: "id", Type: batch.Of(batch.Int64)})
}

var testKeys = []batch.SortKey{{Column: 0}, {Column: 1}}

func (j job) build(t *testing.T, acct *mem.Account, rows [][]any) *batch.Batch {
	b, err := batchtest.Batch(acct, j.schema(), rows, func(c int) batchtest.Layout { return batchtest.Layout((c + len(rows)) % 3) })
	if err != nil {
		t.Error(err)
	}
	return b
}

// put hands four units to the workers, which run at once.
func (j job) put(t *testing.T, sink batch.Sink, acct *mem.Account, rows [][]any) {
	const units = 4
	ctx := context.Background()
	var wg sync.WaitGroup
	for w := range j.workers {
		wg.Go(func() {
			for u := w; u < units; u += j.workers {
				lo, hi := len(rows)*u/units, len(rows)*(u+1)/units
				for ; lo < hi; lo = min(lo+j.rows, hi) {
					if err := sink.Put(ctx, w, u, j.build(t, acct, rows[lo:min(lo+j.rows, hi)])); err != nil {
						t.Error(err)
						return
					}
				}
				if err := sink.EndUnit(ctx, w, u); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := sink.Finish(ctx); err != nil {
		t.Fatal(err)
	}
}

// run returns the joined rows in their order: k, on, left id, right id.
func (j job) run(t *testing.T) [][]any {
	t.Helper()
	ctx := context.Background()
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	defer func() {
		if err := acct.Close(); err != nil {
			t.Error(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir, err := spillfile.OpenDir(vfs.OS(), t.TempDir(), 0, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	sample, err := extsort.NewSample(j.schema(), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range [][][]any{j.left, j.right} {
		if err := sample.Add(nil, j.build(t, nil, rows)); err != nil {
			t.Fatal(err)
		}
	}
	out := batch.NewSchema(append(slices.Clone(j.schema().Fields), batch.Field{Name: "r", Type: batch.Of(batch.Int64), Nullable: true})...)
	a, err := New(Spec{
		Name: "test", Left: j.schema(), Right: j.schema(), LeftKeys: testKeys, RightKeys: testKeys, RightOut: []int{2}, Out: out,
		Direction: j.direction, NullsEqual: j.equalNulls, Workers: j.workers, Partitions: 8, BlockBytes: 4096, MaxLoad: j.maxLoad, BatchRows: j.rows,
		Acct: acct, Dir: dir,
	}, sample.Splitters(j.parts))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if a.edges != nil && j.most > 0 {
		a.edges.most = j.most
	}
	j.put(t, a.Right(), acct, j.right)
	j.put(t, a.Left(), acct, j.left)
	if err := pool.Squeeze(); err != nil {
		t.Fatal(err)
	}
	if n := a.LeftRows(); n != int64(len(j.left)) {
		t.Errorf("%d left rows of %d", n, len(j.left))
	}
	var got [][]any
	src := a.Source()
	for u := range src.Units() {
		st, err := src.Open(ctx, u, acct)
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := st.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, batchtest.Rows(b)...)
			b.Release()
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// want looks at every pair of rows.
func (j job) want() [][]any {
	left := slices.Clone(j.left)
	slices.SortStableFunc(left, func(a, b []any) int { return batchtest.CompareKeys(j.schema(), testKeys, a, b) })
	nan := func(v any) bool { f, ok := v.(float64); return ok && f != f }
	var out [][]any
	for _, l := range left {
		back, front := -1, -1
		for i, r := range j.right {
			if batchtest.Compare(j.key, l[0], r[0]) != 0 || l[0] == nil && !j.equalNulls || l[1] == nil || r[1] == nil || nan(l[1]) || nan(r[1]) {
				continue
			}
			c := batchtest.Compare(j.on, r[1], l[1])
			if c <= 0 && (back < 0 || batchtest.Compare(j.on, r[1], j.right[back][1]) >= 0) {
				back = i
			}
			if c >= 0 && (front < 0 || batchtest.Compare(j.on, r[1], j.right[front][1]) < 0) {
				front = i
			}
		}
		found := back
		if j.direction == Forward {
			found = front
		}
		row := append(slices.Clone(l), nil)
		if found >= 0 {
			row[3] = j.right[found][2]
		}
		out = append(out, row)
	}
	return out
}

// drawn returns n rows of few keys, few values to come near to, some of them null.
func drawn(r *rand.Rand, key, on batch.Type, n, few int) [][]any {
	keys, ons := make([]any, 1+r.IntN(4)), make([]any, few)
	for i := range keys {
		keys[i] = batchtest.Value(rand.New(rand.NewPCG(uint64(i), 5)), key, i == 1)
	}
	for i := range ons {
		ons[i] = batchtest.Value(rand.New(rand.NewPCG(uint64(i), 6)), on, i == 3)
	}
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{keys[r.IntN(len(keys))], ons[r.IntN(few)], int64(i)}
	}
	return rows
}

func TestJoinFindsWhatLookingAtAllPairsFinds(t *testing.T) {
	ons := []batch.Type{batch.Of(batch.Int64), batch.Of(batch.Uint64), batch.Of(batch.Float64), batch.DecimalOf(30, 4), batch.Of(batch.Date)}
	keys := []batch.Type{batch.Of(batch.String), batch.Of(batch.Int64), batch.Of(batch.Bool), batch.DecimalOf(25, 2)}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		j := job{
			key: keys[r.IntN(len(keys))], on: ons[r.IntN(len(ons))], direction: Backward + Direction(r.IntN(2)), equalNulls: r.IntN(2) == 0,
			workers: 1 + r.IntN(3), parts: []int{1, 2, 7, 40}[r.IntN(4)], rows: []int{1, 3, 50, 1000}[r.IntN(4)], maxLoad: []int64{4 << 10, 1 << 20}[r.IntN(2)],
		}
		few := []int{5, 300}[r.IntN(2)]
		j.most = []int64{0, 1, 60}[seed%3]
		j.left, j.right = drawn(r, j.key, j.on, r.IntN(300), few), drawn(r, j.key, j.on, r.IntN(300), few)
		if diff := cmp.Diff(fmt.Sprint(j.want()), fmt.Sprint(j.run(t))); diff != "" {
			t.Fatalf("seed %d, %v by %v: %.2000s", seed, j.on, j.key, diff)
		}
	}
}

// TestDistancesAreExact measures across the whole range of the types.
func TestDistancesAreExact(t *testing.T) {
	big := func(v int64) batch.Int128 { return batch.Int128{Hi: v} }
	for _, c := range []struct {
		typ        batch.Type
		a, b, x, y any // b - a is at least as much as y - x, and more where over
		over       bool
	}{
		{batch.Of(batch.Int64), int64(-1 << 63), int64(1<<63 - 1), int64(-1 << 63), int64(1<<63 - 2), true},
		{batch.Of(batch.Int64), int64(5), int64(7), int64(-1), int64(1), false},
		{batch.Of(batch.Uint64), int64(0), int64(-1), int64(0), int64(-2), true},
		{batch.DecimalOf(38, 0), big(-1 << 62), big(1 << 62), big(-1 << 62), big(1<<62 - 1), true},
		{batch.Of(batch.Float64), 0.0, 1.5, 0.0, 1.25, true},
		{batch.Of(batch.Float64), 1e300, 1e300, 2.0, 2.0, false},
	} {
		col, err := batchtest.Column(nil, c.typ, []any{c.a, c.b, c.x, c.y}, batchtest.Flat)
		if err != nil {
			t.Fatal(err)
		}
		pool := mem.NewPool(1<<20, mem.Protect())
		acct := pool.Account("test", 0)
		v, err := newOnValues(acct, col)
		if err != nil {
			t.Fatal(err)
		}
		one, other := v.apart(0, v, 1, true), v.apart(2, v, 3, true)
		if one.over(other) != c.over || other.over(one) {
			t.Errorf("%v: %v from %v and %v from %v: %v and %v", c.typ, c.b, c.a, c.y, c.x, one, other)
		}
		if back := v.apart(1, v, 0, false); back != one {
			t.Errorf("%v: %v there and %v back", c.typ, one, back)
		}
		v.release()
		if err := acct.Close(); err != nil {
			t.Error(err)
		}
		pool.Close()
	}
}
