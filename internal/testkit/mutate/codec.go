package mutate

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// codec compresses and decompresses pages. unpack returns nil for what it cannot read; pack is nil where pages stay as they are.
type codec struct {
	pack   func([]byte) []byte
	unpack func(b []byte, raw int) []byte
}

// maxBody is the longest page that is decompressed.
const maxBody = 1 << 20

// codecOf returns one of Parquet's codecs by its number.
func codecOf(n int64) codec {
	switch n {
	case 0:
		return codec{func(b []byte) []byte { return b }, func(b []byte, _ int) []byte { return b }}
	case 1:
		return codec{func(b []byte) []byte { return snappy.Encode(nil, b) }, unpackSnappy}
	case 2:
		return codec{packGzip, unpackGzip}
	case 6:
		return codec{packZstd, unpackZstd}
	case 7:
		return codec{packLZ4, unpackLZ4}
	}
	return codec{}
}

func unpackSnappy(b []byte, _ int) []byte {
	if n, err := snappy.DecodedLen(b); err != nil || n > maxBody {
		return nil
	}
	out, err := snappy.Decode(nil, b)
	if err != nil {
		return nil
	}
	return out
}

func packGzip(b []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // nothing can fail in memory
	}
	return out.Bytes()
}

func unpackGzip(b []byte, _ int) []byte {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxBody))
	if err != nil {
		return nil
	}
	return out
}

// packZstd makes a frame of raw blocks, which needs no encoder: each is up to 128 KiB.
func packZstd(b []byte) []byte {
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38} // no checksum, no content size; a window of 128 KiB
	for {
		n, last := min(len(b), 1<<16), byte(0)
		if n == len(b) {
			last = 1
		}
		h := uint32(n)<<3 | uint32(last)
		out = append(append(out, byte(h), byte(h>>8), byte(h>>16)), b[:n]...)
		if b = b[n:]; last == 1 {
			return out
		}
	}
}

func unpackZstd(b []byte, _ int) []byte {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return nil
	}
	defer d.Close()
	out, err := d.DecodeAll(b, nil)
	if err != nil {
		return nil
	}
	return out
}

func packLZ4(b []byte) []byte {
	out := make([]byte, lz4.CompressBlockBound(len(b)))
	n, err := lz4.CompressBlock(b, out, nil)
	if err != nil || n == 0 {
		return literals(b)
	}
	return out[:n]
}

// literals is a block of LZ4 that holds b as it is.
func literals(b []byte) []byte {
	if len(b) < 15 {
		return append([]byte{byte(len(b)) << 4}, b...)
	}
	out := []byte{0xf0}
	n := len(b) - 15
	for ; n >= 255; n -= 255 {
		out = append(out, 255)
	}
	return append(append(out, byte(n)), b...)
}

func unpackLZ4(b []byte, raw int) []byte {
	if raw < 0 || raw > maxBody {
		return nil
	}
	out := make([]byte, raw)
	n, err := lz4.UncompressBlock(b, out)
	if err != nil {
		return nil
	}
	return out[:n]
}
