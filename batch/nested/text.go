package nested

import (
	"bytes"
	"unicode/utf8"

	"pqjoin/batch"
)

// Style says how a Printer writes values.
type Style uint8

// The styles.
const (
	// JSON is compact JSON: [1,null], {"a":1}. A map is an object of its keys' texts.
	JSON Style = iota
	// SQL is what DuckDB makes of a value that is cast to VARCHAR, in CSV above all: [1, NULL], {'a': 1}, {k=1}. A text
	// stands in quotes where it would be read as something else.
	SQL
)

// LeafText appends the text of row 0 of c, which is no string; bare says whether JSON has it without quotes.
type LeafText func(dst []byte, c *batch.Column) (text []byte, bare bool)

// Printer writes values of one type as text.
type Printer struct {
	w     *Walker
	style Style
	leaf  LeafText
	dst   []byte
	tmp   []byte
	open  []int // where those around begin that JSON must make a string of, being keys; -1 for others
	key   bool  // the next leaf is a key
}

// NewPrinter returns a printer of values of type t, whose leaves leaf writes. A leaf has the same column in all calls.
func NewPrinter(t *Type, style Style, leaf LeafText) *Printer {
	return &Printer{w: NewWalker(t), style: style, leaf: leaf}
}

// Append appends the text of the value v. The error wraps ErrMalformed.
func (p *Printer) Append(dst, v []byte) ([]byte, error) {
	p.dst, p.open = dst, p.open[:0]
	err := p.w.Walk(v, (*printing)(p))
	out := p.dst
	p.dst = nil
	return out, err
}

// printing is a Printer as a Visitor.
type printing Printer

func (p *printing) put(s string) { p.dst = append(p.dst, s...) }

func (p *printing) Begin(t *Type, _ int) error {
	from := -1
	if p.key && p.style == JSON {
		from = len(p.dst)
	}
	p.open = append(p.open, from)
	p.key = false
	if t.Kind == List {
		p.put("[")
	} else {
		p.put("{")
	}
	return nil
}

func (p *printing) End(t *Type) error {
	if t.Kind == List {
		p.put("]")
	} else {
		p.put("}")
	}
	from := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	if from >= 0 {
		key := bytes.Clone(p.dst[from:])
		p.dst = AppendJSONString(p.dst[:from], key)
	}
	return nil
}

func (p *printing) Item(t *Type, i int) error {
	comma, colon, is := ",", ":", ":"
	if p.style == SQL {
		comma, colon, is = ", ", ": ", "="
	}
	p.key = t.Kind == Map && i&1 == 0
	switch {
	case t.Kind == Map && !p.key:
		p.put(is)
	case i > 0:
		p.put(comma)
	}
	if t.Kind == Struct {
		if p.style == SQL {
			p.quoted([]byte(t.Fields[i].Name))
		} else {
			p.dst = AppendJSONString(p.dst, []byte(t.Fields[i].Name))
		}
		p.put(colon)
	}
	return nil
}

func (p *printing) Null(*Type) error {
	if p.style == SQL {
		p.put("NULL")
	} else {
		p.put("null")
	}
	return nil
}

func (p *printing) Leaf(t *Type, c *batch.Column) error {
	text, bare := c.Data, false
	if t.Leaf.ID != batch.String {
		p.tmp, bare = p.leaf(p.tmp[:0], c)
		text = p.tmp
	}
	switch {
	case p.style == SQL && needsQuotes(text):
		p.quoted(text)
	case p.style == SQL || bare && !p.key:
		p.dst = append(p.dst, text...)
	default:
		p.dst = AppendJSONString(p.dst, text)
	}
	return nil
}

// needsQuotes says whether a text would be read as something else without them.
func needsQuotes(s []byte) bool {
	return len(s) == 0 || s[0] == ' ' || s[len(s)-1] == ' ' || bytes.ContainsAny(s, `,'"\{}[]()=:`) || bytes.EqualFold(s, []byte("null"))
}

func (p *printing) quoted(s []byte) {
	p.put("'")
	for _, c := range s {
		if c == '\'' || c == '\\' {
			p.dst = append(p.dst, '\\')
		}
		p.dst = append(p.dst, c)
	}
	p.put("'")
}

// AppendJSONString appends a text as a string of JSON; bytes that are no UTF-8 become U+FFFD.
func AppendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, "\ufffd"...)
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			dst = append(dst, s[:n]...)
		}
		s = s[n:]
	}
	return append(dst, '"')
}
