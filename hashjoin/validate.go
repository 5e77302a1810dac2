package hashjoin

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

var relation = [...]string{ManyToMany: "m:m", OneToOne: "1:1", OneToMany: "1:m", ManyToOne: "m:1"}

func (v Validate) String() string { return relation[v] }

// rightRepeated returns the error that names the first right row of t whose key is repeated.
func (j *join) rightRepeated(t *RightTable) error {
	i, n, err := firstRepeated(j.spec.Acct, j.rightKeys, t)
	if err != nil {
		return err
	}
	return j.repeated("right", t.rows, j.rightKeys.cols, i, -1, int64(n))
}

// firstRepeated returns the first row of t whose key has several rows, and how many.
func firstRepeated(acct *mem.Account, k *keyer, t *RightTable) (row int, n uint32, err error) {
	var h batch.Hasher
	for lo := 0; lo < t.rows.N && n == 0; lo += batch.Rows {
		row, n, err = repeatedIn(acct, k, t, &h, lo, min(lo+batch.Rows, t.rows.N))
		if err != nil {
			return 0, 0, err
		}
	}
	return row, n, nil
}

func repeatedIn(acct *mem.Account, k *keyer, t *RightTable, h *batch.Hasher, lo, hi int) (row int, n uint32, err error) {
	b, err := t.rows.Slice(acct, lo, hi)
	if err != nil {
		return 0, 0, err
	}
	defer b.Release()
	ks, err := k.extract(acct, b, h)
	if err != nil {
		return 0, 0, err
	}
	defer ks.release()
	buf, err := acct.Alloc(8 * b.N)
	if err != nil {
		return 0, 0, err
	}
	defer buf.Release()
	refs := batch.View[ref](buf.Bytes())
	t.find(&ks, refs, nil)
	for i, r := range refs {
		if r.n > 1 {
			return lo + i, r.n, nil
		}
	}
	return 0, 0, nil
}

// repeated is the error for the key in row i of b.
func (j *join) repeated(side string, b *batch.Batch, cols []int, i int, left, right int64) error {
	e := &ValidateError{ID: j.spec.ID, Want: j.spec.Validate.String(), Side: side, Left: left, Right: right}
	for n, c := range cols {
		e.Columns = append(e.Columns, j.spec.Left.Fields[j.spec.LeftKeys[n]].Name)
		e.Keys = append(e.Keys, render(b.Cols[c], i))
	}
	return e
}

// leftOrderCheck sees that no key comes twice in a row, in left rows that are sorted by it.
type leftOrderCheck struct {
	j    *join
	ends unitEnds
	done func(unitEnds) // nil: nobody compares units
}

// unitEnds is the first and last key of a unit, each a batch of one row on the heap; nil where it has no rows.
type unitEnds struct{ first, last *batch.Batch }

// add looks at the next left batch, which stays the caller's.
func (c *leftOrderCheck) add(b *batch.Batch) error {
	if b.N == 0 {
		return nil
	}
	key := c.j.leftKeys
	keys := b.Select(c.j.spec.Left.Select(key.cols), key.cols)
	defer keys.Release()
	if c.ends.last != nil && c.j.sameLeftKey(c.ends.last, keys) {
		return c.j.repeated("left", b, key.cols, 0, 2, -1)
	}
	eq := batch.NewRowsEqual(keys.Cols, keys.Cols, key.nullsEqual)
	for i := 1; i < b.N; i++ {
		if eq.Equal(i-1, i) {
			return c.j.repeated("left", b, key.cols, i, 2, -1)
		}
	}
	var err error
	if c.ends.first == nil {
		if c.ends.first, err = heapRow(keys, 0); err != nil {
			return err
		}
	}
	c.ends.last, err = heapRow(keys, b.N-1)
	return err
}

// sameLeftKey compares the first rows of two batches of left key columns.
func (j *join) sameLeftKey(a, b *batch.Batch) bool {
	return batch.NewRowsEqual(a.Cols, b.Cols, j.spec.NullsEqual).Equal(0, 0)
}

// close reports the unit's ends where it was read to its end.
func (c *leftOrderCheck) close(whole bool) {
	if whole && c.done != nil {
		c.done(c.ends)
		c.done = nil
	}
}

// heapRow copies row i of b to the Go heap.
func heapRow(b *batch.Batch, i int) (*batch.Batch, error) {
	out := &batch.Batch{Schema: b.Schema, N: 1}
	for _, c := range b.Cols {
		g, err := batch.Gather(nil, c, []uint32{uint32(i)}, false)
		if err != nil {
			return nil, err
		}
		flat, err := batch.Flatten(nil, g)
		g.Release()
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, flat)
	}
	return out, nil
}
