package export

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"pqjoin/batch"
	"pqjoin/plan"
)

// fixed is a schema source with a few tables.
type fixed struct{}

func (fixed) Schema(in *plan.Input) (*batch.Schema, error) {
	field := func(name string, t batch.Type) batch.Field { return batch.Field{Name: name, Type: t, Nullable: true} }
	switch base := in.Paths[0][strings.LastIndexByte(in.Paths[0], '/')+1:]; base {
	case "test":
		return batch.NewSchema(field("col1", batch.Of(batch.Int64)), field("col2", batch.Of(batch.Float64)), field("col3", batch.Of(batch.Float64))), nil
	case "test2":
		return batch.NewSchema(field("col1", batch.Of(batch.Int64)), field("col4", batch.Of(batch.Float64))), nil
	case "trades", "trades.csv":
		return batch.NewSchema(field("sym", batch.Of(batch.String)), field("ts", batch.TimestampOf(batch.Micro, true)), field("at", batch.TimestampOf(batch.Nano, false)),
			field("day", batch.Of(batch.Date)), field("size", batch.Of(batch.Int32)), field("small", batch.Of(batch.Uint8)), field("amount", batch.DecimalOf(12, 2)), field("ok", batch.Of(batch.Bool))), nil
	case "floats":
		return batch.NewSchema(field("x", batch.Of(batch.Float64)), field("y", batch.Of(batch.Float64))), nil
	case "lines":
		return batch.NewSchema(field("a\nb", batch.Of(batch.Int64))), nil
	case "parts":
		nested := func(shape string) batch.Type { return batch.Type{ID: batch.Nested, Shape: shape} }
		return batch.NewSchema(field("l", nested("list<int64 not null>")), field("m", nested("map<string, list<struct<d: date, p: decimal(30, 4)>>>")), field("s", nested("struct<\"a b\": time(ns), t: timestamp(ms), u: uuid not null>"))), nil
	case "twins":
		return batch.NewSchema(field("s", batch.Type{ID: batch.Nested, Shape: "struct<a: int64, A: int64>"})), nil
	case "clocks":
		return batch.NewSchema(field("a", batch.Type{ID: batch.Time, Unit: batch.Milli, UTC: true}), field("b", batch.Type{ID: batch.Time, Unit: batch.Nano, UTC: true})), nil
	case "case":
		return batch.NewSchema(field("a", batch.Of(batch.Int64)), field("A", batch.Of(batch.Int64))), nil
	}
	return nil, plan.ErrNoMatch
}

func export(file, text string) (string, error) {
	env := map[string]string{"TOKEN": "s3cr3t", "LINES": "s3cr3t\n-it's- [s3cr3t]", "BREAK": "s3cr3t\ntoo", "QUOTE": "s3\"cr3t"}
	job, err := plan.Parse(file, []byte(text), plan.Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if err != nil {
		return "", err
	}
	p, err := plan.Resolve(job, fixed{})
	if err != nil {
		return "", err
	}
	found := map[*plan.Input]plan.Found{}
	for _, in := range job.Inputs {
		f := plan.Found{Files: []string{in.Paths[0]}, Format: plan.FormatCSV}
		if !strings.Contains(in.Paths[0], ".csv") {
			f = plan.Found{Files: []string{in.Paths[0] + "/day=2024-01-01/part.0.parquet", in.Paths[0] + "/day=2024-01-02/part.0.parquet"},
				Format: plan.FormatParquet, Dirs: []string{"day"}}
		}
		if in.Format != "" {
			f.Format = in.Format
		}
		found[in] = f
	}
	return DuckDB(p, found)
}

// TestGolden prints the SQL of jobs without what stands above the steps ("sql"), or with it ("script").
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			sql, err := export("/job/job.yaml", td.Input)
			if e := (*plan.Error)(nil); errors.As(err, &e) {
				return fmt.Sprintf("%s\n%s\n", strings.ReplaceAll(e.Error(), "/job/", ""), e.Detail())
			}
			if err != nil {
				return err.Error() + "\n"
			}
			if td.Cmd == "sql" {
				_, sql, _ = strings.Cut(sql, "preserve_insertion_order = true;\n")
				if strings.HasPrefix(sql, "-- A condition") {
					_, sql, _ = strings.Cut(sql, ";\n")
				}
			}
			return strings.ReplaceAll(strings.TrimPrefix(sql, "\n"), "\n\n", "\n")
		})
	})
}

func TestNoSecretIsExpanded(t *testing.T) {
	sql, err := export("/job/job.yaml", "inputs: {t: '/data/${env:TOKEN}/test'}\ntables:\n  r:\n    - from: t\n    - compute: {x: \"'${env:TOKEN}'\", y: \"upper('it is ${env:TOKEN}')\"}\noutputs: {r: out.parquet}\n")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sql, "s3cr3t") || strings.Count(sql, "${env:TOKEN}") < 4 {
		t.Errorf("the SQL holds a secret, or lost it:\n%s", sql)
	}
	if !strings.Contains(sql, "-- Replace ${env:NAME} by the values") {
		t.Error("nobody is told to put the values in")
	}
}

func TestNoSecretWithLineEndsOrQuotesIsExpanded(t *testing.T) {
	sql, err := export("/job/job.yaml", "inputs: {t: '/data/${env:LINES}/test'}\ntables:\n  r:\n    - from: t\n    - compute: {x: \"upper('${env:BREAK}')\", '${env:QUOTE}': col1}\noutputs: {r: out.parquet}\n")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sql, "s3cr3t") || strings.Contains(sql, "s3\"") || !strings.Contains(sql, "upper('${env:BREAK}')") || !strings.Contains(sql, "/data/${env:LINES}/test/") {
		t.Errorf("the SQL holds a secret, or lost it:\n%s", sql)
	}
}

// TestDirectories exports a table whose files lie below /run=1/job, the job's folder, where tableio found the columns dirs in their paths.
func TestDirectories(t *testing.T) {
	for name, c := range map[string]struct {
		columns string
		dirs    []string
		files   []string
		want    string // of the SQL or the error
	}{
		"in all paths":            {"day x", []string{"day"}, []string{"in/day=1/a.parquet", "in/day=2/a.parquet"}, `CAST("day" AS BIGINT) AS "day", "x"`},
		"with wildcards":          {"x", nil, []string{"in/a[1]?*.parquet"}, `'/run=1/job/in/a[[]1][?][*].parquet'`},
		"not read":                {"x", []string{"day"}, []string{"in/day=1/a.parquet"}, "hive_partitioning = false"},
		"in the files":            {"run x", nil, []string{"in/a.parquet"}, "hive_partitioning = false"},
		"in the last file's path": {"day x", []string{"day"}, []string{"in/a.parquet", "in/day=2/a.parquet"}, `a column, "day", which the directories of some file do not give`},
		"a name in other words":   {"a~b x", []string{"a~b"}, []string{"in/a%7Eb=1/a.parquet"}, `a column, "a~b", which the directories of some file do not give, or not as it is written`},
		"no column for DuckDB":    {"day x", []string{"day"}, []string{"in/day=1=1/a.parquet"}, "or not as it is written"},
		"above the job too":       {"run x", []string{"run"}, []string{"in/run=1/a.parquet"}, `a column, "run", which two directories give, one above the job,`},
		"above the job and in it": {"day RUN x", []string{"day"}, []string{"in/day=1/a.parquet"}, `a column, "RUN", which a directory above the job gives as well,`},
	} {
		job, err := plan.Parse("/run=1/job/job.yaml", []byte("inputs: {t: in}\noutputs: {t: out.parquet}\n"), plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Resolve(job, named(strings.Fields(c.columns)))
		if err != nil {
			t.Fatal(err)
		}
		found := plan.Found{Format: plan.FormatParquet, Dirs: c.dirs}
		for _, f := range c.files {
			found.Files = append(found.Files, "/run=1/job/"+f)
		}
		sql, err := DuckDB(p, map[*plan.Input]plan.Found{job.Inputs[0]: found})
		if err != nil {
			sql = err.Error()
		}
		if !strings.Contains(sql, c.want) {
			t.Errorf("%s: %s\nwant %s", name, sql, c.want)
		}
	}
}

// named is a schema source of one table with columns of int64.
type named []string

func (names named) Schema(*plan.Input) (*batch.Schema, error) {
	var fields []batch.Field
	for _, n := range names {
		fields = append(fields, batch.Field{Name: n, Type: batch.Of(batch.Int64)})
	}
	return batch.NewSchema(fields...), nil
}

func TestWords(t *testing.T) {
	for v, want := range map[float64]string{0: "0e0", 4: "4e0", -0.5: "-0.5e0", 1e-5: "1e-05", 1e21: "1e+21", 1234567: "1.234567e+06",
		math.Inf(1): "CAST('inf' AS DOUBLE)", math.Inf(-1): "CAST('-inf' AS DOUBLE)"} {
		if got := double(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	for s, want := range map[string]string{"it's": "'it''s'", "a\nb": "('a' || chr(10) || 'b')", "\r\n": "('' || chr(13) || '' || chr(10) || '')", "'\x00": "('''' || chr(0) || '')"} {
		if got := text(s); got != want {
			t.Errorf("%q is written %s, want %s", s, got, want)
		}
	}
}
