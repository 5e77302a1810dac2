package jsonl

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted passes over the string whose quote is p[i] and returns what follows it, and whether it has escapes.
func (s *scanner) quoted(p []byte, i int) (end int, escaped bool, err error) {
	for i++; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"':
			return i + 1, escaped, nil
		case c < 0x20:
			return i, false, s.fail("a string holds a control character; it must be escaped, as \\t or \\u0000")
		case c == '\\':
			escaped = true
			n, why := escape(p[i:])
			if why != "" {
				return i, false, s.fail(why)
			}
			i += n - 1
		}
	}
	return i, false, s.fail("the line ends within a string")
}

// escape returns the length of the escape at p, or what is wrong with it.
func escape(p []byte) (n int, why string) {
	if len(p) < 2 {
		return 0, "the line ends within a string"
	}
	switch p[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, ""
	case 'u':
	default:
		shown := string(cut(p[1:])[:min(len(cut(p[1:])), utf8.UTFMax)])
		if i := strings.IndexFunc(shown, unicode.IsControl); i >= 0 {
			shown = shown[:i]
		}
		return 0, "a string holds an escape that JSON does not have: \\" + shown
	}
	r, ok := hex4(p)
	switch {
	case !ok:
		return 0, "a string holds an escape \\u without four hexadecimal digits"
	case !utf16.IsSurrogate(r):
		return 6, ""
	}
	if low, ok := hex4(p[6:]); !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return 0, "a string holds half of a pair of surrogates (\\ud800 to \\udfff), which is no character"
	}
	return 12, ""
}

// hex4 reads \uXXXX.
func hex4(p []byte) (rune, bool) {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0, false
	}
	var b [2]byte
	if _, err := hex.Decode(b[:], p[2:6]); err != nil {
		return 0, false
	}
	return rune(b[0])<<8 | rune(b[1]), true
}

// unescape appends a string, in its quotes, without them and its escapes, and an array or object without its blanks. Both
// have been looked at before.
func unescape(dst, src []byte) []byte {
	if src[0] != '"' {
		return compact(dst, src)
	}
	src = src[1 : len(src)-1]
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = src[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(src[i-1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := hex4(src[i+1:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// compact leaves blanks outside of strings out.
func compact(dst, src []byte) []byte {
	within := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case within && c == '\\':
			dst = append(dst, c)
			i++
			c = src[i]
		case c == '"':
			within = !within
		case !within && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
