package cli_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"pqjoin/cli"
)

// secretValues are of the environment. Every word of a value is one that nothing printed may hold.
var secretValues = map[string]string{
	"PQ_PLAIN":  "hunterplain",
	"PQ_QUOTES": `hunter'one "huntertwo" hunter\three`,
	"PQ_LINES":  "hunterline\nhunterend",
	"PQ_PATH":   "./hunterdir//huntersub/",
	"PQ_NUMBER": "0077712345",
	"PQ_LONG":   "hunterlong" + strings.Repeat("x", 200),
}

// secretJobs use them in every place that a job has for a text. Those that fail say with which code.
var secretJobs = []struct {
	name, job string
	exit      int
}{
	{"everywhere", `
inputs: {test: d/test}
tables:
  r:
    - from: test
    - compute: {a: "upper('${env:PQ_PLAIN}')", b: "'${env:PQ_LINES}' || 'x'", 'n${env:PQ_PLAIN}': col2, e: "col2 + ${env:PQ_NUMBER}"}
    - check: {expect: ["'${env:PQ_PLAIN}' <> 'b'", "a <> '${env:PQ_LONG}'"], not_null: ["n${env:PQ_PLAIN}"]}
    - index: "n${env:PQ_PLAIN}"
  "t${env:PQ_PLAIN}": [{from: r}, {groupby: {by: "n${env:PQ_PLAIN}", agg: {k: count()}}}]
  j: [{from: r}, {join: {with: "t${env:PQ_PLAIN}", on: "n${env:PQ_PLAIN}", how: left, validate: "m:1"}}, {select: [col1, col2, k]}]
outputs:
  "o${env:PQ_PLAIN}": {table: j, path: "out/${env:PQ_PLAIN}", if_exists: replace}
`, 0},
	{"no input", `{inputs: {test: "d/${env:PQ_QUOTES}/${env:PQ_LINES}"}, outputs: {test: out2/}}`, 2},
	{"no input at a path", `{inputs: {test: "${env:PQ_PATH}"}, outputs: {test: out2/}}`, 2},
	{"no column", `{inputs: {test: d/test}, tables: {"${env:PQ_LINES}": [{from: test}, {index: "${env:PQ_QUOTES}"}]}, outputs: {"${env:PQ_LINES}": out2/}}`, 2},
	{"no number", `{inputs: {test: d/test}, tables: {r: [{from: test}, {compute: {a: "cast('${env:PQ_LINES}' as int64)"}}]}, outputs: {r: out2/}}`, 1},
	{"a long text", `{inputs: {test: d/test}, tables: {r: [{from: test}, {compute: {a: "cast(case when col2 > -1e9 then '${env:PQ_LONG}' else 'a' end as int64)"}}]}, outputs: {r: out2/}}`, 1},
	{"a failed check", `{inputs: {test: d/test}, tables: {r: [{from: test}, {compute: {a: "'${env:PQ_PLAIN}'"}}, {check: {expect: ["a = '${env:PQ_LINES}'"]}}]}, outputs: {r: out2/}}`, 3},
	{"a warning", `{inputs: {test: d/test}, tables: {r: [{from: test}, {check: {expect: ["'${env:PQ_PLAIN}' = ''"], on_fail: warn}}]}, outputs: {r: {path: out/w/, if_exists: replace}}}`, 0},
	{"a wrong bound", `{inputs: {test: d/test}, outputs: {test: out2/}, run: {mem: "${env:PQ_QUOTES}"}}`, 2},
	{"no spill directory", `{inputs: {test: d/test}, outputs: {test: out2/}, run: {spill_dir: "${env:PQ_PATH}"}}`, 2},
}

// call runs the program and returns what it printed.
func call(args ...string) (out, errOut string, exit int) {
	var o, e bytes.Buffer
	exit = cli.Main(append([]string{"pqjoin"}, args...), strings.NewReader(""), &o, &e)
	return o.String(), e.String(), exit
}

// leaks returns the line of a text that holds a secret, or nothing.
func leaks(text string) string {
	for line := range strings.Lines(text) {
		low := strings.ToLower(line)
		for _, word := range []string{"hunter", "77712345"} {
			if strings.Contains(low, word) {
				return line
			}
		}
	}
	return ""
}

func TestNothingPrintedHoldsAValueOfTheEnvironment(t *testing.T) {
	t.Chdir(diskDir(t))
	keepRuntime(t)
	if _, errOut, exit := call("demo", "--rows", "1000", "--dir", "d", "--progress", "none", "--mem", "300MB"); exit != 0 {
		t.Fatal(errOut)
	}
	for name, value := range secretValues {
		t.Setenv(name, value)
	}
	commands := [][]string{
		{"validate"}, {"validate", "--json"}, {"plan"}, {"plan", "--json"}, {"plan", "--format", "dot"}, {"plan", "--format", "mermaid"}, {"plan", "--exact", "--json"},
		{"export", "--to", "duckdb"},
		{"run", "--log-level", "debug", "--progress", "plain"},
		{"run", "--log-level", "debug", "--progress", "none", "--json", "--junit", "checks.xml", "--trace", "run.trace"},
	}
	for _, c := range secretJobs {
		if err := os.WriteFile("job.yaml", []byte(c.job), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range commands {
			args := append(command[:len(command):len(command)], "job.yaml")
			if command[0] != "export" {
				args = append(args, "--mem", "300MB", "--threads", "2")
			}
			out, errOut, exit := call(args...)
			if line := leaks(out + errOut); line != "" {
				t.Errorf("%s: %v prints %q", c.name, command, line)
			}
			if command[0] == "run" && exit != c.exit {
				t.Errorf("%s: %v: exit %d, not %d:\n%s", c.name, command, exit, c.exit, errOut)
			}
		}
		for _, report := range []string{"checks.xml", "run.trace"} {
			if text, _ := os.ReadFile(report); leaks(string(text)) != "" {
				t.Errorf("%s: %s holds %q", c.name, report, leaks(string(text)))
			}
		}
	}
	outputsHoldNone(t)
}

// keepRuntime gives the Go runtime back what a run in this process takes from it.
func keepRuntime(t *testing.T) {
	limit, percent, procs := debug.SetMemoryLimit(-1), debug.SetGCPercent(100), runtime.GOMAXPROCS(0)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
	})
}

// outputsHoldNone looks into the files that the jobs wrote, whose data hold no secret, and at their names.
func outputsHoldNone(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir("out", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		if leaks(filepath.Base(path)) != "" {
			t.Errorf("a file is named %s", path)
		}
		text, err := os.ReadFile(path)
		if line := leaks(string(text)); line != "" {
			t.Errorf("%s holds %.200q", path, line)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files were written: %v", files, err)
	}
}
