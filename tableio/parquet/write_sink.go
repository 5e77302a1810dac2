package parquet

import (
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

const (
	sinkBuffer  = 1 << 20 // bytes a write
	flushWindow = 4 << 20 // bytes whose writing to disk is started together
	flushBehind = 3       // windows that may be dirty behind the one being filled
)

// sink writes a file from front to back, and sees to it that no more than a few windows
// of it are dirty in the page cache: those count against a cgroup's limit.
type sink struct {
	f   vfs.File
	buf *mem.Buf
	n   int   // bytes in buf
	off int64 // bytes written to f
	win int64 // windows whose writing has been started
}

func (s *sink) pos() int64 { return s.off + int64(s.n) }

func (s *sink) write(p []byte) error {
	b := s.buf.Bytes()
	for len(p) > 0 {
		k := copy(b[s.n:], p)
		s.n, p = s.n+k, p[k:]
		if s.n == len(b) {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sink) flush() error {
	if s.n == 0 {
		return nil
	}
	if _, err := s.f.WriteAt(s.buf.Bytes()[:s.n], s.off); err != nil {
		return err
	}
	s.off += int64(s.n)
	s.n = 0
	for ; (s.win+1)*flushWindow <= s.off; s.win++ {
		if err := s.f.FlushRange(s.win*flushWindow, flushWindow, false); err != nil {
			return err
		}
		if s.win >= flushBehind {
			old := (s.win - flushBehind) * flushWindow
			if err := s.f.FlushRange(old, flushWindow, true); err != nil {
				return err
			}
			s.f.DontNeed(old, flushWindow)
		}
	}
	return nil
}

// finish makes the file durable, drops it from the page cache and closes it.
func (s *sink) finish() error {
	err := s.flush()
	if err == nil {
		err = s.f.Sync()
	}
	if err == nil {
		s.f.DontNeed(0, s.off)
	}
	s.buf.Release()
	s.buf = nil
	if cerr := s.f.Close(); err == nil {
		err = cerr
	}
	s.f = nil
	return err
}

// drop closes the file after an error; what it holds is of no use.
func (s *sink) drop() {
	s.buf.Release()
	s.buf = nil
	if s.f != nil {
		_ = s.f.Close() // the error that led here is the one to report
		s.f = nil
	}
}
