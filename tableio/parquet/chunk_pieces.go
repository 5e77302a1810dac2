package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/format"
)

// levelRoom is the size up to which the definition levels of a page are held.
const levelRoom = 64 << 10

// levelInput is the piece of stored bytes that is read for levels that need a decompressor of their own.
const levelInput = 32 << 10

// openPieces opens a page that is too big to be held: its values come through a window.
// Definition levels, which lie before the values, get a window of their own.
func (c *chunk) openPieces() error {
	c.openStored()
	if c.entries != nil {
		return c.entryPieces()
	}
	h := &c.header
	c.levs = levels{in: &c.levWin}
	if h.v2 {
		if err := c.storedLevels(c.bodyAt+int64(h.repLen), int64(h.defLen)); err != nil {
			return err
		}
		if err := c.stored.skip(int64(h.repLen + h.defLen)); err != nil {
			return err
		}
	}
	if err := c.openVals(); err != nil {
		return err
	}
	if h.v2 || !c.col.optional {
		return nil
	}
	b, err := c.in.peek(4)
	if err != nil {
		return err
	}
	if len(b) < 4 {
		return errEnds
	}
	n := int64(binary.LittleEndian.Uint32(b))
	c.in.advance(4)
	if n > c.in.remains() {
		return fmt.Errorf("has levels of %d bytes in %d", n, c.in.remains())
	}
	return c.v1Levels(n)
}

// openStored makes c.stored the page's bytes as stored: what the source has at hand, then the file.
func (c *chunk) openStored() {
	c.inPieces, c.sum = true, nil
	if c.header.hasCRC {
		c.sum = crc32.NewIEEE()
	}
	size := int64(c.header.bytes)
	have := min(int64(c.src.w-c.src.r), size)
	c.stored = c.src
	c.stored.w = c.src.r + int(have)
	c.stored.left = size - have
	c.storedAt = c.src.r
	if c.sum != nil {
		c.sum.Write(c.src.b[c.src.r:c.stored.w])
	}
	c.held = have == size
	if c.held { // big only once it is decompressed: the source goes on behind it
		c.src.advance(int(have))
		return
	}
	c.pieces.sum = c.sum
	c.src.left -= size - have
	c.src.r, c.src.w = 0, 0
}

// closePieces passes over what the page has beyond its values, summed where it has a checksum.
func (c *chunk) closePieces() error {
	c.inPieces = false
	c.levStream.close()
	if c.sum != nil {
		if err := c.stored.skip(c.stored.remains()); err != nil {
			return err
		}
		if err := c.checkSum(c.sum.Sum32()); err != nil {
			return err
		}
	}
	c.pieces.sum = nil
	if !c.held {
		c.pieces.at = c.bodyAt + int64(c.header.bytes)
	}
	return nil
}

// openVals puts the codec between the stored bytes and the values.
func (c *chunk) openVals() error {
	if c.codec() == format.Uncompressed {
		c.in = &c.stored
		return nil
	}
	size := windowSize
	if c.far {
		size = farWindow
	}
	if err := c.roomRaw(size); err != nil {
		return err
	}
	c.in = &c.vals
	c.vals = window{b: c.raw.Bytes()[:size], left: int64(c.header.raw - c.header.repLen - c.header.defLen)}
	if c.far {
		c.vals.keep = farHistory
	}
	c.pieceCodecs.acct = c.acct
	if err := c.pieceCodecs.stream(c.codec(), &c.vals, &c.stored); err != nil {
		return err
	}
	if s, ok := c.vals.from.(*snappy); ok {
		s.far, s.wide = c.reopen, c.far
	}
	return nil
}

// reopen begins the stored bytes anew and returns room for a window of size bytes, for a page that
// refers back further than the window reaches.
func (c *chunk) reopen(size int) ([]byte, error) {
	b, err := c.acct.Alloc(size + slack)
	var others *mem.ReclaimError
	if errors.As(err, &others) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w (a snappy page that refers back further than %d needs a window of %d)", err, history, size)
	}
	c.far = size == farWindow
	c.raw.Release()
	c.raw = b
	skip := int64(c.header.repLen + c.header.defLen)
	if c.held {
		c.stored.r = c.storedAt + int(skip)
		return b.Bytes()[:size], nil
	}
	if c.sum != nil {
		c.sum.Reset()
	}
	c.stored.r, c.stored.w, c.stored.left = 0, 0, int64(c.header.bytes)
	c.pieces.at = c.bodyAt
	return b.Bytes()[:size], c.stored.skip(skip)
}

// v1Levels makes c.levWin the n bytes that c.in is at, and c.in pass them.
func (c *chunk) v1Levels(n int64) error {
	if n <= levelRoom {
		if err := c.roomLevels(int(n)); err != nil {
			return err
		}
		b := c.levBuf.Bytes()[:n]
		c.levWin = whole(b)
		return c.in.readInto(b)
	}
	if c.codec() == format.Uncompressed {
		if err := c.storedLevels(c.bodyAt+4, n); err != nil {
			return err
		}
		return c.in.skip(n)
	}
	if err := c.unpackLevels(); err != nil {
		return err
	}
	return c.in.skip(n)
}

func (c *chunk) roomLevels(n int) error {
	if c.levBuf != nil && len(c.levBuf.Bytes()) >= n+slack {
		return nil
	}
	c.levBuf.Release()
	c.levBuf = nil
	b, err := c.acct.Alloc(n + slack)
	c.levBuf = b
	return err
}

// storedLevels reads levels that lie uncompressed in the file.
func (c *chunk) storedLevels(at, n int64) error {
	room := int(min(n, levelRoom))
	if err := c.roomLevels(room); err != nil {
		return err
	}
	c.levStream.pieces = filePieces{h: c.pieces.h, at: at}
	c.levWin = window{b: c.levBuf.Bytes()[:room], from: &c.levStream.pieces, left: n}
	return nil
}

// levelStream decompresses the beginning of a page a second time, for its levels.
type levelStream struct {
	pieces filePieces
	stored window
	codecs codecs
	bufs   []*mem.Buf
}

func (s *levelStream) close() {
	s.codecs.close()
	for _, b := range s.bufs {
		b.Release()
	}
	s.bufs = s.bufs[:0]
}

func (c *chunk) unpackLevels() error {
	s := &c.levStream
	in, err := c.acct.Alloc(levelInput + slack)
	if err != nil {
		return err
	}
	s.bufs = append(s.bufs, in)
	out, err := c.acct.Alloc(windowSize + slack)
	if err != nil {
		return err
	}
	s.bufs = append(s.bufs, out)
	s.codecs.acct = c.acct
	s.pieces = filePieces{h: c.pieces.h, at: c.bodyAt}
	s.stored = window{b: in.Bytes()[:levelInput], from: &s.pieces, left: int64(c.header.bytes)}
	c.levWin = window{b: out.Bytes()[:windowSize], left: int64(c.header.raw)}
	if err := s.codecs.stream(c.meta.codec, &c.levWin, &s.stored); err != nil {
		return err
	}
	return c.levWin.skip(4)
}
