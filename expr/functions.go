package expr

import (
	"fmt"
	"slices"

	"pqjoin/batch"
)

// function is one entry of the table of functions.
type function struct {
	name     string
	sigs     []string
	doc      string
	min, max int // arguments; max < 0: any number
	fails    bool
	bind     func(n *node) (*node, *Error)
}

func (f *function) arity() string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min != f.max:
		return fmt.Sprintf("%d to %d arguments", f.min, f.max)
	case f.min == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", f.min)
}

// aggregateNames are known elsewhere in the language of jobs, for the hint.
var aggregateNames = []string{"sum", "count", "mean", "avg", "min", "max", "std", "var", "first", "last", "median", "quantile", "nunique", "lag", "lead", "row_number", "cumsum", "rank", "diff", "ffill", "bfill"}

// aliases are second names, as other dialects write them.
var aliases = map[string]string{
	"power": "pow", "ceiling": "ceil", "substring": "substr", "isnan": "is_nan", "log": "log10", "len": "length",
	"lcase": "lower", "ucase": "upper", "prefix": "starts_with", "suffix": "ends_with", "ifnull": "coalesce", "mod": "%",
}

func lookup(name string) *function {
	if a, ok := aliases[name]; ok {
		name = a
	}
	i := slices.IndexFunc(functionTable, func(f function) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &functionTable[i]
}

func functionNames() []string {
	var names []string
	for _, f := range functionTable {
		names = append(names, f.name)
	}
	return names
}

// Functions returns the functions of the language, by name.
func Functions() []FunctionDoc {
	var docs []FunctionDoc
	for _, f := range functionTable {
		docs = append(docs, FunctionDoc{Name: f.name, Signatures: slices.Clone(f.sigs), Doc: f.doc})
	}
	slices.SortFunc(docs, func(a, b FunctionDoc) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return docs
}

// functionTable is never written to.
var functionTable = []function{
	float1("ln", "natural logarithm; -inf at 0, nan below"),
	float1("log10", "logarithm to base 10; also called log"),
	float1("log2", "logarithm to base 2"),
	float1("exp", "e to the power of x"),
	float1("sqrt", "square root; nan below 0"),
	float1("cbrt", "cube root"),
	float1("sin", "sine of radians"),
	float1("cos", "cosine of radians"),
	float1("tan", "tangent of radians"),
	float1("asin", "arc sine in radians"),
	float1("acos", "arc cosine in radians"),
	float1("atan", "arc tangent in radians"),
	{"atan2", []string{"atan2(y, x) -> float64"}, "angle of the point (x, y) in radians", 2, 2, false, bindFloats},
	{"pow", []string{"pow(x, y) -> float64"}, "x to the power of y", 2, 2, false, bindFloats},
	{"%", []string{"mod(x, y)"}, "the rest of x / y, with the sign of x; the same as x % y", 2, 2, false, bindArithmetic},
	{"abs", []string{"abs(x) -> type of x"}, "absolute value", 1, 1, true, bindSame},
	{"sign", []string{"sign(x) -> int8"}, "-1, 0 or 1; 0 of nan", 1, 1, false, bindSign},
	{"round", []string{"round(x) -> type of x", "round(x, digits)"}, "rounds half away from zero, to digits behind the point (before it where negative)", 1, 2, true, bindRound},
	{"floor", []string{"floor(x) -> type of x"}, "greatest whole number not above x", 1, 1, true, bindWhole},
	{"ceil", []string{"ceil(x) -> type of x"}, "smallest whole number not below x", 1, 1, true, bindWhole},
	{"is_nan", []string{"is_nan(x) -> bool"}, "whether a float is not a number", 1, 1, false, bindFloatTest},
	{"is_finite", []string{"is_finite(x) -> bool"}, "whether a float is neither infinite nor nan", 1, 1, false, bindFloatTest},
	{"greatest", []string{"greatest(x, y, ...)"}, "the greatest value; nulls are passed over", 1, -1, false, bindChoice},
	{"least", []string{"least(x, y, ...)"}, "the smallest value; nulls are passed over", 1, -1, false, bindChoice},
	{"coalesce", []string{"coalesce(x, y, ...)"}, "the first value that is not null", 1, -1, false, bindChoice},
	{"nullif", []string{"nullif(x, y)"}, "null where x equals y, else x", 2, 2, false, bindNullIf},
	{"if", []string{"if(condition, x, y)"}, "x where the condition is true, else y", 3, 3, false, bindIf},
	{"upper", []string{"upper(s) -> string"}, "upper case", 1, 1, false, bindText},
	{"lower", []string{"lower(s) -> string"}, "lower case", 1, 1, false, bindText},
	{"trim", []string{"trim(s) -> string", "trim(s, characters)"}, "s without spaces (or the characters) at both ends", 1, 2, false, bindText},
	{"ltrim", []string{"ltrim(s) -> string", "ltrim(s, characters)"}, "s without spaces (or the characters) at the start", 1, 2, false, bindText},
	{"rtrim", []string{"rtrim(s) -> string", "rtrim(s, characters)"}, "s without spaces (or the characters) at the end", 1, 2, false, bindText},
	{"replace", []string{"replace(s, from, to) -> string"}, "s with every from replaced by to", 3, 3, false, bindText},
	{"reverse", []string{"reverse(s) -> string"}, "the characters in reverse order", 1, 1, false, bindText},
	{"substr", []string{"substr(s, start) -> string", "substr(s, start, length)"}, "part of s by characters; the first is 1, negative starts count from the end", 2, 3, false, bindSubstr},
	{"left", []string{"left(s, n) -> string"}, "the first n characters; without the last -n where negative", 2, 2, false, bindSubstr},
	{"right", []string{"right(s, n) -> string"}, "the last n characters; without the first -n where negative", 2, 2, false, bindSubstr},
	{"length", []string{"length(s) -> int64"}, "characters (Unicode code points)", 1, 1, false, textTo(batch.Of(batch.Int64))},
	{"starts_with", []string{"starts_with(s, prefix) -> bool"}, "whether s begins with the prefix", 2, 2, false, textTo(batch.Of(batch.Bool))},
	{"ends_with", []string{"ends_with(s, suffix) -> bool"}, "whether s ends with the suffix", 2, 2, false, textTo(batch.Of(batch.Bool))},
	{"contains", []string{"contains(s, part) -> bool"}, "whether part occurs in s", 2, 2, false, textTo(batch.Of(batch.Bool))},
	timePart("year", "the year"),
	timePart("quarter", "the quarter, 1 to 4"),
	timePart("month", "the month, 1 to 12"),
	timePart("week", "the ISO week, 1 to 53"),
	timePart("day", "the day of the month, 1 to 31"),
	timePart("dayofweek", "the day of the week, Sunday is 0"),
	timePart("dayofyear", "the day of the year, 1 to 366"),
	timePart("hour", "the hour, 0 to 23"),
	timePart("minute", "the minute, 0 to 59"),
	timePart("second", "the second, 0 to 59"),
	{"epoch", []string{"epoch(t) -> float64"}, "seconds since 1970-01-01", 1, 1, false, bindEpoch},
	{"date_trunc", []string{"date_trunc(part, t) -> timestamp"}, "t cut to the start of its year, quarter, month, week, day, hour, minute or second", 2, 2, true, bindTrunc},
	{"date_diff", []string{"date_diff(part, from, to) -> int64"}, "how many boundaries of the part lie between two dates or timestamps; for week the whole weeks between the days", 3, 3, false, bindDiff},
	{"strptime", []string{"strptime(s, format) -> timestamp(us)"}, "reads a timestamp by a format of %Y %m %d %H %M %S %f %y %b %B %j %p %I %z", 2, 2, true, bindStrptime},
	{"try_strptime", []string{"try_strptime(s, format) -> timestamp(us)"}, "strptime that gives null where s does not match", 2, 2, false, bindStrptime},
	{"strftime", []string{"strftime(t, format) -> string"}, "writes a date or timestamp by a format", 2, 2, false, bindStrftime},
}

func float1(name, doc string) function {
	return function{name, []string{name + "(x) -> float64"}, doc, 1, 1, false, bindFloats}
}

func timePart(name, doc string) function {
	return function{name, []string{name + "(t) -> int64"}, doc, 1, 1, false, bindPart}
}

func textTo(t batch.Type) func(n *node) (*node, *Error) {
	return func(n *node) (*node, *Error) { return bindStrings(n, t, len(n.args)) }
}

func bindText(n *node) (*node, *Error) { return bindStrings(n, batch.Of(batch.String), len(n.args)) }

// needNumbers checks the arguments and gives a bare null the type int32.
func needNumbers(n *node) *Error {
	for i, a := range n.args {
		if a.typ.ID == batch.Null {
			n.args[i] = conv(a, batch.Of(batch.Int32))
		} else if !a.typ.IsNumeric() {
			return errorAt(a.off, arithmeticHint(a), "%s needs a number, not %s", n.op, a.typ)
		}
	}
	n.null = mayBeNull(n.args)
	return nil
}

func bindFloats(n *node) (*node, *Error) {
	if err := needNumbers(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Float64)
	for i, a := range n.args {
		n.args[i] = conv(a, n.typ)
	}
	return n, nil
}

func bindFloatTest(n *node) (*node, *Error) {
	if _, err := bindFloats(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Bool)
	return n, nil
}

func bindSame(n *node) (*node, *Error) {
	if err := needNumbers(n); err != nil {
		return nil, err
	}
	n.typ = n.args[0].typ
	return n, nil
}

func bindSign(n *node) (*node, *Error) {
	if err := needNumbers(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Int8)
	return n, nil
}

// bindWhole types floor and ceil: ints stay, floats stay, decimals lose what is behind the point.
func bindWhole(n *node) (*node, *Error) {
	if err := needNumbers(n); err != nil {
		return nil, err
	}
	if n.typ = n.args[0].typ; n.typ.ID == batch.Decimal {
		n.typ = roundedDecimal(n.typ, 0)
	}
	return n, nil
}

func roundedDecimal(t batch.Type, digits int) batch.Type {
	scale := min(max(digits, 0), int(t.Scale))
	return batch.DecimalOf(min(int(t.Prec)-int(t.Scale)+scale+1, 38), scale)
}

// maxRound is how many digits round accepts in either direction.
const maxRound = 300

func bindRound(n *node) (*node, *Error) {
	if err := needNumbers(n); err != nil {
		return nil, err
	}
	digits := 0
	if len(n.args) == 2 {
		d := n.args[1]
		if !d.literal() || !d.typ.IsInteger() || d.val.Null || d.val.Int < -maxRound || d.val.Int > maxRound {
			return nil, errorAt(d.off, "write it as a number, for example round(x, 2)", "the digits of round must be a constant from %d to %d", -maxRound, maxRound)
		}
		digits = int(d.val.Int)
	}
	if n.typ = n.args[0].typ; n.typ.ID == batch.Decimal {
		n.typ = roundedDecimal(n.typ, digits)
	}
	return n, nil
}

func bindChoice(n *node) (*node, *Error) {
	t, err := meet(n.args, n.off, "in "+n.op)
	if err != nil {
		return nil, err
	}
	if t.ID == batch.Null {
		t = batch.Of(batch.Int32)
		for i, a := range n.args {
			n.args[i] = conv(a, t)
		}
	}
	if t.ID == batch.Nested && n.op != "coalesce" {
		return nil, errorAt(n.off, "", "%s values cannot be compared", t)
	}
	n.typ, n.null = t, !slices.ContainsFunc(n.args, func(a *node) bool { return !a.null })
	return n, nil
}

func bindNullIf(n *node) (*node, *Error) {
	sides := slices.Clone(n.args)
	test := &node{op: "=", off: n.off}
	if _, err := bindCompared(test, sides); err != nil {
		return nil, err
	}
	x := n.args[0]
	if x.typ.ID == batch.Null {
		return nullLiteral(x.typ, n.off), nil
	}
	return &node{op: "case", typ: x.typ, null: true, off: n.off, args: []*node{nil, test, nullLiteral(x.typ, n.off), x}}, nil
}

func bindIf(n *node) (*node, *Error) {
	return bindCase(&node{op: "case", off: n.off, args: append([]*node{nil}, n.args...)})
}

func bindSubstr(n *node) (*node, *Error) {
	for i, a := range n.args[1:] {
		if a.typ.ID != batch.Null && (!a.typ.IsInteger() || a.typ.ID == batch.Uint64) {
			return nil, errorAt(a.off, "", "%s needs a whole number, not %s", n.op, a.typ)
		}
		n.args[i+1] = conv(a, batch.Of(batch.Int64))
	}
	return bindStrings(n, batch.Of(batch.String), 1)
}
