package expr

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
)

// function is one entry of the table of functions.
type function struct {
	FunctionDoc
	min, max int // arguments; max < 0: any number
	fails    bool
	bind     bindFunc
	kernel   kernelFunc // nil where kernelFor or the builder knows the function
}

type (
	bindFunc   func(n *node) (*node, *Error)
	kernelFunc func(n *node) func(*frame) error
)

// fn makes an entry. The signatures, separated by semicolons, say the name and how many arguments there are.
func fn(sigs, doc, example string, bind bindFunc, kernel kernelFunc) function {
	f := function{FunctionDoc: FunctionDoc{Signatures: strings.Split(sigs, "; "), Doc: doc, Example: example}, bind: bind, kernel: kernel, min: 1 << 30}
	for _, sig := range f.Signatures {
		name, rest, _ := strings.Cut(sig, "(")
		params, _, _ := strings.Cut(rest, ")")
		count := strings.Count(params, ",") + 1
		if params == "" {
			count = 0
		}
		f.Name = name
		if f.min = min(f.min, count); strings.HasSuffix(params, "...") {
			f.min, f.max = f.min-1, -1
		} else {
			f.max = max(f.max, count)
		}
	}
	return f
}

// failing says that some values have no result.
func (f function) failing() function { f.fails = true; return f }

// also adds second names, as other dialects write them.
func (f function) also(aliases ...string) function { f.Aliases = aliases; return f }

func inGroup(group string, fs ...function) []function {
	for i := range fs {
		fs[i].Group = group
	}
	return fs
}

func (f *function) arity() string {
	switch {
	case f.max < 0 && f.min == 1:
		return "1 or more arguments"
	case f.max < 0:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min != f.max:
		return fmt.Sprintf("%d to %d arguments", f.min, f.max)
	case f.min == 1:
		return "1 argument"
	case f.min == 0:
		return "no arguments"
	}
	return fmt.Sprintf("%d arguments", f.min)
}

// aggregateNames are known elsewhere in the language of jobs, for the hint.
var aggregateNames = []string{"sum", "count", "mean", "avg", "min", "max", "std", "var", "first", "last", "median", "quantile", "nunique", "mode", "any", "all", "list", "top", "string_agg", "arg_min", "arg_max", "corr", "cov", "lag", "lead", "row_number", "cumsum", "rank", "diff", "ffill", "bfill"}

// refused are functions of other dialects that cannot be here, with what to do instead.
var refused = map[string]string{
	"random": "it differs from run to run, and the same job gives the same bytes: hash(x) spreads rows evenly", "rand": "write hash(x), which is the same in every run",
	"uuid": "it differs from run to run: md5(x) makes a name from a value", "gen_random_uuid": "it differs from run to run: md5(x) makes a name from a value",
	"now": "it differs from run to run: pass the time in with --set", "today": "it differs from run to run: pass the date in with --set",
	"current_timestamp": "it differs from run to run: pass the time in with --set", "current_date": "it differs from run to run: pass the date in with --set", "get_current_timestamp": "it differs from run to run: pass the time in with --set",
	"age":    "an interval of months has no fixed length: date_diff('day', a, b) counts boundaries, date_sub whole units",
	"printf": "join texts with || and concat", "format": "join texts with || and concat",
	"string_split": "a value cannot be a list: split_part(s, separator, n) gives one part", "regexp_extract_all": "a value cannot be a list: regexp_extract gives one match",
}

// functionTable and functionIndex are never written to.
var (
	functionTable = slices.Concat(numberFunctions, bitFunctions, choiceFunctions, textFunctions, patternFunctions, codeFunctions, timeFunctions, zoneFunctions, otherFunctions)
	functionIndex = func() map[string]*function {
		index := map[string]*function{}
		for i := range functionTable {
			f := &functionTable[i]
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				index[name] = f
			}
		}
		return index
	}()
)

func lookup(name string) *function { return functionIndex[name] }

// functionNames lists the names before the aliases, so that of two that are equally near the name is meant.
func functionNames() []string {
	var names, aliases []string
	for _, f := range functionTable {
		names = append(names, f.Name)
		aliases = append(aliases, f.Aliases...)
	}
	return append(names, aliases...)
}

// noFunction says that there is none of the name, and why or which is near.
func noFunction(n *Node) *Error {
	if reason, ok := refused[n.Name]; ok {
		return errorAt(n.Offset, reason, "there is no function %s", n.Name)
	}
	return errorAt(n.Offset, functionHint(n.Name), "no function is called %s", shorten(n.Name))
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
		return nil, errorAt(n.off, nestedFunctionsHint, "%s values cannot be compared", t)
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
