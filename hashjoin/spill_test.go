package hashjoin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// rig is a small pool with a spill directory.
type rig struct {
	pool *mem.Pool
	acct *mem.Account
	dir  *spillfile.Dir
}

func newRig(t testing.TB, limit int64) *rig {
	dir, err := spillfile.OpenDir(vfs.OS(), t.TempDir(), 0, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	pool := mem.NewPool(limit, mem.Protect())
	r := &rig{pool: pool, acct: pool.Account("join", 0), dir: dir}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
		if err := errors.Join(r.acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) stores(name string, schema *batch.Schema, partitions, workers int) (Store, error) {
	return spillfile.New(spillfile.Spec{
		Name: name, Schema: schema, Partitions: partitions, Workers: workers, BlockBytes: 4 << 10, Acct: r.acct, Dir: r.dir,
	})
}

var idSchema = func(side string) *batch.Schema {
	return batch.NewSchema(
		batch.Field{Name: side + "key", Type: batch.Of(batch.Int64)},
		batch.Field{Name: side + "id", Type: batch.Of(batch.Int64)},
		batch.Field{Name: side + "pad", Type: batch.Of(batch.Int64)})
}

func intColumn(n int, f func(i int) int64) *batch.Column {
	c, err := batch.NewFixed(nil, batch.Of(batch.Int64), n)
	if err != nil {
		panic(err)
	}
	for i := range c.Int64s() {
		c.Int64s()[i] = f(i)
	}
	return c
}

// ids streams n rows (key(i), i, i) in batches.
func ids(schema *batch.Schema, from, to int, key func(i int) int64) *pieceStream {
	s := &pieceStream{}
	for at := from; at < to; at += 5000 {
		n := min(5000, to-at)
		s.bs = append(s.bs, &batch.Batch{Schema: schema, N: n, Cols: []*batch.Column{
			intColumn(n, func(i int) int64 { return key(at + i) }),
			intColumn(n, func(i int) int64 { return int64(at + i) }),
			intColumn(n, func(i int) int64 { return int64(at + i) }),
		}})
	}
	return s
}

func idSpec(r *rig, kind Kind) Spec {
	return Spec{
		Name: "t", Kind: kind, Left: idSchema("l"), Right: idSchema("r"), LeftKeys: []int{0}, RightKeys: []int{0}, RightOut: []int{1, 2},
		Workers: 1, Partitions: 4, BatchRows: 4096, PartBytes: 256 << 10, Acct: r.acct, Stores: r.stores,
	}
}

func pour(sink batch.Sink, s batch.Stream) error {
	ctx := context.Background()
	if err := drain(ctx, s, func(b *batch.Batch) error { return sink.Put(ctx, 0, 0, b) }); err != nil {
		return err
	}
	return sink.Finish(ctx)
}

// skew is a join whose heavy key has hotLeft and hotRight rows of n.
type skew struct{ left, right, hotLeft, hotRight int }

func (k skew) keys(hot int, spread int64) func(i int) int64 {
	return func(i int) int64 {
		if i < hot {
			return 7
		}
		return 1000 + int64(mix(uint64(i))%uint64(spread))*1_000_003
	}
}

// counts is what a join put out: rows, rows without a match, and a checksum of (left id, right id).
type counts struct {
	rows, missing int64
	sum           uint64
}

func (c *counts) add(l, r int64) {
	c.rows++
	if r < 0 {
		c.missing++
	}
	c.sum += mix(uint64(l)<<32 ^ uint64(r+1))
}

func (k skew) want(kind Kind) (out counts) {
	right := map[int64][]int64{}
	rk, lk := k.keys(k.hotRight, 20_000), k.keys(k.hotLeft, 20_000)
	for i := range k.right {
		right[rk(i)] = append(right[rk(i)], int64(i))
	}
	for i := range k.left {
		m := right[lk(i)]
		for _, r := range m {
			out.add(int64(i), r)
		}
		if len(m) == 0 && kind == Left {
			out.add(int64(i), -1)
		}
	}
	return out
}

func tally(out *counts, s batch.Stream, ordered bool) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	lastL, lastR := int64(-1), int64(-1)
	for {
		b, err := s.Next(context.Background())
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.N {
			l, r := b.Cols[1].Int64s()[i], int64(-1)
			if !b.Cols[3].IsNull(i) {
				r = b.Cols[3].Int64s()[i]
				if b.Cols[4].Int64s()[i] != r {
					return fmt.Errorf("right row %d is torn", r)
				}
			}
			if ordered && (l < lastL || l == lastL && r <= lastR) {
				return fmt.Errorf("row (%d, %d) after (%d, %d)", l, r, lastL, lastR)
			}
			lastL, lastR = l, r
			out.add(l, r)
		}
		b.Release()
	}
}

var skews = []skew{
	{left: 3000, right: 100_000, hotLeft: 3, hotRight: 60_000},
	{left: 100_000, right: 3000, hotLeft: 60_000, hotRight: 3},
	{left: 2000, right: 60_000, hotLeft: 40, hotRight: 60_000},
	{left: 300, right: 30_000, hotLeft: 300, hotRight: 30_000},
	{left: 100_000, right: 100_000},
}

func TestHashJoinStaysInSmallMemoryUnderSkew(t *testing.T) {
	for _, kind := range []Kind{Left, Inner} {
		for _, k := range skews {
			t.Run(fmt.Sprint(kind, k), func(t *testing.T) {
				r := newRig(t, 4<<20)
				right, err := NewRight(idSpec(r, kind))
				if err != nil {
					t.Fatal(err)
				}
				defer right.Close()
				if err := pour(right, ids(idSchema("r"), 0, k.right, k.keys(k.hotRight, 20_000))); err != nil {
					t.Fatal(err)
				}
				h, err := NewHash(right)
				if err != nil {
					t.Fatal(err)
				}
				defer h.Close()
				if err := pour(h, ids(idSchema("l"), 0, k.left, k.keys(k.hotLeft, 20_000))); err != nil {
					t.Fatal(err)
				}
				var got counts
				for u := range h.Units() {
					s, err := h.Open(context.Background(), u, r.acct)
					if err != nil {
						t.Fatal(err)
					}
					if err := tally(&got, s, false); err != nil {
						t.Fatal(err)
					}
				}
				k.judge(t, r, kind, got, h.Counters(), 4)
			})
		}
	}
}

// judge compares, and sees that the join spilled and had to cut and replay where the case is made for it.
func (k skew) judge(t *testing.T, r *rig, kind Kind, got counts, n Counters, partitions int) {
	t.Helper()
	if want := k.want(kind); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if k.right > 60_000 && r.dir.Written() == 0 {
		t.Error("nothing was spilled")
	}
	if k.right/partitions*60 > 256<<10 && n.Splits == 0 {
		t.Error("nothing was cut again")
	}
	if k.hotRight > 10_000 && n.Replays == 0 {
		t.Error("nothing was replayed")
	}
	if n.OutRows != got.rows {
		t.Errorf("%d rows counted, %d put out", n.OutRows, got.rows)
	}
	t.Logf("%+v, spilled %d", n, r.dir.Written())
}

func TestRangeJoinStaysInSmallMemoryUnderSkew(t *testing.T) {
	for _, kind := range []Kind{Left, Inner} {
		for _, k := range skews {
			t.Run(fmt.Sprint(kind, k), func(t *testing.T) {
				r := newRig(t, 4<<20)
				lk := make([]int64, k.left)
				for i := range lk {
					lk[i] = k.keys(k.hotLeft, 20_000)(i)
				}
				slices.Sort(lk)
				sorted := ids(idSchema("l"), 0, k.left, func(i int) int64 { return lk[i] })
				all, err := batch.Concat(nil, idSchema("l"), sorted.bs)
				if err != nil {
					t.Fatal(err)
				}
				parts := rangeParts(all, []batch.SortKey{{}}, 4)
				j, err := NewRange(RangeSpec{Spec: idSpec(r, kind), RightParts: parts, LeftParts: parts})
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				if err := pour(j, ids(idSchema("r"), 0, k.right, k.keys(k.hotRight, 20_000))); err != nil {
					t.Fatal(err)
				}
				var got counts
				for u := range 3 {
					left := ids(idSchema("l"), u*k.left/3, (u+1)*k.left/3, func(i int) int64 { return lk[i] })
					if err := tally(&got, j.Probe(u, left, r.acct), true); err != nil {
						t.Fatal(err)
					}
				}
				// The left ids differ from the hash case's: left rows are numbered in key order.
				want := counts{}
				right := map[int64][]int64{}
				for i := range k.right {
					key := k.keys(k.hotRight, 20_000)(i)
					right[key] = append(right[key], int64(i))
				}
				for i, key := range lk {
					for _, r := range right[key] {
						want.add(int64(i), r)
					}
					if kind == Left && len(right[key]) == 0 {
						want.add(int64(i), -1)
					}
				}
				if got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				k.judgeCounters(t, j.Counters(), r)
			})
		}
	}
}

func (k skew) judgeCounters(t *testing.T, n Counters, r *rig) {
	if k.hotRight > 10_000 && n.Replays == 0 {
		t.Error("nothing was replayed")
	}
	if k.right >= 100_000 && (r.dir.Written() == 0 || n.Splits == 0) {
		t.Error("nothing was spilled or cut again")
	}
	t.Logf("%+v, spilled %d", n, r.dir.Written())
}

func TestResidentThatIsTooBigGoesOnAsHash(t *testing.T) {
	r := newRig(t, 4<<20)
	spec := idSpec(r, Inner)
	spec.ResidentBytes = 1 << 20
	right, err := NewRight(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer right.Close()
	key := func(i int) int64 { return int64(i) }
	if err := pour(right, ids(idSchema("r"), 0, 50_000, key)); err != nil {
		t.Fatal(err)
	}
	if _, err := right.Resident(context.Background()); !errors.Is(err, ErrTooBig) {
		t.Fatalf("resident: %v", err)
	}
	h, err := NewHash(right)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := pour(h, ids(idSchema("l"), 0, 1000, key)); err != nil {
		t.Fatal(err)
	}
	var got counts
	for u := range h.Units() {
		s, err := h.Open(context.Background(), u, r.acct)
		if err != nil {
			t.Fatal(err)
		}
		if err := tally(&got, s, false); err != nil {
			t.Fatal(err)
		}
	}
	if got.rows != 1000 {
		t.Fatalf("%d rows", got.rows)
	}
}
