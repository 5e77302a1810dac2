package parquet

import (
	"encoding/binary"
	"errors"

	"pqjoin/mem"
)

// finish writes the indexes and the footer, makes the file durable and closes it.
func (p *partFile) finish(w *Writer) (err error) {
	defer p.drop()
	colOff := p.sink.pos()
	if err := p.colIdx.drain(p.sink.write); err != nil {
		return err
	}
	offOff := p.sink.pos()
	if err := p.offIdx.drain(p.sink.write); err != nil {
		return err
	}
	start := p.sink.pos()
	if err := p.footer(w, colOff, offOff); err != nil {
		return err
	}
	var end [8]byte
	binary.LittleEndian.PutUint32(end[:], uint32(p.sink.pos()-start))
	copy(end[4:], magic)
	if err := p.sink.write(end[:]); err != nil {
		return err
	}
	p.sum.Bytes, p.sum.RowGroups = p.sink.pos(), len(p.groups)
	return p.sink.finish()
}

// footer writes the FileMetaData, chunk by chunk, from the records.
func (p *partFile) footer(w *Writer, colOff, offOff int64) error {
	t := &thriftOut{}
	t.i32(1, 2)
	schemaTree(t, w.fields, w.leaves)
	t.i64(3, p.sum.Rows)
	t.list(4, thriftStruct, len(p.groups))
	in := segmentReader{bufs: p.chunks.bufs}
	for i, g := range p.groups {
		t.elem()
		t.list(1, thriftStruct, len(w.leaves))
		for range w.leaves {
			if err := p.chunk(t, &in, &colOff, &offOff); err != nil {
				return err
			}
		}
		t.i64(2, g.raw)
		t.i64(3, g.rows)
		sortingColumns(t, w.opts.SortKeys, w.fields)
		t.i64(5, g.off)
		t.i64(6, g.size)
		if i <= 1<<15-1 {
			t.field(7, 4) // i16
			t.b = binary.AppendVarint(t.b, int64(i))
		}
		t.end()
		if err := p.flushFooter(t); err != nil {
			return err
		}
	}
	fileFields(t, w.opts.KeyValue, w.createdBy, len(w.leaves))
	t.stop()
	return p.flushFooter(t)
}

// flushFooter writes what has been encoded so far; the open structures stay open.
func (p *partFile) flushFooter(t *thriftOut) error {
	err := p.sink.write(t.b)
	t.b = t.b[:0]
	return err
}

// chunk copies the next record, as an element of the row group's list, and adds where its indexes lie.
func (p *partFile) chunk(t *thriftOut, in *segmentReader, colOff, offOff *int64) error {
	var lens [12]byte
	if err := in.read(lens[:]); err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint32(lens[:]))
	col, off := int32(binary.LittleEndian.Uint32(lens[4:])), int32(binary.LittleEndian.Uint32(lens[8:]))
	t.elem()
	at := len(t.b)
	t.b = append(t.b, make([]byte, n)...)
	if err := in.read(t.b[at:]); err != nil {
		return err
	}
	t.last = 3
	if off > 0 {
		t.i64(4, *offOff)
		t.i32(5, off)
	}
	if col > 0 {
		t.i64(6, *colOff)
		t.i32(7, col)
	}
	t.end()
	*colOff += int64(col)
	*offOff += int64(off)
	return p.flushFooter(t)
}

// schemaElements appends the schema, a tree of depth one.
func schemaElements(t *thriftOut, leaves []leaf) {
	t.list(2, thriftStruct, len(leaves)+1)
	t.elem()
	t.str(4, "schema")
	t.i32(5, int32(len(leaves)))
	t.end()
	for i := range leaves {
		leaves[i].element(t)
	}
}

// fileFields appends the fields of FileMetaData that follow the row groups; orders is the
// number of columns whose order is declared.
func fileFields(t *thriftOut, kvs []KeyValue, createdBy string, orders int) {
	if len(kvs) > 0 {
		t.list(5, thriftStruct, len(kvs))
		for _, kv := range kvs {
			t.elem()
			t.str(1, kv.Key)
			t.str(2, kv.Value)
			t.end()
		}
	}
	t.str(6, createdBy)
	if orders == 0 {
		return
	}
	t.list(7, thriftStruct, orders)
	for range orders {
		t.elem()
		t.begin(1)
		t.end()
		t.end()
	}
}

// segmentReader reads segments from the front.
type segmentReader struct {
	bufs []*mem.Buf
	at   int // in the first buffer
}

func (r *segmentReader) read(p []byte) error {
	for len(p) > 0 {
		if len(r.bufs) == 0 {
			return errors.New("parquet writer: the footer's records are incomplete")
		}
		b := r.bufs[0].Bytes()
		k := copy(p, b[r.at:])
		p, r.at = p[k:], r.at+k
		if r.at == len(b) {
			r.bufs, r.at = r.bufs[1:], 0
		}
	}
	return nil
}
