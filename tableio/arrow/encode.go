package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/text"
)

// A record batch has at most batchRows rows, and begins no row beyond batchBytes of raw values.
const (
	batchRows  = 64 << 10
	batchBytes = 4 << 20
	// leastBuffer is what any buffer takes, bytes.
	leastBuffer = 4 << 10
)

// magic begins a file, padded to 8 bytes, and ends it.
const magic = "ARROW1"

// encoder writes Arrow files. Rows are gathered in buffers of its own, so that record batches are cut by rows and bytes alone.
type encoder struct {
	schema *batch.Schema
	acct   *mem.Account
	codec  string
	most   int // rows of a record batch
	cols   []*gathered
	batch  *batch.Batch
	vars   []int // columns of variable width
	nested []int // and nested ones
	width  int   // bytes of a row's values of fixed width, an eighth for a bitmap included

	from, upto int // rows of batch that have not been gathered
	rows       int // gathered
	bytes      int64

	blocks   []block // record batches written
	pack     *packer
	raw, put int64 // bytes of the rows of all files so far, and what they have become
}

// block says where a message lies in the file.
type block struct {
	at   int64
	meta int32 // bytes of metadata, with what comes before them
	body int64 // bytes
}

// WriterHeap returns the pool bytes that writing the schema takes besides the file's buffer and the rows' own.
func WriterHeap(schema *batch.Schema, codec string) int64 {
	least := int64(0) // that the buffers of all columns take, however few their rows
	for _, f := range schema.Fields {
		g, err := newGathered(f.Type, nil)
		if err != nil {
			continue // it is refused before anything is written
		}
		g.each(func(g *gathered) { least += int64(g.kept()) * leastBuffer })
	}
	heap := 3*batchBytes + least // buffers, as they double
	switch codec {
	case "lz4":
		heap += lz4Heap + 2*batchBytes + least
	case "zstd":
		heap += zstdHeap + 2*batchBytes + least
	}
	return heap
}

// NewEncoder returns what writes the schema; compression is none, lz4 or zstd, rows the most of a record batch (0: 65,536). The error
// names a column whose type is not written.
func NewEncoder(schema *batch.Schema, compression string, rows int, acct *mem.Account) (text.Buffered, error) {
	if len(schema.Fields) == 0 {
		return nil, errors.New("a table without columns is no Arrow file")
	}
	if rows <= 0 || rows > batchRows {
		rows = batchRows
	}
	e := &encoder{schema: schema, acct: acct, codec: compression, most: rows, pack: newPacker(compression, acct)}
	if _, err := new(builder).schema(schema); err != nil {
		return nil, err
	}
	for i, f := range schema.Fields {
		g, err := newGathered(f.Type, acct)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		e.cols = append(e.cols, g)
		e.width += max(g.width, 4) + 1
		switch {
		case g.tree != nil:
			e.nested = append(e.nested, i)
		case g.width == 0:
			e.vars = append(e.vars, i)
		}
	}
	return e, nil
}

// Begin writes the magic number and the schema.
func (e *encoder) Begin(o *text.Out) error {
	e.blocks = nil
	if err := o.Write([]byte(magic + "\x00\x00")); err != nil {
		return err
	}
	w := new(builder)
	at, err := w.schema(e.schema)
	if err != nil {
		return err
	}
	_, err = putMessage(o, w, 1, at, 0)
	return err
}

// putMessage writes a message, whose header of a kind is at a position of w. It returns the bytes.
func putMessage(o *text.Out, w *builder, kind, at int, body int64) (int32, error) {
	meta := w.finish(w.table(slot{i: 3, size: 8, v: body}, slot{i: 2, to: at}, slot{i: 0, size: 2, v: 4}, slot{i: 1, size: 1, v: int64(kind)}))
	head := binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(len(meta)))
	if err := o.Write(head); err != nil {
		return 0, err
	}
	return int32(8 + len(meta)), o.Write(meta)
}

// Batch makes b the batch whose rows Row takes.
func (e *encoder) Batch(b *batch.Batch) { e.batch, e.from, e.upto = b, 0, 0 }

// Row takes a row.
func (e *encoder) Row(o *text.Out, i int) error {
	if e.from == e.upto {
		e.from, e.upto = i, i
	}
	e.upto++
	e.bytes += int64(e.width)
	for _, c := range e.vars {
		if col := e.batch.Cols[c]; !col.IsNull(i) {
			e.bytes += int64(len(col.Value(i)))
		}
	}
	for _, c := range e.nested { // what they take is known when they are gathered
		n, err := e.cols[c].nest(e.batch.Cols[c], i)
		if err != nil {
			return fmt.Errorf("column %s: %w", e.schema.Fields[c].Name, err)
		}
		e.bytes += n
	}
	if e.rows+e.upto-e.from < e.most && e.bytes < batchBytes {
		return nil
	}
	if err := e.Keep(); err != nil {
		return err
	}
	return e.flush(o)
}

// Keep gathers the rows that Row has taken, but those of nested columns, which Row does.
func (e *encoder) Keep() error {
	if e.from == e.upto {
		return nil
	}
	for i, g := range e.cols {
		if g.tree != nil {
			continue
		}
		if err := g.gather(e.batch.Cols[i], e.from, e.upto); err != nil {
			return err
		}
	}
	e.rows += e.upto - e.from
	e.from = e.upto
	return nil
}

// Held returns about how many bytes the rows that are held back will take: they shrink as those before them have.
func (e *encoder) Held() int64 {
	if e.raw == 0 {
		return e.bytes
	}
	return int64(float64(e.bytes) / float64(e.raw) * float64(e.put))
}

// body is the buffers of a record batch as they are written, and what its metadata say of them.
type body struct {
	nodes, places []int64
	bufs          []packed
	size          int64
}

func (b *body) release() {
	for _, p := range b.bufs {
		p.buf.Release()
	}
}

// packed returns the rows gathered, compressed. The caller releases it, after an error too.
func (e *encoder) packed() (b body, err error) {
	for _, top := range e.cols {
		top.each(func(g *gathered) {
			if err == nil {
				err = e.packPart(&b, g)
			}
		})
	}
	return b, err
}

func (e *encoder) packPart(b *body, g *gathered) error {
	b.nodes = append(b.nodes, int64(g.rows), int64(g.nulls))
	for _, p := range g.buffers() {
		buf, err := e.pack.pack(p)
		if err != nil {
			return err
		}
		b.bufs = append(b.bufs, buf)
		b.places = append(b.places, b.size, buf.size())
		b.size += (buf.size() + 7) &^ 7
	}
	return nil
}

// flush writes a record batch.
func (e *encoder) flush(o *text.Out) error {
	if e.rows == 0 {
		return nil
	}
	b, err := e.packed()
	defer b.release()
	if err != nil {
		return err
	}
	w := new(builder)
	slots := []slot{{i: 0, size: 8, v: int64(e.rows)}, {i: 1, to: w.longs(b.nodes, 2)}, {i: 2, to: w.longs(b.places, 2)}}
	if codec := map[string]int64{"lz4": 0, "zstd": 1}; e.codec != "none" {
		slots = append(slots, slot{i: 3, to: w.table(slot{i: 0, size: 1, v: codec[e.codec]}, slot{i: 1, size: 1, v: 0})})
	}
	at := o.Offset()
	meta, err := putMessage(o, w, 3, w.table(slots...), b.size)
	if err != nil {
		return err
	}
	e.blocks = append(e.blocks, block{at, meta, b.size})
	for _, p := range b.bufs {
		if err := p.write(o); err != nil {
			return err
		}
	}
	for _, g := range e.cols {
		g.each((*gathered).reset)
	}
	e.raw, e.put = e.raw+e.bytes, e.put+int64(meta)+b.size
	e.rows, e.bytes = 0, 0
	return nil
}

// End writes the last record batch and the footer.
func (e *encoder) End(o *text.Out) error {
	if err := e.Keep(); err != nil {
		return err
	}
	if err := e.flush(o); err != nil {
		return err
	}
	if err := o.Write([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}); err != nil {
		return err
	}
	w := new(builder)
	var words []int64
	for _, b := range e.blocks {
		words = append(words, b.at, int64(b.meta), b.body)
	}
	batches, none := w.longs(words, 3), w.longs(nil, 3)
	schema, err := w.schema(e.schema)
	if err != nil {
		return err
	}
	footer := w.finish(w.table(slot{i: 1, to: schema}, slot{i: 2, to: none}, slot{i: 3, to: batches}, slot{i: 0, size: 2, v: 4}))
	if err := o.Write(footer); err != nil {
		return err
	}
	return o.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(footer))), magic...))
}

// Release gives the memory back.
func (e *encoder) Release() {
	for _, g := range e.cols {
		g.each((*gathered).release)
	}
	e.pack.release()
	e.batch, e.from, e.upto = nil, 0, 0
}
