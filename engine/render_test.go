package engine

import (
	"encoding/json"
	"math"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
)

// JSON keeps numbers, bools and null apart from texts, whole and exact.
func TestCellsAreJSONOfTheirType(t *testing.T) {
	for _, c := range []struct {
		typ  batch.Type
		v    expr.Value
		want string
	}{
		{batch.Of(batch.Int64), expr.Value{Int: math.MinInt64}, `-9223372036854775808`},
		{batch.Of(batch.Uint64), expr.Value{Int: -1}, `18446744073709551615`},
		{batch.Of(batch.Bool), expr.Value{Bool: true}, `true`},
		{batch.Of(batch.Float64), expr.Value{Float: 0.1}, `0.1`},
		{batch.Of(batch.Float64), expr.Value{Float: 1e300}, `1e+300`},
		{batch.Of(batch.Float32), expr.Value{Float: float64(float32(0.1))}, `0.1`},
		{batch.Of(batch.Float64), expr.Value{Float: math.NaN()}, `"NaN"`},
		{batch.Of(batch.Float64), expr.Value{Float: math.Inf(-1)}, `"-Inf"`},
		{batch.DecimalOf(12, 2), expr.Value{Int: -105}, `-1.05`},
		{batch.DecimalOf(30, 3), expr.Value{Int128: batch.Int128{Lo: 7}}, `0.007`},
		{batch.Of(batch.Date), expr.Value{Int: 1}, `"1970-01-02"`},
		{batch.Of(batch.String), expr.Value{Bytes: []byte("null")}, `"null"`},
		{batch.Of(batch.String), expr.Value{Null: true}, `null`},
		{batch.Of(batch.Binary), expr.Value{Bytes: []byte{1, 255}}, `"0x01ff"`},
	} {
		got, err := json.Marshal(cellOf(c.typ, c.v, math.MaxInt))
		if err != nil || string(got) != c.want {
			t.Errorf("%v: %s, %v, want %s", c.typ, got, err, c.want)
		}
	}
}

func TestBoundsAreComparedAsTheirType(t *testing.T) {
	for _, c := range []struct {
		typ  batch.Type
		less expr.Value
		more expr.Value
	}{
		{batch.Of(batch.Int32), expr.Value{Int: -1}, expr.Value{Int: 1}},
		{batch.Of(batch.Uint64), expr.Value{Int: 1}, expr.Value{Int: -1}},
		{batch.Of(batch.Float64), expr.Value{Float: -1.5}, expr.Value{Float: 0.5}},
		{batch.Of(batch.Bool), expr.Value{}, expr.Value{Bool: true}},
		{batch.DecimalOf(30, 0), expr.Value{Int128: batch.Int128{Hi: -1}}, expr.Value{Int128: batch.Int128{Lo: 1}}},
		{batch.Of(batch.String), expr.Value{Bytes: []byte("B")}, expr.Value{Bytes: []byte("a")}},
	} {
		if compareValues(c.typ, c.less, c.more) >= 0 || compareValues(c.typ, c.more, c.less) <= 0 {
			t.Errorf("%v: %v is not below %v", c.typ, c.less, c.more)
		}
	}
}
