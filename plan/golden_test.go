package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"pqjoin/batch"
)

// fixed is a schema source with a few tables.
type fixed struct{}

func field(name string, t batch.Type, nullable bool) batch.Field {
	return batch.Field{Name: name, Type: t, Nullable: nullable}
}

var (
	i32, i64 = batch.Of(batch.Int32), batch.Of(batch.Int64)
	f64, str = batch.Of(batch.Float64), batch.Of(batch.String)
)

func (fixed) Schema(in *Input) (*batch.Schema, error) {
	switch base := in.Paths[0][strings.LastIndexByte(in.Paths[0], '/')+1:]; base {
	case "test":
		return batch.NewSchema(field("col1", i64, false), field("col2", f64, true), field("col3", f64, false)), nil
	case "test2":
		return batch.NewSchema(field("col1", i64, false), field("col4", f64, false)), nil
	case "trades":
		return batch.NewSchema(field("sym", str, false), field("ts", batch.TimestampOf(batch.Micro, true), false), field("px", f64, true),
			field("size", i32, true), field("amount", batch.DecimalOf(12, 2), true), field("ok", batch.Of(batch.Bool), false),
			field("tags", batch.Of(batch.Nested), true)), nil
	case "symbols":
		return batch.NewSchema(field("sym", str, false), field("name", str, true), field("px", f64, false), field("id", i64, false), field("small", batch.Of(batch.Uint16), false)), nil
	case "missing":
		return nil, fmt.Errorf("%s: %w", in.Show[0], ErrNoMatch)
	default:
		return nil, fmt.Errorf("open %s: %w", in.Show[0], fs.ErrNotExist)
	}
}

// testOptions knows the environment TOKEN and what a test sets with set=name:value.
func testOptions(td *datadriven.TestData) Options {
	opts := Options{Set: map[string]string{}, Env: func(name string) (string, bool) {
		return map[string]string{"TOKEN": "s3cr3t", "DIR": "/very/private"}[name], name == "TOKEN" || name == "DIR"
	}}
	for _, a := range td.CmdArgs {
		if a.Key == "set" {
			for _, v := range a.Vals {
				name, value, _ := strings.Cut(v, ":")
				opts.Set[name] = value
			}
		}
	}
	return opts
}

// input undoes what keeps a job readable in a test script: a line of one dot is an empty
// line, → is a tab.
func input(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l == "." {
			lines[i] = ""
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "→", "\t")
}

func render(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return "not an *Error: " + err.Error()
	}
	s := strings.ReplaceAll(e.Error(), "/job/", "") + "\n"
	if d := e.Detail(); d != "" {
		s += d + "\n"
	}
	if errors.Is(err, ErrUnsupported) {
		s += "(unsupported)\n"
	}
	return s
}

// TestGolden runs the scripts in testdata: "plan" prints the resolved plan, "rewrite" the
// rewritten one, "preaggregate" the one that aggregates before joins wherever it can, "job" only whether the file parses; an error is printed with its place.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			job, err := Parse("/job/job.yaml", []byte(input(td.Input)), testOptions(td))
			if err != nil {
				return render(err)
			}
			if td.Cmd == "job" {
				return "ok\n"
			}
			p, err := Resolve(job, fixed{})
			if err != nil {
				return render(err)
			}
			if td.Cmd == "rewrite" || td.Cmd == "preaggregate" {
				if p, err = Rewrite(p); err != nil {
					return render(err)
				}
			}
			if td.Cmd == "preaggregate" {
				way := 0 // both sides
				td.MaybeScanArgs(t, "way", &way)
				Preaggregate(p, func(ways []*Preaggregation) *Preaggregation { return ways[way] })
			}
			return p.String()
		})
	})
}
