package jsonl

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"pqjoin/tableio/text"
)

// maxColumns is how many different keys a table may have: where a key is a value there is no end of them.
const maxColumns = 10_000

// maxDepth is how deep arrays and objects may lie in each other.
const maxDepth = 500

// tooLong is said of a line longer than text.MaxRecord.
const tooLong = "is this a file of one JSON object a line?"

// kind is what a value is in JSON.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt // without a point or an exponent
	kindFloat
	kindString
	kindNested
)

// scanner cuts lines into the values of an object.
type scanner struct {
	*text.Window
	columns map[string]int
	names   []string
	// add takes a key that is not among the columns: it makes one of it, or says why it is none.
	add func(key string) error
	// take takes a value that is not null.
	take func(col int, sp text.Span, k kind) error

	end  int64    // lines from this offset on are not taken
	row  uint64   // counts lines
	seen []uint64 // by column, the line that had it last
	last int      // the column of the last key
	key  []byte   // of a key with escapes
}

// line takes the next line that is not empty. It says no where there is none. Without refill errMore says that the buffer
// must move, which makes spans of before invalid.
func (s *scanner) line(refill bool) (ok bool, err error) {
	for s.Offset() < s.end {
		rest := s.Buf[s.At:s.Fill]
		k := bytes.IndexByte(rest, '\n')
		if k < 0 && !s.EOF {
			if !refill {
				return false, errMore
			}
			if err := s.More(); err != nil {
				return false, err
			}
			continue
		}
		if len(rest) == 0 {
			return false, nil
		}
		n := k + 1
		if k < 0 {
			k, n = len(rest), len(rest)
		}
		end := s.At + k
		i := space(s.Buf[:end], s.At)
		if i == end {
			s.At += n
			continue
		}
		if err := s.object(s.Buf[:end], i); err != nil {
			return false, err
		}
		s.At += n
		return true, nil
	}
	return false, nil
}

// space returns the position of what follows the blanks at i.
func space(p []byte, i int) int {
	for i < len(p) && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n') {
		i++
	}
	return i
}

// object takes the object at p[i:], which is a line's rest.
func (s *scanner) object(p []byte, i int) error {
	if !utf8.Valid(p[i:]) {
		return s.fail("the line is not valid UTF-8; convert the file first, for instance with iconv -f latin1 -t utf-8")
	}
	if p[i] != '{' {
		return s.fail(notAnObject(p[i]))
	}
	s.row++
	s.last = -1
	i = space(p, i+1)
	if i < len(p) && p[i] == '}' {
		return s.atEnd(p, i+1)
	}
	for {
		col, at, err := s.member(p, i)
		if err != nil {
			return err
		}
		sp, k, at, err := s.value(p, at, 0)
		if err != nil {
			return err
		}
		if k != kindNull {
			if err := s.take(col, sp, k); err != nil {
				return err
			}
		}
		i = space(p, at)
		switch {
		case i == len(p):
			return s.fail("the line ends within an object; each line holds one object whole (jq -c . makes it so)")
		case p[i] == '}':
			return s.atEnd(p, i+1)
		case p[i] != ',':
			return s.unexpected(p, i, "a comma or a brace after a value")
		}
		i = space(p, i+1)
	}
}

func notAnObject(c byte) string {
	if c == '[' {
		return "the line begins with an array; each line holds one object (jq -c '.[]' makes it so)"
	}
	return "the line does not begin with a brace; each line holds one JSON object"
}

func (s *scanner) atEnd(p []byte, i int) error {
	if i = space(p, i); i < len(p) {
		return s.fail("something follows the object; each line holds one (jq -c . makes it so)")
	}
	return nil
}

// member takes a key and its colon and returns its column and where the value begins.
func (s *scanner) member(p []byte, i int) (col, at int, err error) {
	if i == len(p) || p[i] != '"' {
		return 0, i, s.unexpected(p, i, "a key in double quotes")
	}
	end, escaped, err := s.quoted(p, i)
	if err != nil {
		return 0, i, err
	}
	key := p[i+1 : end-1]
	if escaped {
		s.key = unescape(s.key[:0], p[i:end])
		key = s.key
	}
	// Lines mostly have the same keys in the same order.
	col = s.last + 1
	if col >= len(s.names) || s.names[col] != string(key) {
		var ok bool
		if col, ok = s.columns[string(key)]; !ok {
			if err := s.newKey(key); err != nil {
				return 0, i, err
			}
			col = len(s.names) - 1
		}
	}
	if s.seen[col] == s.row {
		return 0, i, s.fail(fmt.Sprintf("the line has the key %q twice", key))
	}
	s.seen[col], s.last = s.row, col
	i = space(p, end)
	if i == len(p) || p[i] != ':' {
		return 0, i, s.unexpected(p, i, "a colon after a key")
	}
	return col, space(p, i+1), nil
}

func (s *scanner) newKey(key []byte) error {
	switch {
	case len(key) == 0:
		return s.fail("a key is empty; a column needs a name")
	case len(s.names) == maxColumns:
		return s.fail(fmt.Sprintf("the key %q is one more than the %d columns that a table may have; are keys values here?", cut(key), maxColumns))
	}
	return s.add(string(key))
}

// column appends a column.
func (s *scanner) column(name string) {
	s.columns[name] = len(s.names)
	s.names = append(s.names, name)
	s.seen = append(s.seen, 0)
}

// value takes the value at i. The span of a string with escapes has its quotes, and is marked; an array or object that
// has blanks is marked too.
func (s *scanner) value(p []byte, i, depth int) (sp text.Span, k kind, end int, err error) {
	if i == len(p) {
		return sp, k, i, s.unexpected(p, i, "a value")
	}
	flags := uint32(0)
	switch c := p[i]; {
	case c == '"':
		end, escaped, err := s.quoted(p, i)
		if err != nil {
			return sp, k, i, err
		}
		if escaped {
			return text.Span{Off: uint32(i), Len: uint32(end-i) | text.Escaped | text.Quoted}, kindString, end, nil
		}
		return text.Span{Off: uint32(i + 1), Len: uint32(end-i-2) | text.Quoted}, kindString, end, nil
	case c == '{' || c == '[':
		var blanks bool
		if end, blanks, err = s.nested(p, i, depth+1); blanks {
			flags = text.Escaped
		}
		k = kindNested
	case c == '-' && i+1 < len(p) && p[i+1] == 'I':
		k, end, err = s.word(p, i)
	case c == '-' || c >= '0' && c <= '9':
		k, end, err = s.number(p, i)
	default:
		k, end, err = s.word(p, i)
	}
	return text.Span{Off: uint32(i), Len: uint32(end-i) | flags}, k, end, err
}

// word takes null, true, false, NaN, Infinity and -Infinity.
func (s *scanner) word(p []byte, i int) (kind, int, error) {
	end := i
	for end < len(p) && (p[end] >= 'a' && p[end] <= 'z' || p[end] >= 'A' && p[end] <= 'Z' || p[end] == '-') {
		end++
	}
	switch string(p[i:end]) {
	case "null":
		return kindNull, end, nil
	case "true", "false":
		return kindBool, end, nil
	case "NaN", "Infinity", "-Infinity":
		return kindFloat, end, nil
	}
	return 0, i, s.unexpected(p, i, "a value")
}

// number takes a number as JSON has it.
func (s *scanner) number(p []byte, i int) (kind, int, error) {
	k, start := kindInt, i
	if p[i] == '-' {
		i++
	}
	whole := i
	if i = digits(p, i); i == whole || p[whole] == '0' && i > whole+1 {
		return 0, start, s.unexpected(p, start, "a number without zeros before it")
	}
	if i < len(p) && p[i] == '.' {
		k = kindFloat
		behind := i + 1
		if i = digits(p, behind); i == behind {
			return 0, start, s.unexpected(p, start, "a number with digits behind its point")
		}
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		k = kindFloat
		i++
		if i < len(p) && (p[i] == '+' || p[i] == '-') {
			i++
		}
		exp := i
		if i = digits(p, i); i == exp {
			return 0, start, s.unexpected(p, start, "a number with an exponent")
		}
	}
	return k, i, nil
}

func digits(p []byte, i int) int {
	for i < len(p) && p[i] >= '0' && p[i] <= '9' {
		i++
	}
	return i
}

// nested passes over the array or object at i and says whether it has blanks outside of strings.
func (s *scanner) nested(p []byte, i, depth int) (end int, blanks bool, err error) {
	if depth > maxDepth {
		return i, false, s.fail(fmt.Sprintf("arrays and objects lie more than %d deep in each other", maxDepth))
	}
	closing, what := byte(']'), "a comma or a bracket after a value"
	if p[i] == '{' {
		closing, what = '}', "a comma or a brace after a value"
	}
	skip := func(i int) int {
		at := space(p, i)
		blanks = blanks || at > i
		return at
	}
	if i = skip(i + 1); i < len(p) && p[i] == closing {
		return i + 1, blanks, nil
	}
	for {
		if closing == '}' {
			if i == len(p) || p[i] != '"' {
				return i, false, s.unexpected(p, i, "a key in double quotes")
			}
			if i, _, err = s.quoted(p, i); err != nil {
				return i, false, err
			}
			if i = skip(i); i == len(p) || p[i] != ':' {
				return i, false, s.unexpected(p, i, "a colon after a key")
			}
			i = skip(i + 1)
		}
		sp, k, at, err := s.value(p, i, depth)
		if err != nil {
			return i, false, err
		}
		blanks = blanks || k == kindNested && sp.Len&text.Escaped != 0
		switch i = skip(at); {
		case i == len(p):
			return i, false, s.fail("the line ends within an array or object; each line holds one object whole (jq -c . makes it so)")
		case p[i] == closing:
			return i + 1, blanks, nil
		case p[i] != ',':
			return i, false, s.unexpected(p, i, what)
		}
		i = skip(i + 1)
	}
}

// unexpected is an error about what stands at i where something else was to come.
func (s *scanner) unexpected(p []byte, i int, want string) error {
	if i >= len(p) {
		return s.fail("the line ends where " + want + " was expected; each line holds one object whole (jq -c . makes it so)")
	}
	return s.fail(fmt.Sprintf("%q stands where %s was expected", cut(p[i:]), want))
}

// cut is the beginning of p, as whole characters.
func cut(p []byte) []byte {
	if len(p) <= 20 {
		return p
	}
	p = p[:20]
	for len(p) > 0 && !utf8.Valid(p) {
		p = p[:len(p)-1]
	}
	return p
}

// fail is an error about the line at s.At.
func (s *scanner) fail(msg string) error { return &text.SyntaxError{At: s.Offset(), Msg: msg} }
