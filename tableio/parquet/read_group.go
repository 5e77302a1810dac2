package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// maxBatch bounds the bytes of the fixed-width values of a batch: wide tables have shorter batches.
const maxBatch = 32 << 20

// minRows is the fewest rows a batch is cut to for its width.
const minRows = 256

// ReadRowGroup opens a stream over the columns at the positions cols of the schema, in that
// order; memory comes from acct. The caller closes the stream.
func (f *File) ReadRowGroup(ctx context.Context, acct *mem.Account, group int, cols []int, opts ReadOptions) (batch.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := f.acquire()
	if err != nil {
		return nil, err
	}
	s := &groupStream{file: f, acct: acct, lim: limitsFor(len(f.leavesOf(cols))), drop: opts.DropBehind, skipSums: opts.skipSums, rows: f.groups[group].Rows}
	columns, schema := f.typed(cols, opts.Types)
	s.schema = schema
	if opts.limits != nil {
		s.lim = *opts.limits
	}
	s.scratch.whole = opts.WholeBytes
	s.codecs.acct = acct
	s.step = opts.BatchRows
	if s.step <= 0 {
		s.step = batch.Rows
	}
	s.step = max(min(s.step, maxBatch/max(s.schema.RowWidth(8), 1)), min(s.step, minRows))
	for _, col := range columns {
		r, err := s.openColumn(h, col, f.meta.groups[group].chunks)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.readers = append(s.readers, r)
	}
	return s, nil
}

// columnReader reads one column of a row group.
type columnReader interface {
	// next returns the next rows, at most n and one at least where there are rows.
	next(n int) (*batch.Column, error)
	// cut returns the first n rows of a column that next returned and keeps the others; it takes over col.
	cut(col *batch.Column, n int) (*batch.Column, error)
	// atEnd makes sure that no rows follow.
	atEnd() error
	// fail names what failed.
	fail(err error) error
	close()
}

func (s *groupStream) openColumn(h vfs.File, col *column, chunks []chunkMeta) (columnReader, error) {
	switch {
	case col.refused != "":
		return nil, fmt.Errorf("%s: %w: column %s is nested, and %s", s.file.path, ErrUnsupported, col.field.Name, col.refused)
	case col.nest != nil:
		return s.openNested(h, col, chunks)
	}
	return s.openChunk(h, col, &chunks[col.leaf], s.rows)
}

// groupStream reads some columns of a row group.
type groupStream struct {
	file     *File
	acct     *mem.Account
	schema   *batch.Schema
	readers  []columnReader
	codecs   codecs
	scratch  scratch
	lim      limits
	step     int
	rows     int64 // left
	drop     bool
	skipSums bool
	closed   bool
	err      error
}

// Next returns the next rows. A panic of a library is an error that wraps ErrCorrupt.
func (s *groupStream) Next(ctx context.Context) (b *batch.Batch, err error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b = &batch.Batch{Schema: s.schema, Cols: make([]*batch.Column, len(s.readers))}
	at := -1
	defer func() {
		if r := recover(); r != nil {
			err = s.panicked(r, at)
		}
		if err != nil {
			b.Release()
			b, s.err = nil, err
		}
	}()
	if s.rows == 0 {
		return b, s.finish()
	}
	b.N = int(min(int64(s.step), s.rows))
	// Columns of bytes first: they say how many rows the batch has.
	for _, bytes := range []bool{true, false} {
		for i, c := range s.readers {
			if (s.schema.Fields[i].Type.Kind() == batch.KindBytes) != bytes {
				continue
			}
			at = i
			if b.Cols[i], err = c.next(b.N); err != nil {
				return b, err
			}
			b.N = min(b.N, b.Cols[i].N)
		}
	}
	for i, c := range s.readers {
		if col := b.Cols[i]; col.N > b.N {
			b.Cols[i] = nil
			if b.Cols[i], err = c.cut(col, b.N); err != nil {
				return b, err
			}
		}
	}
	s.rows -= int64(b.N)
	return b, nil
}

// finish checks that no chunk has rows beyond the row group's, and says io.EOF.
func (s *groupStream) finish() error {
	for _, c := range s.readers {
		if err := c.atEnd(); err != nil {
			return c.fail(err)
		}
	}
	return io.EOF
}

func (s *groupStream) panicked(r any, at int) error {
	if at < 0 || strings.HasPrefix(fmt.Sprint(r), "mem: ") { // ours, and not about the file
		panic(fmt.Sprintf("%v\n%s", r, debug.Stack()))
	}
	return s.readers[at].fail(fmt.Errorf("makes the decoder fail: %v", r))
}

// Close releases what the stream holds.
func (s *groupStream) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.err = errors.New("parquet: read of a closed stream")
	for _, c := range s.readers {
		c.close()
	}
	s.scratch.close()
	s.codecs.close()
	return s.file.release()
}
