package gen

import (
	"fmt"

	"pqjoin/batch"
)

var (
	int32Type  = batch.Of(batch.Int32)
	int64Type  = batch.Of(batch.Int64)
	stringType = batch.Of(batch.String)
	dateType   = batch.Of(batch.Date)
	moneyType  = batch.DecimalOf(15, 2)
)

// seedKey is the smallest key of the seed's tables.
const seedKey = 90_000

func seedKind(name string, build func(*Params) (*table, error)) Kind {
	k := Kind{Name: name, Uses: []string{"keys"}, rowsPerFile: 1_000_000, shape: Fastparquet, build: build,
		defaults: func(p *Params) { setDefault(&p.Keys, 10_000) },
		About:    "col1 int64, one of -keys (default 10000) from 90000 on; col2 int64 in [101, 20000); col3 double in [0, 10000)"}
	if name == "seed-test2" {
		k.About = "col1 int64 as in seed-test; col4 double in [0, 10000)"
	}
	return k
}

func seedTest(p *Params) (*table, error) {
	return &table{rows: p.Rows, pandas: true, cols: []column{
		whole("col1", int64Type, p.stream("seed-test/col1"), seedKey, seedKey+p.Keys),
		whole("col2", int64Type, p.stream("seed-test/col2"), 101, 20_000),
		double("col3", p.stream("seed-test/col3"), 10_000),
	}}, nil
}

func seedTest2(p *Params) (*table, error) {
	return &table{rows: p.Rows, pandas: true, cols: []column{
		whole("col1", int64Type, p.stream("seed-test2/col1"), seedKey, seedKey+p.Keys),
		double("col4", p.stream("seed-test2/col4"), 10_000),
	}}, nil
}

func groupKind() Kind {
	return Kind{Name: "group", Uses: []string{"keys", "unique"}, rowsPerFile: 2_500_000, shape: Pyarrow, build: group,
		About: "key int64, uniform in [0, keys) (default 10000), or with -unique a key of [0, keys) (default: as many as rows) at most once, in pseudo-random order; " +
			"v1 int64 in [0, 1000000); v2 double in [0, 1000)",
		defaults: func(p *Params) {
			if p.Unique {
				setDefault(&p.Keys, max(p.Rows, 1))
			}
			setDefault(&p.Keys, 10_000)
		}}
}

func group(p *Params) (*table, error) {
	key := whole("key", int64Type, p.stream("group/key"), 0, p.Keys)
	if p.Unique {
		if p.Keys < p.Rows {
			return nil, fmt.Errorf("%d unique keys for %d rows", p.Keys, p.Rows)
		}
		key = permuted("key", p.perm("group/key", p.Keys))
	}
	return &table{rows: p.Rows, cols: append([]column{key}, measures(p, "group")...)}, nil
}

// permuted is a column whose row x holds the place of x.
func permuted(name string, f *perm) column {
	return column{name: name, typ: int64Type, words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = uint64(f.at(r.from + int64(i)))
		}
	}}
}

func measures(p *Params, table string) []column {
	return []column{
		whole("v1", int64Type, p.stream(table+"/v1"), 0, 1_000_000),
		double("v2", p.stream(table+"/v2"), 1000),
	}
}

func zipfKind() Kind {
	return Kind{Name: "zipf", Uses: []string{"keys", "theta"}, rowsPerFile: 2_500_000, shape: Pyarrow, build: zipfTable,
		About: "key int64 in [1, keys] (default 1000000), with a probability proportional to key^-theta (default 1); v1 int64 and v2 double as in group",
		defaults: func(p *Params) {
			setDefault(&p.Keys, 1_000_000)
			setDefault(&p.Theta, 1)
		}}
}

func zipfTable(p *Params) (*table, error) {
	key := ranked("key", p.stream("zipf/key"), newZipf(p.Keys, p.Theta))
	return &table{rows: p.Rows, cols: append([]column{key}, measures(p, "zipf")...)}, nil
}

// ranked is a column of Zipf-distributed ranks.
func ranked(name string, s stream, z *zipf) column {
	return column{name: name, typ: int64Type, words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = uint64(z.rank(s.at(r.from + int64(i))))
		}
	}}
}
