package extsort

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

func TestRangesAscendAndNeverShareAKey(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	acct := newAccount(t, 1<<28)
	for _, types := range someTypes(r, 60) {
		for how := range 5 {
			schema, keys := schemaOf(types, r.IntN(2) == 0), keysOf(r, len(types))
			rows := batchtest.Table(r, schema, 300)
			cmp := func(a, b []any) int { return batchtest.CompareKeys(schema, keys, a, b) }
			shape(r, how, rows, cmp)
			b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return batchtest.Layout(r.IntN(3)) })
			if err != nil {
				t.Fatal(err)
			}
			sample, err := NewSample(schema, keys)
			if err != nil {
				t.Fatal(err)
			}
			// Sampling a part only, so that there are keys beside the sample.
			some, err := b.Slice(acct, 0, 200)
			if err != nil {
				t.Fatal(err)
			}
			if err := sample.Add(acct, some); err != nil {
				t.Fatal(err)
			}
			parts := []int{1, 2, 3, 8, 129}[r.IntN(5)]
			checkRanges(t, sample.Splitters(parts), parts, b, rows, cmp)
			some.Release()
			b.Release()
		}
	}
}

func checkRanges(t *testing.T, s *Splitters, parts int, b *batch.Batch, rows [][]any, cmp func(a, b []any) int) {
	t.Helper()
	if s.Count() > parts {
		t.Fatalf("%d ranges, asked for %d", s.Count(), parts)
	}
	out := make([]uint16, b.N)
	if err := s.Assign(nil, b, out); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		if int(out[i]) >= s.Count() {
			t.Fatalf("range %d of %d", out[i], s.Count())
		}
		for j := range out {
			c := cmp(rows[i], rows[j])
			if c <= 0 && out[i] > out[j] || c == 0 && out[i] != out[j] {
				t.Fatalf("%v is in range %d, %v in %d", rows[i], out[i], rows[j], out[j])
			}
			if c != 0 && out[i] == out[j] && s.Single(int(out[i])) {
				t.Fatalf("%v and %v are both in range %d, which is said to have one key", rows[i], rows[j], out[i])
			}
		}
	}
}

func TestAHeavyKeyGetsARangeOfItsOwn(t *testing.T) {
	acct := newAccount(t, 1<<28)
	for _, typ := range []batch.Type{batch.Of(batch.Int64), batch.Of(batch.String), batch.DecimalOf(30, 0)} {
		r := rand.New(rand.NewPCG(7, 8))
		schema := schemaOf([]batch.Type{typ}, false)
		rows := batchtest.Table(r, schema, 5000)
		heavy := rows[0][0]
		for i := range rows {
			if i%10 > 0 {
				rows[i][0] = heavy
			}
		}
		b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return batchtest.Flat })
		if err != nil {
			t.Fatal(err)
		}
		sample, err := NewSample(schema, make([]batch.SortKey, 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := sample.Add(acct, b); err != nil {
			t.Fatal(err)
		}
		s := sample.Splitters(16)
		out := make([]uint16, b.N)
		if err := s.Assign(acct, b, out); err != nil {
			t.Fatal(err)
		}
		if !s.Single(int(out[0])) {
			t.Errorf("%v: the range of the heavy key has others", typ)
		}
		if s.Count() < 3 {
			t.Errorf("%v: %d ranges", typ, s.Count())
		}
		b.Release()
	}
}

func TestSampleIsSpreadAndBounded(t *testing.T) {
	acct := newAccount(t, 1<<28)
	schema := schemaOf([]batch.Type{batch.Of(batch.Int64)}, false)
	merged, err := NewSample(schema, make([]batch.SortKey, 1))
	if err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	for part := range 2 {
		s, err := NewSample(schema, make([]batch.SortKey, 1))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 + 20*part {
			c, err := batch.NewFixed(acct, batch.Of(batch.Int64), batch.Rows)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.Int64s() {
				c.Int64s()[i] = next
				next++
			}
			b := &batch.Batch{Schema: schema, Cols: []*batch.Column{c}, N: c.N}
			if err := s.Add(acct, b); err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
		merged.Merge(s)
	}
	if n := merged.len(); n > sampleRows || n < sampleRows/4 || merged.Rows() != next {
		t.Fatalf("%d keys of %d rows", n, merged.Rows())
	}
	s := merged.Splitters(64)
	for i, w := range s.words {
		want := float64(next) * float64(i+1) / 64
		if got := float64(w - 1<<63); got < want-float64(next)/200 || got > want+float64(next)/200 {
			t.Fatalf("boundary %d is %.0f, want about %.0f", i, got, want)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	acct := mem.NewPool(1<<28).Account("bench", 0) // without protection, as in a run
	r := rand.New(rand.NewPCG(1, 1))
	for _, typ := range []batch.Type{batch.Of(batch.Int64), batch.Of(batch.Float64), batch.Of(batch.String)} {
		schema := schemaOf([]batch.Type{typ}, false)
		rows := make([][]any, batch.Rows)
		for i := range rows {
			switch typ.ID {
			case batch.Int64:
				rows[i] = []any{int64(r.IntN(10000))}
			case batch.Float64:
				rows[i] = []any{r.NormFloat64()}
			default:
				rows[i] = []any{fmt.Sprintf("customer-%09d", r.IntN(1e9))}
			}
		}
		x, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return batchtest.Flat })
		if err != nil {
			b.Fatal(err)
		}
		sample, err := NewSample(schema, make([]batch.SortKey, 1))
		if err != nil {
			b.Fatal(err)
		}
		if err := sample.Add(acct, x); err != nil {
			b.Fatal(err)
		}
		s := sample.Splitters(128)
		out := make([]uint16, x.N)
		b.Run(typ.String(), func(b *testing.B) {
			cost := microbench.Start(b)
			for b.Loop() {
				if err := s.Assign(acct, x, out); err != nil {
					b.Fatal(err)
				}
			}
			cost.Rows(int64(x.N), x.Bytes()+2*int64(x.N))
		})
		x.Release()
	}
}

// Ranges are those of the whole keys, however the rows lie and whichever search finds them.
func TestStringsFallInTheSameRangeInEveryLayout(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 3))
	acct := newAccount(t, 1<<28)
	for i := range 60 {
		schema := schemaOf([]batch.Type{batch.Of(batch.String)}, i%2 == 0)
		keys := []batch.SortKey{{NullsFirst: r.IntN(2) == 0}}
		rows := batchtest.Table(r, schema, 400)
		for k := range rows {
			if s, ok := rows[k][0].(string); ok && r.IntN(2) == 0 {
				rows[k][0] = "prefix prefix"[:r.IntN(13)] + s
			}
		}
		var want, got []uint16
		var split *Splitters
		for layout := range batchtest.Layouts {
			b, err := batchtest.Batch(acct, schema, rows, func(int) batchtest.Layout { return layout })
			if err != nil {
				t.Fatal(err)
			}
			if split == nil {
				sample, err := NewSample(schema, keys)
				if err != nil {
					t.Fatal(err)
				}
				if err := sample.Add(acct, b); err != nil {
					t.Fatal(err)
				}
				split = sample.Splitters(2 + r.IntN(100))
				want = make([]uint16, b.N)
				if err := split.assignKeys(acct, b.Cols, want); err != nil {
					t.Fatal(err)
				}
			}
			got = make([]uint16, b.N)
			if err := split.Assign(acct, b, got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want, got) {
				t.Fatalf("layout %d: ranges %v, want %v", layout, got, want)
			}
			b.Release()
		}
	}
}
