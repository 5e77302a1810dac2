package hashjoin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

const (
	sampleKeys  = 2048 // keys that splitters are chosen from
	maxBoundary = 1024 // bytes of a key that a boundary keeps
)

// sub returns partition p cut into finer key ranges; it is cut once, for all workers.
func (l *rangeLevel) sub(ctx context.Context, acct *mem.Account, p int) (*rangeLevel, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.subs[p]; s != nil {
		return s, nil
	}
	j, x := l.r.join, part{l.st, p}
	j.splits.Add(1)
	right, err := l.r.boundaries(ctx, acct, x)
	if err != nil {
		return nil, err
	}
	left := *right
	if left.enc, err = l.r.encoder(j.spec.Left, j.leftKeys.cols); err != nil {
		return nil, err
	}
	left.cols = j.leftKeys.cols
	st, err := j.spec.Stores(fmt.Sprintf("%s, range %d cut again", j.spec.Name, p), j.schema, len(right.bounds)+1, 1)
	if err != nil {
		return nil, err
	}
	if err := rescatter(ctx, acct, x, st, right); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s := &rangeLevel{r: l.r, st: st, left: &left, single: right.single(), depth: l.depth + 1, subs: map[int]*rangeLevel{}}
	l.subs[p] = s
	return s, nil
}

// rescatter appends the rows of x to st in order and seals it.
func rescatter(ctx context.Context, acct *mem.Account, x part, st Store, to Assigner) error {
	in, err := x.stream(ctx, acct, batch.Rows)
	if err != nil {
		return err
	}
	rows := int64(0)
	err = drain(ctx, in, func(b *batch.Batch) error {
		unit := int(rows / spillfile.UnitRows)
		rows += int64(b.N)
		buf, err := acct.Alloc(2 * b.N)
		if err != nil {
			b.Release()
			return err
		}
		defer buf.Release()
		parts := batch.View[uint16](buf.Bytes())
		if err := to.Assign(acct, b, parts); err != nil {
			b.Release()
			return err
		}
		return st.Append(ctx, 0, unit, parts, b)
	})
	if err != nil {
		return err
	}
	return st.Seal(ctx)
}

// ranges is an Assigner: partition p holds the keys from bounds[p-1] on and below bounds[p].
type ranges struct {
	enc    *batch.KeyEncoder
	cols   []int
	bounds [][]byte
}

// encoder returns an encoder whose keys of either side compare with each other, in the left's order.
func (r *Range) encoder(schema *batch.Schema, cols []int) (*batch.KeyEncoder, error) {
	fields, order := make([]batch.Field, len(cols)), make([]batch.SortKey, len(cols))
	for i, c := range cols {
		fields[i] = schema.Fields[c]
		fields[i].Nullable = true
		if r.spec.Order != nil {
			order[i] = r.spec.Order[i]
		}
		order[i].Column = i
	}
	return batch.NewKeyEncoder(batch.NewSchema(fields...), order)
}

func (s *ranges) Assign(acct *mem.Account, b *batch.Batch, out []uint16) error {
	cols := make([]*batch.Column, len(s.cols))
	for i, c := range s.cols {
		cols[i] = b.Cols[c]
	}
	keys, err := s.enc.Encode(acct, cols, b.N)
	if err != nil {
		return err
	}
	defer keys.Release()
	var buf []byte
	for i := range b.N {
		if i > 0 && keys.Compare(i-1, i) == 0 {
			out[i] = out[i-1]
			continue
		}
		buf = keys.Append(buf[:0], i)
		p, found := slices.BinarySearchFunc(s.bounds, buf, bytes.Compare)
		if found {
			p++
		}
		out[i] = uint16(p)
	}
	return nil
}

// single says which partitions hold one key alone: those from a key on and below the least key after it.
func (s *ranges) single() []bool {
	out := make([]bool, len(s.bounds)+1)
	for i := 1; i < len(s.bounds); i++ {
		a, b := s.bounds[i-1], s.bounds[i]
		out[i] = len(b) == len(a)+1 && b[len(a)] == 0 && bytes.Equal(a, b[:len(a)])
	}
	return out
}

// boundaries chooses the ranges that x is cut into, from keys at even distances: quantiles,
// and around a key that is many of the sample, so that it is alone.
func (r *Range) boundaries(ctx context.Context, acct *mem.Account, x part) (*ranges, error) {
	out := &ranges{cols: r.rightKeys.cols}
	var err error
	if out.enc, err = r.encoder(r.schema, out.cols); err != nil {
		return nil, err
	}
	sample, err := r.sample(ctx, acct, x, out.enc)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(sample, bytes.Compare)
	pieces := int(min(max(2*x.tableBytes()/r.join.spec.PartBytes+1, 4), int64(r.maxPieces())))
	for i, run := 0, 0; i < len(sample); i = run {
		for run = i + 1; run < len(sample) && bytes.Equal(sample[i], sample[run]); run++ {
		}
		switch {
		case (run-i)*pieces*2 >= len(sample):
			out.bounds = append(out.bounds, sample[i], append(bytes.Clone(sample[i]), 0))
		case run*pieces/len(sample) != i*pieces/len(sample):
			out.bounds = append(out.bounds, sample[i])
		}
	}
	return out, nil
}

// sample returns the keys of x at even distances.
func (r *Range) sample(ctx context.Context, acct *mem.Account, x part, enc *batch.KeyEncoder) ([][]byte, error) {
	st, err := x.st.Stream(ctx, x.p, acct, r.rightKeys.cols, batch.Rows)
	if err != nil {
		return nil, err
	}
	step := max(x.rows()/sampleKeys, 1)
	var sample [][]byte
	row, next := int64(0), step/2
	err = drain(ctx, st, func(b *batch.Batch) error {
		defer b.Release()
		keys, err := enc.Encode(acct, b.Cols, b.N)
		if err != nil {
			return err
		}
		defer keys.Release()
		for ; next < row+int64(b.N); next += step {
			k := keys.At(int(next - row))
			sample = append(sample, bytes.Clone(k[:min(len(k), maxBoundary)]))
		}
		row += int64(b.N)
		return nil
	})
	return sample, err
}
