package text

import (
	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// Leaf returns what appends the text of row 0 of c, a part of nested values that is no string, and whether JSON has it
// without quotes.
type Leaf func(c *batch.Column) func(dst []byte) (text []byte, bare bool)

// Sink takes text; *Out is one.
type Sink interface{ Write(p []byte) error }

// Nested makes text of lists, maps and structs, of which it holds a piece of at most about 100 KiB, however long they are.
type Nested struct {
	p    *nested.Printer
	buf  []byte
	sink Sink
}

// NewNested returns what makes text of the values of a nested type, for which Writes holds.
func NewNested(t batch.Type, style nested.Style, leaf Leaf) (*Nested, error) {
	typ, err := nested.Of(t)
	if err != nil {
		return nil, err
	}
	n := &Nested{}
	of := map[*batch.Column]func([]byte) ([]byte, bool){}
	n.p = nested.NewPrinter(typ, style, func(dst []byte, c *batch.Column) ([]byte, bool) {
		value := of[c]
		if value == nil {
			value = leaf(c)
			of[c] = value
		}
		return value(dst)
	})
	n.p.Flush = func(p []byte) ([]byte, error) { return p[:0], n.sink.Write(p) }
	return n, nil
}

// Text makes text of v: to takes all of it but the end, which is returned and valid until the next call; that is all of a
// value whose text is shorter than 32 KiB. The error wraps one of package nested, or is that of to.
func (n *Nested) Text(v []byte, to Sink) (end []byte, err error) {
	n.sink = to
	end, err = n.p.Append(n.buf[:0], v)
	n.buf, n.sink = end[:0], nil
	return end, err
}

// writesAll says whether all leaves of a type have a text.
func writesAll(t *nested.Type) bool {
	if t.Kind == nested.Leaf {
		return Writes(t.Leaf)
	}
	for i := range t.Fields {
		if !writesAll(t.Fields[i].Type) {
			return false
		}
	}
	return true
}
