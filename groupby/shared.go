package groupby

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"pqjoin/batch"
	"pqjoin/internal/parallel"
	"pqjoin/mem"
)

// shared is where rows go that the workers' tables do not know, for as long as the groups of all of them together fit a part of the
// memory: one table for each partition by hash, which all workers share. Rows wait, as words of their keys and plain columns,
// until their partition has so many that its table, brought into the cache once, takes several of each group.
//
//	worker 0: rows -> [p0][p1][p2]...   a chunk of each partition
//	worker 1: rows -> [p0][p1][p2]...
//	                       | full
//	                       v
//	                  p1: chunks that wait --- enough of them ---> table of p1
//
// So nothing is encoded and nothing spilled, and the partitions are results already. Where the tables outgrow their part, or memory
// runs out, it is given up: groups go to the level as states, and rows from then on as they are.
//
// A batch with a string too long for the words of a key goes to the level at once, whole, and once there was one all groups follow at the
// end, so that each is in one place. So one long string of a run costs what the level costs: groups encoded once more, and a merge of all.
type shared struct {
	lay   *layout
	lev   *level
	acct  *mem.Account
	form  chunkForm
	wait  int          // full chunks with which a partition is worked on
	most  int64        // bytes of all tables, at most
	taken atomic.Int64 // bytes of all tables now
	begun atomic.Bool
	off   atomic.Bool // given up
	spare spare
	trial trial
	parts []sharedPart
	tails [][]*chunkRows // by worker and partition
}

type sharedPart struct {
	mu     sync.Mutex   // of chunks
	chunks []*chunkRows // full ones, which wait

	table sync.Mutex // of t
	t     *table
	tried bool
}

const (
	// sharedLeast is a share that is worth dividing into shared tables and rows that wait for them.
	sharedLeast = 32 << 20
	// sharedSlots is the index of a new table: most partitions have few groups in them where there are many partitions.
	sharedSlots = 256
	// waitLeast is how many chunks of a partition are worth its table.
	waitLeast = 8
)

// newShared returns nil where the aggregation has no part of memory for it, or does not have rows of words alone. It has as many
// partitions as the level has by hash, though of other keys, as that cuts by batch.Hash and this by the hash of tables: all groups leave
// for the level or none. So it can take the shared tables' place under a source whose units are counted (Grouper.Settle).
func newShared(lay *layout, lev *level, workers int) *shared {
	spec := lay.spec
	if spec.SharedBytes == 0 || len(lay.keys.cols) == 0 || len(lay.holds) > 0 || lay.tails > 0 {
		return nil
	}
	form, ok := newChunkForm(lay)
	if !ok {
		return nil
	}
	n := lev.want
	s := &shared{lay: lay, lev: lev, acct: spec.Acct, form: form, parts: make([]sharedPart, n)}
	row := int64(n+workers) * int64(form.size) // a chunk for each partition, and each once more that a worker is at
	s.spare.size = min(spec.SharedBytes/16, spareMost)
	room := spec.SharedBytes - s.spare.size
	s.most = min(spec.SharedBytes/2, room-(int64(workers)+waitLeast)*row)
	if s.most < int64(workers)*spec.TableBytes {
		return nil
	}
	s.wait = int((room-s.most)/row) - workers
	for range workers {
		s.tails = append(s.tails, make([]*chunkRows, n))
	}
	return s
}

// active says whether rows and states may be given to it.
func (s *shared) active() bool { return s != nil && !s.off.Load() }

// inUse says whether anything was.
func (s *shared) inUse() bool { return s != nil && s.begun.Load() }

// take copies rows of layout.raw into the partitions. rest is the row numbers, in w's scratch, of those that must go elsewhere; ok is
// false where that is all rows, none having been taken.
func (s *shared) take(ctx context.Context, w *worker, rows *batch.Batch) (rest []uint32, ok bool, err error) {
	p, err := w.route(s, rows)
	if errors.Is(err, mem.ErrLimit) {
		s.giveUp()
		return nil, false, nil
	}
	if err != nil || p.long {
		return nil, false, err
	}
	if begun, err := s.begin(); err != nil || !begun {
		return nil, false, err
	}
	at := uint32(0)
	for i, n := range p.counts {
		idx := p.idx[at : at+n]
		at += n
		placed, err := s.place(ctx, w, i, rows, &p, idx)
		if err != nil {
			return nil, false, err
		}
		if placed < len(idx) {
			s.giveUp()
			return p.idx[at-n+uint32(placed):], true, nil
		}
	}
	return nil, true, nil
}

// place copies rows idx to the worker's chunk of partition p, and returns how many it had memory for. An error, one of memory
// included, is of rows that it had taken before: they are nowhere else.
func (s *shared) place(ctx context.Context, w *worker, p int, rows *batch.Batch, keys *routed, idx []uint32) (int, error) {
	tail, placed := &s.tails[w.id][p], 0
	for placed < len(idx) {
		if *tail == nil {
			c, err := s.form.alloc(s.acct)
			if errors.Is(err, mem.ErrLimit) {
				return placed, nil
			}
			if err != nil {
				return placed, err
			}
			*tail = c
		}
		c := *tail
		n := min(len(idx)-placed, s.form.rows-c.n)
		s.form.fill(c, rows, keys.words, idx[placed:placed+n])
		placed += n
		if c.n < s.form.rows {
			continue
		}
		*tail = nil
		if s.push(p, c) < s.wait && s.trial.done.Load() {
			continue
		}
		if err := s.work(ctx, w, p, false); err != nil {
			return placed, err
		}
	}
	return placed, nil
}

// push adds a chunk to those that wait, and returns how many there are.
func (s *shared) push(p int, c *chunkRows) int {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	part.chunks = append(part.chunks, c)
	return len(part.chunks)
}

func (part *sharedPart) groups() int {
	if part.t == nil {
		return 0
	}
	return part.t.groups()
}

// waiting takes the chunks that wait out.
func (part *sharedPart) waiting() []*chunkRows {
	part.mu.Lock()
	defer part.mu.Unlock()
	chunks := part.chunks
	part.chunks = nil
	return chunks
}

// work brings the rows that wait into the partition's table; with out its groups go to the level then. It gives up
// where the tables outgrow their part.
func (s *shared) work(ctx context.Context, w *worker, p int, out bool) error {
	part := &s.parts[p]
	part.table.Lock()
	defer part.table.Unlock()
	chunks := part.waiting()
	defer func() {
		for _, c := range chunks {
			c.buf.Release()
		}
	}()
	if part.t != nil && len(chunks) > 1 {
		part.t.warm()
	}
	for len(chunks) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, before := chunks[0], part.groups()
		if err := s.absorb(ctx, w, part, c); err != nil {
			return err
		}
		if !part.tried && !s.off.Load() { // once it is given up the chunk's groups may have gone to the level
			part.tried = true
			s.trial.add(s, c.n, part.groups()-before)
		}
		c.buf.Release() // at once, as others fill chunks of this partition meanwhile
		chunks = chunks[1:]
	}
	if out {
		return s.sendOut(ctx, w, part)
	}
	return nil
}

// absorb aggregates a chunk.
func (s *shared) absorb(ctx context.Context, w *worker, part *sharedPart, c *chunkRows) error {
	rows := s.form.batch(c)
	return s.upsert(ctx, w, part, s.form.words(c), func(t *table, lo int, ent []uint32) error {
		return t.update(rows, lo, ent, w.masked)
	})
}

// upsert finds or makes the groups of keys and calls add with stretches of their entries. A table that can take no more is emptied into the level.
func (s *shared) upsert(ctx context.Context, w *worker, part *sharedPart, words []uint64, add func(t *table, lo int, ent []uint32) error) error {
	k := &s.lay.keys
	n := len(words) / k.words
	for lo := 0; lo < n; {
		if err := s.makeTable(part); err != nil {
			return err
		}
		t, before := part.t, part.t.bytes()
		m := min(len(w.hash), n-lo)
		in := probeIn{kw: words[lo*k.words : (lo+m)*k.words], hash: w.hash[:m]}
		k.hashWords(in.kw, in.hash)
		done, err := t.upsert(&in, w.ent[:m])
		if err != nil && !errors.Is(err, mem.ErrLimit) {
			return err
		}
		if err := add(t, lo, w.ent[:done]); err != nil {
			return fmt.Errorf("groupby %s: %w", s.lay.spec.Name, err)
		}
		lo += done
		if s.taken.Add(t.bytes()-before) > s.most {
			s.giveUp()
		}
		if done < m {
			s.giveUp()
			if err := s.sendOut(ctx, w, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shared) makeTable(part *sharedPart) error {
	if part.t != nil {
		return nil
	}
	t, err := newTableOf(s.lay, s.acct, s.most, sharedSlots)
	if errors.Is(err, mem.ErrLimit) {
		s.giveUp()
		t, err = newTableOf(s.lay, s.acct, s.most, sharedSlots)
	}
	if err != nil {
		return err
	}
	t.gentle = true
	part.t = t
	s.taken.Add(t.bytes())
	return nil
}

// sendOut sends the groups of a partition to the level as states and gives their memory back.
func (s *shared) sendOut(ctx context.Context, w *worker, part *sharedPart) error {
	t := part.t
	if t == nil {
		return nil
	}
	s.spare.release()
	from := t // whose keys ranges are cut from, where there are none yet: those of one partition may be few
	if w.t != nil && w.t.groups() > t.groups() {
		from = w.t
	}
	err := t.states(w.lay.flushRows(), func(b *batch.Batch) error {
		return s.lev.appendTo(ctx, &s.lev.states, from, w.id, s.lev.unitOf(w.id, b.N), b, nil)
	})
	s.drop(part)
	return err
}

func (s *shared) drop(part *sharedPart) {
	if part.t != nil {
		s.taken.Add(-part.t.bytes())
		part.t.release()
		part.t = nil
	}
}

// leave sends what a worker has gathered, and all groups, to the level: once for each worker, after shared was given up.
func (s *shared) leave(ctx context.Context, w *worker) error {
	s.pushTails(w.id)
	for p := range s.parts {
		if err := s.work(ctx, w, p, true); err != nil {
			return err
		}
	}
	return nil
}

// end brings all rows that wait into the tables, when no more come; with out all groups go to the level then. The workers share the partitions.
func (s *shared) end(ctx context.Context, workers []*worker, out bool) error {
	defer s.spare.release()
	errs := make([]error, len(workers))
	for i := range workers {
		s.pushTails(i)
	}
	parallel.Run(len(workers), func(i int) {
		for p := i; p < len(s.parts) && errs[i] == nil; p += len(workers) {
			errs[i] = s.work(ctx, workers[i], p, out)
		}
	})
	return errors.Join(errs...)
}

// pushTails lets the chunks of a worker that are not full wait with the others.
func (s *shared) pushTails(worker int) {
	for p, c := range s.tails[worker] {
		if c != nil {
			s.push(p, c)
			s.tails[worker][p] = nil
		}
	}
}

// open returns the groups of partition p as a stream, once.
func (s *shared) open(src *source, p int, acct *mem.Account) (batch.Stream, error) {
	part := &s.parts[p]
	if part.t == nil {
		return &tableStream{s: src}, nil
	}
	t := part.t
	s.taken.Add(-t.bytes())
	part.t, t.acct = nil, acct
	return newTableStream(src, t)
}

func (s *shared) close() {
	if s == nil {
		return
	}
	s.spare.release()
	for _, tails := range s.tails {
		for p, c := range tails {
			if c != nil {
				c.buf.Release()
				tails[p] = nil
			}
		}
	}
	for i := range s.parts {
		part := &s.parts[i]
		for _, c := range part.waiting() {
			c.buf.Release()
		}
		s.drop(part)
	}
}
