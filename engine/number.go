package engine

import (
	"context"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
)

// rowNumberField is the hidden column that restores an order. No job can name it.
var rowNumberField = batch.Field{Name: "\x00row", Type: batch.Of(batch.Int64)}

// unitRows is how many rows a unit may have: a row number is the unit above these bits, the row below.
const unitRows = 40

func numbered(s *batch.Schema) *batch.Schema {
	fields := append(append([]batch.Field(nil), s.Fields...), rowNumberField)
	return batch.NewSchema(fields...)
}

// rightRows is above all row numbers: right rows without a match are numbered from it on.
const rightRows = 1 << 62

// number appends the row number as a column.
type number struct {
	stateless
	schema *batch.Schema
	from   int64
}

// newNumber numbers rows by their order, from on.
func newNumber(in *batch.Schema, from int64) *number {
	return &number{schema: numbered(in), from: from}
}

func (n *number) open(u unitRun, in batch.Stream) (batch.Stream, error) {
	return &numberStream{number: n, acct: u.acct, in: in, next: n.from + int64(u.unit)<<unitRows}, nil
}

type numberStream struct {
	*number
	acct *mem.Account
	in   batch.Stream
	next int64
}

func (s *numberStream) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := s.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	c, err := batch.NewFixed(s.acct, batch.Of(batch.Int64), b.N)
	if err != nil {
		b.Release()
		return nil, err
	}
	for i, v := 0, c.Int64s(); i < len(v); i++ {
		v[i] = s.next + int64(i)
	}
	s.next += int64(b.N)
	cols := append(append([]*batch.Column(nil), b.Cols...), c)
	return &batch.Batch{Schema: s.schema, Cols: cols, N: b.N}, nil
}

func (s *numberStream) Close() error { return s.in.Close() }

// dropColumn returns a transform that leaves out the column at.
func dropColumn(at int, schema *batch.Schema) transform {
	var exprs []*expr.Bound
	fields := append([]batch.Field(nil), schema.Fields[:at]...)
	fields = append(append(fields, rowNumberField), schema.Fields[at:]...)
	in := batch.NewSchema(fields...)
	for i := range fields {
		if i != at {
			exprs = append(exprs, expr.ColumnRef(in, i))
		}
	}
	return newProject(exprs, schema, origin{})
}
