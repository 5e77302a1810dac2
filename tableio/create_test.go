package tableio

import (
	"fmt"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"
)

// What could not be made is no writer: not one of any format that is nil.
func TestAWriterThatCouldNotBeMadeIsNil(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64)})
	for _, format := range []string{CSV, TSV, JSONL, Arrow, Parquet, "other"} {
		w, err := Create(t.Context(), vfs.OS(), t.TempDir(), true, schema, WriterOptions{Format: format, WriterOptions: parquet.WriterOptions{Compression: "none", FileCount: 3}})
		if err == nil || w != nil {
			t.Errorf("%s: %v, %v", format, w, err)
		}
	}
}

// Thousands of columns have thousands of buffers, each of 4 KB at least: the floor knows them, whatever the format and codec.
func TestManyColumnsAreWrittenInTheFloor(t *testing.T) {
	schema := &batch.Schema{}
	for i := range 4000 {
		schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprintf("c%d", i), Type: []batch.Type{batch.Of(batch.Int64), batch.Of(batch.String), batch.Of(batch.Bool)}[i%3], Nullable: true})
	}
	for _, c := range []struct{ format, codec string }{{Arrow, "none"}, {Arrow, "lz4"}, {Arrow, "zstd"}, {CSV, "none"}, {JSONL, "gzip"}, {Parquet, "snappy"}} {
		t.Run(c.format+" "+c.codec, func(t *testing.T) {
			const rows = 300
			rowsPool := mem.NewPool(256 << 20)
			acct := rowsPool.Account("rows", 0)
			b := batchOf(t, acct, schema, rows)
			o := WriterOptions{Format: c.format, WriterOptions: parquet.WriterOptions{Compression: c.codec, RowBytes: 64 << 10, Threads: 1}}
			pool := mem.NewPool(WriterFloor(schema, o))
			o.Acct = pool.Account("writer", 0)
			w, err := Create(t.Context(), vfs.OS(), t.TempDir(), true, schema, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{o.Acct.Close(), pool.Close(), acct.Close(), rowsPool.Close()} {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// batchOf returns rows whose integers differ, with nulls in all other columns.
func batchOf(t *testing.T, acct *mem.Account, schema *batch.Schema, rows int) *batch.Batch {
	t.Helper()
	b := &batch.Batch{Schema: schema, N: rows}
	for i, f := range schema.Fields {
		column := batch.AllNull
		if f.Type.ID == batch.Int64 {
			column = batch.NewFixed
		}
		c, err := column(acct, f.Type, rows)
		if err != nil {
			t.Fatal(err)
		}
		if f.Type.ID == batch.Int64 {
			for j := range c.Int64s() {
				c.Int64s()[j] = int64(i * j * 2654435761)
			}
		}
		b.Cols = append(b.Cols, c)
	}
	return b
}
