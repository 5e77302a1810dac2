package parquet

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// A lane whose slab failed must not go on with the next one: its dictionary has seen a page
// that was never written. Every amount of memory below what the rows need is tried.
func TestRunningOutOfMemoryMidPageIsAnError(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "s", Type: batch.Of(batch.String)})
	for limit := int64(1 << 20); limit < 8<<20; limit += 640 << 10 {
		pool := mem.NewPool(limit)
		in := pool.Account("rows", 0)
		w, err := CreateFile(t.Context(), vfs.OS(), filepath.Join(t.TempDir(), "f.parquet"), schema, WriterOptions{Threads: 2, Acct: pool.Account("writer", 0)})
		if err != nil {
			continue
		}
		for range 40 {
			c, err := batch.NewVar(in, schema.Fields[0].Type, 8192, 8192*10)
			if err != nil {
				break
			}
			for i := range c.N {
				c.Off[i] = uint32(10 * i)
				copy(c.Data[10*i:], fmt.Sprintf("key-%06d", i%50))
			}
			c.Off[c.N] = uint32(10 * c.N)
			if err := w.Write(t.Context(), &batch.Batch{Schema: schema, Cols: []*batch.Column{c}, N: c.N}); err != nil {
				break
			}
		}
		if _, err := w.Close(t.Context()); err != nil && !errors.Is(err, mem.ErrLimit) {
			t.Fatalf("pool of %d: %v", limit, err)
		}
		w.Abort()
	}
}
