package plan

import (
	"fmt"
	"strings"
)

func closing(open byte) byte {
	if open == '[' {
		return ']'
	}
	return '}'
}

const quoteHint = "put it in quotes: commas, colons, brackets and braces end unquoted text inside [ ] and { }"

// flowNext moves to the next content of a flow collection that opened at open.
func (p *yamlParser) flowNext(open Pos, bracket byte, parent int) byte {
	line := p.line
	ok := p.nextContent()
	if ok && p.line != line {
		c := p.rest()[0]
		ok = p.col > parent || c == ']' || c == '}'
	}
	if !ok {
		p.failAt(open, fmt.Sprintf("%q is not closed", string(bracket)), "add the missing "+string(closing(bracket)))
	}
	return p.rest()[0]
}

// flow reads [a, b] or {a: b}.
func (p *yamlParser) flow(parent int) *yamlNode {
	open, bracket := p.pos(), p.rest()[0]
	p.enter(open)
	defer func() { p.depth-- }()
	n := &yamlNode{kind: yamlMap, pos: open, flow: true}
	if bracket == '[' {
		n.kind = yamlSeq
	}
	p.col++
	for {
		c := p.flowNext(open, bracket, parent)
		if c == closing(bracket) {
			p.col++
			return n
		}
		if c == ',' {
			p.failHere("nothing stands before this comma", "")
		}
		if n.kind == yamlSeq {
			n.items = append(n.items, p.flowItem(open, parent))
		} else {
			n.entries = append(n.entries, p.flowEntry(open, bracket, parent))
		}
		switch c := p.flowNext(open, bracket, parent); c {
		case ',':
			p.col++
		case closing(bracket):
		default:
			p.failHere(fmt.Sprintf("expected , or %c, found %q", closing(bracket), firstWord(p.rest())), "put text with quotes, colons, brackets or braces in quotes as a whole")
		}
	}
}

// flowItem reads an item of a list: a value, or one pair (a: b), which is a mapping.
func (p *yamlParser) flowItem(open Pos, parent int) *yamlNode {
	n := p.flowValue(parent)
	if n.kind != yamlScalar || p.flowNext(open, '[', parent) != ':' {
		return n
	}
	p.col++
	v := p.flowAfterColon(open, '[', parent)
	return &yamlNode{kind: yamlMap, pos: n.pos, flow: true, entries: []yamlEntry{{n, v}}}
}

func (p *yamlParser) flowEntry(open Pos, bracket byte, parent int) yamlEntry {
	key := p.flowValue(parent)
	if key.kind == yamlSeq || key.kind == yamlMap {
		p.failAt(key.pos, "a key cannot be a list or a mapping", "")
	}
	if p.flowNext(open, bracket, parent) != ':' {
		p.failAt(key.pos, fmt.Sprintf("%q has no value inside { }", key.value), "write key: value, and put text with commas or braces in quotes")
	}
	if key.kind == yamlNull && key.value != "" {
		key.kind = yamlScalar // null is a name like any other here
	}
	if key.kind == yamlNull {
		p.failAt(key.pos, "a key is missing before the colon", "")
	}
	p.col++
	return yamlEntry{key, p.flowAfterColon(open, bracket, parent)}
}

func (p *yamlParser) flowAfterColon(open Pos, bracket byte, parent int) *yamlNode {
	at := p.pos()
	switch p.flowNext(open, bracket, parent) {
	case ',', ']', '}':
		return &yamlNode{kind: yamlNull, pos: at, flow: true}
	}
	return p.flowValue(parent)
}

// flowValue reads a scalar or a nested collection.
func (p *yamlParser) flowValue(parent int) *yamlNode {
	p.refuseMarks()
	switch c := p.rest()[0]; c {
	case '[', '{':
		return p.flow(parent)
	case '"', '\'':
		n := p.quoted(parent)
		n.flow = true
		return n
	case ']', '}', '|', '>', '#':
		p.failHere(fmt.Sprintf("%q cannot begin a value inside [ ] or { }", string(c)), "put the text in quotes")
	}
	return p.flowPlain()
}

// flowPlain reads unquoted text on one line, and notices text that was cut in two.
func (p *yamlParser) flowPlain() *yamlNode {
	pos, rest := p.pos(), p.rest()
	cut := plainEnd(rest, true)
	text := strings.TrimRight(rest[:cut], " \t")
	n := &yamlNode{kind: yamlScalar, pos: pos, flow: true, value: text, segs: []segment{{0, pos, false}}}
	switch {
	case cut < len(rest) && rest[cut] == '{' && strings.HasSuffix(text, "$"):
		p.failHere("${...} inside [ ] or { } needs quotes", "write \"${name}\"")
	case cut < len(rest) && strings.IndexByte("[{", rest[cut]) >= 0 && text != "":
		p.failHere(fmt.Sprintf("the text %q is cut by a %c", text, rest[cut]), quoteHint)
	case cut < len(rest) && rest[cut] == '#':
		n.comment = p.posAt(p.col + cut)
	case cut < len(rest) && rest[cut] != ':' && unbalanced(text):
		p.failHere(fmt.Sprintf("the text %q is cut by a %c", text, rest[cut]), quoteHint)
	}
	if isNull(text) {
		n.kind = yamlNull
	}
	if p.col += cut; cut == 0 && (len(rest) == 0 || rest[0] != ':') {
		p.failHere("a value is missing", "")
	}
	return n
}

// unbalanced says whether text has an open parenthesis or quote.
func unbalanced(text string) bool {
	depth, single, double := 0, false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'' && !double:
			single = !single
		case c == '"' && !single:
			double = !double
		case c == '(' && !single && !double:
			depth++
		case c == ')' && !single && !double:
			depth--
		}
	}
	return depth > 0 || single || double
}
