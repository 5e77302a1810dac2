package text

import (
	"testing"

	"pqjoin/tableio/format"
)

func TestRowsAndUnitsAreEstimatedFromAFilesHead(t *testing.T) {
	for name, c := range map[string]struct {
		in    Input
		head  Head
		rows  int64
		units []format.Unit
	}{
		"all of it":            {Input{size: 100}, Head{Rows: 7, From: 10, N: 100, Whole: true}, 7, []format.Unit{{Rows: 3, Bytes: 50, Raw: 50}, {Rows: 4, Bytes: 50, Raw: 50}}},
		"a part":               {Input{size: 110}, Head{Rows: 5, From: 10, N: 60}, 10, []format.Unit{{Rows: 3, Bytes: 36, Raw: 36}, {Rows: 3, Bytes: 37, Raw: 37}, {Rows: 4, Bytes: 37, Raw: 37}}},
		"nothing":              {Input{}, Head{Whole: true}, 0, []format.Unit{{Rows: 1}}},
		"compressed, a part":   {Input{size: 100, codec: Gzip}, Head{Rows: 10, N: 200}, 20, []format.Unit{{Rows: 20, Bytes: 100, Raw: 400}}},
		"compressed, all":      {Input{size: 100, codec: Zstd}, Head{Rows: 10, N: 900, Whole: true}, 10, []format.Unit{{Rows: 10, Bytes: 100, Raw: 900}}},
		"no row in what is of": {Input{size: 40}, Head{}, 1, []format.Unit{{Rows: 1, Bytes: 40, Raw: 40}}},
	} {
		rows, units := c.in.Estimate(c.head, 50)
		if rows != c.rows || len(units) != len(c.units) {
			t.Errorf("%s: %d rows, %v", name, rows, units)
			continue
		}
		for i, u := range units {
			if u != c.units[i] {
				t.Errorf("%s: unit %d is %+v, expected %+v", name, i, u, c.units[i])
			}
		}
	}
}
