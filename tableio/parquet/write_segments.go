package parquet

import "pqjoin/mem"

// Segments grow with what they hold, so that a short chunk of a wide table takes little
// and a long one is few buffers. All sizes are exact classes of the pool.
const (
	minSegment = 4 << 10
	maxSegment = 256 << 10
)

// segments is an append-only byte sequence in pool buffers.
type segments struct {
	acct *mem.Account
	bufs []*mem.Buf
	tail []byte // free part of the last buffer
	n    int64
}

func (s *segments) write(p []byte) error {
	for len(p) > 0 {
		if len(s.tail) == 0 {
			if err := s.grow(); err != nil {
				return err
			}
		}
		k := copy(s.tail, p)
		s.tail, p, s.n = s.tail[k:], p[k:], s.n+int64(k)
	}
	return nil
}

func (s *segments) grow() error {
	size := minSegment
	for size < maxSegment && int64(size)*16 <= s.n { // at most an eighth is unused
		size *= 2
	}
	b, err := s.acct.Alloc(size)
	if err != nil {
		return err
	}
	s.bufs = append(s.bufs, b)
	s.tail = b.Bytes()
	return nil
}

// drain hands every piece to f in order and releases it.
func (s *segments) drain(f func(p []byte) error) error {
	left := s.n
	for i, b := range s.bufs {
		p := b.Bytes()
		p = p[:min(int64(len(p)), left)]
		if err := f(p); err != nil {
			return err
		}
		left -= int64(len(p))
		b.Release()
		s.bufs[i] = nil
	}
	s.release()
	return nil
}

func (s *segments) release() {
	for _, b := range s.bufs {
		b.Release()
	}
	s.bufs, s.tail, s.n = nil, nil, 0
}

// workBuf is a buffer that grows to the largest size asked for.
type workBuf struct{ buf *mem.Buf }

// get returns n bytes, their content undefined.
func (s *workBuf) get(acct *mem.Account, n int) ([]byte, error) {
	if s.buf != nil && cap(s.buf.Bytes()) >= n {
		return s.buf.Bytes()[:n], nil
	}
	s.release()
	b, err := acct.Alloc(n)
	if err != nil {
		return nil, err
	}
	s.buf = b
	return b.Bytes(), nil
}

func (s *workBuf) release() {
	s.buf.Release()
	s.buf = nil
}
