package hashjoin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Right collects the right side of a join and scatters it by key hash from the first row
// on, so that after Finish the engine may choose: Resident where it fits, Hash where it
// does not, with nothing lost and nothing read again. It is a batch.Sink.
type Right struct {
	*join
	st      Store
	hashers []batch.Hasher // one a worker
}

// NewRight returns the sink of the right side. The caller closes it when the join is done.
func NewRight(spec Spec) (*Right, error) {
	j, err := newJoin(spec)
	if err != nil {
		return nil, err
	}
	st, err := j.spec.Stores(spec.Name+", right side", j.schema, j.spec.Partitions, j.spec.Workers)
	if err != nil {
		return nil, err
	}
	if j.spec.Kind.needsMatch() && !j.spec.Validate.LeftUnique() {
		if j.semi, err = newFilter(j.spec.Acct, j.spec.Workers, j.spec.ResidentBytes/2, j.spec.RightRows); err != nil {
			return nil, errors.Join(err, st.Close())
		}
	}
	return &Right{join: j, st: st, hashers: make([]batch.Hasher, j.spec.Workers)}, nil
}

// Carry appends a column to the left's schema, and puts it behind the left's columns in the
// result's: how a row number travels through NewHash, which comes after it. Resident has no use for it. Right
// rows without a match, where they are put out, have the next column of Spec.RightCarry there.
func (r *Right) Carry(f batch.Field) {
	if r.fromRight != nil {
		r.fromRight, r.carried = append(r.fromRight, r.carried[0]), r.carried[1:]
	}
	at := len(r.spec.Left.Fields)
	r.spec.Left = batch.NewSchema(append(slices.Clone(r.spec.Left.Fields), f)...)
	r.out = batch.NewSchema(slices.Insert(slices.Clone(r.out.Fields), at, f)...)
}

// Put takes right rows in. Those that can match nothing are dropped at once, unless they are put out for that.
func (r *Right) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	b, err := r.storedRows(b)
	if err != nil {
		return err
	}
	to := scatterTo{
		st: r.st, cut: cut{parts: r.spec.Partitions}, worker: worker, unit: unit,
		cols: r.rightKeys.cols, spread: !r.spec.NullsEqual,
	}
	if r.semi != nil {
		to.note = &r.semi.parts[worker]
	}
	return r.scatter(ctx, to, &r.hashers[worker], b)
}

// storedRows takes b over and returns the columns and rows of it that the join needs.
func (j *join) storedRows(b *batch.Batch) (*batch.Batch, error) {
	j.right.Add(int64(b.N))
	out := b.Select(j.schema, j.stored)
	b.Release()
	if j.spec.NullsEqual || j.spec.Kind.keepsRight() {
		return out, nil
	}
	return dropNullKeys(j.spec.Acct, out, j.rightKeys.cols)
}

// dropNullKeys takes b over and returns its rows without a null in cols.
func dropNullKeys(acct *mem.Account, b *batch.Batch, cols []int) (*batch.Batch, error) {
	keys := make([]*batch.Column, len(cols))
	nulls := 0
	for i, c := range cols {
		keys[i] = b.Cols[c]
		nulls += keys[i].Nulls
	}
	if nulls == 0 {
		return b, nil
	}
	defer b.Release()
	buf, err := acct.Alloc(5 * b.N)
	if err != nil {
		return nil, err
	}
	defer buf.Release()
	idx, mask := batch.View[uint32](buf.Bytes()[:4*b.N]), buf.Bytes()[4*b.N:]
	markNulls(mask, keys)
	n := 0
	for i, m := range mask {
		idx[n] = uint32(i)
		n += int(1 - m)
	}
	return batch.GatherBatch(acct, b, idx[:n])
}

// EndUnit does nothing: units are told apart by their numbers.
func (r *Right) EndUnit(context.Context, int, int) error { return nil }

// Finish ends the right side.
func (r *Right) Finish(ctx context.Context) error {
	r.semi.seal()
	return r.st.Seal(ctx)
}

// Close gives the right rows back.
func (r *Right) Close() error {
	r.semi.release()
	return r.st.Close()
}

// Size returns the right rows that can match, and the bytes that a table of all of them takes at most.
func (r *Right) Size() (rows, tableBytes int64) {
	for p := range r.spec.Partitions {
		x := part{r.st, p}
		rows += x.rows()
		tableBytes += x.tableBytes()
	}
	return rows, tableBytes
}

// Resident is a join with a right side that is wholly in memory, in one table that all workers probe.
type Resident struct {
	*join
	table *RightTable
}

// Resident builds the shared table. The error wraps ErrTooBig where it does not fit
// Spec.ResidentBytes or the memory there is, or where left keys must be unique or right rows without a
// match are put out, which only a partitioned join can do: r is whole then, and Hash goes on from it.
func (r *Right) Resident(ctx context.Context) (*Resident, error) {
	if r.spec.Validate.LeftUnique() {
		return nil, fmt.Errorf("%w: unique left keys are checked by partitions", ErrTooBig)
	}
	if r.spec.Kind.keepsRight() {
		return nil, fmt.Errorf("%w: right rows without a match are found by partitions", ErrTooBig)
	}
	rows, bytes := r.Size()
	if bytes > r.spec.ResidentBytes || rows > maxTableRows {
		return nil, fmt.Errorf("%w: join %s: %d bytes, %d allowed", ErrTooBig, r.spec.Name, bytes, r.spec.ResidentBytes)
	}
	r.semi.release()
	b, err := r.loadAll(ctx)
	if err == nil {
		var t *RightTable
		if t, err = r.table(r.spec.Acct, b); err == nil {
			if err = t.addFilter(r.spec.Acct, r.spec.ResidentBytes-t.bytes); err != nil {
				t.Release()
				return nil, err
			}
			for p := range r.spec.Partitions {
				r.st.Drop(p)
			}
			t.codeStrings()
			return &Resident{join: r.join, table: t}, nil
		}
	}
	if errors.Is(err, mem.ErrLimit) {
		return nil, fmt.Errorf("%w: %w", ErrTooBig, err)
	}
	return nil, err
}

// maxTableRows keeps row ids, the positions of groups and slots in 32 bits.
const maxTableRows = 1 << 31

// loadAll returns all partitions as one batch. Right order holds within a partition and so within a key.
func (r *Right) loadAll(ctx context.Context) (*batch.Batch, error) {
	var parts []*batch.Batch
	defer func() {
		for _, b := range parts {
			b.Release()
		}
	}()
	for p := range r.spec.Partitions {
		if (part{r.st, p}).rows() == 0 {
			continue
		}
		b, err := part{r.st, p}.load(ctx, r.spec.Acct)
		if err != nil {
			return nil, err
		}
		parts = append(parts, b)
	}
	if len(parts) == 1 {
		return parts[0].Retain(), nil
	}
	return batch.Concat(r.spec.Acct, r.schema, parts)
}

// Probe joins left, which it takes over; acct pays for the output. Streams may be probed concurrently.
func (x *Resident) Probe(left batch.Stream, acct *mem.Account) batch.Stream {
	return &matchStream{j: x.join, left: left, m: newTableMatcher(x.join, acct, x.table, false), want: -1}
}

// Schema returns the schema of the output.
func (j *join) Schema() *batch.Schema { return j.out }

// Close releases the table; it comes after the streams are closed.
func (x *Resident) Close() error {
	x.table.Release()
	x.table = nil
	return nil
}
