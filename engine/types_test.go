package engine

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/testkit/jobgen"
)

// typed is a type with its awkward values: extremes, and what is easily mixed up.
type typed struct {
	typ  batch.Type
	vals []any
}

// everyType returns every type that a column can have.
func everyType() []typed {
	return append(append(numberTypes(), timeTypes()...),
		typed{batch.Of(batch.Bool), []any{true, false}},
		typed{batch.Of(batch.String), []any{"", "a", "a\x00", "pp", "Zé", strings.Repeat("p", 40) + "1", strings.Repeat("p", 40) + "2"}},
		typed{batch.Of(batch.Binary), []any{"", "\x00", "\x00\x00", "\xff", "p", strings.Repeat("p", 16) + "\xff"}},
		typed{batch.Type{ID: batch.Fixed, Width: 3}, []any{"\x00\x00\x00", "\x00\x00\x01", "\xff\xff\xff", "abc"}},
		typed{batch.Type{ID: batch.Fixed, Width: 20}, []any{strings.Repeat("p", 20), strings.Repeat("p", 19) + "\xff", strings.Repeat("\x00", 20)}},
		typed{batch.Of(batch.UUID), []any{strings.Repeat("\x00", 16), strings.Repeat("\xff", 16), "0123456789abcdef", "0123456789abcdeg"}},
	)
}

func numberTypes() []typed {
	list := []typed{}
	for id := batch.Int8; id <= batch.Uint64; id++ {
		t := batch.Of(id)
		bits := uint(8 * t.StoredWidth())
		lo, hi := int64(-1)<<(bits-1), int64(^uint64(0)>>(65-bits))
		if t.IsUnsigned() {
			lo, hi = 0, int64(^uint64(0)>>(64-bits))
		}
		list = append(list, typed{t, []any{lo, hi, lo + 1, hi - 1, int64(0), int64(1), int64(7)}})
	}
	inf, zero := math.Inf(1), math.Copysign(0, -1)
	return append(list,
		typed{batch.Of(batch.Float16), []any{0.0, zero, math.NaN(), inf, -inf, 65504.0, -65504.0, 0x1p-24, 1.5}},
		typed{batch.Of(batch.Float32), []any{0.0, zero, math.NaN(), inf, -inf, float64(float32(math.MaxFloat32)), 0x1p-149, 1.5, 16777216.0}},
		typed{batch.Of(batch.Float64), []any{0.0, zero, math.NaN(), inf, -inf, math.MaxFloat64, -math.MaxFloat64, 0x1p-1074, 1.5, 9007199254740993.0}},
		typed{batch.DecimalOf(9, 2), []any{int64(999999999), int64(-999999999), int64(0), int64(1), int64(-1)}},
		typed{batch.DecimalOf(18, 18), []any{int64(999999999999999999), int64(-999999999999999999), int64(0), int64(1)}},
		typed{batch.DecimalOf(19, 0), []any{int128("9999999999999999999"), int128("-9999999999999999999"), int128("0"), int128("9223372036854775808")}},
		typed{batch.DecimalOf(38, 10), []any{int128(strings.Repeat("9", 38)), int128("-" + strings.Repeat("9", 38)), int128("0"), int128("1"), int128("-1")}},
	)
}

func timeTypes() []typed {
	list := []typed{{batch.Of(batch.Date), []any{int64(math.MinInt32), int64(math.MaxInt32), int64(0), int64(-1), int64(19000)}}}
	for _, u := range []batch.Unit{batch.Milli, batch.Micro, batch.Nano} {
		day := map[batch.Unit]int64{batch.Milli: 86400e3, batch.Micro: 86400e6, batch.Nano: 86400e9}[u]
		for _, utc := range []bool{false, true} {
			list = append(list,
				typed{batch.Type{ID: batch.Time, Unit: u, UTC: utc}, []any{int64(0), day - 1, int64(1), day / 2}},
				typed{batch.TimestampOf(u, utc), []any{int64(math.MinInt64), int64(math.MaxInt64), int64(0), int64(-1), 19000 * day, 19000*day + 1}})
		}
	}
	return list
}

func int128(digits string) batch.Int128 {
	n, _ := new(big.Int).SetString(digits, 10)
	v, _ := batch.Int128FromBig(n)
	return v
}

// valuesOf returns n rows: a number, a small group, and a value of x or, each fifth, null.
func (x typed) rows(n, shift int64) [][]any {
	return generated(int(n), func(i int64) []any {
		row := []any{i, (i*i + i/7) % 5, any(nil)}
		if k := i*7 + i/3 + shift; i%5 != 3 {
			row[2] = x.vals[k%int64(len(x.vals))]
		}
		return row
	})
}

func (x typed) input(name, id, val string, rows [][]any) *jobgen.Input {
	return &jobgen.Input{Name: name, Rows: rows, Files: 3, RowGroupRows: 17, Schema: batch.NewSchema(
		batch.Field{Name: id, Type: batch.Of(batch.Int64)}, batch.Field{Name: "g", Type: batch.Of(batch.Int32)}, batch.Field{Name: val, Type: x.typ, Nullable: true})}
}

// several returns a case with one table and one output for each pipeline, all over the first input.
func several(pipelines [][]string, inputs ...*jobgen.Input) *jobgen.Case {
	c := &jobgen.Case{Inputs: inputs}
	for i, verbs := range pipelines {
		name := fmt.Sprintf("r%d", i)
		c.Pipelines = append(c.Pipelines, &jobgen.Pipeline{Name: name, From: inputs[0].Name, Verbs: verbs})
		c.Outputs = append(c.Outputs, &jobgen.Output{Label: name, Table: name, Path: "out/" + name + "/"})
	}
	return c
}

// underPressure returns a condition under which everything is cut and spilled.
func underPressure(i int) condition {
	return []condition{hard(2, 7, 5), hard(3, 50, 1), hard(1, 3, 2)}[i%3]
}

// TestEveryTypeIsAKey has each type as the key of every operator.
func TestEveryTypeIsAKey(t *testing.T) {
	for i, x := range everyType() {
		t.Run(x.typ.String(), func(t *testing.T) {
			pipelines := [][]string{
				{"index: k"}, {"index: {by: [k desc, g], nulls: first}"},
				{"groupby: {by: k, agg: {n: count(), lo: min(id), hi: max(id), s: sum(id)}}"},
				{"groupby: {by: [g, k], nulls: drop, sort: false, agg: {n: count()}}"},
				{"distinct: [k]"}, {"distinct: {by: [k, g], keep: last}"}, {"select: [k]", "distinct: all"},
				{"lag: {column: id, by: k, periods: [1, -2]}"},
				{"window: {by: k, order_by: [id], columns: {a: row_number(), b: cumsum(id), c: sum(id)}}"},
				{"window: {by: g, order_by: [k], columns: {a: rank(), b: dense_rank()}}"},
				{"where: k is not null", "check: {not_null: [k], unique: [k, id]}"},
				{"index: k", "join: {with: u, on: k, how: left}", "lag: {column: id, by: k, periods: [0, 1]}"},
			}
			for _, how := range joinsOnKeys {
				for _, nulls := range []string{"distinct", "equal"} {
					pipelines = append(pipelines, []string{fmt.Sprintf("join: {with: u, on: k, how: %s, nulls: %s}", how, nulls)})
				}
			}
			agree(t, several(pipelines, x.input("t", "id", "k", x.rows(60, 0)), x.input("u", "id2", "k", x.rows(30, 2))), underPressure(i))
		})
	}
}

// TestEveryTypeIsAValue has each type in every aggregate and window function, and goes with the rows through every operator.
func TestEveryTypeIsAValue(t *testing.T) {
	for i, x := range everyType() {
		t.Run(x.typ.String(), func(t *testing.T) {
			aggs := "a: min(v), b: max(v), c: first(v), d: last(v), e: nunique(v), f: count(v), h: mode(v), i: \"quantile(v, 0.5)\", j: \"arg_min(v, id)\", k: \"arg_max(id, v)\", l: \"arg_min(id, v) filter (where id > 5)\""
			shifts := "a: lag(v), b: \"lead(v, 2)\", c: first(v), d: last(v), e: ffill(v), f: bfill(v), h: cummin(v), i: cummax(v), j: min(v), k: max(v), l: count(v)"
			pipelines := [][]string{
				{"groupby: {by: g, agg: {" + aggs + "}}"}, {"groupby: {by: [], agg: {" + aggs + "}}"}, {"groupby: {by: id, agg: {" + aggs + "}}"},
				{"window: {by: g, order_by: [id], columns: {" + shifts + "}}"}, {"window: {columns: {" + shifts + "}}"},
				{"lag: {column: v, by: g, periods: [1, -2]}"}, {"index: [g desc, id]"}, {"union: [u]"}, {"union: [w]"}, {"head: 31"},
				{"join: {with: u, on: g, how: outer}"}, {"join: {with: u, on: {id: id2}, how: outer}"}, {"where: v is not null"},
				{"distinct: {by: g, keep: last}"}, {"distinct: all"},
				{"join: {with: u, on: {id: id2}, how: left}", "compute: {eq: v = v_right, lt: v < v_right, ge: v >= v_right, c: \"coalesce(v, v_right)\", m: \"greatest(v, v_right)\", n: \"nullif(v, v_right)\", o: \"case when g > 2 then v end\", p: v is distinct from v_right}"},
			}
			w := table("w", "id g", generated(9, func(i int64) []any { return []any{i, i % 3} })...)
			agree(t, several(pipelines, x.input("t", "id", "v", x.rows(60, 0)), x.input("u", "id2", "v", x.rows(30, 2)), w), underPressure(i))
		})
	}
}
