package expr

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// Limits on hostile text.
const (
	maxText  = 64 << 10 // bytes of one expression
	maxDepth = 500      // operators nested in one another
)

// The tokens. Keywords are identifiers that the parser compares without case. They are
// cut by hand: participle's rules of regular expressions take time quadratic in the text.
const (
	tokNumber lexer.TokenType = iota + 1
	tokString
	tokQuoted
	tokIdent
	tokOp
)

var twoByteOps = []string{"::", "||", "==", "<>", "!=", "<=", ">=", "<<", ">>", "//", "**"}

// scanner is a lexer.Lexer over one expression.
type scanner struct {
	text string
	at   int
}

// scan turns text into tokens without white space.
func scan(text string) (*lexer.PeekingLexer, *Error) {
	if len(text) > maxText {
		return nil, errorAt(maxText, "compute parts of it as columns of their own", "the expression has %d bytes, more than %d", len(text), maxText)
	}
	if !utf8.ValidString(text) {
		return nil, errorAt(invalidAt(text), "", "the expression is not valid UTF-8")
	}
	toks, err := lexer.Upgrade(&scanner{text: text})
	var e *Error
	if errors.As(err, &e) {
		return nil, e
	}
	return toks, nil
}

func invalidAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return i
		}
	}
	return 0
}

// Next returns the next token; errors are *Error.
func (s *scanner) Next() (lexer.Token, error) {
	rest := strings.TrimLeftFunc(s.text[s.at:], unicode.IsSpace)
	s.at = len(s.text) - len(rest)
	pos := lexer.Position{Offset: s.at, Line: 1, Column: s.at + 1}
	if rest == "" {
		return lexer.EOFToken(pos), nil
	}
	typ, n := cut(rest)
	if n == 0 {
		return lexer.Token{}, unexpectedText(s.text, s.at)
	}
	s.at += n
	return lexer.Token{Type: typ, Value: rest[:n], Pos: pos}, nil
}

// cut returns the type and the bytes of the token that text begins with; 0 bytes where none does.
func cut(text string) (lexer.TokenType, int) {
	c := text[0]
	r, _ := utf8.DecodeRuneInString(text)
	switch {
	case c == '\'':
		return tokString, quotedLen(text)
	case c == '"':
		return tokQuoted, quotedLen(text)
	case digitAt(text, 0) || c == '.' && digitAt(text, 1):
		return tokNumber, numberLen(text)
	case r == '_' || unicode.IsLetter(r):
		n := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) })
		if n < 0 {
			n = len(text)
		}
		return tokIdent, n
	case len(text) > 1 && slices.Contains(twoByteOps, text[:2]):
		return tokOp, 2
	case strings.HasPrefix(text, "&&"):
		return 0, 0
	case strings.IndexByte("-+*/%=<>(),&|~^", c) >= 0:
		return tokOp, 1
	}
	return 0, 0
}

func digitAt(text string, i int) bool { return i < len(text) && text[i] >= '0' && text[i] <= '9' }

// quotedLen returns the bytes up to the closing quote; a doubled quote is part of the text. 0 where it is not closed.
func quotedLen(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] != text[0] {
			continue
		}
		if i+1 == len(text) || text[i+1] != text[0] {
			return i + 1
		}
		i++
	}
	return 0
}

// numberLen returns the bytes of digits, a point, digits, and an exponent.
func numberLen(text string) int {
	n := 0
	digits := func() {
		for digitAt(text, n) {
			n++
		}
	}
	if digits(); n < len(text) && text[n] == '.' {
		n++
		digits()
	}
	if n < len(text) && (text[n] == 'e' || text[n] == 'E') {
		exp := n + 1
		if exp < len(text) && (text[exp] == '+' || text[exp] == '-') {
			exp++
		}
		if digitAt(text, exp) {
			n = exp
			digits()
		}
	}
	return n
}

// unexpectedText explains why no token begins at the byte at.
func unexpectedText(text string, at int) *Error {
	r, _ := utf8.DecodeRuneInString(text[at:])
	switch r {
	case '\'':
		return errorAt(at, "close it with '; a quote inside is written ''", "the string is not closed")
	case '"':
		return errorAt(at, `close it with "`, "the quoted name is not closed")
	case '!':
		return errorAt(at, "write not x, or x <> y", "unexpected !")
	case '&':
		return errorAt(at, "write and, or; & is the and of bits", "unexpected &&")
	case '.':
		return errorAt(at, dotHint(text, at), "unexpected '.'")
	case '[':
		return errorAt(at, `a column is written by its name alone, in double quotes where it has special characters; elements of nested columns are not read`, "unexpected [")
	case ']', '{', '}', ';', '`':
		return errorAt(at, "names with special characters are written \"in double quotes\"", "unexpected %c", r)
	}
	return errorAt(at, "", "unexpected %q", r)
}
