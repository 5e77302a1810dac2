package expr

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// Limits on hostile text.
const (
	maxText  = 64 << 10 // bytes of one expression
	maxDepth = 500      // operators nested in one another
)

// The tokens. Keywords are identifiers that the parser compares without case.
var tokens = lexer.MustSimple([]lexer.SimpleRule{
	{Name: "Space", Pattern: `\s+`},
	{Name: "Number", Pattern: `(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`},
	{Name: "String", Pattern: `'(?:[^']|'')*'`},
	{Name: "Quoted", Pattern: `"(?:[^"]|"")*"`},
	{Name: "Ident", Pattern: `[\p{L}_][\p{L}\p{N}_]*`},
	{Name: "Op", Pattern: `::|\|\||==|<>|!=|<=|>=|[-+*/%=<>(),]`},
})

var (
	tokSpace  = tokens.Symbols()["Space"]
	tokNumber = tokens.Symbols()["Number"]
	tokString = tokens.Symbols()["String"]
	tokQuoted = tokens.Symbols()["Quoted"]
	tokIdent  = tokens.Symbols()["Ident"]
	tokOp     = tokens.Symbols()["Op"]
)

// scan turns text into tokens without white space.
func scan(text string) (*lexer.PeekingLexer, *Error) {
	if len(text) > maxText {
		return nil, errorAt(maxText, "compute parts of it as columns of their own", "the expression has %d bytes, more than %d", len(text), maxText)
	}
	if !utf8.ValidString(text) {
		return nil, errorAt(invalidAt(text), "", "the expression is not valid UTF-8")
	}
	lex, err := tokens.LexString("", text)
	if err != nil {
		return nil, errorAt(0, "", "%v", err)
	}
	toks, err := lexer.Upgrade(lex, tokSpace)
	if err == nil {
		return toks, nil
	}
	at := 0
	var le *lexer.Error
	if errors.As(err, &le) {
		at = min(max(le.Pos.Offset, 0), len(text))
	}
	return nil, unexpectedText(text, at)
}

func invalidAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return i
		}
	}
	return 0
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
	case '&', '|':
		return errorAt(at, "write and, or", "unexpected %c", r)
	case '[', ']', '{', '}', ';', '`':
		return errorAt(at, "names with special characters are written \"in double quotes\"", "unexpected %c", r)
	}
	return errorAt(at, "", "unexpected %q", r)
}
