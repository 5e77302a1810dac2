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
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// diskDir returns a directory that is not in memory as far as the store cares.
func diskDir(t testing.TB, fsys vfs.FS, quota int64, opts ...DirOption) *Dir {
	t.Helper()
	d, err := OpenDir(fsys, t.TempDir(), quota, append(opts, AllowMemory())...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var allTypes = batch.NewSchema(
	batch.Field{Name: "b", Type: batch.Of(batch.Bool), Nullable: true},
	batch.Field{Name: "i", Type: batch.Of(batch.Int64), Nullable: true},
	batch.Field{Name: "u", Type: batch.Of(batch.Uint64)},
	batch.Field{Name: "f", Type: batch.Of(batch.Float64), Nullable: true},
	batch.Field{Name: "f4", Type: batch.Of(batch.Float32), Nullable: true},
	batch.Field{Name: "d", Type: batch.DecimalOf(38, 2), Nullable: true},
	batch.Field{Name: "s", Type: batch.Of(batch.String), Nullable: true},
	batch.Field{Name: "t", Type: batch.Of(batch.Binary)},
)

// value is a value in the model: nil, or what the column holds.
func randomValue(r *rand.Rand, f batch.Field, long bool) any {
	if f.Nullable && r.IntN(5) == 0 {
		return nil
	}
	switch f.Type.Kind() {
	case batch.KindBool:
		return byte(r.IntN(2))
	case batch.KindInt64:
		return []uint64{uint64(r.IntN(200)), 1 << 40, math.MaxUint64, uint64(math.MaxInt64), uint64(r.IntN(70000)), r.Uint64()}[r.IntN(6)]
	case batch.KindFloat64:
		if f.Type.ID == batch.Float32 {
			return math.Float64bits([]float64{0, float64(float32(r.NormFloat64())), math.Copysign(0, -1), math.Inf(1)}[r.IntN(4)])
		}
		return []uint64{0, math.Float64bits(r.Float64()), 0x7ff8000000000abc, 0xfff0000000000001, 1 << 63}[r.IntN(5)]
	case batch.KindInt128:
		return batch.Int128{Lo: r.Uint64(), Hi: int64(r.IntN(3)) - 1}
	}
	n := r.IntN(12)
	if long && r.IntN(50) == 0 {
		n = 5000 + r.IntN(9000)
	}
	return strings.Repeat(string(rune('a'+r.IntN(26))), n)
}

// buildColumn makes a column of the values, dictionary-coded where dict is true.
func buildColumn(t testing.TB, acct *mem.Account, typ batch.Type, vals []any, dict bool) *batch.Column {
	t.Helper()
	var c *batch.Column
	var err error
	flat := vals
	var codes []uint32
	if dict {
		seen := map[any]uint32{}
		flat = nil
		for _, v := range vals {
			if v == nil {
				codes = append(codes, 0)
				continue
			}
			k, ok := seen[v]
			if !ok {
				k = uint32(len(flat))
				seen[v] = k
				flat = append(flat, v)
			}
			codes = append(codes, k)
		}
		if len(flat) == 0 {
			return buildColumn(t, acct, typ, vals, false)
		}
	}
	if typ.Kind() == batch.KindBytes {
		n := 0
		for _, v := range flat {
			if v != nil {
				n += len(v.(string))
			} else {
				n += 2 // a null row whose bytes mean nothing
			}
		}
		c, err = batch.NewVar(acct, typ, len(flat), n)
	} else {
		c, err = batch.NewFixed(acct, typ, len(flat))
	}
	if err != nil {
		t.Fatal(err)
	}
	at := uint32(0)
	for i, v := range flat {
		switch typ.Kind() {
		case batch.KindBool:
			c.Fixed[i] = 1
			if v != nil {
				c.Fixed[i] = v.(byte)
			}
		case batch.KindInt64, batch.KindFloat64:
			w := batch.View[uint64](c.Fixed)
			w[i] = 0xdeadbeefdeadbeef
			if v != nil {
				w[i] = v.(uint64)
			}
		case batch.KindInt128:
			c.Int128s()[i] = batch.Int128{Lo: 7, Hi: 9}
			if v != nil {
				c.Int128s()[i] = v.(batch.Int128)
			}
		case batch.KindBytes:
			c.Off[i] = at
			s := "xx"
			if v != nil {
				s = v.(string)
			}
			at += uint32(copy(c.Data[at:], s))
			c.Off[i+1] = at
		}
	}
	if len(flat) == 0 && c.Off != nil {
		c.Off[0] = 0
	}
	if dict {
		d := c
		if c, err = batch.NewCodes(acct, d, len(vals)); err != nil {
			t.Fatal(err)
		}
		copy(c.Codes, codes)
	}
	nulls := false
	for _, v := range vals {
		nulls = nulls || v == nil
	}
	if nulls {
		if err := c.NewValid(acct); err != nil {
			t.Fatal(err)
		}
		for i, v := range vals {
			if v != nil {
				c.Valid[i/8] |= 1 << (i % 8)
			}
		}
		c.SetNulls()
	}
	return c
}

func valueAt(c *batch.Column, i int) any {
	if c.IsNull(i) {
		return nil
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return c.Fixed[i]
	case batch.KindInt128:
		return c.Int128s()[i]
	case batch.KindBytes:
		return string(c.Value(i))
	}
	return batch.View[uint64](c.Fixed)[i]
}

func rowsOf(b *batch.Batch) [][]any {
	var rows [][]any
	for i := range b.N {
		row := make([]any, len(b.Cols))
		for c, col := range b.Cols {
			row[c] = valueAt(col, i)
		}
		rows = append(rows, row)
	}
	return rows
}

// script is what a property test does to a store.
type script struct {
	seed       uint64
	partitions int
	workers    int
	units      int
	batches    int // a unit
	rows       int // a batch, at most
	block      int
	pool       int64
	long       bool
	dict       int  // how many of four columns come with dictionaries
	codes      bool // and may come back with one
	schema     *batch.Schema
	keep       *Stage
}

// unitBatches makes the batches of one unit, with partitions, and adds their rows to want.
func (sc *script) unitBatches(t testing.TB, acct *mem.Account, unit int, put func(part []uint16, b *batch.Batch, rows [][]any)) {
	r := rand.New(rand.NewPCG(sc.seed, uint64(unit)))
	for range sc.batches {
		n := r.IntN(sc.rows + 1)
		rows := make([][]any, n)
		part := make([]uint16, n)
		for i := range rows {
			rows[i] = []any{}
			part[i] = uint16(r.IntN(sc.partitions) * r.IntN(2)) // half the rows go to one partition
			for _, f := range sc.schema.Fields {
				rows[i] = append(rows[i], randomValue(r, f, sc.long))
			}
		}
		b := &batch.Batch{Schema: sc.schema, N: n}
		for c, f := range sc.schema.Fields {
			vals := make([]any, n)
			for i := range rows {
				vals[i] = rows[i][c]
			}
			b.Cols = append(b.Cols, buildColumn(t, acct, f.Type, vals, r.IntN(4) < sc.dict))
		}
		if n > 2 && r.IntN(3) == 0 { // a slice whose offsets and bitmap do not begin at zero
			s, err := b.Slice(acct, 1, n)
			if err != nil {
				t.Fatal(err)
			}
			b.Release()
			b, part, rows = s, part[1:], rows[1:]
		}
		put(part, b, rows)
	}
}

func (sc *script) spec(acct *mem.Account, dir *Dir) Spec {
	return Spec{
		Name: "test", Schema: sc.schema, Partitions: sc.partitions, Workers: sc.workers,
		BlockBytes: sc.block, Acct: acct, Dir: dir, Codes: sc.codes, Keep: sc.keep,
	}
}

// run appends everything with the script's workers at once, and returns the store and what each partition must hold.
func (sc *script) run(t testing.TB, pool *mem.Pool, dir *Dir) (*Store, [][][]any, error) {
	s, err := New(sc.spec(pool.Account("store", 0), dir))
	if err != nil {
		return nil, nil, err
	}
	want := make([][][][]any, sc.units)
	next := make(chan int, sc.units)
	for u := range sc.units {
		next <- u
	}
	close(next)
	errs := make([]error, sc.workers)
	var wg sync.WaitGroup
	for w := range sc.workers {
		wg.Go(func() {
			for u := range next {
				want[u] = make([][][]any, sc.partitions)
				sc.unitBatches(t, nil, u, func(part []uint16, b *batch.Batch, rows [][]any) {
					if errs[w] != nil {
						b.Release()
						return
					}
					for i, p := range part {
						want[u][p] = append(want[u][p], rows[i])
					}
					errs[w] = s.Append(context.Background(), w, u, part, b)
				})
			}
		})
	}
	wg.Wait()
	err = errors.Join(errs...)
	if err == nil {
		err = s.Seal(context.Background())
	}
	all := make([][][]any, sc.partitions)
	for _, u := range want {
		for p := range u {
			all[p] = append(all[p], u[p]...)
		}
	}
	return s, all, err
}

// streamRows reads a partition through Stream.
func streamRows(s *Store, p int, acct *mem.Account, batchRows int) ([][]any, error) {
	st, err := s.Stream(context.Background(), p, acct, nil, batchRows)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	err = batchtest.Drain(st, func(b *batch.Batch) { rows = append(rows, rowsOf(b)...) })
	return rows, err
}

func closeAll(t testing.TB, s *Store, pool *mem.Pool, dir *Dir) {
	t.Helper()
	if s != nil {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.spec.Acct.Close(); err != nil {
			t.Error(err)
		}
	}
	if dir != nil {
		if n := dir.Used(); n != 0 {
			t.Errorf("%d bytes on disk are left", n)
		}
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

// check compares every partition, loaded and streamed, with the model, and drops it.
func (sc *script) check(t testing.TB, s *Store, want [][][]any) {
	t.Helper()
	pool := mem.NewPool(1<<30, mem.Protect()) // of its own: a partition may be larger than the store's
	acct := pool.Account("load", 0)
	defer func() {
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	}()
	for p := range want {
		b, err := s.Load(context.Background(), p, acct, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := rowsOf(b)
		b.Release()
		if d := cmp.Diff(want[p], got); d != "" {
			t.Fatalf("partition %d as loaded (-want +got):\n%s", p, d)
		}
		if got, err = streamRows(s, p, acct, 1+p*37); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[p], got); d != "" {
			t.Fatalf("partition %d as streamed (-want +got):\n%s", p, d)
		}
		if n := s.Part(p).Rows; n != int64(len(want[p])) {
			t.Fatalf("partition %d: %d rows counted, want %d", p, n, len(want[p]))
		}
		s.Drop(p)
	}
}

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
		pool, dir := mem.NewPool(sc.pool, mem.Protect()), diskDir(t, vfs.OS(), 0, MaxFiles(files))
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
	if p := dir.Peak(); p > dir.Quota() {
		t.Errorf("%d bytes on disk, quota %d", p, dir.Quota())
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
