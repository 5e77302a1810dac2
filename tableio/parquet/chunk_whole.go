package parquet

import (
	"errors"

	"pqjoin/mem"
)

// takeWhole says whether the open page, too big for the buffers, may be decoded whole all the same: of what
// the stream may use for that, enough is left for the page and, while it is decompressed, its stored bytes.
func (c *chunk) takeWhole() bool {
	raw, stored := int64(mem.ClassSize(c.header.raw+slack)), int64(mem.ClassSize(c.header.bytes+slack))
	left := c.tmp.whole + c.whole
	if raw+stored > left {
		return false
	}
	c.tmp.whole, c.whole = left-raw, raw
	return true
}

// openBig opens such a page whole; in pieces where the memory is not there after all.
func (c *chunk) openBig() error {
	err := c.roomRaw(c.header.raw)
	if err == nil {
		_, err = c.peekSrc(c.header.bytes)
	}
	if errors.Is(err, mem.ErrLimit) {
		c.tmp.whole, c.whole = c.tmp.whole+c.whole, 0
		return c.openPieces()
	}
	if err != nil {
		return err
	}
	if err := c.openWhole(); err != nil {
		return err
	}
	return c.shrinkSource()
}

// shrinkSource gives back the room of a big page's stored bytes once it is decompressed, so that the
// columns of a row group take it in turns.
func (c *chunk) shrinkSource() error {
	if c.src.r != c.src.w || len(c.src.b) <= c.lim.piece {
		return nil
	}
	n := int(min(int64(c.lim.piece), max(c.src.remains(), 1)))
	b, err := c.acct.Alloc(n + slack)
	if errors.Is(err, mem.ErrLimit) { // it stays as it is
		return nil
	}
	if err != nil {
		return err
	}
	c.srcBuf.Release()
	c.srcBuf = b
	c.src.b, c.src.r, c.src.w = b.Bytes()[:n], 0, 0
	return nil
}
