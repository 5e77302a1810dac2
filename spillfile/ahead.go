package spillfile

import (
	"maps"
	"slices"
)

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
		if !s.askFor(q) {
			return
		}
	}
}

// askFor asks for the chunks of p on disk, and returns false where they are too much for now.
func (s *Store) askFor(p int) bool {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.dropped {
		return true
	}
	if part.asking == nil {
		if part.allAsked {
			return true
		}
		part.asking = s.readPlaces(p)
	}
	for {
		k := part.unasked
		if k == nil {
			var err error
			if k, err = part.asking.chunk(); err != nil {
				part.asking, part.allAsked = nil, true
				return true // there are no more; of what is wrong the reader tells
			}
			part.unasked = k
		}
		if part.expected(k.off) {
			part.unasked = nil
			continue
		}
		if n := s.ahead.Load(); n > 0 && n+int64(k.stored) > aheadBytes {
			return false
		}
		part.unasked = nil
		if part.asked == nil {
			part.asked = map[int64]int64{}
		}
		part.asked[k.off] = int64(k.stored)
		s.ahead.Add(int64(k.stored))
		k.file.f.WillNeed(k.off, int64(k.stored))
	}
}

// expected says that the chunk at off of the file has been asked for already, or is in memory too.
func (part *partition) expected(off int64) bool {
	if _, ok := part.asked[off]; ok {
		return true
	}
	return slices.ContainsFunc(part.chunks, func(k *chunk) bool { return k.file != nil && k.off == off })
}

// arrived says that the chunk at off of the file has been read; its partition's lock is held.
func (s *Store) arrived(part *partition, off int64) {
	s.ahead.Add(-part.asked[off])
	delete(part.asked, off)
}

// forgetAsked says that nobody waits for what has been asked for of the partition, whose lock is held.
func (s *Store) forgetAsked(part *partition) {
	for n := range maps.Values(part.asked) {
		s.ahead.Add(-n)
	}
	part.asked, part.asking, part.unasked, part.allAsked = nil, nil, nil, true
}

// forgetCache gives the page cache of the chunks of p, which is dropped, back, for what is still to be read.
func (s *Store) forgetCache(p int) {
	part := &s.parts[p]
	part.mu.Lock()
	places := s.readPlaces(p)
	part.mu.Unlock()
	for {
		k, err := places.chunk()
		if err != nil {
			return // there are no more; what is wrong does not matter any longer
		}
		k.file.f.DontNeed(k.off, int64(k.stored))
	}
}
