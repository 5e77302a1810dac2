package jsonl

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/tableio/text"
)

// valueRoom is more than the text of any value that is no text itself takes, quotes included.
const valueRoom = 130

// encoder writes objects. Null is null, and no key is left out.
type encoder struct {
	schema *batch.Schema
	keys   [][]byte // what comes before a value: {"a": or ,"b":
	cols   []*batch.Column
	values []func(dst []byte, row int) []byte // nil for texts
}

// NewEncoder returns what writes the schema. The error names a column whose type has no text.
func NewEncoder(schema *batch.Schema) (text.Encoder, error) {
	if len(schema.Fields) == 0 {
		return nil, errors.New("a table without columns has no text")
	}
	e := &encoder{schema: schema, values: make([]func([]byte, int) []byte, len(schema.Fields))}
	for i, f := range schema.Fields {
		if !text.Writes(f.Type) {
			return nil, fmt.Errorf("column %q is %s, which text does not hold", f.Name, f.Type)
		}
		if !utf8.ValidString(f.Name) {
			return nil, fmt.Errorf("the name of column %q is not valid UTF-8, which JSON asks for", f.Name)
		}
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		e.keys = append(e.keys, append(appendString([]byte{before}, []byte(f.Name)), ':'))
	}
	return e, nil
}

// Begin writes nothing: JSON lines have no header.
func (e *encoder) Begin(*text.Out) error { return nil }

// Batch makes b the batch whose rows Row writes.
func (e *encoder) Batch(b *batch.Batch) {
	e.cols = b.Cols
	for i, c := range b.Cols {
		e.values[i] = appender(c)
	}
}

// appender returns what appends values; nil for texts.
func appender(c *batch.Column) func(dst []byte, row int) []byte {
	switch t := c.Type; {
	case t.ID == batch.String:
		return nil
	case t.IsFloat():
		value := text.Appender(c)
		return func(dst []byte, row int) []byte { return special(value(dst, row), len(dst)) }
	case t.IsNumeric() || t.ID == batch.Bool:
		return text.Appender(c)
	}
	value := text.Appender(c)
	return func(dst []byte, row int) []byte { return append(value(append(dst, '"'), row), '"') }
}

// special gives nan and inf, which begin at dst[at], the names that JSON readers know.
func special(dst []byte, at int) []byte {
	switch string(dst[at:]) {
	case "nan":
		return append(dst[:at], "NaN"...)
	case "inf":
		return append(dst[:at], "Infinity"...)
	case "-inf":
		return append(dst[:at], "-Infinity"...)
	}
	return dst
}

// Row writes an object.
func (e *encoder) Row(o *text.Out, row int) error {
	for i, c := range e.cols {
		if err := o.Write(e.keys[i]); err != nil {
			return err
		}
		if err := e.value(o, i, c, row); err != nil {
			return err
		}
	}
	return o.Write([]byte("}\n"))
}

func (e *encoder) value(o *text.Out, i int, c *batch.Column, row int) error {
	switch value := e.values[i]; {
	case c.IsNull(row):
		return o.Write([]byte("null"))
	case value == nil:
		return e.text(o, e.schema.Fields[i].Name, c.Value(row))
	default:
		p, err := o.Room(valueRoom)
		if err == nil {
			o.Took(value(p, row))
		}
		return err
	}
}

// pieceBytes is how much of a long text is escaped at once; escaped it may be six times as long.
const pieceBytes = 4 << 10

// text writes a string.
func (e *encoder) text(o *text.Out, name string, v []byte) error {
	if !utf8.Valid(v) {
		return fmt.Errorf("column %s has a text that is not valid UTF-8, which JSON asks for: %q", name, v[:min(len(v), 60)])
	}
	p, err := o.Room(6*pieceBytes + 2)
	if err != nil {
		return err
	}
	if len(v) <= pieceBytes {
		o.Took(appendString(p, v))
		return nil
	}
	o.Took(append(p, '"'))
	for len(v) > 0 {
		if p, err = o.Room(6*pieceBytes + 2); err != nil {
			return err
		}
		n := min(len(v), pieceBytes)
		o.Took(appendEscaped(p, v[:n]))
		v = v[n:]
	}
	return o.Write([]byte{'"'})
}

func appendString(dst, v []byte) []byte { return append(appendEscaped(append(dst, '"'), v), '"') }

// appendEscaped appends v, byte by byte: only characters of one byte are escaped.
func appendEscaped(dst, v []byte) []byte {
	from := 0
	for i, c := range v {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, v[from:i]...)
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
	return append(dst, v[from:]...)
}
