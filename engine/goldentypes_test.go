package engine

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/plan"
)

// typesGolden is the folder of answers that DuckDB gives of columns of each type, which make.py there describes.
const typesGolden = "testdata/golden/types"

// typeNamed are the types of the columns there, as they come out of every operator.
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
}

// typesCase is a pipeline over the table t of (id, g, v).
type typesCase struct {
	name    string
	ordered bool
	verbs   []string
}

func typesCases(t *testing.T) []typesCase {
	var out []typesCase
	for _, f := range tabbed(t, "cases.txt") {
		out = append(out, typesCase{f[0], f[1] == "ordered", f[2:]})
	}
	return out
}

// tabbed reads a file of lines with tabs.
func tabbed(t *testing.T, name string) (lines [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(typesGolden, name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return lines
}

// typesAnswers returns DuckDB's rows by type and case.
func typesAnswers(t *testing.T) map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for _, f := range tabbed(t, "answers.txt") {
		for _, typ := range strings.Fields(f[1]) {
			if out[typ] == nil {
				out[typ] = map[string][]string{}
			}
			out[typ][f[0]] = strings.Split(f[2], ";")
		}
	}
	return out
}

// TestEveryTypeThroughEveryOperatorGivesWhatDuckDBGives runs all cases of a type as one job, in memory and in small spilled pieces.
func TestEveryTypeThroughEveryOperatorGivesWhatDuckDBGives(t *testing.T) {
	cases, answers := typesCases(t), typesAnswers(t)
	small := hard(2, 2, 3)
	small.mem = 0 // the floor, at which tables of groups fill
	if len(answers) != len(typeNamed) {
		t.Errorf("there are answers for %d types, want %d", len(answers), len(typeNamed))
	}
	for typ, want := range answers {
		t.Run(typ, func(t *testing.T) {
			values := typesValues(t, typ)
			for _, cond := range []condition{plain, small} {
				dir := t.TempDir()
				stages := runGolden(t, dir, typesJob(t, typ, cases, want), cond)
				if cond.tuning.Resident < 0 {
					allSpilled(t, stages, want)
				}
				for _, c := range cases {
					if want[c.name] == nil {
						continue
					}
					got := &output{}
					if err := got.read(context.Background(), filepath.Join(dir, "out", c.name+".parquet")); err != nil {
						t.Fatal(err)
					}
					if err := sameCells(c, want[c.name], got, values, typeNamed[typ]); err != nil {
						t.Errorf("%s, %v: %v", c.name, cond, err)
					}
				}
			}
		})
	}
}

// typesJob is the job of all cases of a type that DuckDB answers.
func typesJob(t *testing.T, typ string, cases []typesCase, want map[string][]string) string {
	dir, err := filepath.Abs(typesGolden)
	if err != nil {
		t.Fatal(err)
	}
	old := ""
	if typ == "int96" {
		old = "96"
	}
	text := fmt.Sprintf("inputs: {lefts: %s/t%s.parquet, rights: %s/u%s.parquet}\ntables:\n", dir, old, dir, old)
	for _, side := range []string{"t: [{from: lefts}", "u: [{from: rights}"} {
		text += fmt.Sprintf("  %s, {select: [id, g, {v: '\"%s\"'}]}]\n", side, typ)
	}
	text += "  bare: [{from: rights}, {select: [id, g]}]\n  once: [{from: u}, {where: v is not null}, {distinct: [v]}]\n"
	outputs := "outputs:\n"
	for _, c := range cases {
		if want[c.name] == nil {
			continue
		}
		text += fmt.Sprintf("  r_%s:\n    - from: t\n", c.name)
		for _, v := range c.verbs {
			text += "    - " + v + "\n"
		}
		outputs += fmt.Sprintf("  r_%s: out/%s.parquet\n", c.name, c.name)
	}
	return text + outputs
}

// typesValues returns what v has in each row, of t and u, by id.
func typesValues(t *testing.T, typ string) map[int64]any {
	values := map[int64]any{}
	for _, side := range []string{"t", "u"} {
		if typ == "int96" {
			side += "96"
		}
		in := &output{}
		if err := in.read(context.Background(), filepath.Join(typesGolden, side+".parquet")); err != nil {
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
	sinks := []string{"index", "group by", "right side of join", "left side of join"}
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
func sameCells(c typesCase, want []string, got *output, values map[int64]any, typ batch.Type) error {
	if len(want) != len(got.rows) {
		return fmt.Errorf("%d rows, want %d", len(got.rows), len(want))
	}
	anyZero := slices.Contains([]string{"groups", "aggregates", "pairs", "window"}, c.name)
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
		if err = same(left[0], row); err != nil && !c.ordered {
			at = slices.IndexFunc(left, func(line string) bool { return same(line, row) == nil })
		}
		if err != nil && (c.ordered || at < 0) {
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
	for id := batch.Bool; id < batch.Nested; id++ {
		if !ids[id] {
			t.Errorf("no column is of the type %s", batch.Of(id))
		}
	}
	if _, err := plan.Parse("job.yaml", []byte(typesJob(t, "int96", typesCases(t), typesAnswers(t)["int96"])), plan.Options{}); err != nil {
		t.Error(err)
	}
}
