package expr

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// textKernel returns the kernels of texts.
func textKernel(n *node) func(*frame) error {
	switch n.op {
	case "like":
		return kernelLike
	case "||":
		return kernelConcat
	case "length":
		return func(f *frame) error {
			in, out := textsOf(f.args[0]), f.out.Int64s()
			for i := range out {
				out[i] = int64(utf8.RuneCount(in.at(i)))
			}
			return nil
		}
	case "starts_with":
		return testTexts(bytes.HasPrefix)
	case "ends_with":
		return testTexts(bytes.HasSuffix)
	case "contains":
		return testTexts(bytes.Contains)
	case "substr", "left", "right":
		return kernelSubstr(n.op)
	case "replace":
		return kernelReplace
	case "trim", "ltrim", "rtrim":
		return kernelTrim(n.op)
	}
	fn := map[string]func(dst, s []byte) []byte{"upper": appendUpper, "lower": appendLower, "reverse": appendReverse}[n.op]
	if fn == nil {
		return unknownKernel(n.op)
	}
	return func(f *frame) error {
		in := textsOf(f.args[0])
		var scratch []byte
		for i := range f.n {
			if f.null(i) {
				f.w.end()
				continue
			}
			scratch = fn(scratch[:0], in.at(i))
			if err := f.w.add(scratch); err != nil {
				return err
			}
		}
		return nil
	}
}

func testTexts(test func(s, part []byte) bool) func(*frame) error {
	return func(f *frame) error {
		a, b := textsOf(f.args[0]), textsOf(f.args[1])
		for i := range f.n {
			f.out.Fixed[i] = bit(test(a.at(i), b.at(i)))
		}
		return nil
	}
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func appendUpper(dst, s []byte) []byte {
	if !isASCII(s) {
		return append(dst, strings.ToUpper(viewString(s))...)
	}
	for _, c := range s {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendLower(dst, s []byte) []byte {
	if !isASCII(s) {
		return append(dst, strings.ToLower(viewString(s))...)
	}
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendReverse(dst, s []byte) []byte {
	for len(s) > 0 {
		_, size := utf8.DecodeLastRune(s)
		dst = append(dst, s[len(s)-size:]...)
		s = s[:len(s)-size]
	}
	return dst
}

func kernelConcat(f *frame) error {
	a, b := textsOf(f.args[0]), textsOf(f.args[1])
	for i := range f.n {
		if !f.null(i) {
			if err := f.w.put(a.at(i)); err != nil {
				return err
			}
			if err := f.w.put(b.at(i)); err != nil {
				return err
			}
		}
		f.w.end()
	}
	return nil
}

func kernelReplace(f *frame) error {
	s, from, to := textsOf(f.args[0]), textsOf(f.args[1]), textsOf(f.args[2])
	for i := range f.n {
		if f.null(i) {
			f.w.end()
			continue
		}
		if err := replaceInto(f.w, s.at(i), from.at(i), to.at(i)); err != nil {
			return err
		}
		f.w.end()
	}
	return nil
}

func replaceInto(w *writer, s, from, to []byte) error {
	if len(from) == 0 {
		return w.put(s)
	}
	for {
		at := bytes.Index(s, from)
		if at < 0 {
			return w.put(s)
		}
		if err := w.put(s[:at]); err != nil {
			return err
		}
		if err := w.put(to); err != nil {
			return err
		}
		s = s[at+len(from):]
	}
}

func kernelTrim(op string) func(*frame) error {
	return func(f *frame) error {
		s := textsOf(f.args[0])
		for i := range f.n {
			if f.null(i) {
				f.w.end()
				continue
			}
			cut := " "
			if len(f.args) == 2 {
				cut = viewString(textsOf(f.args[1]).at(i))
			}
			v := s.at(i)
			if op != "rtrim" {
				v = bytes.TrimLeft(v, cut)
			}
			if op != "ltrim" {
				v = bytes.TrimRight(v, cut)
			}
			if err := f.w.add(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// kernelSubstr cuts by characters: substr, left and right.
func kernelSubstr(op string) func(*frame) error {
	return func(f *frame) error {
		s := textsOf(f.args[0])
		start, ms := values[int64](f.args[1])
		var length []int64
		ml := 0
		if len(f.args) == 3 {
			length, ml = values[int64](f.args[2])
		}
		for i := range f.n {
			if f.null(i) {
				f.w.end()
				continue
			}
			v := s.at(i)
			chars := int64(utf8.RuneCount(v))
			from, to := int64(0), chars
			switch k := start[i&ms]; {
			case op == "left" && k < 0:
				to = max(chars+max(k, -chars), 0)
			case op == "left":
				to = min(k, chars)
			case op == "right" && k < 0:
				from = min(-max(k, -chars), chars)
			case op == "right":
				from = chars - min(k, chars)
			case length == nil:
				from, to = substrRange(k, math.MaxInt64, chars)
			default:
				from, to = substrRange(k, length[i&ml], chars)
			}
			if err := f.w.add(cutRunes(v, from, to, chars)); err != nil {
				return err
			}
		}
		return nil
	}
}

// substrRange returns the characters [from, to) of a text of n. As in DuckDB the range
// may begin before the text or end after it; a negative length counts backwards from start.
func substrRange(start, length, n int64) (from, to int64) {
	const far = 1 << 40 // longer than any text
	start, length = min(max(start, -far), far), min(max(length, -far), far)
	if from = start - 1; start < 0 {
		from = n + start
	}
	if to = from + length; to < from {
		from, to = to, from
	}
	return min(max(from, 0), n), min(max(to, 0), n)
}

// cutRunes returns the characters [from, to) of v, which has n.
func cutRunes(v []byte, from, to, n int64) []byte {
	if n == int64(len(v)) {
		return v[from:to]
	}
	a := runeOffset(v, from)
	return v[a : a+runeOffset(v[a:], to-from)]
}

func runeOffset(v []byte, chars int64) int {
	at := 0
	for ; chars > 0 && at < len(v); chars-- {
		_, size := utf8.DecodeRune(v[at:])
		at += size
	}
	return at
}

// kernelLike matches patterns: % is any text, _ any character. A constant pattern is
// cut into pieces once.
func kernelLike(f *frame) error {
	s, p := textsOf(f.args[0]), textsOf(f.args[1])
	out := f.out.Fixed[:f.n]
	if len(f.args) == 3 && len(textsOf(f.args[2]).at(0)) == 1 {
		return likeEscaped(f, textsOf(f.args[2]).at(0)[0])
	}
	if f.args[1].konst {
		pattern := p.at(0)
		body := bytes.Trim(pattern, "%")
		if !bytes.ContainsAny(body, "%_") {
			test := likeTest(pattern, body)
			for i := range out {
				out[i] = bit(test(s.at(i), body))
			}
			return nil
		}
	}
	for i := range out {
		out[i] = bit(!f.null(i) && like(s.at(i), p.at(i)))
	}
	return nil
}

// likeTest returns the test for a pattern that has % at its ends only.
func likeTest(pattern, body []byte) func(s, body []byte) bool {
	open := len(pattern) > 0 && pattern[0] == '%'
	end := len(pattern) > 0 && pattern[len(pattern)-1] == '%'
	switch {
	case open && end:
		return bytes.Contains
	case open:
		return bytes.HasSuffix
	case end:
		return bytes.HasPrefix
	}
	return bytes.Equal
}

// like matches by backtracking to the last %, so time is at most the product of the lengths.
func like(s, p []byte) bool {
	i, k := 0, 0
	star, from := -1, 0
	for i < len(s) {
		switch {
		case k < len(p) && p[k] == '%':
			star, from = k, i
			k++
			continue
		case k < len(p) && p[k] == '_':
			_, size := utf8.DecodeRune(s[i:])
			i, k = i+size, k+1
			continue
		case k < len(p) && p[k] == s[i]:
			i, k = i+1, k+1
			continue
		case star < 0:
			return false
		}
		_, size := utf8.DecodeRune(s[from:])
		from += size
		i, k = from, star+1
	}
	return !slices.ContainsFunc(p[k:], func(c byte) bool { return c != '%' })
}
