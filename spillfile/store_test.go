package spillfile

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

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
