package hashjoin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

const (
	heavyKeys = 64 // candidates that are counted for
	maxPieces = 64 // partitions that one is cut into, besides as many for heavy keys
)

// cut replaces the pair in hand by smaller ones: one for each heavy key of the right, and the rest by further hash bits.
func (s *hashStream) cut(ctx context.Context) error {
	j, x := s.h.join, s.now
	j.splits.Add(1)
	c, err := j.cutOf(ctx, s.acct, x)
	if err != nil {
		return err
	}
	of := &pieces{rest: c.total()}
	of.right, err = j.recut(ctx, s.acct, x.right, nil, j.schema, scatterTo{cut: c, cols: j.rightKeys.cols, spread: !j.spec.NullsEqual})
	if err != nil {
		return err
	}
	of.left, err = j.recut(ctx, s.acct, x.left, nil, j.spec.Left, scatterTo{cut: c, cols: j.leftKeys.cols, spread: !j.spec.NullsEqual})
	if err != nil {
		return errors.Join(err, of.right.Close())
	}
	x.left.st.Drop(x.left.p)
	x.right.st.Drop(x.right.p)
	even := x.right.rows() / int64(c.total())
	for p := c.total() - 1; p >= 0; p-- {
		s.todo = append(s.todo, pair{
			left: part{of.left, p}, right: part{of.right, p}, level: x.level + 1, heavy: p < len(c.heavy), even: even, of: of,
		})
	}
	return x.of.close()
}

// cutOf chooses how to cut x. A pair about as large as others is too large because there are many rows, and is cut
// by hash unread; one far above has a heavy key, which must be found.
func (j *join) cutOf(ctx context.Context, acct *mem.Account, x pair) (cut, error) {
	if rows := x.right.rows(); rows > x.even+x.even/2 || x.level+1 >= maxLevel {
		return j.chooseCut(ctx, acct, x.right, j.rightKeys.cols, x.level+1)
	}
	return cut{level: uint64(x.level + 1), parts: j.pieces(x.right.tableBytes())}, nil
}

// pieces is how many partitions rows are cut into whose tables take bytes together.
func (j *join) pieces(bytes int64) int {
	return int(min(max(bytes*3/2/j.spec.PartBytes+1, 2), int64(j.maxPieces())))
}

// maxPieces is how many partitions one may be cut into: no more than the sides had at first, because
// the tails of a store cost memory by partition.
func (j *join) maxPieces() int { return min(max(j.spec.Partitions, 4), maxPieces) }

// chooseCut reads the keys of x and finds those that own so much of it that further hash bits are no help.
func (j *join) chooseCut(ctx context.Context, acct *mem.Account, x part, cols []int, level int) (cut, error) {
	top := topKeys{counts: make(map[uint64]int64, heavyKeys+1)}
	st, err := x.st.Stream(ctx, x.p, acct, cols, batch.Rows)
	if err != nil {
		return cut{}, err
	}
	var h batch.Hasher
	err = drain(ctx, st, func(b *batch.Batch) error {
		defer b.Release()
		buf, err := acct.Alloc(8 * b.N)
		if err != nil {
			return err
		}
		defer buf.Release()
		hash := batch.View[uint64](buf.Bytes())
		h.Hash(b.Cols, hash)
		for _, v := range hash {
			top.add(v)
		}
		return nil
	})
	if err != nil {
		return cut{}, err
	}
	c := cut{level: uint64(level)}
	rows, bytes := x.rows(), x.tableBytes()
	rest := bytes
	heaviest := top.heaviest()
	for _, k := range heaviest[:min(len(heaviest), j.maxPieces())] {
		if own := int64(float64(bytes) * float64(k.n) / float64(rows)); own >= j.spec.PartBytes/4 {
			c.heavy = append(c.heavy, k.hash)
			rest -= own
		}
	}
	slices.Sort(c.heavy)
	c.parts = j.pieces(rest)
	return c, nil
}

// topKeys counts the most frequent hashes in bounded space (Misra and Gries): a
// count is too low by at most the number of rows divided by heavyKeys.
type topKeys struct {
	counts map[uint64]int64
	last   uint64
	run    int64 // rows with the hash last that are not counted yet
}

func (t *topKeys) add(h uint64) {
	if h != t.last {
		t.flush()
		t.last = h
	}
	t.run++
}

func (t *topKeys) flush() {
	if t.run == 0 {
		return
	}
	t.counts[t.last] += t.run
	t.run = 0
	for len(t.counts) > heavyKeys {
		least := slices.Min(slices.Collect(maps.Values(t.counts)))
		for h := range t.counts {
			if t.counts[h] -= least; t.counts[h] == 0 {
				delete(t.counts, h)
			}
		}
	}
}

type keyCount struct {
	hash uint64
	n    int64
}

// heaviest returns the counts, highest first.
func (t *topKeys) heaviest() []keyCount {
	t.flush()
	out := make([]keyCount, 0, len(t.counts))
	for h, n := range t.counts {
		out = append(out, keyCount{h, n})
	}
	slices.SortFunc(out, func(a, b keyCount) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.hash, b.hash))
	})
	return out
}

// recut scatters the columns cols (nil: all) of x, of that schema, into a new store as to says; its order is kept.
func (j *join) recut(ctx context.Context, acct *mem.Account, x part, cols []int, schema *batch.Schema, to scatterTo) (Store, error) {
	st, err := j.spec.Stores(fmt.Sprintf("%s, partition %d cut again", j.spec.Name, x.p), schema, to.cut.total(), 1)
	if err != nil {
		return nil, err
	}
	to.st = st
	in, err := x.st.Stream(ctx, x.p, acct, cols, batch.Rows)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	var h batch.Hasher
	rows := int64(0)
	err = drain(ctx, in, func(b *batch.Batch) error {
		to.unit = int(rows / spillfile.UnitRows)
		rows += int64(b.N)
		return j.scatter(ctx, to, &h, b)
	})
	if err == nil {
		err = st.Seal(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}
