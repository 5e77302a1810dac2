package text_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/internal/testkit/zstdframe"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"
)

// The heap that a zstd file's decoder is counted with is that of the longest window that it gets.
func TestWindowsOfZstdFiles(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		windows []int // of frames, MiB
		heap    int64 // MiB
		ok      bool
	}{
		{[]int{1}, 16, true}, {[]int{1, 8}, 16, true}, {[]int{16}, 32, true}, {[]int{32, 16, 32}, 64, true},
		{[]int{1, 16}, 16, false}, {[]int{16, 32}, 32, false}, {[]int{64}, 64, false},
	} {
		var b []byte
		for _, w := range c.windows {
			b = append(b, zstdframe.Zeros(t, (w+1)*mb, w*mb)...)
		}
		p := filepath.Join(t.TempDir(), "t.csv.zst")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := text.OpenInput(t.Context(), vfs.OS(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.DecoderHeap() / mb; got != c.heap {
			t.Errorf("windows %v: a heap of %d MiB", c.windows, got)
		}
		r, err := in.Open(0)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			err = errors.Join(err, r.Close())
		}
		if (err == nil) != c.ok || err != nil && !errors.Is(err, format.ErrMalformed) {
			t.Errorf("windows %v: %v", c.windows, err)
		}
	}
}
