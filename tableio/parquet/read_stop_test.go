package parquet

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
)

// On a slow disk each read may take a second: who is told to stop while a file is opened or verified reads no more of it.
func TestOpeningStopsBetweenReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	w, err := CreateFile(t.Context(), vfs.OS(), path, batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64)}), WriterOptions{})
	if err != nil {
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
		if !errors.Is(err, context.Canceled) || reads != 1 {
			t.Errorf("%s: %d reads, %v", what, reads, err)
		}
	}
}
