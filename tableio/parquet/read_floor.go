package parquet

import (
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
// takes the pages after them to be like them; a file that cannot be read counts as if it had none.
//
// Not in it is a snappy page that refers back further than 64 KiB and is too big for the buffers:
// no header says so, and few writers make such pages.
func (f *File) ReadFloor(group int, cols []int) int64 {
	lim := limitsFor(len(cols))
	n := int64(len(cols)) * lim.floor()
	h, err := f.acquire()
	if err != nil {
		return n
	}
	defer func() { _ = f.release() }()
	shared := int64(0) // by all columns: one decompressor of whole pages
	for _, i := range cols {
		c := &f.columns[i]
		if c.nested != "" {
			continue
		}
		m := &f.meta.groups[group].chunks[c.leaf]
		n += f.chunkFloor(h, lim, c, m)
		shared = max(shared, wholeCodec(m.codec, int64(lim.page)))
	}
	return n + shared
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

// chunkFloor returns what one column holds beyond the buffers that any column has.
func (f *File) chunkFloor(h vfs.File, lim limits, c *column, m *chunkMeta) (n int64) {
	at := m.dataAt
	if m.dictAt > 0 && m.dictAt < at {
		at = m.dictAt
	}
	page, body, err := peekHeader(h, at)
	if err == nil && page.typ == format.DictionaryPage {
		n += dictFloor(lim, c, &page)
		page, body, err = peekHeader(h, body+int64(page.bytes))
	}
	if err != nil || page.typ == format.DictionaryPage {
		return n
	}
	big := 0
	for _, size := range []int{page.raw, page.bytes} {
		if size > lim.page {
			big += mem.ClassSize(size + slack)
		}
	}
	switch codec := m.codec; {
	case big == 0:
	case wholeOnly(page.encoding):
		n += int64(big)
	default:
		raw := int64(page.raw)
		heap := pieceCodec(codec, raw, zstdWindowAt(h, body+int64(page.repLen+page.defLen)))
		n += heap + int64(mem.ClassSize(levelRoom+slack))
		if c.optional && !page.v2 && codec != format.Uncompressed && page.values/8 > levelRoom {
			n += heap + int64(mem.ClassSize(windowSize+slack)+mem.ClassSize(levelInput+slack))
		}
	}
	return n
}

// dictFloor returns what a dictionary takes while it is read: the page as stored and raw
// where they are bigger than other pages, and its values.
func dictFloor(lim limits, c *column, h *pageHeader) int64 {
	vals := int64(h.raw) + 4*int64(h.values) + 2*slack
	if w := c.field.Type.Kind().Width(); w > 0 {
		vals = int64(h.values) * int64(w)
	}
	size := int64(mem.ClassSize(int(vals)))
	for _, page := range []int{h.raw, h.bytes} {
		if page > lim.page {
			size += int64(mem.ClassSize(page + slack))
		}
	}
	return size
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
