package asof

import (
	"bytes"
	"cmp"

	"pqjoin/batch"
	"pqjoin/mem"
)

// block is a sorted batch of one side.
type block struct {
	b    *batch.Batch
	by   []*batch.Column
	on   *onValues
	same *batch.RowsEqual // rows of the block among each other, null equal to null
}

// newBlock takes b over.
func newBlock(acct *mem.Account, b *batch.Batch, keys []batch.SortKey) (*block, error) {
	cols := batch.KeyColumns(b, keys)
	by := cols[:len(cols)-1]
	on, err := newOnValues(acct, cols[len(by)])
	if err != nil {
		b.Release()
		return nil, err
	}
	return &block{b: b, by: by, on: on, same: batch.NewRowsEqual(by, by, true)}, nil
}

func (k *block) release() {
	if k != nil {
		k.on.release()
		k.b.Release()
	}
}

// runEnd returns the end of the run of rows from i on that agree in all keys but the last: by doubling steps and then halving
// them, since the rows are sorted.
func (k *block) runEnd(i int) int {
	if len(k.by) == 0 {
		return k.b.N
	}
	lo, step := i, 1 // row lo is in the run
	for lo+step < k.b.N && k.same.Equal(i, lo+step) {
		lo += step
		step *= 2
	}
	hi := min(lo+step, k.b.N) // row hi is not, or there is none
	for lo+1 < hi {
		if mid := (lo + hi) / 2; k.same.Equal(i, mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// last returns the last row as a block of its own.
func (k *block) last(acct *mem.Account, keys []batch.SortKey) (*block, error) {
	b, err := batch.GatherBatch(acct, k.b, []uint32{uint32(k.b.N - 1)})
	if err != nil {
		return nil, err
	}
	return newBlock(acct, b, keys)
}

// compareBy orders row i of a and row j of b by all keys but the last, as the sort does.
func compareBy(keys []batch.SortKey, a *block, i int, b *block, j int) int {
	for k := range a.by {
		if c := compareValue(keys[k], a.by[k], i, b.by[k], j); c != 0 {
			return c
		}
	}
	return 0
}

func compareValue(key batch.SortKey, a *batch.Column, i int, b *batch.Column, j int) int {
	if x, y := a.IsNull(i), b.IsNull(j); x || y {
		switch {
		case x && y:
			return 0
		case x == key.NullsFirst:
			return -1
		}
		return 1
	}
	c := 0
	switch a.Type.Kind() {
	case batch.KindBytes:
		c = bytes.Compare(a.Value(i), b.Value(j))
	case batch.KindInt128:
		c = wideAt(a, i).Cmp(wideAt(b, j))
	default:
		var x, y [1]uint64
		batch.OrderWords(a, false, i, x[:])
		batch.OrderWords(b, false, j, y[:])
		c = cmp.Compare(x[0], y[0])
	}
	if key.Desc {
		return -c
	}
	return c
}

func wideAt(c *batch.Column, i int) batch.Int128 {
	if c.Dict != nil {
		return c.Dict.Int128s()[c.Codes[i]]
	}
	return c.Int128s()[i]
}
