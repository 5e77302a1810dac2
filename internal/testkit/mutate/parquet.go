package mutate

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"slices"
)

const magic = "PAR1"

// The fields of Parquet's footer and page headers that are kept right (github.com/apache/parquet-format, parquet.thrift).
const (
	footerGroups = 4
	groupChunks  = 1

	chunkFileOffset = 2
	chunkMeta       = 3
	chunkOffsets    = 4 // of its offset index
	chunkIndex      = 6 // of its column index

	metaCodec  = 4
	metaRaw    = 6
	metaBytes  = 7
	metaData   = 9
	metaIndex  = 10
	metaDict   = 11
	metaFilter = 14

	pageRaw    = 2
	pageBytes  = 3
	pageCRC    = 4
	pageV2     = 8
	v2DefBytes = 5
	v2RepBytes = 6
)

// ParquetFile is a whole Parquet file whose pages were found.
type ParquetFile struct {
	b      []byte
	footer int // where it begins
	pages  []page
}

// page is a page of a column chunk, by positions in the file.
type page struct {
	at, body, end int
	codec         int64
	chunk         int // in the order of the footer
}

// ParseParquet finds the footer and the pages; nil where there is no footer to be found.
func ParseParquet(b []byte) *ParquetFile {
	n := len(b)
	if n < 12 || string(b[n-4:]) != magic {
		return nil
	}
	size := int(binary.LittleEndian.Uint32(b[n-8:]))
	if size > n-12 {
		return nil
	}
	f := &ParquetFile{b: b, footer: n - 8 - size}
	footer, _, err := parseThrift(b[f.footer : n-8])
	if err != nil {
		return nil
	}
	for i, m := range metas(footer) {
		f.find(m, i)
	}
	return f
}

// chunks returns the column chunks of a footer, metas what they say of their columns.
func chunks(footer *node) (out []*node) {
	for _, g := range footer.get(footerGroups).elements() {
		out = append(out, g.get(groupChunks).elements()...)
	}
	return out
}

func metas(footer *node) (out []*node) {
	for _, c := range chunks(footer) {
		out = append(out, c.get(chunkMeta))
	}
	return out
}

// find adds the pages of a chunk, as far as they are where they should be.
func (f *ParquetFile) find(m *node, chunk int) {
	at := m.int(metaData)
	if d := m.int(metaDict); d > 0 && d < at {
		at = d
	}
	for end := at + m.int(metaBytes); at >= 4 && at < end && end <= int64(f.footer); {
		head, n, err := parseThrift(f.b[at:end])
		size := head.int(pageBytes)
		if err != nil || size < 0 || at+int64(n)+size > end {
			return
		}
		f.pages = append(f.pages, page{at: int(at), body: int(at) + n, end: int(at+int64(n)) + int(size), codec: m.int(metaCodec), chunk: chunk})
		at += int64(n) + size
	}
}

// Footer returns the file with fields of its footer changed, the footer's length right. other lends values; it may be f.
func (f *ParquetFile) Footer(r *rand.Rand, other *ParquetFile) []byte {
	footer, lent := f.parsed(), other.parsed()
	for range 1 + r.IntN(3) {
		footer.change(r, lent)
	}
	return f.with(f.b[:f.footer], footer)
}

// parsed decodes the footer anew, so that it may be changed.
func (f *ParquetFile) parsed() *node {
	footer, _, err := parseThrift(f.b[f.footer : len(f.b)-8])
	if err != nil {
		panic(err) // ParseParquet has seen it
	}
	return footer
}

// with puts a footer behind the rest of a file.
func (f *ParquetFile) with(rest []byte, footer *node) []byte {
	enc := footer.append(nil)
	return slices.Concat(rest, enc, binary.LittleEndian.AppendUint32(nil, uint32(len(enc))), []byte(magic))
}

// Page returns the file with one page changed: fields of its header, or what it holds, which is decompressed, changed and
// compressed again where its codec is known. Sizes, checksums and offsets that were not themselves changed are right.
func (f *ParquetFile) Page(r *rand.Rand) []byte {
	if len(f.pages) == 0 {
		return f.Footer(r, f)
	}
	p := f.pages[r.IntN(len(f.pages))]
	head, _, err := parseThrift(f.b[p.at:p.body])
	if err != nil {
		panic(err) // find has seen it
	}
	body := f.b[p.body:p.end]
	if r.IntN(3) > 0 {
		var raw int64
		body, raw = f.body(r, p, head)
		head.set(pageRaw, raw)
		head.set(pageBytes, int64(len(body)))
	}
	head.set(pageCRC, int64(int32(crc32.ChecksumIEEE(body))))
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(2) {
			head.change(r, head.clone())
		}
	}
	put := append(head.append(nil), body...)
	shift := int64(len(put) - (p.end - p.at))
	footer := f.parsed()
	moved(footer, int64(p.at), shift)
	if ms := metas(footer); p.chunk < len(ms) {
		m := ms[p.chunk]
		m.set(metaBytes, m.int(metaBytes)+shift)
		m.set(metaRaw, m.int(metaRaw)+shift)
	}
	return f.with(slices.Concat(f.b[:p.at], put, f.b[p.end:f.footer]), footer)
}

// moved shifts offsets behind at.
func moved(footer *node, at, shift int64) {
	move := func(t *node, ids ...int16) {
		for _, id := range ids {
			if v := t.int(id); v > at {
				t.set(id, v+shift)
			}
		}
	}
	for _, c := range chunks(footer) {
		move(c, chunkFileOffset, chunkOffsets, chunkIndex)
		move(c.get(chunkMeta), metaData, metaIndex, metaDict, metaFilter)
	}
}

// body returns what a page holds, changed, and its size before compression.
func (f *ParquetFile) body(r *rand.Rand, p page, head *node) (body []byte, raw int64) {
	stored := f.b[p.body:p.end]
	levels := 0
	if v2 := head.get(pageV2); v2 != nil { // its levels are never compressed
		levels = int(min(max(v2.int(v2DefBytes)+v2.int(v2RepBytes), 0), int64(len(stored))))
	}
	codec := codecOf(p.codec)
	if r.IntN(8) == 0 || codec.pack == nil { // as it is stored
		return Splice(r, stored, f.b), head.int(pageRaw)
	}
	plain := codec.unpack(stored[levels:], int(head.int(pageRaw))-levels)
	if plain == nil {
		return Flips(r, stored), head.int(pageRaw)
	}
	whole := changeBody(r, slices.Concat(stored[:levels], plain), f.b)
	levels = min(levels, len(whole))
	packed := codec.pack(whole[levels:])
	return slices.Concat(whole[:levels], packed), int64(len(whole))
}

// changeBody changes levels, lengths, values, or where they lie.
func changeBody(r *rand.Rand, b, other []byte) []byte {
	switch r.IntN(5) {
	case 0:
		return Flips(r, b)
	case 1:
		return Words(r, b, 0, len(b))
	case 2: // where levels, widths of codes and headers of blocks are
		return bytes.Join([][]byte{Splice(r, b[:min(16, len(b))], other), b[min(16, len(b)):]}, nil)
	case 3:
		return Words(r, b, 0, 16)
	}
	return Splice(r, b, other)
}
