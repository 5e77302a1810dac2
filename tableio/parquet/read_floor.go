package parquet

import (
	"context"
	"errors"
	"io"

	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// ReadFloor returns the most bytes that a stream over the columns of a row group holds
// besides its batches: buffers, which do not depend on the sizes of pages, dictionaries,
// and what decompressors hold. It reads the headers of the first pages of each column, and
// takes the pages after them to be like them; a file that cannot be read counts as if it had none. What it returns once ctx has ended
// means nothing.
//
// Not in it is a snappy page that refers back further than 512 KiB and is too big for the buffers:
// no header says so, and no known writer makes such pages.
func (f *File) ReadFloor(ctx context.Context, group int, cols []int) int64 {
	leaves := f.leavesOf(cols)
	lim := limitsFor(len(leaves))
	h, err := f.acquire()
	if err != nil {
		return int64(len(leaves)) * lim.floor()
	}
	defer func() { _ = f.release() }()
	n, shared := int64(0), int64(0) // shared by all columns: one decompressor of whole pages, one big dictionary on its way
	for _, c := range leaves {
		if ctx.Err() != nil { // each header may take long on a slow disk
			return n
		}
		m := &f.meta.groups[group].chunks[c.leaf]
		own, once := f.chunkFloor(h, lim, c, m)
		n += own
		shared = max(shared, once, wholeCodec(m.codec, int64(lim.page)))
	}
	return n + shared
}

// leavesOf returns the leaves of the columns at the positions cols.
func (f *File) leavesOf(cols []int) (leaves []*column) {
	for _, i := range cols {
		switch c := &f.columns[i]; {
		case c.nest != nil:
			for k := range c.nest.leaves {
				leaves = append(leaves, &c.nest.leaves[k])
			}
		case c.flat():
			leaves = append(leaves, c)
		}
	}
	return leaves
}

// chunkBuffers returns what the buffers take that any column has: no more than a chunk's own size makes them.
func chunkBuffers(lim limits, m *chunkMeta) int64 {
	within := func(limit int, size int64) int64 {
		if size <= 0 || size > int64(limit) {
			size = int64(limit)
		}
		return int64(mem.ClassSize(int(size) + 2*slack))
	}
	n := within(max(lim.piece, lim.page), m.bytes)
	if m.codec != format.Uncompressed {
		n += within(lim.page, m.raw)
	}
	return n
}

// wholeCodec and pieceCodec return what a codec holds while it decompresses a page that is
// held whole, or in pieces through a window of so many bytes.
func wholeCodec(c format.CompressionCodec, raw int64) int64 {
	switch c {
	case format.Gzip:
		return gzipHeap
	case format.Zstd:
		return zstdHeap
	case format.Brotli:
		return brotliHeap(raw)
	}
	return 0
}

func pieceCodec(c format.CompressionCodec, raw, window int64) int64 {
	if c == format.Zstd {
		return zstdStreamHeap(window)
	}
	return wholeCodec(c, raw)
}

// chunkFloor returns what one column holds, and what it needs only while its dictionary is read.
func (f *File) chunkFloor(h vfs.File, lim limits, c *column, m *chunkMeta) (n, once int64) {
	n = chunkBuffers(lim, m)
	if c.inNested {
		n += entryBuffers(lim, c)
	}
	at := m.dataAt
	if m.dictAt > 0 && m.dictAt < at {
		at = m.dictAt
	}
	page, body, err := peekHeader(h, at)
	if err == nil && page.typ == format.DictionaryPage {
		n += dictValues(c, &page)
		if page.raw > lim.page || page.bytes > lim.page {
			once = bigDict(h, m.codec, &page, body)
		}
		page, body, err = peekHeader(h, body+int64(page.bytes))
	}
	if err != nil || page.typ == format.DictionaryPage {
		return n, once
	}
	if m.codec == format.Snappy && page.raw > lim.page { // the window that a wider one takes the place of
		once = max(once, int64(mem.ClassSize(windowSize+slack)))
	}
	return n + bigPage(h, lim, c, m.codec, &page, body), once
}

// bigPage returns what a page that is too big for the buffers takes beyond them, 0 where it is not.
func bigPage(h vfs.File, lim limits, c *column, codec format.CompressionCodec, p *pageHeader, body int64) (n int64) {
	for _, size := range []int{p.raw, p.bytes} {
		if size > lim.page {
			n += int64(mem.ClassSize(size + slack))
		}
	}
	if n == 0 || wholeOnly(p.encoding) {
		return n
	}
	heap := pieceCodec(codec, int64(p.raw), zstdWindowAt(h, body+int64(p.repLen+p.defLen)))
	n = heap + int64(mem.ClassSize(levelRoom+slack))
	if codec != format.Uncompressed { // a window in the place of the buffer that any column has
		window := windowSize
		if codec == format.Snappy {
			window = max(window, min(p.raw, farWindow))
		}
		n += int64(max(0, mem.ClassSize(window+slack)-mem.ClassSize(lim.page+2*slack)))
	}
	if c.inNested {
		return n + entryLevelRoom(c, p)
	}
	if c.optional && !p.v2 && codec != format.Uncompressed && p.values/8 > levelRoom {
		n += heap + int64(mem.ClassSize(windowSize+slack)+mem.ClassSize(levelInput+slack))
	}
	return n
}

// bigDict returns what reading a dictionary in pieces takes besides its values.
func bigDict(h vfs.File, codec format.CompressionCodec, p *pageHeader, body int64) int64 {
	n := int64(mem.ClassSize(windowSize + slack))
	if codec == format.Snappy { // it may refer back as far as it likes
		n += int64(mem.ClassSize(min(p.raw, farWindow) + slack))
	}
	return n + pieceCodec(codec, int64(p.raw), zstdWindowAt(h, body))
}

// dictValues returns what the values of a dictionary take.
func dictValues(c *column, p *pageHeader) int64 {
	if w := c.field.Type.Kind().Width(); w > 0 {
		return int64(mem.ClassSize(p.values * w))
	}
	return int64(mem.ClassSize(4*(p.values+1)) + mem.ClassSize(p.raw+slack))
}

// zstdWindowAt returns the window of the zstd frame at an offset; the longest that is accepted where it is none.
func zstdWindowAt(h vfs.File, at int64) int64 {
	var b [zstd.HeaderMaxSize]byte
	n, err := h.ReadAt(b[:], at)
	if n == 0 && err != nil {
		return maxZstdWindow
	}
	var head zstd.Header
	if head.Decode(b[:n]) != nil {
		return maxZstdWindow
	}
	return min(frameWindow(&head), maxZstdWindow)
}

// peekHeader reads a page header where a page should begin, and returns where its body does.
func peekHeader(h vfs.File, at int64) (p pageHeader, body int64, err error) {
	for size := 256; ; size *= 16 {
		b := make([]byte, size)
		n, err := h.ReadAt(b, at)
		if n == 0 || err != nil && !errors.Is(err, io.EOF) {
			return p, 0, errors.Join(errEnds, err)
		}
		p, used, err := parseHeader(b[:n])
		if !errors.Is(err, errShort) || n < size || size > 1<<16 {
			return p, at + int64(used), err
		}
	}
}
