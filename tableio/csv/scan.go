package csv

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"pqjoin/tableio/text"
)

// tooLong is said of a record longer than text.MaxRecord: what an unclosed quote makes of a file must not become one.
const tooLong = "is a quote not closed, or is this no table?"

// scanner cuts text into records of fields (RFC 4180: a field in quotes may hold separators, line breaks and, doubled, quotes).
type scanner struct {
	*text.Window
	delim  byte
	single bool // records have one field, so an empty line is one
	keep   []bool
	want   int // fields that a record must have; 0: any number
}

// errMore says that a record does not end in the buffer.
var errMore = errors.New("csv: more is needed")

// record appends the spans of the next line's kept fields to spans. n is the fields it has: 0 for an empty line, and at the
// end of the text. Without refill it returns errMore where the buffer must move, which makes spans of before invalid.
func (s *scanner) record(spans []text.Span, refill bool) (out []text.Span, n int, err error) {
	for {
		out, end, n, err := s.parse(spans)
		if err == nil {
			s.At = end
			return out, n, nil
		}
		if err != errMore || !refill {
			return spans, 0, err
		}
		if err := s.More(); err != nil {
			return spans, 0, err
		}
	}
}

// parse takes one line at s.At. n is 0 for an empty one. errMore where it does not end in the buffer.
func (s *scanner) parse(spans []text.Span) (out []text.Span, end, n int, err error) {
	buf, i := s.Buf[:s.Fill], s.At
	if i == len(buf) {
		if s.EOF {
			return spans, i, 0, nil
		}
		return spans, i, 0, errMore
	}
	for {
		var sp text.Span
		sp, i, err = s.field(buf, i)
		if err != nil {
			return spans, i, 0, err
		}
		if s.keep == nil || n < len(s.keep) && s.keep[n] {
			spans = append(spans, sp)
		}
		n++
		if i < len(buf) && buf[i] == s.delim {
			i++
			continue
		}
		break
	}
	stop := i // of the record; what follows ends the line
	switch {
	case i == len(buf) && !s.EOF:
		return spans, i, 0, errMore
	case i == len(buf):
	case buf[i] == '\n':
		i++
	case buf[i] == '\r' && i+1 < len(buf) && buf[i+1] == '\n':
		i += 2
	case buf[i] == '\r' && i+1 == len(buf):
		if !s.EOF {
			return spans, i, 0, errMore
		}
		i++
	default:
		return spans, i, 0, s.fail("a line ends in a carriage return alone; lines end in LF or CRLF")
	}
	if n == 1 && stop == s.At && !s.single {
		return spans[:len(spans)-min(len(spans), kept(s.keep))], i, 0, nil
	}
	return spans, i, n, s.check(buf[s.At:stop], n)
}

// kept returns how many spans the first field made.
func kept(keep []bool) int {
	if keep == nil || len(keep) > 0 && keep[0] {
		return 1
	}
	return 0
}

// field takes the field at i and returns the position of what ends it.
func (s *scanner) field(buf []byte, i int) (text.Span, int, error) {
	if i < len(buf) && buf[i] == '"' {
		return s.quoted(buf, i+1)
	}
	start, delim := i, s.delim
	for i < len(buf) {
		c := buf[i]
		if c == delim || c == '\n' || c == '\r' {
			break
		}
		if c == '"' {
			return text.Span{}, i, s.fail("a quote stands within a field that is not quoted; quote the field and double the quote")
		}
		i++
	}
	if i == len(buf) && !s.EOF {
		return text.Span{}, i, errMore
	}
	return text.Span{Off: uint32(start), Len: uint32(i - start)}, i, nil
}

// quoted takes the rest of a field whose quote is before i.
func (s *scanner) quoted(buf []byte, i int) (text.Span, int, error) {
	start, flags := i, uint32(text.Quoted)
	for {
		k := bytes.IndexByte(buf[i:], '"')
		if k < 0 {
			if s.EOF {
				return text.Span{}, i, s.fail("a quote is not closed before the end of the file")
			}
			return text.Span{}, i, errMore
		}
		i += k + 1
		switch {
		case i == len(buf) && !s.EOF:
			return text.Span{}, i, errMore
		case i < len(buf) && buf[i] == '"':
			flags |= text.Escaped
			i++
			continue
		case i < len(buf) && buf[i] != s.delim && buf[i] != '\n' && buf[i] != '\r':
			return text.Span{}, i, s.fail("text follows the closing quote of a field; a quote within a field is doubled")
		}
		return text.Span{Off: uint32(start), Len: uint32(i-1-start) | flags}, i, nil
	}
}

// otherSeparator advises where a record seems to have another separator than commas.
func (s *scanner) otherSeparator(p []byte) string {
	for _, c := range []byte{';', '|', '\t'} {
		if n := bytes.Count(p, []byte{c}); s.delim != ',' || n == 0 || n < bytes.Count(p, []byte{','}) {
			continue
		}
		if c == '\t' {
			return ": fields are separated by commas alone; format: tsv reads tabs"
		}
		return fmt.Sprintf(": fields are separated by commas alone; convert a file that has %c between them", c)
	}
	return ""
}

// check looks at a whole record.
func (s *scanner) check(p []byte, n int) error {
	switch {
	case s.want > 0 && n != s.want:
		return s.fail(fmt.Sprintf("the line has %s, and the header %d%s", count(n, "field"), s.want, s.otherSeparator(p)))
	case bytes.IndexByte(p, 0) >= 0:
		return s.fail("the line holds a NUL byte; is this a text file?")
	case !utf8.Valid(p):
		return s.fail("the line is not valid UTF-8; convert the file first, for instance with iconv -f latin1 -t utf-8")
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// fail is an error about the record at s.At.
func (s *scanner) fail(msg string) error { return &text.SyntaxError{At: s.Offset(), Msg: msg} }

// unescape undoubles quotes.
func unescape(dst, src []byte) []byte {
	for {
		k := bytes.IndexByte(src, '"')
		if k < 0 {
			return append(dst, src...)
		}
		dst = append(dst, src[:k+1]...)
		src = src[k+2:]
	}
}
