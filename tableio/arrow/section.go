package arrow

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"pqjoin/mem"
	"pqjoin/tableio/format"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	// wholeBytes is how long a compressed buffer may be, decompressed, to be so at once.
	wholeBytes = 4 << 20
	// maxWindow is the longest window of zstd that is accepted.
	maxWindow = 32 << 20

	lz4History  = 64 << 10
	zstdSmall   = 512 << 10 // heap of a decoder of whole buffers
	readerBytes = 64 << 10
)

// section reads a buffer from front to back.
type section struct {
	acct *mem.Account
	left int64 // bytes
	h    io.ReaderAt
	at   int64     // in the file
	r    io.Reader // a decompressor; else
	mem  []byte    // it is here; else it is read from h
	buf  *mem.Buf
	heap int64
	end  func()
}

// open opens a buffer whose prefix has been read.
func (p *place) open(acct *mem.Account, h io.ReaderAt) (s *section, err error) {
	s = &section{acct: acct, left: p.raw, h: h, at: p.at}
	if p.codec == codecNone {
		return s, nil
	}
	plain := &section{left: p.size, h: h, at: p.at}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if p.codec == codecZstd && p.raw <= wholeBytes {
		return s, s.wholeZstd(p)
	}
	if p.codec == codecZstd {
		err = s.zstd(p, plain)
	} else {
		err = s.lz4(p, plain)
	}
	if err == nil && p.raw <= wholeBytes {
		err = s.whole(int(p.raw))
	}
	return s, err
}

// whole decompresses all, and gives the decompressor back.
func (s *section) whole(n int) error {
	buf, err := s.acct.Alloc(n)
	if err != nil {
		return err
	}
	err = s.read(buf.Bytes())
	if err == nil {
		err = s.finish()
	}
	s.close()
	if err != nil {
		buf.Release()
		return err
	}
	s.buf, s.mem, s.left, s.r = buf, buf.Bytes(), int64(n), nil
	return nil
}

func (s *section) reserve(n int64) error {
	if err := s.acct.Reserve(n); err != nil {
		return err
	}
	s.heap += n
	return nil
}

func (s *section) wholeZstd(p *place) error {
	src, err := s.acct.Alloc(int(p.size))
	if err != nil {
		return err
	}
	defer src.Release()
	if _, err := s.h.ReadAt(src.Bytes(), p.at); err != nil {
		return err
	}
	if err := s.acct.Reserve(zstdSmall); err != nil {
		return err
	}
	defer s.acct.Unreserve(zstdSmall)
	if s.buf, err = s.acct.Alloc(int(p.raw)); err != nil {
		return err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return err
	}
	defer d.Close()
	out, err := d.DecodeAll(src.Bytes(), s.buf.Bytes()[:0:p.raw])
	if err != nil {
		return malformedf("a buffer is not valid zstd: %v", err)
	}
	if int64(len(out)) != p.raw {
		return malformedf("a buffer says that it has %d bytes, and has %d", p.raw, len(out))
	}
	s.mem = s.buf.Bytes()
	return nil
}

func (s *section) zstd(p *place, plain *section) error {
	window, err := p.window(s.h)
	if err != nil {
		return err
	}
	if err := s.reserve(zstdHeapOf(window)); err != nil {
		return err
	}
	d, err := zstd.NewReader(bufio.NewReaderSize(plain, readerBytes), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(max(window, zstd.MinWindowSize))))
	if err != nil {
		return err
	}
	s.r, s.end = d, d.Close
	return nil
}

func (s *section) lz4(p *place, plain *section) error {
	block, err := p.lz4Block(s.h)
	if err != nil {
		return err
	}
	if s.buf, err = s.acct.Alloc(int(lz4History + 2*block + 64)); err != nil {
		return err
	}
	b := s.buf.Bytes()
	l := &lz4Reader{in: plain, hist: b[:lz4History+block], comp: b[lz4History+block:], block: int(block)}
	s.r = l
	return l.header()
}

// Read makes a section a reader of what is left.
func (s *section) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.left)]
	return len(p), s.read(p)
}

// read fills p.
func (s *section) read(p []byte) error {
	if int64(len(p)) > s.left {
		return malformedf("a buffer ends before its rows do")
	}
	if len(p) == 0 {
		return nil
	}
	s.left -= int64(len(p))
	switch {
	case s.mem != nil:
		s.mem = s.mem[copy(p, s.mem):]
		return nil
	case s.r != nil:
		if _, err := io.ReadFull(s.r, p); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return malformedf("a compressed buffer has fewer bytes than it says")
			}
			return fmt.Errorf("%w: a buffer does not decompress: %w", format.ErrMalformed, err)
		}
		return nil
	}
	_, err := s.h.ReadAt(p, s.at)
	s.at += int64(len(p))
	return err
}

// skip passes over n bytes.
func (s *section) skip(n int64) error {
	switch {
	case n > s.left:
		return malformedf("a buffer ends before its rows do")
	case s.mem != nil:
		s.mem = s.mem[n:]
	case s.r != nil:
		if _, err := io.CopyN(io.Discard, s.r, n); err == io.EOF {
			return malformedf("a compressed buffer has fewer bytes than it says")
		} else if err != nil {
			return fmt.Errorf("%w: a buffer does not decompress: %w", format.ErrMalformed, err)
		}
	default:
		s.at += n
	}
	s.left -= n
	return nil
}

// finish makes sure that a compressed buffer has as many bytes as it says, once what is needed of it has been read.
func (s *section) finish() error {
	if s == nil || s.r == nil {
		return nil
	}
	if err := s.skip(s.left); err != nil {
		return err
	}
	var b [1]byte
	switch n, err := io.ReadFull(s.r, b[:]); {
	case n > 0:
		return malformedf("a compressed buffer has more bytes than it says")
	case err != io.EOF:
		return fmt.Errorf("%w: a buffer does not decompress: %w", format.ErrMalformed, err)
	}
	return nil
}

// close gives memory back. It may be called more than once.
func (s *section) close() {
	if s == nil {
		return
	}
	if s.end != nil {
		s.end()
		s.end = nil
	}
	s.buf.Release()
	s.buf, s.mem = nil, nil
	s.acct.Unreserve(s.heap)
	s.heap = 0
}

// lz4Reader decompresses an LZ4 frame (github.com/lz4/lz4, doc/lz4_Frame_format.md), block by block. Checksums are not looked at.
type lz4Reader struct {
	in     *section
	hist   []byte // what came before, and the block
	comp   []byte
	block  int
	at     int // of what has not been read in hist
	fill   int
	sums   bool // blocks have checksums
	linked bool
	ended  bool
}

func (l *lz4Reader) header() error {
	var b [15]byte
	if err := l.in.read(b[:7]); err != nil { // with the checksum, or the size's first byte
		return err
	}
	flags := b[4]
	if flags&1 != 0 {
		return malformedf("an LZ4 buffer needs a dictionary")
	}
	l.linked, l.sums = flags&0x20 == 0, flags&0x10 != 0
	if flags&8 != 0 { // the size is there too
		return l.in.read(b[7:15])
	}
	return nil
}

// Read gives what is left of a block, or begins the next.
func (l *lz4Reader) Read(p []byte) (int, error) {
	for l.at == l.fill {
		if l.ended {
			return 0, io.EOF
		}
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.hist[l.at:l.fill])
	l.at += n
	return n, nil
}

func (l *lz4Reader) next() error {
	keep := 0
	if l.linked {
		keep = min(l.fill, lz4History)
		copy(l.hist, l.hist[l.fill-keep:l.fill])
	}
	l.at, l.fill = keep, keep
	var b [4]byte
	if err := l.in.read(b[:]); err != nil {
		return err
	}
	head := binary.LittleEndian.Uint32(b[:])
	size := int(head &^ (1 << 31))
	switch {
	case head == 0:
		l.ended = true
		return nil
	case size > l.block:
		return malformedf("an LZ4 block of %d bytes is longer than its frame says", size)
	case head>>31 == 1:
		if err := l.in.read(l.hist[keep:][:size]); err != nil {
			return err
		}
		l.fill += size
	default:
		if err := l.in.read(l.comp[:size]); err != nil {
			return err
		}
		n, err := lz4.UncompressBlockWithDict(l.comp[:size], l.hist[keep:][:l.block], l.hist[:keep])
		if err != nil {
			return fmt.Errorf("it is not valid LZ4: %w", err)
		}
		l.fill += n
	}
	if l.sums {
		return l.in.read(b[:])
	}
	return nil
}
