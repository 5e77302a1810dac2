package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plainTree turns a node into strings, []any and pairs, which compare.
func plainTree(n *yamlNode) any {
	switch n.kind {
	case yamlScalar:
		return n.value
	case yamlSeq:
		list := []any{}
		for _, i := range n.items {
			list = append(list, plainTree(i))
		}
		return list
	case yamlMap:
		m := map[string]any{}
		for _, e := range n.entries {
			m[e.key.value] = plainTree(e.value)
		}
		return m
	}
	return nil
}

// drawTree makes a random tree of text, lists and mappings.
func drawTree(t *rapid.T, depth int) any {
	kinds := 4
	if depth == 0 {
		kinds = 2
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 2:
		list := []any{}
		for range rapid.IntRange(1, 3).Draw(t, "items") {
			list = append(list, drawTree(t, depth-1))
		}
		return list
	case 3:
		m := map[string]any{}
		for range rapid.IntRange(1, 3).Draw(t, "entries") {
			m[drawText(t)] = drawTree(t, depth-1)
		}
		return m
	}
	return drawText(t)
}

func drawText(t *rapid.T) string {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z_]{1,8}`),
		rapid.StringMatching(`[a-z0-9 '":#,\[\]{}éß>|&*!%@\\$-]{1,12}`),
		rapid.SampledFrom([]string{"a > 5", "ln(value)", "true", "12", "null", "it's", "x # y", "k: v", "a\nb", " ", "~"}),
	).Draw(t, "text")
}

// plainSafe says whether text may stand unquoted anywhere.
func plainSafe(s string) bool {
	if isNull(s) || isBool(s) || strings.TrimSpace(s) != s {
		return false
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return false
	}
	for i, c := range s {
		if !(c >= 'a' && c <= 'z' || c == '_' || i > 0 && strings.ContainsRune(" >()", c)) {
			return false
		}
	}
	return true
}

// writer renders trees as YAML in styles drawn at random.
type writer struct{ t *rapid.T }

func (w writer) scalar(s string) string {
	style := rapid.IntRange(0, 2).Draw(w.t, "style")
	switch {
	case style == 0 && plainSafe(s):
		return s
	case style == 1 && !strings.Contains(s, "\n"):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "é", `\u00e9`).Replace(s) + `"`
}

func (w writer) flow(v any) string {
	var parts []string
	switch v := v.(type) {
	case []any:
		for _, i := range v {
			parts = append(parts, w.flow(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		for _, k := range sortedKeys(v) {
			parts = append(parts, w.scalar(k)+": "+w.flow(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return w.scalar(v.(string))
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

// block renders v behind a dash or a key at the given indentation, line break included.
func (w writer) block(v any, indent int) string {
	pad := strings.Repeat(" ", indent)
	comment := rapid.SampledFrom([]string{"", "  # a comment", "\n\n" + pad + "# above"}).Draw(w.t, "comment")
	if rapid.IntRange(0, 3).Draw(w.t, "flow") == 0 {
		return " " + w.flow(v) + "\n"
	}
	var b strings.Builder
	switch v := v.(type) {
	case []any:
		b.WriteString(comment + "\n")
		for _, i := range v {
			b.WriteString(pad + "-" + w.block(i, indent+2))
		}
	case map[string]any:
		b.WriteString(comment + "\n")
		for _, k := range sortedKeys(v) {
			b.WriteString(pad + w.scalar(k) + ":" + w.block(v[k], indent+2))
		}
	default:
		return " " + w.scalar(v.(string)) + "\n"
	}
	return b.String()
}

// TestReadsWhatYAMLSays renders random trees and reads them back, with our parser and
// with a whole YAML library.
func TestReadsWhatYAMLSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := map[string]any{"root": drawTree(t, 3)}
		text := "root:" + writer{t}.block(tree["root"], 2)
		n, err := parseYAML(splitLines([]byte(text)))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(any(tree), plainTree(n)); diff != "" {
			t.Fatalf("%s\n%s", diff, text)
		}
		var other any
		if err := yaml.Unmarshal([]byte(text), &other); err != nil {
			t.Skipf("the library refuses it: %v\n%s", err, text)
		}
		if diff := cmp.Diff(any(tree), other); diff != "" {
			t.Fatalf("the library reads something else: %s\n%s", diff, text)
		}
	})
}

// hostile are files of about a mebibyte made to take a parser long.
func hostile() map[string]string {
	var keys strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&keys, "k%d: v\n", i)
	}
	rep := strings.Repeat
	return map[string]string{
		"items": rep("- a\n", 250_000), "keys": keys.String(), "words": "a: " + rep("x ", 500_000),
		"flow": "a: [" + rep("x, ", 330_000) + "]", "flow keys": "a: {" + rep("x: y, ", 170_000) + "}",
		"escapes": "a: \"" + rep(`\n`, 500_000) + "\"", "folded": "a: b\n" + rep("  b\n", 250_000), "quoted lines": "a: '" + rep("b\n  ", 200_000) + "'",
		"literal": "a: |\n" + rep("  b\n", 250_000), "comments": rep("#x\n", 330_000), "blank": "a: |" + rep("\n", 1_000_000),
		"colons": rep(":", 1_000_000), "colon keys": rep("a:\n", 300_000), "quotes": rep("'", 1_000_000), "dashes": rep("- ", 500_000), "braces": rep("{", 1_000_000),
		"brackets": "a: " + rep("[", 500_000) + rep("]", 500_000), "questions": rep("? ", 500_000), "deep": deep(1_000),
		"wide line": "a: [" + rep("é, ", 250_000) + "]", "variables": "vars: {a: b}\nname: '" + rep("${a}", 200_000) + "'",
		"verbs":   "inputs: {a: b}\ntables:\n  t:\n    - from: a\n" + rep("    - head: 1\n", 60_000) + "outputs: {t: out/}\n",
		"tables":  "inputs: {a: b}\ntables:\n" + manyTables(20_000) + "outputs: {t0: out/}\n",
		"outputs": "inputs: {a: b}\noutputs:\n" + manyOutputs(20_000), "select": "inputs: {a: b}\ntables:\n  t:\n    - from: a\n    - select: [" + manyNames(100_000) + "]\noutputs: {t: out/}\n",
		"index":   "inputs: {a: b}\ntables:\n  t:\n    - from: a\n    - index: [" + manyNames(100_000) + "]\noutputs: {t: out/}\n",
		"compute": "inputs: {a: data/test}\ntables:\n  t:\n    - from: a\n    - compute:\n" + manyComputed(30_000) + "outputs: {t: out/}\n",
		"filters": "inputs: {a: data/test}\ntables:\n  t:\n    - from: a\n" + rep("    - index: {by: col1, nulls: first}\n", 490) + rep("    - where: col1 > 1\n", 490) + "outputs: {t: out/}\n",
		"parens":  "inputs: {a: b}\ntables:\n  t:\n    - from: a\n    - where: \"" + rep("(", 900_000) + "\"\noutputs: {t: out/}\n",
		"sums":    "inputs: {a: b}\ntables:\n  t:\n    - from: a\n    - where: \"1" + rep("+1", 400_000) + " > 1\"\noutputs: {t: out/}\n",
	}
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func manyTables(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  t%d: [{from: t%d}]\n", i, i+1)
	}
	return b.String() + fmt.Sprintf("  t%d: [{from: a}]\n", n)
}

func manyOutputs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  o%d: {table: a, path: out%d/}\n", i, i)
	}
	return b.String()
}

// manyComputed computes each column from the one before it.
func manyComputed(n int) string {
	var b strings.Builder
	b.WriteString("        c0: col1\n")
	for i := range n {
		fmt.Fprintf(&b, "        c%d: c%d\n", i+1, i)
	}
	return b.String()
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "c%d, ", i)
	}
	return b.String()
}

func TestHostileFilesAreReadOrRefusedInASecond(t *testing.T) {
	for name, text := range hostile() {
		start := time.Now()
		job, err := Parse("job.yaml", []byte(text), Options{})
		if err == nil {
			var p *Plan
			if p, err = Resolve(job, fixed{}); err == nil {
				_, err = Rewrite(p)
			}
		}
		if took := time.Since(start); took > 30*time.Second { // a second is promised; the machine may be shared, and the race detector on
			t.Errorf("%s took %v (%.60v)", name, took, err)
		}
	}
}

func TestFilesOverTheLimitAreRefused(t *testing.T) {
	_, err := Parse("job.yaml", []byte(strings.Repeat("#", maxFile+1)), Options{})
	if err == nil || !strings.Contains(err.Error(), "at most 1048576") {
		t.Fatal(err)
	}
}

// goldenJobs are the job files of the scripts in testdata.
func goldenJobs(tb testing.TB) []string {
	var jobs []string
	files, err := filepath.Glob("testdata/golden/*")
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		for _, block := range strings.Split(string(data), "\n\n") {
			body, _, ok := strings.Cut(block, "\n----\n")
			if _, job, found := strings.Cut(body, "\n"); ok && found {
				if _, job, found = strings.Cut(job, "\n"); found {
					jobs = append(jobs, input(job))
				}
			}
		}
	}
	return jobs
}

// TestDamagedJobsNeverPanic cuts, repeats and overwrites parts of good and bad jobs.
func TestDamagedJobsNeverPanic(t *testing.T) {
	jobs := goldenJobs(t)
	if len(jobs) < 100 {
		t.Fatalf("only %d jobs in testdata", len(jobs))
	}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(rapid.SampledFrom(jobs).Draw(t, "job"))
		for range rapid.IntRange(1, 4).Draw(t, "damages") {
			i := rapid.IntRange(0, len(b)).Draw(t, "from")
			j := rapid.IntRange(i, min(len(b), i+20)).Draw(t, "to")
			put := rapid.SampledFrom([]string{"", "\"", "'", ":", ": ", "\n", " ", "-", "- ", "[", "]", "{", "}", "#", " #", ",", "|", ">", "${", "}", "&", "*", "\t", "null", "é", "\xff", string(b[i:j]) + string(b[i:j])}).Draw(t, "put")
			b = append(append(append([]byte{}, b[:i]...), put...), b[j:]...)
		}
		checkParse(t, b)
	})
}

// checkParse parses and resolves, and checks that an error has its place.
func checkParse(t interface{ Fatalf(string, ...any) }, data []byte) {
	job, err := Parse("job.yaml", data, Options{Env: func(string) (string, bool) { return "", false }})
	if err == nil {
		var p *Plan
		if p, err = Resolve(job, fixed{}); err == nil {
			if p, err = Rewrite(p); err == nil && p.String() == "" {
				t.Fatalf("an empty plan")
			}
		}
	}
	e, ok := err.(*Error)
	if err != nil && (!ok || e.Msg == "" || e.Line < 0 || e.Line > 0 && (e.Column < 1 || e.Column > len(e.Text)+1)) {
		t.Fatalf("an error without its place: %#v", err)
	}
	if ok {
		e.Detail()
	}
}

func FuzzParse(f *testing.F) {
	for _, j := range goldenJobs(f) {
		f.Add([]byte(j))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, data) })
}
