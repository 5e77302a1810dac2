package spillfile

const (
	// aheadBytes bounds what is asked for ahead of a store's readers and not read yet. It lies in the page cache, of which a
	// cgroup may have little left: what the kernel takes back unread is read from the disk twice.
	aheadBytes = 8 << 20
	// aheadParts is how many partitions are asked for, the one being read included.
	aheadParts = 3
)

// readAhead asks for what is read next: the rest of partition p, then those behind it.
func (s *Store) readAhead(p int) {
	for q := p; q < min(p+aheadParts, len(s.parts)); q++ {
		if !s.askFor(&s.parts[q]) {
			return
		}
	}
}

// askFor asks for the partition's chunks on disk, and returns false where they are too much for now.
func (s *Store) askFor(part *partition) bool {
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.dropped {
		return true
	}
	for ; part.asked < len(part.chunks); part.asked++ {
		k := part.chunks[part.asked]
		if k.buf != nil || k.file == nil || k.ahead {
			continue
		}
		if n := s.ahead.Load(); n > 0 && n+int64(k.stored) > aheadBytes {
			return false
		}
		k.ahead = true
		s.ahead.Add(int64(k.stored))
		k.file.f.WillNeed(k.off, int64(k.stored))
	}
	return true
}

// arrived says that a chunk has been read, or that nobody waits for it; its partition's lock is held.
func (s *Store) arrived(k *chunk) {
	if k.ahead {
		k.ahead = false
		s.ahead.Add(-int64(k.stored))
	}
}

// forgetCache gives the page cache of a dropped partition's chunks back, for what is still to be read; its lock is held.
func (s *Store) forgetCache(part *partition) {
	for _, k := range part.chunks {
		s.arrived(k)
		if k.buf == nil && k.file != nil {
			k.file.f.DontNeed(k.off, int64(k.stored))
		}
	}
}
