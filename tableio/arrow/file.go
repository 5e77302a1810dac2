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
//   - A nested column's parts are read side by side, each a window of 4,096 rows at a time; list views too, so their lists must be in order.
//   - Record batches that are written are cut by rows and bytes alone.
package arrow

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"
)

const (
	unitBytes = 8 << 20
	unitRows  = 256 << 10

	// maxMeta is the most metadata of one message, and the longest footer: they are decoded on the Go heap.
	maxMeta = 16 << 20
	// maxMessages is how many messages a file may have: each takes 40 bytes of heap while the file is open.
	maxMessages = 1 << 18
	tooMany     = "it has more than %d record batches and dictionaries; write larger ones"
	// maxRows is the most rows of a record batch.
	maxRows = 1 << 40
)

// File is an open file.
type File struct {
	*text.Input
	all     []column // as the file has them
	at      []int    // by column of the schema, its position among all
	schema  *batch.Schema
	batches []message
	dicts   map[int64][]message // by id, in order
	seen    int32               // messages
	// replaced are the dictionaries that took another's place, by their numbers, in order.
	replaced []int32
	units    []unit
	formatU  []format.Unit
	rows     int64
	widths   []float64 // mean bytes of a row's value
}

// unit is some consecutive record batches.
type unit struct{ from, to int }

// Open reads the metadata of all messages.
func Open(ctx context.Context, fsys vfs.FS, path string) (f *File, err error) {
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
	if err := f.describe(); err != nil {
		return nil, f.fail(err)
	}
	f.divide()
	return f, nil
}

func (f *File) fail(err error) error { return fmt.Errorf("%s: %w", f.Path(), err) }

func malformedf(s string, args ...any) error {
	return fmt.Errorf("%w: %s", format.ErrMalformed, fmt.Sprintf(s, args...))
}

// describe makes the schema. Columns that are not read are in it, see Unread.
func (f *File) describe() error {
	f.schema = &batch.Schema{}
	for i, c := range f.all {
		field := c.field
		if c.layout == layoutNone || c.span {
			field.Type = batch.Type{ID: batch.Nested}
		}
		for k := range c.coders() {
			if c.layout != layoutNone && len(f.dicts[k.dict]) == 0 && len(f.batches) > 0 {
				return malformedf("the dictionary of column %s is missing", k.field.Name)
			}
		}
		f.at = append(f.at, i)
		f.schema.Fields = append(f.schema.Fields, field)
		f.widths = append(f.widths, c.meanWidth())
	}
	return nil
}

// Unread says why a column is not read as it is, whose type then is a batch.Nested without a shape; "" of one that is.
func (f *File) Unread(col int) string {
	c := &f.all[f.at[col]]
	if c.layout == layoutNone || c.span {
		return c.why
	}
	return ""
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
	case layoutStruct, layoutList, layoutListView, layoutFixedList:
		n := 0.0
		for i := range c.kids {
			n += c.kids[i].meanWidth()
		}
		return n * c.meanItems()
	}
	return 20
}

// meanItems guesses the elements of a list, or the entries of a map.
func (c *column) meanItems() float64 {
	switch c.layout {
	case layoutList, layoutListView:
		return 4
	case layoutFixedList:
		return min(float64(c.width), 1<<20)
	}
	return 1
}

// divide makes units.
func (f *File) divide() {
	var bytes, rows int64
	from, next, last := 0, 0, int32(-1) // last: the latest dictionary replaced before the batch
	cut := func(to int) {
		f.units = append(f.units, unit{from, to})
		f.formatU = append(f.formatU, format.Unit{Rows: rows, Bytes: bytes, Raw: f.raw(from, to)})
		from, bytes, rows = to, 0, 0
	}
	for i, m := range f.batches {
		for ; next < len(f.replaced) && f.replaced[next] < m.seq; next++ {
			last = f.replaced[next]
		}
		if i > from && (bytes+m.size > unitBytes || rows+m.rows > unitRows || last > f.batches[from].seq) {
			cut(i)
		}
		bytes += m.size
		rows += m.rows
	}
	if from < len(f.batches) {
		cut(len(f.batches))
	}
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

// HeapBytes returns about how many bytes of the Go heap what is known of the file takes.
func (f *File) HeapBytes() int64 {
	messages := cap(f.batches)
	for _, d := range f.dicts {
		messages += cap(d) + 4 // and what the map takes for it
	}
	n := int64(messages)*int64(unsafe.Sizeof(message{})) + int64(cap(f.replaced))*4 + int64(cap(f.units))*int64(unsafe.Sizeof(unit{}))
	for i := range f.all {
		n += f.all[i].heap()
	}
	return fileHeap + n + n/5 + format.HeapOf(f.schema, f.formatU)
}

// fileHeap is what a file takes of the Go heap beside its columns and messages, in bytes.
const fileHeap = 1 << 10

// heap returns about how many bytes of the Go heap a column takes, with its parts, each of which has the way to it and a type.
func (c *column) heap() int64 {
	n := int64(unsafe.Sizeof(*c)) + int64(len(c.field.Name)+len(c.name)+len(c.field.Type.Shape)+len(c.why)) + 64
	if c.tree != nil {
		n += 256
	}
	for i := range c.kids {
		n += c.kids[i].heap()
	}
	return n
}

// ReadsAs says whether a column is read as t: one of nulls as any type, one of durations as the counts of their unit.
func (f *File) ReadsAs(col int, t batch.Type) bool {
	if f.all[f.at[col]].span {
		return t.ID == batch.Int64
	}
	return f.schema.Fields[col].Type.ID == batch.Null && t.ID != batch.Nested
}

// RowBytes returns the mean bytes of a column's values, for all rows of a unit. Of columns of bytes it is a guess: their part of the body.
func (f *File) RowBytes(u, col int) int64 {
	return int64(min(f.widths[col]*float64(f.formatU[u].Rows), maxFloor))
}

var _ format.File = (*File)(nil)
