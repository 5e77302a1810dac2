package parquet

import (
	"fmt"
	"hash/crc32"

	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/format"
)

// tryCodecFrom is the size from which a page tells whether compressing the chunk's pages pays.
const tryCodecFrom = 1 << 10

// maxPage is the most bytes of a page: its header has 32-bit sizes, and readers allocate what it says.
const maxPage = 1 << 30

// encoder is what one goroutine encodes pages with.
type encoder struct {
	acct   *mem.Account
	spans  []span
	head   thriftOut
	levels []byte
	codes  workBuf // []int32
	words  workBuf // values without nulls
	body   workBuf // encoded values
	bitmap workBuf // validity of the page
	joined workBuf // levels and values, to be compressed
	packed workBuf // compressed
	codec  compressor

	shredder shredder
	entries  entries // of a nested column's leaf, while its page is encoded
}

func (e *encoder) close() {
	for _, s := range []*workBuf{&e.codes, &e.words, &e.body, &e.bitmap, &e.joined, &e.packed} {
		s.release()
	}
	e.shredder.close()
	e.codec.close()
}

// page is one encoded page: what its header and the indexes say about it.
type page struct {
	kind     format.PageType
	encoding format.Encoding
	rows     int // of a nested column's leaf: entries
	nulls    int
	bounds   bounds
}

// emit compresses levels and body as the chunk's codec says and appends the page to out.
func (c *chunkWriter) emit(e *encoder, out *segments, p *page, levels, body []byte) (size int, err error) {
	raw := len(levels) + len(body)
	if raw > maxPage {
		return 0, fmt.Errorf("column %q: a page of %d bytes: values of over 1 GiB cannot be written", c.leaf.field.Name, raw)
	}
	packed, err := c.pack(e, levels, body)
	if err != nil {
		return 0, err
	}
	stored := [2][]byte{levels, body}
	if packed != nil {
		stored = [2][]byte{nil, packed}
	}
	e.header(p, raw, stored, c.opts.crc)
	size = len(e.head.b) + len(stored[0]) + len(stored[1])
	for _, part := range [3][]byte{e.head.b, stored[0], stored[1]} {
		if err := out.write(part); err != nil {
			return 0, err
		}
	}
	c.rawBytes += int64(len(e.head.b) + raw)
	return size, nil
}

// pack returns the page as the codec has it, or nil where there is no codec. The first page of some size decides for the
// chunk: a codec that gains under 10 % costs readers more than it saves, and the pages are then stored in its format.
func (c *chunkWriter) pack(e *encoder, levels, body []byte) ([]byte, error) {
	if c.codec == format.Uncompressed {
		return nil, nil
	}
	src := body
	if len(levels) > 0 {
		joined, err := e.joined.get(e.acct, len(levels)+len(body))
		if err != nil {
			return nil, err
		}
		copy(joined[copy(joined, levels):], body)
		src = joined
	}
	dst, err := e.packed.get(e.acct, maxCompressed(c.codec, len(src)))
	if err != nil {
		return nil, err
	}
	if c.incompressible {
		return stored(c.codec, dst, src), nil
	}
	packed, err := e.codec.compress(c.codec, dst, src)
	if err != nil {
		return nil, fmt.Errorf("column %q: compress with %s: %w", c.leaf.field.Name, c.codec, err)
	}
	if c.opts.try && !c.codecSure && c.stored() == 0 && len(src) >= tryCodecFrom && int64(len(packed))*10 > int64(len(src))*9 {
		c.incompressible = true
		return stored(c.codec, dst, src), nil
	}
	c.codecSure = c.codecSure || len(src) >= tryCodecFrom
	return packed, nil
}

// header encodes the page header, with a checksum of the stored bytes if crc, into e.head.
func (e *encoder) header(p *page, raw int, stored [2][]byte, crc bool) {
	size := int64(len(stored[0]) + len(stored[1]))
	if !crc {
		e.pageHeader(p, int64(raw), size)
		return
	}
	e.pageHeader(p, int64(raw), size, crc32.Update(crc32.ChecksumIEEE(stored[0]), crc32.IEEETable, stored[1]))
}

// pageHeader encodes the header of a page of raw bytes, stored in size, into e.head.
func (e *encoder) pageHeader(p *page, raw, size int64, sum ...uint32) {
	t := &e.head
	t.reset()
	t.i32(1, int32(p.kind))
	t.i32(2, int32(raw))
	t.i32(3, int32(size))
	for _, s := range sum {
		t.i32(4, int32(s))
	}
	if p.kind == format.DictionaryPage {
		t.begin(7)
		t.i32(1, int32(p.rows))
		t.i32(2, int32(format.Plain))
		t.end()
	} else {
		t.begin(5)
		t.i32(1, int32(p.rows))
		t.i32(2, int32(p.encoding))
		t.i32(3, int32(format.RLE))
		t.i32(4, int32(format.RLE))
		t.end()
	}
	t.stop()
}

// pageRecord is what the page index needs of a data page.
type pageRecord struct {
	off    int64 // within the chunk's data pages
	row    int64 // first row, within the row group
	size   int32
	nulls  int32
	rows   int32
	bounds bounds
}

// record appends a finished data page to the chunk's books.
func (c *chunkWriter) record(e *encoder, p *page, size int) {
	c.pages = append(c.pages, pageRecord{off: c.data.n - int64(size), row: c.rows, size: int32(size), nulls: int32(p.nulls), rows: int32(p.rows), bounds: p.bounds})
	c.entries += int64(p.rows)
	if c.leaf.inNested {
		c.rows += int64(e.entries.rows)
	} else {
		c.rows += int64(p.rows)
	}
	c.nulls += int64(p.nulls)
	c.bounds.merge(&p.bounds, c.leaf)
	if p.encoding == format.RLEDictionary {
		c.coded++
	} else {
		c.plain++
	}
}
