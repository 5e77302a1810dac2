package arrow

import (
	"encoding/binary"
	"io"

	"pqjoin/mem"

	"github.com/klauspost/compress/zstd"
)

const (
	// The most bytes that a byte of an LZ4 frame, and of a zstd frame, can stand for.
	lz4Ratio  = 256
	zstdRatio = 1 << 15
	// plainRatio is the least at which the blocks of a zstd buffer are looked at before what it says of its length is believed.
	plainRatio = 64
	// zstdBlock is the most bytes of a block.
	zstdBlock = 128 << 10
)

// place is where a buffer lies in the file, and how it is compressed.
type place struct {
	at, size int64
	codec    int8
	raw      int64 // bytes decompressed; settled by prefix
}

// prefix reads what is before a compressed buffer: its length, or that it is none.
func (p *place) prefix(h io.ReaderAt) (err error) {
	defer func() {
		if err != nil {
			p.raw = 0 // what is not to be believed raises no floor
		}
	}()
	if p.raw = p.size; p.codec == codecNone || p.size == 0 {
		p.codec = codecNone
		return nil
	}
	var b [8]byte
	if p.size < 8 {
		return malformedf("a compressed buffer is of %d bytes", p.size)
	}
	if _, err := h.ReadAt(b[:], p.at); err != nil {
		return err
	}
	p.at, p.size = p.at+8, p.size-8
	p.raw = int64(binary.LittleEndian.Uint64(b[:]))
	switch {
	case p.raw == -1:
		p.codec, p.raw = codecNone, p.size
	case p.raw < 0:
		return malformedf("a compressed buffer says that it has %d bytes", p.raw)
	case p.raw <= wholeBytes && p.size > 2*p.raw+readerBytes || p.raw/p.mostOf() > p.size:
		return malformedf("a compressed buffer of %d bytes says that it has %d", p.size, p.raw)
	case p.codec == codecZstd && p.raw > wholeBytes && p.raw/plainRatio > p.size:
		return p.zstdHolds(h)
	}
	return nil
}

// mostOf returns how many bytes one of a buffer can stand for at most.
func (p *place) mostOf() int64 {
	if p.codec == codecLZ4 {
		return lz4Ratio
	}
	return zstdRatio
}

// zstdHolds makes sure that the blocks of a zstd buffer can have as many bytes as it says (RFC 8878, 3.1.1).
func (p *place) zstdHolds(h io.ReaderAt) error {
	var b [zstd.HeaderMaxSize]byte
	most := int64(0)
	for at := int64(0); at < p.size; {
		n, err := h.ReadAt(b[:min(zstd.HeaderMaxSize, p.size-at)], p.at+at)
		if n == 0 && err != nil {
			return err
		}
		var head zstd.Header
		if head.Decode(b[:n]) != nil {
			return malformedf("a buffer is not valid zstd")
		}
		at += int64(head.HeaderSize)
		if head.Skippable {
			at += int64(head.SkippableSize)
			continue
		}
		raw, size, err := p.zstdBlocks(h, at)
		if err != nil {
			return err
		}
		if most, at = most+raw, at+size; head.HasCheckSum {
			at += 4
		}
	}
	if p.raw > most {
		return malformedf("a compressed buffer of %d bytes says that it has %d", p.size, p.raw)
	}
	return nil
}

// zstdBlocks returns the most bytes that the blocks of a frame stand for, which begin at byte at of the buffer, and how many they take.
func (p *place) zstdBlocks(h io.ReaderAt, at int64) (raw, size int64, err error) {
	var b [3]byte
	for last := false; !last; {
		if at+size+3 > p.size {
			return 0, 0, malformedf("a compressed buffer has fewer bytes than it says")
		}
		if _, err := h.ReadAt(b[:], p.at+at+size); err != nil {
			return 0, 0, err
		}
		block := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
		n := block >> 3
		last = block&1 == 1
		switch block >> 1 & 3 {
		case 1: // a byte, n times
			size, raw = size+4, raw+min(n, zstdBlock)
		case 2: // compressed
			size, raw = size+3+n, raw+zstdBlock
		default: // as it is
			size, raw = size+3+n, raw+n
		}
	}
	return raw, size, nil
}

// cost returns the memory that reading the buffer takes while it is open, and more while it is opened.
func (p *place) cost(h io.ReaderAt) (held, opening int64) {
	switch {
	case p.codec == codecNone:
		return 0, 0
	case p.raw <= wholeBytes:
		held = int64(mem.ClassSize(int(p.raw)))
	}
	n := int64(lz4History)
	if p.codec == codecZstd {
		if held > 0 {
			return held, zstdSmall + int64(mem.ClassSize(int(p.size)))
		}
		window, _ := p.window(h)
		return zstdHeapOf(window), 0
	}
	if block, err := p.lz4Block(h); err == nil {
		n += 2*block + 64
	}
	if held > 0 {
		return held, int64(mem.ClassSize(int(n)))
	}
	return int64(mem.ClassSize(int(n))), 0
}

func zstdHeapOf(window int64) int64 { return 2*max(window, 128<<10) + 512<<10 + readerBytes }

// window returns how far back a zstd buffer refers.
func (p *place) window(h io.ReaderAt) (int64, error) {
	b := make([]byte, min(p.size, zstd.HeaderMaxSize))
	if _, err := h.ReadAt(b, p.at); err != nil {
		return 0, err
	}
	var head zstd.Header
	if err := head.Decode(b); err != nil {
		return 0, malformedf("a buffer is not valid zstd: %v", err)
	}
	n := head.WindowSize
	if head.SingleSegment {
		n = head.FrameContentSize
	}
	if n > maxWindow {
		return 0, malformedf("a zstd buffer refers back %d bytes, more than %d; write it with a lower level, or smaller record batches", n, maxWindow)
	}
	return int64(n), nil
}

// lz4Block returns the most bytes of a block of an LZ4 frame.
func (p *place) lz4Block(h io.ReaderAt) (int64, error) {
	var b [6]byte
	if p.size < 11 {
		return 0, malformedf("an LZ4 buffer is of %d bytes", p.size)
	}
	if _, err := h.ReadAt(b[:], p.at); err != nil {
		return 0, err
	}
	id := b[5] >> 4 & 7
	if binary.LittleEndian.Uint32(b[:]) != 0x184d2204 || b[4]>>6 != 1 || id < 4 {
		return 0, malformedf("a buffer is not a valid LZ4 frame")
	}
	return 1 << (8 + 2*id), nil
}
