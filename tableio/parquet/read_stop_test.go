package parquet

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
)

// On a slow disk each read may take a second: who is told to stop while a file is opened, verified or looked at for what reading it
// takes reads no more of it.
func TestOpeningStopsBetweenReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	schema := batch.NewSchema()
	for _, name := range []string{"a", "b", "c"} {
		schema.Fields = append(schema.Fields, batch.Field{Name: name, Type: batch.Of(batch.Int64)})
	}
	w, err := CreateFile(t.Context(), vfs.OS(), path, schema, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := batchtest.Batch(nil, schema, [][]any{{int64(1), int64(2), int64(3)}}, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := Open(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	for what, call := range map[string]func(context.Context, vfs.FS) error{
		"open":   func(ctx context.Context, fsys vfs.FS) error { _, err := Open(ctx, fsys, path); return err },
		"verify": func(ctx context.Context, fsys vfs.FS) error { f.fsys = fsys; return f.Verify(ctx) },
		"floor": func(ctx context.Context, fsys vfs.FS) error {
			f.fsys = fsys
			f.ReadFloor(ctx, 0, []int{0, 1, 2})
			return ctx.Err()
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		err := call(ctx, faultfs.New(vfs.OS(), func(_ int, op faultfs.Op, _ string) error {
			if op == "readat" {
				reads++
				cancel()
			}
			return nil
		}))
		if !errors.Is(err, context.Canceled) || reads < 1 || reads > 2 { // a column has a header or two
			t.Errorf("%s: %d reads, %v", what, reads, err)
		}
	}
}
