package asof

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/extsort"
	"pqjoin/mem"
)

// TestEdgesTakeWhatIsSaid adds rows in an order in which each batch has better edges than the one before.
func TestEdgesTakeWhatIsSaid(t *testing.T) {
	const rowBytes = 8 + 204 + 8 // of the pool, and the key
	schema := batch.NewSchema(batch.Field{Name: "on", Type: batch.Of(batch.Int64)}, batch.Field{Name: "s", Type: batch.Of(batch.String)})
	keys := []batch.SortKey{{Column: 0}}
	for _, direction := range []Direction{Backward, Forward, Nearest} {
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("test", 0)
		r := rand.New(rand.NewPCG(uint64(direction), 1))
		rows := make([][]any, 60_000)
		for i := range rows {
			rows[i] = []any{int64(r.IntN(1 << 30)), strings.Repeat("x", 200)}
		}
		sample, err := extsort.NewSample(schema, keys)
		if err == nil {
			err = sample.Add(nil, built(t, schema, rows[:5000]))
		}
		if err != nil {
			t.Fatal(err)
		}
		split := sample.Splitters(200)
		e := newEdges(&Spec{Right: schema, RightKeys: keys, Direction: direction, Workers: 1, Acct: acct}, split)
		parts := make([]uint16, 1000)
		for i := 0; i < len(rows); i += 1000 {
			b := built(t, schema, rows[i:i+1000])
			ks, err := split.AssignKeys(nil, b, parts)
			if err == nil {
				err = e.add(0, i/5000, b, ks, parts)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := e.finish(); err != nil {
			t.Fatal(err)
		}
		if most := EdgeBytes(split.Count(), rowBytes) + edgeCopies*2*4096; acct.Peak() > most {
			t.Errorf("direction %d: %d ranges took %d bytes, over the %d", direction, split.Count(), acct.Peak(), most)
		}
		e.close()
		if err := acct.Close(); err != nil {
			t.Error(err)
		}
		pool.Close()
	}
}

func built(t *testing.T, s *batch.Schema, rows [][]any) *batch.Batch {
	t.Helper()
	b, err := batchtest.Batch(nil, s, rows, func(int) batchtest.Layout { return batchtest.Flat })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRowsThatAreNoEdgesAreNotCopied: the batch has none, so that nothing is put together anew.
func TestRowsThatAreNoEdgesAreNotCopied(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "on", Type: batch.Of(batch.Int64)})
	keys := []batch.SortKey{{Column: 0}}
	var rows [][]any
	for i := range 1000 {
		rows = append(rows, []any{int64(i)})
	}
	sample, err := extsort.NewSample(schema, keys)
	if err == nil {
		err = sample.Add(nil, built(t, schema, rows))
	}
	if err != nil {
		t.Fatal(err)
	}
	split := sample.Splitters(10)
	e := newEdges(&Spec{Right: schema, RightKeys: keys, Direction: Nearest, Workers: 1}, split)
	parts := make([]uint16, len(rows))
	add := func(unit int, rows [][]any) {
		b := built(t, schema, rows)
		ks, err := split.AssignKeys(nil, b, parts)
		if err == nil {
			err = e.add(0, unit, b, ks, parts[:b.N])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add(0, rows)
	var before []*piece
	for _, r := range e.workers[0].rows {
		before = append(before, r.pieces...)
	}
	var inner [][]any // what is neither first nor last of its range
	for i := 1; i+1 < len(rows); i++ {
		if parts[i-1] == parts[i] && parts[i] == parts[i+1] {
			inner = append(inner, rows[i])
		}
	}
	add(1, inner)
	for k, r := range e.workers[0].rows {
		if len(r.pieces) != 1 || r.pieces[0] != before[k] {
			t.Errorf("kind %d was copied", k)
		}
	}
}
