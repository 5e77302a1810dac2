package hashjoin

import (
	"math"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"
)

func farApart(i int) int64 { return int64(mix(uint64(i))) }

// near keys lie ten apart, on both sides of zero.
func near(i int) int64 { return 10 * int64(i-1000) }

// filteredTable returns a table of n unique keys, with its filter.
func filteredTable(t *testing.T, acct *mem.Account, n int, key func(i int) int64) *RightTable {
	t.Helper()
	schema := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	j, err := newJoin(Spec{Name: "t", Kind: Inner, Left: schema, Right: schema, LeftKeys: []int{0}, RightKeys: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	keys := intColumn(n, key)
	table, err := newTable(acct, j.rightKeys, &batch.Batch{Schema: schema, Cols: []*batch.Column{keys}, N: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.Release)
	if err := table.addFilter(acct, 1<<30); err != nil {
		t.Fatal(err)
	}
	return table
}

// wordsOf returns the words of the keys i, for i from lo to hi.
func wordsOf(lo, hi int, key func(i int) int64) *keys {
	k := &keys{}
	col := intColumn(hi-lo, func(i int) int64 { return key(lo + i) })
	k.n, k.words = hi-lo, make([]uint64, hi-lo)
	batch.OrderWords(col, false, 0, k.words)
	return k
}

func TestATableFindsTheSameThroughItsFilter(t *testing.T) {
	const rows = 60_000
	between := func(i int) int64 { // the table's keys, then what lies between them, before them and behind
		others := []int64{near(i-rows) + 1 + int64(i%9), near(0) - int64(i), near(rows) + int64(i), math.MinInt64 + int64(i), math.MaxInt64 - int64(i)}
		if i < rows {
			return near(i)
		}
		return others[i%len(others)]
	}
	for name, c := range map[string]struct {
		key, sought func(i int) int64
		bitmap      bool
		most        int64 // that pass and are not there
	}{"far apart": {farApart, farApart, false, 20_000 / 15}, "near": {near, between, true, 0}} {
		acct := mem.NewPool(64<<20).Account("table", 0)
		table := filteredTable(t, acct, rows, c.key)
		if table.filter == nil || table.bitmap != c.bitmap {
			t.Fatalf("%s: a table of many keys has a filter of %d words, a bit a value: %v", name, len(table.filter), table.bitmap)
		}
		k := wordsOf(rows-500, rows+20_000, c.sought) // 500 keys of the table, then others
		plain, filtered := make([]ref, k.n), slices.Repeat([]ref{{7, 7}}, k.n)
		var a asked
		table.find(k, plain, nil)
		table.find(k, filtered, &a)
		for i := range plain {
			if plain[i].n != filtered[i].n || plain[i].n > 0 && plain[i] != filtered[i] {
				t.Fatalf("%s: key %d: %v through the filter, %v without", name, i, filtered[i], plain[i])
			}
			if hit := i < 500; hit != (plain[i].n == 1) {
				t.Fatalf("%s: key %d: %v", name, i, plain[i])
			}
		}
		if passed := a.seen - a.dropped; a.seen != int64(k.n) || passed < 500 || passed > 500+c.most {
			t.Errorf("%s: %d of %d rows pass, 500 are there", name, passed, a.seen)
		}
	}
}

func TestATableFilterThatDropsLittleIsNotAskedAnyMore(t *testing.T) {
	acct := mem.NewPool(64<<20).Account("table", 0)
	table := filteredTable(t, acct, askTrial, farApart)
	k := wordsOf(0, askTrial, farApart)
	out := make([]ref, k.n)
	var a asked
	table.find(k, out, &a)
	if !a.off || table.asks(&a) {
		t.Errorf("%d of %d rows dropped, and it is asked still", a.dropped, a.seen)
	}
	if small := filteredTable(t, acct, 100, farApart); small.filter != nil {
		t.Error("a table in the caches has a filter")
	}
}

func TestATableWithoutMemoryForAFilterDoesWithout(t *testing.T) {
	acct := mem.NewPool(64<<20).Account("table", 0)
	table := filteredTable(t, acct, filteredEntries, farApart)
	table.filter = nil
	if err := table.addFilter(mem.NewPool(4<<10).Account("none", 0), 1<<30); err != nil || table.filter != nil {
		t.Errorf("%v, a filter: %v", err, table.filter != nil)
	}
	if err := table.addFilter(acct, 4<<10); err != nil || table.filter != nil {
		t.Errorf("%v, a filter in too little room: %v", err, table.filter != nil)
	}
	table = filteredTable(t, acct, filteredEntries, near)
	table.filter, table.bitmap = nil, false
	if err := table.addFilter(mem.NewPool(4<<10).Account("none", 0), 1<<30); err != nil || table.filter != nil || table.bitmap {
		t.Errorf("%v, a filter: %v, which is a bit a value: %v", err, table.filter != nil, table.bitmap)
	}
}
