package groupby

import (
	"context"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	// chunk is how many rows go through the key lookup and then through the aggregates
	// at a time at most: their entries are still in the cache when the second comes.
	chunk = 1024
	// chunkWords bounds the words that a chunk's keys or entries take, down to leastChunk of them.
	chunkWords = 1 << 18
	leastChunk = 16
	// flushMost is how many groups travel in one batch of states, at most and at least.
	flushMost, flushLeast = 4096, 512
	// flushBytes is what they take where they are wide, but for that.
	flushBytes = 1 << 20
	// freezeFactor times the groups of a table that did not reduce its input pass it by before it is tried
	// again; freezeGrowth times as long after every trial in vain.
	freezeFactor = 16
	freezeGrowth = 4
	freezeMost   = 1 << 12
	// A frozen table that knows fewer than one row in blindShare is not asked for the next blindBatches: looking
	// up a row in a table beyond the caches costs a good part of what sending it on does.
	blindShare   = 4
	blindBatches = 16
)

// errFull says that the table of a worker without a level has no more room.
var errFull = errors.New("the table is full")

// worker is what one goroutine needs to aggregate: its table, scratch, and the level
// that takes what the table has no room for.
//
// A full table that reduced its input (fewer groups than four in five rows) is held for as long as sending the
// rows of other groups on is less than flushing it would be (see held), else flushed
// to the level as states. One that did not is frozen: rows of its groups still go into it,
// so that a heavy key does not travel row by row, and all others go to the level as they
// are, until it is flushed and tried anew, later and later. One that few rows belong to is
// not even asked, but for a batch now and then. None of these choices shows in the result.
type worker struct {
	id  int
	lay *layout
	lev *level  // nil: errFull instead
	sh  *shared // what comes before the level, or nil
	t   *table

	step   int // rows at a time
	kw     []uint64
	hash   []uint64
	ent    []uint32
	masked []uint32
	hasher batch.Hasher
	sums   *mem.Buf // hashes of a batch whose keys have bytes
	hashed bool     // sums is that of the rows in hand
	codes  codeCache
	probed probeIn // of resolveOne
	one    oneHash
	long   []longest // of the columns' last dictionaries

	seen   int64 // rows into the table since it was empty
	frozen bool
	left   int64    // rows until a frozen table is flushed
	freeze int64    // the factor of the next freeze
	blind  int      // batches that pass a frozen table by without a look
	miss   *mem.Buf // rows of the batch that a frozen table did not know
	missN  int

	held held

	router router
	apart  bool // it has left the shared tables, which were given up

	stats Stats
	rowAt map[int]int64 // next row number of the units in progress
}

func newWorker(id int, lay *layout, lev *level, acct *mem.Account, limit int64, expect int) (*worker, error) {
	t, err := newTable(lay, acct, limit, expect)
	if err != nil {
		return nil, err
	}
	step := chunkOf(lay.keys.words)
	return &worker{
		id: id, lay: lay, lev: lev, t: t, freeze: freezeFactor, rowAt: map[int]int64{}, step: step,
		kw: make([]uint64, step*max(lay.keys.words, 1)), hash: make([]uint64, step),
		ent: make([]uint32, step), masked: make([]uint32, step),
	}, nil
}

// chunkOf returns how many rows go through the lookup at a time, where each takes so many words: fewer where keys have thousands
// of columns, as their words lie on the Go heap.
func chunkOf(words int) int { return max(leastChunk, min(chunk, chunkWords/max(words, 1))) }

func (w *worker) release() {
	if w.t != nil {
		w.t.release()
		w.t = nil
	}
	w.dropScratch()
}

func (w *worker) dropScratch() {
	w.sums.Release()
	w.miss.Release()
	w.router.buf.Release()
	w.sums, w.miss, w.router.buf = nil, nil, nil
	w.codes.release()
}

// addRows aggregates a batch of layout.raw, which it takes over.
func (w *worker) addRows(ctx context.Context, unit int, rows *batch.Batch) error {
	defer rows.Release()
	if w.blind > 0 && w.frozen {
		w.blind--
		return w.passBlind(ctx, unit, rows)
	}
	if w.lev != nil && len(w.lay.holds) > 0 {
		return w.passBlind(ctx, unit, rows)
	}
	if err := w.prepare(rows); err != nil {
		return err
	}
	w.missN = 0
	for lo := 0; lo < rows.N; {
		n := min(w.step, rows.N-lo)
		n, err := w.fit(ctx, rows, lo, n)
		if err != nil {
			return err
		}
		ent := w.ent[:n]
		done, err := w.resolve(rows, lo, ent)
		if err != nil {
			return err
		}
		if err := w.t.update(rows, lo, ent[:done], w.masked); err != nil {
			return fmt.Errorf("groupby %s: %w", w.lay.spec.Name, err)
		}
		lo += done
		if err := w.settle(ctx, done, done < n); err != nil {
			return err
		}
	}
	if w.missN == 0 {
		return nil
	}
	w.held.missed += int64(w.missN)
	if w.frozen && !w.held.on && (rows.N-w.missN)*blindShare < rows.N {
		w.blind = blindBatches
	}
	return w.bypass(ctx, unit, rows)
}

// passBlind sends all rows on without a look at the table.
func (w *worker) passBlind(ctx context.Context, unit int, rows *batch.Batch) error {
	w.missN, w.hashed = rows.N, false
	if w.lay.keys.vars && !w.lay.spec.Sort && !w.sh.active() {
		if err := w.hashKeys(rows); err != nil {
			return err
		}
	}
	if err := w.bypass(ctx, unit, rows); err != nil {
		return err
	}
	return w.settle(ctx, rows.N, false)
}

// hashKeys sets sums to the hashes of the rows' keys.
func (w *worker) hashKeys(rows *batch.Batch) error {
	if err := need(w.t.acct, &w.sums, 8*rows.N); err != nil {
		return err
	}
	w.hasher.Hash(rows.Cols[:len(w.lay.keys.cols)], batch.View[uint64](w.sums.Bytes())[:rows.N])
	w.hashed = true
	return nil
}

// settle counts rows and decides what becomes of a table that is full, or has been frozen for long enough.
func (w *worker) settle(ctx context.Context, rows int, full bool) error {
	w.seen += int64(rows)
	if w.frozen {
		if w.left -= int64(rows); w.left > 0 || w.hold() {
			return nil
		}
		return w.flush(ctx)
	}
	if !full {
		return nil
	}
	if w.lev == nil {
		return errFull
	}
	groups := int64(w.t.groups())
	if w.seen*4 > groups*5 {
		w.freeze = freezeFactor
		if w.tryHold() {
			return nil
		}
		return w.flush(ctx)
	}
	w.frozen, w.left, w.blind = true, w.freeze*groups, 0
	w.freeze = min(w.freeze*freezeGrowth, freezeMost)
	return nil
}

// prepare hashes the batch's keys where that is done by batch, and looks after the scratch.
func (w *worker) prepare(rows *batch.Batch) error {
	keys := rows.Cols[:len(w.lay.keys.cols)]
	w.hashed = false
	if err := need(w.t.acct, &w.miss, 4*rows.N); err != nil {
		return err
	}
	if err := w.codes.load(w, keys, rows.N); err != nil || w.codes.use {
		return err
	}
	if !w.lay.keys.vars {
		return nil
	}
	return w.hashKeys(rows)
}

// need makes *buf hold at least n bytes.
func need(acct *mem.Account, buf **mem.Buf, n int) error {
	if *buf != nil && len((*buf).Bytes()) >= n {
		return nil
	}
	(*buf).Release()
	*buf = nil
	b, err := acct.Alloc(max(n, 4096))
	if err != nil {
		return err
	}
	*buf = b
	return nil
}

// probe encodes rows [lo, lo+n) of the keys.
func (w *worker) probe(rows *batch.Batch, lo, n int) probeIn {
	k := &w.lay.keys
	in := probeIn{cols: rows.Cols[:len(k.cols)], lo: lo, kw: w.kw[:n*k.words], hash: w.hash[:n]}
	k.encode(in.cols, lo, n, in.kw)
	if k.vars {
		in.hash = batch.View[uint64](w.sums.Bytes())[lo : lo+n]
	} else {
		k.hashWords(in.kw, in.hash)
	}
	return in
}

// resolve sets ent to the entries of the rows from lo on, and returns how many it did
// before the table was full. With a frozen table, unknown rows are noted as misses.
func (w *worker) resolve(rows *batch.Batch, lo int, ent []uint32) (int, error) {
	if len(w.lay.keys.cols) == 0 {
		for i := range ent {
			ent[i] = 1
		}
		return len(ent), nil
	}
	if w.codes.use {
		return w.resolveCodes(rows.Cols[:len(w.lay.keys.cols)], lo, ent)
	}
	in := w.probe(rows, lo, len(ent))
	if !w.frozen {
		return w.t.upsert(&in, ent)
	}
	w.t.lookup(&in, ent)
	for i, e := range ent {
		if e == 0 {
			w.noteMiss(lo + i)
		}
	}
	return len(ent), nil
}

func (w *worker) noteMiss(row int) {
	batch.View[uint32](w.miss.Bytes())[w.missN] = uint32(row)
	w.missN++
}

// addStates merges a batch of layout.state, which it takes over.
func (w *worker) addStates(ctx context.Context, b *batch.Batch) error {
	defer b.Release()
	if w.frozen {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	w.codes.use = false
	if w.lay.keys.vars {
		if err := w.hashKeys(b); err != nil {
			return err
		}
	}
	for lo := 0; lo < b.N; {
		n, err := w.fit(ctx, b, lo, min(w.step, b.N-lo))
		if err != nil {
			return err
		}
		ent := w.ent[:n]
		done, err := w.resolve(b, lo, ent)
		if err != nil {
			return err
		}
		if err := w.t.mergeStates(b, lo, ent[:done]); err != nil {
			return fmt.Errorf("groupby %s: %w", w.lay.spec.Name, err)
		}
		lo += done
		if done == n {
			continue
		}
		if w.lev == nil {
			return errFull
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// flush sends all groups to the level as states and empties the table.
func (w *worker) flush(ctx context.Context) error {
	err := w.t.states(w.lay.flushRows(), func(b *batch.Batch) error {
		return w.sendStates(ctx, b)
	})
	if err != nil {
		return err
	}
	w.stats.Flushes++
	w.t.reset()
	w.codes.forget()
	w.seen, w.frozen, w.held.on = 0, false, false
	return nil
}
