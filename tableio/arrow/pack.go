package arrow

import (
	"encoding/binary"
	"math"

	"pqjoin/mem"
	"pqjoin/tableio/text"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// What compressors hold on the Go heap, bytes: measured generously.
const (
	lz4Heap  = 1 << 20
	zstdHeap = 8 << 20
)

// packer compresses buffers.
type packer struct {
	acct *mem.Account
	heap int64
	most func(n int) int                        // bytes that n may become
	into func(dst, src []byte) (n int, _ error) // nil: nothing is compressed
	open func() error
	need int64 // heap, once it is open
	lz   lz4.Compressor
	zs   *zstd.Encoder
}

// newPacker returns what compresses with none, lz4 or zstd. It takes memory when it is used first.
func newPacker(codec string, acct *mem.Account) *packer {
	k := &packer{acct: acct, open: func() error { return nil }}
	switch codec {
	case "lz4":
		k.need, k.most, k.into = lz4Heap, lz4Most, k.lz4
	case "zstd":
		k.need, k.most, k.into, k.open = zstdHeap, k.zstdMost, k.zstd, k.openZstd
	}
	return k
}

// packed is a buffer as it is written: compressed (buf), or as it is, with its length before it where others are compressed.
type packed struct {
	prefix []byte
	plain  []byte
	buf    *mem.Buf
	n      int
}

func (p packed) size() int64 { return int64(len(p.prefix) + len(p.plain) + p.n) }

func (p packed) write(o *text.Out) error {
	parts := [][]byte{p.prefix, p.plain}
	if p.buf != nil {
		parts[1] = p.buf.Bytes()[:p.n]
	}
	parts = append(parts, make([]byte, -p.size()&7))
	for _, b := range parts {
		if err := o.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// pack compresses p where that makes it shorter. The caller releases buf.
func (k *packer) pack(p []byte) (packed, error) {
	if k.into == nil || len(p) == 0 {
		return packed{plain: p}, nil
	}
	if k.heap == 0 {
		if err := k.acct.Reserve(k.need); err != nil {
			return packed{}, err
		}
		k.heap = k.need
		if err := k.open(); err != nil {
			return packed{}, err
		}
	}
	buf, err := k.acct.Alloc(k.most(len(p)))
	if err != nil {
		return packed{}, err
	}
	n, err := k.into(buf.Bytes(), p)
	if err != nil {
		buf.Release()
		return packed{}, err
	}
	if n >= len(p) { // it does not pay
		buf.Release()
		return packed{prefix: binary.LittleEndian.AppendUint64(nil, math.MaxUint64), plain: p}, nil
	}
	return packed{prefix: binary.LittleEndian.AppendUint64(nil, uint64(len(p))), buf: buf, n: n}, nil
}

func (k *packer) openZstd() (err error) {
	k.zs, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	return err
}

func (k *packer) zstdMost(n int) int { return k.zs.MaxEncodedSize(n) }

// zstd copies: on its way the encoder may need more than what it ends with, and then has gone over to memory of its own.
func (k *packer) zstd(dst, src []byte) (int, error) {
	return copy(dst, k.zs.EncodeAll(src, dst[:0])), nil
}

// lz4Block is how much of a buffer a block of an LZ4 frame holds.
const lz4Block = 64 << 10

// lz4Most is no more than the last block needs, for buffers may be many and small.
func lz4Most(n int) int {
	most := 7 + n/lz4Block*(4+lz4.CompressBlockBound(lz4Block)) + 4
	if rest := n % lz4Block; rest > 0 {
		most += 4 + lz4.CompressBlockBound(rest)
	}
	return most
}

// lz4 makes a frame of blocks that do not refer to each other, without checksums.
func (k *packer) lz4(dst, src []byte) (int, error) {
	n := copy(dst, "\x04\x22\x4d\x18\x60\x40\x82") // version 1, independent blocks of 64 KiB, the checksum of that
	for len(src) > 0 {
		part := src[:min(len(src), lz4Block)]
		src = src[len(part):]
		size, err := k.lz.CompressBlock(part, dst[n+4:])
		if err != nil {
			return 0, err
		}
		head := uint32(size)
		if size == 0 || size >= len(part) {
			size = copy(dst[n+4:], part)
			head = uint32(size) | 1<<31
		}
		binary.LittleEndian.PutUint32(dst[n:], head)
		n += 4 + size
	}
	binary.LittleEndian.PutUint32(dst[n:], 0)
	return n + 4, nil
}

func (k *packer) release() {
	k.acct.Unreserve(k.heap)
	k.heap, k.zs = 0, nil
}
