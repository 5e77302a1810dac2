package tableio

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
)

// conversion turns the values of a file's column into those of the table's column, each exactly or not at all.
type conversion struct {
	from, to batch.Type
	label    bool          // values of from are held as those of to
	there    *expr.Program // x as to
	back     *expr.Program // and as from again, which must be what it was; nil: whatever it was
}

// convertible says whether values of a type can be values of another one at all.
func convertible(from, to batch.Type) bool {
	moment := func(t batch.Type) bool { return t.ID == batch.Timestamp || t.ID == batch.Date }
	bytes := func(t batch.Type) bool { return t.ID == batch.Binary || t.ID == batch.Fixed || t.ID == batch.UUID }
	switch {
	case from.IsNumeric() && to.IsNumeric(), moment(from) && moment(to), bytes(from) && bytes(to):
		return true
	case from.ID == batch.Time && to.ID == batch.Time, from.ID == batch.String && to.ID == batch.UUID:
		return true
	}
	return isText(from) && isText(to)
}

// newConversion returns how from is read as to, which are convertible.
func newConversion(from, to batch.Type) (*conversion, error) {
	c := &conversion{from: from, to: to, label: relabels(from, to)}
	if c.label || from.Kind() == batch.KindBytes && to.ID == batch.String {
		return c, nil
	}
	var err error
	if c.there, err = castProgram(from, to); err == nil && from.ID != batch.String { // a uuid may be written in many ways
		c.back, err = castProgram(to, from)
	}
	return c, err
}

func castProgram(from, to batch.Type) (*expr.Program, error) {
	tree := &expr.Tree{Root: &expr.Node{Op: expr.OpCast, Type: to, Args: []*expr.Node{{Op: expr.OpColumn, Name: "x"}}}}
	b, err := expr.Bind(tree, batch.NewSchema(batch.Field{Name: "x", Type: from, Nullable: true}))
	if err != nil {
		return nil, err
	}
	return expr.Compile([]*expr.Bound{b}), nil
}

// relabels says whether every value of from is held just as to holds it.
func relabels(from, to batch.Type) bool {
	switch {
	case from.Kind() != to.Kind():
		return false
	case from.IsInteger() && to.IsInteger(), from.IsFloat() && to.IsFloat():
		wide, ok := batch.Meet(from, to)
		return ok && wide == to
	case from.ID == batch.Decimal && to.ID == batch.Decimal:
		return from.Scale == to.Scale && from.Prec <= to.Prec
	case from.ID == to.ID && (from.ID == batch.Timestamp || from.ID == batch.Time):
		return from.Unit == to.Unit
	}
	return to.ID == batch.Binary || from.StoredWidth() == 16 && to.StoredWidth() == 16 && from.Kind() == batch.KindBytes
}

// column takes over c and returns it as to. The error names no file and no column.
func (v *conversion) column(acct *mem.Account, c *batch.Column) (*batch.Column, error) {
	defer c.Release()
	switch {
	case v.label:
		return relabel(acct, c, v.to)
	case v.there == nil:
		if i := notUTF8(c); i >= 0 {
			return nil, fmt.Errorf("%q is not UTF-8", brief(c.Value(i)))
		}
		return relabel(acct, c, v.to)
	}
	out, err := once(v.there, acct, c)
	if err != nil {
		return nil, err
	}
	if v.back == nil {
		return out, nil
	}
	again, err := once(v.back, acct, out)
	if err == nil {
		err = v.same(c, again)
		again.Release()
	}
	if err != nil {
		out.Release()
		return nil, err
	}
	return out, nil
}

// once computes the program over one column.
func once(p *expr.Program, acct *mem.Account, c *batch.Column) (*batch.Column, error) {
	b := &batch.Batch{Schema: batch.NewSchema(batch.Field{Name: "x", Type: c.Type, Nullable: true}), Cols: []*batch.Column{c.Retain()}, N: c.N}
	defer b.Release()
	out, err := p.Eval(acct, b)
	if err != nil {
		var row *expr.RowError
		if errors.As(err, &row) { // only of the value, not of its place in a program that nobody wrote
			err = errors.New(row.Msg)
		}
		return nil, err
	}
	return out[0], nil
}

// same fails with the first value that did not come back.
func (v *conversion) same(was, is *batch.Column) error {
	equal := batch.NewRowsEqual([]*batch.Column{was}, []*batch.Column{is}, true)
	for i := range was.N {
		if !equal.Equal(i, i) {
			return fmt.Errorf("%s %s does not fit %s exactly", v.from, shown(was, i), v.to)
		}
	}
	return nil
}

// shown returns a value as text, for messages.
func shown(c *batch.Column, i int) string {
	p, err := castProgram(c.Type, batch.Of(batch.String))
	if err != nil {
		return "value"
	}
	row, err := c.Slice(nil, i, i+1)
	if err != nil {
		return "value"
	}
	defer row.Release()
	text, err := once(p, nil, row)
	if err != nil {
		return "value"
	}
	defer text.Release()
	return string(brief(text.Value(0)))
}

// briefBytes is how much of a value a message has: a value may be of any size.
const briefBytes = 60

// brief cuts a value for a message.
func brief(v []byte) []byte {
	if len(v) <= briefBytes {
		return v
	}
	return append(bytes.Clone(v[:briefBytes-3]), "..."...)
}

// relabel returns c with another type that is held alike. A dictionary is labelled too: a column's type is its dictionary's.
func relabel(acct *mem.Account, c *batch.Column, t batch.Type) (*batch.Column, error) {
	out, err := c.Slice(acct, 0, c.N)
	if err != nil {
		return nil, err
	}
	out.Type = t
	if c.Dict != nil {
		dict, err := c.Dict.Slice(acct, 0, c.Dict.N)
		if err != nil {
			out.Release()
			return nil, err
		}
		dict.Type = t
		out.Dict.Release()
		out.Dict = dict
	}
	return out, nil
}

// notUTF8 returns the first row that is no text, or -1.
func notUTF8(c *batch.Column) int {
	for i := range c.N {
		if !c.IsNull(i) && !utf8.Valid(c.Value(i)) {
			return i
		}
	}
	return -1
}
