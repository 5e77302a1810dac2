package expr

import "unicode/utf8"

// A likeToken is one piece of a pattern: a byte to be equal, any character, or any text.
type likeToken struct {
	kind likeKind
	c    byte
}

type likeKind uint8

const (
	likeByte likeKind = iota
	likeAny
	likeMany
)

// likeTokens cuts a pattern; false where it ends in the escape character.
func likeTokens(dst []likeToken, pattern []byte, escape byte) ([]likeToken, bool) {
	for i := 0; i < len(pattern); i++ {
		t := likeToken{c: pattern[i]}
		switch {
		case pattern[i] == escape:
			if i++; i == len(pattern) {
				return dst, false
			}
			t.c = pattern[i]
		case pattern[i] == '%':
			t.kind = likeMany
		case pattern[i] == '_':
			t.kind = likeAny
		}
		dst = append(dst, t)
	}
	return dst, true
}

func endsInEscape(pattern, escape []byte) bool {
	if len(escape) == 0 {
		return false
	}
	_, ok := likeTokens(nil, pattern, escape[0])
	return !ok
}

// likeEscaped is like with an escape character, after which % and _ stand for themselves.
func likeEscaped(f *frame, escape byte) error {
	s, p := textsOf(f.args[0]), textsOf(f.args[1])
	var tokens []likeToken
	for i := range f.n {
		if f.null(i) {
			continue
		}
		if i == 0 || tokens == nil || !f.args[1].konst {
			var ok bool
			if tokens, ok = likeTokens(tokens[:0], p.at(i), escape); !ok {
				return f.st.rowError("the pattern '%s' must not end with its escape character", shorten(string(p.at(i))))
			}
		}
		f.out.Fixed[i] = bit(likeMatch(s.at(i), tokens))
	}
	return nil
}

// likeMatch backtracks to the last %, so time is at most the product of the lengths.
func likeMatch(s []byte, p []likeToken) bool {
	i, k := 0, 0
	star, from := -1, 0
	for i < len(s) {
		switch {
		case k < len(p) && p[k].kind == likeMany:
			star, from = k, i
			k++
			continue
		case k < len(p) && p[k].kind == likeAny:
			_, size := utf8.DecodeRune(s[i:])
			i, k = i+size, k+1
			continue
		case k < len(p) && p[k].c == s[i]:
			i, k = i+1, k+1
			continue
		case star < 0:
			return false
		}
		_, size := utf8.DecodeRune(s[from:])
		from += size
		i, k = from, star+1
	}
	for k < len(p) && p[k].kind == likeMany {
		k++
	}
	return k == len(p)
}
