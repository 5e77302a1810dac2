package extsort

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// ErrNotSorted says that a table which was said to be sorted is not.
var ErrNotSorted = errors.New("rows are not sorted as promised")

// sameKey finds out whether all rows of a table have one key.
type sameKey struct {
	keys  []batch.SortKey
	first *batch.Batch // the first row
	same  bool
}

func newSameKey(keys []batch.SortKey) *sameKey { return &sameKey{keys: keys, same: true} }

func (s *sameKey) add(acct *mem.Account, b *batch.Batch) error {
	if !s.same || b.N == 0 {
		return nil
	}
	if s.first == nil {
		var err error
		if s.first, err = b.Slice(acct, 0, 1); err != nil {
			return err
		}
	}
	eq := batch.NewRowsEqual(batch.KeyColumns(s.first, s.keys), batch.KeyColumns(b, s.keys), true)
	for i := 0; i < b.N && s.same; i++ {
		s.same = eq.Equal(0, i)
	}
	return nil
}

func (s *sameKey) close() {
	s.first.Release()
	s.first = nil
}

// Verify passes the batches of a stream on and fails with ErrNotSorted at the first row
// whose key comes before its predecessor's. It costs an encoding of the keys.
type Verify struct {
	in    batch.Stream
	kb    *keyBinding
	acct  *mem.Account
	prev  []byte // the last key so far
	first []byte // the first key read
	row   int64
}

// NewVerify returns the stream in, checked. It owns in from now on. schema is in's.
func NewVerify(in batch.Stream, schema *batch.Schema, keys []batch.SortKey, acct *mem.Account) (*Verify, error) {
	kb, err := bindKeys(schema, keys)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return &Verify{in: in, kb: kb, acct: acct}, nil
}

// Next implements batch.Stream.
func (v *Verify) Next(ctx context.Context) (*batch.Batch, error) {
	b, err := v.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.check(b); err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// Bounds returns the first and the last key read so far as normalised bytes, and how many
// rows there were. Keys of two streams of one table compare with bytes.Compare, so that
// units which are read in parallel can be checked against each other in the end.
func (v *Verify) Bounds() (first, last []byte, rows int64) { return v.first, v.prev, v.row }

func (v *Verify) check(b *batch.Batch) error {
	if b.N == 0 {
		return nil
	}
	keys, err := v.kb.enc.Encode(v.acct, v.kb.columns(b), b.N)
	if err != nil {
		return err
	}
	defer keys.Release()
	if v.row == 0 {
		v.first = keys.Append(nil, 0)
	} else if bytes.Compare(v.prev, keys.At(0)) > 0 {
		return v.unsorted(0)
	}
	if words, ok := keys.Fixed(); ok {
		for i := 1; i < len(words); i++ {
			if words[i-1] > words[i] {
				return v.unsorted(i)
			}
		}
	} else {
		for i := 1; i < b.N; i++ {
			if keys.Compare(i-1, i) > 0 {
				return v.unsorted(i)
			}
		}
	}
	v.prev = keys.Append(v.prev[:0], b.N-1)
	v.row += int64(b.N)
	return nil
}

func (v *Verify) unsorted(i int) error {
	return fmt.Errorf("row %d (counted from 0): %w", v.row+int64(i), ErrNotSorted)
}

// Close implements batch.Stream.
func (v *Verify) Close() error { return v.in.Close() }
