package engine

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/testkit/goldentypes"
)

// typeNamed are the types of the columns of testdata/golden/types, as they come out of every operator.
var typeNamed = map[string]batch.Type{
	"bool": batch.Of(batch.Bool), "int8": batch.Of(batch.Int8), "int16": batch.Of(batch.Int16), "int32": batch.Of(batch.Int32), "int64": batch.Of(batch.Int64),
	"uint8": batch.Of(batch.Uint8), "uint16": batch.Of(batch.Uint16), "uint32": batch.Of(batch.Uint32), "uint64": batch.Of(batch.Uint64),
	"float16": batch.Of(batch.Float16), "float32": batch.Of(batch.Float32), "float64": batch.Of(batch.Float64),
	"decimal9": batch.DecimalOf(9, 2), "decimal18": batch.DecimalOf(18, 6), "decimal38": batch.DecimalOf(38, 10),
	"string": batch.Of(batch.String), "binary": batch.Of(batch.Binary), "fixed": {ID: batch.Fixed, Width: 3}, "uuid": batch.Of(batch.UUID), "date": batch.Of(batch.Date),
	"time_ms": {ID: batch.Time, Unit: batch.Milli}, "time_us": {ID: batch.Time, Unit: batch.Micro}, "time_ns": {ID: batch.Time, Unit: batch.Nano},
	"timestamp_s": batch.TimestampOf(batch.Milli, false), "timestamp_s_utc": batch.TimestampOf(batch.Milli, true), // Parquet has no seconds
	"timestamp_ms": batch.TimestampOf(batch.Milli, false), "timestamp_ms_utc": batch.TimestampOf(batch.Milli, true),
	"timestamp_us": batch.TimestampOf(batch.Micro, false), "timestamp_us_utc": batch.TimestampOf(batch.Micro, true),
	"timestamp_ns": batch.TimestampOf(batch.Nano, false), "timestamp_ns_utc": batch.TimestampOf(batch.Nano, true),
	"int96": batch.TimestampOf(batch.Nano, false),
	"list":  {ID: batch.Nested, Shape: "list<int64>"}, "struct": {ID: batch.Nested, Shape: "struct<a: int32, b: string, c: list<decimal(30, 4)>>"},
	"map": {ID: batch.Nested, Shape: "map<string, list<struct<d: date, t: timestamp(us, utc), f: float32>>>"},
}

// typesGolden reads the golden tests.
func typesGolden(t *testing.T) *goldentypes.Golden {
	t.Helper()
	g, err := goldentypes.Read("testdata/golden/types")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestEveryTypeThroughEveryOperatorGivesWhatDuckDBGives runs all cases of a type as one job, in memory and in small spilled pieces.
func TestEveryTypeThroughEveryOperatorGivesWhatDuckDBGives(t *testing.T) {
	golden := typesGolden(t)
	small := hard(2, 2, 3)
	small.mem = 0 // the floor, at which tables of groups fill
	if len(golden.Answers) != len(typeNamed) {
		t.Errorf("there are answers for %d types, want %d", len(golden.Answers), len(typeNamed))
	}
	for typ, want := range golden.Answers {
		t.Run(typ, func(t *testing.T) {
			values := typesValues(t, golden, typ)
			for _, cond := range []condition{plain, small} {
				dir := t.TempDir()
				stages := runGolden(t, dir, golden.Job(typ), cond)
				if cond.tuning.Resident < 0 {
					allSpilled(t, stages, want)
				}
				for _, c := range golden.Cases {
					if want[c.Name] == nil {
						continue
					}
					got := &output{}
					if err := got.read(context.Background(), filepath.Join(dir, "out", c.Name+".parquet")); err != nil {
						t.Fatal(err)
					}
					if err := sameCells(c, want[c.Name], got, values, typeNamed[typ]); err != nil {
						t.Errorf("%s, %v: %v", c.Name, cond, err)
					}
				}
			}
		})
	}
}

// typesValues returns what v has in each row, of t and u, by id.
func typesValues(t *testing.T, golden *goldentypes.Golden, typ string) map[int64]any {
	values := map[int64]any{}
	lefts, rights := golden.Inputs(typ)
	for _, path := range []string{lefts, rights} {
		in := &output{}
		if err := in.read(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		at := in.schema.Index(typ)
		if got := in.schema.Fields[at].Type; got != typeNamed[typ] {
			t.Fatalf("the column is %s, want %s", got, typeNamed[typ])
		}
		for _, row := range in.rows {
			values[row[0].(int64)] = row[at]
		}
	}
	return values
}

// allSpilled says which operators kept everything in memory.
func allSpilled(t *testing.T, stages []string, want map[string][]string) {
	t.Helper()
	sinks := []string{"index", "right side of join"}
	if want["pairs"] != nil {
		sinks = append(sinks, "group by", "left side of join")
	}
	if want["nearest"] != nil {
		sinks = append(sinks, "right side of as-of", "left side of as-of")
	}
	for _, sink := range sinks {
		if !slices.ContainsFunc(stages, func(s string) bool { return strings.HasPrefix(s, sink) }) {
			t.Errorf("no %s spilled: %q", sink, stages)
		}
	}
}

// sameCells compares an output with DuckDB's rows: in order, or as sets. Of equal zeros either is right where a group shows one.
func sameCells(c goldentypes.Case, want []string, got *output, values map[int64]any, typ batch.Type) error {
	if len(want) != len(got.rows) {
		return fmt.Errorf("%d rows, want %d", len(got.rows), len(want))
	}
	anyZero := slices.Contains([]string{"groups", "aggregates", "pairs", "window"}, c.Name)
	same := func(line string, row []any) error {
		for i, cell := range strings.Split(line, ",") {
			f := got.schema.Fields[i]
			if f.Name == "v" && f.Type != typ {
				return fmt.Errorf("column v is %s, want %s", f.Type, typ)
			}
			if !isCell(cell, row[i], f.Type, values, anyZero) {
				return fmt.Errorf("column %s: %v, want %s of %s", f.Name, row[i], cell, line)
			}
		}
		return nil
	}
	left := slices.Clone(want)
	for i, row := range got.rows {
		var err error
		at := 0
		if err = same(left[0], row); err != nil && !c.Ordered {
			at = slices.IndexFunc(left, func(line string) bool { return same(line, row) == nil })
		}
		if err != nil && (c.Ordered || at < 0) {
			return fmt.Errorf("row %d: %w", i, err)
		}
		left = slices.Delete(left, at, at+1)
	}
	return nil
}

// isCell says whether a value is what a cell of answers.txt says.
func isCell(cell string, v any, t batch.Type, values map[int64]any, anyZero bool) bool {
	if cell == "-" {
		return v == nil
	}
	if ref, ok := strings.CutPrefix(cell, "@"); ok {
		id, _ := strconv.ParseInt(ref, 10, 64)
		return batchtest.Same(values[id], v) || anyZero && values[id] == 0.0 && v == 0.0
	}
	switch v := v.(type) {
	case int64:
		if t.IsUnsigned() {
			return strconv.FormatUint(uint64(v), 10) == cell
		}
		return scaled(big.NewInt(v), int(t.Scale)) == cell
	case batch.Int128:
		return scaled(v.Big(), int(t.Scale)) == cell
	case float64:
		x, err := strconv.ParseFloat(cell, 64)
		return err == nil && math.Abs(x-v) <= 1e-12*math.Abs(x)+5e-324
	}
	return false
}

// scaled writes a decimal.
func scaled(n *big.Int, scale int) string {
	r := new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	return r.FloatString(scale)
}

// TestEveryTypeIsReadAsItsOwn holds the types of the golden tables to all that there are.
func TestEveryTypeIsReadAsItsOwn(t *testing.T) {
	ids := map[batch.TypeID]bool{}
	for _, x := range typeNamed {
		ids[x.ID] = true
	}
	for id := batch.Bool; id <= batch.Nested; id++ {
		if !ids[id] {
			t.Errorf("no column is of the type %s", batch.Of(id))
		}
	}
}
