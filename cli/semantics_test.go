package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/cli"
)

var semanticsRow = regexp.MustCompile("(?m)^\\| `(.*?)` \\| ([^|]*) \\|")

// TestSemantics runs what docs/semantics.md says of us: expressions, aggregates over the block of data before them, and the job with its results.
func TestSemantics(t *testing.T) {
	page, err := os.ReadFile("../docs/semantics.md")
	if err != nil {
		t.Fatal(err)
	}
	scalars, rest, _ := strings.Cut(string(page), "## Over a column")
	aggregates, orders, _ := strings.Cut(rest, "## Orders")
	dir := diskDir(t)
	write(t, filepath.Join(dir, "one.csv"), "one\n1\n")
	write(t, filepath.Join(dir, "values.csv"), fence.FindStringSubmatch(aggregates)[3])
	rows := 0
	for _, m := range semanticsRow.FindAllStringSubmatch(scalars, -1) {
		rows++
		expectValue(t, dir, "one.csv", fmt.Sprintf("select: {v: %q}", "cast("+strings.ReplaceAll(m[1], `\|`, "|")+" as string)"), m)
	}
	for _, m := range semanticsRow.FindAllStringSubmatch(aggregates, -1) {
		rows++
		expectValue(t, dir, "values.csv", fmt.Sprintf("groupby: {by: [], agg: {v: %q}}", m[1]), m)
	}
	if rows < 30 {
		t.Errorf("%d rows found, want at least 30", rows)
	}
	results := 0
	for _, m := range fence.FindAllStringSubmatch(orders, -1) {
		switch {
		case m[1] == "yaml":
			write(t, filepath.Join(dir, "job.yaml"), m[3])
		case strings.Contains(m[2], "/"):
			write(t, filepath.Join(dir, m[2]), m[3])
		}
	}
	program(t, "run", filepath.Join(dir, "job.yaml"), "--mem", "512MB", "--threads", "2", "--progress", "none")
	for _, m := range fence.FindAllStringSubmatch(orders, -1) {
		if m[1] != "csv" || strings.Contains(m[2], "/") {
			continue
		}
		results++
		got, err := os.ReadFile(filepath.Join(dir, m[2]+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m[3], string(got)); diff != "" {
			t.Errorf("%s (-page +run):\n%s", m[2], diff)
		}
	}
	if results != 7 {
		t.Errorf("%d results compared, want 7", results)
	}
}

// expectValue runs a verb that makes one value, v, and compares it with what a row of the page says.
func expectValue(t *testing.T, dir, from, verb string, row []string) {
	t.Helper()
	job, out := filepath.Join(dir, "value.yaml"), filepath.Join(dir, "value.csv")
	write(t, job, fmt.Sprintf("inputs: {t: %s}\ntables:\n  r:\n    - from: t\n    - %s\noutputs: {r: {path: value.csv, if_exists: replace}}\n", from, verb))
	got := "an error"
	var discard, errs bytes.Buffer
	if code := cli.Main([]string{"pqjoin", "run", job, "--mem", "256MB", "--threads", "1", "--progress", "none"}, nil, &discard, &errs); code == 0 {
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if got = strings.TrimSuffix(strings.TrimPrefix(string(text), "v\n"), "\n"); got == "" {
			got = "null"
		}
	} else if code != 1 && code != 2 {
		t.Errorf("%s: exit %d: %s", row[1], code, errs.String())
	}
	if got != strings.TrimSpace(row[2]) {
		t.Errorf("%s is %s, the page says %s (%s)", row[1], got, row[2], strings.TrimSpace(errs.String()))
	}
}
