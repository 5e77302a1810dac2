package groupby

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

var base = how{workers: 2, partitions: 8, batchRows: 500, outRows: 1000, table: 64 << 10, pool: 64 << 20, seed: 7}

func agg(fn string, arg int) Agg {
	a := Agg{Func: fn, Arg: arg, Filter: -1, Type: batch.Of(batch.Int64)}
	switch {
	case fn == "mean":
		a.Type = batch.Of(batch.Float64)
	case fn != "count":
		a.Type = testSchema.Fields[arg].Type
	}
	return a
}

func someRows(n, distinct int, skew bool) [][]value {
	r := rand.New(rand.NewPCG(uint64(n), uint64(distinct)))
	rows := make([][]value, n)
	for i := range rows {
		rows[i] = randomRow(r, distinct, skew)
	}
	return rows
}

func mustRun(t *testing.T, spec Spec, rows [][]value, h how) ([][]value, Stats) {
	t.Helper()
	got, stats, err := run(t, spec, rows, h)
	if err != nil {
		t.Fatal(err)
	}
	return got, stats
}

func TestDistinctKeysPassTheTableByAndSpill(t *testing.T) {
	for _, sorted := range []bool{true, false} {
		spec := specOf([]int{0}, []Agg{agg("sum", 3), agg("first", 6), agg("max", 6)})
		spec.Sort = sorted
		rows := someRows(60000, 1<<40, false)
		h := base
		h.pool = 5 << 20 // of which two workers' tails of all partitions take most
		got, stats := mustRun(t, spec, rows, h)
		check(t, spec, rows, got)
		if stats.Bypassed == 0 || stats.Spilled == 0 || stats.Flushes == 0 {
			t.Errorf("sort %v: %+v", sorted, stats)
		}
		if stats.RowsIn != int64(len(rows)) || stats.Groups != int64(len(got)) {
			t.Errorf("sort %v: %+v", sorted, stats)
		}
	}
}

func TestRepeatedKeysTravelAsStates(t *testing.T) {
	spec := specOf([]int{7}, []Agg{agg("count", -1), agg("mean", 3), agg("last", 8)})
	rows := someRows(40000, 9000, false)
	slices.SortStableFunc(rows, func(a, b []value) int { return compareValues(a[7], b[7]) })
	got, stats := mustRun(t, spec, rows, base)
	check(t, spec, rows, got)
	if stats.Flushes == 0 || stats.Bypassed > 0 {
		t.Errorf("%+v", stats)
	}
}

func TestATableSlightlyTooSmallIsHeld(t *testing.T) {
	spec := specOf([]int{0}, []Agg{agg("count", -1), agg("sum", 3)})
	rows := make([][]value, 150000)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range rows {
		rows[i] = randomRow(r, 1<<40, false)
		rows[i][0] = int64(r.IntN(14000))
	}
	h := base
	h.workers, h.table, h.batchRows = 1, 1200<<10, 5000
	got, stats := mustRun(t, spec, rows, h)
	check(t, spec, rows, got)
	if stats.Flushes > 1 || stats.Bypassed == 0 || stats.Bypassed > int64(len(rows))/3 {
		t.Errorf("%+v", stats)
	}
}

func TestAHeavyKeyDoesNotTravelRowByRow(t *testing.T) {
	spec := specOf([]int{0}, []Agg{agg("count", -1)})
	rows := someRows(60000, 1<<40, true) // two rows in three have one key
	got, stats := mustRun(t, spec, rows, base)
	check(t, spec, rows, got)
	if stats.Bypassed > int64(len(rows))*2/5 {
		t.Errorf("%d of %d rows travelled: %+v", stats.Bypassed, len(rows), stats)
	}
}

func TestAPartitionTooLargeIsCutAgain(t *testing.T) {
	for _, keys := range [][]int{{0}, {7, 0}, {6, 3}} {
		for _, sorted := range []bool{true, false} {
			spec := specOf(keys, []Agg{agg("count", -1), agg("sum", 3), agg("min", 6)})
			spec.Sort = sorted
			rows := someRows(30000, 1<<40, false)
			if sorted { // so that the first table's keys say nothing about the rest
				slices.SortFunc(rows, func(a, b []value) int { return compareValues(a[keys[0]], b[keys[0]]) })
			}
			h := base
			h.partitions = 2
			got, stats := mustRun(t, spec, rows, h)
			check(t, spec, rows, got)
			if stats.Resplit == 0 {
				t.Errorf("%v sort %v: %+v", keys, sorted, stats)
			}
		}
	}
}

func TestFloatSumsAreTheSameBitsUnderAllConditions(t *testing.T) {
	spec := specOf([]int{7}, []Agg{agg("sum", 3), agg("mean", 3)})
	rows := someRows(20000, 3000, true)
	want, _ := mustRun(t, spec, rows, how{workers: 1, partitions: 4, batchRows: 5000, outRows: 1 << 16, table: 16 << 20, pool: 64 << 20})
	r := rand.New(rand.NewPCG(1, 1))
	for workers := 1; workers <= 4; workers++ {
		for _, table := range []int64{64 << 10, 300 << 10, 8 << 20} {
			shuffled := slices.Clone(rows)
			r.Shuffle(len(rows), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			h := base
			h.workers, h.table = workers, table
			got, _ := mustRun(t, spec, shuffled, h)
			if d := cmp.Diff(want, got, diffValues); d != "" {
				t.Fatal(d)
			}
		}
	}
}

func TestSplittersGivenFromOutsideAreUsed(t *testing.T) {
	spec := specOf([]int{0, 6}, []Agg{agg("count", -1)})
	spec.Splitters = tens{}
	rows := someRows(20000, 1<<30, false)
	got, stats := mustRun(t, spec, rows, base)
	check(t, spec, rows, got)
	if stats.Flushes == 0 {
		t.Errorf("%+v", stats)
	}
}

// tens cuts by the first key column, into ten ranges.
type tens struct{}

func (tens) Partitions() int { return 10 }

func (tens) Assign(_ *mem.Account, b *batch.Batch, out []uint16) error {
	for i, v := range b.Cols[0].Int64s() {
		out[i] = uint16(max(v, 0) * 10 >> 30)
	}
	return nil
}

func TestEmptyInput(t *testing.T) {
	aggs := []Agg{agg("count", -1), agg("sum", 3), agg("min", 6), agg("first", 0), agg("mean", 1)}
	got, _ := mustRun(t, specOf(nil, aggs), nil, base)
	if d := cmp.Diff([][]value{{int64(0), nil, nil, nil, nil}}, got); d != "" {
		t.Error(d)
	}
	if got, _ = mustRun(t, specOf([]int{0}, aggs), nil, base); len(got) != 0 {
		t.Error(got)
	}
}

func TestOverflowNamesAggregateAndKey(t *testing.T) {
	rows := someRows(3, 1, false)
	for _, r := range rows {
		r[0], r[7] = int64(math.MaxInt64), "the key"
	}
	_, _, err := run(t, specOf([]int{7}, []Agg{agg("sum", 0)}), rows, base)
	if !errors.Is(err, ErrOverflow) || !strings.Contains(err.Error(), `sum0: 27670116110564327421 does not fit int64 for s2="the key"`) {
		t.Errorf("%v", err)
	}
	rows[1][0] = int64(math.MinInt64)
	rows[2][0] = int64(5)
	got, _ := mustRun(t, specOf([]int{7}, []Agg{agg("sum", 0)}), rows, base)
	if got[0][1] != int64(4) {
		t.Errorf("an overflow on the way counts: %v", got)
	}
}

func TestZeroesAndNaNsAreOneKey(t *testing.T) {
	rows := someRows(4, 1, false)
	for i, f := range []float64{math.Copysign(0, -1), 0, math.NaN(), -math.NaN()} {
		rows[i][3] = f
	}
	got, _ := mustRun(t, specOf([]int{3}, []Agg{agg("count", -1)}), rows, base)
	if d := cmp.Diff([][]value{{0.0, int64(2)}, {math.NaN(), int64(2)}}, got, diffValues); d != "" {
		t.Error(d)
	}
}

func TestAMaximumThatGrowsRowByRowStaysInBoundedMemory(t *testing.T) {
	rows := someRows(3000, 1, false)
	for i, r := range rows {
		r[6], r[7] = fmt.Sprintf("%06d%s", i, strings.Repeat("y", i)), "k"
	}
	h := base
	h.pool, h.workers = 8<<20, 1
	spec := specOf([]int{7}, []Agg{agg("max", 6), agg("first", 6), agg("last", 6)})
	got, _ := mustRun(t, spec, rows, h) // 4.5 MB of strings through a table of 64 KiB
	check(t, spec, rows, got)
}

func TestUnknownAndIllTypedAggregatesAreRefused(t *testing.T) {
	for _, a := range []Agg{
		{Func: "median", Arg: 0, Filter: -1, Type: batch.Of(batch.Int64)}, {Func: "sum", Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)},
		{Func: "sum", Arg: 6, Filter: -1, Type: batch.Of(batch.Int64)}, {Func: "sum", Arg: 0, Filter: -1, Type: batch.Of(batch.Float64)},
		{Func: "count", Arg: -1, Filter: 0, Type: batch.Of(batch.Int64)},
	} {
		if _, err := New(specOf([]int{0}, []Agg{a})); err == nil {
			t.Errorf("%+v was accepted", a)
		}
	}
}

func TestAnErrorLeavesNothingBehind(t *testing.T) {
	spec := specOf([]int{0}, []Agg{agg("sum", 3), agg("max", 6)})
	rows := someRows(20000, 1<<40, false)
	failed := 0
	for pool := int64(300 << 10); pool < 2<<20; pool += 150 << 10 {
		h := base
		h.pool, h.workers = pool, 1
		got, _, err := run(t, spec, rows, h) // run checks that memory came back
		if err == nil {
			check(t, spec, rows, got)
			continue
		}
		failed++
		if !errors.Is(err, mem.ErrLimit) {
			t.Errorf("%v", err)
		}
	}
	if failed == 0 {
		t.Error("no pool was too small")
	}
}

func TestPlanFitsItsShare(t *testing.T) {
	for share := int64(8 << 20); share <= 1<<30; share *= 2 {
		for workers := 1; workers <= 4; workers++ {
			l := Plan(Spec{Workers: workers, In: testSchema, Rows: share}, share, share/int64(3*workers))
			if l.Workers != workers || l.Partitions < 8 || l.BlockBytes < minBlock || l.TableBytes < minTableBytes || l.MaxLoad < l.TableBytes {
				t.Errorf("%d bytes, %d workers: %+v", share, workers, l)
			}
			if n := int64(workers) * (l.blocks() + l.TableBytes); n > share {
				t.Errorf("%d bytes, %d workers: %+v takes %d", share, workers, l, n)
			}
		}
	}
	if l := Plan(Spec{Workers: 2, In: testSchema}, 256<<20, 32<<20); l.BlockBytes != 64<<10 || l.Partitions != 64 {
		t.Errorf("%+v", l)
	}
}

func TestTheFloorIsEnough(t *testing.T) {
	spec := numberSpec()
	spec.Workers, spec.Partitions, spec.TableBytes, spec.MaxLoad, spec.BlockBytes = 1, 16, 256<<10, 256<<10, 4<<10
	pool := mem.NewPool(Floor(spec), mem.Protect())
	spec.Acct = pool.Account("group", 0)
	dir, err := spillfile.OpenDir(vfs.OS(), t.TempDir(), 1<<40, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	spec.Dir = dir
	const n = 1 << 21
	stats := groupNumbers(t, spec, n, func(i int) int64 { return int64(i) * 0x9e3779b97f4a7c1 })
	if stats.Groups != n || stats.Spilled == 0 {
		t.Errorf("%d bytes: %+v", Floor(spec), stats)
	}
	if err := errors.Join(spec.Acct.Close(), pool.Close(), dir.Close()); err != nil {
		t.Error(err)
	}
}

// groupNumbers aggregates n rows whose first column is key(i), and throws the groups away.
func groupNumbers(t testing.TB, spec Spec, n int, key func(i int) int64) Stats {
	t.Helper()
	ctx := context.Background()
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for at := 0; at < n; at += batch.Rows {
		if err := g.Put(ctx, at/batch.Rows%spec.Workers, at/batch.Rows, numbers(t, spec.In, at, min(batch.Rows, n-at), key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	src := g.Source()
	last := int64(math.MinInt64)
	for u := range src.Units() {
		st, err := src.Open(ctx, u, spec.Acct)
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
			if first := b.Cols[0].Int64s()[0]; first < last {
				t.Fatalf("unit %d begins with %d after %d", u, first, last)
			}
			last = b.Cols[0].Int64s()[b.N-1]
			b.Release()
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return g.Stats()
}

// numberSpec sums and counts floats by an int64.
func numberSpec() Spec {
	in := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "v", Type: batch.Of(batch.Float64)})
	return Spec{
		Name: "test", In: in, Keys: []int{0}, Sort: true, Workers: 1,
		Aggs: []Agg{{Func: "sum", Arg: 1, Filter: -1, Type: batch.Of(batch.Float64)}, {Func: "count", Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)}},
		Out: batch.NewSchema(in.Fields[0], batch.Field{Name: "sum", Type: batch.Of(batch.Float64), Nullable: true},
			batch.Field{Name: "count", Type: batch.Of(batch.Int64)}),
	}
}

// numbers returns a batch of numberSpec's input on the heap.
func numbers(t testing.TB, schema *batch.Schema, at, n int, key func(i int) int64) *batch.Batch {
	b := &batch.Batch{Schema: schema, N: n}
	for _, f := range schema.Fields {
		c, err := batch.NewFixed(nil, f.Type, n)
		if err != nil {
			t.Fatal(err)
		}
		b.Cols = append(b.Cols, c)
	}
	for i := range n {
		b.Cols[0].Int64s()[i], b.Cols[1].Float64s()[i] = key(at+i), float64(i)*0.37
	}
	return b
}

func TestOrderedGroupsEqualTheOracle(t *testing.T) {
	aggs := append(allAggs(), listAggs(true)...)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.IntRange(0, len(testSchema.Fields)-1), 0, 3, rapid.ID[int]).Draw(rt, "keys")
		spec := specOf(keys, rapid.SliceOfN(rapid.SampledFrom(aggs), 0, 6).Draw(rt, "aggs"))
		spec.DropNulls = rapid.Bool().Draw(rt, "drop")
		rows := someRows(rapid.IntRange(0, 4000).Draw(rt, "n"), rapid.SampledFrom([]int{1, 10, 4000, 1 << 30}).Draw(rt, "distinct"), rapid.Bool().Draw(rt, "skew"))
		slices.SortStableFunc(rows, func(a, b []value) int {
			for _, k := range keys {
				x, y := a[k], b[k]
				if f, ok := x.(float64); ok && f == 0 {
					x = 0.0
				}
				if f, ok := y.(float64); ok && f == 0 {
					y = 0.0
				}
				if c := compareValues(x, y); c != 0 {
					return c
				}
			}
			return 0
		})
		pool := mem.NewPool(64<<20, mem.Protect())
		spec.Acct = pool.Account("ordered", 0)
		got, err := runOrdered(t, rt, spec, rows)
		if e := errors.Join(err, spec.Acct.Close(), pool.Close()); e != nil {
			rt.Fatal(e)
		}
		check(rt, spec, rows, got)
	})
}

// runOrdered streams rows through two Ordered that take turns at the units.
func runOrdered(t *testing.T, rt *rapid.T, spec Spec, rows [][]value) (out [][]value, err error) {
	ctx := context.Background()
	var two [2]*Ordered
	for i := range two {
		if two[i], err = NewOrdered(spec); err != nil {
			return nil, err
		}
		defer two[i].Close()
	}
	unit, per := rapid.IntRange(1, 3000).Draw(rt, "unit"), rapid.IntRange(1, 3000).Draw(rt, "batch")
	var state *OrderedState
	for u := 0; u*unit < len(rows); u++ {
		o := two[u%2]
		if err := o.Begin(ctx, u, state); err != nil {
			return nil, err
		}
		for part := range slices.Chunk(rows[u*unit:min((u+1)*unit, len(rows))], per) {
			bs, err := o.Push(ctx, makeBatch(t, nil, testSchema, part, func() bool { return per%2 == 0 }))
			if err != nil {
				return nil, err
			}
			for _, b := range bs {
				out = append(out, rowsOf(b)...)
				b.Release()
			}
		}
		if state, err = o.End(ctx); err != nil {
			return nil, err
		}
	}
	b, err := two[0].Last(ctx, state)
	if b != nil {
		out = append(out, rowsOf(b)...)
		b.Release()
	}
	return out, err
}
