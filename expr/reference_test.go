package expr_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pqjoin/expr"
)

const referencePage = "../docs/functions.md"

const referenceHead = `# Expressions: operators and functions

Expressions are SQL's scalar expressions. This page is made from the program's own table of functions; every
example is run when the program is tested.

- Columns are written bare, or "in double quotes" where a name has other characters; texts are written 'in single quotes'.
- Null logic is SQL's: a function of null is null unless its text says otherwise.
- Floats follow IEEE 754: ln(0) is -inf, ln(-1) is nan. nan equals nan and is greater than every number; -0.0 equals 0.0.
- Whole numbers and decimals are exact: what does not fit the type is an error that names the value, never a wrong number. Decimals have up to 38 digits.
- Two types meet in the wider: ints of both signs in int64, a float32 and an int in float64, a date and a timestamp in the timestamp. A literal takes the type of what it meets where its value fits.
- Types: bool, int8 to int64, uint8 to uint64, float16, float32, float64, decimal(p, s), string, binary, fixed(n), uuid, date, time(unit), timestamp(unit), timestamp(unit, utc); units are s, ms, us and ns. SQL's names (bigint, varchar) work too.
- Timestamps without utc are local times of no zone; those with utc are instants, shown in UTC.
- Parts of dates may be written in the plural and in short (days, mon, dow).
- Time zones are named as in 'Europe/Berlin', by the database of the system where it has one, else by the program's own. Casts between timestamps with and without utc take UTC.
- Patterns of regexp functions are RE2's, must be constants and are compiled once. Options: i ignores case, s lets . match line ends, l takes the pattern literally, g replaces all matches.
- There are no random() and now(): the same job gives the same bytes. Times are passed in with --set.

Where we differ from DuckDB: // takes whole numbers only; x << n keeps the type of x; hamming('', '') is 0; regexp_extract refuses a group that the pattern does not
have; a text that is no date or number exactly ('1_0', '1e400' as float64) is refused; casts to coarser units of time always go towards the past (semantics.md lists all that casts do otherwise); years before 1 are written as ISO 8601
does (0000, -0001); initcap, hash, nvl and iff are ours (initcap as in PostgreSQL).
`

// referenceText renders the page.
func referenceText(t *testing.T) string {
	var b strings.Builder
	b.WriteString(referenceHead)
	group := ""
	for _, d := range expr.Functions() {
		if d.Group != group {
			group = d.Group
			fmt.Fprintf(&b, "\n## %s\n\n| write | meaning | example | gives |\n| --- | --- | --- | --- |\n", group)
		}
		sigs := make([]string, len(d.Signatures))
		for i, s := range d.Signatures {
			sigs[i] = "`" + cell(s) + "`"
		}
		doc := d.Doc
		if len(d.Aliases) > 0 {
			doc += "; also called " + strings.Join(d.Aliases, ", ")
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", strings.Join(sigs, "<br>"), cell(doc), cell(d.Example), exampleResult(t, d))
	}
	return b.String()
}

// cell writes a text for a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func exampleResult(t *testing.T, d expr.FunctionDoc) string {
	got := one(d.Example)
	if got == "ERROR" || d.Doc == "" {
		t.Errorf("%s: the example %q gives %s", d.Name, d.Example, got)
	}
	switch got {
	case "NULL":
		return "null"
	case "":
		return "an empty text"
	}
	return "`" + cell(got) + "`"
}

func TestTheReferencePageIsWhatTheTableOfFunctionsSays(t *testing.T) {
	want := referenceText(t)
	if os.Getenv("PQJOIN_UPDATE") != "" {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is old: PQJOIN_UPDATE=1 go test ./expr makes it anew", referencePage)
	}
}

// unlike has the functions that DuckDB does not have, or whose answer is ours alone; other tests have their cases.
var unlike = []string{"initcap", "hash", "typeof"}

func TestEveryFunctionHasGoldenCases(t *testing.T) {
	var texts strings.Builder
	for _, c := range columnCases(t) {
		texts.WriteString(" " + c.text)
	}
	golden, err := os.ReadFile("testdata/golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	all := texts.String() + " " + string(golden)
	for _, d := range expr.Functions() {
		names := append([]string{d.Name}, d.Aliases...)
		if d.Group == "Operators" || slices.Contains(unlike, d.Name) {
			continue
		}
		if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(all, n+"(") }) {
			t.Errorf("%s has no golden case", d.Name)
		}
	}
}

func TestAliasesMeanTheSame(t *testing.T) {
	for _, d := range expr.Functions() {
		for _, alias := range d.Aliases {
			text := strings.Replace(d.Example, d.Name+"(", alias+"(", 1)
			if alias == "position" { // has a form of its own
				continue
			}
			if got, want := one(text), one(d.Example); got != want {
				t.Errorf("%s = %s, want %s", text, got, want)
			}
		}
	}
}

func TestFunctionsWithoutAPlaceSayWhy(t *testing.T) {
	for text, want := range map[string]string{
		"random()":               "hash(x) spreads rows evenly",
		"now() > ts":             "pass the time in with --set",
		"age(ts)":                "date_diff",
		"regexp_extrakt(s, 'a')": "did you mean regexp_extract?",
		"uper(s)":                "did you mean upper?",
	} {
		_, err := bindText(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Hashes are part of the contract: they may not change.
func TestHashesStayWhatTheyAre(t *testing.T) {
	for text, want := range map[string]string{
		"hash(1)": "10451216379200822465", "hash('a')": "198367012849983736", "hash(null)": "5700357409661599242", "hash('a', null, true)": "8221650329771969270",
		"hash(1.5e0)": "15481881892811333770", "hash(date '2024-01-01')": "5162469244300811797", "hash(99999999999999999999999999999999999999)": "9646983062268921106",
		"hash(1::int8) = hash(1::uint64)": "true", "hash(0.0::double) = hash(-0.0::double)": "true", "hash(1::decimal(38, 0)) = hash(1)": "true",
		"hash('a') = hash(encode('a'))": "true", "hash(null) = hash(1)": "false", "hash(1, 2) = hash(2, 1)": "false",
	} {
		if got := one(text); got != want {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
}

func TestInitcapAndTypeof(t *testing.T) {
	for text, want := range map[string]string{
		"initcap('hello wORLD')": "Hello World", "initcap('élan vital-o''neil 3RD')": "Élan Vital-O'Neil 3rd", "initcap('')": "", "initcap(null)": "NULL",
		"typeof(1)": "int32", "typeof(null)": "null", "typeof(date '2024-01-01')": "date", "typeof(1.5)": "decimal(2, 1)", "typeof('a' || 'b')": "string",
	} {
		if got := one(text); got != want {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
}
