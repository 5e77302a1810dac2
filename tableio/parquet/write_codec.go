package parquet

import (
	"bytes"
	"fmt"

	"pqjoin/mem"

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

// encoderHeap returns what an encoder holds on the Go heap, in bytes: bounds, measured (2.9 MB and 1.1 MB).
func encoderHeap(codec format.CompressionCodec) int64 {
	switch codec {
	case format.Zstd:
		return 4 << 20
	case format.Gzip:
		return 3 << 19
	}
	return 0
}

// compressor holds one goroutine's encoders; they are made when first needed, and reserved.
type compressor struct {
	acct     *mem.Account
	reserved int64
	zstd     *zstd.Encoder
	gzip     *gzip.Writer
	lz4      lz4.Compressor
}

func (c *compressor) reserve(codec format.CompressionCodec) error {
	n := encoderHeap(codec)
	if err := c.acct.Reserve(n); err != nil {
		return err
	}
	c.reserved += n
	return nil
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
			err := c.reserve(codec)
			if err != nil {
				return nil, err
			}
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
		if err := c.reserve(format.Gzip); err != nil {
			return nil, err
		}
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
	if c.reserved > 0 {
		c.acct.Unreserve(c.reserved)
	}
	*c = compressor{acct: c.acct}
}
