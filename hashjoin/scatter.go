package hashjoin

import (
	"context"
	"math/bits"
	"slices"

	"pqjoin/batch"
)

// cut maps key hashes to partitions: first one for each of some heavy keys, then the others by
// hash. Each level of cutting uses other bits of the hash, and all of them other bits than tables do.
type cut struct {
	heavy []uint64 // sorted
	parts int      // of the others
	level uint64
}

func (c *cut) total() int { return len(c.heavy) + c.parts }

func (c *cut) of(h uint64) uint16 {
	if len(c.heavy) > 0 {
		if i, ok := slices.BinarySearch(c.heavy, h); ok {
			return uint16(i)
		}
	}
	p, _ := bits.Mul64(mix(h^(c.level+1)*0x9e3779b97f4a7c15), uint64(c.parts))
	return uint16(len(c.heavy) + int(p))
}

// scatterTo is where rows go.
type scatterTo struct {
	st           Store
	cut          cut
	worker, unit int
	cols         []int // the key columns
	spread       bool  // rows with a null key match nothing and may go anywhere: evenly
}

// scatter takes b over and appends it to the store by key hash.
func (j *join) scatter(ctx context.Context, to scatterTo, h *batch.Hasher, b *batch.Batch) error {
	if b.N == 0 {
		b.Release()
		return nil
	}
	buf, err := j.spec.Acct.Alloc(11 * b.N)
	if err != nil {
		b.Release()
		return err
	}
	defer buf.Release()
	hash := batch.View[uint64](buf.Bytes()[:8*b.N])
	part := batch.View[uint16](buf.Bytes()[8*b.N : 10*b.N])
	keys := make([]*batch.Column, len(to.cols))
	nulls := 0
	for i, c := range to.cols {
		keys[i] = b.Cols[c]
		nulls += keys[i].Nulls
	}
	h.Hash(keys, hash)
	for i, x := range hash {
		part[i] = to.cut.of(x)
	}
	if to.spread && nulls > 0 {
		mask := buf.Bytes()[10*b.N:]
		markNulls(mask, keys)
		for i, m := range mask {
			if m != 0 {
				part[i] = uint16(i % to.cut.total())
			}
		}
	}
	return to.st.Append(ctx, to.worker, to.unit, part, b)
}
