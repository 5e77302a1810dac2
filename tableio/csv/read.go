package csv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"
)

// spanBytes is the memory for the positions of a batch's fields, 8 bytes each.
const spanBytes = 1 << 20

// stream reads some columns of a unit.
type stream struct {
	f      *File
	acct   *mem.Account
	schema *batch.Schema
	at     []int // for each column, its position among the fields kept
	scan   *scanner
	text   *text.Section
	spans  *mem.Buf
	stride int
	step   int
	end    int64 // records from here on are the next unit's
	err    error
}

// Read opens a stream over columns of a unit; the caller closes it.
func (f *File) Read(ctx context.Context, acct *mem.Account, unit int, cols []int, types []batch.Type, o format.ReadOptions) (batch.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &stream{f: f, acct: acct, schema: f.schema.Select(cols), step: o.BatchRows, end: 1<<63 - 1}
	for i, t := range types {
		s.schema.Fields[i].Type = t
	}
	if s.step <= 0 {
		s.step = batch.Rows
	}
	if err := s.open(unit, cols); err != nil {
		return nil, errors.Join(f.located(ctx, err), s.Close())
	}
	return s, nil
}

func (s *stream) open(unit int, cols []int) (err error) {
	f := s.f
	keep := make([]bool, len(f.schema.Fields))
	for _, c := range cols {
		keep[c] = true
	}
	rank := make([]int, len(keep))
	for i, k := range keep {
		rank[i] = s.stride
		if k {
			s.stride++
		}
	}
	for _, c := range cols {
		s.at = append(s.at, rank[c])
	}
	if s.spans, err = s.acct.Alloc(max(min(spanBytes, 8*s.stride*s.step), 8*s.stride, 8)); err != nil {
		return err
	}
	from, begins := int64(0), true // where reading begins, and whether a record does there
	if f.Codec() == text.Plain {
		if from = int64(unit) * f.opts.unit; from > f.dataAt {
			from, begins = from-1, false // the byte before may end a record
		} else {
			from = f.dataAt
		}
		if unit < len(f.units)-1 {
			s.end = int64(unit+1) * f.opts.unit
		}
	}
	if s.text, err = f.Section(s.acct, from, tooLong); err != nil {
		return err
	}
	s.scan = &scanner{Window: &s.text.Window, delim: f.opts.Delim, keep: keep, want: len(keep), single: len(keep) == 1}
	if f.Codec() != text.Plain {
		return s.text.SkipTo(f.dataAt)
	}
	if begins {
		return nil
	}
	within, err := f.beginsQuoted(unit)
	if err != nil {
		return err
	}
	return s.skipLine(within)
}

// skipLine drops the rest of the record in which the text begins, within quotes or not.
func (s *stream) skipLine(within bool) error {
	sc := s.scan
	for {
		if sc.At == sc.Fill {
			if sc.EOF {
				return nil
			}
			if err := sc.More(); err != nil {
				return err
			}
			continue
		}
		c := byte('\n')
		if within {
			c = '"'
		}
		p := sc.Buf[sc.At:sc.Fill]
		k := bytes.IndexByte(p, c)
		if !within {
			line := p
			if k >= 0 {
				line = p[:k]
			}
			if q := bytes.IndexByte(line, '"'); q >= 0 {
				sc.At, within = sc.At+q+1, true
				continue
			}
		}
		switch {
		case k < 0:
			sc.At = sc.Fill
		case within:
			sc.At, within = sc.At+k+1, false
		default:
			sc.At += k + 1
			return nil
		}
	}
}

// Next returns the next rows: those whose fields lie in the buffer.
func (s *stream) Next(ctx context.Context) (*batch.Batch, error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := s.next()
	if err != nil {
		if err != io.EOF {
			err = s.explain(ctx, err)
		}
		s.err = err
	}
	return b, err
}

func (s *stream) next() (*batch.Batch, error) {
	spans, rows, sc := batch.View[text.Span](s.spans.Bytes())[:0], 0, s.scan
	for rows < s.step && len(spans)+s.stride <= cap(spans) && sc.Offset() < s.end {
		var n int
		var err error
		if spans, n, err = sc.record(spans, rows == 0); err == errMore {
			break
		}
		if err != nil {
			return nil, err
		}
		if n > 0 {
			rows++
		} else if sc.Done() {
			break
		}
	}
	if rows == 0 {
		return nil, io.EOF
	}
	cells := &text.Cells{Buf: sc.Buf, Spans: spans, Stride: s.stride, N: rows, Unescape: unescape}
	out := &batch.Batch{Schema: s.schema, Cols: make([]*batch.Column, 0, len(s.at)), N: rows}
	for i, at := range s.at {
		c, err := text.Convert(s.acct, s.schema.Fields[i].Type, cells, at)
		if err != nil {
			out.Release()
			return nil, s.misfit(err, cells, i)
		}
		out.Cols = append(out.Cols, c)
	}
	return out, nil
}

// misfit turns a value of another type into an error about its place.
func (s *stream) misfit(err error, c *text.Cells, col int) error {
	var m *text.MisfitError
	if !errors.As(err, &m) {
		return err
	}
	name := s.schema.Fields[col].Name
	why := "as in the first 64 MB of the file"
	if _, decided := s.f.opts.Types[name]; decided {
		why = "as types says"
	} else if s.f.schema.Fields[s.f.schema.Index(name)].Type.ID == batch.Null {
		why = "as other files of the table have it"
	}
	at := s.scan.Base + int64(c.Spans[m.Row*c.Stride+m.Column].Off)
	return &valueError{text.SyntaxError{At: at, Msg: fmt.Sprintf("column %s: %q is not %s, %s (types: {%s: string} reads it as text)", name, m.Text, m.Type, why, name)}}
}

// valueError is a syntaxError of a record that is well formed.
type valueError struct{ text.SyntaxError }

func (e *valueError) Unwrap() error { return &e.SyntaxError }

// explain gives an error its line.
func (s *stream) explain(ctx context.Context, err error) error { return s.f.located(ctx, err) }

// Close releases what the stream holds.
func (s *stream) Close() error {
	s.err = errors.New("csv: read of a closed stream")
	s.spans.Release()
	s.spans = nil
	return s.text.Close()
}
