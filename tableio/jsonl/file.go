// Package jsonl reads and writes tables as JSON lines: one object a line, a key a column.
//
//	file   = line *line                      an empty line is none
//	unit k = the lines that begin in bytes [k * 8 MiB, (k+1) * 8 MiB); a compressed file is one unit
//
// Invariants:
//
//   - A file without rows says nothing of columns: it has those that the job gives a type, or those of the table's other files.
//   - Columns are the keys of the first 64 MB, in order of first appearance, and those that the job gives a type. A
//     key that comes later is an error, and so is a value of another type.
//   - What is not well formed is an error with file and line, and nothing is guessed.
//   - A key that is missing, or null, is null; an empty string is none.
//   - A column of texts takes any value as its text, so what is read does not depend on where a value lies.
package jsonl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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
	Types map[string]batch.Type // types that the job decides, by column

	unit int64 // bytes of a unit, for tests; 0: unitBytes
	head int64 // bytes that types come from, for tests; 0: text.SampleBytes
}

// File is an open file.
type File struct {
	*text.Input
	opts    Options
	schema  *batch.Schema
	columns map[string]int
	strict  []bool // columns whose values are never in quotes
	units   []format.Unit
	rows    int64
	exact   bool
	empty   bool  // it has no line that is not empty
	longest int64 // bytes of the longest line seen
	widths  []float64
}

// errMore says that a line does not end in the buffer.
var errMore = errors.New("jsonl: more is needed")

// Open reads the first 64 MB, from which the columns and their types come. Errors name the file and the line.
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
	if err := f.sample(ctx, &scanner{Window: f.Window(r, tooLong), columns: map[string]int{}, end: math.MaxInt64}); err != nil {
		return nil, f.located(err)
	}
	return f, nil
}

// sample finds columns, types, rows and widths in the first part of the file.
func (f *File) sample(ctx context.Context, s *scanner) error {
	var guesses []guess
	s.add = func(key string) error {
		s.column(key)
		guesses = append(guesses, guess{})
		return nil
	}
	s.take = func(col int, sp text.Span, k kind) error {
		guesses[col].see(sp, s.Buf, k)
		return nil
	}
	rows := int64(0)
	for s.Offset() < f.opts.head {
		start := s.Offset()
		ok, err := s.line(true)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		f.longest = max(f.longest, s.Offset()-start)
		if rows++; rows&0xffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	f.exact = s.Done()
	if !f.exact || rows == 0 { // what the job knows of may come later
		for _, name := range f.given() {
			if _, ok := s.columns[name]; !ok {
				_ = s.add(name)
			}
		}
	}
	if f.empty = f.exact && rows == 0; len(s.names) == 0 && !f.empty {
		return &text.SyntaxError{Msg: "no object has a key that would make a column (types: {name: type} says which columns there are)"}
	}
	f.settle(s.names, guesses, max(rows, 1))
	f.columns = s.columns
	f.rows, f.units = f.Estimate(text.Head{Rows: rows, N: s.Offset(), Whole: f.exact}, f.opts.unit)
	return nil
}

// given returns the columns that the job gives types, sorted.
func (f *File) given() []string {
	var names []string
	for name := range f.opts.Types {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// settle makes the schema.
func (f *File) settle(names []string, guesses []guess, rows int64) {
	f.schema = &batch.Schema{}
	for i, name := range names {
		t, given := f.opts.Types[name]
		if given = given && text.Reads(t); !given {
			t = guesses[i].typ()
		}
		f.schema.Fields = append(f.schema.Fields, batch.Field{Name: name, Type: t, Nullable: true})
		f.strict = append(f.strict, !given && (t.IsNumeric() || t.ID == batch.Bool))
		f.widths = append(f.widths, float64(guesses[i].bytes)/float64(rows))
	}
}

// CreatedBy is not told by text.
func (f *File) CreatedBy() string { return "" }

// Schema returns the columns.
func (f *File) Schema() *batch.Schema { return f.schema }

// Rows returns the lines of the file, exactly where the file is no longer than what types come from.
func (f *File) Rows() (int64, bool) { return f.rows, f.exact }

// Empty returns nil for a file with rows. Another has the columns that the job gives types; where those are none, and no other
// file tells of any, the error is what is wrong with the table.
func (f *File) Empty() error {
	if !f.empty {
		return nil
	}
	return f.Located(&text.SyntaxError{Msg: "the file is empty, so its columns are not known (types: {name: type} says which there are)"})
}

// Units returns the units; the caller must not change them.
func (f *File) Units() []format.Unit { return f.units }

// fileHeap is what a file takes of the Go heap beside its columns and units, in bytes: its path and what its beginning told.
const fileHeap = 1 << 10

// HeapBytes returns about how many bytes of the Go heap what is known of the file takes.
func (f *File) HeapBytes() int64 { return fileHeap + format.HeapOf(f.schema, f.units) }

// ReadsAs says whether text is read as t: Null columns as any such type.
func (f *File) ReadsAs(col int, t batch.Type) bool {
	return f.schema.Fields[col].Type.ID == batch.Null && text.Reads(t)
}

// RowBytes returns the mean bytes of a column's values in the sample, for all rows of a unit.
func (f *File) RowBytes(unit, col int) int64 {
	return int64(f.widths[col] * float64(f.units[unit].Rows))
}

// ReadFloor returns the buffer, the positions of values, and what a decompressor takes.
func (f *File) ReadFloor(context.Context, int, []int) int64 {
	return text.BufferFloor(f.longest) + spanBytes + int64(mem.ClassSize(8*len(f.schema.Fields))) + f.DecoderHeap()
}

// located gives what is wrong with a line its place. Memory that did not do for a line names its place too.
func (f *File) located(err error) error {
	var bad *text.SyntaxError
	if errors.As(err, &bad) {
		return f.Located(bad)
	}
	return err
}

// unknown is the error about a key that came too late.
func (s *stream) unknown(key string) error {
	why := "the first 64 MB of the file do not have it"
	if s.f.exact {
		why = "the file did not have it when it was opened"
	}
	return s.scan.fail(fmt.Sprintf("the key %q is new, %s (types: {%s: string} makes it a column)", key, why, key))
}

var _ format.File = (*File)(nil)
