package parquet

import "pqjoin/mem"

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

// shrinkSource gives back the room of a big page's stored bytes once it is decompressed, so that the
// columns of a row group take it in turns.
func (c *chunk) shrinkSource() error {
	if c.src.r != c.src.w || len(c.src.b) <= c.lim.piece {
		return nil
	}
	n := int(min(int64(c.lim.piece), max(c.src.remains(), 1)))
	b, err := c.acct.Alloc(n + slack)
	if err != nil {
		return err
	}
	c.srcBuf.Release()
	c.srcBuf = b
	c.src.b, c.src.r, c.src.w = b.Bytes()[:n], 0, 0
	return nil
}
