package expr

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"unicode/utf8"

	"pqjoin/batch"
)

// bindBytesTo types functions of one text or binary.
func bindBytesTo(t batch.Type) bindFunc {
	return func(n *node) (*node, *Error) {
		if a := n.args[0]; isBinary(a.typ) {
			n.typ, n.null = t, a.null
			return n, nil
		}
		return bindStrings(n, t, 1)
	}
}

func bindHex(n *node) (*node, *Error) {
	if a := n.args[0]; a.typ.IsInteger() {
		if a.typ.ID != batch.Uint64 {
			n.args[0] = conv(a, batch.Of(batch.Int64))
		}
		n.typ, n.null = batch.Of(batch.String), a.null
		return n, nil
	}
	return bindBytesTo(batch.Of(batch.String))(n)
}

func appendHex(dst, s []byte) []byte { return hex.AppendEncode(dst, s) }

const upperHex = "0123456789ABCDEF"

func kernelHex(n *node) func(*frame) error {
	if n.args[0].typ.Kind() == batch.KindBytes {
		return eachText(func(dst, s []byte) []byte {
			for _, c := range s {
				dst = append(dst, upperHex[c>>4], upperHex[c&15])
			}
			return dst
		})(n)
	}
	return func(f *frame) error {
		in := intsOf(f.args[0])
		return f.rows(func(i int) error {
			var buf [16]byte
			at := len(buf)
			for v := uint64(in(i)); v > 0 || at == len(buf); v >>= 4 {
				at--
				buf[at] = upperHex[v&15]
			}
			return f.w.put(buf[at:])
		})
	}
}

func kernelUnhex(*node) func(*frame) error {
	return func(f *frame) error { return tryText(f, appendUnhex) }
}

// appendUnhex reads hexadecimal digits; of an odd number the first is a byte of its own, as in DuckDB.
func appendUnhex(dst, s []byte) ([]byte, string) {
	if len(s)%2 == 1 {
		s = append([]byte{'0'}, s...)
	}
	dst, err := hex.AppendDecode(dst, s)
	if err != nil {
		return dst, "is not hexadecimal"
	}
	return dst, ""
}

func appendBase64(dst, s []byte) []byte { return base64.StdEncoding.AppendEncode(dst, s) }

func kernelFromBase64(*node) func(*frame) error {
	return func(f *frame) error {
		return tryText(f, func(dst, s []byte) ([]byte, string) {
			dst, err := base64.StdEncoding.AppendDecode(dst, s)
			if err != nil {
				return dst, "is not base64"
			}
			return dst, ""
		})
	}
}

func kernelDecode(*node) func(*frame) error {
	return func(f *frame) error {
		return tryText(f, func(dst, s []byte) ([]byte, string) {
			if !utf8.Valid(s) {
				return dst, "is not UTF-8"
			}
			return append(dst, s...), ""
		})
	}
}

// appendURL writes all but letters, digits and -_.~ as %xx.
func appendURL(dst, s []byte) []byte {
	for _, c := range s {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func kernelURLDecode(*node) func(*frame) error {
	return func(f *frame) error {
		return tryText(f, func(dst, s []byte) ([]byte, string) {
			for i := 0; i < len(s); i++ {
				if s[i] == '%' && i+2 < len(s) {
					if v, err := url.PathUnescape(string(s[i : i+3])); err == nil {
						dst = append(dst, v...)
						i += 2
						continue
					}
				}
				dst = append(dst, s[i])
			}
			if !utf8.Valid(dst) {
				return dst, "means bytes that are not UTF-8"
			}
			return dst, ""
		})
	}
}
