package parquet

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestExtremesAgreeWithCompare: the least and the greatest are those of bytes.Compare, for values
// that share long beginnings, hold zeros, and lie at the end of their memory.
func TestExtremesAgreeWithCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Custom(func(t *rapid.T) []byte {
			v := bytes.Repeat([]byte{rapid.SampledFrom([]byte{0, 'a', 255}).Draw(t, "of")}, rapid.IntRange(0, 20).Draw(t, "same"))
			v = append(v, rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 255}), 0, 4).Draw(t, "rest")...)
			return append(make([]byte, 0, len(v)+rapid.IntRange(0, 20).Draw(t, "room")), v...)
		})
		var x extremes
		var lo, hi []byte
		for i, v := range rapid.SliceOfN(value, 1, 20).Draw(t, "values") {
			junk := v[len(v):cap(v)] // what lies behind a value does not count
			for k := range junk {
				junk[k] = byte(7 * k)
			}
			x.add(v)
			if i == 0 || bytes.Compare(v, lo) < 0 {
				lo = v
			}
			if i == 0 || bytes.Compare(v, hi) > 0 {
				hi = v
			}
		}
		if !bytes.Equal(x.lo, lo) || !bytes.Equal(x.hi, hi) {
			t.Fatalf("got %q to %q, want %q to %q", x.lo, x.hi, lo, hi)
		}
	})
}
