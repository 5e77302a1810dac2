// Package zstdframe makes Zstandard frames with the windows that tests want; the readers of several formats must hold to them.
package zstdframe

import (
	"bytes"
	"errors"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Zeros returns a frame of n zero bytes whose window is of so many bytes.
func Zeros(t testing.TB, n, window int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(make([]byte, n))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
