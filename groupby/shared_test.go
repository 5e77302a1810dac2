package groupby

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// sharedBase makes the tables of workers overflow at once, with much room in shared ones.
var sharedBase = how{workers: 2, partitions: 8, batchRows: 900, outRows: 1 << 16, table: 64 << 10, pool: 256 << 20, shared: 32 << 20}

func TestGroupsThatFitTogetherStayInSharedTables(t *testing.T) {
	spec := specOf([]int{7}, []Agg{agg("sum", 3), agg("min", 1), agg("first", 5), agg("count", -1)})
	spec.Sort = false
	rows := someRows(40000, 9000, false)
	got, stats := mustRun(t, spec, rows, sharedBase)
	check(t, spec, rows, got)
	if stats.Bypassed != 0 || stats.Spilled != 0 || stats.Flushes == 0 {
		t.Errorf("%+v", stats)
	}
}

func TestSharedTablesThatOutgrowTheirPartAreGivenUp(t *testing.T) {
	spec := specOf([]int{0}, []Agg{agg("sum", 3), agg("max", 5)})
	spec.Sort = false
	rows := append(someRows(20000, 5000, false), someRows(60000, 1<<30, false)...)
	h := sharedBase
	h.shared = 4 << 20
	got, stats := mustRun(t, spec, rows, h)
	check(t, spec, rows, got)
	if stats.Bypassed == 0 || stats.Bypassed > stats.RowsIn*3/4 {
		t.Errorf("%+v", stats)
	}
}

// Where nearly every row makes a new group, no memory holds all of them, as far as one can see.
func TestRowsOfDistinctKeysAreGivenUpAfterATrial(t *testing.T) {
	spec := specOf([]int{0}, []Agg{agg("sum", 3), agg("max", 5)})
	spec.Sort = false
	rows := someRows(60000, 1<<40, false)
	h := sharedBase
	h.shared = 64 << 20
	got, stats := mustRun(t, spec, rows, h)
	check(t, spec, rows, got)
	if stats.Bypassed < stats.RowsIn/2 {
		t.Errorf("%+v", stats)
	}
}

func TestLongStringsAmongShortOnesHaveOneGroupEach(t *testing.T) {
	spec := specOf([]int{7}, []Agg{agg("count", -1), agg("last", 0)})
	spec.Sort = false
	rows := someRows(30000, 20000, false)
	for i := 0; i < len(rows); i++ {
		if i/4000%2 == 1 && i%3 == 0 { // the same keys come in batches with long ones and without
			rows[i][7] = strings.Repeat("long ", 3) + rows[i][7].(string)
		}
	}
	got, stats := mustRun(t, spec, rows, sharedBase)
	check(t, spec, rows, got)
	if stats.Bypassed == 0 {
		t.Errorf("no row went to the level: %+v", stats)
	}
}

func TestNullsOfLateBatchesAreNulls(t *testing.T) {
	spec := specOf([]int{1}, []Agg{agg("count", 3), agg("sum", 5), agg("any", 4), agg("first", 8)})
	spec.Sort = false
	rows := someRows(30000, 6000, false)
	for i, r := range rows {
		if i/700%3 > 0 { // whole units without a null
			for _, c := range []int{3, 4, 5, 8} {
				if r[c] == nil {
					r[c] = rows[slices.IndexFunc(rows, func(r []value) bool { return r[c] != nil })][c]
				}
			}
		}
	}
	got, stats := mustRun(t, spec, rows, sharedBase)
	check(t, spec, rows, got)
	if stats.Bypassed != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestSharedTablesDoNotShowInTheResult(t *testing.T) {
	spec := specOf([]int{6, 1}, []Agg{agg("sum", 3), agg("mean", 3), agg("first", 2)})
	rows := someRows(20000, 15000, true)
	h := sharedBase
	h.shared = 0
	want, _ := mustRun(t, spec, rows, h)
	for _, shared := range []int64{1 << 20, 3 << 20, 64 << 20} {
		for _, workers := range []int{1, 3} {
			h.shared, h.workers = shared, workers
			got, _ := mustRun(t, spec, rows, h)
			if d := cmp.Diff(want, got, diffValues); d != "" {
				t.Fatalf("%d workers, %d bytes: %s", workers, shared, d)
			}
		}
	}
}

// A result that is not read next must not keep others from their memory.
func TestSettledGroupsCanBeSpilled(t *testing.T) {
	spec := sharedNumbers(false, 8, 64<<10, 64<<20)
	pool := mem.NewPool(96<<20, mem.Protect())
	spec.Acct = pool.Account("group", 0)
	dir := diskDir(t)
	spec.Dir = dir
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	const n = 1 << 18
	r := rand.New(rand.NewPCG(3, 3))
	keys, want := make([]int64, n), map[int64]bool{}
	for i := range keys {
		keys[i] = r.Int64N(n / 2)
		want[keys[i]] = true
	}
	key := func(i int) int64 { return keys[i] }
	for at := 0; at < n; at += 1 << 14 {
		if err := g.Put(ctx, 0, 0, numbers(t, spec.In, at, 1<<14, key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(g.Finish(ctx), g.Settle(ctx)); err != nil {
		t.Fatal(err)
	}
	other := pool.Account("other", 0)
	b, err := other.Alloc(92 << 20)
	if err != nil {
		t.Fatalf("settled groups take %d bytes for good: %v", spec.Acct.Used(), err)
	}
	b.Release()
	groups := 0
	src := g.Source()
	for u := range src.Units() {
		st, err := src.Open(ctx, u, spec.Acct)
		if err != nil {
			t.Fatal(err)
		}
		got, err := collect(ctx, st)
		if err := errors.Join(err, st.Close()); err != nil {
			t.Fatal(err)
		}
		groups += len(got)
	}
	if s := g.Stats(); groups != len(want) || s.Spilled == 0 || s.Bypassed > 0 {
		t.Errorf("%d groups, want %d: %+v", groups, len(want), s)
	}
	if err := errors.Join(g.Close(), spec.Acct.Close(), other.Close(), pool.Close(), dir.Close()); err != nil {
		t.Error(err)
	}
}

// Where memory is short the shared tables give theirs back, and what fails leaves nothing behind.
func TestSharedTablesGiveWayWhereMemoryIsShort(t *testing.T) {
	spec := specOf([]int{0}, []Agg{agg("sum", 3), agg("count", -1)})
	spec.Sort = false
	rows := someRows(40000, 1<<30, false)
	done := 0
	for pool := int64(2 << 20); pool <= 16<<20; pool += 2 << 20 {
		h := sharedBase
		h.workers, h.pool, h.shared = 1, pool, 32<<20
		got, _, err := run(t, spec, rows, h)
		if errors.Is(err, mem.ErrLimit) {
			if done > 0 {
				t.Errorf("%d bytes are too few, less were not: %v", pool, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		check(t, spec, rows, got)
		done++
	}
	if done < 6 {
		t.Errorf("%d pools were enough", done)
	}
}

// Rows that wait are nowhere else: memory to bring them on is laid by, and where even that is too little the run fails.
func TestNoRowIsLostWhereMemoryRunsOut(t *testing.T) {
	for short := 0; short < 16; short += 5 {
		for _, left := range []int64{0, 64 << 10, 512 << 10} {
			rows, laid, err := countWithout(t, short, left)
			if !laid && errors.Is(err, mem.ErrLimit) { // there was none to lay by
				continue
			}
			if err != nil || rows != 1<<18 {
				t.Errorf("%d bytes left in batch %d: %d rows of %d, %v", left, short, rows, 1<<18, err)
			}
		}
	}
}

// countWithout adds up the counts of 2^18 rows' groups. While batch short of the rows comes, others leave so many bytes of memory.
// laid says whether some had been laid by before the run ended.
func countWithout(t *testing.T, short int, left int64) (rows int64, laid bool, err error) {
	t.Helper()
	spec := sharedNumbers(false, 128, 64<<10, 64<<20)
	pool := mem.NewPool(96<<20, mem.Protect())
	spec.Acct, spec.Dir = pool.Account("group", 0), diskDir(t)
	others := pool.Account("others", 0)
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		laid = g.sh.inUse()
		if cerr := errors.Join(g.Close(), spec.Acct.Close(), others.Close(), pool.Close(), spec.Dir.Close()); cerr != nil {
			t.Error(cerr)
		}
	}()
	ctx := context.Background()
	for i := range 16 {
		var taken []*mem.Buf
		for size := 64 << 10; i == short && size > 0 && pool.Limit()-pool.Used() > left; {
			b, err := others.Alloc(size)
			if err != nil {
				size -= 4 << 10
				continue
			}
			taken = append(taken, b)
		}
		err := g.Put(ctx, 0, 0, numbers(t, spec.In, i<<14, 1<<14, func(i int) int64 { return int64(i) * 40503 % (1 << 16) }))
		for _, b := range taken {
			b.Release()
		}
		if err != nil {
			return 0, false, err
		}
	}
	if err := g.Finish(ctx); err != nil {
		return 0, false, err
	}
	src := g.Source()
	for u := range src.Units() {
		st, err := src.Open(ctx, u, spec.Acct)
		if err != nil {
			return 0, false, err
		}
		got, err := collect(ctx, st)
		if err := errors.Join(err, st.Close()); err != nil {
			return 0, false, err
		}
		for _, r := range got {
			rows += r[2].(int64)
		}
	}
	return rows, false, nil
}

// sharedNumbers is numberSpec for one worker with a table of so many bytes, and shared bytes for tables of partitions.
func sharedNumbers(sort bool, partitions int, table, shared int64) Spec {
	spec := numberSpec()
	spec.Sort, spec.Workers, spec.Partitions, spec.TableBytes, spec.BlockBytes, spec.SharedBytes = sort, 1, partitions, table, 4<<10, shared
	return spec
}

// diskDir is a directory to spill to.
func diskDir(t *testing.T) *spillfile.Dir {
	t.Helper()
	dir, err := spillfile.OpenDir(vfs.OS(), t.TempDir(), 1<<40, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestChunksKeepRows(t *testing.T) {
	spec := specOf([]int{6, 4, 0}, []Agg{agg("sum", 3), agg("min", 5), agg("max", 0), agg("any", 4), agg("last", 1)})
	lay, err := newLayout(&spec)
	if err != nil {
		t.Fatal(err)
	}
	form, ok := newChunkForm(lay)
	if !ok || form.rows%64 != 0 || form.size > chunkBytes {
		t.Fatalf("%v %+v", ok, form)
	}
	c, err := form.alloc(nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := someRows(200, 90, false)
	var words []uint64
	var want [][]value
	for _, part := range [][][]value{rows[:50], rows[50:90], rows[90:]} {
		b := makeBatch(t, nil, spec.In, part, func() bool { return false }).Select(lay.raw, lay.cols)
		if b, err = lay.rows(b, 7); err != nil {
			t.Fatal(err)
		}
		keys := make([]uint64, b.N*lay.keys.words)
		lay.keys.encode(b.Cols[:len(lay.keys.cols)], 0, b.N, keys)
		var idx []uint32
		for i := b.N - 1; i >= 0; i -= 2 {
			idx = append(idx, uint32(i))
			words = append(words, keys[i*lay.keys.words:(i+1)*lay.keys.words]...)
			want = append(want, rowsOf(b)[i])
		}
		form.fill(c, b, keys, idx)
	}
	if d := cmp.Diff(words, form.words(c)); d != "" {
		t.Error(d)
	}
	got := form.batch(c)
	for _, f := range form.cols {
		for i := range want {
			if a, b := want[i][f.col], valueAt(got.Cols[f.col], i); fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("row %d column %d: %v, want %v", i, f.col, b, a)
			}
		}
	}
}
