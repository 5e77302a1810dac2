package export

import (
	"errors"
	"fmt"
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
	case "case":
		return batch.NewSchema(field("a", batch.Of(batch.Int64)), field("A", batch.Of(batch.Int64))), nil
	}
	return nil, plan.ErrNoMatch
}

func export(file, text string) (string, error) {
	env := map[string]string{"TOKEN": "s3cr3t"}
	job, err := plan.Parse(file, []byte(text), plan.Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if err != nil {
		return "", err
	}
	p, err := plan.Resolve(job, fixed{})
	if err != nil {
		return "", err
	}
	files := map[*plan.Input][]string{}
	for _, in := range job.Inputs {
		if files[in] = []string{in.Paths[0]}; !strings.Contains(in.Paths[0], ".csv") {
			files[in] = []string{in.Paths[0] + "/day=2024-01-01/part.0.parquet", in.Paths[0] + "/day=2024-01-02/part.0.parquet"}
		}
	}
	return DuckDB(p, files)
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
