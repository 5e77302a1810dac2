package hashjoin

import (
	"bytes"
	compare "cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// joinCase is a drawn join and its right answer.
type joinCase struct {
	l, r        *table
	spec        Spec
	units, rows int
	want        []match
}

func drawCase(t *rapid.T) *joinCase {
	types := rapid.SliceOfN(rapid.SampledFrom(keyTypes), 1, 3).Draw(t, "types")
	wide := rapid.Bool().Draw(t, "wide")
	c := &joinCase{
		units: rapid.IntRange(1, 5).Draw(t, "units"),
		rows:  rapid.SampledFrom([]int{1, 7, 64, 1000}).Draw(t, "rows"),
	}
	c.l = newTestTable("l", types, drawNumbers(t, "left", rapid.IntRange(0, 200).Draw(t, "left rows"), len(types)), wide, rapid.Bool().Draw(t, "left dict"))
	c.r = newTestTable("r", types, drawNumbers(t, "right", rapid.IntRange(0, 200).Draw(t, "right rows"), len(types)), wide, rapid.Bool().Draw(t, "right dict"))
	c.spec = Spec{
		Name: "t", Kind: rapid.SampledFrom([]Kind{Left, Inner, Semi, Anti, RightOuter, FullOuter}).Draw(t, "kind"), Left: c.l.schema, Right: c.r.schema,
		NullsEqual: rapid.Bool().Draw(t, "nulls equal"), BatchRows: rapid.SampledFrom([]int{1, 13, 1000}).Draw(t, "batch rows"),
		Workers: rapid.IntRange(1, 3).Draw(t, "workers"), Partitions: rapid.SampledFrom([]int{1, 3, 16}).Draw(t, "partitions"),
		PartBytes: rapid.SampledFrom([]int64{1 << 30, 4096}).Draw(t, "part bytes"), ResidentBytes: 1 << 30, Stores: heapStores, RightOut: []int{len(types), len(types) + 1},
	}
	for i := range types {
		c.spec.LeftKeys, c.spec.RightKeys = append(c.spec.LeftKeys, i), append(c.spec.RightKeys, i)
	}
	if c.spec.Kind.filters() {
		c.spec.RightOut = nil
	}
	c.want = oracle(c.l, c.r, c.spec.Kind, c.spec.NullsEqual)
	return c
}

// probeAll joins all left units, workers at once, and returns the rows unit by unit.
func (c *joinCase) probeAll(units int, open func(u int) (batch.Stream, error)) ([]match, error) {
	out, errs := make([][]match, units), make([]error, units)
	var wg sync.WaitGroup
	for w := range c.spec.Workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for u := w; u < units; u += c.spec.Workers {
				var s batch.Stream
				if s, errs[u] = open(u); errs[u] == nil {
					out[u], errs[u] = read(s, c.l, c.r, c.spec.BatchRows)
				}
			}
		}()
	}
	wg.Wait()
	return slices.Concat(out...), errors.Join(errs...)
}

func (c *joinCase) resident(acct *mem.Account) (got []match, n Counters, err error) {
	c.spec.Acct = acct
	r, err := NewRight(c.spec)
	if err != nil {
		return nil, n, err
	}
	defer r.Close()
	if err := put(c.r, r, c.spec.Workers, c.units, c.rows); err != nil {
		return nil, n, err
	}
	x, err := r.Resident(context.Background())
	if err != nil {
		return nil, n, err
	}
	defer x.Close()
	left := c.l.units(c.units, c.rows)
	got, err = c.probeAll(c.units, func(u int) (batch.Stream, error) { return x.Probe(&pieceStream{left[u]}, acct), nil })
	return got, x.Counters(), err
}

func (c *joinCase) hash(acct *mem.Account) (got []match, n Counters, err error) {
	c.spec.Acct = acct
	r, err := NewRight(c.spec)
	if err != nil {
		return nil, n, err
	}
	defer r.Close()
	if err := put(c.r, r, c.spec.Workers, c.units, c.rows); err != nil {
		return nil, n, err
	}
	h, err := NewHash(r)
	if err != nil {
		return nil, n, err
	}
	defer h.Close()
	if err := put(c.l, h, c.spec.Workers, c.units, c.rows); err != nil {
		return nil, n, err
	}
	got, err = c.probeAll(h.Units(), func(u int) (batch.Stream, error) { return h.Open(context.Background(), u, acct) })
	return got, h.Counters(), err
}

// sortLeft puts the left table into key order and works the answer out again.
func (c *joinCase) sortLeft(order []batch.SortKey) {
	enc, err := batch.NewKeyEncoder(c.l.schema, order)
	if err != nil {
		panic(err)
	}
	keys, err := enc.Encode(nil, c.l.b.Cols[:c.l.nKeys], c.l.b.N)
	if err != nil {
		panic(err)
	}
	idx := make([]uint32, c.l.b.N)
	for i := range idx {
		idx[i] = uint32(i)
	}
	slices.SortStableFunc(idx, func(a, b uint32) int { return keys.Compare(int(a), int(b)) })
	pos := map[int64]int{}
	for i, k := range idx {
		pos[int64(k)] = i
	}
	if c.l.b, err = batch.GatherBatch(nil, c.l.b, idx); err != nil {
		panic(err)
	}
	slices.SortStableFunc(c.want, func(a, b match) int { return pos[a.l] - pos[b.l] })
}

// rangeParts is an Assigner for tests: ranges between the boundaries that every nth key of a table makes.
func rangeParts(b *batch.Batch, order []batch.SortKey, parts int) *ranges {
	enc, err := batch.NewKeyEncoder(b.Schema, order)
	if err != nil {
		panic(err)
	}
	out := &ranges{enc: enc}
	for _, k := range order {
		out.cols = append(out.cols, k.Column)
	}
	keys, err := enc.Encode(nil, b.Cols[:len(order)], b.N)
	if err != nil {
		panic(err)
	}
	for p := 1; p < parts && b.N > 0; p++ {
		out.bounds = append(out.bounds, keys.Append(nil, p*b.N/parts))
	}
	slices.SortFunc(out.bounds, bytes.Compare)
	return out
}

func (c *joinCase) byRange(acct *mem.Account, order []batch.SortKey) (got []match, n Counters, err error) {
	c.spec.Acct = acct
	parts := rangeParts(c.l.b, order, c.spec.Partitions)
	r, err := NewRange(RangeSpec{Spec: c.spec, RightParts: parts, LeftParts: parts, Order: order})
	if err != nil {
		return nil, n, err
	}
	defer r.Close()
	if err := put(c.r, r, c.spec.Workers, c.units, c.rows); err != nil {
		return nil, n, err
	}
	left := make([][]*batch.Batch, c.units)
	for u := range c.units {
		for at, hi := u*c.l.b.N/c.units, (u+1)*c.l.b.N/c.units; at < hi; at += c.rows {
			b, err := c.l.b.Slice(nil, at, min(at+c.rows, hi))
			if err != nil {
				return nil, n, err
			}
			left[u] = append(left[u], b)
		}
	}
	streams := make([]batch.Stream, c.units)
	for u := range streams {
		streams[u] = r.Probe(u, &pieceStream{left[u]}, acct)
	}
	got, err = c.probeAll(c.units, func(u int) (batch.Stream, error) { return streams[u], nil })
	return got, r.Counters(), errors.Join(err, r.Done(c.units))
}

func drawOrder(t *rapid.T, n int) []batch.SortKey {
	out := make([]batch.SortKey, n)
	for i := range out {
		out[i] = batch.SortKey{Column: i, Desc: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nulls first")}
	}
	return out
}

func (c *joinCase) check(t *rapid.T, got []match, n Counters, ordered bool) {
	if !ordered { // the matches of one left row are together and in right order; left rows come in any order
		slices.SortStableFunc(got, func(a, b match) int { return compare.Compare(uint64(a.l), uint64(b.l)) })
		n := slices.IndexFunc(got, func(m match) bool { return m.l < 0 })
		if n >= 0 {
			slices.SortFunc(got[n:], func(a, b match) int { return compare.Compare(a.r, b.r) })
		}
	}
	if d := cmp.Diff(c.want, got, cmp.AllowUnexported(match{})); d != "" {
		t.Fatalf("rows differ (-want +got):\n%s", d)
	}
	if n.LeftRows != int64(c.l.b.N) || n.RightRows != int64(c.r.b.N) || n.OutRows != int64(len(c.want)) {
		t.Fatalf("counters %+v of %d left, %d right, %d output rows", n, c.l.b.N, c.r.b.N, len(c.want))
	}
}

func testPool() (*mem.Pool, *mem.Account) {
	pool := mem.NewPool(256<<20, mem.Protect())
	return pool, pool.Account("join", 0)
}

func TestResidentEqualsNestedLoopsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		pool, acct := testPool()
		got, n, err := c.resident(acct)
		if c.spec.Kind.keepsRight() && errors.Is(err, ErrTooBig) {
			closed(t, pool, acct)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		c.check(t, got, n, true)
		closed(t, pool, acct)
	})
}

func TestHashEqualsNestedLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		pool, acct := testPool()
		got, n, err := c.hash(acct)
		if err != nil {
			t.Fatal(err)
		}
		c.check(t, got, n, false)
		closed(t, pool, acct)
	})
}

func TestRangeEqualsNestedLoopsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		order := drawOrder(t, c.l.nKeys)
		c.sortLeft(order)
		pool, acct := testPool()
		got, n, err := c.byRange(acct, order)
		if c.spec.Kind.keepsRight() && err != nil {
			closed(t, pool, acct)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		c.check(t, got, n, true)
		closed(t, pool, acct)
	})
}
