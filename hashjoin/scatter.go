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
	note         *filterPart
	pass         *filter
}

// scatter takes b over and appends it to the store by key hash. Rows that do not pass to.pass are left out.
func (j *join) scatter(ctx context.Context, to scatterTo, h *batch.Hasher, b *batch.Batch) error {
	if b.N == 0 {
		b.Release()
		return nil
	}
	rows := b.N
	buf, err := j.spec.Acct.Alloc(15 * rows)
	if err != nil {
		b.Release()
		return err
	}
	defer buf.Release()
	hash := batch.View[uint64](buf.Bytes()[:8*rows])
	h.Hash(to.keys(b), hash)
	if to.note != nil {
		to.note.add(hash)
	}
	idx := batch.View[uint32](buf.Bytes()[8*rows : 12*rows])
	if n, all := to.pass.pass(to.worker, hash, idx); !all {
		if b, err = j.leaveOut(b, idx[:n]); err != nil || b.N == 0 {
			b.Release()
			return err
		}
		for i, row := range idx[:n] {
			hash[i] = hash[row]
		}
		hash = hash[:n]
	}
	part := batch.View[uint16](buf.Bytes()[12*rows : 14*rows])[:b.N]
	to.assign(hash, part, buf.Bytes()[14*rows:], to.keys(b))
	return to.st.Append(ctx, to.worker, to.unit, part, b)
}

// leaveOut takes left rows over and returns those at idx; the others are done with. It returns nil with an error.
func (j *join) leaveOut(b *batch.Batch, idx []uint32) (*batch.Batch, error) {
	defer b.Release()
	j.left.Add(int64(b.N - len(idx))) // the others are counted when they are joined
	return batch.GatherBatch(j.spec.Acct, b, idx)
}

func (to *scatterTo) keys(b *batch.Batch) []*batch.Column {
	keys := make([]*batch.Column, len(to.cols))
	for i, c := range to.cols {
		keys[i] = b.Cols[c]
	}
	return keys
}

// assign sets part to the partitions of rows with those hashes and keys; mask is scratch.
func (to *scatterTo) assign(hash []uint64, part []uint16, mask []byte, keys []*batch.Column) {
	for i, x := range hash {
		part[i] = to.cut.of(x)
	}
	nulls := 0
	for _, c := range keys {
		nulls += c.Nulls
	}
	if !to.spread || nulls == 0 {
		return
	}
	mask = mask[:len(part)]
	markNulls(mask, keys)
	for i, m := range mask {
		if m != 0 {
			part[i] = uint16(i % to.cut.total())
		}
	}
}
