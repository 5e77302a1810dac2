package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"
)

// stored encodes src into dst, which has maxCompressed bytes, as the codec's format holds bytes that do not compress, and
// returns the encoded part of it. It copies: readers of any kind take it for what the codec makes, at the cost of a copy.
func stored(codec format.CompressionCodec, dst, src []byte) []byte {
	switch codec {
	case format.Snappy:
		return storedSnappy(dst[:0], src)
	case format.Lz4Raw:
		return storedLZ4(dst[:0], src)
	case format.Zstd:
		return storedZstd(dst[:0], src)
	default:
		return storedGzip(dst[:0], src)
	}
}

// storedSnappy is the length, and one literal, whose length less one stands in its first byte or in one to four behind it.
func storedSnappy(out, src []byte) []byte {
	out = binary.AppendUvarint(out, uint64(len(src)))
	if len(src) == 0 {
		return out
	}
	n := uint32(len(src) - 1)
	if n < 60 {
		return append(append(out, byte(n<<2)), src...)
	}
	size := (bits.Len32(n) + 7) / 8
	out = append(out, byte(59+size)<<2)
	for range size {
		out, n = append(out, byte(n)), n>>8
	}
	return append(out, src...)
}

// storedLZ4 is one sequence of literals without a match, as the last of a block is.
func storedLZ4(out, src []byte) []byte {
	if len(src) < 15 {
		return append(append(out, byte(len(src)<<4)), src...)
	}
	out = append(out, 15<<4)
	n := len(src) - 15
	for ; n >= 255; n -= 255 {
		out = append(out, 255)
	}
	return append(append(out, byte(n)), src...)
}

// storedZstd is a frame of raw blocks: its magic, a descriptor that says a window of 1 MiB and a size of four bytes, and the size.
func storedZstd(out, src []byte) []byte {
	const window, block = 10 << 3, 128 << 10
	out = append(out, 0x28, 0xb5, 0x2f, 0xfd, 2<<6, window)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(src)))
	for last := false; !last; {
		n := min(len(src), block)
		last = n == len(src)
		head := uint32(n) << 3 // of type raw
		if last {
			head |= 1
		}
		out = append(append(out, byte(head), byte(head>>8), byte(head>>16)), src[:n]...)
		src = src[n:]
	}
	return out
}

// storedGzip is a member of stored blocks.
func storedGzip(out, src []byte) []byte {
	const block = 1<<16 - 1
	sum, size := crc32.ChecksumIEEE(src), uint32(len(src))
	out = append(out, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
	for last := false; !last; {
		n := min(len(src), block)
		last = n == len(src)
		final := byte(0)
		if last {
			final = 1
		}
		out = append(out, final, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		out = append(out, src[:n]...)
		src = src[n:]
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(out, sum), size)
}
