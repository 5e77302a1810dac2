package expr

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"pqjoin/batch"
)

// primary parses a literal, a column, a call, case, cast, or a parenthesis.
func (p *parser) primary() (*Node, *Error) {
	t := p.toks.Peek()
	switch t.Type {
	case tokNumber:
		return p.number()
	case tokString:
		p.toks.Next()
		return &Node{Op: OpLiteral, Offset: t.Pos.Offset, Type: batch.Of(batch.String), Value: Value{Bytes: []byte(unquote(t.Value))}, depth: 1}, nil
	case tokQuoted:
		p.toks.Next()
		return &Node{Op: OpColumn, Offset: t.Pos.Offset, Name: unquote(t.Value), depth: 1}, nil
	case tokIdent:
		return p.name()
	}
	if !p.accept("(") {
		if t.EOF() {
			return nil, p.unexpected(t)
		}
		return nil, errorAt(t.Pos.Offset, "", "expected a value, found %s", p.show(t))
	}
	x, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	return x, p.expect(")", "for the ( before it")
}

func unquote(s string) string {
	q := s[:1]
	return strings.ReplaceAll(s[1:len(s)-1], q+q, q)
}

func (p *parser) number() (*Node, *Error) {
	t := p.toks.Next()
	if next := p.toks.Peek(); next.Type == tokIdent && next.Pos.Offset == t.Pos.Offset+len(t.Value) {
		return nil, errorAt(t.Pos.Offset, "a name that begins with a digit is written in double quotes", "malformed number %s", shorten(t.Value+next.Value))
	}
	return numberLiteral(t.Pos.Offset, t.Value)
}

// numberLiteral types a number by how it is written: an exponent makes it float64, a
// point decimal, else it is the first of int32, int64, uint64, decimal(n, 0) that holds it.
func numberLiteral(off int, text string) (*Node, *Error) {
	n := &Node{Op: OpLiteral, Offset: off, Name: text, depth: 1}
	if strings.ContainsAny(text, "eE") {
		return floatLiteral(n, text)
	}
	whole, frac, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	digits := strings.TrimLeft(whole+frac, "0")
	v, _ := new(big.Int).SetString("0"+whole+frac, 10)
	if strings.HasPrefix(text, "-") {
		v.Neg(v)
	}
	prec := max(len(digits), len(frac), 1)
	if frac != "" {
		prec = max(prec, len(frac)+1)
	}
	switch {
	case strings.Contains(text, ".") && len(digits) <= 38 && len(frac) <= 38:
		n.Type = batch.DecimalOf(min(prec, 38), len(frac))
	case strings.Contains(text, "."):
		return floatLiteral(n, text)
	case v.IsInt64():
		n.Type, n.Value.Int = batch.Of(batch.Int64), v.Int64()
		if int64(int32(v.Int64())) == v.Int64() {
			n.Type = batch.Of(batch.Int32)
		}
		return n, nil
	case v.IsUint64():
		n.Type, n.Value.Int = batch.Of(batch.Uint64), int64(v.Uint64())
		return n, nil
	case len(digits) > 38:
		return nil, errorAt(off, "write it with an exponent for a float64", "the number %s has more than 38 digits", shorten(text))
	default:
		n.Type = batch.DecimalOf(len(digits), 0)
	}
	if n.Type.Kind() == batch.KindInt64 {
		n.Value.Int = v.Int64()
	} else {
		n.Value.Int128, _ = batch.Int128FromBig(v)
	}
	return n, nil
}

func floatLiteral(n *Node, text string) (*Node, *Error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, errorAt(n.Offset, "", "the number %s is outside float64", shorten(text))
	}
	n.Type, n.Value.Float = batch.Of(batch.Float64), f
	return n, nil
}

// name parses what begins with a bare word.
func (p *parser) name() (*Node, *Error) {
	t := p.toks.Next()
	w := word(t)
	switch w {
	case "null", "true", "false":
		n := &Node{Op: OpLiteral, Offset: t.Pos.Offset, Type: batch.Of(batch.Bool), Value: Value{Bool: w == "true"}, depth: 1}
		if w == "null" {
			n.Type, n.Value.Null = batch.Of(batch.Null), true
		}
		return n, nil
	case "case":
		return p.caseWhen(t)
	case "cast", "try_cast":
		return p.cast(t, w == "try_cast")
	}
	next := p.toks.Peek()
	if next.Type == tokString && slices.Contains([]string{"date", "timestamp", "timestamptz", "time"}, w) {
		return p.timeLiteral(t, w)
	}
	if w == "interval" && (next.Type == tokString || next.Type == tokNumber || word(next) == "(") {
		return p.interval(t)
	}
	if word(next) == "(" {
		return p.call(t, w)
	}
	if slices.Contains(reserved, w) {
		return nil, errorAt(t.Pos.Offset, "a column of that name is written in double quotes", "unexpected %s", t.Value)
	}
	return &Node{Op: OpColumn, Offset: t.Pos.Offset, Name: t.Value, depth: 1}, nil
}

func (p *parser) timeLiteral(t *lexer.Token, w string) (*Node, *Error) {
	s := p.toks.Next()
	typ, _ := namedType(w)
	v, err := parseValue([]byte(unquote(s.Value)), typ)
	if err != nil {
		return nil, errorAt(s.Pos.Offset, "write date '2024-01-31' or timestamp '2024-01-31 23:59:59'", "%v", err)
	}
	return &Node{Op: OpLiteral, Offset: t.Pos.Offset, Type: typ, Value: v, depth: 1}, nil
}

func (p *parser) call(t *lexer.Token, w string) (*Node, *Error) {
	p.toks.Next() // (
	switch w {
	case "extract":
		return p.extract(t)
	case "position":
		return p.position(t)
	case "substring", "substr":
		return p.substring(t, w)
	case "trim":
		return p.trim(t)
	}
	args, err := p.list(nil, "the arguments of "+w)
	if err != nil {
		return nil, err
	}
	return p.node(&Node{Op: OpCall, Offset: t.Pos.Offset, Name: w, Args: args})
}

func (p *parser) cast(t *lexer.Token, try bool) (*Node, *Error) {
	if err := p.expect("(", "after "+word(t)); err != nil {
		return nil, err
	}
	x, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("as", "in "+word(t)); err != nil {
		return nil, err
	}
	typ, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")", "after the type"); err != nil {
		return nil, err
	}
	return p.node(&Node{Op: OpCast, Offset: t.Pos.Offset, Type: typ, Try: try, Args: []*Node{x}})
}

// caseWhen parses case [x] when a then b ... [else c] end.
func (p *parser) caseWhen(t *lexer.Token) (*Node, *Error) {
	n := &Node{Op: OpCase, Offset: t.Pos.Offset, Args: []*Node{nil}}
	var err *Error
	if !p.at("when") {
		if n.Args[0], err = p.expression(0); err != nil {
			return nil, err
		}
	}
	for p.accept("when") {
		if err := p.part(n); err != nil {
			return nil, err
		}
		if err := p.expect("then", "after when and its condition"); err != nil {
			return nil, err
		}
		if err := p.part(n); err != nil {
			return nil, err
		}
	}
	if len(n.Args) == 1 {
		return nil, p.expect("when", "after case")
	}
	if p.accept("else") {
		err = p.part(n)
	} else {
		n.Args = append(n.Args, nil)
	}
	if err != nil {
		return nil, err
	}
	if err := p.expect("end", "to close case"); err != nil {
		return nil, err
	}
	return p.node(n)
}

func (p *parser) part(n *Node) *Error {
	x, err := p.expression(0)
	n.Args = append(n.Args, x)
	return err
}

// typeName parses a type with its parameters.
func (p *parser) typeName() (batch.Type, *Error) {
	t := p.toks.Next()
	if t.Type != tokIdent {
		return batch.Type{}, errorAt(p.offset(t), "", "expected the name of a type, found %s", p.show(t))
	}
	w := word(t)
	typ, ok := namedType(w)
	if !ok {
		return batch.Type{}, errorAt(t.Pos.Offset, didYouMean(w, TypeNames()), "no type is called %s", t.Value)
	}
	if w == "double" {
		p.accept("precision")
	}
	if !p.at("(") {
		if typ.ID == batch.Fixed {
			return typ, errorAt(t.Pos.Offset, "write fixed(16), with the bytes of a value", "fixed needs a width")
		}
		return typ, nil
	}
	open := p.toks.Next()
	var params []string
	for !p.at(")") {
		params = append(params, strings.ToLower(p.toks.Next().Value))
		if !p.accept(",") {
			break
		}
	}
	if err := p.expect(")", "after the type's parameters"); err != nil {
		return batch.Type{}, err
	}
	typ, ok = typeWith(typ, params)
	if !ok {
		return batch.Type{}, errorAt(open.Pos.Offset, "write decimal(12, 2), timestamp(us) or timestamp(ns, utc)", "%s does not take the parameters (%s)", t.Value, strings.Join(params, ", "))
	}
	return typ, nil
}
