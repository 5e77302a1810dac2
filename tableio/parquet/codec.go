package parquet

import (
	"errors"
	"fmt"
	"io"
	"math"

	"pqjoin/mem"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// history is how far back Snappy, as most writers use it, and LZ4 refer.
const history = 64 << 10

// maxZstdWindow is the longest window that is accepted of a page that is decoded in pieces.
const maxZstdWindow = 8 << 20

// What decompressors hold on the Go heap, in bytes: bounds, measured generously.
const (
	gzipHeap = 64 << 10
	zstdHeap = 512 << 10
)

func zstdStreamHeap(window int64) int64 { return 2*max(window, 128<<10) + 512<<10 }

func brotliHeap(raw int64) int64 { return min(2*raw, 16<<20) + 256<<10 }

// farHistory is how far back the Snappy encoders refer that do not work in blocks of 64 KiB, such as fastparquet's.
const farHistory = 512 << 10

// errFar says that a Snappy page refers back further than the window reaches.
var errFar = errors.New("refers back further than its window")

var errRaw = errors.New("does not decompress to the size that its header names")

// maxRaw returns the most bytes that size compressed bytes can stand for.
func maxRaw(c format.CompressionCodec, size int64) int64 {
	switch c {
	case format.Uncompressed:
		return size
	case format.Snappy:
		return 32*size + 64
	case format.Lz4, format.Lz4Raw:
		return 256*size + 64
	case format.Gzip:
		return 1040*size + 64
	}
	return math.MaxInt64
}

// codecs decompresses the pages of one stream. What libraries hold on the Go heap is reserved.
type codecs struct {
	acct     *mem.Account
	reserved int64
	gz       *gzip.Reader
	zs       *zstd.Decoder // whole pages
	zstream  *zstd.Decoder
	zwindow  int64
	br       *brotli.Reader
	brwindow int64
}

func (c *codecs) reserve(n int64) error {
	if err := c.acct.Reserve(n); err != nil {
		return err
	}
	c.reserved += n
	return nil
}

func (c *codecs) close() {
	if c.zs != nil {
		c.zs.Close()
	}
	if c.zstream != nil {
		c.zstream.Close()
	}
	if c.reserved > 0 {
		c.acct.Unreserve(c.reserved)
	}
	*c = codecs{acct: c.acct}
}

// page decompresses src, which lies whole in memory, into dst.
func (c *codecs) page(codec format.CompressionCodec, dst, src []byte) error {
	switch codec {
	case format.Snappy:
		return snappyPage(dst, src)
	case format.Lz4Raw:
		return lz4Page(dst, src)
	case format.Zstd:
		return c.zstdPage(dst, src)
	}
	in := whole(src)
	out := window{b: dst, left: int64(len(dst)), keep: len(dst)}
	if err := c.stream(codec, &out, &in); err != nil {
		return err
	}
	for out.left > 0 {
		if err := out.from.produce(&out); err != nil {
			return err
		}
	}
	return nil
}

func snappyPage(dst, src []byte) error {
	n, err := s2.DecodedLen(src)
	if err != nil || n != len(dst) {
		return errRaw
	}
	if _, err = s2.Decode(dst, src); err != nil {
		return fmt.Errorf("is not valid snappy: %w", err)
	}
	return nil
}

func lz4Page(dst, src []byte) error {
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil {
		return fmt.Errorf("is not valid lz4: %w", err)
	}
	if n != len(dst) {
		return errRaw
	}
	return nil
}

func (c *codecs) zstdPage(dst, src []byte) (err error) {
	if c.zs == nil {
		if err := c.reserve(zstdHeap); err != nil {
			return err
		}
		c.zs, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return err
		}
	}
	out, err := c.zs.DecodeAll(src, dst[:0:len(dst)])
	if err != nil {
		return fmt.Errorf("is not valid zstd: %w", err)
	}
	if len(out) != len(dst) {
		return errRaw
	}
	return nil
}

// stream makes out produce what in decompresses to; out.left is its size.
func (c *codecs) stream(codec format.CompressionCodec, out, in *window) (err error) {
	switch codec {
	case format.Snappy:
		out.keep = max(out.keep, history)
		out.from, err = newSnappy(in, out.left)
		return err
	case format.Lz4Raw:
		out.keep = max(out.keep, history)
		out.from = &lz4Blocks{lz: lz{in: in}, block: math.MaxInt64}
		return nil
	case format.Lz4:
		out.keep = max(out.keep, history)
		out.from, err = newHadoopLZ4(in, out.left)
		return err
	case format.Gzip:
		return c.gzipStream(out, in)
	case format.Zstd:
		return c.zstdStream(out, in)
	case format.Brotli:
		return c.brotliStream(out, in)
	}
	return fmt.Errorf("%w: codec %s", ErrUnsupported, codecName(codec))
}

func codecName(c format.CompressionCodec) string {
	if c < format.Uncompressed || c > format.Lz4Raw {
		return fmt.Sprintf("number %d", c)
	}
	return c.String()
}

func (c *codecs) gzipStream(out, in *window) (err error) {
	if out.left == 0 {
		return nil
	}
	if c.gz == nil {
		if err := c.reserve(gzipHeap); err != nil {
			return err
		}
		c.gz = new(gzip.Reader)
	}
	if err := c.gz.Reset(in); err != nil {
		return fmt.Errorf("is not valid gzip: %w", err)
	}
	out.from = &libraryStream{c.gz, "gzip"}
	return nil
}

func (c *codecs) zstdStream(out, in *window) (err error) {
	b, err := in.peek(zstd.HeaderMaxSize)
	if err != nil {
		return err
	}
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		return fmt.Errorf("is not valid zstd: %w", err)
	}
	size := frameWindow(&h)
	if size > maxZstdWindow {
		return fmt.Errorf("%w: needs a zstd window of %d bytes, at most %d are given", ErrUnsupported, size, maxZstdWindow)
	}
	if need := zstdStreamHeap(size); need > c.zwindow {
		if err := c.reserve(need - c.zwindow); err != nil {
			return err
		}
		c.zwindow = need
	}
	if c.zstream == nil {
		c.zstream, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(math.MaxInt32))
		if err != nil {
			return err
		}
	}
	// Frames behind the first may not need more than what is reserved for that.
	if err := c.zstream.ResetWithOptions(struct{ io.Reader }{in}, zstd.WithDecoderMaxWindow(uint64(max(size, zstd.MinWindowSize)))); err != nil {
		return fmt.Errorf("is not valid zstd: %w", err)
	}
	out.from = &libraryStream{c.zstream, "zstd"}
	return nil
}

// frameWindow returns the window that a frame needs: its content where it is one segment.
func frameWindow(h *zstd.Header) int64 {
	size := h.WindowSize
	if h.HasFCS && h.SingleSegment {
		size = h.FrameContentSize
	}
	return int64(min(size, math.MaxInt64))
}

func (c *codecs) brotliStream(out, in *window) error {
	need := brotliHeap(out.left)
	if need > c.brwindow {
		if err := c.reserve(need - c.brwindow); err != nil {
			return err
		}
		c.brwindow = need
	}
	if c.br == nil {
		c.br = new(brotli.Reader)
	}
	if err := c.br.Reset(in); err != nil {
		return fmt.Errorf("is not valid brotli: %w", err)
	}
	out.from = &libraryStream{c.br, "brotli"}
	return nil
}

// libraryStream produces what a library's reader reads.
type libraryStream struct {
	r    io.Reader
	name string
}

func (s *libraryStream) produce(w *window) error {
	b := w.free()
	for range 100 {
		n, err := s.r.Read(b)
		if n > 0 {
			w.produced(n)
			return nil
		}
		if errors.Is(err, io.EOF) {
			return errRaw
		}
		if err != nil {
			return fmt.Errorf("is not valid %s: %w", s.name, err)
		}
	}
	return io.ErrNoProgress
}
