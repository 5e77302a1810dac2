package jsonl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"
)

// spanBytes is the memory for the positions of a batch's values, 8 bytes each.
const spanBytes = 1 << 20

// stream reads some columns of a unit.
type stream struct {
	f      *File
	acct   *mem.Account
	schema *batch.Schema
	at     []int // for each column, its position among those kept
	rank   []int // by column of the file, its position among those kept; -1: it is not
	scan   *scanner
	text   *text.Section
	spans  *mem.Buf
	stride int
	step   int
	row    []text.Span // of the line at work
	err    error
}

// Read opens a stream over columns of a unit; the caller closes it.
func (f *File) Read(ctx context.Context, acct *mem.Account, unit int, cols []int, types []batch.Type, o format.ReadOptions) (batch.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &stream{f: f, acct: acct, schema: f.schema.Select(cols), step: o.BatchRows}
	for i, t := range types {
		s.schema.Fields[i].Type = t
	}
	if s.step <= 0 {
		s.step = batch.Rows
	}
	if err := s.open(unit, cols); err != nil {
		return nil, errors.Join(f.located(err), s.Close())
	}
	return s, nil
}

func (s *stream) open(unit int, cols []int) (err error) {
	f := s.f
	s.rank = make([]int, len(f.schema.Fields))
	for i := range s.rank {
		s.rank[i] = -1
	}
	for _, c := range cols {
		if s.rank[c] < 0 {
			s.rank[c] = s.stride
			s.stride++
		}
		s.at = append(s.at, s.rank[c])
	}
	if s.spans, err = s.acct.Alloc(max(min(spanBytes, 8*s.stride*s.step), 8*s.stride, 8)); err != nil {
		return err
	}
	from, end := int64(0), int64(math.MaxInt64)
	if f.Codec() == text.Plain {
		from = max(0, int64(unit)*f.opts.unit-1) // the byte before may end a line
		if unit < len(f.units)-1 {
			end = int64(unit+1) * f.opts.unit // where the next unit begins
		}
	}
	if s.text, err = f.Section(s.acct, from, tooLong); err != nil {
		return err
	}
	s.scan = &scanner{Window: &s.text.Window, columns: f.columns, names: f.schema.Names(), seen: make([]uint64, len(f.schema.Fields)), end: end, add: s.unknown, take: s.take}
	if unit == 0 {
		return s.skipMark()
	}
	return s.skipLine()
}

// skipMark drops a byte order mark.
func (s *stream) skipMark() error {
	sc := s.scan
	if err := sc.More(); err != nil {
		return err
	}
	if bytes.HasPrefix(sc.Buf[:sc.Fill], []byte("\xef\xbb\xbf")) {
		sc.At, sc.end = 3, max(sc.end, 4) // the first line is the first unit's, however short that is
	}
	return nil
}

// skipLine drops the rest of the line in which the text begins.
func (s *stream) skipLine() error {
	sc := s.scan
	for !sc.Done() {
		p := sc.Buf[sc.At:sc.Fill]
		if k := bytes.IndexByte(p, '\n'); k >= 0 {
			sc.At += k + 1
			return nil
		}
		sc.At = sc.Fill
		if sc.Offset() >= sc.end || sc.EOF {
			return nil
		}
		if err := sc.More(); err != nil {
			return err
		}
	}
	return nil
}

// take takes a value of the line at work.
func (s *stream) take(col int, sp text.Span, k kind) error {
	at := s.rank[col]
	if at < 0 {
		return nil
	}
	if k == kindString && s.f.strict[col] {
		p := sp.Bytes(s.scan.Buf)
		return s.value(sp, col, string(cut(p)), s.f.schema.Fields[col].Type)
	}
	s.row[at] = sp
	return nil
}

// Next returns the next rows: those that lie in the buffer.
func (s *stream) Next(ctx context.Context) (*batch.Batch, error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := s.next()
	if err != nil {
		s.err = err
	}
	return b, err
}

func (s *stream) next() (*batch.Batch, error) {
	spans, rows, sc := batch.View[text.Span](s.spans.Bytes()), 0, s.scan
	for rows < s.step && (rows+1)*s.stride <= len(spans) {
		s.row = spans[rows*s.stride:][:s.stride]
		clear(s.row)
		ok, err := sc.line(rows == 0)
		if err == errMore || err == nil && !ok {
			break
		}
		if err != nil {
			if rows == 0 {
				return nil, s.f.located(err)
			}
			break // the rows before come first; the next call meets it again
		}
		rows++
	}
	if rows == 0 {
		return nil, io.EOF
	}
	cells := &text.Cells{Buf: sc.Buf, Spans: spans, Stride: s.stride, N: rows, Unescape: unescape, Empty: true, Nearest: true}
	return s.convert(cells)
}

// convert makes a batch of the cells. Of several misfits the first line's is the error.
func (s *stream) convert(cells *text.Cells) (*batch.Batch, error) {
	out := &batch.Batch{Schema: s.schema, Cols: make([]*batch.Column, 0, len(s.at)), N: cells.N}
	var first *text.MisfitError
	col := 0
	for i, at := range s.at {
		c, err := text.Convert(s.acct, s.schema.Fields[i].Type, cells, at)
		var m *text.MisfitError
		switch {
		case errors.As(err, &m):
			if first == nil || m.Row < first.Row {
				first, col = m, s.f.schema.Index(s.schema.Fields[i].Name)
			}
		case err != nil:
			out.Release()
			return nil, err
		default:
			out.Cols = append(out.Cols, c)
		}
	}
	if first == nil {
		return out, nil
	}
	out.Release()
	return nil, s.f.located(s.value(cells.Spans[first.Row*cells.Stride+first.Column], col, first.Text, first.Type))
}

// value is the error about a value that its column's type does not have.
func (s *stream) value(sp text.Span, col int, value string, t batch.Type) error {
	name := s.f.schema.Fields[col].Name
	why := "as in the first 64 MB of the file"
	if _, decided := s.f.opts.Types[name]; decided {
		why = "as types says"
	} else if s.f.schema.Fields[col].Type.ID == batch.Null {
		why = "as other files of the table have it"
	}
	if sp.Len&text.Quoted != 0 && sp.Len&text.Escaped == 0 {
		value = `"` + value + `"`
	}
	return &text.SyntaxError{At: s.scan.Base + int64(sp.Off), Msg: fmt.Sprintf("column %s: %s is not %s, %s (types: {%s: string} reads it as text)", name, value, t, why, name)}
}

// Close releases what the stream holds.
func (s *stream) Close() error {
	s.err = errors.New("jsonl: read of a closed stream")
	s.spans.Release()
	s.spans = nil
	return s.text.Close()
}
