package groupby

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

var errNoStore = errors.New("no store")

// What a worker has in hand is given back where the shared tables cannot be left.
func TestRowsAreGivenBackWhereTheLevelCannotBeOpened(t *testing.T) {
	spec := numberSpec()
	spec.Aggs[0] = Agg{Func: "first", Arg: 1, Filter: -1, Type: batch.Of(batch.Float64)} // which has a column of positions made
	spec.Sort, spec.Workers, spec.Partitions, spec.TableBytes, spec.BlockBytes, spec.SharedBytes = false, 1, 8, 64<<10, 4<<10, 64<<20
	pool := mem.NewPool(96<<20, mem.Protect())
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	g, err := newGrouper(spec, func(spillfile.Spec) (store, error) { return nil, errNoStore })
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int) int64 { return int64(i) * 40503 }
	for at := 0; err == nil && at < 1<<20; at += 1 << 14 {
		err = g.Put(context.Background(), 0, 0, numbers(t, spec.In, at, 1<<14, key))
	}
	if !errors.Is(err, errNoStore) {
		t.Errorf("the shared tables were not left: %v", err)
	}
	if err := errors.Join(g.Close(), spec.Acct.Close(), pool.Close(), spec.Dir.Close()); err != nil {
		t.Error(err)
	}
}

// Groups of full tables go to the level where the shared tables have no memory for them.
func TestGroupsThatFindNoMemoryAreLeftToTheLevel(t *testing.T) {
	spec := sharedNumbers(false, 8, 1<<20, 64<<20)
	pool := mem.NewPool(96<<20, mem.Protect())
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	others := pool.Account("others", 0)
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	w := g.workers[0]
	if err := g.Put(ctx, 0, 0, numbers(t, spec.In, 0, 1000, func(i int) int64 { return int64(i) })); err != nil {
		t.Fatal(err)
	}
	err = w.t.states(1000, func(b *batch.Batch) error {
		giveBack := takeAll(others)
		if ok, err := g.sh.takeStates(ctx, w, b); ok || err != nil || g.sh.active() {
			t.Errorf("taken: %v, %v; still in use: %v", ok, err, g.sh.active())
		}
		giveBack()
		return w.sendStates(ctx, b)
	})
	err = errors.Join(err, g.top.seal(ctx))
	if rows := g.top.states.Stats().RowsIn; err != nil || rows != 1000 {
		t.Errorf("%d groups in the level, %v", rows, err)
	}
	if err := errors.Join(g.Close(), spec.Acct.Close(), others.Close(), pool.Close(), spec.Dir.Close()); err != nil {
		t.Error(err)
	}
}

// Rows go to the level where there is no memory to find their partitions, as there is for leaving the shared tables.
func TestRowsThatFindNoMemoryForTheirRoutingAreLeftToTheLevel(t *testing.T) {
	spec := sharedNumbers(false, 8, 1<<20, 64<<20)
	pool := mem.NewPool(96<<20, mem.Protect())
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	others := pool.Account("others", 0)
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	w := g.workers[0]
	b := numbers(t, spec.In, 0, 16<<10, func(i int) int64 { return int64(i) * 7 })
	rows := b.Select(g.lay.raw, g.lay.cols)
	b.Release()
	if ok, err := g.sh.begin(); !ok || err != nil {
		t.Fatalf("no memory is laid by: %v", err)
	}
	giveBack := takeAll(others)
	err = w.sendRows(ctx, 0, rows, nil)
	if n := w.stats.Bypassed; err != nil || n != 16<<10 || g.sh.active() {
		t.Errorf("%d rows in the level, %v; the shared tables are still in use: %v", n, err, g.sh.active())
	}
	giveBack()
	if err := errors.Join(g.Close(), spec.Acct.Close(), others.Close(), pool.Close(), spec.Dir.Close()); err != nil {
		t.Error(err)
	}
}

// takeAll takes all memory that is left, and returns what gives it back.
func takeAll(acct *mem.Account) (giveBack func()) {
	var taken []*mem.Buf
	for size := 64 << 10; size > 0; {
		b, err := acct.Alloc(size)
		if err != nil {
			size -= 4 << 10
			continue
		}
		taken = append(taken, b)
	}
	return func() {
		for _, b := range taken {
			b.Release()
		}
	}
}

// Ranges are cut from more keys than one shared table has.
func TestRangesAreCutEvenlyWhereSharedTablesAreGivenUp(t *testing.T) {
	spec := sharedNumbers(true, 256, 2<<20, 256<<20)
	pool := mem.NewPool(512 << 20)
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	const n = 1 << 20
	key := func(i int) int64 { return rand.New(rand.NewPCG(7, uint64(i))).Int64() }
	for at := 0; at < n && !g.top.used(); at += 1 << 14 {
		if err := g.Put(context.Background(), 0, 0, numbers(t, spec.In, at, 1<<14, key)); err != nil {
			t.Fatal(err)
		}
	}
	if !g.top.used() {
		t.Fatal("the shared tables were not given up")
	}
	probe := numbers(t, spec.In, n, 1<<16, key)
	part := make([]uint16, probe.N)
	keys := probe.Select(g.lay.raw, g.lay.cols)
	keys.Cols, keys.Schema = keys.Cols[:1], g.lay.keys.schema
	if err := g.top.cut.assign(spec.Acct, keys, part); err != nil {
		t.Fatal(err)
	}
	counts := make([]int, g.top.cut.partitions())
	most := 0
	for _, p := range part {
		counts[p]++
		most = max(most, counts[p])
	}
	if mean := probe.N / len(counts); len(counts) < 200 || most > 2*mean {
		t.Errorf("the largest of %d ranges has %d keys, the mean is %d", len(counts), most, mean)
	}
	if err := errors.Join(g.Close(), spec.Acct.Close(), pool.Close(), spec.Dir.Close()); err != nil {
		t.Error(err)
	}
}

func TestUnitsOfStatesAscendForAllWorkersTogether(t *testing.T) {
	l := &level{workers: 3}
	if u := l.unitOf(2, 5); u != 2 {
		t.Errorf("unit %d at first", u)
	}
	if u := l.unitOf(0, 4*spillfile.UnitRows); u != 12 {
		t.Errorf("unit %d of worker 0", u)
	}
	if u := l.unitOf(1, 1); u != 13 {
		t.Errorf("unit %d of worker 1, whose last was 1", u)
	}
}
