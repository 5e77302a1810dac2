package groupby

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

// listAggs are the aggregates that make one value of all, or the first, of a group's: for Ordered alone, but for top.
func listAggs(ordered bool) []Agg {
	var out []Agg
	for i, f := range testSchema.Fields {
		l, err := nested.ListOf(f.Type, true)
		if err != nil {
			panic(err)
		}
		filter := -1
		if i%3 == 0 {
			filter = 4
		}
		a := Agg{Arg: i, Filter: filter, Type: l.Batch(), Param: float64(1 + 3*i)}
		if word := f.Type.Kind() != batch.KindBytes && f.Type.Kind() != batch.KindInt128; word && !ordered {
			a.Func, a.Param = "top", min(a.Param, MaxLargest)
			out = append(out, a)
		}
		if ordered {
			for _, fn := range []string{"list", "leading"} {
				a.Func = fn
				out = append(out, a)
			}
		}
	}
	if ordered {
		out = append(out, Agg{Func: "string_agg", Arg: 6, Filter: -1, Type: batch.Of(batch.String), Sep: ", "}, Agg{Func: "string_agg", Arg: 7, Filter: 4, Type: batch.Of(batch.String)})
	}
	return out
}

// oracleList is what the aggregates of listAggs make of a group's rows.
func oracleList(spec *Spec, a Agg, rows [][]value) value {
	var vals []value
	for _, r := range rows {
		if (a.Filter < 0 || r[a.Filter] == true) && (r[a.Arg] != nil || a.Func == "list") {
			vals = append(vals, r[a.Arg])
		}
	}
	if len(vals) == 0 {
		return nil
	}
	switch a.Func {
	case "string_agg":
		var texts []string
		for _, v := range vals {
			texts = append(texts, v.(string))
		}
		return strings.Join(texts, a.Sep)
	case "top":
		slices.SortFunc(vals, func(x, y value) int { return compareValues(y, x) })
		for i, v := range vals {
			if f, ok := v.(float64); ok && f != f {
				vals[i] = math.Float64frombits(0x7ff8 << 48) // as max puts it out
			}
		}
		fallthrough
	case "leading":
		vals = vals[:min(len(vals), int(a.Param))]
	}
	return encoded(spec.In.Fields[a.Arg].Type, vals)
}

func encoded(t batch.Type, vals []value) value {
	var data []byte
	bits, nulls := make([]byte, (len(vals)+7)/8), false
	for i, v := range vals {
		if nulls = nulls || v == nil; v == nil {
			continue
		}
		bits[i/8] |= 1 << (i % 8)
		switch x := v.(type) {
		case bool:
			data = append(data, byte(bool2int(x)))
		case int64:
			data = append(data, binary.LittleEndian.AppendUint64(nil, uint64(x))[:t.StoredWidth()]...)
		case uint64:
			data = binary.LittleEndian.AppendUint64(data, x)
		case float64:
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
		case batch.Int128:
			data = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(data, x.Lo), uint64(x.Hi))
		case string:
			data = append(binary.AppendUvarint(data, uint64(len(x))), x...)
		}
	}
	n := binary.AppendUvarint(nil, uint64(2*len(vals)+bool2int(nulls)))
	if nulls {
		n = append(n, bits...)
	}
	return string(append(n, data...))
}

// texts is a batch of rows with key k and a text of size bytes.
func texts(t *testing.T, schema *batch.Schema, k int64, n, size int) *batch.Batch {
	t.Helper()
	keys, vals := make([]value, n), make([]value, n)
	for i := range n {
		keys[i], vals[i] = k, strings.Repeat("y", size)
	}
	return &batch.Batch{Schema: schema, N: n, Cols: []*batch.Column{
		column(t, nil, schema.Fields[0].Type, keys, false), column(t, nil, schema.Fields[1].Type, vals, false)}}
}

func TestAGroupThatOutgrowsTheBoundIsNamed(t *testing.T) {
	in := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "s", Type: batch.Of(batch.String)})
	list, _ := nested.ListOf(batch.Of(batch.String), true)
	for _, a := range []Agg{{Func: "string_agg", Arg: 1, Filter: -1, Type: batch.Of(batch.String)}, {Func: "list", Arg: 1, Filter: -1, Type: list.Batch()}} {
		pool := mem.NewPool(8<<20, mem.Protect())
		acct := pool.Account("ordered", 0)
		out := batch.NewSchema(in.Fields[0], batch.Field{Name: "all", Type: a.Type, Nullable: true})
		o, err := NewOrdered(Spec{Name: "t", In: in, Out: out, Keys: []int{0}, Aggs: []Agg{a}, Acct: acct})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		err = o.Begin(ctx, 0, nil)
		for i := 0; i < 100 && err == nil; i++ {
			var bs []*batch.Batch
			bs, err = o.Push(ctx, texts(t, in, int64(i/20), 200, 200)) // 800 KB a key
			for _, b := range bs {
				b.Release()
			}
		}
		for i := 0; i < 400 && err == nil; i++ {
			var bs []*batch.Batch
			bs, err = o.Push(ctx, texts(t, in, 7777, 200, 200))
			for _, b := range bs {
				b.Release()
			}
		}
		if !errors.Is(err, mem.ErrLimit) || !strings.Contains(err.Error(), "the values of the group for k=7777 do not fit in memory") {
			t.Errorf("%s: %v", a.Func, err)
		}
		if err := errors.Join(o.Close(), acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestAListOfTooManyElementsIsAnError lowers the limit, which is more than a test can reach: nulls, too, count.
func TestAListOfTooManyElementsIsAnError(t *testing.T) {
	in := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: batch.Of(batch.Int64), Nullable: true})
	list, err := nested.ListOf(batch.Of(batch.Int64), true)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{10: "", 11: "the values of the group for k=5 do not fit in memory: more than 10 elements"} {
		pool := mem.NewPool(8<<20, mem.Protect())
		acct := pool.Account("ordered", 0)
		out := batch.NewSchema(in.Fields[0], batch.Field{Name: "all", Type: list.Batch(), Nullable: true})
		o, err := NewOrdered(Spec{Name: "t", In: in, Out: out, Keys: []int{0}, Aggs: []Agg{{Func: "list", Arg: 1, Filter: -1, Type: list.Batch()}}, Acct: acct})
		if err != nil {
			t.Fatal(err)
		}
		k := o.lay.aggs[0].kernel.(gatherList)
		if k.limit != maxGathered {
			t.Errorf("the limit is %d", k.limit)
		}
		k.limit = 10
		o.lay.aggs[0].kernel = k
		keys := slices.Repeat([]value{int64(5)}, n)
		b := &batch.Batch{Schema: in, N: n, Cols: []*batch.Column{column(t, nil, in.Fields[0].Type, keys, false), column(t, nil, in.Fields[1].Type, make([]value, n), false)}}
		err = o.Begin(t.Context(), 0, nil)
		if err == nil {
			_, err = o.Push(t.Context(), b)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d elements: %v", n, err)
		}
		if err := errors.Join(o.Close(), acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestAGatheredAggregateNeedsItsRowsInOrder(t *testing.T) {
	for _, a := range listAggs(true) {
		if _, err := New(specOf([]int{0}, []Agg{a})); err == nil || !strings.Contains(err.Error(), "needs its rows in order") {
			t.Errorf("%s: %v", a.Func, err)
		}
	}
}

func TestEstimatesAreWithinTheirError(t *testing.T) {
	mix := func(h uint64) uint64 { // SplitMix64's finaliser
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		return h ^ h>>31
	}
	for _, n := range []int{0, 1, 2, 10, 100, 1000, 5000, 10_000, 20_000, 100_000, 3_000_000} {
		least := map[uint64]uint64{}
		for i := range n {
			h := mix(uint64(i+1) * 0x9e3779b97f4a7c15)
			if old, ok := least[h>>52]; !ok || h < old {
				least[h>>52] = h
			}
		}
		got := estimate(stateOfHashes(t, least))
		if off := math.Abs(float64(got) - float64(n)); off > 0.5 && off/float64(n) > 4*0.0163 {
			t.Errorf("%d values are estimated as %d", n, got)
		}
	}
	all := make(map[uint64]uint64)
	for i := range uint64(registerCount) {
		all[i] = i << 52
	}
	if got := estimate(stateOfHashes(t, all)); got < 1<<60 {
		t.Errorf("registers at their most are %d values", got)
	}
}

// stateOfHashes is the state that registers has after one row of each hash.
func stateOfHashes(t *testing.T, hashes map[uint64]uint64) []uint64 {
	t.Helper()
	tab := &table{lay: &layout{stride: 3}, ent: make([]uint64, 6)}
	for _, h := range hashes {
		c := &batch.Column{Type: batch.Of(batch.Uint64), N: 1, Fixed: batch.BytesOf([]uint64{h})}
		if err := (registers{}).update(tab, 0, &input{col: c, ent: []uint32{1}}); err != nil {
			t.Fatal(err)
		}
	}
	return tab.ent[3:]
}
