package groupby

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

var testSchema = batch.NewSchema(
	batch.Field{Name: "i", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "in", Type: batch.Of(batch.Int32), Nullable: true},
	batch.Field{Name: "u", Type: batch.Of(batch.Uint64), Nullable: true},
	batch.Field{Name: "f", Type: batch.Of(batch.Float64), Nullable: true},
	batch.Field{Name: "b", Type: batch.Of(batch.Bool), Nullable: true},
	batch.Field{Name: "d", Type: batch.DecimalOf(38, 2), Nullable: true},
	batch.Field{Name: "s", Type: batch.Of(batch.String), Nullable: true},
	batch.Field{Name: "s2", Type: batch.Of(batch.String)},
	batch.Field{Name: "d9", Type: batch.DecimalOf(9, 3), Nullable: true},
)

// randomRow draws values below about distinct different ones, skewed towards the first.
func randomRow(r *rand.Rand, distinct int, skew bool) []value {
	n := r.IntN(distinct)
	if skew && r.IntN(3) > 0 {
		n = 0
	}
	null := func(v value) value {
		if r.IntN(12) == 0 {
			return nil
		}
		return v
	}
	f := float64(n) * math.Ldexp(1, r.IntN(3)*20)
	switch r.IntN(40) {
	case 0:
		f = math.NaN()
	case 1:
		f = math.Copysign(0, -1)
	case 2:
		f = math.Inf(1)
	case 3:
		f = -f * 1e-9
	}
	long := strings.Repeat("x", r.IntN(3)*n%40)
	return []value{
		int64(n) - 5, null(int64(int32(n * 7))), null(uint64(n)<<50 | uint64(n)), null(f), null(n%2 == 0),
		null(batch.Int128{Lo: uint64(n), Hi: int64(n%5) - 2}), null(fmt.Sprintf("%s%d", long, n)), fmt.Sprintf("key %d", n/3), null(int64(n) * 11),
	}
}

// column makes a column of values, as a dictionary where dict is set.
func column(t *testing.T, acct *mem.Account, typ batch.Type, vals []value, dict bool) *batch.Column {
	t.Helper()
	if dict {
		return dictColumn(t, acct, typ, vals)
	}
	var c *batch.Column
	var err error
	if typ.Kind() == batch.KindBytes {
		total := 0
		for _, v := range vals {
			if v != nil {
				total += len(v.(string))
			}
		}
		if c, err = batch.NewVar(acct, typ, len(vals), total); err == nil {
			at := 0
			for i, v := range vals {
				c.Off[i] = uint32(at)
				if v != nil {
					at += copy(c.Data[at:], v.(string))
				}
			}
			c.Off[len(vals)] = uint32(at)
		}
	} else if c, err = batch.NewFixed(acct, typ, len(vals)); err == nil {
		for i, v := range vals {
			switch x := v.(type) {
			case nil: // whatever lies there
			case bool:
				c.Bools()[i] = byte(bool2int(x))
			case int64:
				c.Int64s()[i] = x
			case uint64:
				c.Int64s()[i] = int64(x)
			case float64:
				c.Float64s()[i] = x
			case batch.Int128:
				c.Int128s()[i] = x
			}
		}
	}
	if err == nil {
		err = setValid(acct, c, vals)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func setValid(acct *mem.Account, c *batch.Column, vals []value) error {
	if !slices.Contains(vals, nil) {
		return nil
	}
	if err := c.NewValid(acct); err != nil {
		return err
	}
	for i, v := range vals {
		if v != nil {
			c.Valid[i/8] |= 1 << (i % 8)
		}
	}
	c.SetNulls()
	return nil
}

func dictColumn(t *testing.T, acct *mem.Account, typ batch.Type, vals []value) *batch.Column {
	t.Helper()
	var entries []value
	codes := make([]uint32, len(vals))
	seen := map[value]uint32{}
	for i, v := range vals {
		if v == nil {
			continue
		}
		name := v
		if f, ok := v.(float64); ok {
			name = math.Float64bits(f) // tells -0.0 from 0.0
		}
		k, ok := seen[name]
		if !ok {
			k = uint32(len(entries))
			seen[name] = k
			entries = append(entries, v)
		}
		codes[i] = k
	}
	if len(entries) == 0 {
		return column(t, acct, typ, vals, false)
	}
	c, err := batch.NewCodes(acct, column(t, acct, typ, entries, false), len(vals))
	if err == nil {
		copy(c.Codes, codes)
		err = setValid(acct, c, vals)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func makeBatch(t *testing.T, acct *mem.Account, schema *batch.Schema, rows [][]value, dict func() bool) *batch.Batch {
	t.Helper()
	b := &batch.Batch{Schema: schema, N: len(rows)}
	for k, f := range schema.Fields {
		vals := make([]value, len(rows))
		for i, r := range rows {
			vals[i] = r[k]
		}
		b.Cols = append(b.Cols, column(t, acct, f.Type, vals, dict()))
	}
	return b
}

// how says under which conditions a case runs; none of them may show in the result.
type how struct {
	workers, partitions, batchRows, outRows int
	table, pool, shared                     int64
	dict, slice, settle                     bool
	seed                                    uint64
}

// run aggregates rows in units and returns the groups, those of a unit in order.
func run(t *testing.T, spec Spec, rows [][]value, h how) ([][]value, Stats, error) {
	t.Helper()
	pool := mem.NewPool(h.pool, mem.Protect())
	acct, in := pool.Account("group", 0), (*mem.Account)(nil)
	dir, err := spillfile.OpenDir(vfs.OS(), t.TempDir(), 1<<40, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	spec.Acct, spec.Dir, spec.Workers, spec.Partitions = acct, dir, h.workers, h.partitions
	spec.TableBytes, spec.MaxLoad, spec.BatchRows, spec.BlockBytes, spec.SharedBytes = h.table, h.table, h.outRows, 4<<10, h.shared
	out, stats, err := runIn(t, spec, rows, h, in)
	if e := errors.Join(acct.Close(), pool.Close(), dir.Close()); e != nil {
		t.Fatal(e)
	}
	return out, stats, err
}

func runIn(t *testing.T, spec Spec, rows [][]value, h how, in *mem.Account) ([][]value, Stats, error) {
	g, err := New(spec)
	if err != nil {
		return nil, Stats{}, err
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx := context.Background()
	if err := putAll(t, g, rows, h, in); err != nil {
		return nil, Stats{}, err
	}
	if err := g.Finish(ctx); err != nil {
		return nil, Stats{}, err
	}
	if h.settle {
		if err := g.Settle(ctx); err != nil {
			return nil, Stats{}, err
		}
	}
	var out [][]value
	src := g.Source()
	for u := range src.Units() {
		st, err := src.Open(ctx, u, spec.Acct)
		if err != nil {
			return nil, Stats{}, err
		}
		got, err := collect(ctx, st)
		if e := st.Close(); e != nil {
			t.Error(e)
		}
		if err != nil {
			return nil, Stats{}, err
		}
		out = append(out, got...)
	}
	return out, g.Stats(), nil
}

func collect(ctx context.Context, st batch.Stream) ([][]value, error) {
	var out [][]value
	for {
		b, err := st.Next(ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, rowsOf(b)...)
		b.Release()
	}
}

// putAll gives every worker its share of the units, at the same time.
func putAll(t *testing.T, g *Grouper, rows [][]value, h how, in *mem.Account) error {
	const unitRows = 700
	var wg sync.WaitGroup
	errs := make([]error, h.workers)
	for w := range h.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewPCG(h.seed, uint64(w)))
			for u := w; u*unitRows < len(rows) && errs[w] == nil; u += h.workers {
				errs[w] = putUnit(t, g, w, u, rows[u*unitRows:min((u+1)*unitRows, len(rows))], h, r, in)
			}
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

func putUnit(t *testing.T, g *Grouper, w, u int, rows [][]value, h how, r *rand.Rand, in *mem.Account) error {
	ctx := context.Background()
	for at := 0; at < len(rows); {
		n := min(1+r.IntN(h.batchRows), len(rows)-at)
		from := at
		if h.slice {
			from = max(at-r.IntN(20), 0)
		}
		b := makeBatch(t, in, g.spec.In, rows[from:at+n], func() bool { return h.dict && r.IntN(2) == 0 })
		if from < at {
			s, err := b.Slice(in, at-from, b.N)
			b.Release()
			if err != nil {
				return err
			}
			b = s
		}
		if err := g.Put(ctx, w, u, b); err != nil {
			return err
		}
		at += n
	}
	return g.EndUnit(ctx, w, u)
}

// allAggs returns every aggregate over every column that takes it.
func allAggs() []Agg {
	aggs := []Agg{{Func: "count", Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)}}
	for c, f := range testSchema.Fields {
		filter := -1
		if c%3 == 0 {
			filter = 4
		}
		aggs = append(aggs, Agg{Func: "count", Arg: c, Filter: filter, Type: batch.Of(batch.Int64)})
		for _, fn := range []string{"min", "max", "first", "last"} {
			aggs = append(aggs, Agg{Func: fn, Arg: c, Filter: filter, Type: f.Type})
		}
		for _, fn := range []string{"arg_min", "arg_max"} {
			aggs = append(aggs, Agg{Func: fn, Arg: c, Arg2: (5*c + 1) % len(testSchema.Fields), Filter: filter, Type: f.Type})
		}
		if f.Type.ID == batch.Bool {
			aggs = append(aggs, Agg{Func: "any", Arg: c, Filter: filter, Type: f.Type}, Agg{Func: "all", Arg: c, Filter: -1, Type: f.Type})
		}
		if !f.Type.IsNumeric() {
			continue
		}
		sum := batch.DecimalOf(38, 2)
		if f.Type.IsFloat() {
			sum = f.Type
		}
		aggs = append(aggs, Agg{Func: "sum", Arg: c, Filter: filter, Type: sum}, Agg{Func: "mean", Arg: c, Filter: filter, Type: batch.Of(batch.Float64)})
	}
	return aggs
}

func specOf(keys []int, aggs []Agg) Spec {
	s := Spec{Name: "test", In: testSchema, Keys: keys, Aggs: aggs, Sort: true}
	out := slices.Clone(testSchema.Select(keys).Fields)
	for i, a := range aggs {
		out = append(out, batch.Field{Name: fmt.Sprintf("%s%d", a.Func, i), Type: a.Type, Nullable: true})
	}
	s.Out = batch.NewSchema(out...)
	return s
}

var diffValues = cmp.Comparer(func(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
})

func check(t rapid.TB, spec Spec, rows, got [][]value) {
	t.Helper()
	want := oracle(&spec, rows)
	if !spec.Sort {
		slices.SortFunc(got, func(a, b []value) int {
			for i := range spec.Keys {
				if c := compareValues(a[i], b[i]); c != 0 {
					return c
				}
			}
			return 0
		})
	}
	if len(want) != len(got) {
		t.Fatalf("%d groups, want %d", len(got), len(want))
	}
	for i := range want {
		if d := cmp.Diff(want[i], got[i], diffValues); d != "" {
			t.Fatalf("group %d: %s", i, d)
		}
	}
}

func TestGroupsEqualTheOracleUnderAllConditions(t *testing.T) {
	aggs := append(allAggs(), listAggs(false)...)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.IntRange(0, len(testSchema.Fields)-1), 0, 3, rapid.ID[int]).Draw(rt, "keys")
		picked := rapid.SliceOfN(rapid.SampledFrom(aggs), 0, 6).Draw(rt, "aggs")
		spec := specOf(keys, picked)
		spec.Sort = rapid.Bool().Draw(rt, "sort")
		spec.DropNulls = rapid.Bool().Draw(rt, "drop")
		checkRandomRows(t, rt, spec, 6000, []int{1, 3, 50, 3000, 1 << 30}, []int{1, 7, 100, 2000})
	})
}

// checkRandomRows groups at most so many random rows, in batches of one of these sizes and keys of about so many different values, and
// holds the result against the oracle.
func checkRandomRows(t *testing.T, rt *rapid.T, spec Spec, most int, distincts, batches []int) {
	distinct := rapid.SampledFrom(distincts).Draw(rt, "distinct")
	n := rapid.IntRange(0, most).Draw(rt, "rows")
	h := how{
		workers: rapid.IntRange(1, 4).Draw(rt, "workers"), partitions: rapid.IntRange(1, 9).Draw(rt, "partitions"),
		batchRows: rapid.SampledFrom(batches).Draw(rt, "batch"), outRows: rapid.IntRange(1, 900).Draw(rt, "out"),
		table: rapid.SampledFrom([]int64{64 << 10, 128 << 10, 4 << 20}).Draw(rt, "table"), pool: 256 << 20,
		shared: rapid.SampledFrom([]int64{0, 3 << 20, 16 << 20}).Draw(rt, "shared"),
		dict:   rapid.Bool().Draw(rt, "dict"), slice: rapid.Bool().Draw(rt, "slice"), seed: rapid.Uint64().Draw(rt, "seed"),
		settle: rapid.Bool().Draw(rt, "settle"),
	}
	r := rand.New(rand.NewPCG(h.seed, 99))
	skew := rapid.Bool().Draw(rt, "skew")
	rows := make([][]value, n)
	for i := range rows {
		rows[i] = randomRow(r, distinct, skew)
	}
	got, _, err := run(t, spec, rows, h)
	if err != nil {
		rt.Fatal(err)
	}
	check(rt, spec, rows, got)
}
