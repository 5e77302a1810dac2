package groupby

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	// resplit is into how many partitions one that is too large is cut.
	resplit = 16
	// maxDepth bounds repeated cutting; ranges cut from distinct keys make progress each time.
	maxDepth = 40
	// hashDepth is from where on an unsorted aggregation cuts by range too, should hashes collide.
	hashDepth = 4
)

// source is the result of a Grouper: one unit of the merged table, or one for each partition, of the shared tables or of the level.
type source struct {
	g     *Grouper
	units int
	sh    *shared // where the units are its partitions, else nil

	mu    sync.Mutex
	stats Stats
}

func (s *source) Schema() *batch.Schema { return s.g.spec.Out }
func (s *source) Units() int            { return s.units }

func (s *source) Open(_ context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	if s.sh != nil {
		return s.sh.open(s, unit, acct)
	}
	if s.g.top.used() {
		return &partStream{s: s, acct: acct, todo: []part{{lev: s.g.top, p: unit}}}, nil
	}
	w := s.g.workers[0]
	t := w.t
	w.t = nil
	if t == nil {
		return nil, fmt.Errorf("groupby %s: unit %d opened twice", s.g.spec.Name, unit)
	}
	t.acct = acct
	return newTableStream(s, t)
}

func (s *source) count(o Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.add(o)
}

// tableStream puts out the groups of a table, which it owns.
type tableStream struct {
	s     *source
	t     *table
	order *mem.Buf
	ents  []uint32 // still to come
}

func newTableStream(s *source, t *table) (*tableStream, error) {
	order, err := t.order(t.lay.spec.Sort)
	if err != nil {
		t.release()
		return nil, err
	}
	return &tableStream{s: s, t: t, order: order, ents: batch.View[uint32](order.Bytes())[:t.groups()]}, nil
}

func (ts *tableStream) Next(ctx context.Context) (*batch.Batch, error) {
	if len(ts.ents) == 0 {
		return nil, io.EOF
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := min(len(ts.ents), ts.t.lay.spec.BatchRows)
	b, err := ts.t.resultBatch(ts.ents[:n])
	if err != nil {
		return nil, err
	}
	ts.ents = ts.ents[n:]
	ts.s.count(Stats{Groups: int64(n)})
	return b, nil
}

func (ts *tableStream) Close() error {
	if ts.t != nil {
		ts.t.release()
		ts.order.Release()
		ts.t, ts.order, ts.ents = nil, nil, nil
	}
	return nil
}

// resultBatch returns the keys and the final aggregates of the entries.
func (t *table) resultBatch(ents []uint32) (*batch.Batch, error) {
	keys, err := t.keyColumns(ents)
	if err != nil {
		return nil, err
	}
	out := &batch.Batch{Schema: t.lay.spec.Out, N: len(ents), Cols: keys}
	for i := range t.lay.aggs {
		a := &t.lay.aggs[i]
		c, err := a.result(t, a.off, ents, a.typ)
		if err != nil {
			out.Release()
			return nil, t.explain(a, ents, err)
		}
		out.Cols = append(out.Cols, c)
	}
	return out, nil
}

// explain names the aggregate and the key of an overflow.
func (t *table) explain(a *aggregate, ents []uint32, err error) error {
	var o *overflow
	if !errors.As(err, &o) {
		return err
	}
	return fmt.Errorf("groupby %s: %s: %s does not fit %s%s: %w", t.lay.spec.Name, a.name, o.value, a.typ, t.keyText(ents[o.i]), ErrOverflow)
}

// keyText returns " for a=1, b=x": the key of an entry in an error message.
func (t *table) keyText(e uint32) string {
	cols, err := t.keyColumns([]uint32{e})
	if err != nil || len(cols) == 0 {
		return ""
	}
	defer releaseAll(cols)
	var out []string
	for i, c := range cols {
		out = append(out, t.lay.keys.schema.Fields[i].Name+"="+valueText(c))
	}
	return " for " + strings.Join(out, ", ")
}

func valueText(c *batch.Column) string {
	if c.IsNull(0) {
		return "null"
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return fmt.Sprint(c.Bools()[0] == 1)
	case batch.KindFloat64:
		return fmt.Sprint(c.Float64s()[0])
	case batch.KindInt128:
		return c.Int128s()[0].Big().String()
	case batch.KindBytes:
		return fmt.Sprintf("%.100q", c.Value(0))
	}
	if c.Type.IsUnsigned() {
		return fmt.Sprint(uint64(c.Int64s()[0]))
	}
	return fmt.Sprint(c.Int64s()[0])
}

// part is a partition of a level that is still to be put out.
type part struct {
	lev *level
	p   int
	end bool // the level is done and is closed
}

// partStream puts out one partition of the top level. One that is too large for a table is
// cut again, and its pieces come one after the other, in key order where that is wanted.
type partStream struct {
	s    *source
	acct *mem.Account
	todo []part // the next one last
	cur  *tableStream
}

func (ps *partStream) Next(ctx context.Context) (*batch.Batch, error) {
	for {
		if ps.cur != nil {
			b, err := ps.cur.Next(ctx)
			if err != io.EOF {
				return b, err
			}
			err = ps.cur.Close()
			ps.cur = nil
			if err != nil {
				return nil, err
			}
		}
		if len(ps.todo) == 0 {
			return nil, io.EOF
		}
		next := ps.todo[len(ps.todo)-1]
		ps.todo = ps.todo[:len(ps.todo)-1]
		var err error
		if next.end {
			err = ps.closeLevel(next.lev)
		} else {
			err = ps.begin(ctx, next)
		}
		if err != nil {
			return nil, err
		}
	}
}

// begin merges a partition into a table, or cuts it where the table is too small.
func (ps *partStream) begin(ctx context.Context, p part) error {
	lay := ps.s.g.lay
	n := p.lev.entries(p.p)
	if n == 0 {
		return nil
	}
	limit, expect := lay.spec.MaxLoad, min(n/2, 1<<30)
	if len(lay.holds) > 0 {
		limit, expect = limit/2, 0
	}
	w, err := newWorker(0, lay, nil, ps.acct, limit, int(expect))
	if err != nil {
		return err
	}
	defer w.release()
	if err := w.t.keep(n, limit); err != nil {
		return err
	}
	err = p.lev.feed(ctx, p.p, ps.acct, w)
	if err == nil {
		err = ps.settleValues(ctx, p, w, limit)
	}
	switch {
	case errors.Is(err, errFull):
		return ps.split(ctx, p, w)
	case err != nil:
		return err
	}
	p.lev.drop(p.p)
	w.dropScratch()
	t := w.t
	w.t = nil
	ps.cur, err = newTableStream(ps.s, t)
	return err
}

// split cuts a partition again, aggregating on the way through the table of w, which
// is full of its keys.
func (ps *partStream) split(ctx context.Context, p part, w *worker) error {
	g := ps.s.g
	depth := p.lev.depth + 1
	if depth > maxDepth {
		return fmt.Errorf("groupby %s: a partition cannot be cut any further: %w", g.spec.Name, mem.ErrLimit)
	}
	cut, err := ps.recut(ctx, p, w.t, depth)
	if err != nil {
		return err
	}
	child := &level{lay: g.lay, depth: depth, workers: 1, want: resplit, open: g.open, cut: cut}
	ps.s.count(Stats{Resplit: 1})
	ps.todo = append(ps.todo, part{lev: child, end: true})
	w.lev = child
	w.t.reset()
	w.codes.forget()
	w.seen = 0
	if err := p.lev.feed(ctx, p.p, ps.acct, w); err != nil {
		return err
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	w.release()
	if err := child.seal(ctx); err != nil {
		return err
	}
	p.lev.drop(p.p)
	for i := cut.partitions() - 1; i >= 0; i-- {
		ps.todo = append(ps.todo, part{lev: child, p: i})
	}
	return nil
}

// recut returns how to cut a partition: by hash, or by ranges of its own keys: of those in the
// table, which are distinct, and of a sample of the whole partition.
func (ps *partStream) recut(ctx context.Context, p part, t *table, depth int) (cutter, error) {
	lay := ps.s.g.lay
	if !lay.spec.Sort && depth < hashDepth {
		return hashCut{n: resplit, depth: depth}, nil
	}
	s, err := newSampler(lay, depth)
	if err != nil {
		return nil, err
	}
	const want = 64 * resplit
	if err := t.sample(s, want); err != nil {
		return nil, err
	}
	step := int(p.lev.entries(p.p)/want) + 1
	keys := make([]int, len(lay.keys.cols))
	for i := range keys {
		keys[i] = i
	}
	for _, st := range []store{p.lev.rows, p.lev.states} {
		if st == nil || st.Part(p.p).Rows == 0 {
			continue
		}
		err := drain(ctx, st, p.p, ps.acct, keys, func(_ context.Context, b *batch.Batch) error {
			defer b.Release()
			return s.addEvery(ps.acct, b, len(lay.keys.cols), step)
		})
		if err != nil {
			return nil, err
		}
	}
	return s.cut(resplit), nil
}

func (ps *partStream) closeLevel(l *level) error {
	ps.s.count(Stats{Spilled: l.spilled()})
	return l.close()
}

func (ps *partStream) Close() error {
	var errs []error
	if ps.cur != nil {
		errs = append(errs, ps.cur.Close())
		ps.cur = nil
	}
	for _, p := range ps.todo {
		if p.end {
			errs = append(errs, ps.closeLevel(p.lev))
		}
	}
	ps.todo = nil
	return errors.Join(errs...)
}
