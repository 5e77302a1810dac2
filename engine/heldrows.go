package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/plan"
)

const (
	// heldShare is the part of the pool, one in so many, that the rows may take that the estimate of a join holds for the run.
	heldShare = 16
	// heldMost and heldLeast bound that, in bytes: more rows are quicker read again than copied, and fewer are not worth it.
	heldMost  = 32 << 20
	heldLeast = 1 << 20
	// Of the first heldTrial batches one row in heldFew may pass at most: to copy more takes longer than to read them again.
	heldTrial = 4
	heldFew   = 8
)

// errManyRows says that too many rows pass a side's conditions to be held.
var errManyRows = errors.New("the rows are too many to be held")

// heldRows are the rows of a join's side that its estimate has read and that passed the side's conditions, which are so few that they
// are held in memory for the run, which then need not read the files again. They are by unit, in the order of the files. Their
// memory is a pool of its own, for which the run's gives up as much (Run.setAside).
type heldRows struct {
	pool  *mem.Pool
	acct  *mem.Account
	limit int64

	mu    sync.Mutex
	units map[int][]*batch.Batch
	puts  int
	rows  int
}

// holdable says whether it may be worth to hold the rows of n's table: it is read from files row by row, some rows are left out, and
// nothing else reads what it is made from.
func (r *Run) holdable(n *plan.Node) bool {
	filtered := false
	for {
		if p := r.nodes[n]; p == nil || r.spools(p) {
			return false
		}
		switch op := n.Op.(type) {
		case *plan.Scan:
			return filtered || op.Where != nil
		case *plan.Filter:
			filtered = true
		case *plan.Project:
		default:
			return false
		}
		n = n.Inputs[0]
	}
}

// hold sets memory aside for the rows of a side. It returns nil where there is none to spare.
func (r *Run) hold() *heldRows {
	left := r.poolLeft() // r.share may be of before another side's rows
	limit := min(left/heldShare, heldMost)
	if limit < heldLeast || left-limit < r.need.floor() {
		return nil
	}
	h := &heldRows{pool: mem.NewPool(limit, r.poolOptions()...), limit: limit, units: map[int][]*batch.Batch{}}
	h.acct = h.pool.Account("rows held from the estimate", 0)
	r.setAside += limit
	return h
}

// letGo gives the rows and what was set aside for them back.
func (r *Run) letGo(h *heldRows) error {
	r.setAside -= h.limit
	h.release()
	return errors.Join(h.acct.Close(), h.pool.Close())
}

// letGoAll is letGo for all sides.
func (r *Run) letGoAll() (err error) {
	for n, h := range r.held {
		err = errors.Join(err, r.letGo(h))
		delete(r.held, n)
	}
	return err
}

// sketchSide sketches the keys of a side, and holds its rows where they are few.
func (r *Run) sketchSide(ctx context.Context, n *plan.Node, keys []int, nulls bool) (*keySketch, error) {
	if r.held[n] == nil && r.holdable(n) {
		if h := r.hold(); h != nil {
			s, err := r.sketchHolding(ctx, n, keys, nulls, h)
			if err == nil {
				if r.held == nil {
					r.held = map[*plan.Node]*heldRows{}
				}
				r.held[n] = h
				return s, nil
			}
			if err = r.letGo(h); err != nil {
				return nil, err
			}
		}
	}
	return r.sketch(ctx, keysOnly(n, keys), nulls, r.nodes[n].est.Rows <= fewKeys) // which says what is wrong, if anything is
}

func (r *Run) sketchHolding(ctx context.Context, n *plan.Node, keys []int, nulls bool, h *heldRows) (*keySketch, error) {
	var sink *holdSink
	err := r.scratch(ctx, n, func(s Share) batch.Sink {
		sink = &holdSink{sketchSink: newSketchSink(s.Workers, nulls, r.nodes[n].est.Rows <= fewKeys), rows: h, keys: keys, schema: n.Schema.Select(keys), of: s.BatchRows}
		return sink
	})
	if err != nil {
		return nil, err
	}
	return sink.result(), nil
}

// holdSink sketches the keys of a table and holds its rows.
type holdSink struct {
	*sketchSink
	rows   *heldRows
	keys   []int
	schema *batch.Schema // of the keys
	of     int           // rows of a batch of the files
}

func (s *holdSink) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	err := s.rows.add(unit, b, s.of)
	if err != nil {
		b.Release()
		return err
	}
	keys := b.Select(s.schema, s.keys)
	b.Release()
	return s.sketchSink.Put(ctx, worker, unit, keys)
}

func (s *holdSink) EndUnit(_ context.Context, _, unit int) error { return s.rows.join(unit) }

// add copies the rows of b, which passed of so many. The error wraps errManyRows or mem.ErrLimit where they are, or will be, too many.
func (h *heldRows) add(unit int, b *batch.Batch, of int) error {
	c, err := batch.Concat(h.acct, b.Schema, []*batch.Batch{b})
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.units[unit] = append(h.units[unit], c)
	h.puts++
	if h.rows += b.N; h.puts == heldTrial && h.rows*heldFew > heldTrial*of {
		return fmt.Errorf("%w: %d of the first %d batches", errManyRows, h.rows, heldTrial)
	}
	return nil
}

// join makes one batch of a unit's: small ones take more than their rows.
func (h *heldRows) join(unit int) error {
	h.mu.Lock()
	parts := h.units[unit]
	h.mu.Unlock()
	if len(parts) < 2 {
		return nil
	}
	all, err := batch.Concat(h.acct, parts[0].Schema, parts)
	if err != nil {
		return err
	}
	for _, b := range parts {
		b.Release()
	}
	h.mu.Lock()
	h.units[unit] = []*batch.Batch{all}
	h.mu.Unlock()
	return nil
}

func (h *heldRows) release() {
	for _, bs := range h.units {
		for _, b := range bs {
			b.Release()
		}
	}
	h.units = nil
}

// instead makes in, which reads files row by row, give the rows that are held of them.
func (h *heldRows) instead(in *rel, batchRows int) *rel {
	s := &heldSource{schema: in.schema, rows: batchRows}
	last := -1
	for u := range h.units {
		last = max(last, u)
	}
	in.expect, in.counted = 0, true
	for u := range last + 1 {
		if bs := h.units[u]; len(bs) > 0 {
			s.units = append(s.units, bs)
			for _, b := range bs {
				in.expect += int64(b.N)
			}
		}
	}
	in.src, in.xs, in.columns = s, nil, nil
	in.reopen = func() batch.Source { return s }
	return in
}

// heldSource gives held rows, a unit of the files each.
type heldSource struct {
	schema *batch.Schema
	units  [][]*batch.Batch
	rows   int // of a batch, at most
}

func (s *heldSource) Schema() *batch.Schema { return s.schema }
func (s *heldSource) Units() int            { return len(s.units) }

func (s *heldSource) Open(_ context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	return &heldStream{source: s, left: s.units[unit], acct: acct}, nil
}

type heldStream struct {
	source *heldSource
	acct   *mem.Account
	left   []*batch.Batch
	at     int // rows of the first that were given
}

func (s *heldStream) Next(context.Context) (*batch.Batch, error) {
	if len(s.left) == 0 {
		return nil, io.EOF
	}
	b := s.left[0]
	to := min(s.at+s.source.rows, b.N)
	out, err := b.Slice(s.acct, s.at, to)
	if err != nil {
		return nil, err
	}
	out.Schema = s.source.schema
	if s.at = to; to == b.N {
		s.left, s.at = s.left[1:], 0
	}
	return out, nil
}

func (s *heldStream) Close() error {
	s.left = nil
	return nil
}
