package extsort

import (
	"context"
	"errors"
	"io"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Source is the sorted table. Its units ascend in key order, and so do the rows within.
// Its streams are batch.Tailers.
type Source struct {
	s     *Sorter
	units [][]leaf
}

// Source returns the sorted table, after Finish: a unit is a partition, or a piece of one
// that was cut again. A unit's memory comes from the account given to Open; it is at most
// Spec.MaxLoad, besides the batches put out. Each unit can be opened once, and its data is dropped as it is read.
func (s *Sorter) Source() *Source {
	out := &Source{s: s}
	for _, part := range s.leaves {
		for _, l := range part {
			out.units = append(out.units, []leaf{l})
		}
	}
	return out
}

// Ranges is Source with exactly one unit for each range of the splitters, for operators that pair it with another table's.
func (s *Sorter) Ranges() *Source { return &Source{s: s, units: s.leaves} }

// Schema implements batch.Source.
func (src *Source) Schema() *batch.Schema { return src.s.spec.Schema }

// Units implements batch.Source.
func (src *Source) Units() int { return len(src.units) }

// UnitRows returns exactly how many rows a unit has.
func (src *Source) UnitRows(unit int) int64 {
	n := int64(0)
	for _, l := range src.units[unit] {
		n += l.rows
	}
	return n
}

// Open implements batch.Source. Loading and sorting happen with the first Next or Tail.
func (src *Source) Open(ctx context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	return &unitStream{ctx: ctx, s: src.s, acct: acct, leaves: src.units[unit]}, nil
}

// run is one leaf being read.
type run interface {
	batch.Stream
	// tail returns the last min(k, rows) rows, before the first Next.
	tail(k int) (*batch.Batch, error)
}

// unitStream reads the leaves of a unit one after the other.
type unitStream struct {
	ctx    context.Context // of Open, for Tail
	s      *Sorter
	acct   *mem.Account
	leaves []leaf
	cur    run // of leaves[0]; nil before it is opened
}

// Next implements batch.Stream.
func (u *unitStream) Next(ctx context.Context) (*batch.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(u.leaves) == 0 {
			return nil, io.EOF
		}
		if err := u.ready(ctx); err != nil {
			return nil, err
		}
		b, err := u.cur.Next(ctx)
		if err != io.EOF {
			return b, err
		}
		if err := u.drop(); err != nil {
			return nil, err
		}
	}
}

func (u *unitStream) ready(ctx context.Context) (err error) {
	if u.cur != nil {
		return nil
	}
	for u.leaves[0].uncut {
		if err := u.expand(ctx, 0); err != nil {
			return err
		}
	}
	u.cur, err = u.s.open(ctx, u.leaves[0], u.acct)
	return err
}

// expand cuts leaf i by one level, so that few stores live at once.
func (u *unitStream) expand(ctx context.Context, i int) error {
	c := &cutter{s: u.s, acct: u.acct, most: 1}
	l := u.leaves[i]
	owner := l.owner
	leaves, err := c.cutLeaf(ctx, l)
	if err != nil {
		return errors.Join(err, c.close())
	}
	if len(c.stores) == 0 { // one key, after all
		u.leaves[i] = leaves[0]
		return nil
	}
	c.live = len(leaves)
	for k := range leaves {
		leaves[k].owner = c
	}
	u.leaves = slices.Concat(u.leaves[:i], leaves, u.leaves[i+1:])
	return owner.done()
}

// drop ends the current leaf.
func (u *unitStream) drop() error {
	l := u.leaves[0]
	u.leaves = u.leaves[1:]
	var err error
	if u.cur != nil {
		err = u.cur.Close()
		u.cur = nil
	}
	l.store.Drop(l.part)
	return errors.Join(err, l.owner.done())
}

// Tail implements batch.Tailer. In a unit of one leaf it costs nothing that Next does not
// need; in one of several the last are loaded and sorted for it, and again when their turn comes.
func (u *unitStream) Tail(k int) (*batch.Batch, error) {
	var parts []*batch.Batch // last first
	defer func() {
		for _, b := range parts {
			b.Release()
		}
	}()
	for i := len(u.leaves) - 1; i >= 0 && k > 0; i-- {
		for u.leaves[i].uncut {
			before := len(u.leaves)
			if err := u.expand(u.ctx, i); err != nil {
				return nil, err
			}
			i += len(u.leaves) - before
		}
		b, err := u.leafTail(i, k)
		if err != nil {
			return nil, err
		}
		parts = append([]*batch.Batch{b}, parts...)
		k -= b.N
	}
	return batch.Concat(u.acct, u.s.spec.Schema, parts)
}

func (u *unitStream) leafTail(i, k int) (b *batch.Batch, err error) {
	if i == 0 {
		if err := u.ready(u.ctx); err != nil {
			return nil, err
		}
		return u.cur.tail(k)
	}
	r, err := u.s.open(u.ctx, u.leaves[i], u.acct)
	if err != nil {
		return nil, err
	}
	b, err = r.tail(k)
	if cerr := r.Close(); cerr != nil && err == nil {
		b.Release()
		return nil, cerr
	}
	return b, err
}

// Close implements batch.Stream: what was not read is dropped.
func (u *unitStream) Close() error {
	var err error
	for len(u.leaves) > 0 {
		err = errors.Join(err, u.drop())
	}
	return err
}

func (s *Sorter) open(ctx context.Context, l leaf, acct *mem.Account) (run, error) {
	if l.single && !(s.fits(l) && l.rows <= int64(s.batchRows(l))) {
		return &passRun{ctx: ctx, s: s, l: l, acct: acct}, nil
	}
	r, err := s.openSorted(ctx, l, acct)
	if err != nil {
		return nil, err // not a nil *sortedRun, which would be a run
	}
	return r, nil
}

// sortedRun is a loaded leaf and its order.
type sortedRun struct {
	b    *batch.Batch
	perm *Perm
	at   int
	step int
	acct *mem.Account
}

func (s *Sorter) openSorted(ctx context.Context, l leaf, acct *mem.Account) (*sortedRun, error) {
	b, err := l.store.Load(ctx, l.part, acct, nil)
	if err != nil {
		return nil, err
	}
	r := &sortedRun{b: b, step: s.batchRows(l), acct: acct, perm: &Perm{n: b.N}}
	if l.single {
		return r, nil
	}
	if r.perm, err = Order(acct, batch.KeyColumns(b, s.spec.Keys), s.spec.Keys, b.N); err != nil {
		b.Release()
		return nil, err
	}
	return r, nil
}

func (r *sortedRun) Next(context.Context) (*batch.Batch, error) {
	if r.b == nil || r.at == r.b.N {
		return nil, io.EOF
	}
	from := r.at
	r.at = min(from+r.step, r.b.N)
	return r.rows(from, r.at)
}

func (r *sortedRun) rows(i, j int) (*batch.Batch, error) {
	if r.perm.ids == nil {
		return r.b.Slice(r.acct, i, j)
	}
	return batch.GatherBatch(r.acct, r.b, r.perm.ids[i:j])
}

func (r *sortedRun) tail(k int) (*batch.Batch, error) {
	return r.rows(max(r.b.N-k, 0), r.b.N)
}

func (r *sortedRun) Close() error {
	r.b.Release()
	r.perm.Release()
	r.b, r.perm = nil, nil
	return nil
}

// passRun streams a leaf of one key as it lies.
type passRun struct {
	ctx  context.Context
	s    *Sorter
	l    leaf
	acct *mem.Account
	in   batch.Stream
}

func (r *passRun) stream(ctx context.Context) (batch.Stream, error) {
	return r.l.store.Stream(ctx, r.l.part, r.acct, nil, r.s.batchRows(r.l))
}

func (r *passRun) Next(ctx context.Context) (b *batch.Batch, err error) {
	if r.in == nil {
		if r.in, err = r.stream(ctx); err != nil {
			return nil, err
		}
	}
	return r.in.Next(ctx)
}

// tail reads the leaf once and keeps the batches that hold its last k rows.
func (r *passRun) tail(k int) (*batch.Batch, error) {
	in, err := r.stream(r.ctx)
	if err != nil {
		return nil, err
	}
	var kept []*batch.Batch
	defer func() {
		for _, b := range kept {
			b.Release()
		}
	}()
	left := r.l.rows
	err = eachBatch(r.ctx, in, func(b *batch.Batch) error {
		before := left
		left -= int64(b.N)
		if left >= int64(k) {
			b.Release()
			return nil
		}
		if before <= int64(k) {
			kept = append(kept, b)
			return nil
		}
		defer b.Release()
		last, err := b.Slice(r.acct, int(before-int64(k)), b.N)
		if err == nil {
			kept = append(kept, last)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return batch.Concat(r.acct, r.s.spec.Schema, kept)
}

func (r *passRun) Close() error {
	if r.in == nil {
		return nil
	}
	return r.in.Close()
}
