package tableio

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"unsafe"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/arrow"
	"pqjoin/tableio/format"
	"pqjoin/tableio/parquet"
)

// parquetFile is a Parquet file as a file of any format. Its units are its row groups.
type parquetFile struct {
	*parquet.File
	units  []format.Unit
	schema *batch.Schema
	spans  []string // columns of durations, as the writer's Arrow schema has it; in the file they are whole numbers
}

func newParquetFile(f *parquet.File) parquetFile {
	p := parquetFile{File: f, schema: f.Schema()}
	p.findSpans()
	for _, g := range f.RowGroups() {
		p.units = append(p.units, format.Unit{Rows: g.Rows, Bytes: g.Bytes, Raw: g.RawBytes})
	}
	return p
}

// findSpans marks the columns of durations, which pandas, Polars and pyarrow write, as ones that cannot be read as they are.
func (p *parquetFile) findSpans() {
	text := p.ArrowSchema()
	if text == "" {
		return
	}
	message, err := base64.StdEncoding.DecodeString(text)
	if err != nil { // it says nothing then
		return
	}
	for _, name := range arrow.Spans(message) {
		i := p.schema.Index(name)
		if i < 0 || p.schema.Fields[i].Type.ID != batch.Int64 {
			continue
		}
		if p.spans == nil {
			p.schema = batch.NewSchema(slices.Clone(p.schema.Fields)...)
		}
		p.schema.Fields[i].Type, p.spans = batch.Type{ID: batch.Nested}, append(p.spans, name)
	}
}

// Schema returns the columns. Durations have the type of a column that is not read.
func (p parquetFile) Schema() *batch.Schema { return p.schema }

// ReadsAs says whether the column is read as t beyond its type: durations as the counts of their unit.
func (p parquetFile) ReadsAs(col int, t batch.Type) bool {
	if p.isSpan(col) {
		return t.ID == batch.Int64
	}
	return p.File.ReadsAs(col, t)
}

func (p parquetFile) isSpan(col int) bool {
	return slices.Contains(p.spans, p.schema.Fields[col].Name)
}

// Unread says why a column is not read as it is.
func (p parquetFile) Unread(col int) string {
	if p.isSpan(col) {
		return "a duration"
	}
	return p.File.Unread(col)
}

func (p parquetFile) Rows() (int64, bool)  { return p.File.Rows(), true }
func (p parquetFile) Units() []format.Unit { return p.units }

// HeapBytes returns about how many bytes of the Go heap what is known of the file takes: mostly its footer.
func (p parquetFile) HeapBytes() int64 {
	units := int64(cap(p.units)) * int64(unsafe.Sizeof(format.Unit{}))
	return p.File.HeapBytes() + units + units/5
}

func (p parquetFile) RowBytes(unit, col int) int64 {
	return p.RowGroups()[unit].Columns[col].RawBytes
}

func (p parquetFile) Read(ctx context.Context, acct *mem.Account, unit int, cols []int, types []batch.Type, o format.ReadOptions) (batch.Stream, error) {
	for i, c := range cols {
		if p.isSpan(c) && (types == nil || !p.ReadsAs(c, types[i])) {
			return nil, fmt.Errorf("%s: %w: column %s is %s", p.Path(), parquet.ErrUnsupported, p.schema.Fields[c].Name, p.Unread(c))
		}
	}
	return p.ReadRowGroup(ctx, acct, unit, cols, parquet.ReadOptions{BatchRows: o.BatchRows, WholeBytes: o.WholeBytes, Types: types})
}

var _ format.File = parquetFile{}
