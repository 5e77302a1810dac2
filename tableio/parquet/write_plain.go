package parquet

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go/format"
)

// PlainTable is a table to be written in the shape that fastparquet gives its files: one row
// group, of which every column chunk is one plain page, without dictionary, checksum or page index.
type PlainTable struct {
	Rows      int64
	Columns   []PlainColumn
	Plain     bool // uncompressed; else snappy
	CreatedBy string
	KeyValue  []KeyValue
	Acct      *mem.Account
}

// PlainColumn is an optional column without nulls of int64 or float64. Fill sets dst to the
// values of the rows from row on; it is called for blocks of PlainBlock rows (the last is
// shorter), possibly twice, and gives the same values each time.
type PlainColumn struct {
	Name string
	Type batch.Type
	Fill func(row int64, dst []uint64)
}

// PlainBlock is how many rows PlainColumn.Fill is asked for at a time.
const PlainBlock = 1 << 16

// plainWriter holds the buffers of WritePlain.
type plainWriter struct {
	t      *PlainTable
	leaves []leaf
	out    sink
	vals   []uint64
	packed []byte
	bounds []bounds
}

// WritePlain writes the table to a new file, in a memory of about three megabytes however
// long its pages are: a compressed page is encoded twice, first to learn its size for the header.
func WritePlain(ctx context.Context, fsys vfs.FS, path string, t PlainTable) (sum FileSummary, err error) {
	w := &plainWriter{t: &t, bounds: make([]bounds, len(t.Columns))}
	for _, c := range t.Columns {
		if c.Type != batch.Of(batch.Int64) && c.Type != batch.Of(batch.Float64) {
			return sum, fmt.Errorf("column %q: a plain file has int64 and float64 columns, not %s", c.Name, c.Type)
		}
		l, err := leafOf(batch.Field{Name: c.Name, Type: c.Type, Nullable: true})
		if err != nil {
			return sum, err
		}
		w.leaves = append(w.leaves, l)
	}
	var vals, packed, out workBuf
	defer vals.release()
	defer packed.release()
	v, err := vals.get(t.Acct, 8*PlainBlock)
	if err != nil {
		return sum, err
	}
	w.vals = batch.View[uint64](v)
	if w.packed, err = packed.get(t.Acct, s2.MaxEncodedLen(8*PlainBlock)); err != nil {
		return sum, err
	}
	if _, err = out.get(t.Acct, sinkBuffer); err != nil {
		return sum, err
	}
	w.out.buf = out.buf
	defer w.out.drop()
	if w.out.f, err = fsys.Create(path); err != nil {
		return sum, err
	}
	if err := w.write(ctx); err != nil {
		return sum, err
	}
	sum = FileSummary{Name: path, Rows: t.Rows, Bytes: w.out.pos(), RowGroups: 1}
	return sum, w.out.finish()
}

func (w *plainWriter) write(ctx context.Context) error {
	if err := w.out.write([]byte(magic)); err != nil {
		return err
	}
	t := &thriftOut{}
	t.elem() // the row group, with the list of its chunks open
	t.list(1, thriftStruct, len(w.leaves))
	raw, size := int64(0), int64(0)
	for i := range w.leaves {
		c, err := w.chunk(ctx, i)
		if err != nil {
			return err
		}
		t.elem()
		w.metadata(t, i, c)
		t.end()
		raw, size = raw+c.raw, size+c.size
	}
	t.i64(2, raw)
	t.i64(3, w.t.Rows)
	t.end()
	return w.footer(t.b)
}

// plainChunk is where a written chunk lies and how long it is, with its page header.
type plainChunk struct{ off, raw, size int64 }

// chunk writes a column as one page.
func (w *plainWriter) chunk(ctx context.Context, i int) (plainChunk, error) {
	levels := appendLevels(nil, nil, int(w.t.Rows), 0)
	raw := int64(len(levels)) + 8*w.t.Rows
	if raw > math.MaxInt32 {
		return plainChunk{}, fmt.Errorf("%d rows do not fit one page", w.t.Rows)
	}
	stored := raw
	if !w.t.Plain {
		stored = 0
		if err := w.page(ctx, i, levels, func(p []byte) error { stored += int64(len(p)); return nil }); err != nil {
			return plainChunk{}, err
		}
	}
	e := &encoder{}
	e.pageHeader(&page{kind: format.DataPage, encoding: format.Plain, rows: int(w.t.Rows)}, raw, stored)
	c := plainChunk{off: w.out.pos(), raw: raw + int64(len(e.head.b)), size: stored + int64(len(e.head.b))}
	if err := w.out.write(e.head.b); err != nil {
		return c, err
	}
	w.bounds[i] = bounds{}
	return c, w.page(ctx, i, levels, w.out.write)
}

// page hands the stored bytes of column i's page to f, and widens the column's bounds. A
// snappy block may be made of blocks that were compressed alone: only the length in front is common.
func (w *plainWriter) page(ctx context.Context, i int, levels []byte, f func(p []byte) error) error {
	put := f
	if !w.t.Plain {
		if err := f(binary.AppendUvarint(nil, uint64(int64(len(levels))+8*w.t.Rows))); err != nil {
			return err
		}
		put = func(p []byte) error {
			enc := s2.EncodeSnappy(w.packed, p)
			_, n := binary.Uvarint(enc)
			return f(enc[n:])
		}
	}
	if err := put(levels); err != nil {
		return err
	}
	for row := int64(0); row < w.t.Rows; row += PlainBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := w.vals[:min(PlainBlock, w.t.Rows-row)]
		w.t.Columns[i].Fill(row, v)
		b := w.leaves[i].boundWords(v)
		w.bounds[i].merge(&b, &w.leaves[i])
		if err := put(batch.BytesOf(v)); err != nil {
			return err
		}
	}
	return nil
}

func (w *plainWriter) metadata(t *thriftOut, i int, c plainChunk) {
	l := &w.leaves[i]
	codec := format.Snappy
	if w.t.Plain {
		codec = format.Uncompressed
	}
	t.i64(2, c.off)
	t.begin(3)
	t.i32(1, int32(l.physical))
	t.list(2, thriftI32, 1)
	t.elemInt(int64(format.Plain))
	t.list(3, thriftBinary, 1)
	t.elemBytes([]byte(l.field.Name))
	t.i32(4, int32(codec))
	t.i64(5, w.t.Rows)
	t.i64(6, c.raw)
	t.i64(7, c.size)
	t.i64(9, c.off)
	t.begin(12)
	if b := &w.bounds[i]; b.has {
		t.bytes(1, b.max)
		t.bytes(2, b.min)
	}
	t.i64(3, 0)
	t.end()
	t.end()
}

func (w *plainWriter) footer(group []byte) error {
	start := w.out.pos()
	t := &thriftOut{}
	t.i32(1, 1)
	schemaElements(t, w.leaves)
	t.i64(3, w.t.Rows)
	t.list(4, thriftStruct, 1)
	t.b = append(t.b, group...)
	fileFields(t, w.t.KeyValue, w.t.CreatedBy, 0)
	t.stop()
	t.b = binary.LittleEndian.AppendUint32(t.b, uint32(w.out.pos()-start+int64(len(t.b))))
	return w.out.write(append(t.b, magic...))
}
