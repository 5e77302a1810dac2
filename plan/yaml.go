package plan

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// The job file is a subset of YAML 1.2, read by a parser of our own: block and flow
// mappings and sequences, plain, quoted and block scalars, comments. Anchors, aliases,
// tags, directives, explicit keys and several documents are refused. It takes time and
// memory linear in the file, and knows the place of every character of every scalar.

const (
	maxFile  = 1 << 20 // bytes of a job file
	maxDepth = 40      // nested mappings and sequences
)

type yamlKind uint8

const (
	yamlNull yamlKind = iota + 1
	yamlScalar
	yamlSeq
	yamlMap
)

// yamlNode is a value of the file.
type yamlNode struct {
	kind    yamlKind
	pos     Pos
	style   byte // of a scalar: 0 plain, or ' " | >
	flow    bool // inside or made of [ ] or { }
	value   string
	segs    []segment // places of value's bytes, ascending
	comment Pos       // of a comment that ends a plain scalar; zero for none
	entries []yamlEntry
	items   []*yamlNode
}

type yamlEntry struct {
	key   *yamlNode
	value *yamlNode
}

// segment says that value[offset:] begins at pos, one column a character; a fixed
// segment stays at pos altogether (text that was put in for ${...}).
type segment struct {
	offset int
	pos    Pos
	fixed  bool
}

// placeOf returns where the byte at offset of value stands in the file.
func placeOf(value string, segs []segment, offset int) Pos {
	if len(segs) == 0 {
		return Pos{}
	}
	offset = min(max(offset, 0), len(strings.TrimRight(value, "\n"))) // a block's last line break has no place
	i := sort.Search(len(segs), func(i int) bool { return segs[i].offset > offset }) - 1
	s := segs[max(i, 0)]
	if s.fixed {
		return s.pos
	}
	s.pos.Column += utf8.RuneCountInString(value[min(s.offset, offset):offset])
	return s.pos
}

// yamlError is a mistake at a place; the caller adds the file.
type yamlError struct {
	pos       Pos
	msg, hint string
}

func (e *yamlError) Error() string { return e.msg }

// yamlParser reads lines; line and col are where it stands, col in bytes.
type yamlParser struct {
	lines     []string
	line, col int
	depth     int
	seen      place // the last place asked for, so that columns are counted once
}

// place is a byte column of a line and its column in characters, from 0.
type place struct{ line, col, runes int }

// splitLines cuts the file into lines without their ends.
func splitLines(data []byte) []string {
	lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	return lines
}

// parseYAML returns the document's node, or nil for a file without content.
func parseYAML(lines []string) (root *yamlNode, err error) {
	p := &yamlParser{lines: lines}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *yamlError:
			root, err = nil, e
		default:
			panic(e)
		}
	}()
	p.checkText()
	if !p.nextContent() {
		return nil, nil
	}
	if marker(p.lines[p.line]) == "---" {
		if rest := strings.TrimSpace(p.lines[p.line][3:]); rest != "" && rest[0] != '#' {
			p.failHere("content after ---", "start it on a line of its own")
		}
		p.line, p.col = p.line+1, 0
		if !p.nextContent() {
			return nil, nil
		}
	}
	root = p.block(-1)
	if p.nextContent() {
		p.failHere("this line does not belong to what is above it", "check its indentation")
	}
	return root, nil
}

func marker(line string) string {
	if len(line) >= 3 && (line[:3] == "---" || line[:3] == "...") && (len(line) == 3 || line[3] == ' ') {
		return line[:3]
	}
	return ""
}

func (p *yamlParser) checkText() {
	for i, l := range p.lines {
		p.line, p.col = i, 0
		if !utf8.ValidString(l) {
			p.failHere("the file is not UTF-8 text", "")
		}
		for j := 0; j < len(l); j++ {
			if c := l[j]; c < ' ' && c != '\t' || c == 0x7f {
				p.col = j
				p.failHere(fmt.Sprintf("a control character (%#02x)", c), "remove it")
			}
		}
	}
	p.line, p.col = 0, 0
}

func (p *yamlParser) failHere(msg, hint string) { p.failAt(p.pos(), msg, hint) }

func (p *yamlParser) failAt(pos Pos, msg, hint string) {
	panic(&yamlError{pos, msg, hint})
}

func (p *yamlParser) pos() Pos {
	if p.line >= len(p.lines) {
		return Pos{Line: len(p.lines), Column: 1}
	}
	return p.posAt(p.col)
}

func (p *yamlParser) posAt(col int) Pos {
	l := p.lines[p.line]
	col = min(col, len(l))
	if p.seen.line != p.line {
		p.seen = place{line: p.line}
	}
	if col >= p.seen.col {
		p.seen.runes += utf8.RuneCountInString(l[p.seen.col:col])
	} else {
		p.seen.runes -= utf8.RuneCountInString(l[col:p.seen.col])
	}
	p.seen.col = col
	return Pos{Line: p.line + 1, Column: p.seen.runes + 1}
}

// rest returns what remains of the current line.
func (p *yamlParser) rest() string {
	if p.line >= len(p.lines) || p.col >= len(p.lines[p.line]) {
		return ""
	}
	return p.lines[p.line][p.col:]
}

// nextContent moves to the first character that is neither space nor comment, here or
// on a later line, and says whether there is one.
func (p *yamlParser) nextContent() bool {
	for ; p.line < len(p.lines); p.line, p.col = p.line+1, 0 {
		l := p.lines[p.line]
		start := p.col
		for p.col < len(l) && l[p.col] == ' ' {
			p.col++
		}
		if p.col == len(l) || l[p.col] == '#' && (p.col == 0 || p.col > start || l[p.col-1] == ' ') {
			continue
		}
		if l[p.col] == '\t' {
			if t := strings.TrimLeft(l[p.col:], " \t"); t == "" || t[0] == '#' {
				continue
			}
			p.failHere("a tab in the indentation", "indent with spaces")
		}
		return true
	}
	return false
}

func (p *yamlParser) enter(pos Pos) {
	if p.depth++; p.depth > maxDepth {
		p.failAt(pos, fmt.Sprintf("nested deeper than %d levels", maxDepth), "")
	}
}

// block reads the node at the current position, whose indentation must be over parent.
// The position is at content, and the node's own indentation is its column.
func (p *yamlParser) block(parent int) *yamlNode {
	p.refuseMarks()
	rest := p.rest()
	switch {
	case rest == "-" || strings.HasPrefix(rest, "- "):
		return p.blockSeq()
	case rest == "?" || strings.HasPrefix(rest, "? "):
		p.failHere("explicit keys (? key) are not part of job files", "write key: value")
	case p.keyEnd() >= 0:
		return p.blockMap()
	}
	return p.inline(parent)
}

// refuseMarks refuses the YAML features that job files do not have.
func (p *yamlParser) refuseMarks() {
	rest := p.rest()
	switch {
	case p.col == 0 && marker(rest) != "":
		p.failHere("a job file holds one document", "remove the "+marker(rest))
	case rest == "":
		return
	case rest[0] == '&':
		p.failHere("YAML anchors are not part of job files", "repeat the value, or use vars:")
	case rest[0] == '*':
		p.failHere("YAML aliases are not part of job files", "repeat the value, or put text that begins with * in quotes")
	case rest[0] == '!':
		p.failHere("YAML tags are not part of job files", "put text that begins with ! in quotes")
	case rest[0] == '%' || rest[0] == '@' || rest[0] == '`':
		p.failHere(fmt.Sprintf("YAML text cannot begin with %c", rest[0]), "put it in quotes")
	}
}

func (p *yamlParser) blockSeq() *yamlNode {
	n := &yamlNode{kind: yamlSeq, pos: p.pos()}
	p.enter(n.pos)
	defer func() { p.depth-- }()
	indent := p.col
	for {
		dash := p.pos()
		p.col++
		line := p.line
		switch {
		case !p.nextContent(), p.line != line && p.col <= indent:
			n.items = append(n.items, &yamlNode{kind: yamlNull, pos: dash})
		default:
			n.items = append(n.items, p.block(indent))
		}
		if !p.sibling(indent) {
			return n
		}
		if r := p.rest(); r != "-" && !strings.HasPrefix(r, "- ") {
			return n // the next key of the mapping that the list belongs to; anything else is refused there
		}
	}
}

// sibling moves to the next content and says whether it stands at indent, on a line of its own.
func (p *yamlParser) sibling(indent int) bool {
	if !p.nextContent() || p.col < indent {
		return false
	}
	if p.col > indent {
		p.failHere("this line is indented unlike those above it", "check its indentation")
	}
	return true
}

func (p *yamlParser) blockMap() *yamlNode {
	n := &yamlNode{kind: yamlMap, pos: p.pos()}
	p.enter(n.pos)
	defer func() { p.depth-- }()
	indent := p.col
	for {
		p.refuseMarks()
		if r := p.rest(); r == "-" || strings.HasPrefix(r, "- ") {
			p.failHere("a list item among keys", "indent it under the key that it belongs to")
		}
		end := p.keyEnd()
		if end < 0 {
			p.failHere("expected key: value", "check the indentation, and that a colon and a space follow the key")
		}
		key := p.key(end)
		n.entries = append(n.entries, yamlEntry{key, p.blockValue(key, indent)})
		if !p.sibling(indent) {
			return n
		}
	}
}

// blockValue reads what follows "key:".
func (p *yamlParser) blockValue(key *yamlNode, indent int) *yamlNode {
	line, after := p.line, p.pos()
	null := &yamlNode{kind: yamlNull, pos: after}
	if p.rest() == "" || !p.nextContent() || p.line != line {
		if !p.nextContent() || p.col < indent {
			return null
		}
		if p.col == indent {
			if r := p.rest(); r == "-" || strings.HasPrefix(r, "- ") {
				return p.blockSeq()
			}
			return null
		}
		return p.block(indent)
	}
	p.refuseMarks()
	if r := p.rest(); r == "-" || strings.HasPrefix(r, "- ") {
		p.failHere("a list cannot begin on the line of its key", "put text that begins with - in quotes, or the list on lines of its own")
	}
	return p.inline(indent)
}

// keyEnd returns the byte column behind the key of the current line, where its colon
// stands, or -1 where the line does not begin with a key.
func (p *yamlParser) keyEnd() int {
	l := p.lines[p.line]
	i := p.col
	if i >= len(l) {
		return -1
	}
	switch l[i] {
	case '"', '\'':
		if i = quoteEnd(l, i); i < 0 {
			return -1
		}
		for i < len(l) && l[i] == ' ' {
			i++
		}
		if i < len(l) && l[i] == ':' && (i+1 == len(l) || l[i+1] == ' ') {
			return i
		}
		return -1
	case '[', '{', '|', '>', '#':
		return -1
	}
	for ; i < len(l); i++ {
		if l[i] == ':' && (i+1 == len(l) || l[i+1] == ' ' || l[i+1] == '\t') {
			return i
		}
		if l[i] == '#' && l[i-1] == ' ' {
			return -1
		}
	}
	return -1
}

// quoteEnd returns the column behind the closing quote of the one that opens at i, or -1.
func quoteEnd(l string, i int) int {
	q := l[i]
	for i++; i < len(l); i++ {
		switch {
		case l[i] == '\\' && q == '"':
			i++
		case l[i] == q && q == '\'' && i+1 < len(l) && l[i+1] == q:
			i++
		case l[i] == q:
			return i + 1
		}
	}
	return -1
}

// key reads the key that ends at the colon at column end, and moves behind the colon.
func (p *yamlParser) key(end int) *yamlNode {
	var n *yamlNode
	if c := p.lines[p.line][p.col]; c == '"' || c == '\'' {
		n = p.quoted(-1)
	} else {
		text := strings.TrimRight(p.lines[p.line][p.col:end], " \t")
		if text == "" {
			p.failHere("a key is missing before the colon", "")
		}
		n = &yamlNode{kind: yamlScalar, pos: p.pos(), value: text, segs: []segment{{0, p.pos(), false}}}
	}
	if n.value == "<<" && n.style == 0 {
		p.failAt(n.pos, "YAML merge keys are not part of job files", "repeat what it would merge")
	}
	p.col = end + 1
	return n
}
