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
	"pqjoin/plan"
)

var fence = regexp.MustCompile("(?ms)^```(\\w+) ?([^\n]*)\n(.*?)^```$")

// program runs the program and returns what it printed.
func program(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Main(append([]string{"pqjoin"}, args...), nil, &out, &errs); code != 0 {
		t.Fatalf("pqjoin %s: exit %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCookbook runs the job of every page of docs/cookbook over the data on the page: the blocks "csv PATH" with a slash in PATH. The outputs are those of
// the blocks "csv LABEL", and the plan has every line of "text plan".
func TestCookbook(t *testing.T) {
	pages, err := filepath.Glob("../docs/cookbook/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 11 {
		t.Errorf("%d pages, want ten and the README", len(pages))
	}
	for _, page := range pages {
		if filepath.Base(page) != "README.md" {
			t.Run(filepath.Base(page), func(t *testing.T) { cook(t, page) })
		}
	}
}

func cook(t *testing.T, page string) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir := diskDir(t)
	file, job := filepath.Join(dir, "job.yaml"), ""
	results, steps := map[string]string{}, ""
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		switch {
		case m[1] == "yaml":
			job = m[3]
			write(t, file, job)
		case m[1] == "csv" && strings.Contains(m[2], "/"):
			write(t, filepath.Join(dir, m[2]), m[3])
		case m[1] == "csv":
			results[m[2]] = m[3]
		case m[1] == "text":
			steps = m[3]
		}
	}
	planned := program(t, "plan", file, "--mem", "256MB", "--threads", "2")
	for line := range strings.Lines(steps) {
		if !strings.Contains(planned, strings.TrimSpace(line)) {
			t.Errorf("the plan has no %q:\n%s", line, planned)
		}
	}
	program(t, "run", file, "--mem", "256MB", "--threads", "2", "--progress", "none")
	parsed, err := plan.Parse(file, []byte(job), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(parsed.Outputs) {
		t.Errorf("%d results on the page, and the job has %d outputs", len(results), len(parsed.Outputs))
	}
	for _, o := range parsed.Outputs {
		if diff := cmp.Diff(results[o.Label], asCSV(t, dir, o)); diff != "" {
			t.Errorf("output %s (-page +run):\n%s", o.Label, diff)
		}
	}
}

// asCSV returns an output as text.
func asCSV(t *testing.T, dir string, o *plan.Output) string {
	path := o.Path
	if o.Format != plan.FormatCSV {
		back := filepath.Join(dir, o.Label+"-back")
		write(t, back+".yaml", fmt.Sprintf("inputs: {back: %q}\noutputs: {back: %q}\n", o.Path, back+".csv"))
		program(t, "run", back+".yaml", "--mem", "256MB", "--threads", "1", "--progress", "none")
		path = back + ".csv"
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
