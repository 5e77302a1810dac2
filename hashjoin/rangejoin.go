package hashjoin

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"pqjoin/batch"
	"pqjoin/mem"
)

// An Assigner maps rows to partitions by key range: rows of equal keys to the same partition, and
// partitions in the order of the keys. extsort.Splitters is one.
type Assigner interface {
	// Assign sets out to the partition of each row of b.
	Assign(acct *mem.Account, b *batch.Batch, out []uint16) error
}

// RangeSpec is a join whose left side comes sorted by the join key (or by an order that begins with it).
type RangeSpec struct {
	Spec
	// RightParts assigns right rows to Spec.Partitions ranges, and LeftParts left rows to the same ranges.
	RightParts, LeftParts Assigner
	// Order is how the left is sorted by its keys, in the order of LeftKeys; Column is not looked at. nil: ascending, nulls last.
	Order []batch.SortKey
}

// Range joins a sorted left side with a right side that is cut by ranges of the key: it is
// the batch.Sink of the right side; then Probe joins left units, in any number of workers. Each
// left stream walks over the right's partitions, in whatever relation units and partitions are. The left's order is kept.
type Range struct {
	*join
	spec RangeSpec
	top  *rangeLevel

	mu      sync.Mutex
	at      map[int]int // units that are open: the partition each is at
	low     int         // partitions below are dropped
	started int         // the partition that the last opened unit was known to begin at or after
	ends    map[int]unitEnds
}

// NewRange returns the sink of the right side. Joins that put out right rows without a match are refused: Hash does them.
func NewRange(spec RangeSpec) (*Range, error) {
	if spec.Kind.keepsRight() {
		return nil, fmt.Errorf("join %s: right rows without a match are found by hash partitions", spec.Name)
	}
	j, err := newJoin(spec.Spec)
	if err != nil {
		return nil, err
	}
	st, err := j.spec.Stores(spec.Name+", right side", j.schema, j.spec.Partitions, j.spec.Workers)
	if err != nil {
		return nil, err
	}
	r := &Range{join: j, spec: spec, at: map[int]int{}, ends: map[int]unitEnds{}}
	r.top = &rangeLevel{r: r, st: st, left: spec.LeftParts, subs: map[int]*rangeLevel{}}
	return r, nil
}

// Put takes right rows in. Those that can match nothing are dropped at once.
func (r *Range) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	buf, err := r.join.spec.Acct.Alloc(2 * b.N)
	if err != nil {
		b.Release()
		return err
	}
	defer buf.Release()
	cols := make([]*batch.Column, len(r.spec.RightKeys))
	nulls := 0
	for i, c := range r.spec.RightKeys {
		cols[i] = b.Cols[c]
		nulls += cols[i].Nulls
	}
	if nulls > 0 && !r.spec.NullsEqual {
		n := b.N
		if b, err = dropNullKeys(r.join.spec.Acct, b, r.spec.RightKeys); err != nil {
			return err
		}
		r.right.Add(int64(n - b.N))
	}
	if b.N == 0 {
		b.Release()
		return nil
	}
	parts := batch.View[uint16](buf.Bytes())[:b.N]
	if err := r.spec.RightParts.Assign(r.join.spec.Acct, b, parts); err != nil {
		b.Release()
		return err
	}
	if b, err = r.storedRows(b); err != nil {
		return err
	}
	return r.top.st.Append(ctx, worker, unit, parts, b)
}

// EndUnit does nothing: units are told apart by their numbers.
func (r *Range) EndUnit(context.Context, int, int) error { return nil }

// Finish ends the right side; left units can be probed after it.
func (r *Range) Finish(ctx context.Context) error {
	if err := r.top.st.Seal(ctx); err != nil {
		return err
	}
	if !r.spec.Validate.RightUnique() {
		return nil
	}
	for p := range r.join.spec.Partitions {
		if err := r.rightUnique(ctx, r.join.spec.Acct, part{r.top.st, p}); err != nil {
			return err
		}
	}
	return nil
}

// Probe joins a left unit, which it takes over; units are opened in ascending order. acct pays for its tables and the output.
func (r *Range) Probe(unit int, left batch.Stream, acct *mem.Account) batch.Stream {
	r.mu.Lock()
	r.at[unit] = r.started
	r.mu.Unlock()
	w := &walker{lv: r.top, acct: acct, cur: -1, unit: unit}
	s := &matchStream{j: r.join, left: left, m: w, want: -1}
	if r.spec.Validate.LeftUnique() {
		s.check = &leftOrderCheck{j: r.join, done: func(e unitEnds) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ends[unit] = e
		}}
	}
	return s
}

// moved notes that a unit reached partition p (-1: it is done) and drops the partitions that nobody comes back to.
func (r *Range) moved(unit, p int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p < 0 {
		delete(r.at, unit)
		return
	}
	r.at[unit] = p
	low := p
	last := 0
	for u, q := range r.at {
		low, last = min(low, q), max(last, u)
	}
	if unit == last {
		r.started = p
	}
	for ; r.low < low; r.low++ {
		r.top.st.Drop(r.low)
		r.top.dropSub(r.low)
	}
}

// Done checks, after all units, what no unit can see alone: that no left key is in two of them where it must be unique.
func (r *Range) Done(units int) error {
	var prev *batch.Batch
	for u := range units {
		e := r.ends[u]
		if e.first == nil {
			continue
		}
		if prev != nil && r.sameLeftKey(prev, e.first) {
			all := make([]int, len(e.first.Cols))
			for i := range all {
				all[i] = i
			}
			return r.repeated("left", e.first, all, 0, 2, -1)
		}
		prev = e.last
	}
	return nil
}

// Close gives the right rows back; it comes after the streams are closed.
func (r *Range) Close() error { return r.top.close() }

// rangeLevel is right partitions in key order: those of the whole side, or the finer ones of a partition that was too large.
type rangeLevel struct {
	r      *Range
	st     Store
	left   Assigner
	single []bool // which partitions hold one key by construction; nil: none
	depth  int

	mu   sync.Mutex
	subs map[int]*rangeLevel
}

func (l *rangeLevel) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.st.Close()
	for p, s := range l.subs {
		err = errors.Join(err, s.close())
		delete(l.subs, p)
	}
	return err
}

func (l *rangeLevel) dropSub(p int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.subs[p]; s != nil {
		s.close() // nobody reads it, and it has nothing left to write
		delete(l.subs, p)
	}
}

// matcher returns what joins left rows with partition p: a table, a replay, or a walk over finer ranges.
func (l *rangeLevel) matcher(ctx context.Context, acct *mem.Account, p int) (matcher, error) {
	j, x := l.r.join, part{l.st, p}
	if x.tableBytes() <= j.spec.PartBytes && x.rows() <= maxTableRows {
		t, err := j.loadTable(ctx, acct, x)
		if err == nil {
			return newTableMatcher(j, acct, t, true), nil
		}
		if !errors.Is(err, mem.ErrLimit) {
			return nil, err
		}
	}
	if l.depth >= maxLevel || l.single != nil && l.single[p] {
		return newReplay(j, acct, x, 1), nil
	}
	sub, err := l.sub(ctx, acct, p)
	if err != nil {
		return nil, err
	}
	return &walker{lv: sub, acct: acct, cur: -1, unit: -1}, nil
}

// walker joins left rows with the partitions of a level, one loaded at a time.
type walker struct {
	lv   *rangeLevel
	acct *mem.Account
	unit int // -1: below the top level

	left  *batch.Batch
	parts *mem.Buf
	row   int
	cur   int // the partition of m
	m     matcher
	busy  bool // m has rows in hand
}

func (w *walker) start(_ context.Context, left *batch.Batch) error {
	w.left, w.row = left, 0
	var err error
	if w.parts, err = w.acct.Alloc(2 * left.N); err != nil {
		return err
	}
	return w.lv.left.Assign(w.acct, left, batch.View[uint16](w.parts.Bytes()))
}

func (w *walker) next(ctx context.Context) (*batch.Batch, error) {
	for {
		if w.busy {
			b, err := w.m.next(ctx)
			if b != nil || err != nil {
				return b, err
			}
			w.busy = false
		}
		if w.row == w.left.N {
			w.endBatch()
			return nil, nil
		}
		if err := w.feed(ctx); err != nil {
			return nil, err
		}
	}
}

// feed hands the next rows of one partition to its matcher.
func (w *walker) feed(ctx context.Context) error {
	parts := batch.View[uint16](w.parts.Bytes())[w.row:]
	n := 1
	for n < len(parts) && parts[n] == parts[0] {
		n++
	}
	if p := int(parts[0]); w.m == nil || p != w.cur {
		if err := w.enter(ctx, p); err != nil {
			return err
		}
	}
	rows, err := w.left.Slice(w.acct, w.row, w.row+n)
	if err != nil {
		return err
	}
	w.row += n
	w.busy = true
	return w.m.start(ctx, rows)
}

func (w *walker) enter(ctx context.Context, p int) error {
	if w.m != nil {
		w.m.close()
		w.m = nil
	}
	if w.unit >= 0 {
		if p < w.cur {
			return fmt.Errorf("%w: join %s: left rows are not sorted by the join key (partition %d after %d)",
				ErrSelfCheck, w.lv.r.spec.Name, p, w.cur)
		}
		w.lv.r.moved(w.unit, p)
	}
	w.cur = p
	var err error
	w.m, err = w.lv.matcher(ctx, w.acct, p)
	return err
}

func (w *walker) endBatch() {
	w.left.Release()
	w.parts.Release()
	w.left, w.parts = nil, nil
}

func (w *walker) close() {
	w.endBatch()
	if w.m != nil {
		w.m.close()
		w.m = nil
	}
	if w.unit >= 0 {
		w.lv.r.moved(w.unit, -1)
		w.unit = -1
	}
}
