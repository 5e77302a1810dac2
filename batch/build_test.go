package batch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
)

func checkRows(t *testing.T, what string, b *batch.Batch, want [][]any) {
	t.Helper()
	if b.N != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, b.N, len(want))
	}
	got := batchtest.Rows(b)
	for i := range want {
		for k := range want[i] {
			if !batchtest.Same(got[i][k], want[i][k]) {
				t.Fatalf("%s: row %d, column %s: %v, want %v", what, i, b.Schema.Fields[k].Name, got[i][k], want[i][k])
			}
		}
	}
	for k, c := range b.Cols {
		nulls := 0
		for i := range want {
			if want[i][k] == nil {
				nulls++
			}
		}
		if c.N != b.N || c.Nulls != nulls || (c.Valid == nil) != (nulls == 0) {
			t.Fatalf("%s: column %d says %d rows, %d nulls, bitmap %v; want %d and %d", what, k, c.N, c.Nulls, c.Valid != nil, b.N, nulls)
		}
		if r := c.N % 8; c.Valid != nil && r != 0 && c.Valid[c.N/8]>>r != 0 {
			t.Fatalf("%s: column %d has bits past its end", what, k)
		}
	}
}

// TestBuildersMatchBoxedRows drives slice, gather, flatten and concat over all types and layouts.
func TestBuildersMatchBoxedRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	acct := newAccount(t)
	for round := range 200 {
		schema := schemaOf(batchtest.Types(), round%2 == 0)
		rows := batchtest.Table(r, schema, []int{0, 1, 7, 8, 9, 63, 64, 65, 130}[r.IntN(9)])
		b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return batchtest.Layout(r.IntN(3)) })
		if err != nil {
			t.Fatal(err)
		}
		checkRows(t, "built", b, rows)
		checkSlice(t, r, b, rows)
		checkGather(t, r, b, rows)
		checkConcat(t, r, b, rows)
		b.Release()
	}
}

func checkSlice(t *testing.T, r *rand.Rand, b *batch.Batch, rows [][]any) {
	acct := newAccount(t)
	for range 4 {
		i := r.IntN(b.N + 1)
		j := i + r.IntN(b.N-i+1)
		s, err := b.Slice(acct, i, j)
		if err != nil {
			t.Fatal(err)
		}
		checkRows(t, fmt.Sprintf("slice %d:%d", i, j), s, rows[i:j])
		s.Release()
	}
}

func checkGather(t *testing.T, r *rand.Rand, b *batch.Batch, rows [][]any) {
	acct := newAccount(t)
	n := r.IntN(100)
	idx, miss := make([]uint32, n), make([]uint32, n)
	want, wantMiss := make([][]any, n), make([][]any, n)
	none := make([]any, len(b.Cols))
	for i := range n {
		miss[i], wantMiss[i] = batch.Missing, none
		if b.N > 0 {
			idx[i] = uint32(r.IntN(b.N))
			want[i] = rows[idx[i]]
			if r.IntN(3) > 0 {
				miss[i], wantMiss[i] = idx[i], rows[idx[i]]
			}
		}
	}
	if b.N > 0 {
		g, err := batch.GatherBatch(acct, b, idx)
		if err != nil {
			t.Fatal(err)
		}
		checkRows(t, "gather", g, want)
		g.Release()
	}
	g := &batch.Batch{Schema: b.Schema, N: n}
	for _, c := range b.Cols {
		m, err := batch.Gather(acct, c, miss, true)
		if err != nil {
			t.Fatal(err)
		}
		f, err := batch.Flatten(acct, m)
		m.Release()
		if c.Dict == nil && c.Off != nil {
			f.Release()
			f, err = throughCodes(acct, c, miss)
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Dict != nil {
			t.Fatal("flatten left a dictionary")
		}
		g.Cols = append(g.Cols, f)
	}
	checkRows(t, "gather with missing rows, flattened", g, wantMiss)
	g.Release()
}

// throughCodes gathers c as codes into itself, and flattens them.
func throughCodes(acct *mem.Account, c *batch.Column, idx []uint32) (*batch.Column, error) {
	m, err := batch.GatherCodes(acct, c, batch.AsDict(c), idx, true)
	if err != nil {
		return nil, err
	}
	defer m.Release()
	return batch.Flatten(acct, m)
}

func checkConcat(t *testing.T, r *rand.Rand, b *batch.Batch, rows [][]any) {
	acct := newAccount(t)
	var parts []*batch.Batch
	var want [][]any
	for range r.IntN(5) {
		i := r.IntN(b.N + 1)
		s, err := b.Slice(acct, i, b.N)
		if err != nil {
			t.Fatal(err)
		}
		parts, want = append(parts, s), append(want, rows[i:]...)
	}
	c, err := batch.Concat(acct, b.Schema, parts)
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, "concat", c, want)
	c.Release()
	for _, p := range parts {
		p.Release()
	}
}

func TestMemoryOutlivesTheBatchItWasSlicedFrom(t *testing.T) {
	acct := newAccount(t)
	schema := schemaOf(batchtest.Types(), true)
	rows := batchtest.Table(rand.New(rand.NewPCG(1, 9)), schema, 9000)
	for l := range batchtest.Layouts {
		b := mustBatch(t, acct, schema, rows, l)
		s, err := b.Slice(acct, 5, 8000)
		if err != nil {
			t.Fatal(err)
		}
		b.Release()
		checkRows(t, "slice of a released batch", s, rows[5:8000])
		s.Retain().Release()
		s.Release()
	}
}

func TestCopyBitsLeavesNeighboursAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 3000 {
		src, dst := make([]byte, 9+r.IntN(9)), make([]byte, 24)
		for i := range src {
			src[i] = byte(r.Uint32())
		}
		for i := range dst {
			dst[i] = byte(r.Uint32())
		}
		s, d := r.IntN(20), r.IntN(20)
		n := r.IntN(8*len(src) - s + 1)
		before := append([]byte{}, dst...)
		bit := func(m []byte, i int) byte { return m[i>>3] >> (i & 7) & 1 }
		n = min(n, 8*len(dst)-d)
		batch.CopyBits(dst, d, src, s, n)
		for i := range 8 * len(dst) {
			want := bit(before, i)
			if i >= d && i < d+n {
				want = bit(src, s+i-d)
			}
			if bit(dst, i) != want {
				t.Fatalf("copy of %d bits from %d to %d: bit %d is wrong", n, s, d, i)
			}
		}
	}
}

func TestCountBits(t *testing.T) {
	m := make([]byte, 40)
	for n := range 320 {
		batch.FillBits(m, n)
		if got := batch.CountBits(m, 320); got != n {
			t.Fatalf("%d bits filled, %d counted", n, got)
		}
		if got := batch.CountBitsUnaligned(m, n); got != n {
			t.Fatalf("%d bits filled, %d counted byte by byte", n, got)
		}
		clear(m)
	}
}
