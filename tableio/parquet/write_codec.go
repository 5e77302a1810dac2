package parquet

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// codecOf returns the codec that a job file names.
func codecOf(name string) (format.CompressionCodec, error) {
	switch name {
	case "", "snappy":
		return format.Snappy, nil
	case "zstd":
		return format.Zstd, nil
	case "gzip":
		return format.Gzip, nil
	case "lz4":
		return format.Lz4Raw, nil
	case "none":
		return format.Uncompressed, nil
	}
	return 0, fmt.Errorf("unknown compression %q: use snappy, zstd, gzip, lz4 or none", name)
}

// zstdWindow bounds what a zstd encoder holds; pages are about this long.
const zstdWindow = 1 << 20

// compressor holds one goroutine's encoders; they are made when first needed.
type compressor struct {
	zstd *zstd.Encoder
	gzip *gzip.Writer
	lz4  lz4.Compressor
}

// maxCompressed returns the most bytes that n bytes can become.
func maxCompressed(codec format.CompressionCodec, n int) int {
	switch codec {
	case format.Snappy:
		return s2.MaxEncodedLen(n)
	case format.Lz4Raw:
		return lz4.CompressBlockBound(n)
	default: // stored blocks of zstd and deflate, with room to spare
		return n + n>>8 + 1<<10
	}
}

// compress encodes src into dst, which has maxCompressed bytes, and returns the encoded part of it.
func (c *compressor) compress(codec format.CompressionCodec, dst, src []byte) ([]byte, error) {
	switch codec {
	case format.Snappy:
		return s2.EncodeSnappy(dst, src), nil
	case format.Lz4Raw:
		n, err := c.lz4.CompressBlock(src, dst)
		return dst[:n], err
	case format.Zstd:
		if c.zstd == nil {
			var err error
			c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow),
				zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
			if err != nil {
				return nil, err
			}
		}
		return c.zstd.EncodeAll(src, dst[:0]), nil
	case format.Gzip:
		return c.deflate(dst, src)
	}
	return nil, fmt.Errorf("compress: unknown codec %v", codec)
}

func (c *compressor) deflate(dst, src []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst[:0])
	if c.gzip == nil {
		c.gzip = gzip.NewWriter(out)
	} else {
		c.gzip.Reset(out)
	}
	if _, err := c.gzip.Write(src); err != nil {
		return nil, err
	}
	err := c.gzip.Close()
	return out.Bytes(), err
}

func (c *compressor) close() {
	if c.zstd != nil {
		_ = c.zstd.Close() // it has no output: nothing can fail
	}
}
