package arrow

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"pqjoin/internal/testkit/zstdframe"
	"pqjoin/tableio/format"

	"github.com/pierrec/lz4/v4"
)

// numbers is a column of n numbers, whose buffer is compressed in a way and says that it has so many bytes.
func numbers(n int64, says int64, packed []byte, codec int) []byte {
	var c crafted
	c.schema(func(w *builder) []int {
		return []int{craftedField(w, "i", typeInt, w.table(slot{i: 0, size: 4, v: 64}, slot{i: 1, size: 1, v: 1}), 0)}
	})
	c.batch(rows{n: n, nodes: []int64{n, 0}, bufs: [][]byte{nil, append(words(says), packed...)}, codec: int64(codec)})
	return c.b
}

func lz4Frame(t *testing.T, n int) []byte {
	var b bytes.Buffer
	w := lz4.NewWriter(&b)
	_, err := w.Write(make([]byte, n))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A compressed buffer has as many bytes as it says, whether all of them are needed or not, and whether it is decompressed whole or in pieces.
func TestCompressedBuffersAreAsLongAsTheySay(t *testing.T) {
	for _, n := range []int{1 << 12, 6 << 20} {
		for codec, packed := range [][]byte{lz4Frame(t, n), zstdframe.Zeros(t, n, 1<<20)} {
			for more, want := range map[int64]string{0: "", 8: "than it says", -8: "than it says"} {
				says := int64(n) + more
				f, err := opened(t, numbers(min(int64(n), says)/8, says, packed, codec))
				if err != nil {
					t.Fatal(err)
				}
				err = drain(f)
				if ok := err == nil; ok != (want == "") || !ok && (!errors.Is(err, format.ErrMalformed) || strings.Contains(err.Error(), "\n")) {
					t.Errorf("codec %d, %d bytes that say %d: %v", codec, n, says, err)
				}
			}
		}
	}
}

// What a few bytes say of their length raises no floor.
func TestAFewBytesRaiseNoFloor(t *testing.T) {
	for codec, packed := range [][]byte{lz4Frame(t, 1<<12), zstdframe.Zeros(t, 1<<12, 1<<12)} {
		for _, says := range []int64{8 << 20, 600 << 20, 1 << 40, math.MaxInt64} {
			body := append(words(says), packed...)
			var c crafted
			c.schema(func(w *builder) []int {
				return []int{craftedField(w, "c", typeUtf8, w.table(), w.table(slot{i: 0, size: 8, v: 1})), craftedField(w, "v", typeUtf8View, w.table(), 0)}
			})
			c.dictionary(1, false, rows{n: 0, nodes: []int64{0, 0}, bufs: [][]byte{nil, body, body}, codec: int64(codec)})
			c.batch(rows{n: 0, nodes: []int64{0, 0, 0, 0}, bufs: [][]byte{nil, nil, nil, nil, body}, codec: int64(codec), views: []int64{1}})
			f, err := opened(t, c.b)
			if err != nil {
				t.Fatal(err)
			}
			if n := f.ReadFloor(context.Background(), 0, all(f)); n > 3<<20 {
				t.Errorf("codec %d, %d bytes that say %d: a floor of %d", codec, len(packed), says, n)
			}
			if err := drain(f); !errors.Is(err, format.ErrMalformed) {
				t.Errorf("codec %d, %d bytes that say %d: %v", codec, len(packed), says, err)
			}
		}
	}
}

// Columns of types that are not read are told from files that are damaged.
func TestTypesThatAreNotReadAreUnsupported(t *testing.T) {
	var c crafted
	c.schema(func(w *builder) []int { return []int{craftedField(w, "x", typeInterval, w.table(), 0)} })
	f, err := opened(t, c.b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(t.Context(), nil, 0, all(f), nil, format.ReadOptions{}); !errors.Is(err, format.ErrUnsupported) || errors.Is(err, format.ErrMalformed) ||
		!strings.Contains(err.Error(), "column x is an interval") {
		t.Error(err)
	}
}
