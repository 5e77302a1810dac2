package parquet

import (
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"
)

// openPage makes a data page ready to be decoded.
func (c *chunk) openPage() error {
	h := &c.header
	if int64(h.values) > c.unseen {
		return fmt.Errorf("has %d rows where %d are left", h.values, c.unseen)
	}
	if h.v2 && h.rows != h.values && !c.col.inNested {
		return fmt.Errorf("has %d rows of %d values in a flat column", h.rows, h.values)
	}
	c.unseen -= int64(h.values)
	c.page = h.values
	if c.page == 0 {
		return c.skipBody()
	}
	if levs := h.repLen + h.defLen; h.v2 && (levs > h.raw || levs > h.bytes) {
		return fmt.Errorf("has levels of %d bytes in %d", levs, h.bytes)
	}
	if !h.v2 && (c.col.optional || c.col.maxDef > 0) && h.defs != format.RLE {
		return fmt.Errorf("%w: levels encoded as %s", ErrUnsupported, h.defs)
	}
	if !h.v2 && c.col.maxRep > 0 && h.reps != format.RLE {
		return fmt.Errorf("%w: levels encoded as %s", ErrUnsupported, h.reps)
	}
	var err error
	switch {
	case h.bytes <= c.lim.page && (h.raw <= c.lim.page || c.codec() == format.Uncompressed) || c.needsWhole():
		err = c.openWhole()
	case c.codec() != format.Uncompressed && c.takeWhole():
		err = c.openBig()
	default:
		err = c.openPieces()
	}
	if err != nil {
		return err
	}
	return c.chooseDecoder()
}

// codec returns what the values of the open page are compressed with.
func (c *chunk) codec() format.CompressionCodec {
	if c.header.stored {
		return format.Uncompressed
	}
	return c.meta.codec
}

// needsWhole says whether the encoding reads from several places of the page at once.
func (c *chunk) needsWhole() bool { return wholeOnly(c.header.encoding) }

func wholeOnly(e format.Encoding) bool {
	switch e {
	case format.DeltaLengthByteArray, format.DeltaByteArray, format.ByteStreamSplit:
		return true
	}
	return false
}

// openWhole brings the page into memory and parts levels from values.
func (c *chunk) openWhole() error {
	b, err := c.body()
	if err != nil {
		return err
	}
	return c.splitWhole(b)
}

// body returns the page's bytes, decompressed: a view of the source's buffer or of c.raw.
func (c *chunk) body() ([]byte, error) {
	h := &c.header
	b, err := c.peekSrc(h.bytes)
	if err != nil {
		return nil, err
	}
	if len(b) < h.bytes {
		return nil, errEnds
	}
	b = b[:h.bytes]
	c.src.advance(h.bytes)
	if h.hasCRC {
		if err := c.checkSum(crc32.ChecksumIEEE(b)); err != nil {
			return nil, err
		}
	}
	if c.codec() == format.Uncompressed {
		return b, nil
	}
	if err := c.roomRaw(h.raw); err != nil {
		return nil, err
	}
	dst, levs := c.raw.Bytes()[:h.raw], h.repLen+h.defLen
	copy(dst, b[:levs])
	if h.raw == levs && len(b) == levs {
		return dst, nil
	}
	return dst, c.codecs.page(c.codec(), dst[levs:], b[levs:])
}

// roomRaw makes the buffer for raw bytes at least n bytes long.
func (c *chunk) roomRaw(n int) error {
	if c.raw != nil && len(c.raw.Bytes()) >= n+slack {
		return nil
	}
	c.raw.Release()
	c.raw = nil
	b, err := c.acct.Alloc(n + slack)
	if err != nil {
		return fmt.Errorf("%w (a page of %d bytes, encoded as %s, which is decoded whole)", err, n, c.header.encoding)
	}
	c.raw = b
	return nil
}

// splitWhole parts levels from values.
func (c *chunk) splitWhole(b []byte) error {
	if c.entries != nil {
		return c.splitEntries(b)
	}
	c.levs = levels{in: &c.levWin}
	n := c.header.defLen
	b = b[c.header.repLen:] // a flat column has no use for repetition levels, but some write them
	if !c.header.v2 && c.col.optional {
		if len(b) < 4 {
			return errEnds
		}
		size := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
		if size > uint64(len(b)-4) {
			return fmt.Errorf("has levels of %d bytes in %d", size, len(b)-4)
		}
		b, n = b[4:], int(size)
	}
	c.levWin = whole(b[:n])
	c.vals = whole(b[n:])
	c.in = &c.vals
	return nil
}
