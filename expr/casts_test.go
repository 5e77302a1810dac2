package expr_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
)

// castCase is a cast of the values of one type to another, and what DuckDB gives of each; "none" alone where it has no such cast.
type castCase struct {
	from, to     string
	values, want []string
}

func castCases(t *testing.T) (cases []castCase) {
	t.Helper()
	f, err := os.Open("testdata/casts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, l := range lines {
		if l[1] == "" {
			values = strings.Split(l[2], "|")
			continue
		}
		for to := range strings.SplitSeq(l[1], "; ") {
			cases = append(cases, castCase{l[0], to, values, strings.Split(l[2], "|")})
		}
	}
	return cases
}

// castValue writes a value of a type as an expression.
func castValue(from, text string) string {
	switch from {
	case "binary":
		return fmt.Sprintf("unhex('%s')", text)
	case "fixed(3)":
		return fmt.Sprintf("cast(unhex('%s') as fixed(3))", text)
	}
	return fmt.Sprintf("cast('%s' as %s)", text, from)
}

// castAnswers are ours of a case.
func castAnswers(c castCase, word string) (out []string) {
	if !bound(fmt.Sprintf("cast(%s as %s)", castValue(c.from, c.values[0]), c.to)) {
		return []string{"none"}
	}
	for _, v := range c.values {
		text := fmt.Sprintf("%s(%s as %s)", word, castValue(c.from, v), c.to)
		if c.to == "binary" || c.to == "fixed(3)" {
			text = "hex(" + text + ")"
		}
		out = append(out, one(text))
	}
	return out
}

// bound says whether an expression has a meaning, whatever its value.
func bound(text string) bool {
	tree, err := expr.Parse(text)
	if err == nil {
		_, err = expr.Bind(tree, batch.NewSchema())
	}
	return err == nil
}

type castDifference struct {
	name string
	is   func(c castCase, value, ours, duckdb string) bool
}

// castDifferences are where we mean to differ from DuckDB, with the reasons of docs/semantics.md. Each of them occurs.
var castDifferences = []castDifference{
	{"a text that is no number exactly", func(c castCase, value, ours, _ string) bool {
		return c.from == "string" && (value == "0x1F" || value == "1_000") && ours == "ERROR"
	}},
	{"an infinite day", func(_ castCase, _, ours, duckdb string) bool { return ours == "ERROR" && duckdb == "-infinity" }},
	{"a text of which a part would be dropped", func(c castCase, value, ours, _ string) bool {
		return c.from == "string" && strings.HasPrefix(value, "2024-02-29") && ours == "ERROR"
	}},
	{"the end of a day as a time", func(_ castCase, value, ours, _ string) bool { return value == "24:00:00" && ours == "ERROR" }},
	{"bytes as a text", func(c castCase, _, ours, _ string) bool {
		return (c.from == "binary" || c.from == "fixed(3)") && c.to == "string" && ours == "none"
	}},
	{"a text as bytes of a fixed number", func(c castCase, _, ours, _ string) bool {
		return c.from == "string" && c.to == "fixed(3)" && ours == "none"
	}},
	{"a coarser unit", func(c castCase, _, ours, duckdb string) bool {
		return strings.Contains(c.from, "(ns") && strings.Contains(c.to, "(us") && ours < duckdb && duckdb != "ERROR" && duckdb != "none"
	}},
	{"moments that DuckDB does not cast", func(c castCase, _, _, duckdb string) bool {
		return strings.HasPrefix(c.from, "timestamp") && strings.HasPrefix(c.to, "time") && duckdb == "none"
	}},
}

// TestCastsGiveWhatDuckDBGives has each type cast to each other.
func TestCastsGiveWhatDuckDBGives(t *testing.T) {
	seen, cells := map[string]bool{}, 0
	for _, c := range castCases(t) {
		got := castAnswers(c, "cast")
		for i := range max(len(got), len(c.want)) {
			value, ours, duckdb := c.values[i], got[min(i, len(got)-1)], c.want[min(i, len(c.want)-1)]
			cells++
			if ours == duckdb {
				continue
			}
			at := slices.IndexFunc(castDifferences, func(d castDifference) bool { return d.is(c, value, ours, duckdb) })
			if at < 0 {
				t.Errorf("%s as %s, %q: %s, want %s", c.from, c.to, value, ours, duckdb)
				continue
			}
			seen[castDifferences[at].name] = true
		}
	}
	for _, d := range castDifferences {
		if !seen[d.name] {
			t.Errorf("nowhere do we differ in %s", d.name)
		}
	}
	if cells < 2000 {
		t.Errorf("%d casts compared, want 2000 at least", cells)
	}
}

// TestTryCastGivesNullWhereCastFails: and the same value elsewhere.
func TestTryCastGivesNullWhereCastFails(t *testing.T) {
	for _, c := range castCases(t) {
		cast, try := castAnswers(c, "cast"), castAnswers(c, "try_cast")
		for i := range cast {
			want := strings.Replace(cast[i], "ERROR", "NULL", 1)
			if try[i] != want {
				t.Errorf("try_cast of %s as %s, %q: %s, want %s", c.from, c.to, c.values[i], try[i], want)
			}
		}
	}
}
