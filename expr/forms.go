package expr

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// Calls that SQL writes with words between the arguments; the opening parenthesis is behind us.

// extract parses extract(part from t), which is date_part('part', t).
func (p *parser) extract(t *lexer.Token) (*Node, *Error) {
	part := p.toks.Next()
	name := strings.ToLower(part.Value)
	switch part.Type {
	case tokString:
		name = strings.ToLower(unquote(part.Value))
	case tokIdent:
	default:
		return nil, errorAt(p.offset(part), "write extract(year from t)", "expected a part of a date, found %s", p.show(part))
	}
	if err := p.expect("from", "in extract"); err != nil {
		err.Hint = "write extract(year from t)"
		return nil, err
	}
	x, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")", "after the arguments of extract"); err != nil {
		return nil, err
	}
	return p.node(&Node{Op: OpCall, Offset: t.Pos.Offset, Name: "date_part", Args: []*Node{textLiteral(part.Pos.Offset, name), x}})
}

// position parses position(part in s), which is strpos(s, part).
func (p *parser) position(t *lexer.Token) (*Node, *Error) {
	part, err := p.expression(bindRange)
	if err != nil {
		return nil, err
	}
	if err := p.expect("in", "in position"); err != nil {
		err.Hint = "write position(part in s), or strpos(s, part)"
		return nil, err
	}
	s, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")", "after the arguments of position"); err != nil {
		return nil, err
	}
	return p.node(&Node{Op: OpCall, Offset: t.Pos.Offset, Name: "strpos", Args: []*Node{s, part}})
}

// substring parses substring(s from start for length) and substring(s, start, length).
func (p *parser) substring(t *lexer.Token, w string) (*Node, *Error) {
	s, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	args := []*Node{s}
	for _, word := range []string{"from", "for"} {
		if !p.accept(word) {
			break
		}
		x, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		args = append(args, x)
	}
	return p.restOfCall(t, w, args)
}

// restOfCall parses further arguments behind commas, and the end.
func (p *parser) restOfCall(t *lexer.Token, w string, args []*Node) (*Node, *Error) {
	var err *Error
	if p.accept(",") {
		args, err = p.list(args, "the arguments of "+w)
	} else {
		err = p.expect(")", "after the arguments of "+w)
	}
	if err != nil {
		return nil, err
	}
	return p.node(&Node{Op: OpCall, Offset: t.Pos.Offset, Name: w, Args: args})
}

// trim parses trim([both | leading | trailing] [characters] from s) and trim(s, characters).
func (p *parser) trim(t *lexer.Token) (*Node, *Error) {
	w, side := "trim", p.toks.MakeCheckpoint()
	if name, ok := map[string]string{"both": "trim", "leading": "ltrim", "trailing": "rtrim"}[word(p.toks.Peek())]; ok {
		if p.toks.Next(); p.at(")") || p.at(",") { // a column of that name
			p.toks.LoadCheckpoint(side)
		} else {
			w = name
		}
	}
	if w != "trim" && p.accept("from") {
		s, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		return p.restOfCall(t, w, []*Node{s})
	}
	x, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	args := []*Node{x}
	if p.accept("from") {
		s, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		args = []*Node{s, x}
	}
	return p.restOfCall(t, w, args)
}
