package jsonl

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/internal/vfs"
	"pqjoin/tableio/text"
)

// A key is twice in a line, or not, however many lines there were before.
func TestLinesAreCountedBeyond32Bits(t *testing.T) {
	p := filepath.Join(t.TempDir(), "t.jsonl")
	if err := os.WriteFile(p, []byte(`{"a":1}`+"\n"+`{"a":2,"b":3}`+"\n"+`{"b":4,"c":5}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := text.OpenInput(t.Context(), vfs.OS(), p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := in.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := &scanner{Window: in.Window(r, tooLong), columns: map[string]int{}, end: math.MaxInt64, row: math.MaxUint32 - 1}
	s.add = func(key string) error { s.column(key); return nil }
	s.take = func(int, text.Span, kind) error { return nil }
	for line := range 3 {
		if ok, err := s.line(true); !ok || err != nil {
			t.Fatal(line, ok, err)
		}
	}
}
