package groupby

import (
	"errors"
	"sync"

	"pqjoin/mem"
)

// spareMost bounds what is laid by.
const spareMost = 8 << 20

// spare is memory that is laid by for as long as rows are taken, so that there is some to give them up with: to open the level's
// stores and bring the first groups there. What follows is spilled.
type spare struct {
	mu   sync.Mutex
	size int64
	buf  *mem.Buf
}

func (x *spare) release() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.buf.Release()
	x.buf = nil
}

// begin lays the spare memory by before the first rows are taken, and reports false where there is too little.
func (s *shared) begin() (bool, error) {
	s.spare.mu.Lock()
	defer s.spare.mu.Unlock()
	if s.begun.Load() || s.off.Load() {
		return s.begun.Load(), nil
	}
	buf, err := s.acct.Alloc(int(s.spare.size))
	if errors.Is(err, mem.ErrLimit) {
		s.off.Store(true)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.spare.buf = buf
	s.begun.Store(true)
	return true, nil
}

// giveUp says that nothing more is taken.
func (s *shared) giveUp() {
	s.off.Store(true)
	s.spare.release()
}
