package parquet

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/parallel"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// brokenFS panics where a file is written.
type brokenFS struct{ vfs.FS }

type brokenFile struct{ vfs.File }

func (f brokenFS) Create(name string) (vfs.File, error) {
	h, err := f.FS.Create(name)
	return brokenFile{h}, err
}

func (brokenFile) WriteAt([]byte, int64) (int, error) { panic("broken\ndisk") }
func (brokenFile) Write([]byte) (int, error)          { panic("broken\ndisk") }

// A panic of the writer's own goroutines is an error of one line, and gives everything back.
func TestAPanicWhileWritingIsAnError(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "s", Type: batch.Of(batch.String)}, batch.Field{Name: "i", Type: batch.Of(batch.Int64)})
	for name, c := range map[string]struct {
		fs      vfs.FS
		missing int // bytes of the texts
	}{"while encoding": {vfs.OS(), 4000}, "while writing": {brokenFS{vfs.OS()}, 0}} {
		t.Run(name, func(t *testing.T) {
			pool := mem.NewPool(64 << 20)
			acct := pool.Account("writer", 0)
			w, err := CreateFile(t.Context(), c.fs, filepath.Join(t.TempDir(), "f.parquet"), schema, WriterOptions{Threads: 2, Acct: acct})
			if err != nil {
				t.Fatal(err)
			}
			const rows = 8192
			off := make([]uint32, rows+1)
			for i := range off {
				off[i] = uint32(i)
			}
			b := &batch.Batch{Schema: schema, N: rows, Cols: []*batch.Column{
				{Type: schema.Fields[0].Type, N: rows, Off: off, Data: make([]byte, rows-c.missing)},
				{Type: schema.Fields[1].Type, N: rows, Fixed: make([]byte, 8*rows)},
			}}
			err = w.Write(t.Context(), b)
			if err == nil {
				_, err = w.Close(t.Context())
			}
			w.Abort()
			if p := (*parallel.Panic)(nil); !errors.As(err, &p) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if err := errors.Join(acct.Close(), pool.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}
