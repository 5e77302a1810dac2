package expr

import (
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"pqjoin/batch"
)

// Binding strengths, weakest first, as PostgreSQL and DuckDB have them.
const (
	bindOr = iota + 1
	bindAnd
	bindNot
	bindIs
	bindCompare
	bindRange // between, in, like
	bindOther // || and the operators of bits
	bindAdd
	bindMul
	bindPow
	bindZone // at time zone
	bindNeg
	bindCast
)

var binaryOps = map[string]struct {
	strength int
	name     string
}{
	"or": {bindOr, "or"}, "and": {bindAnd, "and"},
	"=": {bindCompare, "="}, "==": {bindCompare, "="}, "<>": {bindCompare, "<>"}, "!=": {bindCompare, "<>"},
	"<": {bindCompare, "<"}, "<=": {bindCompare, "<="}, ">": {bindCompare, ">"}, ">=": {bindCompare, ">="},
	"||": {bindOther, "||"}, "&": {bindOther, "&"}, "|": {bindOther, "|"}, "<<": {bindOther, "<<"}, ">>": {bindOther, ">>"},
	"+": {bindAdd, "+"}, "-": {bindAdd, "-"},
	"*": {bindMul, "*"}, "/": {bindMul, "/"}, "%": {bindMul, "%"}, "//": {bindMul, "//"},
	"^": {bindPow, "**"}, "**": {bindPow, "**"},
	distinctFrom: {bindIs, distinctFrom}, notDistinctFrom: {bindIs, notDistinctFrom}, // never tokens
}

// The comparisons that take null for a value like any other.
const (
	distinctFrom    = "is distinct from"
	notDistinctFrom = "is not distinct from"
)

// reserved words cannot be bare column names.
var reserved = []string{"and", "or", "not", "is", "in", "between", "like", "ilike", "case", "when", "then", "else", "end", "null", "true", "false", "cast", "try_cast", "as"}

// parser climbs precedence over the tokens of one expression.
type parser struct {
	toks  *lexer.PeekingLexer
	text  string
	depth int
}

// Parse parses one expression. Errors are *Error.
func Parse(text string) (*Tree, error) {
	toks, serr := scan(text)
	if serr != nil {
		return nil, serr
	}
	p := &parser{toks: toks, text: text}
	if p.toks.Peek().EOF() {
		return nil, errorAt(0, "write null for a null", "the expression is empty")
	}
	root, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if t := p.toks.Peek(); !t.EOF() {
		return nil, p.unexpected(t)
	}
	return &Tree{Text: text, Root: root}, nil
}

// word returns the token as a keyword or operator: identifiers in lower case, operators as they are.
func word(t *lexer.Token) string {
	switch t.Type {
	case tokIdent:
		return strings.ToLower(t.Value)
	case tokOp:
		return t.Value
	}
	return ""
}

func (p *parser) at(w string) bool { return word(p.toks.Peek()) == w }

func (p *parser) accept(w string) bool {
	if p.at(w) {
		p.toks.Next()
		return true
	}
	return false
}

func (p *parser) expect(w, where string) *Error {
	if p.accept(w) {
		return nil
	}
	t := p.toks.Peek()
	return errorAt(p.offset(t), "", "expected %s %s, found %s", w, where, p.show(t))
}

// offset returns where the token begins; the end of the text for the last one.
func (p *parser) offset(t *lexer.Token) int {
	if t.EOF() {
		return len(p.text)
	}
	return t.Pos.Offset
}

func (p *parser) show(t *lexer.Token) string {
	if t.EOF() {
		return "the end"
	}
	return shorten(t.Value)
}

func (p *parser) unexpected(t *lexer.Token) *Error {
	hint := ""
	switch w := word(t); {
	case t.EOF():
		return errorAt(p.offset(t), "", "the expression ends too early")
	case w == ")":
		hint = "there is no ( for it"
	case slices.Contains([]string{"=", "==", "<>", "!=", "<", "<=", ">", ">="}, w):
		hint = "comparisons do not chain: combine them with and"
	case t.Type == tokIdent || t.Type == tokQuoted || t.Type == tokNumber || t.Type == tokString:
		hint = "an operator or a comma is missing before it"
	}
	return errorAt(p.offset(t), hint, "unexpected %s", p.show(t))
}

func (p *parser) node(n *Node) (*Node, *Error) {
	for _, a := range n.Args {
		if a != nil {
			n.depth = max(n.depth, a.depth)
		}
	}
	if n.depth++; n.depth > maxDepth {
		return nil, errorAt(n.Offset, "compute parts of it as columns of their own", "the expression is nested more than %d deep", maxDepth)
	}
	return n, nil
}

// expression parses operators that bind more strongly than strength.
func (p *parser) expression(strength int) (*Node, *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errorAt(p.offset(p.toks.Peek()), "compute parts of it as columns of their own", "the expression is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.prefix()
	for err == nil {
		var more bool
		if left, more, err = p.infix(left, strength); !more {
			break
		}
	}
	return left, err
}

func (p *parser) prefix() (*Node, *Error) {
	t := p.toks.Peek()
	switch word(t) {
	case "not":
		p.toks.Next()
		x, err := p.expression(bindNot - 1)
		if err != nil {
			return nil, err
		}
		return p.node(&Node{Op: OpNot, Offset: t.Pos.Offset, Args: []*Node{x}})
	case "-":
		return p.minus()
	case "+":
		p.toks.Next()
		return p.expression(bindNeg - 1)
	case "~":
		p.toks.Next()
		x, err := p.expression(bindOther)
		if err != nil {
			return nil, err
		}
		return p.node(&Node{Op: OpCall, Offset: t.Pos.Offset, Name: "~", Args: []*Node{x}})
	}
	return p.primary()
}

// minus parses -x; the minus of a number becomes part of it, so that the smallest int64 can be written.
func (p *parser) minus() (*Node, *Error) {
	t := p.toks.Next()
	number := p.toks.Peek().Type == tokNumber
	x, err := p.expression(bindNeg - 1)
	if err != nil {
		return nil, err
	}
	if number && x.Op == OpLiteral {
		if lit, err := numberLiteral(t.Pos.Offset, "-"+x.Name); err == nil {
			return p.node(lit)
		}
	}
	return p.node(&Node{Op: OpNeg, Offset: t.Pos.Offset, Args: []*Node{x}})
}

// infix continues left by one operator that binds more strongly than strength, if one follows.
func (p *parser) infix(left *Node, strength int) (n *Node, more bool, err *Error) {
	t := p.toks.Peek()
	w := word(t)
	if op, ok := binaryOps[w]; ok {
		if op.strength <= strength {
			return left, false, nil
		}
		p.toks.Next()
		right, err := p.expression(op.strength)
		if err != nil {
			return nil, false, err
		}
		n, err = p.node(&Node{Op: OpBinary, Offset: t.Pos.Offset, Name: op.name, Args: []*Node{left, right}})
		if err == nil && op.strength == bindCompare && binaryOps[word(p.toks.Peek())].strength == bindCompare {
			err = p.unexpected(p.toks.Peek())
		}
		return n, true, err
	}
	switch {
	case w == "::" && bindCast > strength:
		p.toks.Next()
		typ, err := p.typeName()
		if err != nil {
			return nil, false, err
		}
		n, err = p.node(&Node{Op: OpCast, Offset: t.Pos.Offset, Type: typ, Args: []*Node{left}})
		return n, true, err
	case w == "is" && bindIs > strength:
		n, err = p.isTest(left)
		return n, true, err
	case w == "at" && bindZone > strength:
		n, err = p.atTimeZone(left)
		return n, true, err
	case slices.Contains([]string{"not", "in", "between", "like", "ilike"}, w) && bindRange > strength:
		n, err = p.rangeTest(left)
		return n, true, err
	}
	return left, false, nil
}

// isTest parses is [not] null, true, false, unknown and distinct from after x.
func (p *parser) isTest(x *Node) (*Node, *Error) {
	t := p.toks.Next()
	n := &Node{Op: OpIsNull, Offset: t.Pos.Offset, Negated: p.accept("not"), Args: []*Node{x}}
	switch w := word(p.toks.Peek()); w {
	case "true", "false", "unknown":
		p.toks.Next()
		n.Op, n.Name = OpIs, w
		return p.node(n)
	case "distinct":
		return p.distinct(n)
	}
	if err := p.expect("null", "after is"); err != nil {
		err.Hint = "is and is not are followed by null, true, false, unknown or distinct from"
		return nil, err
	}
	return p.node(n)
}

// distinct parses distinct from y behind the is [not] that n holds.
func (p *parser) distinct(n *Node) (*Node, *Error) {
	p.toks.Next()
	if err := p.expect("from", "after is distinct"); err != nil {
		return nil, err
	}
	y, err := p.expression(bindIs)
	if err != nil {
		return nil, err
	}
	name := distinctFrom
	if n.Negated {
		name = notDistinctFrom
	}
	return p.node(&Node{Op: OpBinary, Offset: n.Offset, Name: name, Args: []*Node{n.Args[0], y}})
}

// atTimeZone parses t at time zone 'name', which is timezone('name', t).
func (p *parser) atTimeZone(x *Node) (*Node, *Error) {
	t := p.toks.Next()
	for _, w := range []string{"time", "zone"} {
		if err := p.expect(w, "in at time zone"); err != nil {
			return nil, err
		}
	}
	name, err := p.expression(bindZone)
	if err != nil {
		return nil, err
	}
	return p.node(&Node{Op: OpCall, Offset: t.Pos.Offset, Name: "timezone", Args: []*Node{name, x}})
}

// rangeTest parses [not] in, between, like and ilike after x.
func (p *parser) rangeTest(x *Node) (*Node, *Error) {
	first := p.toks.Peek()
	n := &Node{Offset: first.Pos.Offset, Negated: p.accept("not"), Args: []*Node{x}}
	t := p.toks.Next()
	var err *Error
	switch word(t) {
	case "in":
		n.Op = OpIn
		if err = p.expect("(", "after in"); err == nil {
			n.Args, err = p.list(n.Args, "the list")
		}
		if err == nil && len(n.Args) == 1 {
			err = errorAt(n.Offset, "", "the list after in is empty")
		}
	case "between":
		n.Op = OpBetween
		err = p.between(n)
	case "like", "ilike":
		n.Op, n.Name = OpLike, word(t)
		err = p.like(n)
	default:
		err = errorAt(p.offset(t), "after a value, not is followed by in, between, like or ilike", "unexpected %s", p.show(t))
	}
	if err != nil {
		return nil, err
	}
	return p.node(n)
}

func (p *parser) between(n *Node) *Error {
	low, err := p.expression(bindRange)
	if err != nil {
		return err
	}
	if err := p.expect("and", "after between and its lower bound"); err != nil {
		return err
	}
	high, err := p.expression(bindRange)
	n.Args = append(n.Args, low, high)
	return err
}

// like parses the pattern and the escape character, if there is one.
func (p *parser) like(n *Node) *Error {
	pattern, err := p.expression(bindRange)
	n.Args = append(n.Args, pattern)
	if err == nil && p.accept("escape") {
		var escape *Node
		escape, err = p.expression(bindRange)
		n.Args = append(n.Args, escape)
	}
	return err
}

// list parses expressions up to the closing parenthesis; the opening one is behind us.
func (p *parser) list(into []*Node, of string) ([]*Node, *Error) {
	if p.accept(")") {
		return into, nil
	}
	for {
		x, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		into = append(into, x)
		if p.accept(",") {
			continue
		}
		return into, p.expect(")", "after "+of)
	}
}

// ParseType returns the type that text names: int32, decimal(12, 2), timestamp(us, utc),
// or SQL's names (bigint, varchar). Errors are *Error.
func ParseType(text string) (batch.Type, error) {
	toks, err := scan(text)
	if err != nil {
		return batch.Type{}, err
	}
	p := &parser{toks: toks, text: text}
	t, err := p.typeName()
	if err != nil {
		return batch.Type{}, err
	}
	if rest := p.toks.Peek(); !rest.EOF() {
		return batch.Type{}, p.unexpected(rest)
	}
	return t, nil
}
