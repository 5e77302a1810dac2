package csv

import (
	"bytes"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/tableio/text"
)

// valueRoom is more than the text of any value that is no text itself takes.
const valueRoom = 128

// encoder writes records. Fields are quoted where they must be; null is an empty field, and an empty text "".
type encoder struct {
	schema *batch.Schema
	delim  byte
	cols   []*batch.Column
	values []func(dst []byte, row int) []byte // nil for texts
	nested []*nestedField                     // nil for others
}

// NewEncoder returns what writes the schema. The error names a column whose type has no text.
func NewEncoder(schema *batch.Schema, delim byte) (text.Encoder, error) {
	for _, f := range schema.Fields {
		if !text.Writes(f.Type) {
			return nil, fmt.Errorf("column %q is %s, which text does not hold", f.Name, f.Type)
		}
	}
	if len(schema.Fields) == 0 {
		return nil, errors.New("a table without columns has no text")
	}
	e := &encoder{schema: schema, delim: delim, values: make([]func([]byte, int) []byte, len(schema.Fields))}
	return e, e.nestedFields()
}

// Begin writes the header.
func (e *encoder) Begin(o *text.Out) error {
	for i, f := range e.schema.Fields {
		if err := e.text(o, []byte(f.Name)); err != nil {
			return err
		}
		if err := e.end(o, i); err != nil {
			return err
		}
	}
	return nil
}

// Batch makes b the batch whose rows Row writes.
func (e *encoder) Batch(b *batch.Batch) {
	e.cols = b.Cols
	for i, c := range b.Cols {
		e.values[i] = nil
		if c.Type.ID != batch.String && c.Type.ID != batch.Nested {
			e.values[i] = text.Appender(c)
		}
	}
}

// Row writes a record.
func (e *encoder) Row(o *text.Out, row int) error {
	for i, c := range e.cols {
		switch value := e.values[i]; {
		case c.IsNull(row):
		case e.nested[i] != nil:
			if err := e.nested[i].write(o, c.Value(row)); err != nil {
				return fmt.Errorf("column %q: %w", e.schema.Fields[i].Name, err)
			}
		case value == nil:
			if err := e.text(o, c.Value(row)); err != nil {
				return err
			}
		default:
			p, err := o.Room(valueRoom)
			if err != nil {
				return err
			}
			o.Took(value(p, row))
		}
		if err := e.end(o, i); err != nil {
			return err
		}
	}
	return nil
}

// end writes what comes after a field.
func (e *encoder) end(o *text.Out, i int) error {
	p, err := o.Room(1)
	if err != nil {
		return err
	}
	c := e.delim
	if i == len(e.schema.Fields)-1 {
		c = '\n'
	}
	o.Took(append(p, c))
	return nil
}

// text writes a field of text.
func (e *encoder) text(o *text.Out, p []byte) error {
	if !e.needsQuotes(p) {
		return o.Write(p)
	}
	quote := []byte{'"'}
	if err := o.Write(quote); err != nil {
		return err
	}
	if err := e.doubled(o, p); err != nil {
		return err
	}
	return o.Write(quote)
}

// doubled writes what stands between quotes.
func (e *encoder) doubled(o *text.Out, p []byte) error {
	for {
		k := bytes.IndexByte(p, '"')
		if k < 0 {
			return o.Write(p)
		}
		if err := o.Write(p[:k+1]); err != nil {
			return err
		}
		if err := o.Write([]byte{'"'}); err != nil {
			return err
		}
		p = p[k+1:]
	}
}

func (e *encoder) needsQuotes(p []byte) bool {
	if len(p) == 0 || p[0] == 0xef { // it might be taken for a byte order mark
		return true
	}
	return e.special(p)
}

// special says whether a text has a character that does not stand without quotes.
func (e *encoder) special(p []byte) bool {
	for _, c := range p {
		if c == e.delim || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}
