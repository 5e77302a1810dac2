package spillfile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

func TestRowsComeBackInOrderWhateverWasSpilled(t *testing.T) {
	// Two scripts that are sure to see both: all of it in memory, and most of it on disk.
	for _, sc := range []script{
		{seed: 1, partitions: 7, workers: 2, units: 6, batches: 3, rows: 1500, block: 16 << 10, pool: 1 << 30, long: true, schema: allTypes},
		{seed: 1, partitions: 7, workers: 2, units: 6, batches: 3, rows: 1500, block: 16 << 10, pool: 4 << 20, long: true, schema: allTypes},
	} {
		pool, dir := mem.NewPool(sc.pool, mem.Protect()), diskDir(t, vfs.OS(), 0)
		s, want, err := sc.run(t, pool, dir)
		if err != nil {
			t.Fatal(err)
		}
		sc.check(t, s, want)
		if spilled := s.Stats().Spilled > 0; spilled != (sc.pool == 4<<20) {
			t.Errorf("with a pool of %d bytes: spilled is %v", sc.pool, spilled)
		}
		closeAll(t, s, pool, dir)
	}
	rapid.Check(t, func(rt *rapid.T) {
		sc := script{
			seed:       rapid.Uint64().Draw(rt, "seed"),
			partitions: rapid.SampledFrom([]int{1, 2, 7, 64, 129}).Draw(rt, "partitions"),
			workers:    rapid.IntRange(1, 4).Draw(rt, "workers"),
			units:      rapid.IntRange(1, 8).Draw(rt, "units"),
			batches:    rapid.IntRange(1, 3).Draw(rt, "batches"),
			rows:       rapid.SampledFrom([]int{0, 3, 200, 1500}).Draw(rt, "rows"),
			block:      rapid.SampledFrom([]int{4 << 10, 16 << 10, 64 << 10}).Draw(rt, "block"),
			pool:       rapid.SampledFrom([]int64{3 << 20, 6 << 20, 1 << 30}).Draw(rt, "pool"),
			long:       rapid.Bool().Draw(rt, "long"),
			dict:       rapid.SampledFrom([]int{0, 2, 4}).Draw(rt, "dict"),
			codes:      rapid.Bool().Draw(rt, "codes"),
			schema:     allTypes.Select(rapid.SampledFrom([][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {1, 2, 3}, {6}, {}}).Draw(rt, "columns")),
		}
		if sc.workers > 1 { // what others keep in their tails nobody takes from them; one worker gives up his own
			sc.pool = max(sc.pool, Floor(sc.spec(nil, nil)))
		}
		files := rapid.SampledFrom([]int{1, 3, 1000}).Draw(rt, "files")
		pool, dir := mem.NewPool(sc.pool, mem.Protect()), diskDir(t, vfs.OS(), 0, maxFiles(files))
		s, want, err := sc.run(t, pool, dir)
		if err != nil {
			rt.Fatal(err)
		}
		sc.check(t, s, want)
		closeAll(t, s, pool, dir)
	})
}

func TestForcedSpillChangesNothing(t *testing.T) {
	sc := script{seed: 5, partitions: 9, workers: 2, units: 6, batches: 4, rows: 900, block: 8 << 10, long: true, schema: allTypes}
	pool, dir := mem.NewPool(1<<30, mem.Protect()), diskDir(t, vfs.OS(), 0)
	s, want, err := sc.run(t, pool, dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Stats().Spilled != 0 {
		t.Fatal("it spilled although there was room")
	}
	if _, err := s.Spill(context.Background(), 1<<40); err != nil {
		t.Fatal(err)
	}
	for p := range want {
		if st := s.Part(p); st.Rows > 0 && st.Spilled == 0 {
			t.Fatalf("partition %d was not spilled", p)
		}
	}
	sc.check(t, s, want)
	closeAll(t, s, pool, dir)
}

func TestOneReaderPerPartitionAtOnce(t *testing.T) {
	sc := script{seed: 8, partitions: 16, workers: 3, units: 9, batches: 5, rows: 1200, block: 16 << 10, schema: allTypes}
	pool, dir := mem.NewPool(12<<20, mem.Protect()), diskDir(t, vfs.OS(), 0)
	s, want, err := sc.run(t, pool, dir)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for p := w; p < sc.partitions; p += 4 {
				b, err := s.Load(context.Background(), p, s.spec.Acct, []int{1, 6})
				if err != nil {
					t.Error(err)
					return
				}
				for i, row := range rowsOf(b) {
					if row[0] != want[p][i][1] || row[1] != want[p][i][6] {
						t.Errorf("partition %d, row %d: %v", p, i, row)
						break
					}
				}
				b.Release()
				s.Drop(p)
			}
		})
	}
	wg.Wait()
	closeAll(t, s, pool, dir)
}

func TestANegativeQuotaIsNoSpillAtAll(t *testing.T) {
	sc := script{seed: 2, partitions: 8, workers: 1, units: 6, batches: 4, rows: 3000, block: 16 << 10, schema: allTypes}
	pool, dir := mem.NewPool(3<<20, mem.Protect()), diskDir(t, vfs.OS(), -1)
	s, _, err := sc.run(t, pool, dir)
	if !errors.Is(err, ErrQuota) || strings.Count(err.Error(), s.spec.Name+": ") > 1 {
		t.Fatalf("got %v, want ErrQuota, and the store's name once", err)
	}
	if p := dir.Peak(); p != 0 {
		t.Errorf("%d bytes on disk", p)
	}
	closeAll(t, s, pool, dir)
}

// TestNumbersTakeTheBytesOfTheirSpan has numbers and the bits of floats differ by as much as so many bytes hold, with and without nulls.
func TestNumbersTakeTheBytesOfTheirSpan(t *testing.T) {
	const rows = 37 // not a multiple of what is moved at a time
	r := rand.New(rand.NewPCG(5, 5))
	for width := range 9 {
		for _, typ := range []batch.TypeID{batch.Int64, batch.Float64} {
			for _, nullable := range []bool{false, true} {
				span := uint64(1)<<(8*width) - 1
				base := uint64(0x3ff0_1234_0000_0000)
				if width == 8 {
					base = 1 << 63 // the least number
				}
				vals := []any{base, base + span}
				for len(vals) < rows {
					if nullable && len(vals)%5 == 4 {
						vals = append(vals, nil)
						continue
					}
					vals = append(vals, base+r.Uint64()&span)
				}
				if typ == batch.Float64 && width == 8 {
					vals[0], vals[1] = uint64(0), uint64(math.MaxUint64)
				}
				roundTrip(t, batch.Field{Name: "x", Type: batch.Of(typ), Nullable: nullable}, vals, byte(width))
			}
		}
	}
}

// roundTrip appends a column of vals, which is to lie in a block in so many bytes a value, and reads it back in pieces.
func roundTrip(t *testing.T, f batch.Field, vals []any, width byte) {
	t.Helper()
	pool, dir := mem.NewPool(16<<20, mem.Protect()), diskDir(t, vfs.OS(), 0)
	schema := batch.NewSchema(f)
	s, err := New(Spec{Name: "test", Schema: schema, Partitions: 1, Workers: 1, BlockBytes: 4 << 10, Acct: pool.Account("store", 0), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, s, pool, dir)
	b := &batch.Batch{Schema: schema, N: len(vals), Cols: []*batch.Column{buildColumn(t, s.spec.Acct, f.Type, vals, false)}}
	if err := errors.Join(s.Append(context.Background(), 0, 0, nil, b), s.Seal(context.Background())); err != nil {
		t.Fatal(err)
	}
	rd := s.newReader(0, s.spec.Acct, nil)
	pc, err := rd.order.peek()
	if err != nil || pc == nil {
		t.Fatal(err)
	}
	o, err := rd.block(pc.at)
	if err != nil || o.cols[0].width != width || o.cols[0].enc != encInts {
		t.Errorf("%v of %d bytes lie as %+v: %v", f.Type, width, o, err)
	}
	rd.close()
	want := make([][]any, len(vals))
	for i, v := range vals {
		want[i] = []any{v}
	}
	got, err := streamRows(s, 0, s.spec.Acct, 10)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v of %d bytes: %v\n%s", f.Type, width, err, d)
	}
}

func TestSpilledBlocksOfTextAreCompressed(t *testing.T) {
	sc := script{seed: 1, partitions: 2, workers: 1, units: 2, batches: 4, rows: 2000, block: 16 << 10, long: true, schema: allTypes.Select([]int{6})}
	pool, dir := mem.NewPool(1<<30, mem.Protect()), diskDir(t, vfs.OS(), 0)
	s, want, err := sc.run(t, pool, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Spill(context.Background(), 1<<40); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Spilled == 0 || st.Spilled > st.Encoded/2 {
		t.Errorf("%d bytes of blocks took %d on disk", st.Encoded, st.Spilled)
	}
	sc.check(t, s, want)
	closeAll(t, s, pool, dir)
}

func TestQuotaStopsTheSpill(t *testing.T) {
	sc := script{seed: 2, partitions: 8, workers: 2, units: 6, batches: 4, rows: 3000, block: 16 << 10, schema: allTypes}
	pool, dir := mem.NewPool(3<<20, mem.Protect()), diskDir(t, vfs.OS(), 300<<10)
	s, _, err := sc.run(t, pool, dir)
	if !errors.Is(err, ErrQuota) {
		t.Fatalf("got %v, want ErrQuota", err)
	}
	if p := dir.Peak(); p > dir.quota {
		t.Errorf("%d bytes on disk, quota %d", p, dir.quota)
	}
	closeAll(t, s, pool, dir)
}

func TestNothingIsInTheDirectoryButTheLock(t *testing.T) {
	sc := script{seed: 2, partitions: 8, workers: 1, units: 2, batches: 2, rows: 1000, block: 16 << 10, schema: allTypes}
	pool, dir := mem.NewPool(1<<30, mem.Protect()), diskDir(t, vfs.OS(), 0)
	s, _, err := sc.run(t, pool, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Spill(context.Background(), 1<<40); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir.Path())
	if err != nil || len(entries) != 1 || entries[0].Name() != lockName {
		t.Errorf("the directory has %v, %v", entries, err)
	}
	closeAll(t, s, pool, dir)
}

func TestSumsCatchALostRow(t *testing.T) {
	pool := mem.NewPool(1<<30, mem.Protect())
	s, err := New(Spec{Name: "test", Schema: allTypes.Select([]int{1}), Partitions: 1, Workers: 1, Acct: pool.Account("store", 0)})
	if err != nil {
		t.Fatal(err)
	}
	c := buildColumn(t, nil, batch.Of(batch.Int64), []any{uint64(1), uint64(2), uint64(3)}, false)
	if err := s.Append(context.Background(), 0, 0, nil, &batch.Batch{Schema: s.Schema(), Cols: []*batch.Column{c}, N: 3}); err != nil {
		t.Fatal(err)
	}
	batch.View[uint64](s.workers[0].tails[0].buf.Bytes())[1] = 5
	if err := s.Seal(context.Background()); !errors.Is(err, ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	closeAll(t, s, pool, nil)
}

func ExampleFloor() {
	spec := Spec{Schema: allTypes.Select([]int{1, 2, 3}), Partitions: 64, Workers: 2, BlockBytes: 64 << 10}
	fmt.Println(Floor(spec)>>20, "MiB")
	// Output: 10 MiB
}

// A column whose rows all have dictionaries comes back as codes; where a value does not fit,
// or comes without one, the rows come back all the same.
func TestDictionariesAreKept(t *testing.T) {
	for _, dict := range []int{4, 3} {
		sc := script{seed: 3, partitions: 3, workers: 2, units: 6, batches: 3, rows: 400, block: 16 << 10, dict: dict, codes: true, schema: allTypes.Select([]int{6, 7})}
		pool, dir := mem.NewPool(1<<30, mem.Protect()), diskDir(t, vfs.OS(), 0)
		s, want, err := sc.run(t, pool, dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Load(context.Background(), 1, nil, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		if coded := b.Cols[0].Dict != nil; coded != (dict == 4) {
			t.Errorf("%d of 4 columns with dictionaries: codes are %v", dict, coded)
		}
		b.Release()
		sc.check(t, s, want)
		closeAll(t, s, pool, dir)
	}
}
