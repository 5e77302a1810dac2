package tableio

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pqjoin/internal/vfs"
)

// A pipe is refused unopened, however it is found: opening it would wait for somebody who writes.
func TestAPipeIsRefused(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "q.parquet")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("SKIPPED: no pipe can be made here: %v", err)
	}
	for _, path := range []string{dir, pipe, filepath.Join(dir, "*.parquet"), filepath.Join(dir, "**")} {
		_, err := Open(context.Background(), vfs.OS(), Spec{Paths: []string{path}})
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "q.parquet") || !strings.Contains(err.Error(), "it is a pipe") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Open(context.Background(), vfs.OS(), Spec{Paths: []string{"/dev/null"}, Format: CSV}); err == nil || !strings.Contains(err.Error(), "it is a device") {
		t.Errorf("/dev/null: %v", err)
	}
}
