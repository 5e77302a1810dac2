package spillfile

import "errors"

// Drop says that partition p is no longer needed, and gives its memory and disk back. Nobody reads it any more.
func (s *Store) Drop(p int) {
	if s.drop(p) {
		s.unask(&s.parts[p])
		s.forgetCache(p)
		s.letGo(p)
	}
}

// drop gives the memory of p back; false where that has been done.
func (s *Store) drop(p int) bool {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.dropped {
		return false
	}
	part.dropped = true
	for _, k := range part.chunks {
		switch {
		case k.spilling:
			k.dropped = true // whoever writes it lets go of it
		case k.buf != nil:
			part.inMemory.Add(-k.buf.Size())
			k.buf.Release()
			k.buf = nil
		}
	}
	return true
}

// letGo gives the disk of p back, which is dropped, with that of the last partition of its file.
func (s *Store) letGo(p int) {
	s.spillMu.Lock()
	defer s.spillMu.Unlock()
	g := &s.groups[s.groupOf(p)]
	if g.live--; g.live == 0 && g.file != nil {
		// What was in the file is no longer wanted: an error here is told by Close.
		s.closeErr = errors.Join(s.closeErr, s.spec.Dir.letGo(g.file))
		g.file = nil
	}
}

// Close releases everything, and returns what went wrong in giving disk back. It may be called at any time when no other call is under way, and more than once.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.remove()
		for i := range s.workers {
			for p := range s.workers[i].tails {
				s.workers[i].tails[p].release()
			}
			s.workers[i].scratch.Release()
			s.workers[i].scratch = nil
			for v := range s.workers[i].maps {
				s.workers[i].maps[v].release()
			}
		}
		for p := range s.parts {
			if s.drop(p) {
				s.letGo(p)
			}
		}
		s.spillMu.Lock()
		defer s.spillMu.Unlock()
		s.stage.Release()
		s.pages.Release()
		s.stage, s.pages = nil, nil
		for _, d := range s.dicts {
			d.release()
		}
	})
	return s.closeErr
}
