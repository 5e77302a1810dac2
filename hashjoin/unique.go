package hashjoin

import (
	"context"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// leftUnique checks that the keys of x, a left partition cut by hash, are unique where they must be. It reads the
// key columns alone, and cuts a partition whose keys do not fit.
func (j *join) leftUnique(ctx context.Context, acct *mem.Account, x part) error {
	if !j.spec.Validate.LeftUnique() {
		return nil
	}
	return j.newUniqueCheck("left", acct, j.leftKeys, j.spec.Left).check(ctx, x, j.leftKeys.cols, 1)
}

// rightUnique is leftUnique for a right partition that is too large for a table.
func (j *join) rightUnique(ctx context.Context, acct *mem.Account, x part) error {
	if !j.spec.Validate.RightUnique() {
		return nil
	}
	return j.newUniqueCheck("right", acct, j.rightKeys, j.schema).check(ctx, x, j.rightKeys.cols, 1)
}

// uniqueCheck looks for repeated keys in partitions of one side.
type uniqueCheck struct {
	j      *join
	side   string
	acct   *mem.Account
	keys   keyer // over the key columns alone
	schema *batch.Schema
	all    []int // the key columns alone: 0, 1, ...
}

func (j *join) newUniqueCheck(side string, acct *mem.Account, k *keyer, schema *batch.Schema) *uniqueCheck {
	u := &uniqueCheck{j: j, side: side, acct: acct, keys: *k, schema: schema.Select(k.cols)}
	for i := range k.cols {
		u.all = append(u.all, i)
	}
	u.keys.cols = u.all
	return u
}

// bytes bounds what a table of x's keys takes.
func (u *uniqueCheck) bytes(x part) int64 {
	width := 0
	for _, f := range u.schema.Fields {
		w := f.Type.Kind().Width()
		if w == 0 {
			return x.tableBytes()
		}
		width += w + 1
	}
	return x.rows() * int64(width+tableRowBytes)
}

// check looks at x, in which cols are the key columns.
func (u *uniqueCheck) check(ctx context.Context, x part, cols []int, level int) error {
	if x.rows() == 0 {
		return nil
	}
	if u.bytes(x) > u.j.spec.PartBytes {
		if level <= maxLevel {
			return u.cut(ctx, x, cols, level)
		}
		return u.sample(ctx, x, cols)
	}
	b, err := x.st.Load(ctx, x.p, u.acct, cols)
	if err != nil {
		return err
	}
	return u.table(b)
}

// table builds a table of b, which it takes over, and fails where it has repeated keys.
func (u *uniqueCheck) table(b *batch.Batch) error {
	t, err := newTable(u.acct, &u.keys, b)
	if err != nil {
		return err
	}
	defer t.Release()
	if t.unique {
		return nil
	}
	row, n, err := firstRepeated(u.acct, &u.keys, t)
	if err != nil {
		return err
	}
	left, right := int64(n), int64(-1)
	if u.side == "right" {
		left, right = right, left
	}
	return u.j.repeated(u.side, t.rows, u.all, row, left, right)
}

// cut checks x piece by piece.
func (u *uniqueCheck) cut(ctx context.Context, x part, cols []int, level int) (err error) {
	if err := u.sample(ctx, x, cols); err != nil && !errors.Is(err, errUnknown) {
		return err
	}
	c, err := u.j.chooseCut(ctx, u.acct, x, cols, level+2*maxLevel)
	if err != nil {
		return err
	}
	c.heavy = nil // a heavy key is repeated, and found wherever it goes
	st, err := u.j.recut(ctx, u.acct, x, cols, u.schema, scatterTo{cut: c, cols: u.all, spread: !u.j.spec.NullsEqual})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for p := range c.total() {
		if err := u.check(ctx, part{st, p}, u.all, level+1); err != nil {
			return err
		}
		st.Drop(p)
	}
	return nil
}

// errUnknown says that a sample did not tell.
var errUnknown = errors.New("too many rows share one hash to check that join keys are unique")

// sample looks at the first rows of x, enough where one key owns much of it.
func (u *uniqueCheck) sample(ctx context.Context, x part, cols []int) error {
	st, err := x.st.Stream(ctx, x.p, u.acct, cols, int(min(batch.Rows, u.j.spec.PartBytes/256)))
	if err != nil {
		return err
	}
	defer st.Close()
	b, err := st.Next(ctx)
	if err != nil {
		return fmt.Errorf("sample join keys: %w", err)
	}
	if err := u.table(b); err != nil {
		return err
	}
	return errUnknown
}
