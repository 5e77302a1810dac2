package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"pqjoin/mem"
	"pqjoin/tableio/format"
)

const (
	// bufferBytes is what is held of a file at once, unless a record is longer.
	bufferBytes = 1 << 20
	// MaxRecord is the longest record, bytes.
	MaxRecord = 16 << 20
)

// Window is the part of a text that is in memory: Buf[At:Fill] has not been used yet. It moves on, and grows where a record does not fit.
type Window struct {
	Buf  []byte
	At   int   // where the next record begins
	Fill int   // bytes in Buf
	Base int64 // offset in the text of Buf[0]
	EOF  bool  // nothing comes after Buf

	r     io.Reader
	grow  func(old []byte, used, size int) ([]byte, error) // a larger buffer that begins with the used bytes of the old
	first bool                                             // nothing has been read: a byte order mark may come
	long  string
}

// SyntaxError is a record that is not well formed, by its offset in the text.
type SyntaxError struct {
	At  int64
	Msg string
}

func (e *SyntaxError) Error() string { return e.Msg }
func (e *SyntaxError) Unwrap() error { return format.ErrMalformed }

// Error is what a file has wrong, with its line.
type Error struct {
	Path string
	Line int64 // from 1
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: line %d: %s", e.Path, e.Line, e.Msg) }
func (e *Error) Unwrap() error { return format.ErrMalformed }

// Window returns a window over r, which reads the file from its start. Its buffer lies on the heap. long is said of a record longer than MaxRecord.
func (in *Input) Window(r io.Reader, long string) *Window {
	return &Window{r: r, first: true, long: long, grow: func(old []byte, used, size int) ([]byte, error) {
		if old == nil && in.codec == Plain {
			size = int(min(int64(size), in.size+1))
		}
		b := make([]byte, size)
		copy(b, old[:used])
		return b, nil
	}}
}

// Offset returns where in the text the next record begins.
func (w *Window) Offset() int64 { return w.Base + int64(w.At) }

// Done says whether the text has ended.
func (w *Window) Done() bool { return w.EOF && w.At == w.Fill }

// More moves what is left to the front and reads on.
func (w *Window) More() error {
	if w.At > 0 {
		w.Fill = copy(w.Buf, w.Buf[w.At:w.Fill])
		w.Base += int64(w.At)
		w.At = 0
	}
	if w.Fill == len(w.Buf) {
		if w.Fill >= MaxRecord {
			return &SyntaxError{w.Base, fmt.Sprintf("a record is longer than %d MiB: %s", MaxRecord>>20, w.long)}
		}
		b, err := w.grow(w.Buf, w.Fill, max(2*len(w.Buf), bufferBytes))
		if err != nil {
			return err
		}
		w.Buf = b
	}
	n, err := io.ReadFull(w.r, w.Buf[w.Fill:])
	w.Fill += n
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		w.EOF = true
	case err != nil:
		return err
	}
	if w.first {
		w.first = false
		if bytes.HasPrefix(w.Buf[:w.Fill], []byte("\xef\xbb\xbf")) {
			w.At = 3
		}
	}
	return nil
}

// BufferFloor returns what the buffer takes where no record is longer than longest, bytes.
func BufferFloor(longest int64) int64 {
	size := int64(bufferBytes)
	for size < 2*longest && size < MaxRecord {
		size *= 2
	}
	if size > bufferBytes {
		size += size / 2 // while it grows
	}
	return size
}

// Section is a window whose buffer is counted. Close it.
type Section struct {
	Window
	in   *Input
	acct *mem.Account
	buf  *mem.Buf
	rc   io.ReadCloser
	heap int64 // reserved for the decompressor
}

// Section opens a window over the text from byte from on, which is 0 where the file is compressed.
func (in *Input) Section(acct *mem.Account, from int64, long string) (*Section, error) {
	s := &Section{in: in, acct: acct}
	if err := acct.Reserve(in.DecoderHeap()); err != nil {
		return nil, err
	}
	s.heap = in.DecoderHeap()
	rc, err := in.Open(from)
	if err != nil {
		_ = s.Close() // it has no file yet
		return nil, err
	}
	s.rc = rc
	s.Window = Window{r: rc, Base: from, long: long, grow: s.larger}
	return s, nil
}

func (s *Section) larger(old []byte, used, size int) ([]byte, error) {
	if s.buf == nil && s.in.codec == Plain {
		size = int(max(min(int64(size), s.in.size-s.Base+1), 1))
	}
	b, err := s.acct.Alloc(size)
	if err != nil && s.buf != nil {
		line, lerr := s.in.Line(s.Base)
		return nil, errors.Join(fmt.Errorf("%s: line %d: a record is longer than %d bytes, and there is no memory for more: %w", s.in.path, line, used, err), lerr)
	}
	if err != nil {
		return nil, err
	}
	copy(b.Bytes(), old[:used])
	s.buf.Release()
	s.buf = b
	return b.Bytes(), nil
}

// SkipTo drops what comes before an offset.
func (s *Section) SkipTo(at int64) error {
	for {
		if err := s.More(); err != nil {
			return err
		}
		s.At = int(min(int64(s.Fill), at-s.Base))
		if s.Offset() == at || s.EOF {
			return nil
		}
	}
}

// Close releases what the section holds. It may be called more than once.
func (s *Section) Close() error {
	if s == nil {
		return nil
	}
	s.buf.Release()
	s.buf = nil
	s.acct.Unreserve(s.heap)
	s.heap = 0
	if s.rc == nil {
		return nil
	}
	rc := s.rc
	s.rc = nil
	return rc.Close()
}

// Line returns the number of the line that has the byte at an offset.
func (in *Input) Line(at int64) (n int64, err error) {
	n = 1
	err = in.EachPiece(0, at, func(p []byte) { n += int64(bytes.Count(p, []byte{'\n'})) })
	return n, err
}

// EachPiece shows the text from byte from on, which is 0 where the file is compressed, n bytes of it, to use.
func (in *Input) EachPiece(from, n int64, use func([]byte)) error {
	r, err := in.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	limited, buf := io.LimitReader(r, n), make([]byte, readAhead)
	for {
		n, err := limited.Read(buf)
		use(buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Located gives what is wrong its path and line.
func (in *Input) Located(bad *SyntaxError) error {
	line, err := in.Line(bad.At)
	if err != nil {
		return fmt.Errorf("%s: %w (and its line cannot be told: %w)", in.path, bad, err)
	}
	return &Error{in.path, line, bad.Msg}
}
