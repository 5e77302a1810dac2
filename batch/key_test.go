package batch_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/mem"
)

// newAccount returns an account that must be empty when the test ends.
func newAccount(t testing.TB) *mem.Account {
	pool := mem.NewPool(1<<30, mem.Protect())
	acct := pool.Account("test", 0)
	t.Cleanup(func() {
		if err := acct.Close(); err != nil {
			t.Error(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return acct
}

func mustBatch(t testing.TB, acct *mem.Account, schema *batch.Schema, rows [][]any, l batchtest.Layout) *batch.Batch {
	t.Helper()
	b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return l })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keySchemas returns key lists: every type alone, and pairs and triples of types.
func keySchemas(r *rand.Rand) [][]batch.Type {
	types := batchtest.Types()
	var out [][]batch.Type
	for _, t := range types {
		out = append(out, []batch.Type{t})
	}
	for range 60 {
		list := []batch.Type{types[r.IntN(len(types))], types[r.IntN(len(types))]}
		if r.IntN(2) == 0 {
			list = append(list, types[r.IntN(len(types))])
		}
		out = append(out, list)
	}
	return out
}

func schemaOf(types []batch.Type, nullable bool) *batch.Schema {
	s := &batch.Schema{}
	for i, t := range types {
		s.Fields = append(s.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: t, Nullable: nullable})
	}
	return s
}

func TestKeysOrderLikeValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	acct := newAccount(t)
	for _, types := range keySchemas(r) {
		for mode := range 16 {
			schema := schemaOf(types, mode&1 == 1)
			var keys []batch.SortKey
			for i := range types {
				keys = append(keys, batch.SortKey{Column: i, Desc: mode>>1&1 == 1 != (i == 1), NullsFirst: mode>>2&1 == 1})
			}
			rows := batchtest.Table(r, schema, 70)
			b := mustBatch(t, acct, schema, rows, batchtest.Layout(mode)%batchtest.Layouts)
			checkKeys(t, acct, b, rows, keys)
			b.Release()
		}
	}
}

func checkKeys(t *testing.T, acct *mem.Account, b *batch.Batch, rows [][]any, keys []batch.SortKey) {
	t.Helper()
	enc, err := batch.NewKeyEncoder(b.Schema, keys)
	if err != nil {
		t.Fatal(err)
	}
	k, err := enc.Encode(acct, batch.KeyColumns(b, keys), b.N)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	for i := range rows {
		for j := range rows {
			want := batchtest.CompareKeys(b.Schema, keys, rows[i], rows[j])
			if got := k.Compare(i, j); got != want {
				t.Fatalf("%v: Compare(%v, %v) is %d, want %d", keys, rows[i], rows[j], got, want)
			}
			if got := bytes.Compare(k.At(i), k.Append(nil, j)); got != want {
				t.Fatalf("%v: bytes of %v and %v compare as %d, want %d", keys, rows[i], rows[j], got, want)
			}
		}
	}
}

func TestKeysOfSmallTypesAreWords(t *testing.T) {
	acct := newAccount(t)
	for _, c := range []struct {
		types    []batch.Type
		nullable bool
		words    bool
	}{
		{[]batch.Type{batch.Of(batch.Int64)}, false, true},
		{[]batch.Type{batch.Of(batch.Int64)}, true, false},
		{[]batch.Type{batch.Of(batch.Int32), batch.Of(batch.Date)}, false, true},
		{[]batch.Type{batch.Of(batch.Int32), batch.Of(batch.Bool)}, true, true},
		{[]batch.Type{batch.Of(batch.String)}, false, false},
	} {
		schema := schemaOf(c.types, c.nullable)
		var keys []batch.SortKey
		for i := range c.types {
			keys = append(keys, batch.SortKey{Column: i})
		}
		b := mustBatch(t, acct, schema, batchtest.Table(rand.New(rand.NewPCG(1, 1)), schema, 10), batchtest.Flat)
		enc, err := batch.NewKeyEncoder(schema, keys)
		if err != nil {
			t.Fatal(err)
		}
		k, err := enc.Encode(acct, b.Cols, b.N)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := k.Fixed(); ok != c.words {
			t.Errorf("%v, nullable %v: words is %v", c.types, c.nullable, ok)
		}
		k.Release()
		b.Release()
	}
}

func TestNestedIsNoKey(t *testing.T) {
	if _, err := batch.NewKeyEncoder(schemaOf([]batch.Type{batch.Of(batch.Nested)}, false), []batch.SortKey{{}}); err == nil {
		t.Fatal("no error")
	}
}

func TestEqualRowsAndHashesAgreeWithValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	acct := newAccount(t)
	for _, types := range keySchemas(r) {
		schema := schemaOf(types, r.IntN(2) == 0)
		x, y := batchtest.Table(r, schema, 60), batchtest.Table(r, schema, 50)
		a := mustBatch(t, acct, schema, x, batchtest.Layout(r.IntN(3)))
		b := mustBatch(t, acct, schema, y, batchtest.Layout(r.IntN(3)))
		checkEqual(t, a, b, x, y)
		a.Release()
		b.Release()
	}
}

func checkEqual(t *testing.T, a, b *batch.Batch, x, y [][]any) {
	t.Helper()
	ha, hb := make([]uint64, a.N), make([]uint64, b.N)
	batch.Hash(a.Cols, ha)
	batch.Hash(b.Cols, hb)
	all := make([]batch.SortKey, len(a.Cols))
	for i := range all {
		all[i].Column = i
	}
	eq, strict := batch.NewRowsEqual(a.Cols, b.Cols, true), batch.NewRowsEqual(a.Cols, b.Cols, false)
	var pi, pj []uint32
	kept := 0
	for i := range x {
		null := false
		for _, v := range x[i] {
			null = null || v == nil
		}
		for j := range y {
			want := batchtest.CompareKeys(a.Schema, all, x[i], y[j]) == 0
			if want {
				kept++
			}
			pi, pj = append(pi, uint32(i)), append(pj, uint32(j))
			if got := eq.Equal(i, j); got != want {
				t.Fatalf("Equal(%v, %v) is %v", x[i], y[j], got)
			}
			if got := strict.Equal(i, j); got != (want && !null) {
				t.Fatalf("with nulls distinct, Equal(%v, %v) is %v", x[i], y[j], got)
			}
			if got := ha[i] == hb[j]; got != want {
				t.Fatalf("hashes of %v and %v: equal is %v", x[i], y[j], got)
			}
		}
	}
	n := eq.Keep(pi, pj)
	if n != kept {
		t.Fatalf("Keep keeps %d pairs of %d", n, kept)
	}
	for k := range n {
		if !eq.Equal(int(pi[k]), int(pj[k])) {
			t.Fatal("Keep keeps a pair that differs")
		}
	}
}

func TestHashNeverChanges(t *testing.T) {
	acct := newAccount(t)
	schema := schemaOf([]batch.Type{batch.Of(batch.Int64), batch.Of(batch.String)}, true)
	b := mustBatch(t, acct, schema, [][]any{{int64(7), "seven"}, {nil, nil}}, batchtest.Flat)
	defer b.Release()
	var h [2]uint64
	batch.Hash(b.Cols, h[:])
	if want := [2]uint64{0x4e79ffc7cd90f000, 0x2aefeff4e05a714a}; h != want {
		t.Fatalf("hashes are %#x, want %#x: spilled data would be misread", h, want)
	}
}

func TestHashSpreadsIntegers(t *testing.T) {
	acct := newAccount(t)
	const n = 1 << 16
	c, err := batch.NewFixed(acct, batch.Of(batch.Int64), n)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	for _, step := range []int64{1, 64, 1 << 20, 1 << 40} {
		for i := range c.Int64s() {
			c.Int64s()[i] = int64(i) * step
		}
		h := make([]uint64, n)
		batch.Hash([]*batch.Column{c}, h)
		for _, shift := range []int{0, 20, 56} {
			var count [256]int
			for _, v := range h {
				count[v>>shift&255]++
			}
			for p, k := range count {
				if k < n/256*7/10 || k > n/256*13/10 {
					t.Fatalf("step %d, bits from %d: %d of %d rows in part %d of 256", step, shift, k, n, p)
				}
			}
		}
	}
}
