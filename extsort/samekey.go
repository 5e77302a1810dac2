package extsort

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

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
