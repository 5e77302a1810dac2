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
	s := &scanner{r: r, delim: f.opts.Delim, first: true}
	s.grow = func(old []byte, used, size int) ([]byte, error) {
		if old == nil && f.Codec() == text.Plain {
			size = int(min(int64(size), f.Size()+1))
		}
		b := make([]byte, size)
		copy(b, old[:used])
		return b, nil
	}
	return s
}

// header takes the names of the columns. One without a name is called column0, by its position.
func (f *File) header(s *scanner) error {
	var spans []text.Span
	for n := 0; n == 0; {
		var err error
		if spans, n, err = s.record(spans[:0], true); err != nil {
			return err
		}
		if n == 0 && s.done() {
			return &syntaxError{0, "the file is empty; it must begin with a line of column names"}
		}
	}
	f.schema = &batch.Schema{}
	for i, sp := range spans {
		name := string(unescape(nil, sp.Bytes(s.buf)))
		if name == "" {
			name = fmt.Sprintf("column%d", i)
		}
		if f.schema.Index(name) >= 0 {
			return &syntaxError{0, fmt.Sprintf("the header names the column %q twice", name)}
		}
		f.schema.Fields = append(f.schema.Fields, batch.Field{Name: name, Nullable: true})
	}
	s.want, s.single = len(spans), len(spans) == 1
	f.dataAt = s.offset()
	return nil
}

// sample guesses types, rows and widths from the first part of the file.
func (f *File) sample(ctx context.Context, s *scanner) error {
	guesses := make([]text.Guess, len(f.schema.Fields))
	var spans []text.Span
	var scratch []byte
	rows := int64(0)
	for !s.done() && s.offset() < f.opts.head {
		start := s.offset()
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
		f.longest = max(f.longest, s.offset()-start)
		for i, sp := range spans {
			p := sp.Bytes(s.buf)
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
	f.estimate(rows, s)
	return nil
}

// estimate sets rows and units from what the sample had.
func (f *File) estimate(rows int64, s *scanner) {
	seen := s.offset()
	f.exact = s.done()
	raw := seen
	if !f.exact {
		raw = f.Size()
		if f.Codec() != text.Plain {
			raw = f.Size() * 4 // a guess: text is compressed to about a quarter
		}
		rows = max(1, int64(float64(raw-f.dataAt)/float64(max(seen-f.dataAt, 1))*float64(rows)))
	}
	f.rows = rows
	n := int64(1)
	if f.Codec() == text.Plain {
		n = max(1, (f.Size()+f.opts.unit-1)/f.opts.unit)
	}
	for i := range n {
		part := func(total int64) int64 { return total*(i+1)/n - total*i/n }
		f.units = append(f.units, format.Unit{Rows: max(1, part(rows)), Bytes: part(f.Size()), Raw: part(raw)})
	}
}

// CreatedBy is not told by text.
func (f *File) CreatedBy() string { return "" }

// Schema returns the columns of the header.
func (f *File) Schema() *batch.Schema { return f.schema }

// Rows returns the records of the file, exactly where the file is no longer than what types come from.
func (f *File) Rows() (int64, bool) { return f.rows, f.exact }

// Units returns the units; the caller must not change them.
func (f *File) Units() []format.Unit { return f.units }

// ReadsAs says whether text is read as t: Null columns as any such type.
func (f *File) ReadsAs(col int, t batch.Type) bool {
	return f.schema.Fields[col].Type.ID == batch.Null && text.Reads(t)
}

// RowBytes returns the mean bytes of a column's values in the sample, for all rows of a unit.
func (f *File) RowBytes(unit, col int) int64 {
	return int64(f.widths[col] * float64(f.units[unit].Rows))
}

// ReadFloor returns the buffer, the positions of fields, and what a decompressor takes.
func (f *File) ReadFloor(int, []int) int64 {
	size := int64(bufferBytes)
	for size < 2*f.longest && size < maxRecord {
		size *= 2
	}
	if size > bufferBytes {
		size += size / 2 // while it grows
	}
	return size + spanBytes + int64(mem.ClassSize(8*len(f.schema.Fields))) + f.DecoderHeap()
}

// Error is what a file has wrong, with its line.
type Error struct {
	Path string
	Line int64 // from 1
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: line %d: %s", e.Path, e.Line, e.Msg) }
func (e *Error) Unwrap() error { return format.ErrMalformed }

// located gives an error of the scanner its line. Where records before it are not well formed, theirs is the
// error: what a stray quote does to what comes after it is no news.
func (f *File) located(ctx context.Context, err error) error {
	var bad *syntaxError
	if !errors.As(err, &bad) {
		return err
	}
	if first := f.firstBad(ctx, bad.at); first != nil {
		bad = first
	}
	line, lerr := f.line(bad.at)
	if lerr != nil {
		return errors.Join(fmt.Errorf("%s: %w", f.Path(), bad), lerr)
	}
	return &Error{f.Path(), line, bad.msg}
}

// firstBad returns what is wrong with the first record up to an offset, or nil.
func (f *File) firstBad(ctx context.Context, to int64) *syntaxError {
	r, err := f.Input.Open(0)
	if err != nil {
		return nil
	}
	defer r.Close()
	s := f.scanner(r)
	s.keep = []bool{}
	for i := 0; !s.done() && s.offset() <= to; i++ {
		if i&0xffff == 0 && ctx.Err() != nil {
			return nil
		}
		_, n, err := s.record(nil, true)
		var bad *syntaxError
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

// line returns the number of the line that has the byte at an offset.
func (f *File) line(at int64) (n int64, err error) {
	r, err := f.Input.Open(0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	n = 1
	err = eachPiece(io.LimitReader(r, at), func(p []byte) { n += int64(bytes.Count(p, []byte{'\n'})) })
	return n, err
}

// eachPiece shows all that r has to use.
func eachPiece(r io.Reader, use func([]byte)) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := r.Read(buf)
		use(buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
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
		r, err := f.Input.Open(from)
		if err != nil {
			return false, err
		}
		quotes := 0
		err = eachPiece(io.LimitReader(r, int64(k)*f.opts.unit-1-from), func(p []byte) { quotes += bytes.Count(p, []byte{'"'}) })
		if err = errors.Join(err, r.Close()); err != nil {
			return false, err
		}
		f.within = append(f.within, f.within[k-1] != (quotes%2 == 1))
	}
	return f.within[unit], nil
}

var _ format.File = (*File)(nil)
