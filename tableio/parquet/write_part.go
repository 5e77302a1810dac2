package parquet

import (
	"encoding/binary"
	"fmt"
	"slices"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/format"
)

// partFile is a file being written:
//
//	PAR1
//	row group: column chunk: [dictionary page] data page ...   per column
//	...
//	column indexes, then offset indexes: per row group, per column
//	footer, its length, PAR1
//
// Until the end the footer's parts lie encoded in pool memory, because a wide table has many.
type partFile struct {
	sum    FileSummary
	sink   sink
	groups []groupRecord
	chunks segments // per chunk: lengths of this record, its column index and its offset index; then the record
	colIdx segments
	offIdx segments
}

// groupRecord is a row group's part of the footer without its chunks.
type groupRecord struct {
	rows, raw, size, off int64
}

const magic = "PAR1"

// createPart makes the next file.
func (w *Writer) createPart() (*partFile, error) {
	path, name := w.path, w.path
	if w.dir {
		name = fmt.Sprintf("part-%05d.parquet", len(w.sum.Files))
		path = w.path + "/" + name
	}
	buf, err := w.opts.Acct.Alloc(sinkBuffer)
	if err != nil {
		return nil, err
	}
	f, err := w.fs.Create(path)
	if err != nil {
		buf.Release()
		return nil, err
	}
	p := &partFile{sum: FileSummary{Name: name}, sink: sink{f: f, buf: buf}}
	p.chunks.acct, p.colIdx.acct, p.offIdx.acct = w.opts.Acct, w.opts.Acct, w.opts.Acct
	if err := p.sink.write([]byte(magic)); err != nil {
		p.drop()
		return nil, err
	}
	return p, nil
}

func (p *partFile) drop() {
	p.sink.drop()
	p.chunks.release()
	p.colIdx.release()
	p.offIdx.release()
}

// add writes a finished row group, giving its memory back as it goes, and returns its size.
func (p *partFile) add(t *thriftOut, g *rowGroup) (int64, error) {
	start := p.sink.pos()
	raw, filters := int64(0), start // the bloom filters lie behind the chunks
	for i := range g.chunks {
		filters += g.chunks[i].stored()
	}
	for i := range g.chunks {
		c := &g.chunks[i]
		off, dict, data := p.sink.pos(), c.dictPage.n, c.data.n
		if err := c.dictPage.drain(p.sink.write); err != nil {
			return 0, err
		}
		if err := c.data.drain(p.sink.write); err != nil {
			return 0, err
		}
		raw += c.rawBytes
		if err := p.book(t, c, off, dict, dict+data, filters); err != nil {
			return 0, err
		}
		filters += c.bloom.size()
	}
	size := p.sink.pos() - start
	for i := range g.chunks {
		if err := g.chunks[i].bloom.drain(p.sink.write); err != nil {
			return 0, err
		}
	}
	p.groups = append(p.groups, groupRecord{rows: g.rows, raw: raw, size: size, off: start})
	p.sum.Rows += g.rows
	return p.sink.pos() - start, nil
}

// book stores a chunk's metadata and page indexes; the chunk lies at off, its dictionary page takes dict bytes, its bloom filter
// lies at filter.
func (p *partFile) book(t *thriftOut, c *chunkWriter, off, dict, size, filter int64) error {
	var lens [12]byte
	if c.opts.index {
		if n, err := p.index(t, &p.colIdx, c.columnIndex); err != nil {
			return err
		} else {
			binary.LittleEndian.PutUint32(lens[4:], n)
		}
		n, err := p.index(t, &p.offIdx, func(t *thriftOut) bool { c.offsetIndex(t, off+dict); return true })
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint32(lens[8:], n)
	}
	t.reset()
	c.metadata(t, off, dict, size, filter)
	binary.LittleEndian.PutUint32(lens[:], uint32(len(t.b)))
	if err := p.chunks.write(lens[:]); err != nil {
		return err
	}
	return p.chunks.write(t.b)
}

func (p *partFile) index(t *thriftOut, to *segments, f func(t *thriftOut) bool) (uint32, error) {
	t.reset()
	if !f(t) {
		return 0, nil
	}
	return uint32(len(t.b)), to.write(t.b)
}

// metadata appends the ColumnChunk up to its ColumnMetaData; the places of its indexes follow in the footer.
func (c *chunkWriter) metadata(t *thriftOut, off, dict, size, filter int64) {
	t.i64(2, 0)
	t.begin(3)
	t.i32(1, int32(c.leaf.physical))
	encodings := []format.Encoding{format.Plain, format.RLE}
	if c.coded > 0 {
		encodings = append(encodings, format.RLEDictionary)
	}
	t.list(2, thriftI32, len(encodings))
	for _, e := range encodings {
		t.elemInt(int64(e))
	}
	t.list(3, thriftBinary, len(c.leaf.path))
	for _, name := range c.leaf.path {
		t.elemBytes([]byte(name))
	}
	t.i32(4, int32(c.codec))
	t.i64(5, c.entries)
	t.i64(6, c.rawBytes)
	t.i64(7, size)
	t.i64(9, off+dict)
	if dict > 0 {
		t.i64(11, off)
	}
	t.begin(12)
	c.statistics(t)
	t.end()
	c.encodingStats(t)
	if n := c.bloom.size(); n > 0 {
		t.i64(14, filter)
		t.i32(15, int32(n))
	}
	t.end()
}

func (c *chunkWriter) statistics(t *thriftOut) {
	b := &c.bounds
	signed := c.leaf.order == orderInt || c.leaf.order == orderFloat
	if b.has && signed && !b.noMax { // the old fields, which some readers prefer, know signed comparison only
		t.bytes(1, b.max)
		t.bytes(2, b.min)
	}
	t.i64(3, c.nulls)
	if b.has && !b.noMax {
		t.bytes(5, b.max)
	}
	if b.has {
		t.bytes(6, b.min)
	}
	if b.has && !b.noMax {
		t.bool(7, b.maxExact)
	}
	if b.has {
		t.bool(8, b.minExact)
	}
}

func (c *chunkWriter) encodingStats(t *thriftOut) {
	type stat struct {
		kind  format.PageType
		enc   format.Encoding
		count int
	}
	stats := []stat{{format.DictionaryPage, format.Plain, min(c.coded, 1)}, {format.DataPage, format.RLEDictionary, c.coded}, {format.DataPage, format.Plain, c.plain}}
	stats = slices.DeleteFunc(stats, func(s stat) bool { return s.count == 0 })
	t.list(13, thriftStruct, len(stats))
	for _, s := range stats {
		t.elem()
		t.i32(1, int32(s.kind))
		t.i32(2, int32(s.enc))
		t.i32(3, int32(s.count))
		t.end()
	}
}

// sortingColumns appends the sorting columns of a row group.
func sortingColumns(t *thriftOut, keys []batch.SortKey, fields []writeField) {
	if len(keys) == 0 {
		return
	}
	t.list(4, thriftStruct, len(keys))
	for _, k := range keys {
		t.elem()
		t.i32(1, int32(fields[k.Column].first))
		t.bool(2, k.Desc)
		t.bool(3, k.NullsFirst)
		t.end()
	}
}
