// Package csv reads and writes tables as text of separated values (RFC 4180), with a header row.
//
//	file   = header record *record           lines end in LF or CRLF
//	unit k = the records that begin in bytes [k * 8 MiB, (k+1) * 8 MiB); a compressed file is one unit
//
// Invariants:
//
//   - A line break within quotes ends no record. Quotes are balanced, so a byte lies within quotes where the
//     number of quotes before it is odd: that is how a unit finds its first record, and nothing is guessed.
//   - What is not well formed is an error with file and line, the first in the file, whichever unit met it.
//   - A type comes from the first 64 MB or from the job. Nothing that is read later changes it.
//   - An empty field is null.
package csv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"
)

// unitBytes is how much text a unit has.
const unitBytes = 8 << 20

// Options says how files are read.
type Options struct {
	Delim byte                  // ',' or a tab
	Types map[string]batch.Type // types that the job decides, by column

	unit int64 // bytes of a unit, for tests; 0: unitBytes
	head int64 // bytes that types come from, for tests; 0: text.SampleBytes
}

// File is an open file.
type File struct {
	*text.Input
	opts    Options
	schema  *batch.Schema
	units   []format.Unit
	rows    int64
	exact   bool
	dataAt  int64 // where the first record after the header begins
	longest int64 // bytes of the longest record seen
	widths  []float64

	mu     sync.Mutex
	within []bool // whether a unit's range begins within quotes, as far as is known
}

// Open reads the header and the first 64 MB, from which the types come. Errors name the file and the line.
func Open(ctx context.Context, fsys vfs.FS, path string, o Options) (f *File, err error) {
	if o.unit == 0 {
		o.unit = unitBytes
	}
	if o.head == 0 {
		o.head = text.SampleBytes
	}
	f = &File{opts: o}
	if f.Input, err = text.OpenInput(ctx, fsys, path); err != nil {
		return nil, err
	}
	r, err := f.Input.Open(0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s := f.scanner(r)
	if err := f.header(s); err != nil {
		return nil, f.located(ctx, err)
	}
	if err := f.sample(ctx, s); err != nil {
		return nil, f.located(ctx, err)
	}
	return f, nil
}

// scanner returns a scanner of the whole text whose buffer lies on the heap.
func (f *File) scanner(r io.Reader) *scanner {
	return &scanner{Window: f.Window(r, tooLong), delim: f.opts.Delim}
}

// header takes the names of the columns. One without a name is called column0, by its position.
func (f *File) header(s *scanner) error {
	var spans []text.Span
	for n := 0; n == 0; {
		var err error
		if spans, n, err = s.record(spans[:0], true); err != nil {
			return err
		}
		if n == 0 && s.Done() {
			return &text.SyntaxError{Msg: "the file is empty; it must begin with a line of column names"}
		}
	}
	f.schema = &batch.Schema{}
	for i, sp := range spans {
		name := string(unescape(nil, sp.Bytes(s.Buf)))
		if name == "" {
			name = fmt.Sprintf("column%d", i)
		}
		if f.schema.Index(name) >= 0 {
			return &text.SyntaxError{Msg: fmt.Sprintf("the header names the column %q twice", name)}
		}
		f.schema.Fields = append(f.schema.Fields, batch.Field{Name: name, Nullable: true})
	}
	s.want, s.single = len(spans), len(spans) == 1
	f.dataAt = s.Offset()
	return nil
}

// sample guesses types, rows and widths from the first part of the file.
func (f *File) sample(ctx context.Context, s *scanner) error {
	guesses := make([]text.Guess, len(f.schema.Fields))
	var spans []text.Span
	var scratch []byte
	rows := int64(0)
	for !s.Done() && s.Offset() < f.opts.head {
		start := s.Offset()
		var n int
		var err error
		if spans, n, err = s.record(spans[:0], true); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if rows++; rows&0xffff == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		f.longest = max(f.longest, s.Offset()-start)
		for i, sp := range spans {
			p := sp.Bytes(s.Buf)
			if sp.Len&text.Escaped != 0 {
				scratch = unescape(scratch[:0], p)
				p = scratch
			}
			if len(p) > 0 {
				guesses[i].See(p)
			}
		}
	}
	for i := range guesses {
		f.schema.Fields[i].Type = guesses[i].Type()
		if t, ok := f.opts.Types[f.schema.Fields[i].Name]; ok && text.Reads(t) {
			f.schema.Fields[i].Type = t
		}
		f.widths = append(f.widths, float64(guesses[i].Bytes)/float64(max(rows, 1)))
	}
	f.exact = s.Done()
	f.rows, f.units = f.Estimate(text.Head{Rows: rows, From: f.dataAt, N: s.Offset(), Whole: f.exact}, f.opts.unit)
	return nil
}

// CreatedBy is not told by text.
func (f *File) CreatedBy() string { return "" }

// Schema returns the columns of the header.
func (f *File) Schema() *batch.Schema { return f.schema }

// Rows returns the records of the file, exactly where the file is no longer than what types come from.
func (f *File) Rows() (int64, bool) { return f.rows, f.exact }

// Units returns the units; the caller must not change them.
func (f *File) Units() []format.Unit { return f.units }

// fileHeap is what a file takes of the Go heap beside its columns and units, in bytes: its path and what its beginning told.
const fileHeap = 1 << 10

// HeapBytes returns about how many bytes of the Go heap what is known of the file takes.
func (f *File) HeapBytes() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fileHeap + format.HeapOf(f.schema, f.units) + int64(cap(f.within))
}

// ReadsAs says whether text is read as t: Null columns as any such type.
func (f *File) ReadsAs(col int, t batch.Type) bool {
	return f.schema.Fields[col].Type.ID == batch.Null && text.Reads(t)
}

// RowBytes returns the mean bytes of a column's values in the sample, for all rows of a unit.
func (f *File) RowBytes(unit, col int) int64 {
	return int64(f.widths[col] * float64(f.units[unit].Rows))
}

// ReadFloor returns the buffer, the positions of fields, and what a decompressor takes.
func (f *File) ReadFloor(context.Context, int, []int) int64 {
	return text.BufferFloor(f.longest) + spanBytes + int64(mem.ClassSize(8*len(f.schema.Fields))) + f.DecoderHeap()
}

// located gives an error of the scanner its line. Where records before it are not well formed, theirs is the
// error: what a stray quote does to what comes after it is no news.
func (f *File) located(ctx context.Context, err error) error {
	var bad *text.SyntaxError
	if !errors.As(err, &bad) {
		return err
	}
	if first := f.firstBad(ctx, bad.At); first != nil {
		bad = first
	}
	return f.Located(bad)
}

// firstBad returns what is wrong with the first record up to an offset, or nil.
func (f *File) firstBad(ctx context.Context, to int64) *text.SyntaxError {
	r, err := f.Input.Open(0)
	if err != nil {
		return nil
	}
	defer r.Close()
	s := f.scanner(r)
	s.keep = []bool{}
	for i := 0; !s.Done() && s.Offset() <= to; i++ {
		if i&0xffff == 0 && ctx.Err() != nil {
			return nil
		}
		_, n, err := s.record(nil, true)
		var bad *text.SyntaxError
		if errors.As(err, &bad) {
			return bad
		}
		if err != nil {
			return nil
		}
		if s.want == 0 && n > 0 {
			s.want, s.single = n, n == 1
		}
	}
	return nil
}

// beginsQuoted says whether the byte before a unit's range lies within quotes. The ranges before are counted
// once; units are opened in ascending order, so that is mostly the one before.
func (f *File) beginsQuoted(unit int) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.within == nil {
		f.within = []bool{false}
	}
	for k := len(f.within); k <= unit; k++ {
		from := max(0, int64(k-1)*f.opts.unit-1)
		quotes := 0
		err := f.EachPiece(from, int64(k)*f.opts.unit-1-from, func(p []byte) { quotes += bytes.Count(p, []byte{'"'}) })
		if err != nil {
			return false, err
		}
		f.within = append(f.within, f.within[k-1] != (quotes%2 == 1))
	}
	return f.within[unit], nil
}

var _ format.File = (*File)(nil)
