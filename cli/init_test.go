package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
)

type quote struct {
	Px   float64 `parquet:"px"`
	Ts   int64   `parquet:"ts,timestamp(microsecond)"`
	Sym  string  `parquet:"sym"`
	Legs []int64 `parquet:"legs,list"`
}

type name struct {
	Sym  string `parquet:"sym"`
	Long string `parquet:"long"`
}

// writeQuotes makes quotes.parquet, which has a nested column, and names.parquet.
func writeQuotes(t *testing.T, dir string) {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMicro()
	quotes := []quote{{2, now + 1, "b", []int64{1}}, {1, now, "b", nil}, {3, now, "a", []int64{2, 3}}}
	if err := pq.WriteFile(filepath.Join(dir, "quotes.parquet"), quotes); err != nil {
		t.Fatal(err)
	}
	if err := pq.WriteFile(filepath.Join(dir, "names.parquet"), []name{{"a", "Alpha"}, {"b", "Beta"}}); err != nil {
		t.Fatal(err)
	}
}

// A starter job runs as it is, and so do its suggestions, also where a column cannot be read.
func TestStarterJobOfSymbolsInTime(t *testing.T) {
	dir := diskDir(t)
	writeQuotes(t, dir)
	pqjoin := func(args ...string) string {
		cmd := exec.Command("pqjoin", args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	job := pqjoin("init", "quotes.parquet", "names.parquet")
	for _, line := range []string{
		"# Relative paths start in the folder of the job file.",
		"  #   legs  list<int64 not null>",
		"    - index: [sym, ts]",
		`    # - lag: {column: px, by: sym, periods: [1, 2], as: "{column}_{period}", order_by: ts}`,
		"    # - join: {with: names, on: sym, how: left}",
		"    # - groupby: {by: sym, agg: {rows: count(), mean: mean(px)}}",
	} {
		if !strings.Contains(job, line+"\n") {
			t.Errorf("the job has no line %q:\n%s", line, job)
		}
	}
	for name, text := range map[string]string{
		"job.yaml": job,
		"all.yaml": strings.Replace(regexp.MustCompile(`(?m)^    # - `).ReplaceAllString(job, "    - "), "result: result/", "result: all/", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		pqjoin("validate", name)
		pqjoin("run", name, "--mem", "256MB", "--progress", "none")
	}
	if got := pqjoin("show", "result"); !regexp.MustCompile(`(?s)3 .* a +\[2,3\]\n1 .* b +\[\]\n2 .* b +\[1\]\n`).MatchString(got) {
		t.Errorf("not in order of symbol and time:\n%s", got)
	}
}
