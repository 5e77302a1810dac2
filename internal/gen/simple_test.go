package gen

import (
	"slices"
	"testing"
)

func TestSeedsTablesHaveTheirRanges(t *testing.T) {
	got := readTable(t, write(t, Params{Table: "seed-test", Rows: 50_000, RowsPerFile: 20_000, Keys: 500}, 2, 200<<20))
	got["col1"].within(t, "col1", 90_000, 90_499)
	got["col2"].within(t, "col2", 101, 19_999)
	if n := distinct(got["col1"].ints, nil); n != 500 {
		t.Errorf("%d keys", n)
	}
	lo, hi := slices.Min(got["col3"].reals), slices.Max(got["col3"].reals)
	if lo < 0 || lo > 10 || hi < 9990 || hi >= 10_000 {
		t.Errorf("col3 in [%v, %v]", lo, hi)
	}
}

func TestUniqueKeysOccurOnce(t *testing.T) {
	for keys, most := range map[int64]int64{0: 30_000, 100_000: 100_000} {
		got := readTable(t, write(t, Params{Table: "group", Rows: 30_000, RowsPerFile: 7000, Keys: keys, Unique: true}, 2, 200<<20))
		got["key"].within(t, "key", 0, most-1)
		if n := distinct(got["key"].ints, nil); n != 30_000 {
			t.Errorf("%d keys", n)
		}
	}
}

func TestWideTables(t *testing.T) {
	want := make([]int64, 5000)
	for i := range want {
		want[i] = int64(i)
	}
	for _, order := range []string{"random", "sorted", "reversed"} {
		key := readTable(t, write(t, Params{Table: "wide", Rows: 5000, RowsPerFile: 1800, Columns: 1, Order: order}, 2, 200<<20))["key"].ints
		if order == "reversed" {
			slices.Reverse(key)
		}
		if order == "random" {
			if slices.IsSorted(key) {
				t.Error("random keys are sorted")
			}
			slices.Sort(key)
		}
		if !slices.Equal(key, want) {
			t.Errorf("%s: not the keys 0 to 4999", order)
		}
	}
	null := readTable(t, write(t, Params{Table: "wide", Rows: 5000, Columns: 4, Types: "null"}, 2, 200<<20))
	if len(null) != 4 || len(null["c3"].null) != 5000 || len(null["key"].null) != 0 {
		t.Errorf("%d columns, %d nulls in c3", len(null), len(null["c3"].null))
	}
	text := readTable(t, write(t, Params{Table: "wide", Rows: 5000, Columns: 2, Types: "string"}, 2, 200<<20))["c1"].texts
	short, long := len(text[0]), len(text[0])
	for _, s := range text {
		short, long = min(short, len(s)), max(long, len(s))
	}
	if short != 4 || long != 16 {
		t.Errorf("texts of %d to %d letters", short, long)
	}
}
