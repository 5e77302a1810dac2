package parquet

import "github.com/parquet-go/parquet-go/format"

// columnIndex appends the chunk's ColumnIndex, or returns false where it has none: a page
// with a value that is NaN, or too long to bound, cannot be described.
func (c *chunkWriter) columnIndex(t *thriftOut) bool {
	for i := range c.pages {
		if p := &c.pages[i]; p.nulls < p.rows && (!p.bounds.has || p.bounds.noMax) {
			return false
		}
	}
	n := len(c.pages)
	t.list(1, thriftTrue, n)
	for i := range c.pages {
		t.elemBool(c.pages[i].nulls == c.pages[i].rows)
	}
	t.list(2, thriftBinary, n)
	for i := range c.pages {
		t.elemBytes(c.pages[i].bounds.min)
	}
	t.list(3, thriftBinary, n)
	for i := range c.pages {
		t.elemBytes(c.pages[i].bounds.max)
	}
	t.i32(4, int32(c.boundaryOrder()))
	t.list(5, thriftI64, n)
	for i := range c.pages {
		t.elemInt(int64(c.pages[i].nulls))
	}
	t.stop()
	return true
}

// boundaryOrder says whether the pages' bounds ascend or descend; pages of nulls do not count.
func (c *chunkWriter) boundaryOrder() format.BoundaryOrder {
	up, down := true, true
	var last *bounds
	for i := range c.pages {
		b := &c.pages[i].bounds
		if !b.has {
			continue
		}
		if last != nil {
			lo, hi := c.leaf.compare(last.min, b.min), c.leaf.compare(last.max, b.max)
			up = up && lo <= 0 && hi <= 0
			down = down && lo >= 0 && hi >= 0
		}
		last = b
	}
	switch {
	case up:
		return format.Ascending
	case down:
		return format.Descending
	}
	return format.Unordered
}

// offsetIndex appends the chunk's OffsetIndex; its data pages begin at off in the file.
func (c *chunkWriter) offsetIndex(t *thriftOut, off int64) {
	t.list(1, thriftStruct, len(c.pages))
	for i := range c.pages {
		p := &c.pages[i]
		t.elem()
		t.i64(1, off+p.off)
		t.i32(2, p.size)
		t.i64(3, p.row)
		t.end()
	}
	t.stop()
}
