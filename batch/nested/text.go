package nested

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"pqjoin/batch"
)

// Style says how a Printer writes values.
type Style uint8

// The styles.
const (
	// JSON is compact JSON: [1,null], {"a":1}. A map is an object of its keys' texts. Bytes that are no UTF-8 become U+FFFD.
	JSON Style = iota
	// StrictJSON is JSON, and ErrText where a text is no UTF-8.
	StrictJSON
	// SQL is what DuckDB makes of a value that is cast to VARCHAR, in CSV above all: [1, NULL], {'a': 1}, {k=1}. A text
	// stands in quotes where it would be read as something else.
	SQL
)

// ErrText marks a text that is not UTF-8, which JSON asks for.
var ErrText = errors.New("a text that is not valid UTF-8, which JSON asks for")

const (
	pieceBytes = 4 << 10  // of a long text that is written at once; in JSON it may be six times as long
	flushBytes = 32 << 10 // of text from which Flush is called
	maxKey     = 1 << 20  // bytes of the JSON of a key that is a list, map or struct, where there is a Flush
)

// LeafText appends the text of row 0 of c, which is no string; bare says whether JSON has it without quotes.
type LeafText func(dst []byte, c *batch.Column) (text []byte, bare bool)

// Printer writes values of one type as text.
type Printer struct {
	// Flush, where it is set, takes what has been written of a value whenever that is 32 KiB, and returns what to append
	// to next, so that a Printer holds less than 128 KiB of a value, however long, and 1 MiB of keys that are nested.
	Flush func(text []byte) ([]byte, error)

	w     *Walker
	style Style
	leaf  LeafText
	dst   []byte
	tmp   []byte
	open  []int // where those around begin that JSON must make a string of, being keys; -1 for others
	key   bool  // the next leaf is a key
	keys  int   // of open that are no -1

	names map[*Type][]string // of the fields of structs, in quotes, with what follows
	bad   error              // of a name that cannot be written
}

// NewPrinter returns a printer of values of type t, whose leaves leaf writes. A leaf has the same column in all calls.
func NewPrinter(t *Type, style Style, leaf LeafText) *Printer {
	p := &Printer{w: NewWalker(t), style: style, leaf: leaf, names: map[*Type][]string{}}
	(*printing)(p).name(t)
	p.dst = nil
	return p
}

// name writes the names of the fields of t, and of its parts.
func (p *printing) name(t *Type) {
	for i := range t.Fields {
		f := &t.Fields[i]
		p.name(f.Type)
		if t.Kind != Struct {
			continue
		}
		p.dst = p.dst[:0]
		if err := p.text([]byte(f.Name)); err != nil {
			p.bad = err
		}
		if p.put(":"); p.style == SQL {
			p.put(" ")
		}
		p.names[t] = append(p.names[t], string(p.dst))
	}
}

// Append appends the text of the value v; with Flush, what that has not taken. The error wraps ErrMalformed or ErrText, or
// is that of Flush.
func (p *Printer) Append(dst, v []byte) ([]byte, error) {
	if p.bad != nil {
		return dst, p.bad
	}
	p.dst, p.open, p.key, p.keys = dst, p.open[:0], false, 0
	err := p.w.Walk(v, (*printing)(p))
	out := p.dst
	p.dst = nil
	return out, err
}

// printing is a Printer as a Visitor.
type printing Printer

func (p *printing) put(s string) { p.dst = append(p.dst, s...) }

func (p *printing) flush() (err error) {
	if p.Flush == nil || len(p.dst) < flushBytes {
		return nil
	}
	if p.keys > 0 { // what End makes a string of
		if len(p.dst) > maxKey {
			return fmt.Errorf("a key of a map has more than %d bytes of JSON", maxKey)
		}
		return nil
	}
	p.dst, err = p.Flush(p.dst)
	return err
}

// pieces appends s as add does, a piece at a time.
func (p *printing) pieces(s []byte, add func(dst, s []byte) []byte) error {
	for {
		n := min(len(s), pieceBytes)
		p.dst = add(p.dst, s[:n])
		s = s[n:]
		if err := p.flush(); err != nil || len(s) == 0 {
			return err
		}
	}
}

func (p *printing) Begin(t *Type, _ int) error {
	from := -1
	if p.key && p.style != SQL {
		from = len(p.dst)
		p.keys++
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
		p.keys--
		key := bytes.Clone(p.dst[from:])
		p.dst = append(AppendJSON(append(p.dst[:from], '"'), key), '"')
	}
	return nil
}

func (p *printing) Item(t *Type, i int) error {
	comma, is := ",", ":"
	if p.style == SQL {
		comma, is = ", ", "="
	}
	p.key = t.Kind == Map && i&1 == 0
	switch {
	case t.Kind == Map && !p.key:
		p.put(is)
	case i > 0:
		p.put(comma)
	}
	if t.Kind == Struct {
		p.put(p.names[t][i])
	}
	return p.flush()
}

// text appends a text in quotes.
func (p *printing) text(s []byte) error {
	quote, add := `"`, AppendJSON
	switch {
	case p.style == SQL:
		quote, add = "'", appendSQL
	case utf8.Valid(s):
	case p.style == StrictJSON:
		return fmt.Errorf("%w: %q", ErrText, s[:min(len(s), 60)])
	default:
		s = bytes.ToValidUTF8(s, []byte("\ufffd"))
	}
	p.put(quote)
	err := p.pieces(s, add)
	p.put(quote)
	return err
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
	case p.style == SQL && !needsQuotes(text):
		return p.pieces(text, func(dst, s []byte) []byte { return append(dst, s...) })
	case p.style != SQL && bare && !p.key:
		p.dst = append(p.dst, text...)
		return nil
	}
	return p.text(text)
}

// needsQuotes says whether a text would be read as something else without them.
func needsQuotes(s []byte) bool {
	return len(s) == 0 || s[0] == ' ' || s[len(s)-1] == ' ' || bytes.ContainsAny(s, `,'"\{}[]()=:`) || bytes.EqualFold(s, []byte("null"))
}

func appendSQL(dst, s []byte) []byte {
	for _, c := range s {
		if c == '\'' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// AppendJSON appends what stands between the quotes of a string of JSON. It goes byte by byte, as only characters of one
// byte are escaped, so a text may come in pieces, cut anywhere; it does not look whether they are UTF-8. About 1 ns a byte.
func AppendJSON(dst, s []byte) []byte {
	from := 0
	for i, c := range s {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, s[from:]...)
}
