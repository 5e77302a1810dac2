package plan

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// inline reads a scalar or a flow collection in block context; it ends with its line(s).
func (p *yamlParser) inline(parent int) *yamlNode {
	var n *yamlNode
	switch c := p.rest()[0]; c {
	case '[', '{':
		n = p.flow(parent)
		p.endOfLine("text after the closing "+string(closing(c)), "put text that holds brackets or braces in quotes")
	case '"', '\'':
		n = p.quoted(parent)
		p.endOfLine("text after the closing quote", "put the whole value in quotes, of the other kind")
	case '|', '>':
		n = p.blockScalar(parent)
	default:
		n = p.plain(parent)
	}
	return n
}

// endOfLine makes sure that only a comment follows.
func (p *yamlParser) endOfLine(msg, hint string) {
	rest := p.rest()
	text := strings.TrimLeft(rest, " \t")
	if text == "" || text[0] == '#' && len(text) < len(rest) {
		p.line, p.col = p.line+1, 0
		return
	}
	p.col += len(rest) - len(text)
	p.failHere(msg, hint)
}

// builder collects a scalar's text with the places of its characters.
type builder struct {
	text strings.Builder
	segs []segment
}

// add appends s, which stands at pos.
func (b *builder) add(s string, pos Pos) {
	if s == "" {
		return
	}
	b.segs = append(b.segs, segment{b.text.Len(), pos, false})
	b.text.WriteString(s)
}

// breaks folds n line breaks: one becomes a space, more become one break fewer.
func (b *builder) breaks(n int, pos Pos) {
	if n == 1 {
		b.add(" ", pos)
	} else {
		b.add(strings.Repeat("\n", n-1), pos)
	}
}

func (b *builder) node(pos Pos, style byte) *yamlNode {
	if len(b.segs) == 0 {
		b.segs = []segment{{0, pos, false}}
	}
	return &yamlNode{kind: yamlScalar, pos: pos, style: style, value: b.text.String(), segs: b.segs}
}

// plain reads an unquoted scalar in block context, which may go on over more deeply indented lines.
func (p *yamlParser) plain(parent int) *yamlNode {
	pos := p.pos()
	var b builder
	var comment Pos
	for {
		rest := p.rest()
		text := rest
		cut := plainEnd(rest, false)
		if cut < len(rest) && rest[cut] == ':' {
			if p.line+1 != pos.Line {
				p.failHere("this line goes on with the unquoted text above it, and yet holds a key", "check its indentation, and that the line above ends with a colon")
			}
			p.col += cut
			p.failHere("a colon and a space inside unquoted text", "put the whole value in quotes")
		}
		text = strings.TrimRight(rest[:cut], " \t")
		b.add(text, p.pos())
		if cut < len(rest) {
			comment = p.posAt(p.col + cut)
		}
		end := p.posAt(p.col + len(text))
		from := p.line
		p.line, p.col = p.line+1, 0
		if comment.Line > 0 || !p.nextContentLine() || p.col <= parent || p.col == 0 && marker(p.rest()) != "" {
			break
		}
		b.breaks(p.line-from, end)
	}
	n := b.node(pos, 0)
	n.comment = comment
	if isNull(n.value) {
		return &yamlNode{kind: yamlNull, pos: pos}
	}
	return n
}

// nextContentLine skips blank lines only: a comment ends a plain scalar.
func (p *yamlParser) nextContentLine() bool {
	for ; p.line < len(p.lines); p.line++ {
		l := p.lines[p.line]
		t := strings.TrimLeft(l, " ")
		if strings.TrimLeft(t, "\t") == "" {
			continue
		}
		p.col = len(l) - len(t)
		return t[0] != '#' && t[0] != '\t'
	}
	return false
}

func isNull(s string) bool { return s == "" || s == "~" || s == "null" || s == "Null" || s == "NULL" }

// plainEnd returns where unquoted text ends: at a comment, at a colon that ends a key,
// and in flow style at the indicators.
func plainEnd(s string, flow bool) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '#' && i > 0 && (s[i-1] == ' ' || s[i-1] == '\t'):
			return i
		case c == ':' && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '\t' || flow && strings.IndexByte(",[]{}", s[i+1]) >= 0):
			return i
		case flow && strings.IndexByte(",[]{}", c) >= 0:
			return i
		}
	}
	return len(s)
}

// quoted reads a quoted scalar; continuation lines must be indented over parent.
func (p *yamlParser) quoted(parent int) *yamlNode {
	open := p.pos()
	q := p.lines[p.line][p.col]
	p.col++
	var b builder
	for {
		l := p.lines[p.line]
		if end := p.quotedLine(&b, q); end {
			return b.node(open, q)
		}
		// The line goes on: white space around the break is folded away.
		at := p.posAt(len(l))
		from := p.line
		p.line, p.col = p.line+1, 0
		for p.line < len(p.lines) && strings.Trim(p.lines[p.line], " \t") == "" {
			p.line++
		}
		if p.line >= len(p.lines) {
			p.failAt(open, "the quote is not closed", "")
		}
		l = p.lines[p.line]
		p.col = len(l) - len(strings.TrimLeft(l, " \t"))
		if p.col <= parent {
			p.failAt(open, "the quote is not closed on this line, and the next is not indented under it", "")
		}
		b.breaks(p.line-from, at)
	}
}

// quotedLine reads up to the closing quote (true) or the end of the line (false).
func (p *yamlParser) quotedLine(b *builder, q byte) bool {
	l := p.lines[p.line]
	start := p.col
	column := p.posAt(start)
	flush := func(end int) {
		b.add(l[start:end], column)
		column.Column += utf8.RuneCountInString(l[start:end])
		start = end
	}
	for i := start; i < len(l); i++ {
		switch {
		case l[i] == q && q == '\'' && i+1 < len(l) && l[i+1] == q:
			flush(i + 1)
			i++
			start, column.Column = i+1, column.Column+1
		case l[i] == q:
			flush(i)
			p.col = i + 1
			return true
		case l[i] == '\\' && q == '"':
			flush(i)
			p.col = i
			text, n := p.escape(l[i:])
			b.add(text, column)
			i += n - 1
			start, column.Column = i+1, column.Column+n
		}
	}
	end := max(start, len(strings.TrimRight(l, " \t")))
	flush(end)
	return false
}

// The one-letter escapes of double quotes, and what they stand for.
const (
	escapeNames  = "0abtnvfre \"/\\N_LP"
	escapeValues = "\x00\a\b\t\n\v\f\r\x1b \"/\\\u0085\u00a0\u2028\u2029"
)

// escape reads the escape at the start of s: the text it stands for and its length.
func (p *yamlParser) escape(s string) (string, int) {
	if len(s) < 2 {
		p.failHere("a backslash at the end of a line inside double quotes", "use single quotes, or write \\\\")
	}
	if i := strings.IndexByte(escapeNames, s[1]); i >= 0 {
		return string([]rune(escapeValues)[i]), 2
	}
	n := 2 << max(strings.IndexByte("xuU", s[1]), 0)
	if strings.IndexByte("xuU", s[1]) >= 0 && len(s) >= 2+n {
		v, err := strconv.ParseUint(s[2:2+n], 16, 32)
		if err == nil && utf8.ValidRune(rune(v)) {
			return string(rune(v)), 2 + n
		}
	}
	p.failHere(fmt.Sprintf("unknown escape \\%s in double quotes", firstRune(s[1:])), "use single quotes, or write \\\\")
	return "", 0
}

// blockScalar reads | and > text. The header may hold - or + and nothing else.
func (p *yamlParser) blockScalar(parent int) *yamlNode {
	pos, rest := p.pos(), p.rest()
	style, chomp, head := rest[0], byte(0), rest[1:]
	if head != "" && (head[0] == '-' || head[0] == '+') {
		chomp, head = head[0], head[1:]
	}
	if t := strings.TrimLeft(head, " \t"); t != "" && (t[0] != '#' || len(t) == len(head)) {
		p.failHere(fmt.Sprintf("%q begins a YAML text block", firstWord(rest)), "put the whole value in quotes")
	}
	p.line, p.col = p.line+1, 0
	first, end, indent := p.line, p.line, -1
	for l := p.line; l < len(p.lines); l++ {
		t := strings.TrimLeft(p.lines[l], " ")
		if t == "" {
			continue
		}
		in := len(p.lines[l]) - len(t)
		if in <= parent || indent >= 0 && in < indent {
			break
		}
		if indent < 0 {
			indent = in
		}
		end = l + 1
	}
	n := p.blockText(pos, style, blockLines{first, end, indent})
	p.line = end
	return chompText(n, chomp)
}

type blockLines struct{ first, end, indent int }

func (p *yamlParser) blockText(pos Pos, style byte, r blockLines) *yamlNode {
	var b builder
	breaks, deeper := 0, false
	for l := r.first; l < r.end; l++ {
		p.line = l
		text := ""
		if len(p.lines[l]) > r.indent {
			text = p.lines[l][r.indent:]
		}
		at := p.posAt(r.indent)
		if text == "" {
			breaks++
			continue
		}
		in := text[0] == ' ' || text[0] == '\t'
		switch {
		case b.text.Len() == 0:
			b.add(strings.Repeat("\n", breaks), at)
		case style == '|' || in || deeper:
			b.add(strings.Repeat("\n", breaks), at)
		default:
			b.breaks(breaks, at)
		}
		b.add(text, at)
		breaks, deeper = 1, in
	}
	return b.node(pos, style)
}

// chompText ends the text with one line break, or with none for -. (+ keeps one, too: trailing
// blank lines mean nothing in a job.)
func chompText(n *yamlNode, chomp byte) *yamlNode {
	if chomp != '-' && n.value != "" {
		n.value += "\n"
	}
	return n
}

func firstWord(s string) string {
	s, _, _ = strings.Cut(s, " #")
	n := 0
	for i := range s {
		if n++; n > 24 {
			return s[:i] + "..."
		}
	}
	return s
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}
