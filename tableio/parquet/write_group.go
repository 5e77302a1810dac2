package parquet

import (
	"sync"

	"pqjoin/batch"
	"pqjoin/internal/parallel"
)

// slab is a run of rows whose columns are encoded independently of one another: one page a column.
// It holds references to the batches that the rows lie in.
type slab struct {
	parts []slabPart
	rows  int
	left  int // lanes that have not encoded it; guarded by the scheduler
}

type slabPart struct {
	b    *batch.Batch
	i, j int
}

func (s *slab) release() {
	for _, p := range s.parts {
		p.b.Release()
	}
	s.parts = nil
}

// rowGroup is an open row group: its column chunks, and the lanes that encode them.
type rowGroup struct {
	seq    int
	rows   int64
	raw    int64
	fields []writeField
	chunks []chunkWriter // one a leaf
	lanes  []lane
	left   int           // unfinished lanes; guarded by the scheduler
	done   chan struct{} // closed when all chunks are finished
}

// lane is a share of a row group's fields. Its slabs are encoded one after the other.
type lane struct {
	group   *rowGroup
	lo, hi  int
	queue   []*slab
	running bool // a worker has it, or it waits for one
	eof     bool // no slab follows
	broken  bool // a slab failed: the rest is only counted
}

// scheduler hands lanes that have work to workers.
type scheduler struct {
	mu    sync.Mutex
	cond  *sync.Cond
	ready []*lane
	stop  bool
	slabs chan struct{} // a token for every slab in flight
}

func newScheduler(inFlight int) *scheduler {
	s := &scheduler{slabs: make(chan struct{}, inFlight)}
	s.cond = sync.NewCond(&s.mu)
	return s
}

// submit queues the slab for all lanes of the group. The caller has put a token into slabs.
func (s *scheduler) submit(g *rowGroup, sl *slab) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.left = len(g.lanes)
	if sl.left == 0 { // no columns
		sl.release()
		<-s.slabs
	}
	for i := range g.lanes {
		l := &g.lanes[i]
		l.queue = append(l.queue, sl)
		s.wake(l)
	}
}

// end says that the group gets no more slabs.
func (s *scheduler) end(g *rowGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range g.lanes {
		g.lanes[i].eof = true
		s.wake(&g.lanes[i])
	}
}

func (s *scheduler) wake(l *lane) {
	if !l.running {
		l.running = true
		s.ready = append(s.ready, l)
		s.cond.Signal()
	}
}

// next returns a lane and its next slab, nil where the lane has reached its end, or no lane when it is time to stop.
func (s *scheduler) next() (*lane, *slab) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.ready) == 0 && !s.stop {
		s.cond.Wait()
	}
	if s.stop {
		return nil, nil
	}
	l := s.ready[0]
	s.ready = s.ready[1:]
	if len(l.queue) == 0 {
		return l, nil
	}
	sl := l.queue[0]
	l.queue = l.queue[1:]
	return l, sl
}

// encoded says that the lane is through with the slab.
func (s *scheduler) encoded(l *lane, sl *slab) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.running = false
	if len(l.queue) > 0 || l.eof {
		s.wake(l)
	}
	if sl.left--; sl.left == 0 {
		sl.release()
		<-s.slabs
	}
}

// finished says that the lane's chunks are complete.
func (s *scheduler) finished(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.group.left--; l.group.left == 0 {
		close(l.group.done)
	}
}

// halt makes the workers return.
func (s *scheduler) halt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = true
	s.cond.Broadcast()
}

// drop releases what a group holds; nobody works on it any more.
func (g *rowGroup) drop() {
	for i := range g.lanes {
		for _, sl := range g.lanes[i].queue {
			if sl.left--; sl.left == 0 {
				sl.release()
			}
		}
		g.lanes[i].queue = nil
	}
	for i := range g.chunks {
		g.chunks[i].release()
	}
}

// work is one encoding goroutine.
func (w *Writer) work() {
	defer w.workers.Done()
	e := &encoder{acct: w.opts.Acct, codec: compressor{acct: w.opts.Acct}}
	defer e.close()
	for {
		l, sl := w.sched.next()
		if l == nil {
			return
		}
		if !l.broken {
			if err := l.contained(e, sl); err != nil {
				l.broken = true // its chunks are half a page ahead of what they say
				w.fail(err)     // before the committer may see the group as finished
			}
		}
		if sl == nil {
			w.sched.finished(l)
		} else {
			w.sched.encoded(l, sl)
		}
	}
}

// contained is step, and an error where it panics: the lane counts as finished then, too.
func (l *lane) contained(e *encoder, sl *slab) (err error) {
	defer parallel.Contain(&err)
	return l.step(e, sl)
}

// step encodes one slab of a lane, or finishes the lane's chunks where sl is nil.
func (l *lane) step(e *encoder, sl *slab) error {
	for i := l.lo; i < l.hi; i++ {
		f := &l.group.fields[i]
		chunks := l.group.chunks[f.first : f.first+f.n]
		if sl == nil {
			for k := range chunks {
				if err := chunks[k].finish(e); err != nil {
					return err
				}
			}
			continue
		}
		e.spans = e.spans[:0]
		for _, p := range sl.parts {
			e.spans = append(e.spans, span{p.b.Cols[i], p.i, p.j})
		}
		var err error
		if f.root != nil {
			err = f.shred(e, e.spans, chunks)
		} else {
			err = chunks[0].encode(e, e.spans)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
