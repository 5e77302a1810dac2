package groupby

import (
	"encoding/binary"
	"slices"

	"pqjoin/batch"
)

// sortByKey sorts entries by normalised keys: by their first eight bytes, which the radix
// sort orders, then each stretch of equal ones by comparison.
func (t *table) sortByKey(ents []uint32) error {
	enc, err := keyEncoder(t.lay)
	if err != nil {
		return err
	}
	cols, err := t.keyColumns(ents)
	if err != nil {
		return err
	}
	keys, err := enc.Encode(t.acct, cols, len(ents))
	releaseAll(cols)
	if err != nil {
		return err
	}
	defer keys.Release()
	n := len(ents)
	buf, err := t.acct.Alloc(max(24*n, 8))
	if err != nil {
		return err
	}
	defer buf.Release()
	prefix := batch.View[uint64](buf.Bytes()[:16*n])
	rows := batch.View[uint32](buf.Bytes()[16*n : 24*n])
	common := commonPrefix(keys)
	var scratch []byte
	for i := range n {
		scratch = append(keys.Append(scratch[:0], i), 0, 0, 0, 0, 0, 0, 0, 0)
		prefix[i] = binary.BigEndian.Uint64(scratch[common:])
		rows[i] = uint32(i)
	}
	radixSort(prefix[:n], prefix[n:2*n], rows[:n], rows[n:2*n])
	sortTies(keys, rows[:n], common)
	copy(rows[n:2*n], ents)
	for i, r := range rows[:n] {
		ents[i] = rows[n : 2*n][r]
	}
	return nil
}

// commonPrefix returns how many leading bytes all keys share.
func commonPrefix(keys *batch.Keys) int {
	if keys.Len() == 0 {
		return 0
	}
	first := keys.Append(nil, 0)
	n := len(first)
	var k []byte
	for i := 1; i < keys.Len() && n > 0; i++ {
		k = keys.Append(k[:0], i)
		n = min(n, len(k))
		for j := range n {
			if k[j] != first[j] {
				n = j
				break
			}
		}
	}
	return n
}

// sortTies sorts the stretches of rows whose eight bytes from common on are equal.
func sortTies(keys *batch.Keys, rows []uint32, common int) {
	at := func(r uint32) []byte { return keys.At(int(r)) }
	if _, fixed := keys.Fixed(); fixed {
		return
	}
	same := func(a, b uint32) bool {
		x, y := at(a)[common:], at(b)[common:]
		var p, q [8]byte
		copy(p[:], x)
		copy(q[:], y)
		return p == q
	}
	for lo := 0; lo < len(rows); {
		hi := lo + 1
		for hi < len(rows) && same(rows[lo], rows[hi]) {
			hi++
		}
		if hi-lo > 1 {
			slices.SortFunc(rows[lo:hi], func(a, b uint32) int { return keys.Compare(int(a), int(b)) })
		}
		lo = hi
	}
}
