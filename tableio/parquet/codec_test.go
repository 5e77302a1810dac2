package parquet

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// dribble produces bytes a few at a time, so that elements are cut at every place.
type dribble struct {
	b []byte
	r *rand.Rand
}

func (p *dribble) produce(w *window) error {
	n := copy(w.free(), p.b[:min(len(p.b), 1+p.r.IntN(200))])
	p.b = p.b[n:]
	w.produced(n)
	return nil
}

// compressible returns bytes with repeats at all distances and of all lengths.
func compressible(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n)
	for len(b) < n {
		k := 1 + r.IntN(1<<r.IntN(9))
		if back := 1 + r.IntN(1<<r.IntN(17)); back <= len(b) && r.IntN(3) > 0 {
			for range k {
				b = append(b, b[len(b)-back])
			}
			continue
		}
		for range k {
			b = append(b, byte(r.Uint32()))
		}
	}
	return b[:n]
}

// inPieces decompresses through a small window, its input cut at random.
func inPieces(codec format.CompressionCodec, packed []byte, raw int, r *rand.Rand) ([]byte, error) {
	in := window{b: make([]byte, 512), from: &dribble{packed, r}, left: int64(len(packed))}
	out := window{b: make([]byte, history+4096), left: int64(raw)}
	var c codecs
	if err := c.stream(codec, &out, &in); err != nil {
		return nil, err
	}
	dst := make([]byte, raw)
	return dst, out.readInto(dst)
}

// TestPiecesAgreeWithLibraries: what is decompressed in pieces is what the library makes of the
// whole, also where bytes are damaged; a page that is shorter than the history is never too far.
func TestPiecesAgreeWithLibraries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var comp lz4.Compressor
	for i := range 600 {
		raw := compressible(r, 1+r.IntN(history-1))
		for _, codec := range []format.CompressionCodec{format.Snappy, format.Lz4Raw} {
			packed := s2.EncodeSnappy(nil, raw)
			if codec == format.Lz4Raw {
				packed = make([]byte, lz4.CompressBlockBound(len(raw)))
				n, err := comp.CompressBlock(raw, packed)
				if err != nil {
					t.Fatal(err)
				}
				packed = packed[:n]
			}
			for range i % 3 {
				packed[r.IntN(len(packed))] ^= byte(1 << r.IntN(8))
			}
			want := make([]byte, len(raw))
			var c codecs
			wantErr := c.page(codec, want, packed)
			got, err := inPieces(codec, packed, len(raw), r)
			if errors.Is(err, errFar) {
				t.Fatalf("case %d, %v: %v", i, codec, err)
			}
			if wantErr == nil && (err != nil || !bytes.Equal(got, want)) {
				t.Fatalf("case %d, %v: %v, equal %v", i, codec, err, bytes.Equal(got, want))
			}
			if i%3 == 0 && (wantErr != nil || !bytes.Equal(got, raw)) {
				t.Fatalf("case %d, %v: library says %v", i, codec, wantErr)
			}
		}
	}
}
