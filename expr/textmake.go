package expr

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"pqjoin/batch"
)

// maxMade bounds a text that is longer than what it is made of: repeat and the paddings.
const maxMade = 16 << 20

// printable returns bytes as a text that messages can hold.
func printable(b []byte) string { return strings.ToValidUTF8(string(b[:min(len(b), 200)]), "?") }

func appendBytes(dst, s []byte) []byte { return append(dst, s...) }

// appendInitcap begins every run of letters and digits with an upper-case letter.
func appendInitcap(dst, s []byte) []byte {
	inside := false
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if inside {
			r = unicode.ToLower(r)
		} else {
			r = unicode.ToUpper(r)
		}
		inside = unicode.IsLetter(r) || unicode.IsNumber(r)
		dst, s = utf8.AppendRune(dst, r), s[size:]
	}
	return dst
}

func kernelTranslate(*node) func(*frame) error {
	return func(f *frame) error {
		s, from, to := textsOf(f.args[0]), textsOf(f.args[1]), textsOf(f.args[2])
		var table map[rune]rune
		return f.rows(func(i int) error {
			if table == nil || !(f.args[1].konst && f.args[2].konst) {
				table = translation(from.at(i), to.at(i))
			}
			var buf [utf8.UTFMax]byte
			for _, r := range viewString(s.at(i)) {
				if t, ok := table[r]; ok {
					r = t
				}
				if r == dropped {
					continue
				}
				if err := f.w.put(buf[:utf8.EncodeRune(buf[:], r)]); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

const dropped = -1

// translation maps the characters of from to those of to; the first of two that are the same counts.
func translation(from, to []byte) map[rune]rune {
	table := map[rune]rune{}
	targets := []rune(string(to))
	for k, r := range []rune(string(from)) {
		if _, ok := table[r]; ok {
			continue
		}
		if table[r] = dropped; k < len(targets) {
			table[r] = targets[k]
		}
	}
	return table
}

func kernelRepeat(*node) func(*frame) error {
	return func(f *frame) error {
		s, times := textsOf(f.args[0]), intsOf(f.args[1])
		return f.rows(func(i int) error {
			v, n := s.at(i), max(times(i), 0)
			if len(v) > 0 && n > int64(maxMade/len(v)) {
				return f.st.rowError("%d times '%s' is more than %d MiB", n, shorten(string(v)), maxMade>>20)
			}
			for ; n > 0 && len(v) > 0; n-- {
				if err := f.w.put(v); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func bindPad(n *node) (*node, *Error) {
	pad := n.args[2]
	if pad.typ.ID != batch.String && pad.typ.ID != batch.Null {
		return nil, errorAt(pad.off, castOr(pad.typ, batch.String, "cast(x as string) makes it one"), "%s needs a string, not %s", n.op, pad.typ)
	}
	inner := &node{op: n.op, off: n.off, args: n.args[:2:2]}
	if _, err := bindSubstr(inner); err != nil {
		return nil, err
	}
	n.args = append(inner.args[:2:2], conv(pad, batch.Of(batch.String)))
	n.typ, n.null = batch.Of(batch.String), mayBeNull(n.args)
	return n, nil
}

// kernelPad is lpad and rpad.
func kernelPad(n *node) func(*frame) error {
	left := n.op == "lpad"
	return func(f *frame) error {
		s, width, pad := textsOf(f.args[0]), intsOf(f.args[1]), textsOf(f.args[2])
		return f.rows(func(i int) error {
			v, n := s.at(i), max(width(i), 0)
			chars := int64(utf8.RuneCount(v))
			if n <= chars {
				return f.w.put(cutRunes(v, 0, n, chars))
			}
			p := pad.at(i)
			switch {
			case len(p) == 0:
				return f.st.rowError("there is nothing to make '%s' %d characters long with", shorten(string(v)), n)
			case n > maxMade/utf8.UTFMax:
				return f.st.rowError("%d characters are more than %d MiB", n, maxMade>>20)
			}
			if !left {
				if err := f.w.put(v); err != nil {
					return err
				}
			}
			if err := putPadding(f.w, p, n-chars); err != nil || !left {
				return err
			}
			return f.w.put(v)
		})
	}
}

// putPadding appends n characters of the pad, over and over.
func putPadding(w *writer, pad []byte, n int64) error {
	chars := int64(utf8.RuneCount(pad))
	for ; n > 0; n -= chars {
		if n < chars {
			pad = pad[:runeOffset(pad, n)]
		}
		if err := w.put(pad); err != nil {
			return err
		}
	}
	return nil
}

func bindSplitPart(n *node) (*node, *Error) {
	k := n.args[2]
	if k.typ.ID != batch.Null && (!k.typ.IsInteger() || k.typ.ID == batch.Uint64) {
		return nil, errorAt(k.off, "", "%s needs a whole number, not %s", n.op, k.typ)
	}
	n.args[2] = conv(k, batch.Of(batch.Int64))
	return bindStrings(n, batch.Of(batch.String), 2)
}

func kernelSplitPart(*node) func(*frame) error {
	return func(f *frame) error {
		s, sep, k := textsOf(f.args[0]), textsOf(f.args[1]), intsOf(f.args[2])
		return f.rows(func(i int) error { return f.w.put(splitPart(s.at(i), sep.at(i), k(i))) })
	}
}

// splitPart returns the k-th part of s, from 1, or from -1 backwards. Without a separator the characters are the parts.
func splitPart(s, sep []byte, k int64) []byte {
	if len(sep) == 0 {
		chars := int64(utf8.RuneCount(s))
		if k < 0 {
			k += chars + 1
		}
		if k < 1 || k > chars {
			return nil
		}
		return cutRunes(s, k-1, k, chars)
	}
	if k < 0 {
		k += int64(bytes.Count(s, sep)) + 2
	}
	for ; k > 1; k-- {
		at := bytes.Index(s, sep)
		if at < 0 {
			return nil
		}
		s = s[at+len(sep):]
	}
	if k < 1 {
		return nil
	}
	part, _, _ := bytes.Cut(s, sep)
	return part
}

func kernelStrpos(*node) func(*frame) error {
	return func(f *frame) error {
		s, part := textsOf(f.args[0]), textsOf(f.args[1])
		return eachInt(f, func(i int) (int64, error) {
			v := s.at(i)
			at := bytes.Index(v, part.at(i))
			if at < 0 {
				return 0, nil
			}
			return int64(utf8.RuneCount(v[:at])) + 1, nil
		})
	}
}

// byteLength counts the bytes of a text, times a factor.
func byteLength(factor int64) kernelFunc {
	return func(*node) func(*frame) error {
		return func(f *frame) error {
			in, out := textsOf(f.args[0]), f.out.Int64s()
			for i := range out {
				out[i] = int64(len(in.at(i))) * factor
			}
			return nil
		}
	}
}

func firstRune(empty int64) kernelFunc {
	return func(*node) func(*frame) error {
		return func(f *frame) error {
			in := textsOf(f.args[0])
			return eachInt(f, func(i int) (int64, error) {
				v := in.at(i)
				if len(v) == 0 {
					return empty, nil
				}
				r, _ := utf8.DecodeRune(v)
				return int64(r), nil
			})
		}
	}
}

func bindChr(n *node) (*node, *Error) {
	if _, err := bindInt64s(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.String)
	return n, nil
}

func kernelChr(*node) func(*frame) error {
	return func(f *frame) error {
		in := intsOf(f.args[0])
		return f.rows(func(i int) error {
			v := in(i)
			if v != int64(int32(v)) || !utf8.ValidRune(rune(v)) {
				return f.st.rowError("no character has the code point %d", v)
			}
			var buf [utf8.UTFMax]byte
			return f.w.put(buf[:utf8.EncodeRune(buf[:], rune(v))])
		})
	}
}
