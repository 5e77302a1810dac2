package engine

import (
	"math"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/plan"
)

// near returns a type with a few values that other types have too.
func near(t batch.Type) typed {
	x := typed{typ: t}
	for _, n := range []int64{0, 1, 2, 3, 100} {
		switch t.Kind() {
		case batch.KindBool:
			x.vals = append(x.vals, n == 1)
		case batch.KindFloat64:
			x.vals = append(x.vals, float64(n)/2)
		case batch.KindInt128:
			x.vals = append(x.vals, batch.Int128Of(n*pow10(int(t.Scale)-1)))
		case batch.KindBytes:
			x.vals = append(x.vals, strings.Repeat(string(rune('a'+n%20)), max(t.StoredWidth(), 3)))
		default:
			if t.ID == batch.Decimal {
				n *= pow10(int(t.Scale) - 1)
			}
			x.vals = append(x.vals, n*unitOf(t))
		}
	}
	return x
}

func pow10(n int) int64 { return int64(math.Pow10(max(n, 0))) }

// unitOf returns the ticks of a millisecond.
func unitOf(t batch.Type) int64 {
	if t.ID == batch.Time || t.ID == batch.Timestamp {
		return map[batch.Unit]int64{batch.Milli: 1, batch.Micro: 1e3, batch.Nano: 1e6}[t.Unit]
	}
	return 1
}

// TestKeysAndUnionsOfDifferentTypesMeetExactly has each pair of types as keys of a join and as columns of a union: they
// meet in the type that holds both, or plan refuses them.
func TestKeysAndUnionsOfDifferentTypesMeetExactly(t *testing.T) {
	all := everyType()
	met := 0
	for i, x := range all {
		for _, y := range all[i+1:] {
			a, b := near(x.typ), near(y.typ)
			c := several([][]string{
				{"join: {with: u, on: {k: l}, how: inner}"}, {"index: k", "join: {with: u, on: {k: l}, how: outer, nulls: equal}"}, {"rename: {k: l}", "union: [u]"},
			}, a.input("t", "id", "k", a.rows(25, 0)), b.input("u", "id2", "l", b.rows(20, 1)))
			want, ok := batch.Meet(x.typ, y.typ)
			p, err := c.Resolve("/case")
			if ok != (err == nil) {
				t.Errorf("%s and %s: %v, meet %v", x.typ, y.typ, err, ok)
			}
			if err != nil || !ok {
				continue
			}
			met++
			if got := typeIn(p, "r2", "l"); got != want {
				t.Errorf("%s and %s: a union has %s, want %s", x.typ, y.typ, got, want)
			}
			if a, b := intBits(x.typ), intBits(y.typ); a > 0 && b > 0 && max(a, b) < 64 && !want.IsInteger() {
				t.Errorf("%s and %s meet in %s", x.typ, y.typ, want)
			}
			agree(t, c, hard(2, 7, 3))
		}
	}
	if met < 50 {
		t.Errorf("%d pairs meet", met)
	}
}

func typeIn(p *plan.Plan, label, column string) batch.Type {
	for _, o := range p.Outputs {
		if o.Label == label {
			return o.Node.Schema.Fields[o.Node.Schema.Index(column)].Type
		}
	}
	return batch.Type{}
}

func intBits(t batch.Type) int {
	if !t.IsInteger() {
		return 0
	}
	return 8 * t.StoredWidth()
}

// TestAKeyThatTheFinerUnitDoesNotHoldIsAnError: it is not wrapped around to another moment.
func TestAKeyThatTheFinerUnitDoesNotHoldIsAnError(t *testing.T) {
	ms, ns := typed{typ: batch.TimestampOf(batch.Milli, false)}, typed{typ: batch.TimestampOf(batch.Nano, false)}
	ms.vals, ns.vals = []any{int64(253402300799999)}, []any{int64(0)}
	for _, verb := range []string{"join: {with: u, on: k, how: inner}", "union: [u]"} {
		got, err := runCase(one([]string{verb}, ms.input("t", "id", "k", ms.rows(9, 0)), ns.input("u", "id2", "k", ns.rows(9, 0))), written(t, one([]string{verb},
			ms.input("t", "id", "k", ms.rows(9, 0)), ns.input("u", "id2", "k", ns.rows(9, 0)))), plain)
		if err != nil || got.err == nil || !strings.Contains(got.err.Error(), "9999-12-31 23:59:59.999 does not fit timestamp(ns)") {
			t.Errorf("%s: %v %v", verb, got.err, err)
		}
	}
}

// TestSumsOfEveryNumber has each type of number in what adds, with values that an int64 holds the sum of.
func TestSumsOfEveryNumber(t *testing.T) {
	for i, x := range numberTypes() {
		if x.typ.StoredWidth() == 8 && x.typ.IsInteger() {
			x.vals = []any{int64(1) << 40, int64(7), int64(0), int64(1)<<53 + 1}
		}
		if x.typ.Kind() == batch.KindInt128 {
			x.vals = []any{int128("1" + strings.Repeat("0", 18)), int128("-7"), int128("0"), int128("123456789012345678")}
		}
		aggs := "a: sum(v), b: mean(v), c: count(v), d: min(v), e: \"sum(v) filter (where id > 9)\""
		pipelines := [][]string{
			{"groupby: {by: g, agg: {" + aggs + "}}"}, {"groupby: {by: [], agg: {" + aggs + "}}"},
			{"window: {by: g, order_by: [id], columns: {a: cumsum(v), b: sum(v), c: mean(v), d: \"rolling_sum(v, 3)\", e: \"rolling_mean(v, 2)\", f: \"rolling_min(v, 3)\", h: \"rolling_max(v, 3)\"}}"},
			{"join: {with: u, on: g, how: inner}", "groupby: {by: g, agg: {a: sum(v), b: sum(v_right), n: count()}}"},
		}
		t.Run(x.typ.String(), func(t *testing.T) {
			agree(t, several(pipelines, x.input("t", "id", "v", x.rows(60, 0)), x.input("u", "id2", "v", x.rows(20, 2))), underPressure(i))
		})
	}
}

// TestSumsThatOverflowAreAnError: of every type that can, in every verb that adds.
func TestSumsThatOverflowAreAnError(t *testing.T) {
	nines := int128(strings.Repeat("9", 38))
	for _, x := range []typed{
		{batch.Of(batch.Int64), []any{int64(math.MaxInt64), int64(1)}}, {batch.Of(batch.Int64), []any{int64(math.MinInt64), int64(-1)}},
		{batch.Of(batch.Uint64), []any{int64(math.MaxInt64), int64(1)}}, {batch.Of(batch.Uint64), []any{int64(-1), int64(0)}},
		{batch.DecimalOf(38, 0), []any{nines, batch.Int128Of(1)}}, {batch.DecimalOf(38, 38), []any{nines, nines}},
	} {
		rows := [][]any{{int64(0), int64(0), x.vals[0]}, {int64(1), int64(0), x.vals[1]}, {int64(2), int64(0), nil}}
		for _, verb := range []string{
			"groupby: {by: g, agg: {a: sum(v)}}", "groupby: {by: [], agg: {a: sum(v)}}", "window: {order_by: [id], columns: {a: cumsum(v)}}",
			"window: {by: g, columns: {a: sum(v)}}", "window: {order_by: [id], columns: {a: \"rolling_sum(v, 2)\"}}",
		} {
			c := one([]string{verb}, x.input("t", "id", "v", rows))
			for _, cond := range []condition{plain, hard(2, 1, 2)} {
				got, err := runCase(c, written(t, c), cond)
				if err != nil || got.err == nil || !strings.Contains(got.err.Error(), "overflow") && !strings.Contains(got.err.Error(), "does not fit") && !strings.Contains(got.err.Error(), "hold") {
					t.Errorf("%s, %s: %v %v", x.typ, verb, got.err, err)
				}
			}
		}
	}
}

// TestTextKeepsEveryType writes each type that text can hold and reads it back.
func TestTextKeepsEveryType(t *testing.T) {
	for _, x := range everyType() {
		switch x.typ.ID {
		case batch.Binary, batch.Fixed:
			continue
		case batch.String: // an empty field is null, and a text has no NUL
			x.vals = []any{"a", "Zé", "a,\"b\"\n", " p "}
		case batch.Date, batch.Timestamp:
			x.vals = near(x.typ).vals
		}
		in := x.input("t", "id", "v", x.rows(40, 0))
		in.Format = "csv"
		t.Run(x.typ.String(), func(t *testing.T) {
			agree(t, several([][]string{{"index: [v, id]"}, {"groupby: {by: v, agg: {n: count(), a: first(id)}}"}}, in), hard(2, 7, 3))
		})
	}
}
