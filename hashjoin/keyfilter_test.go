package hashjoin

import (
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"
)

// spreadTable returns a table of n unique keys that lie far apart, with its filter.
func spreadTable(t *testing.T, acct *mem.Account, n int) *RightTable {
	t.Helper()
	schema := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	j, err := newJoin(Spec{Name: "t", Kind: Inner, Left: schema, Right: schema, LeftKeys: []int{0}, RightKeys: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	keys := intColumn(n, func(i int) int64 { return int64(mix(uint64(i))) })
	table, err := newTable(acct, j.rightKeys, &batch.Batch{Schema: schema, Cols: []*batch.Column{keys}, N: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.Release)
	if err := table.addFilter(acct); err != nil {
		t.Fatal(err)
	}
	return table
}

// wordsOf returns the words of the keys i of a spread table, for i from lo to hi.
func wordsOf(lo, hi int) *keys {
	k := &keys{}
	col := intColumn(hi-lo, func(i int) int64 { return int64(mix(uint64(lo + i))) })
	k.n, k.words = hi-lo, make([]uint64, hi-lo)
	batch.OrderWords(col, false, 0, k.words)
	return k
}

func TestATableFindsTheSameThroughItsFilter(t *testing.T) {
	const rows = 60_000
	acct := mem.NewPool(64<<20).Account("table", 0)
	table := spreadTable(t, acct, rows)
	if table.filter == nil {
		t.Fatal("a table of many keys has no filter")
	}
	k := wordsOf(rows-500, rows+20_000) // 500 keys of the table, then others
	plain, filtered := make([]ref, k.n), slices.Repeat([]ref{{7, 7}}, k.n)
	var a asked
	table.find(k, plain, nil)
	table.find(k, filtered, &a)
	for i := range plain {
		if plain[i].n != filtered[i].n || plain[i].n > 0 && plain[i] != filtered[i] {
			t.Fatalf("key %d: %v through the filter, %v without", i, filtered[i], plain[i])
		}
		if hit := i < 500; hit != (plain[i].n == 1) {
			t.Fatalf("key %d: %v", i, plain[i])
		}
	}
	if passed := a.seen - a.dropped; a.seen != int64(k.n) || passed < 500 || passed > 500+int64(k.n)/15 {
		t.Errorf("%d of %d rows pass, 500 are there", passed, a.seen)
	}
}

func TestATableFilterThatDropsLittleIsNotAskedAnyMore(t *testing.T) {
	acct := mem.NewPool(64<<20).Account("table", 0)
	table := spreadTable(t, acct, askTrial)
	k := wordsOf(0, askTrial)
	out := make([]ref, k.n)
	var a asked
	table.find(k, out, &a)
	if !a.off || table.asks(&a) {
		t.Errorf("%d of %d rows dropped, and it is asked still", a.dropped, a.seen)
	}
	if small := spreadTable(t, acct, 100); small.filter != nil {
		t.Error("a table in the caches has a filter")
	}
}

func TestATableWithoutMemoryForAFilterDoesWithout(t *testing.T) {
	acct := mem.NewPool(64<<20).Account("table", 0)
	table := spreadTable(t, acct, filteredEntries)
	table.filter = nil
	if err := table.addFilter(mem.NewPool(4<<10).Account("none", 0)); err != nil || table.filter != nil {
		t.Errorf("%v, a filter: %v", err, table.filter != nil)
	}
}
