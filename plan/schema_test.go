package plan

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("job.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("job.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is a node as an editor's YAML has it.
func value(n *yamlNode) any {
	switch n.kind {
	case yamlNull:
		return nil
	case yamlSeq:
		out := []any{}
		for _, i := range n.items {
			out = append(out, value(i))
		}
		return out
	case yamlMap:
		out := map[string]any{}
		for _, e := range n.entries {
			out[e.key.value] = value(e.value)
		}
		return out
	}
	if n.style != 0 {
		return n.value
	}
	if isBool(n.value) {
		return strings.EqualFold(n.value, "true")
	}
	if i, err := strconv.ParseInt(n.value, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.value, 64); err == nil && !strings.ContainsAny(n.value, "nN") {
		return f
	}
	return n.value
}

// treeJobs returns the job files in the tree that parse, by where they stand: scripts, pages, workloads and golden tests.
func treeJobs(t *testing.T) map[string]string {
	t.Helper()
	jobs := map[string]string{}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && len(d.Name()) > 2 && d.Name()[0] == '.' {
			return filepath.SkipDir // .venv and the like are not the tree's
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := string(data)
		switch {
		case strings.HasSuffix(path, ".yaml"):
			jobs[path] = s
		case strings.HasSuffix(path, ".md"):
			for i, m := range block.FindAllStringSubmatch(s, -1) {
				jobs[path+" "+strconv.Itoa(i)] = m[1]
			}
		case strings.HasSuffix(path, ".txtar"):
			for part := range strings.SplitSeq(s, "\n-- ") {
				if name, text, ok := strings.Cut(part, " --\n"); ok && strings.HasSuffix(name, ".yaml") {
					jobs[path+" "+name] = text + "\n"
				}
			}
		case strings.Contains(path, "testdata/golden") && filepath.Ext(path) == "":
			for i, part := range strings.Split(s, "\n\n") {
				if text, _, ok := strings.Cut(part, "\n----"); ok {
					_, text, _ = strings.Cut(text, "\n")
					jobs[path+" "+strconv.Itoa(i)] = input(text) + "\n"
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range jobs {
		if parses(text) != nil {
			delete(jobs, where)
		}
	}
	if len(jobs) < 70 {
		t.Fatalf("%d jobs found in the tree: where have they gone?", len(jobs))
	}
	return jobs
}

func parses(text string) error {
	opts := Options{Env: func(string) (string, bool) { return "value", true }}
	for range 20 { // variables that the command line would set
		_, err := Parse("/job/job.yaml", []byte(text), opts)
		if e := (*Error)(nil); errors.As(err, &e) {
			if m := regexp.MustCompile(`\$\{(\w+)\}`).FindStringSubmatch(e.Msg); m != nil && opts.Set[m[1]] == "" {
				if opts.Set == nil {
					opts.Set = map[string]string{}
				}
				opts.Set[m[1]] = "v" + m[1]
				continue
			}
		}
		return err
	}
	return errors.New("too many variables")
}

func TestEveryJobOfTheTreeIsValidByTheSchema(t *testing.T) {
	schema := compileSchema(t)
	for where, text := range treeJobs(t) {
		root, err := parseYAML(splitLines([]byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value(root)); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
}

// mappings calls f for every mapping of the tree.
func mappings(n *yamlNode, f func(*yamlNode)) {
	if n.kind == yamlMap {
		f(n)
		for _, e := range n.entries {
			mappings(e.value, f)
		}
	}
	for _, i := range n.items {
		mappings(i, f)
	}
}

// decodes says whether a tree is a job.
func decodes(root *yamlNode) (err error) {
	j := &Job{File: "job.yaml", Dir: "/job"}
	defer func() {
		if e, ok := recover().(*Error); ok {
			err = e
		}
	}()
	opts := Options{Env: func(string) (string, bool) { return "value", true }}
	d := &decoder{job: j, vars: &variables{job: j, opts: opts, values: map[string]Text{}, used: map[string]bool{}}}
	d.decodeJob(root)
	return nil
}

// TestUnknownKeysAreNoneToTheSchemaEither adds a key to every mapping of every job, and misspells every key: where the decoder does not
// know it, the schema must not either.
func TestUnknownKeysAreNoneToTheSchemaEither(t *testing.T) {
	schema := compileSchema(t)
	refused := 0
	for where, text := range treeJobs(t) {
		root, err := parseYAML(splitLines([]byte(text)))
		if err != nil || decodes(root) != nil {
			continue
		}
		try := func() {
			err := decodes(root)
			if err == nil || !strings.Contains(err.Error(), "unknown key") && !strings.Contains(err.Error(), "unknown verb") {
				return
			}
			refused++
			if schema.Validate(value(root)) == nil {
				t.Errorf("%s: the schema takes what the decoder refuses: %v", where, err)
			}
		}
		mappings(root, func(n *yamlNode) {
			extra := n.entries
			n.entries = append(extra[:len(extra):len(extra)], yamlEntry{key: &yamlNode{kind: yamlScalar, value: "frobnicate"}, value: &yamlNode{kind: yamlScalar, value: "1"}})
			try()
			n.entries = extra
			for i := range n.entries {
				key := *n.entries[i].key
				n.entries[i].key = &yamlNode{kind: yamlScalar, value: key.value + "x", pos: key.pos}
				try()
				n.entries[i].key = &key
			}
		})
	}
	if refused < 300 {
		t.Errorf("%d unknown keys tried, want 300", refused)
	}
}

func TestTheSchemaKnowsTheWordsOfTheLanguage(t *testing.T) {
	schema := compileSchema(t)
	for text, ok := range map[string]bool{
		"where: px >":                                         true, // expressions are the decoder's
		"groupby: {by: a, agg: {n: count()}}":                 true,
		"groupby: {by: a, agg: {n: Sum (x)}}":                 true,
		"groupby: {by: a, agg: {n: summ(x)}}":                 false,
		"groupby: {by: [], agg: {n: '${f}'}}":                 true,
		"window: {columns: {a: 'lead(x, 1)'}}":                true,
		"window: {columns: {a: 'leed(x, 1)'}}":                false,
		"join: {with: b, on: a, how: outer}":                  true,
		"join: {with: b, on: a, how: outr}":                   false,
		"join: {with: b, on: {a: b}, validate: '1:2'}":        false,
		"lag: {column: a, periods: [1, -2]}":                  true,
		"lag: {column: a, periods: 1.5}":                      false,
		"lag: {by: a}":                                        false,
		"head: -1":                                            false,
		"head: '${n}'":                                        true,
		"distinct: some":                                      false,
		"distinct: {by: a, keep: last}":                       true,
		"index: {by: a, nulls: middle}":                       false,
		"check: {rows: {min: 1}, expect: [a > 1, b is null]}": true,
		"check: {}":  false,
		"persist: 3": false,
	} {
		root, err := parseYAML(splitLines([]byte("inputs: {t: data/}\ntables:\n  r:\n    - from: t\n    - " + text + "\noutputs: {r: out/}\n")))
		if err != nil {
			t.Fatal(err)
		}
		if got := schema.Validate(value(root)) == nil; got != ok {
			t.Errorf("%s: valid %v, want %v", text, got, ok)
		}
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if props, ok := v["properties"].(map[string]any); ok {
				for k, p := range props {
					if p, ok := p.(map[string]any); !ok || p["description"] == nil {
						t.Errorf("%s/%s has no description", path, k)
					}
				}
			}
			for k, x := range v {
				walk(path+"/"+k, x)
			}
		case []any:
			for _, x := range v {
				walk(path, x)
			}
		}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	walk("", doc)
}
