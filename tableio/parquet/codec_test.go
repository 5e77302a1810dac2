package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"pqjoin/internal/testkit/zstdframe"
	"pqjoin/mem"

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

// TestSnappyRefersBackFar: a page is decompressed right through a window that grows once, and then
// to the whole page, wherever the first far reference lies and however it is read.
func TestSnappyRefersBackFar(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, far := range []int{history / 2, history * 3, farHistory / 2, farHistory * 2} {
		for _, at := range []int{farHistory * 5 / 2, farHistory*5/2 - history} {
			raw := compressible(r, at)
			for len(raw) < 5*farHistory { // runs of 8 bytes from far back, and bytes between
				back := far + r.IntN(1000)
				raw = append(raw, raw[len(raw)-back:][:8]...)
				raw = append(raw, byte(r.Uint32()))
			}
			var c codecs
			packed := farBlock(raw, at, far)
			in := window{b: make([]byte, 512), from: &dribble{packed, r}, left: int64(len(packed))}
			out := window{b: make([]byte, windowSize), left: int64(len(raw))}
			if err := c.stream(format.Snappy, &out, &in); err != nil {
				t.Fatal(err)
			}
			grown := 0
			out.from.(*snappy).far = func(size int) ([]byte, error) {
				in = window{b: make([]byte, 512), from: &dribble{packed, r}, left: int64(len(packed))}
				grown = size
				return make([]byte, size), nil
			}
			got := make([]byte, len(raw))
			for rest := got; len(rest) > 0; {
				n := min(len(rest), 1+r.IntN(100_000))
				if err := out.readInto(rest[:n]); err != nil {
					t.Fatalf("%d back: %v", far, err)
				}
				rest = rest[n:]
			}
			want := map[bool]int{true: farWindow, false: len(raw)}[far < farHistory]
			if far < history {
				want = 0
			}
			if !bytes.Equal(got, raw) || grown != want {
				t.Errorf("%d back: equal %v, a window of %d, want %d", far, bytes.Equal(got, raw), grown, want)
			}
		}
	}
}

// farBlock encodes raw: literals up to at, then copies of 8 bytes from about far back with a literal between.
func farBlock(raw []byte, at, far int) []byte {
	b := binary.AppendUvarint(nil, uint64(len(raw)))
	for i := 0; i < at; i += 60 {
		n := min(60, at-i)
		b = append(append(b, byte(n-1)<<2), raw[i:i+n]...)
	}
	for i := at; i < len(raw); i += 9 {
		back := far
		for !bytes.Equal(raw[i-back:][:8], raw[i:i+8]) {
			back++
		}
		b = append(b, 7<<2|3)
		b = binary.LittleEndian.AppendUint32(b, uint32(back))
		b = append(b, 0, raw[i+8])
	}
	return b
}

// What is reserved is the first frame's window; those behind it may not have a larger one.
func TestALaterFrameHasNoLargerWindow(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	c := codecs{acct: acct}
	for _, size := range []struct {
		window int
		ok     bool
	}{{1 << 20, true}, {8 << 20, false}, {1 << 19, true}} {
		src := append(zstdframe.Zeros(t, 2<<20, 1<<20), zstdframe.Zeros(t, 10<<20, size.window)...)
		in, dst := whole(src), make([]byte, 12<<20)
		out := window{b: dst, left: int64(len(dst)), keep: len(dst)}
		err := c.zstdStream(&out, &in)
		for err == nil && out.left > 0 {
			err = out.from.produce(&out)
		}
		if (err == nil) != size.ok {
			t.Errorf("window of %d: %v", size.window, err)
		}
	}
	c.close()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
