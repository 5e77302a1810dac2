package gen

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestH2OGroupHasH2OsValues(t *testing.T) {
	const rows, k = 60_000, 20
	got := readTable(t, write(t, Params{Table: "h2o-g1", Rows: rows, Groups: k, RowsPerFile: 25_000}, 2, 200<<20))
	for name, n := range map[string]int{"id1": k, "id2": k, "id3": rows / k} {
		if d := distinct(got[name].texts, nil); d > n || d < n*9/10 {
			t.Errorf("%s has %d values, of %d", name, d, n)
		}
	}
	for name, n := range map[string]int64{"id4": k, "id5": k, "id6": rows / k, "v1": 5, "v2": 15} {
		got[name].within(t, name, 1, n)
	}
	for i, v := range got["v3"].reals {
		if v < 0 || v > 100 || math.Round(v*1e6)/1e6 != v {
			t.Fatalf("v3 of row %d is %v", i, v)
		}
	}
	if a, b := len(got["id1"].texts[0]), len(got["id3"].texts[0]); a != 5 || b != 12 {
		t.Errorf("id1 and id3 have %d and %d letters, as in %s and %s", a, b, got["id1"].texts[0], got["id3"].texts[0])
	}
}

// order compares rows i and j of a text column, null first.
func (v *values) order(i, j int) int {
	if v.null[i] != v.null[j] {
		if v.null[i] {
			return -1
		}
		return 1
	}
	if v.texts != nil {
		return cmp.Compare(v.texts[i], v.texts[j])
	}
	return cmp.Compare(v.ints[i], v.ints[j])
}

// sorted fails where the table is not in the order of the columns.
func sorted(t *testing.T, tab map[string]*values, by ...string) {
	t.Helper()
	for i := 1; i < tab[by[0]].n; i++ {
		for _, name := range by {
			c := tab[name].order(i-1, i)
			if c < 0 {
				break
			}
			if c > 0 {
				t.Fatalf("rows %d and %d are not in the order of %s", i-1, i, name)
			}
		}
	}
}

func TestH2OGroupSortedHasTheSameIDsInOrder(t *testing.T) {
	p := Params{Table: "h2o-g1", Rows: 200_000, Groups: 20, Nulls: 10, RowsPerFile: 70_000}
	loose := readTable(t, write(t, p, 2, 200<<20))
	p.Sorted = true
	got := readTable(t, write(t, p, 2, 200<<20))
	by := []string{"id1", "id2", "id3", "id4", "id5", "id6"}
	sorted(t, got, by...)
	key := func(tab map[string]*values) []string {
		var all []string
		for i := range tab["id1"].n {
			all = append(all, fmt.Sprint(tab["id1"].texts[i], tab["id2"].texts[i], tab["id3"].texts[i], tab["id4"].ints[i], tab["id5"].ints[i], tab["id6"].ints[i]))
		}
		slices.Sort(all)
		return all
	}
	if !slices.Equal(key(loose), key(got)) {
		t.Error("sorting changed the ids")
	}
	for name, n := range map[string]int{"id1": 18, "id2": 18, "id3": 9000} {
		if d := distinct(got[name].texts, got[name].null); d != n {
			t.Errorf("%s has %d values that are not null, not %d", name, d, n)
		}
	}
	for _, name := range []string{"v1", "v2", "v3"} {
		if len(got[name].null) != 20_000 || len(loose[name].null) != 20_000 {
			t.Errorf("%s has %d and %d nulls", name, len(got[name].null), len(loose[name].null))
		}
	}
}

func TestH2OJoinTablesShareNineTenthsOfTheirKeys(t *testing.T) {
	const rows = 100_000
	side := func(name string) map[string]*values {
		return readTable(t, write(t, Params{Table: "h2o-j1-" + name, Rows: rows, RowsPerFile: 40_000}, 2, 200<<20))
	}
	x, medium, big, small := side("x"), side("medium"), side("big"), side("small")
	if x["id1"].n != rows || big["id1"].n != rows || medium["id1"].n != rows/1000 || small["id1"].n != 1 {
		t.Errorf("%d, %d, %d and %d rows", x["id1"].n, big["id1"].n, medium["id1"].n, small["id1"].n)
	}
	for what, c := range map[string]struct {
		left, right []int64
		n           int
	}{
		"id2": {x["id2"].ints, medium["id2"].ints, rows / 1000},
		"id3": {x["id3"].ints, big["id3"].ints, rows},
	} {
		if l, r := distinct(c.left, nil), distinct(c.right, nil); l != c.n || r != c.n {
			t.Errorf("%s: %d and %d keys, not %d", what, l, r, c.n)
		}
		if both := distinct(slices.Concat(c.left, c.right), nil); both != c.n+c.n/10 {
			t.Errorf("%s: %d keys on both sides together", what, both)
		}
	}
	x["id3"].within(t, "id3", 1, rows*11/10)
	for i, id := range x["id3"].ints {
		if want := fmt.Sprint("id", id); x["id6"].texts[i] != want {
			t.Fatalf("id6 of row %d is %s, not %s", i, x["id6"].texts[i], want)
		}
	}
	if _, ok := big["v2"]; !ok || len(big) != 7 || len(medium) != 5 || len(small) != 3 {
		t.Errorf("%d, %d and %d columns", len(big), len(medium), len(small))
	}
}

func TestH2OJoinVariants(t *testing.T) {
	const rows = 100_000
	x := readTable(t, write(t, Params{Table: "h2o-j1-x", Rows: rows, Nulls: 5, Sorted: true, RowsPerFile: 40_000}, 2, 200<<20))
	if n := distinct(x["id3"].ints, x["id3"].null); n != rows*95/100 || len(x["v1"].null) != rows*5/100 || len(x["id6"].null) != rows*5/100 {
		t.Errorf("%d keys, %d nulls in v1, %d in id6", n, len(x["v1"].null), len(x["id6"].null))
	}
	last := [2]int64{} // the nulls came after sorting: they stand among the others
	for i := range x["id2"].n {
		if x["id2"].null[i] || x["id3"].null[i] {
			continue
		}
		now := [2]int64{x["id2"].ints[i], x["id3"].ints[i]}
		if slices.Compare(last[:], now[:]) > 0 {
			t.Fatalf("row %d is out of order", i)
		}
		last = now
	}
	big := readTable(t, write(t, Params{Table: "h2o-j1-big", Rows: rows, Nulls: 5, Sorted: true, RowsPerFile: 40_000}, 2, 200<<20))
	sorted(t, big, "id3")
	if len(big["id3"].null) != 0 {
		t.Error("a right side has nulls")
	}
}
