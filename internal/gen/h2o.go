package gen

import "errors"

// The tables of h2o's db-benchmark (github.com/h2oai/db-benchmark, _data/groupby-datagen.R and
// join-datagen.R), with their distributions but numbers of our own.

func h2oGroupKind() Kind {
	return Kind{Name: "h2o-g1", Uses: []string{"groups", "nulls", "sorted"}, rowsPerFile: 2_500_000, shape: Pyarrow, build: h2oGroup,
		About: "h2o's group-by table: id1, id2 one of -groups K (default 100) strings, id3 one of rows/K; id4, id5, id6 the same as int32; v1 int32 in [1, 5]; v2 int32 in [1, 15]; " +
			"v3 double. -nulls PERCENT of each id's values are null, and of each v's rows. -sorted by id1 to id6, null first",
		defaults: func(p *Params) { setDefault(&p.Groups, 100) }}
}

func h2oGroup(p *Params) (*table, error) {
	if p.Sorted && p.Groups > 999 {
		return nil, errors.New("sorted with more than 999 groups: id1 would not be in the order of its numbers")
	}
	k, small := p.Groups, max(p.Rows/p.Groups, 1)
	t := &table{rows: p.Rows}
	for i, n := range []int64{k, k, small, k, k, small} {
		name := "h2o-g1/id" + string(rune('1'+i))
		t.ids = append(t.ids, nullable(uniformID(p.stream(name), n), p.perm(name+"/null", n), n*p.Nulls/100))
	}
	if p.Sorted {
		t.sortBy = []int{0, 1, 2, 3, 4, 5}
	}
	t.cols = []column{
		label("id1", "id", 3, 0, k), label("id2", "id", 3, 1, k), label("id3", "id", 10, 2, small),
		number("id4", int32Type, 3), number("id5", int32Type, 4), number("id6", int32Type, 5),
		whole("v1", int32Type, p.stream("h2o-g1/v1"), 1, 6), whole("v2", int32Type, p.stream("h2o-g1/v2"), 1, 16), rounded("v3", p.stream("h2o-g1/v3")),
	}
	if p.Nulls > 0 {
		for i := range t.cols {
			if i < len(t.ids) {
				t.cols[i].null = func(r *rows, row int) bool { return r.ids[i][row] == 0 }
			} else {
				t.cols[i].null = p.someRows("h2o-g1/"+t.cols[i].name, p.Rows)
			}
		}
	}
	return t, nil
}

// uniformID is uniform in [1, n].
func uniformID(s stream, n int64) idFunc {
	return func(r *rows, dst []int64) {
		for i := range dst {
			dst[i] = 1 + s.below(r.from+int64(i), n)
		}
	}
}

// nullable turns few of the values [1, n] of id into 0, which stands for null.
func nullable(id idFunc, f *perm, few int64) idFunc {
	if few == 0 {
		return id
	}
	return func(r *rows, dst []int64) {
		id(r, dst)
		for i, v := range dst {
			if f.at(v-1) < few {
				dst[i] = 0
			}
		}
	}
}

// someRows says of exactly Nulls percent of the rows, rounded down, that they are null.
func (p *Params) someRows(name string, rowCount int64) func(r *rows, i int) bool {
	f, few := p.perm(name+"/null", rowCount), rowCount*p.Nulls/100
	return func(r *rows, i int) bool { return f.at(r.from+int64(i)) < few }
}

// h2oKeys are the keys of one id of the join tables: each side has n of them, nine tenths of
// them common. They lie in [1, n + what one side has alone], in pseudo-random order.
type h2oKeys struct {
	n, common int64
	order     *perm
}

func (p *Params) h2oKeys(id string, n int64) h2oKeys {
	n = max(n, 1)
	common := n * 9 / 10
	return h2oKeys{n: n, common: common, order: p.perm("h2o-j1/keys/"+id, n+n-common)}
}

// universe is the largest key.
func (k h2oKeys) universe() int64 { return 2*k.n - k.common }

// key returns key i of a side.
func (k h2oKeys) key(i int64, right bool) int64 {
	if right && i >= k.common {
		i += k.n - k.common
	}
	return 1 + k.order.at(i)
}

// sampleAll gives each of size rows a key of the side, and each key to a row at least.
func (k h2oKeys) sampleAll(p *Params, name string, size int64, right bool) idFunc {
	place, s := p.perm(name+"/place", size), p.stream(name)
	return func(r *rows, dst []int64) {
		for i := range dst {
			j := place.at(r.from + int64(i))
			if j >= k.n {
				j = s.below(j, k.n)
			}
			dst[i] = k.key(j, right)
		}
	}
}

func h2oJoinKinds() []Kind {
	var all []Kind
	for _, side := range h2oSides {
		all = append(all, Kind{Name: "h2o-j1-" + side.name, About: side.about, Uses: []string{"nulls", "sorted"},
			rowsPerFile: 2_500_000, shape: Pyarrow, build: func(p *Params) (*table, error) { return h2oJoin(p, side) }})
	}
	return all
}

// h2oSide is one of the four join tables.
type h2oSide struct {
	name, about string
	divisor     int64 // of the rows of x
	ids         int
	sortBy      []int
}

var h2oSides = []h2oSide{
	{"x", "h2o's left side: id1, id2, id3 int32 of rows/1e6, rows/1e3 and rows keys; id4, id5, id6 the same as strings; v1 double. -nulls PERCENT of each id's values are null, and of v1's rows. -sorted by id1, id2, id3, before the nulls", 1, 3, []int{0, 1, 2}},
	{"small", "of rows/1e6 rows: id1, id4, v2. A tenth of each side's keys is its own, here as in the others. -nulls changes nothing on right sides. -sorted by id1", 1_000_000, 1, []int{0}},
	{"medium", "of rows/1e3 rows: id1, id2, id4, id5, v2; unique on id2. -sorted by id2", 1_000, 2, []int{1}},
	{"big", "of as many rows as x: id1 to id6, v2; unique on id3. -sorted by id3", 1, 3, []int{2}},
}

func h2oJoin(p *Params, side h2oSide) (*table, error) {
	t := &table{rows: p.Rows}
	if p.Rows > 0 {
		t.rows = max(p.Rows/side.divisor, 1)
	}
	if p.Sorted {
		t.sortBy = side.sortBy
	}
	right := side.name != "x"
	var numbers, labels []column
	for i, n := range []int64{p.Rows / 1_000_000, p.Rows / 1_000, p.Rows}[:side.ids] {
		id := "id" + string(rune('1'+i))
		keys := p.h2oKeys(id, n)
		t.ids = append(t.ids, keys.sampleAll(p, "h2o-j1/"+side.name+"/"+id, t.rows, right))
		num, lab := number(id, int32Type, i), label("id"+string(rune('4'+i)), "id", 1, i, keys.universe())
		if !right && p.Nulls > 0 {
			num.null = keys.someKeys(p, id, i)
			lab.null = num.null
		}
		numbers, labels = append(numbers, num), append(labels, lab)
	}
	v := rounded("v2", p.stream("h2o-j1/"+side.name+"/v"))
	if !right {
		v.name = "v1"
		if p.Nulls > 0 {
			v.null = p.someRows("h2o-j1/x/v1", t.rows)
		}
	}
	t.cols = append(append(numbers, labels...), v)
	return t, nil
}

// someKeys says of exactly Nulls percent of the left side's keys, rounded down, that they are null wherever they stand.
func (k h2oKeys) someKeys(p *Params, name string, id int) func(r *rows, i int) bool {
	f, few := p.perm("h2o-j1/x/"+name+"/null", k.n), k.n*p.Nulls/100
	return func(r *rows, i int) bool { return f.at(k.order.back(r.ids[id][i]-1)) < few }
}
