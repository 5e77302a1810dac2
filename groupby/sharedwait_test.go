package groupby

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"pqjoin/mem"
)

// An interrupt ends an aggregation while rows that wait are brought into shared tables: there may be millions of them.
func TestAnInterruptIsSeenWhileRowsThatWaitAreBroughtIn(t *testing.T) {
	g, end := waiting(t, 8, 1<<18)
	defer end()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	p := fullest(g)
	groups, chunks := g.sh.parts[p].groups(), len(g.sh.parts[p].chunks)
	if err := g.sh.work(ctx, g.workers[0], p, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%d chunks were brought in after the end: %v", chunks, err)
	}
	if n := g.sh.parts[p].groups(); n != groups {
		t.Errorf("%d groups were made after the end", n-groups)
	}
	if err := g.Finish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Finish after the end: %v", err)
	}
}

// A batch whose rows are all left out opens no store: the shared tables are the result as they would be without it.
func TestABatchOfNoRowsKeepsTheSharedTables(t *testing.T) {
	spec := sharedNumbers(false, 8, 64<<10, 64<<20)
	spec.In.Fields[0].Nullable, spec.DropNulls = true, true
	pool := mem.NewPool(256 << 20)
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	key := func(i int) int64 { return rand.New(rand.NewPCG(7, uint64(i))).Int64N(100_000) }
	at := 0
	for w := g.workers[0]; at < 1<<18 && !(w.frozen && w.blind > 0); at += 1 << 14 {
		if err := g.Put(ctx, 0, 0, numbers(t, spec.In, at, 1<<14, key)); err != nil {
			t.Fatal(err)
		}
	}
	nulls := numbers(t, spec.In, at, 1<<14, key)
	if err := nulls.Cols[0].NewValid(nil); err != nil {
		t.Fatal(err)
	}
	clear(nulls.Cols[0].Valid)
	nulls.Cols[0].SetNulls()
	if !g.sh.active() || !g.sh.inUse() {
		t.Fatal("there are no shared tables")
	}
	if err := errors.Join(g.Put(ctx, 0, 0, nulls), g.Finish(ctx)); err != nil {
		t.Fatal(err)
	}
	if g.top.used() || g.result.sh == nil {
		t.Errorf("a store was opened: %v", g.top.used())
	}
	if err := errors.Join(g.Close(), spec.Acct.Close(), pool.Close(), spec.Dir.Close()); err != nil {
		t.Error(err)
	}
}

// Chunks are given back one by one as their rows are brought in: others fill as many meanwhile.
func TestChunksThatWereBroughtInAreGivenBackOneByOne(t *testing.T) {
	g, end := waiting(t, 8, 1<<18)
	defer end()
	w := g.workers[0]
	for p := range g.sh.parts { // so that the tables do not grow below
		if err := g.sh.work(context.Background(), w, p, false); err != nil {
			t.Fatal(err)
		}
	}
	putRepeated(t, g, 1<<18)
	p := fullest(g)
	chunks := len(g.sh.parts[p].chunks)
	ctx := &usedAt{Context: context.Background(), acct: g.spec.Acct}
	if err := g.sh.work(ctx, w, p, false); err != nil {
		t.Fatal(err)
	}
	if len(ctx.used) != chunks || chunks < 8 {
		t.Errorf("%d looks at the context for %d chunks", len(ctx.used), chunks)
	}
	for i := 1; i < len(ctx.used); i++ {
		if less := ctx.used[i-1] - ctx.used[i]; less != int64(g.sh.form.size) {
			t.Errorf("%d bytes were given back after chunk %d", less, i-1)
		}
	}
}

// usedAt notes the bytes that an account uses whenever somebody asks whether the context has ended.
type usedAt struct {
	context.Context
	acct *mem.Account
	used []int64
}

func (c *usedAt) Err() error {
	c.used = append(c.used, c.acct.Used())
	return c.Context.Err()
}

// waiting returns an aggregation of one worker in whose shared tables nearly all of so many rows wait, and what closes it: all
// memory has been given back then.
func waiting(t *testing.T, partitions, rows int) (*Grouper, func()) {
	t.Helper()
	spec := sharedNumbers(false, partitions, 64<<10, 256<<20)
	pool := mem.NewPool(512 << 20)
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	g.sh.trial.done.Store(true) // as after one that went well
	putRepeated(t, g, rows)
	return g, func() {
		if err := errors.Join(g.Close(), spec.Acct.Close(), pool.Close(), spec.Dir.Close()); err != nil {
			t.Error(err)
		}
	}
}

// putRepeated puts so many rows of 2^16 keys in.
func putRepeated(t *testing.T, g *Grouper, rows int) {
	t.Helper()
	for at := 0; at < rows; at += 1 << 14 {
		b := numbers(t, g.spec.In, at, 1<<14, func(i int) int64 { return int64(i) * 40503 % (1 << 16) })
		if err := g.Put(context.Background(), 0, 0, b); err != nil {
			t.Fatal(err)
		}
	}
}

// fullest returns the partition in which most chunks wait.
func fullest(g *Grouper) (p int) {
	for i := range g.sh.parts {
		if len(g.sh.parts[i].chunks) > len(g.sh.parts[p].chunks) {
			p = i
		}
	}
	return p
}

// Who has the source has counted its units: groups that settle go to as many partitions, or the run ends.
func TestSettledGroupsHaveTheUnitsThatTheSharedTablesHad(t *testing.T) {
	for _, want := range []int{8, 5} {
		g, end := waiting(t, 8, 1<<18)
		if err := g.Finish(context.Background()); err != nil {
			t.Fatal(err)
		}
		src := g.Source()
		units := src.Units()
		g.top.want = want
		err := g.Settle(context.Background())
		if failed := err != nil; failed != (want != units) || src.Units() != units || g.top.cut.partitions() != want {
			t.Errorf("%d units of %d shared tables went to %d partitions: %v", src.Units(), units, g.top.cut.partitions(), err)
		}
		end()
	}
}
