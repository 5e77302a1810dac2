package tableio

import (
	"context"
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/parquet"
)

// source reads some columns of the units that may have rows of interest.
type source struct {
	table  *Table
	cols   []int
	schema *batch.Schema
	units  []int // positions in Table.Units
	read   Reading
}

// Reading says how a table is read: all its units alike.
type Reading = format.ReadOptions

// Source returns the rows of the columns at the positions cols of the schema, in that order. Row groups
// that statistics show to have no row for which where (bound to the table's whole schema) is true are left
// out; rows of the others are not filtered. where may be nil.
func (t *Table) Source(cols []int, where *expr.Bound, read Reading) batch.Source {
	s := &source{table: t, cols: cols, schema: t.schema.Select(cols), read: read}
	for i := range t.units {
		if where == nil || where.MayBeTrue(func(col int) expr.Stats { return t.Stats(i, col) }) {
			s.units = append(s.units, i)
		}
	}
	return s
}

// Stats returns what the footer says about a column of a unit, as the table has it.
func (t *Table) Stats(unit, col int) expr.Stats {
	u := &t.units[unit]
	m := t.maps[u.File][col]
	to := t.schema.Fields[col].Type
	if m.value != nil {
		return m.value.stats(u.Rows)
	}
	if m.from < 0 {
		return expr.Stats{Nulls: u.Rows, Rows: u.Rows}
	}
	f, ok := t.files[u.File].(parquetFile)
	if !ok {
		return expr.Stats{Nulls: -1, Rows: u.Rows}
	}
	c := &f.RowGroups()[u.Group].Columns[m.from].Stats
	out := expr.Stats{Nulls: -1, Rows: u.Rows}
	if c.HasNulls && !(t.spec.NanAsNull && to.IsFloat()) {
		out.Nulls = c.Nulls
	}
	if from := f.Schema().Fields[m.from].Type; c.HasMinMax && sameBounds(from, to) {
		out.HasBounds = true
		out.Min, out.Max = bound(c.Min, from, to), bound(c.Max, from, to)
		out.NoNaN = from.IsInteger()
	}
	return out
}

// sameBounds says whether the bounds of a file's column are those of the table's: its values are held alike, or are doubles of integers.
func sameBounds(from, to batch.Type) bool {
	return from == to || relabels(from, to) || from.IsInteger() && to.IsFloat()
}

func bound(v parquet.Value, from, to batch.Type) expr.Value {
	out := expr.Value{Int: v.Int, Float: v.Float, Int128: v.Big, Bytes: v.Bytes, Bool: to.ID == batch.Bool && v.Int != 0}
	if to.IsFloat() && from.IsInteger() {
		out.Float = float64(v.Int)
		if from.ID == batch.Uint64 {
			out.Float = float64(uint64(v.Int))
		}
	}
	return out
}

func (s *source) Schema() *batch.Schema { return s.schema }
func (s *source) Units() int            { return len(s.units) }

// Open starts reading a unit. Errors name the file.
func (s *source) Open(ctx context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	u := &s.table.units[s.units[unit]]
	f := s.table.files[u.File]
	st := &stream{source: s, acct: acct, file: f, maps: s.table.maps[u.File]}
	var types []batch.Type
	for i, col := range s.cols {
		m := s.table.maps[u.File][col]
		if m.from >= 0 {
			st.at = append(st.at, len(st.read))
			st.read = append(st.read, m.from)
			t := f.Schema().Fields[m.from].Type
			if to := s.schema.Fields[i].Type; f.ReadsAs(m.from, to) {
				t = to
			}
			types = append(types, t)
		} else {
			st.at = append(st.at, -1)
		}
	}
	in, err := f.Read(ctx, acct, u.Group, st.read, types, s.read)
	if err != nil {
		return nil, err
	}
	st.in = in
	return st, nil
}

// stream turns a file's batches into the table's.
type stream struct {
	source *source
	acct   *mem.Account
	file   format.File
	in     batch.Stream
	read   []int     // columns read from the file
	maps   []mapping // of the file
	at     []int     // for each column of the source, its position among them; -1: missing
}

// Next returns the next batch.
func (s *stream) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := s.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer b.Release()
	out := &batch.Batch{Schema: s.source.schema, Cols: make([]*batch.Column, 0, len(s.at)), N: b.N}
	for i, at := range s.at {
		c, err := s.column(b, at, i)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, c)
	}
	return out, nil
}

// Close releases what the stream holds.
func (s *stream) Close() error { return s.in.Close() }

// column returns one column as the table has it, with a reference of its own.
func (s *stream) column(b *batch.Batch, at, i int) (*batch.Column, error) {
	f := s.source.schema.Fields[i]
	if v := s.maps[s.source.cols[i]].value; v != nil {
		return v.column(s.acct, f.Type, b.N)
	}
	conv := s.maps[s.source.cols[i]].conv
	if at < 0 {
		return batch.AllNull(s.acct, f.Type, b.N)
	}
	c := b.Cols[at].Retain()
	if conv != nil {
		var err error
		if c, err = conv.column(s.acct, c); err != nil {
			return nil, fmt.Errorf("%s: %w: column %s: %w", s.file.Path(), ErrSchema, f.Name, err)
		}
	}
	if s.source.table.spec.NanAsNull && f.Type.IsFloat() {
		return nanAsNull(s.acct, c)
	}
	return c, nil
}

// nanAsNull takes over c and returns it with its NaNs null.
func nanAsNull(acct *mem.Account, c *batch.Column) (*batch.Column, error) {
	vals := c.Float64s()
	first := 0
	for first < len(vals) && !math.IsNaN(vals[first]) {
		first++
	}
	if first == len(vals) {
		return c, nil
	}
	defer c.Release()
	valid := c.Valid
	out, err := c.Slice(acct, 0, c.N)
	if err != nil {
		return nil, err
	}
	if err := out.NewValid(acct); err != nil {
		out.Release()
		return nil, err
	}
	batch.FillBits(out.Valid, c.N)
	if valid != nil {
		copy(out.Valid, valid[:batch.BitmapLen(c.N)])
	}
	for i := first; i < len(vals); i++ {
		if math.IsNaN(vals[i]) {
			out.Valid[i>>3] &^= 1 << (i & 7)
		}
	}
	return out.SetNulls(), nil
}
