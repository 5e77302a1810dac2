package extsort

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// job is one sort to be checked.
type job struct {
	schema  *batch.Schema
	keys    []batch.SortKey
	rows    [][]any
	workers int
	units   int
	parts   int
	maxLoad int64
	batch   int
	seen    int // rows the splitters know; 0: all
	pool    int64
	tail    int
}

// sorted runs the job and returns the sorted rows, the statistics, and how many units there were.
func (j job) sorted(t *testing.T, ranges bool) ([][]any, Stats) {
	t.Helper()
	ctx := context.Background()
	acct := newAccount(t, max(j.pool, 1<<20))
	dir, err := spillfile.OpenDir(vfs.OS(), t.TempDir(), 0, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	s, err := New(Spec{Name: "test", Schema: j.schema, Keys: j.keys, Workers: j.workers, Partitions: 8, BlockBytes: 4096,
		MaxLoad: j.maxLoad, BatchRows: j.batch, Acct: acct, Dir: dir}, j.splitters(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	j.put(t, ctx, s, acct)
	if err := s.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	src := s.Source()
	if ranges {
		src = s.Ranges()
	}
	var out [][]any
	for u := range src.Units() {
		rows := j.readUnit(t, ctx, src, u, acct)
		if int64(len(rows)) != src.UnitRows(u) {
			t.Fatalf("unit %d has %d rows and says %d", u, len(rows), src.UnitRows(u))
		}
		out = append(out, rows...)
	}
	return out, s.Stats()
}

func (j job) splitters(t *testing.T) *Splitters {
	t.Helper()
	sample, err := NewSample(j.schema, j.keys)
	if err != nil {
		t.Fatal(err)
	}
	known := j.rows
	if j.seen > 0 {
		known = known[:min(j.seen, len(known))]
	}
	if err := sample.Add(nil, j.build(t, nil, known)); err != nil { // on the heap: the pool may be tiny
		t.Fatal(err)
	}
	return sample.Splitters(j.parts)
}

func (j job) build(t *testing.T, acct *mem.Account, rows [][]any) *batch.Batch {
	b, err := batchtest.Batch(acct, j.schema, rows, func(c int) batchtest.Layout { return batchtest.Layout((c + len(rows)) % 3) })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put hands the units to the workers, which run at once.
func (j job) put(t *testing.T, ctx context.Context, s *Sorter, acct *mem.Account) {
	var wg sync.WaitGroup
	for w := range j.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for u := w; u < j.units; u += j.workers {
				lo, hi := len(j.rows)*u/j.units, len(j.rows)*(u+1)/j.units
				for ; lo < hi; lo = min(lo+j.batch, hi) {
					if err := s.Put(ctx, w, u, j.build(t, acct, j.rows[lo:min(lo+j.batch, hi)])); err != nil {
						t.Error(err)
						return
					}
				}
				if err := s.EndUnit(ctx, w, u); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
}

func (j job) readUnit(t *testing.T, ctx context.Context, src *Source, unit int, acct *mem.Account) [][]any {
	t.Helper()
	in, err := src.Open(ctx, unit, acct)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var tail [][]any
	if j.tail > 0 {
		b, err := in.(batch.Tailer).Tail(j.tail)
		if err != nil {
			t.Fatal(err)
		}
		tail = batchtest.Rows(b)
		b.Release()
	}
	var out [][]any
	for {
		b, err := in.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.N > j.batch {
			t.Fatalf("a batch of %d rows, at most %d", b.N, j.batch)
		}
		out = append(out, batchtest.Rows(b)...)
		b.Release()
	}
	if j.tail > 0 {
		compareRows(t, "tail", tail, out[max(len(out)-j.tail, 0):])
	}
	return out
}

func (j job) want() [][]any {
	want := slices.Clone(j.rows)
	slices.SortStableFunc(want, func(a, b []any) int { return batchtest.CompareKeys(j.schema, j.keys, a, b) })
	return want
}

func compareRows(t *testing.T, what string, got, want [][]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range want {
		for k := range want[i] {
			if !batchtest.Same(got[i][k], want[i][k]) {
				t.Fatalf("%s: row %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	}
}

// numbered adds a column that makes every row different, so that stability shows.
func numbered(schema *batch.Schema, rows [][]any) *batch.Schema {
	for i := range rows {
		rows[i] = append(rows[i], int64(i), fmt.Sprint("payload ", i))
	}
	return &batch.Schema{Fields: append(slices.Clone(schema.Fields),
		batch.Field{Name: "number", Type: batch.Of(batch.Int64)}, batch.Field{Name: "text", Type: batch.Of(batch.String)})}
}

func TestSortMatchesTheStableSort(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, types := range someTypes(r, 20) {
		for how := range 5 {
			schema, keys := schemaOf(types, r.IntN(2) == 0), keysOf(r, len(types))
			rows := batchtest.Table(r, schema, r.IntN(1500))
			shape(r, how, rows, func(a, b []any) int { return batchtest.CompareKeys(schema, keys, a, b) })
			for i := range rows {
				rows[i] = slices.Clone(rows[i])
			}
			j := job{schema: numbered(schema, rows), keys: keys, rows: rows, workers: 1 + r.IntN(2), units: 1 + r.IntN(5),
				parts: []int{1, 2, 7, 128, 129}[r.IntN(5)], maxLoad: 1 << 30, batch: []int{1, 13, 100, 1000}[r.IntN(4)], pool: 1 << 27, tail: r.IntN(30)}
			if how == 0 {
				j.seen = 1 + r.IntN(50)
			}
			if r.IntN(2) == 0 {
				j.maxLoad = heapEstimate + 30_000 // partitions are cut again
			}
			got, st := j.sorted(t, r.IntN(2) == 0)
			compareRows(t, fmt.Sprintf("%v, %v, shape %d, %+v", types, keys, how, st), got, j.want())
		}
	}
}

// TestSortInTinyMemory sorts 8 MB of rows in 2 MB, whatever the keys are like.
func TestSortInTinyMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	const n = 80_000
	for name, key := range map[string]func(i int) any{
		"distinct":            func(i int) any { return int64(r.Uint64()) },
		"one key":             func(int) any { return int64(5) },
		"one key and a tail":  func(int) any { return int64(r.IntN(20) / 19 * r.IntN(1000)) },
		"nulls":               func(int) any { return nil },
		"two greatest values": func(i int) any { return []any{nil, int64(1<<63 - 1)}[i%2] },
		"sorted":              func(i int) any { return int64(i) },
		"reversed":            func(i int) any { return int64(-i) },
	} {
		for _, seen := range []int{1, n} { // useless splitters, and good ones
			t.Run(fmt.Sprint(name, ", seen ", seen), func(t *testing.T) {
				rows := make([][]any, n)
				for i := range rows {
					rows[i] = []any{key(i)}
				}
				schema := numbered(schemaOf([]batch.Type{batch.Of(batch.Int64)}, true), rows)
				j := job{schema: schema, keys: []batch.SortKey{{}}, rows: rows, workers: 2, units: 9, parts: 16,
					maxLoad: 600_000, batch: 4000, seen: seen, pool: 1 << 23, tail: 10}
				got, st := j.sorted(t, true)
				compareRows(t, fmt.Sprintf("%+v", st), got, j.want())
			})
		}
	}
}

func TestStringsInTinyMemoryAreSpilled(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	rows := make([][]any, 60_000)
	for i := range rows {
		rows[i] = []any{fmt.Sprintf("https://example.org/a/long/common/prefix/%06d", r.IntN(40_000))}
	}
	schema := numbered(schemaOf([]batch.Type{batch.Of(batch.String)}, false), rows)
	j := job{schema: schema, keys: []batch.SortKey{{Desc: true}}, rows: rows, workers: 2, units: 4, parts: 16,
		maxLoad: 1 << 20, batch: 2000, pool: 5 << 20}
	got, st := j.sorted(t, false)
	compareRows(t, fmt.Sprintf("%+v", st), got, j.want())
	if st.Spilled == 0 || st.Cut == 0 {
		t.Fatalf("nothing was spilled, or nothing cut: %+v", st)
	}
}

func TestNoRowsAtAll(t *testing.T) {
	schema := schemaOf([]batch.Type{batch.Of(batch.Int64)}, false)
	j := job{schema: schema, keys: []batch.SortKey{{}}, workers: 1, units: 1, parts: 4, maxLoad: 1 << 20, batch: 10, pool: 1 << 22}
	if got, _ := j.sorted(t, false); len(got) != 0 {
		t.Fatalf("%d rows", len(got))
	}
}

func TestCloseGivesEverythingBack(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 3))
	schema := schemaOf([]batch.Type{batch.Of(batch.Int64)}, false)
	acct := newAccount(t, 1<<24)
	j := job{schema: schema, keys: []batch.SortKey{{}}, rows: batchtest.Table(r, schema, 3000), workers: 1, units: 3, parts: 4, batch: 100}
	for stop := range 4 { // after Put, Finish, Open and Tail, the first batch
		s, err := New(Spec{Name: "test", Schema: schema, Keys: j.keys, Workers: 1, BlockBytes: 4096, MaxLoad: 1 << 20, BatchRows: 100, Acct: acct}, j.splitters(t))
		if err != nil {
			t.Fatal(err)
		}
		j.put(t, ctx, s, acct)
		if stop > 0 {
			if err := s.Finish(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if stop > 1 {
			in, err := s.Source().Open(ctx, 1, acct)
			if err != nil {
				t.Fatal(err)
			}
			b, err := in.(batch.Tailer).Tail(3)
			if err != nil {
				t.Fatal(err)
			}
			b.Release()
			if stop > 2 {
				if b, err = in.Next(ctx); err != nil {
					t.Fatal(err)
				}
				b.Release()
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
