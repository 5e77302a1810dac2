package spillfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
)

func TestAKeptFileGoesToTheDiskWhileItIsWritten(t *testing.T) {
	flushed := 0
	fsys := faultfs.New(vfs.OS(), func(_ int, op faultfs.Op, name string) error {
		if op == "flushrange" && strings.HasSuffix(name, dictSuffix) {
			flushed++
		}
		return nil
	})
	dir, keep, _ := keptIn(t, fsys, t.TempDir(), "1b")
	w, err := keep.Stage("one", nil).create(dictSuffix, sha256.New())
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789abcdef"), 7*flushStep/32)
	for _, part := range [][]byte{want[:100], want[100:200], want[200:]} {
		if n, err := w.Write(part); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if flushed != 3 {
		t.Errorf("flushed %d times", flushed)
	}
	if err := w.close(nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(keep.path, "one"+dictSuffix)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d: %v", len(got), len(want), err)
	}
	if err := errors.Join(keep.Close(true), dir.Close()); err != nil {
		t.Error(err)
	}
}
