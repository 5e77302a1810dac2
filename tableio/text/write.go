package text

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/format"
)

// WriterOptions says how a table is written. All but Acct change the bytes.
type WriterOptions struct {
	Codec     Codec
	Extension string          // of part files: .csv.gz
	SortKeys  []batch.SortKey // the order the rows arrive in: files are cut between keys of the first
	// Where a folder starts a new file: bytes, rows, or a number of files of TotalRows.
	FileSize  int64
	FileRows  int64
	FileCount int
	TotalRows int64

	Acct *mem.Account
}

const defaultFileSize = 512 << 20

// Encoder writes the text of a format.
type Encoder interface {
	// Begin writes what stands before the first row of a file.
	Begin(o *Out) error
	// Batch makes b the batch whose rows Row writes.
	Batch(b *batch.Batch)
	// Row writes a row of the batch.
	Row(o *Out, i int) error
}

// Buffered is an Encoder that holds rows back, to write them together.
type Buffered interface {
	Encoder
	// Held returns about how many bytes of the file the rows held back will be: a function of rows alone.
	Held() int64
	// Keep copies what it has taken of the batch, which goes away.
	Keep() error
	// End writes what a file has left.
	End(o *Out) error
	// Release gives memory back. It may be called more than once.
	Release()
}

// Writer writes one table: a folder of part files, or one file. The bytes are a function of the rows and the options alone.
type Writer struct {
	fs   vfs.FS
	path string
	dir  bool
	opts WriterOptions
	enc  Encoder
	held Buffered // enc, if it holds rows back

	out  *Out
	rows int64 // of the open file
	sum  format.Summary

	last, key []byte // leading keys of the row before, and of a row
	hasLast   bool
}

// NewWriter starts a table in the folder path (dir), which exists, or in one file of that name.
func NewWriter(fs vfs.FS, path string, dir bool, enc Encoder, o WriterOptions) (*Writer, error) {
	if o.FileCount > 0 {
		if o.TotalRows <= 0 {
			return nil, errors.New("text writer: a number of files needs the number of rows")
		}
		o.FileRows = (o.TotalRows + int64(o.FileCount) - 1) / int64(o.FileCount)
	}
	if o.FileSize <= 0 {
		o.FileSize = defaultFileSize
	}
	held, _ := enc.(Buffered)
	return &Writer{fs: fs, path: path, dir: dir, opts: o, enc: enc, held: held}, nil
}

// Write appends the rows of b, of which it takes ownership.
func (w *Writer) Write(ctx context.Context, b *batch.Batch) error {
	defer b.Release()
	if err := ctx.Err(); err != nil {
		return err
	}
	w.enc.Batch(b)
	for i := range b.N {
		if w.dir && w.out != nil && w.full(b, i) {
			if err := w.endFile(); err != nil {
				return err
			}
		}
		if w.out == nil {
			if err := w.begin(); err != nil {
				return err
			}
		}
		if err := w.enc.Row(w.out, i); err != nil {
			return err
		}
		w.rows++
	}
	if w.held != nil {
		if err := w.held.Keep(); err != nil {
			return err
		}
	}
	if w.dir && len(w.opts.SortKeys) > 0 && b.N > 0 {
		w.last, w.hasLast = keyText(w.last[:0], b.Cols[w.opts.SortKeys[0].Column], b.N-1), true
	}
	return nil
}

// full says whether the open file ends before row i of b: it has what was asked for, and the leading key
// changes, or it has twice as much.
func (w *Writer) full(b *batch.Batch, i int) bool {
	have, most := w.rows, w.opts.FileRows
	if most <= 0 {
		have, most = w.out.Size(), w.opts.FileSize
		if w.held != nil {
			have += w.held.Held()
		}
	}
	if have < most {
		return false
	}
	if len(w.opts.SortKeys) == 0 || have/2 >= most {
		return true
	}
	c := b.Cols[w.opts.SortKeys[0].Column]
	if i > 0 {
		w.last, w.hasLast = keyText(w.last[:0], c, i-1), true
	}
	w.key = keyText(w.key[:0], c, i)
	return !w.hasLast || !bytes.Equal(w.last, w.key)
}

// keyText makes equal keys, and no others, the same bytes.
func keyText(dst []byte, c *batch.Column, i int) []byte {
	switch {
	case c.IsNull(i):
		return dst
	case c.Type.ID == batch.String:
		return append(append(dst, 1), c.Value(i)...)
	}
	dst = Appender(c)(append(dst, 1), i)
	if c.Type.IsFloat() && string(dst[1:]) == "-0.0" {
		return append(dst[:1], "0.0"...)
	}
	return dst
}

func (w *Writer) begin() (err error) {
	path := w.path
	if w.dir {
		path = filepath.Join(w.path, fmt.Sprintf("part-%05d%s", w.sum.Files, w.opts.Extension))
	}
	if w.out, err = createOut(w.fs, path, w.opts.Codec, w.opts.Acct); err != nil {
		return err
	}
	w.rows = 0
	return w.enc.Begin(w.out)
}

func (w *Writer) endFile() error {
	if w.held != nil {
		if err := w.held.End(w.out); err != nil {
			return err
		}
	}
	size, err := w.out.finish()
	if err != nil {
		return err
	}
	w.out = nil
	w.sum.Files++
	w.sum.Rows += w.rows
	w.sum.Bytes += size
	return nil
}

// Close ends the last file; a table without rows has one file too.
func (w *Writer) Close(ctx context.Context) (format.Summary, error) {
	if err := ctx.Err(); err != nil {
		return format.Summary{}, err
	}
	if w.out == nil && w.sum.Files == 0 {
		if err := w.begin(); err != nil {
			return format.Summary{}, err
		}
	}
	if w.out != nil {
		if err := w.endFile(); err != nil {
			return format.Summary{}, err
		}
	}
	if w.held != nil {
		w.held.Release()
	}
	if w.dir {
		if err := w.fs.SyncDir(w.path); err != nil {
			return format.Summary{}, err
		}
	}
	return w.sum, nil
}

// Abort releases everything; files are left for the owner of the folder to remove.
func (w *Writer) Abort() {
	w.out.drop()
	w.out = nil
	if w.held != nil {
		w.held.Release()
	}
}

var _ format.Writer = (*Writer)(nil)
