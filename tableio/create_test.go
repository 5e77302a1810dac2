package tableio

import (
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
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
