package extsort

import (
	"bytes"
	"math/bits"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// orderBytes sorts by normalised keys.
func orderBytes(acct *mem.Account, cols []*batch.Column, keys []batch.SortKey, n int) (*Perm, error) {
	fields, sorts := make([]batch.Field, len(cols)), slices.Clone(keys)
	for i, c := range cols {
		fields[i] = batch.Field{Type: c.Type, Nullable: c.Nulls > 0}
		sorts[i].Column = i
	}
	enc, err := batch.NewKeyEncoder(batch.NewSchema(fields...), sorts)
	if err != nil {
		return nil, err
	}
	k, err := enc.Encode(acct, cols, n)
	if err != nil {
		return nil, err
	}
	defer k.Release()
	ordered := true
	for i := 1; i < n && ordered; i++ {
		ordered = k.Compare(i-1, i) <= 0
	}
	if ordered {
		return &Perm{n: n}, nil
	}
	s, err := newScratch[pair](acct, n)
	if err != nil {
		return nil, err
	}
	defer s.release()
	for i := range s.a {
		s.a[i] = pair{id: uint32(i)}
	}
	if words, ok := k.Fixed(); ok {
		for i, w := range words {
			s.a[i].k = w
		}
		sortPairs(s.a, s.b)
	} else {
		refine(k, s.a, s.b, 0)
	}
	return s.perm(acct, true, func(ids []uint32) { pairIDs(ids, s.a) })
}

// refine sorts a stably by its keys, which are equal in their first depth bytes (zeros
// past their ends): by the next 8 bytes, then the ties by those that follow.
func refine(k *batch.Keys, a, tmp []pair, depth int) {
	for len(a) > insertion {
		diff, zero := fillWords(k, a, depth)
		if zero {
			if ended := splitEnded(k, a, tmp, depth); ended > 0 {
				a, tmp = a[ended:], tmp[ended:]
				continue
			}
		}
		if diff == 0 {
			depth += max(8, commonBytes(k, a, depth))
			continue
		}
		if same := bits.LeadingZeros64(diff) / 8; same > 2 { // worth another look at the keys
			depth += same
			fillWords(k, a, depth)
		}
		sortPairs(a, tmp)
		depth += 8
		from := 0
		for i := 1; i < len(a); i++ {
			if a[i].k != a[from].k {
				refine(k, a[from:i], tmp[from:i], depth)
				from = i
			}
		}
		a, tmp = a[from:], tmp[from:] // the last run without recursion
	}
	if len(a) > 1 {
		slices.SortStableFunc(a, func(x, y pair) int {
			return bytes.Compare(k.At(int(x.id)), k.At(int(y.id)))
		})
	}
}

// fillWords gives each pair the 8 bytes of its key from depth on, zeros past its end. It returns in which bits they
// differ, and whether one is 0, as those of keys are that have ended: keys lie anywhere, so a look at each is what refining costs.
func fillWords(k *batch.Keys, a []pair, depth int) (diff uint64, zero bool) {
	first := wordAt(k.At(int(a[0].id)), depth)
	for i := range a {
		w := wordAt(k.At(int(a[i].id)), depth)
		a[i].k = w
		diff |= w ^ first
		zero = zero || w == 0
	}
	return diff, zero
}

// commonBytes returns how many bytes from depth on all keys share.
func commonBytes(k *batch.Keys, a []pair, depth int) int {
	first := k.At(int(a[0].id))
	if len(first) <= depth {
		return 0
	}
	first = first[depth:]
	n := len(first)
	for i := 1; i < len(a) && n > 0; i++ {
		key := k.At(int(a[i].id))
		if len(key) <= depth {
			return 0
		}
		key = key[depth:]
		if n = min(n, len(key)); !bytes.Equal(first[:n], key[:n]) {
			m := 0
			for first[m] == key[m] {
				m++
			}
			n = m
		}
	}
	return n
}

// splitEnded moves the keys of at most depth bytes to the front, the shorter ones first,
// and returns how many there are: they come before all that go on.
func splitEnded(k *batch.Keys, a, tmp []pair, depth int) int {
	ended := 0
	for i := range a {
		if len(k.At(int(a[i].id))) <= depth {
			ended++
		}
	}
	if ended == 0 {
		return 0
	}
	copy(tmp, a)
	i, j := 0, ended
	for _, x := range tmp[:len(a)] {
		if n := len(k.At(int(x.id))); n <= depth {
			a[i] = pair{k: uint64(n), id: x.id}
			i++
		} else {
			a[j] = x
			j++
		}
	}
	sortPairs(a[:ended], tmp[:ended])
	return ended
}
