// Package arrow reads and writes tables as Arrow IPC files (arrow.apache.org/docs/format/Columnar.html), and reads Arrow streams.
//
//	file    = "ARROW1" 0 0 schema message* end footer size "ARROW1"
//	stream  = schema message* [end]
//	message = 0xffffffff size metadata body    a record batch, or a dictionary, whose buffers lie in the body
//	unit k  = consecutive record batches, of 8 MiB or 256K rows together, unless one alone is more
//
// Invariants:
//
//   - Metadata are untrusted: nothing outside of them is read, and no size they state is allocated before it is compared with
//     the file. A panic of our own decoding is an error, at one place (decode).
//   - A record batch may be of any size: buffers are read in order, in pieces, compressed ones through a decompressor of a bounded window.
//   - Dictionaries, and the bytes of compressed columns of views, are held whole, in counted memory.
//   - Record batches that are written are cut by rows and bytes alone.
package arrow

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"
)

const (
	unitBytes = 8 << 20
	unitRows  = 256 << 10

	// maxMeta is the most metadata of one message.
	maxMeta = 16 << 20
	// maxMessages is how many messages a file may have: each takes some bytes of heap.
	maxMessages = 1 << 20
	// maxRows is the most rows of a record batch.
	maxRows = 1 << 40
)

// Options says how files are read.
type Options struct {
	Columns []string // nil: all. Columns of types that are not read are refused if they are among these
}

// File is an open file.
type File struct {
	*text.Input
	all     []column // as the file has them
	at      []int    // by column of the schema, its position among all
	schema  *batch.Schema
	batches []message
	dicts   map[int64][]message // by id, in order
	units   []unit
	formatU []format.Unit
	rows    int64
	widths  []float64 // mean bytes of a row's value
}

// message is a record batch or a dictionary.
type message struct {
	at    int64 // of its metadata
	meta  int32
	body  int64 // offset
	size  int64 // of the body
	rows  int64
	seq   int32 // counts messages
	delta bool
	codec int8
}

// The codecs of a body.
const (
	codecNone int8 = iota
	codecLZ4
	codecZstd
)

// unit is some consecutive record batches.
type unit struct{ from, to int }

// Open reads the metadata of all messages.
func Open(ctx context.Context, fsys vfs.FS, path string, o Options) (f *File, err error) {
	f = &File{dicts: map[int64][]message{}}
	if f.Input, err = text.OpenInput(ctx, fsys, path); err != nil {
		return nil, err
	}
	if f.Codec() != text.Plain {
		return nil, f.fail(fmt.Errorf("%w: it is compressed whole; Arrow files compress within (decompress it first)", format.ErrMalformed))
	}
	h, err := f.Handle()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if err := f.open(ctx, h); err != nil {
		return nil, f.fail(err)
	}
	if err := f.choose(o.Columns); err != nil {
		return nil, f.fail(err)
	}
	f.divide()
	return f, nil
}

func (f *File) fail(err error) error { return fmt.Errorf("%s: %w", f.Path(), err) }

func malformedf(s string, args ...any) error {
	return fmt.Errorf("%w: %s", format.ErrMalformed, fmt.Sprintf(s, args...))
}

func (f *File) open(ctx context.Context, h io.ReaderAt) error {
	head := make([]byte, 8)
	n, err := h.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte(magic)):
		return f.openFile(ctx, h)
	case bytes.HasPrefix(head, []byte("FEA1")):
		return malformedf("it is Feather of version 1, which is not read; write version 2, which is Arrow")
	case n < 8:
		return malformedf("it is too short for an Arrow file")
	}
	return f.openStream(ctx, h)
}

// openFile finds messages by the footer.
func (f *File) openFile(ctx context.Context, h io.ReaderAt) error {
	if f.Size() < 8+4+6+8 {
		return malformedf("it is too short for an Arrow file: was its writing cut off?")
	}
	end := make([]byte, 10)
	if _, err := h.ReadAt(end, f.Size()-10); err != nil {
		return err
	}
	size := int64(binary.LittleEndian.Uint32(end))
	if string(end[4:]) != magic || size > f.Size()-8-10 || size < 8 {
		return malformedf("it does not end as an Arrow file does: was its writing cut off?")
	}
	if size > 8*maxMeta {
		return malformedf("its footer is of %d bytes, more than %d", size, 8*maxMeta)
	}
	meta := make([]byte, size)
	if _, err := h.ReadAt(meta, f.Size()-10-size); err != nil {
		return err
	}
	var dicts, batches []message
	err := decode(func() {
		foot := root(meta)
		schema, ok := foot.table(1)
		if !ok {
			refuse("it has no schema")
		}
		f.all = readSchema(schema)
		dicts, batches = f.footerBlocks(foot.vector(2, 24)), f.footerBlocks(foot.vector(3, 24))
	})
	if err != nil {
		return err
	}
	for _, m := range append(dicts, batches...) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.message(h, &m); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) footerBlocks(v vector) []message {
	if v.n > maxMessages {
		refuse("it has %d record batches, more than %d; write larger ones", v.n, maxMessages)
	}
	out := make([]message, 0, v.n)
	for i := range v.n {
		m := message{at: v.long(i, 24, 0), meta: int32(uint32(v.long(i, 24, 8))), size: v.long(i, 24, 16)}
		if m.meta < 8 || m.at < 8 || m.at > f.Size() {
			refuse("its footer points outside of the file")
		}
		out = append(out, m)
	}
	return out
}

// openStream finds messages one after the other.
func (f *File) openStream(ctx context.Context, h io.ReaderAt) error {
	head := make([]byte, 8)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := h.ReadAt(head, at)
		if err != nil && err != io.EOF {
			return err
		}
		if n < 4 {
			break // a stream may lack its end
		}
		clear(head[n:])
		skip, size := int64(4), binary.LittleEndian.Uint32(head)
		if size == 0xffffffff {
			skip, size = 8, binary.LittleEndian.Uint32(head[4:])
		}
		if size == 0 {
			break
		}
		if at == 0 && (size > maxMeta || int64(size) > f.Size()) {
			return malformedf("it is no Arrow file")
		}
		m := message{at: at, meta: int32(min(int64(size)+skip, 1<<30)), size: -1}
		if err := f.message(h, &m); err != nil {
			return err
		}
		at = m.body + m.size
	}
	if f.all == nil {
		return malformedf("it has no schema")
	}
	return nil
}

// readMeta reads a message's metadata.
func (f *File) readMeta(h io.ReaderAt, m *message) ([]byte, error) {
	if m.meta > maxMeta || m.meta < 8 || m.at+int64(m.meta) > f.Size() {
		return nil, malformedf("the metadata at byte %d reach beyond the file, or are more than %d bytes", m.at, maxMeta)
	}
	b := make([]byte, m.meta)
	if _, err := h.ReadAt(b, m.at); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(b) == 0xffffffff {
		return b[8:], nil
	}
	return b[4:], nil
}

// message takes a message up.
func (f *File) message(h io.ReaderAt, m *message) error {
	meta, err := f.readMeta(h, m)
	if err != nil {
		return err
	}
	return decode(func() {
		t := root(meta)
		m.body = m.at + int64(m.meta)
		if size := t.long(3); m.size < 0 || m.size == size {
			m.size = size
		} else {
			refuse("the message at byte %d is of %d bytes, and the footer says %d", m.at, size, m.size)
		}
		if m.size < 0 || m.size > f.Size()-m.body {
			refuse("the message at byte %d reaches beyond the file: was its writing cut off?", m.at)
		}
		head, ok := t.table(2)
		if !ok {
			refuse("the message at byte %d is empty", m.at)
		}
		m.seq = int32(len(f.batches))
		for _, d := range f.dicts {
			m.seq += int32(len(d))
		}
		if m.seq >= maxMessages {
			refuse("it has more than %d record batches; write larger ones", maxMessages)
		}
		switch kind := t.byte(1, 0); kind {
		case 1:
			if f.all != nil {
				refuse("it has two schemas")
			}
			f.all = readSchema(head)
		case 2:
			data, ok := head.table(1)
			if !ok {
				refuse("the dictionary at byte %d is empty", m.at)
			}
			m.delta = head.byte(2, 0) != 0
			m.head(data)
			f.dicts[head.long(0)] = append(f.dicts[head.long(0)], *m)
		case 3:
			m.head(head)
			f.batches = append(f.batches, *m)
			f.rows += m.rows
		default:
			refuse("the message at byte %d is of a kind (%d) that is not read", m.at, kind)
		}
		if f.all == nil {
			refuse("it does not begin with a schema")
		}
	})
}

// head takes what a RecordBatch says of itself.
func (m *message) head(t flat) {
	if m.rows = t.long(0); m.rows < 0 || m.rows > maxRows {
		refuse("the record batch at byte %d has %d rows", m.at, m.rows)
	}
	c, ok := t.table(3)
	if !ok {
		return
	}
	codec := c.byte(0, 0)
	if codec > 1 || c.byte(1, 0) != 0 {
		refuse("the record batch at byte %d is compressed in a way that is not read", m.at)
	}
	m.codec = codecLZ4 + int8(codec)
}

// choose makes the schema of the columns that are read.
func (f *File) choose(names []string) error {
	f.schema = &batch.Schema{}
	for i, c := range f.all {
		if c.layout == layoutNone && names != nil && !slices.Contains(names, c.field.Name) {
			continue
		}
		if c.layout == layoutNone {
			return fmt.Errorf("column %s is %s, which is not read from Arrow files (columns: [...] leaves it out)", c.field.Name, c.why)
		}
		if c.coded && len(f.dicts[c.dict]) == 0 && len(f.batches) > 0 {
			return malformedf("the dictionary of column %s is missing", c.field.Name)
		}
		f.at = append(f.at, i)
		f.schema.Fields = append(f.schema.Fields, c.field)
		f.widths = append(f.widths, c.meanWidth())
	}
	return nil
}

// meanWidth guesses the bytes of a value.
func (c *column) meanWidth() float64 {
	switch c.layout {
	case layoutNull:
		return 0
	case layoutBits:
		return 1
	case layoutFixed:
		return float64(max(c.width, c.field.Type.Kind().Width()))
	}
	return 20
}

// divide makes units.
func (f *File) divide() {
	var bytes, rows int64
	from := 0
	cut := func(to int) {
		f.units = append(f.units, unit{from, to})
		f.formatU = append(f.formatU, format.Unit{Rows: rows, Bytes: bytes, Raw: f.raw(from, to)})
		from, bytes, rows = to, 0, 0
	}
	for i, m := range f.batches {
		if i > from && (bytes+m.size > unitBytes || rows+m.rows > unitRows || f.replaced(f.batches[from].seq, m.seq)) {
			cut(i)
		}
		bytes += m.size
		rows += m.rows
	}
	if from < len(f.batches) {
		cut(len(f.batches))
	}
}

// replaced says whether a dictionary was replaced between two messages.
func (f *File) replaced(a, b int32) bool {
	for _, ds := range f.dicts {
		for i, d := range ds {
			if i > 0 && !d.delta && d.seq > a && d.seq < b {
				return true
			}
		}
	}
	return false
}

// raw estimates the bytes of the record batches when they are not compressed.
func (f *File) raw(from, to int) (n int64) {
	for _, m := range f.batches[from:to] {
		if m.codec == codecNone {
			n += m.size
		} else {
			n += 2 * m.size
		}
	}
	return n
}

// CreatedBy is not told.
func (f *File) CreatedBy() string { return "" }

// Schema returns the columns.
func (f *File) Schema() *batch.Schema { return f.schema }

// Rows returns the rows of all record batches.
func (f *File) Rows() (int64, bool) { return f.rows, true }

// Units returns the units; the caller must not change them.
func (f *File) Units() []format.Unit { return f.formatU }

// ReadsAs says whether a column is read as t: one of nulls as any type.
func (f *File) ReadsAs(col int, t batch.Type) bool {
	return f.schema.Fields[col].Type.ID == batch.Null && t.ID != batch.Nested
}

// RowBytes returns the mean bytes of a column's values, for all rows of a unit. Of columns of bytes it is a guess: their part of the body.
func (f *File) RowBytes(u, col int) int64 {
	return int64(f.widths[col] * float64(f.formatU[u].Rows))
}

var _ format.File = (*File)(nil)
