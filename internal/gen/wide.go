package gen

import (
	"fmt"
	"slices"

	"pqjoin/batch"
)

func wideKind() Kind {
	return Kind{Name: "wide", Uses: []string{"columns", "types", "order"}, rowsPerFile: 250_000, shape: Pyarrow, build: wide,
		About: "key int64: each of [0, rows) once, in -order random (default), sorted or reversed, or in [1, rows] and Zipf-distributed (theta 1) in -order zipf; " +
			"c1, c2 ... of -types int (default), string, null or mixed; -columns in all (default 30)",
		defaults: func(p *Params) {
			setDefault(&p.Columns, 30)
			setDefault(&p.Types, "int")
			setDefault(&p.Order, "random")
		}}
}

// maxColumns keeps the memory of a writer sensible.
const maxColumns = 10_000

func wide(p *Params) (*table, error) {
	if p.Columns > maxColumns {
		return nil, fmt.Errorf("%d columns: at most %d", p.Columns, maxColumns)
	}
	if !slices.Contains([]string{"int", "string", "null", "mixed"}, p.Types) {
		return nil, fmt.Errorf("types %q: int, string, null or mixed", p.Types)
	}
	key, err := wideKey(p)
	if err != nil {
		return nil, err
	}
	t := &table{rows: p.Rows, cols: []column{key}}
	for i := int64(1); i < p.Columns; i++ {
		name := fmt.Sprint("c", i)
		t.cols = append(t.cols, wideColumn(p.Types, i, name, p.stream("wide/"+name)))
	}
	return t, nil
}

func wideKey(p *Params) (column, error) {
	n := max(p.Rows, 1)
	switch p.Order {
	case "random":
		return permuted("key", p.perm("wide/key", n)), nil
	case "zipf":
		return ranked("key", p.stream("wide/key"), newZipf(n, 1)), nil
	case "sorted", "reversed":
		first, step := int64(0), int64(1)
		if p.Order == "reversed" {
			first, step = n-1, -1
		}
		return column{name: "key", typ: int64Type, words: func(r *rows, dst []uint64) {
			for i := range dst {
				dst[i] = uint64(first + step*(r.from+int64(i)))
			}
		}}, nil
	}
	return column{}, fmt.Errorf("order %q: random, sorted, reversed or zipf", p.Order)
}

// wideColumn is column i: where types are mixed they take turns.
func wideColumn(types string, i int64, name string, s stream) column {
	const ints = 1_000_000_000
	switch {
	case types == "int":
		return whole(name, int64Type, s, 0, ints)
	case types == "string":
		return letters(name, s)
	case types == "null":
		return column{name: name, typ: int64Type}
	}
	switch i % 6 {
	case 1:
		return whole(name, int64Type, s, 0, ints)
	case 2:
		return letters(name, s)
	case 3:
		return double(name, s, 1000)
	case 4:
		return whole(name, dateType, s, 8_000, 20_000)
	case 5:
		return whole(name, moneyType, s, 0, ints)
	default:
		c := whole(name, int32Type, s, 0, 1000)
		c.null = func(r *rows, i int) bool { return s.at(^(r.from+int64(i)))%10 == 0 }
		return c
	}
}

// letters is a column of texts of 4 to 16 lower case letters.
func letters(name string, s stream) column {
	const longest = 16
	return column{name: name, typ: batch.Of(batch.String), longest: longest, text: func(r *rows, i int, dst []byte) []byte {
		x := s.at(r.from + int64(i))
		y := mix(x + golden)
		for n := 4 + x%(longest-3); n > 0; n-- {
			dst = append(dst, 'a'+byte(y&15))
			y >>= 4
		}
		return dst
	}}
}
