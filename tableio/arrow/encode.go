package arrow

import (
	"encoding/binary"
	"errors"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/text"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A record batch has at most batchRows rows, and begins no row beyond batchBytes of raw values.
const (
	batchRows  = 64 << 10
	batchBytes = 4 << 20
)

// What compressors hold on the Go heap, bytes: measured generously.
const (
	lz4Heap  = 1 << 20
	zstdHeap = 8 << 20
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
	width  int   // bytes of a row's values of fixed width, an eighth for a bitmap included

	from, upto int // rows of batch that have not been gathered
	rows       int // gathered
	bytes      int64

	blocks []block // record batches written
	pack   packer
}

// block says where a message lies in the file.
type block struct {
	at   int64
	meta int32 // bytes of metadata, with what comes before them
	body int64 // bytes
}

// WriterHeap returns the pool bytes that writing takes besides the file's buffer and the rows' own.
func WriterHeap(codec string) int64 {
	heap := int64(3 * batchBytes) // buffers, as they double
	switch codec {
	case "lz4":
		heap += lz4Heap + 2*batchBytes
	case "zstd":
		heap += zstdHeap + 2*batchBytes
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
	e := &encoder{schema: schema, acct: acct, codec: compression, most: rows, pack: packer{codec: compression, acct: acct}}
	if _, err := new(builder).schema(schema); err != nil {
		return nil, err
	}
	for i, f := range schema.Fields {
		w := f.Type.StoredWidth()
		if f.Type.ID == batch.Time {
			w = timeWidth(f.Type)
		}
		if f.Type.ID == batch.Decimal {
			w = 16
		}
		e.cols = append(e.cols, &gathered{typ: f.Type, width: w, acct: acct})
		e.width += max(w, 4) + 1
		if w == 0 {
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
	if e.rows+e.upto-e.from < e.most && e.bytes < batchBytes {
		return nil
	}
	if err := e.Keep(); err != nil {
		return err
	}
	return e.flush(o)
}

// Keep gathers the rows that Row has taken.
func (e *encoder) Keep() error {
	if e.from == e.upto {
		return nil
	}
	for i, g := range e.cols {
		if err := g.gather(e.batch.Cols[i], e.from, e.upto); err != nil {
			return err
		}
	}
	e.rows += e.upto - e.from
	e.from = e.upto
	return nil
}

// flush writes a record batch.
func (e *encoder) flush(o *text.Out) error {
	if e.rows == 0 {
		return nil
	}
	var nodes, places []int64
	var bufs []packed
	body := int64(0)
	defer func() {
		for _, b := range bufs {
			b.buf.Release()
		}
	}()
	for _, g := range e.cols {
		nodes = append(nodes, int64(e.rows), int64(g.nulls))
		for _, p := range g.buffers(e.rows) {
			b, err := e.pack.pack(p)
			if err != nil {
				return err
			}
			bufs = append(bufs, b)
			places = append(places, body, b.size())
			body += (b.size() + 7) &^ 7
		}
	}
	w := new(builder)
	slots := []slot{{i: 0, size: 8, v: int64(e.rows)}, {i: 1, to: w.longs(nodes, 2)}, {i: 2, to: w.longs(places, 2)}}
	if e.codec != "none" {
		codec := int64(0)
		if e.codec == "zstd" {
			codec = 1
		}
		slots = append(slots, slot{i: 3, to: w.table(slot{i: 0, size: 1, v: codec}, slot{i: 1, size: 1, v: 0})})
	}
	at := o.Offset()
	meta, err := putMessage(o, w, 3, w.table(slots...), body)
	if err != nil {
		return err
	}
	e.blocks = append(e.blocks, block{at, meta, body})
	for _, b := range bufs {
		if err := b.write(o); err != nil {
			return err
		}
	}
	for _, g := range e.cols {
		g.reset()
	}
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
		g.release()
	}
	e.pack.release()
	e.batch, e.from, e.upto = nil, 0, 0
}

// gathered is a column of the record batch that is being made.
type gathered struct {
	typ   batch.Type
	width int // bytes as stored; 0: variable
	acct  *mem.Account
	rows  int
	nulls int
	valid grown
	vals  grown // or offsets
	data  grown
}

// grown is a buffer that grows.
type grown struct {
	buf *mem.Buf
	n   int
}

// room returns n bytes more.
func (g *grown) room(acct *mem.Account, n int) ([]byte, error) {
	if g.buf == nil || g.n+n > len(g.buf.Bytes()) {
		size := max(g.n+n, 4<<10)
		if g.buf != nil && size < 2*batchBytes {
			size = max(size, 2*g.n)
		}
		b, err := acct.Alloc(size)
		if err != nil {
			return nil, err
		}
		if g.buf != nil {
			copy(b.Bytes(), g.buf.Bytes()[:g.n])
			g.buf.Release()
		}
		g.buf = b
	}
	g.n += n
	return g.buf.Bytes()[g.n-n : g.n], nil
}

func (g *grown) bytes() []byte {
	if g.buf == nil {
		return nil
	}
	return g.buf.Bytes()[:g.n]
}

// gather appends rows [i, j) of c.
func (g *gathered) gather(c *batch.Column, i, j int) error {
	if err := g.gatherValid(c, i, j); err != nil {
		return err
	}
	if g.width == 0 {
		if err := g.gatherBytes(c, i, j); err != nil {
			return err
		}
	} else if err := g.gatherFixed(c, i, j); err != nil {
		return err
	}
	g.rows += j - i
	return nil
}

// gatherValid appends bits of which rows have values.
func (g *gathered) gatherValid(c *batch.Column, i, j int) error {
	if err := g.bits(&g.valid, j-i); err != nil {
		return err
	}
	m := g.valid.bytes()
	for r := i; r < j; r++ {
		if c.IsNull(r) {
			g.nulls++
		} else {
			k := g.rows + r - i
			m[k>>3] |= 1 << (k & 7)
		}
	}
	return nil
}

// bits makes room for n bits more, all zero.
func (g *gathered) bits(b *grown, n int) error {
	p, err := b.room(g.acct, batch.BitmapLen(g.rows+n)-b.n)
	clear(p)
	return err
}

func (g *gathered) gatherBytes(c *batch.Column, i, j int) error {
	size := 0
	for r := i; r < j; r++ {
		if !c.IsNull(r) {
			size += len(c.Value(r))
		}
	}
	first := 0
	if g.rows == 0 {
		first = 1
	}
	offs, err := g.vals.room(g.acct, 4*(j-i+first))
	if err != nil {
		return err
	}
	at := g.data.n
	if int64(at)+int64(size) > math.MaxInt32 {
		return errors.New("an Arrow column has a value of more than 2 GiB, which is not written")
	}
	data, err := g.data.room(g.acct, size)
	if err != nil {
		return err
	}
	if first == 1 {
		binary.LittleEndian.PutUint32(offs, 0)
		offs = offs[4:]
	}
	for r := i; r < j; r++ {
		if !c.IsNull(r) {
			n := copy(data, c.Value(r))
			data, at = data[n:], at+n
		}
		binary.LittleEndian.PutUint32(offs[4*(r-i):], uint32(at))
	}
	return nil
}

// buffers returns the buffers of a record batch: which rows have values, where some have none, and the values.
func (g *gathered) buffers(rows int) [][]byte {
	var valid []byte
	if g.nulls > 0 {
		valid = g.valid.bytes()
	}
	if g.width == 0 {
		return [][]byte{valid, g.vals.bytes(), g.data.bytes()}
	}
	return [][]byte{valid, g.vals.bytes()}
}

func (g *gathered) reset() {
	g.rows, g.nulls, g.valid.n, g.vals.n, g.data.n = 0, 0, 0, 0, 0
	if g.data.buf != nil && g.data.buf.Size() > 2*batchBytes { // a value was large
		g.data.buf.Release()
		g.data.buf = nil
	}
}

func (g *gathered) release() {
	for _, b := range []*grown{&g.valid, &g.vals, &g.data} {
		b.buf.Release()
		b.buf, b.n = nil, 0
	}
}

// packer compresses buffers.
type packer struct {
	codec string
	acct  *mem.Account
	heap  int64
	lz    lz4.Compressor
	zs    *zstd.Encoder
}

// packed is a buffer as it is written: compressed (buf), or as it is, with its length before it where others are compressed.
type packed struct {
	prefix []byte
	plain  []byte
	buf    *mem.Buf
	n      int
}

func (p packed) size() int64 { return int64(len(p.prefix) + len(p.plain) + p.n) }

func (p packed) write(o *text.Out) error {
	parts := [][]byte{p.prefix, p.plain}
	if p.buf != nil {
		parts[1] = p.buf.Bytes()[:p.n]
	}
	parts = append(parts, make([]byte, -p.size()&7))
	for _, b := range parts {
		if err := o.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// lz4Block is how much of a buffer a block of an LZ4 frame holds.
const lz4Block = 64 << 10

func (k *packer) pack(p []byte) (packed, error) {
	if k.codec == "none" || len(p) == 0 {
		return packed{plain: p}, nil
	}
	if k.heap == 0 {
		heap := int64(lz4Heap)
		if k.codec == "zstd" {
			heap = zstdHeap
		}
		if err := k.acct.Reserve(heap); err != nil {
			return packed{}, err
		}
		k.heap = heap
	}
	out := packed{prefix: binary.LittleEndian.AppendUint64(nil, uint64(len(p)))}
	var err error
	if k.codec == "zstd" {
		err = k.zstd(&out, p)
	} else {
		err = k.lz4(&out, p)
	}
	if err == nil && out.n >= len(p) { // it does not pay
		out.buf.Release()
		return packed{prefix: binary.LittleEndian.AppendUint64(nil, math.MaxUint64), plain: p}, nil
	}
	return out, err
}

func (k *packer) zstd(out *packed, p []byte) (err error) {
	if k.zs == nil {
		if k.zs, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true)); err != nil {
			return err
		}
	}
	if out.buf, err = k.acct.Alloc(k.zs.MaxEncodedSize(len(p))); err != nil {
		return err
	}
	// On its way the encoder may need more than what it ends with, and then has gone over to memory of its own.
	out.n = copy(out.buf.Bytes(), k.zs.EncodeAll(p, out.buf.Bytes()[:0]))
	return nil
}

// lz4 makes a frame of blocks that do not refer to each other, without checksums.
func (k *packer) lz4(out *packed, p []byte) (err error) {
	blocks := (len(p) + lz4Block - 1) / lz4Block
	if out.buf, err = k.acct.Alloc(7 + blocks*(4+lz4.CompressBlockBound(lz4Block)) + 4); err != nil {
		return err
	}
	b := out.buf.Bytes()
	n := copy(b, "\x04\x22\x4d\x18\x60\x40\x82") // version 1, independent blocks of 64 KiB, the checksum of that
	for len(p) > 0 {
		part := p[:min(len(p), lz4Block)]
		p = p[len(part):]
		size, err := k.lz.CompressBlock(part, b[n+4:])
		if err != nil {
			return err
		}
		head := uint32(size)
		if size == 0 || size >= len(part) {
			size = copy(b[n+4:], part)
			head = uint32(size) | 1<<31
		}
		binary.LittleEndian.PutUint32(b[n:], head)
		n += 4 + size
	}
	binary.LittleEndian.PutUint32(b[n:], 0)
	out.n = n + 4
	return nil
}

func (k *packer) release() {
	k.acct.Unreserve(k.heap)
	k.heap, k.zs = 0, nil
}
