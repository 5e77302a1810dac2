package gen

import "testing"

func TestTicksAscendAndAreUnique(t *testing.T) {
	for _, name := range []string{"trades", "quotes"} {
		got := readTable(t, write(t, Params{Table: name, Rows: 30_000, Keys: 50, RowsPerFile: 9_000}, 2, 200<<20))
		ts := got["ts"].ints
		for i := 1; i < len(ts); i++ {
			if ts[i] <= ts[i-1] {
				t.Fatalf("%s: row %d is at %d, and the one before at %d", name, i, ts[i], ts[i-1])
			}
		}
		if ts[0] < firstTick || ts[len(ts)-1] >= firstTick+tickSpan {
			t.Errorf("%s goes from %d to %d", name, ts[0], ts[len(ts)-1])
		}
		if n := distinct(got["sym"].texts, nil); n != 50 {
			t.Errorf("%s has %d symbols", name, n)
		}
	}
}
