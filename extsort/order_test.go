package extsort

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

// newAccount returns an account that must be empty when the test ends.
func newAccount(t testing.TB, limit int64) *mem.Account {
	pool := mem.NewPool(limit, mem.Protect())
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

func schemaOf(types []batch.Type, nullable bool) *batch.Schema {
	s := &batch.Schema{}
	for i, t := range types {
		s.Fields = append(s.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: t, Nullable: nullable})
	}
	return s
}

func keysOf(r *rand.Rand, n int) []batch.SortKey {
	keys := make([]batch.SortKey, n)
	for i := range keys {
		keys[i] = batch.SortKey{Column: i, Desc: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0}
	}
	return keys
}

// someTypes returns every type alone, then random pairs and triples.
func someTypes(r *rand.Rand, more int) [][]batch.Type {
	types := batchtest.Types()
	var out [][]batch.Type
	for _, t := range types {
		out = append(out, []batch.Type{t})
	}
	for range more {
		list := []batch.Type{}
		for range 2 + r.IntN(2) {
			list = append(list, types[r.IntN(len(types))])
		}
		out = append(out, list)
	}
	return out
}

// shapes rearranges rows: random, sorted, reversed, one key nearly everywhere, one key.
func shape(r *rand.Rand, how int, rows [][]any, cmp func(a, b []any) int) {
	switch how {
	case 1, 2:
		slices.SortStableFunc(rows, func(a, b []any) int { return cmp(a, b) * (3 - 2*how) })
	case 3, 4:
		for i := range rows {
			if how == 4 || r.IntN(25) > 0 {
				rows[i] = slices.Clone(rows[0])
			}
		}
	}
}

func ids(p *Perm) []uint32 {
	if p.IDs() != nil {
		return p.IDs()
	}
	out := make([]uint32, p.Len())
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

func TestOrderIsTheStableSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	acct := newAccount(t, 1<<28)
	for _, types := range someTypes(r, 60) {
		for how := range 10 {
			schema, keys := schemaOf(types, r.IntN(2) == 0), keysOf(r, len(types))
			rows := batchtest.Table(r, schema, []int{0, 1, 2, 41, 300, 2500}[r.IntN(6)])
			cmp := func(a, b []any) int { return batchtest.CompareKeys(schema, keys, a, b) }
			shape(r, how, rows, cmp)
			want := make([]uint32, len(rows))
			for i := range want {
				want[i] = uint32(i)
			}
			slices.SortStableFunc(want, func(i, j uint32) int { return cmp(rows[i], rows[j]) })
			b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return batchtest.Layout(r.IntN(3)) })
			if err != nil {
				t.Fatal(err)
			}
			p, err := Order(acct, b.Cols, keys, b.N)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(ids(p), want) {
				t.Fatalf("%v, %v, shape %d, %d rows: not the stable order", types, keys, how, len(rows))
			}
			if slices.IsSorted(want) != (p.IDs() == nil) {
				t.Fatalf("%v, shape %d: rows in order: permutation is %v", types, how, p.IDs() != nil)
			}
			p.Release()
			b.Release()
		}
	}
}

// TestOrderOfManyWideKeys crosses the sizes at which the radix sorts change their digits.
func TestOrderOfManyWideKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	acct := newAccount(t, 1<<28)
	const n = 200_000
	for name, value := range map[string]func() int64{
		"distinct": func() int64 { return int64(r.Uint64()) },
		"narrow":   func() int64 { return int64(r.IntN(1000)) },
		"middle":   func() int64 { return int64(r.Uint64()) >> 20 },
		"two ends": func() int64 { return int64(r.IntN(2))<<62 + int64(r.IntN(500)) },
	} {
		c, err := batch.NewFixed(acct, batch.Of(batch.Int64), n)
		if err != nil {
			t.Fatal(err)
		}
		v := c.Int64s()
		want := make([]uint32, n)
		for i := range v {
			v[i], want[i] = value(), uint32(i)
		}
		slices.SortStableFunc(want, func(i, j uint32) int { return batchtest.Compare(c.Type, v[i], v[j]) })
		p, err := Order(acct, []*batch.Column{c}, make([]batch.SortKey, 1), n)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.IDs(), want) {
			t.Fatalf("%s: not the stable order", name)
		}
		p.Release()
		c.Release()
	}
}

func BenchmarkOrder(b *testing.B) {
	acct := mem.NewPool(1<<30).Account("bench", 0) // without protection, as in a run
	r := rand.New(rand.NewPCG(1, 1))
	const n = 800_000
	for name, typ := range map[string]batch.Type{"int64": batch.Of(batch.Int64), "float64": batch.Of(batch.Float64)} {
		for _, bits := range []int{14, 40, 64} {
			c, err := batch.NewFixed(acct, typ, n)
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				if typ.IsFloat() {
					c.Float64s()[i] = r.NormFloat64()
				} else {
					c.Int64s()[i] = int64(r.Uint64() >> (64 - bits))
				}
			}
			benchOrder(b, fmt.Sprintf("%s/%d", name, bits), acct, c)
			c.Release()
		}
	}
	rows := make([]any, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("customer-%09d", r.IntN(n))
	}
	c, err := batchtest.Column(acct, batch.Of(batch.String), rows, batchtest.Flat)
	if err != nil {
		b.Fatal(err)
	}
	benchOrder(b, "string/18", acct, c)
	c.Release()
}

func benchOrder(b *testing.B, name string, acct *mem.Account, c *batch.Column) {
	b.Run(name, func(b *testing.B) {
		cost := microbench.Start(b)
		for b.Loop() {
			p, err := Order(acct, []*batch.Column{c}, make([]batch.SortKey, 1), c.N)
			if err != nil {
				b.Fatal(err)
			}
			p.Release()
		}
		cost.Rows(int64(c.N), c.Bytes()+4*int64(c.N))
	})
}

// Keys that are others' beginnings come first, also where what follows is zeros, and whatever lies before.
func TestOrderOfKeysThatEndInOthers(t *testing.T) {
	for _, shared := range []int{0, 1, 3, 7, 8, 9, 30} {
		r := rand.New(rand.NewPCG(uint64(shared), 1))
		prefix := strings.Repeat("p", shared)
		rows := make([][]any, 500)
		for i := range rows {
			tail := make([]byte, r.IntN(12))
			for k := range tail {
				tail[k] = byte(r.IntN(4) / 3 * (1 + r.IntN(2)*254))
			}
			rows[i] = []any{prefix + string(tail)}
		}
		acct := newAccount(t, 8<<20)
		b, err := batchtest.Batch(acct, batch.NewSchema(batch.Field{Name: "s", Type: batch.Of(batch.String)}), rows, func(int) batchtest.Layout { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		p, err := Order(acct, b.Cols, make([]batch.SortKey, 1), b.N)
		if err != nil {
			t.Fatal(err)
		}
		for i, ids := 1, p.IDs(); i < len(ids); i++ {
			x, y := rows[ids[i-1]][0].(string), rows[ids[i]][0].(string)
			if x > y || x == y && ids[i-1] > ids[i] {
				t.Fatalf("prefix of %d: row %d (%q) before row %d (%q)", shared, ids[i-1], x, ids[i], y)
			}
		}
		p.Release()
		b.Release()
	}
}

// Short strings, alone and beside numbers, come in the order of their bytes: shorter ones before those that go on, whatever is
// null, descending, shared or zero.
func TestOrderOfShortStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n, longest, letters, base := 2+r.IntN(600), 1+r.IntN(18), 1+r.IntN(12), r.IntN(245)
		prefix := strings.Repeat("p", r.IntN(4))
		rows := make([][]any, n)
		for i := range rows {
			s := make([]byte, r.IntN(longest))
			for k := range s {
				s[k] = byte(base + r.IntN(letters))
			}
			rows[i] = []any{prefix + string(s), int64(r.IntN(5))}
			if r.IntN(10) == 0 {
				rows[i][r.IntN(2)] = nil
			}
		}
		schema := batch.NewSchema(batch.Field{Name: "s", Type: batch.Of(batch.String), Nullable: true}, batch.Field{Name: "n", Type: batch.Of(batch.Int64), Nullable: true})
		pool := mem.NewPool(8<<20, mem.Protect())
		acct := pool.Account("test", 0)
		b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		keys := []batch.SortKey{{Column: 0, Desc: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0}, {Column: 1, Desc: r.IntN(2) == 0}}
		p, err := Order(acct, b.Cols, keys, n)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]uint32, n)
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(x, y uint32) int { return batchtest.CompareKeys(schema, keys, rows[x], rows[y]) })
		got := p.IDs()
		if got == nil {
			got = make([]uint32, n)
			for i := range got {
				got[i] = uint32(i)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("keys %v of %d rows: %v, want %v", keys, n, got, want)
		}
		p.Release()
		b.Release()
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// Where there is no memory for words of many short strings, they are sorted as they are.
func TestShortStringsAreSortedWithoutMemoryForTheirWords(t *testing.T) {
	const n, columns = 10_000, 20
	schema, keys, rows := &batch.Schema{}, []batch.SortKey{}, make([][]any, n)
	for c := range columns {
		schema.Fields = append(schema.Fields, batch.Field{Name: string(rune('a' + c)), Type: batch.Of(batch.String)})
		keys = append(keys, batch.SortKey{Column: c})
	}
	schema = batch.NewSchema(schema.Fields...)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		for range columns {
			rows[i] = append(rows[i], string(rune('a'+r.IntN(8))))
		}
	}
	pool, tight := mem.NewPool(16<<20), mem.NewPool(1_400_000)
	acct, short := pool.Account("rows", 0), tight.Account("sort", 0)
	b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	if words, ok, err := shortStrings(short, b.Cols, n); ok || err != nil {
		releaseAll(words)
		t.Fatalf("words: %v, %v", ok, err)
	}
	p, err := Order(short, b.Cols, keys, n)
	if err != nil {
		t.Fatal(err)
	}
	for i, ids := 1, p.IDs(); i < n; i++ {
		if batchtest.CompareKeys(schema, keys, rows[ids[i-1]], rows[ids[i]]) > 0 {
			t.Fatalf("row %d comes before row %d", ids[i-1], ids[i])
		}
	}
	p.Release()
	b.Release()
	if err := errors.Join(short.Close(), tight.Close(), acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
