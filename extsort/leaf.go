package extsort

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// maxDepth bounds how often a partition is cut again. Every cut separates keys, and all
// but hostile ones into even parts.
const maxDepth = 24

// eagerStores bounds the stores that Finish makes: each holds some memory and some files for as long as it lives.
const eagerStores = 8

// leaf is a partition that is ready to be read: it fits the load limit, or one key owns
// it, or, uncut, it is to be cut when its turn comes.
type leaf struct {
	store     *spillfile.Store
	part      int
	rows, raw int64
	data      int64 // bytes of the keys' values of variable width
	single    bool  // one key at most: in order as it lies
	uncut     bool
	depth     int     // times it was cut
	alike     int     // of these, times that all rows stayed together
	owner     *cutter // of the store, where it goes when its leaves have been read
}

// cutter cuts partitions into stores that it owns.
type cutter struct {
	s      *Sorter
	acct   *mem.Account
	most   int // stores; what else is too large is left uncut
	stores []*spillfile.Store
	live   int // leaves not yet read, of a cutter that leaves own
}

// done says that a leaf has been read; the last one closes the stores.
func (c *cutter) done() error {
	if c == nil {
		return nil
	}
	if c.live--; c.live > 0 {
		return nil
	}
	c.s.spilled.Add(c.spilled())
	return c.close()
}

func (c *cutter) spilled() int64 {
	n := int64(0)
	for _, x := range c.stores {
		n += x.Stats().Spilled
	}
	return n
}

func (c *cutter) close() (err error) {
	for _, x := range c.stores {
		err = errors.Join(err, x.Close())
	}
	return err
}

// cutLeaf returns l, or the leaves into which it had to be cut.
func (c *cutter) cutLeaf(ctx context.Context, l leaf) ([]leaf, error) {
	l.uncut = false
	if l.single || l.rows <= 1 || c.s.fits(l) {
		return []leaf{l}, nil
	}
	if len(c.stores) == c.most {
		l.uncut = true
		return []leaf{l}, nil
	}
	if l.depth == maxDepth {
		return nil, fmt.Errorf("%d rows after %d passes: %w", l.rows, l.depth, ErrUnsplittable)
	}
	split, same, err := c.resample(ctx, l)
	if err != nil {
		return nil, err
	}
	if same {
		l.single = true
		return []leaf{l}, nil
	}
	c.s.cut.Add(1)
	sub, err := c.rescatter(ctx, l, split)
	if err != nil {
		return nil, err
	}
	l.store.Drop(l.part)
	var out []leaf
	for p := range split.Count() {
		if sub.Part(p).Rows == 0 {
			sub.Drop(p)
			continue
		}
		piece := c.s.leafOf(sub, p, split.Single(p), l.depth+1)
		if piece.alike = l.alike; piece.rows == l.rows {
			piece.alike++
		}
		leaves, err := c.cutLeaf(ctx, piece)
		if err != nil {
			return nil, err
		}
		out = append(out, leaves...)
	}
	return out, nil
}

// leafOf describes partition p of a store.
func (s *Sorter) leafOf(store *spillfile.Store, p int, single bool, depth int) leaf {
	st := store.Part(p)
	cols, _ := s.keyColumns()
	return leaf{store: store, part: p, rows: st.Rows, raw: st.Raw, data: store.DataBytes(p, cols), single: single, depth: depth}
}

func (s *Sorter) loadBytes(l leaf) int64 {
	return loadBytes(s.spec.Schema, s.spec.Keys, l.rows, l.raw, l.data)
}

// fits says whether l may be loaded: by the load limit, and by what one column may hold.
func (s *Sorter) fits(l leaf) bool {
	return s.loadBytes(l)+s.batchBytes(l) <= s.spec.MaxLoad &&
		l.raw <= batch.MaxData/2 && l.rows < batch.Missing
}

// batchBytes estimates a batch of l's rows.
func (s *Sorter) batchBytes(l leaf) int64 {
	return min(int64(s.batchRows(l)), l.rows) * (l.raw / max(l.rows, 1)) * classNum / classDen
}

// batchRows is how many rows of l are put out at a time: fewer where a batch would take over an eighth of the load limit.
func (s *Sorter) batchRows(l leaf) int {
	width := max(l.raw/max(l.rows, 1), 1)
	return int(min(int64(s.spec.BatchRows), max(s.spec.MaxLoad/8/width, 1)))
}

// resample chooses splitters by l's own keys; same says that all its keys are equal.
func (c *cutter) resample(ctx context.Context, l leaf) (split *Splitters, same bool, err error) {
	s := c.s
	cols, keys := s.keyColumns()
	sample, err := NewSample(s.spec.Schema.Select(cols), keys)
	if err != nil {
		return nil, false, err
	}
	sample.most = sampleKey << min(2*l.alike, 20) // long keys may share what was kept of them before
	probe := newSameKey(keys)
	defer probe.close()
	in, err := l.store.Stream(ctx, l.part, c.acct, cols, s.batchRows(l))
	if err != nil {
		return nil, false, err
	}
	err = eachBatch(ctx, in, func(b *batch.Batch) error {
		defer b.Release()
		if err := probe.add(c.acct, b); err != nil {
			return err
		}
		return sample.Add(c.acct, b)
	})
	if err != nil || probe.same {
		return nil, probe.same, err
	}
	split = sample.Splitters(s.fan(l))
	at := make([]int, len(s.spec.Keys))
	for i, k := range s.spec.Keys {
		at[i] = k.Column
	}
	return split.At(at), false, nil
}

// keyColumns returns the distinct columns of the keys, and the keys over these.
func (s *Sorter) keyColumns() (cols []int, keys []batch.SortKey) {
	for _, k := range s.spec.Keys {
		cols = append(cols, k.Column)
		k.Column = len(cols) - 1
		keys = append(keys, k)
	}
	return cols, keys
}

// fan is into how many partitions l is cut: pieces of about half the load limit.
func (s *Sorter) fan(l leaf) int {
	want := 2 * s.loadBytes(l) / s.spec.MaxLoad
	return int(min(max(want, minFan), int64(s.spec.Partitions)))
}

// rescatter reads l in order into a store of its own.
func (c *cutter) rescatter(ctx context.Context, l leaf, split *Splitters) (*spillfile.Store, error) {
	sub, err := spillfile.New(c.s.storeSpec(c.acct, split.Count(), 1))
	if err != nil {
		return nil, err
	}
	c.stores = append(c.stores, sub)
	in, err := l.store.Stream(ctx, l.part, c.acct, nil, c.s.batchRows(l))
	if err != nil {
		return nil, err
	}
	part := make([]uint16, c.s.batchRows(l))
	rows := int64(0)
	err = eachBatch(ctx, in, func(b *batch.Batch) error {
		unit := int(rows / spillfile.UnitRows)
		rows += int64(b.N)
		if len(part) < b.N {
			part = make([]uint16, b.N)
		}
		if err := split.Assign(c.acct, b, part[:b.N]); err != nil {
			b.Release()
			return err
		}
		return sub.Append(ctx, 0, unit, part[:b.N], b)
	})
	if err != nil {
		return nil, err
	}
	return sub, sub.Seal(ctx)
}

// eachBatch hands every batch of in to f, which owns it, and closes in.
func eachBatch(ctx context.Context, in batch.Stream, f func(*batch.Batch) error) (err error) {
	defer func() { err = errors.Join(err, in.Close()) }()
	for {
		b, err := in.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
	}
}
