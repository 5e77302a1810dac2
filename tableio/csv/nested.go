package csv

import (
	"bytes"
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/tableio/text"
)

// nestedField writes the values of a nested column as fields, as DuckDB does: [1, NULL], {'a': 1}, {k=1}. A long one is
// made text of twice: whether it needs quotes is known at its end only.
type nestedField struct {
	e            *encoder
	o            *text.Out
	text         *text.Nested
	long, quotes bool
}

// nestedFields returns one for each nested column of the schema.
func (e *encoder) nestedFields() (err error) {
	e.nested = make([]*nestedField, len(e.schema.Fields))
	for i, f := range e.schema.Fields {
		if f.Type.ID != batch.Nested {
			continue
		}
		e.nested[i] = &nestedField{e: e}
		if e.nested[i].text, err = text.NewNested(f.Type, nested.SQL, leaf); err != nil {
			return fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	return nil
}

// leaf writes timestamps within nested values as DuckDB does, 2024-01-31 10:00:00 and +00 for UTC, and the rest as elsewhere.
func leaf(c *batch.Column) func(dst []byte) ([]byte, bool) {
	value, t := text.Appender(c), c.Type
	return func(dst []byte) ([]byte, bool) {
		at := len(dst)
		dst = value(dst, 0)
		if t.ID != batch.Timestamp {
			return dst, false
		}
		if k := bytes.IndexByte(dst[at:], 'T'); k >= 0 {
			dst[at+k] = ' '
		}
		if t.UTC {
			dst = append(dst[:len(dst)-1], "+00"...)
		}
		return dst, false
	}
}

func (f *nestedField) write(o *text.Out, v []byte) error {
	f.o, f.long, f.quotes = o, false, false
	end, err := f.text.Text(v, (*looking)(f))
	if err != nil {
		return err
	}
	if !f.long {
		return f.e.text(o, end)
	}
	if !f.quotes && !f.e.special(end) {
		if end, err = f.text.Text(v, o); err != nil {
			return err
		}
		return o.Write(end)
	}
	quote := []byte{'"'}
	if err := o.Write(quote); err != nil {
		return err
	}
	if end, err = f.text.Text(v, (*quoting)(f)); err != nil {
		return err
	}
	if err := f.e.doubled(o, end); err != nil {
		return err
	}
	return o.Write(quote)
}

// looking is a nestedField that looks at a text, and writes nothing.
type looking nestedField

func (l *looking) Write(p []byte) error {
	l.long = true
	l.quotes = l.quotes || l.e.special(p)
	return nil
}

// quoting is a nestedField that writes a text between quotes.
type quoting nestedField

func (q *quoting) Write(p []byte) error { return q.e.doubled(q.o, p) }
