package plan

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTheReferencesExamplesAreGoodJobs resolves every example of docs/job-reference.md:
// whole jobs as they stand, lists of verbs as a pipeline over trades.
func TestTheReferencesExamplesAreGoodJobs(t *testing.T) {
	doc, err := os.ReadFile("../docs/job-reference.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(examples) < 15 {
		t.Fatalf("only %d examples", len(examples))
	}
	opts := Options{Env: func(name string) (string, bool) { return "data", name == "DATA" }}
	for _, e := range examples {
		text := e[1]
		if strings.HasPrefix(text, "- ") {
			text = "inputs: {trades: data/trades, symbols: data/symbols}\noutputs: {t: out/}\ntables:\n  t:\n" + pipeline(text)
		}
		job, err := Parse("/job/job.yaml", []byte(text), opts)
		if err == nil {
			_, err = Resolve(job, fixed{})
		}
		if err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

func pipeline(verbs string) string {
	if !strings.HasPrefix(verbs, "- from") {
		verbs = "- from: trades\n" + verbs
	}
	return "    " + strings.ReplaceAll(strings.TrimSpace(verbs), "\n", "\n    ") + "\n"
}
