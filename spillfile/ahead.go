package spillfile

import (
	"maps"
	"sync"
)

const (
	// aheadBytes bounds what is asked for ahead of a store's readers and not read yet. It lies in the page cache, of which a
	// cgroup may have little left: what the kernel takes back unread is read from the disk twice.
	aheadBytes = 8 << 20
	// aheadParts is how many partitions are asked for, the one being read included.
	aheadParts = 3
	// rememberedReads bounds how many chunks a store remembers to have read, for their page cache to be given back.
	rememberedReads = 1 << 16
)

// cached is what the page cache is told about a partition. Its mutex is held while the ledger is read from the disk, and taken
// before the partition's: who spills waits for no advice.
type cached struct {
	mu     sync.Mutex
	ledger *ledgerReader   // of chunks to ask for ahead of their reading; nil: none has been asked for yet, or all
	next   *chunk          // the one it has come to
	all    bool            // have been asked for
	asked  map[int64]int64 // bytes of the chunks asked for and not read yet, by their offset
	both   map[int64]bool  // chunks that lie in memory too, by their offset
	read   []extent        // of the file
}

type extent struct{ off, n int64 }

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
	c := &s.parts[p].cached
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all || c.ledger == nil && !s.beginAsking(p) {
		return true
	}
	for {
		k := c.next
		if k == nil {
			var err error
			if k, err = c.ledger.chunk(); err != nil {
				c.ledger, c.all = nil, true
				return true // there are no more; of what is wrong the reader tells
			}
		}
		c.next = nil
		if _, asked := c.asked[k.off]; asked || c.both[k.off] {
			continue
		}
		if n := s.ahead.Load(); n > 0 && n+int64(k.stored) > aheadBytes {
			c.next = k
			return false
		}
		if c.asked == nil {
			c.asked = map[int64]int64{}
		}
		c.asked[k.off] = int64(k.stored)
		s.ahead.Add(int64(k.stored))
		k.file.f.WillNeed(k.off, int64(k.stored))
	}
}

// beginAsking goes to the beginning of the ledger of p, whose cached is locked; false where p is dropped.
func (s *Store) beginAsking(p int) bool {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.dropped { // by somebody else, who has given back what the ledger speaks of
		return false
	}
	c := &part.cached
	c.ledger, c.both = s.readLedger(p), nil
	for _, k := range part.chunks {
		if k.file != nil {
			if c.both == nil {
				c.both = map[int64]bool{}
			}
			c.both[k.off] = true
		}
	}
	return true
}

// restart says that the partition is read from its beginning.
func (c *cached) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger, c.next, c.all = nil, nil, false
}

// arrived says that a chunk of the partition has been read.
func (s *Store) arrived(part *partition, k *chunk) {
	c := &part.cached
	c.mu.Lock()
	defer c.mu.Unlock()
	s.ahead.Add(-c.asked[k.off])
	delete(c.asked, k.off)
	if most := max(rememberedReads/len(s.parts), 16); len(c.read) >= most {
		forget(k.file, c.read[:most/2])
		c.read = append(c.read[:0], c.read[most/2:]...)
	}
	c.read = append(c.read, extent{k.off, int64(k.stored)})
}

// unask says that nobody waits for what has been asked for of the partition.
func (s *Store) unask(part *partition) {
	c := &part.cached
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range maps.Values(c.asked) {
		s.ahead.Add(-n)
	}
	c.asked, c.ledger, c.next, c.all = nil, nil, nil, true
}

// forgetCache gives the page cache of what has been read of p, which is dropped, back, for what is still to be read.
func (s *Store) forgetCache(p int) {
	part := &s.parts[p]
	part.cached.mu.Lock()
	defer part.cached.mu.Unlock()
	part.mu.Lock()
	f := part.ledger.file // a chunk that was being spilled may be entered still
	part.mu.Unlock()
	forget(f, part.cached.read)
	part.cached.read = nil
}

func forget(f *spillFile, read []extent) {
	for _, e := range read {
		f.f.DontNeed(e.off, e.n)
	}
}
