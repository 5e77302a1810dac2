package parquet

import (
	"io"
	"slices"

	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/format"
)

// ReadFloor returns the most bytes that a stream over the columns of a row group holds
// besides its batches: buffers, which do not depend on the sizes of pages, and the
// dictionaries, whose sizes their page headers say.
//
// Not in it are pages that must lie whole in memory although they are big: those encoded
// as DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY or BYTE_STREAM_SPLIT.
func (f *File) ReadFloor(group int, cols []int) int64 {
	lim := limitsFor(len(cols))
	n := int64(len(cols)) * lim.floor()
	for _, i := range cols {
		if c := &f.columns[i]; c.nested == "" {
			n += f.dictFloor(group, c)
		}
	}
	return n
}

// dictFloor returns what the dictionary of a chunk takes while it is read: the page as
// stored and raw where they are bigger than other pages, and its values.
func (f *File) dictFloor(group int, c *column) int64 {
	m := &f.meta.groups[group].chunks[c.leaf]
	if !slices.Contains(m.encodings, format.PlainDictionary) && !slices.Contains(m.encodings, format.RLEDictionary) {
		return 0
	}
	at := m.dataAt
	if m.dictAt > 0 && m.dictAt < at {
		at = m.dictAt
	}
	h, err := f.peekHeader(at)
	if err != nil || h.typ != format.DictionaryPage {
		return 0
	}
	vals := int64(h.raw)
	if w := c.field.Type.Kind().Width(); w > 0 {
		vals = int64(h.values) * int64(w)
	} else {
		vals += 4 * int64(h.values)
	}
	size := int64(mem.ClassSize(int(vals) + slack))
	lim := limitsFor(1)
	for _, page := range []int{h.raw, h.bytes} {
		if page > lim.page {
			size += int64(mem.ClassSize(page + slack))
		}
	}
	return size
}

// peekHeader reads a page header where a chunk should begin.
func (f *File) peekHeader(at int64) (h pageHeader, err error) {
	handle, err := f.acquire()
	if err != nil {
		return h, err
	}
	defer func() { _ = f.release() }()
	var b [256]byte
	n, err := handle.ReadAt(b[:], at)
	if n == 0 && err != nil && err != io.EOF {
		return h, err
	}
	h, _, err = parseHeader(b[:n])
	return h, err
}
