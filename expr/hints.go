package expr

import (
	"slices"
	"strings"
	"unicode"

	"pqjoin/batch"
)

// Hints for what other languages write otherwise. They never repeat a value of the text, only its names.

const (
	nestedFunctionsHint = "nested columns are carried along, not computed with"
	whereIfHint         = "write if(condition, x, y), or case when condition then x else y end"
	isNullHint          = "write x is null"
	isNotNullHint       = "write x is not null"
	castHint            = "write cast(x as float64), with any type; try_cast gives null where x is no such value"
	textHint            = "write cast(x as string)"
	strftimeHint        = "write strftime(t, '%Y-%m-%d')"
)

// elsewhere says how what pandas, numpy, Spark and other dialects call so is written here.
var elsewhere = map[string]string{
	"fillna": "write coalesce(x, 0), or any value in place of 0", "fill_null": "write coalesce(x, 0), or any value in place of 0", "zeroifnull": "write coalesce(x, 0)",
	"isna": isNullHint, "isnull": isNullHint, "is_null": isNullHint, "notna": isNotNullHint, "notnull": isNotNullHint, "isnotnull": isNotNullHint, "is_not_null": isNotNullHint,
	"astype": castHint, "to_numeric": castHint, "convert": castHint, "to_number": castHint, "safe_cast": "write try_cast(x as float64), with any type",
	"where": whereIfHint, "ifelse": whereIfHint, "if_else": whereIfHint, "when": whereIfHint, "decode_if": whereIfHint,
	"str": textHint, "string": textHint, "to_string": textHint, "to_date": "write cast(x as date), or cast(strptime(x, '%d.%m.%Y') as date) for other formats",
	"isin": "write x in (1, 2, 3)", "is_in": "write x in (1, 2, 3)",
	"to_datetime": "write cast(x as timestamp), or strptime(x, '%d.%m.%Y') for other formats", "to_char": strftimeHint, "date_format": strftimeHint, "format_datetime": strftimeHint,
	"array_length": nestedFunctionsHint, "cardinality": nestedFunctionsHint, "list_contains": nestedFunctionsHint, "array_contains": nestedFunctionsHint,
	"unnest": nestedFunctionsHint, "explode": nestedFunctionsHint, "to_json": nestedFunctionsHint, "element_at": nestedFunctionsHint,
}

// HasFunction says whether the language has a function of the name, in any case of its letters.
func HasFunction(name string) bool { return lookup(strings.ToLower(name)) != nil }

// noColumn says that there is no column of the name, and what may be meant: a near name, or a text in the wrong quotes.
func (b *binder) noColumn(n *Node) *Error {
	var hints []string
	if near := didYouMean(n.Name, b.schema.Names()); near != "" {
		hints = append(hints, near)
	} else if len(b.schema.Fields) <= 12 {
		hints = append(hints, "the columns are "+joinNames(b.schema.Names()))
	}
	if n.Offset < len(b.text) && b.text[n.Offset] == '"' {
		hints = slices.Insert(hints, 0, "a text is written in single quotes, double ones are for names of columns")
	}
	return errorAt(n.Offset, strings.Join(hints, "; "), "no column is called %s", shorten(n.Name))
}

// libraries are the modules before whose functions people write them.
var libraries = []string{"np", "numpy", "math", "pd", "pandas", "pl", "polars", "f", "functions", "scipy", "datetime", "duckdb"}

// dotHint says what to write in place of a name with a dot in it, which stands at the byte at.
func dotHint(text string, at int) string {
	inName := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
	before, after := text[:at], text[at+1:]
	owner := before[len(strings.TrimRightFunc(before, inName)):]
	rest := strings.TrimLeftFunc(after, inName)
	name := after[:len(after)-len(rest)]
	call, library, ours := strings.HasPrefix(rest, "("), slices.Contains(libraries, strings.ToLower(owner)), functionHint(strings.ToLower(name))
	switch {
	case name == "":
		return ""
	case library && call && HasFunction(name):
		return "functions have no module before them: write " + shorten(name) + "(...)"
	case library && call:
		return strings.TrimSuffix("functions have no module before them; "+ours, "; ")
	case call && ours != "":
		return "there are no methods: " + ours
	case call || strings.HasPrefix(rest, "."):
		return "there are no methods: functions take all values in parentheses, such as upper(x)"
	}
	return "columns have no table before them and no fields: write " + shorten(name) + ` alone; a name that holds a dot stands "in.double quotes"`
}

// functionHint says what is written in place of a function that there is not, or "".
func functionHint(name string) string {
	switch {
	case elsewhere[name] != "":
		return elsewhere[name]
	case slices.Contains(aggregateNames, name):
		return "aggregates belong in agg of groupby, window functions in window"
	}
	return didYouMean(name, functionNames())
}

// castOr returns a hint that advises a cast to the type with the given id, where a value of type t has one.
func castOr(t batch.Type, to batch.TypeID, hint string) string {
	switch {
	case t.ID == batch.Nested:
		return nestedFunctionsHint
	case castable(t, batch.Of(to)):
		return hint
	case isBinary(t) && to == batch.String:
		return "decode(x) reads bytes as UTF-8, hex(x) writes them as digits"
	}
	return ""
}

// conditionHint says how a value of type t becomes true or false.
func conditionHint(t batch.Type) string {
	if t.ID == batch.Nested {
		return "x is not null is a condition; " + nestedFunctionsHint
	}
	return "compare it with something, for example x <> 0"
}
