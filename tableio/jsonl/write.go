package jsonl

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/batch/nested"
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
	nested []*text.Nested                     // nil for others
}

// NewEncoder returns what writes the schema. The error names a column whose type has no text.
func NewEncoder(schema *batch.Schema) (text.Encoder, error) {
	if len(schema.Fields) == 0 {
		return nil, errors.New("a table without columns has no text")
	}
	n := len(schema.Fields)
	e := &encoder{schema: schema, values: make([]func([]byte, int) []byte, n), nested: make([]*text.Nested, n)}
	for i, f := range schema.Fields {
		if !text.Writes(f.Type) {
			return nil, fmt.Errorf("column %q is %s, which text does not hold", f.Name, f.Type)
		}
		if !utf8.ValidString(f.Name) {
			return nil, fmt.Errorf("the name of column %q is not valid UTF-8, which JSON asks for", f.Name)
		}
		if f.Type.ID == batch.Nested {
			var err error
			if e.nested[i], err = text.NewNested(f.Type, nested.StrictJSON, leaf); err != nil {
				return nil, fmt.Errorf("column %q: %w", f.Name, err)
			}
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

// appender returns what appends values; nil for texts and nested ones.
func appender(c *batch.Column) func(dst []byte, row int) []byte {
	switch t := c.Type; {
	case t.ID == batch.String || t.ID == batch.Nested:
		return nil
	case t.IsFloat():
		value := text.Appender(c)
		return func(dst []byte, row int) []byte { return special(value(dst, row), len(dst)) }
	case bare(t):
		return text.Appender(c)
	}
	value := text.Appender(c)
	return func(dst []byte, row int) []byte { return append(value(append(dst, '"'), row), '"') }
}

// bare says whether values of the type stand without quotes.
func bare(t batch.Type) bool { return t.IsNumeric() || t.ID == batch.Bool }

// leaf writes the parts of nested values that are no strings as those of columns, without quotes.
func leaf(c *batch.Column) func(dst []byte) ([]byte, bool) {
	value, isFloat, isBare := text.Appender(c), c.Type.IsFloat(), bare(c.Type)
	return func(dst []byte) ([]byte, bool) {
		at := len(dst)
		if dst = value(dst, 0); isFloat {
			dst = special(dst, at)
		}
		return dst, isBare
	}
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
	case e.nested[i] != nil:
		end, err := e.nested[i].Text(c.Value(row), o)
		if err != nil {
			return fmt.Errorf("column %s: %w", e.schema.Fields[i].Name, err)
		}
		return o.Write(end)
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
		o.Took(nested.AppendJSON(p, v[:n]))
		v = v[n:]
	}
	return o.Write([]byte{'"'})
}

func appendString(dst, v []byte) []byte { return append(nested.AppendJSON(append(dst, '"'), v), '"') }
