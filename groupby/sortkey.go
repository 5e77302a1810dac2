package groupby

import (
	"cmp"
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
	common := 0
	words, fixed := keys.Fixed()
	if fixed {
		copy(prefix, words)
	} else {
		common = commonPrefix(keys)
	}
	for i := range n {
		rows[i] = uint32(i)
		if !fixed {
			prefix[i] = wordBehind(keys.At(i), common)
		}
	}
	radixSort(prefix[:n], prefix[n:2*n], rows[:n], rows[n:2*n])
	if !fixed {
		d := deepSort{keys: keys}
		d.ties(prefix[:n], rows[:n], common+8)
	}
	copy(rows[n:2*n], ents)
	for i, r := range rows[:n] {
		ents[i] = rows[n : 2*n][r]
	}
	return nil
}

// commonPrefix returns how many leading bytes all keys share. The keys are not fixed ones.
func commonPrefix(keys *batch.Keys) int {
	if keys.Len() == 0 {
		return 0
	}
	first := keys.At(0)
	for i := 1; i < keys.Len() && len(first) > 0; i++ {
		if k := keys.At(i); len(k) < len(first) || string(k[:len(first)]) != string(first) {
			first = commonBytes(first, k)
		}
	}
	return len(first)
}

// deepSort sorts rows by the bytes of their keys, eight at a time.
type deepSort struct {
	keys  *batch.Keys
	pairs []wordRow // scratch
}

type wordRow struct {
	word uint64
	row  uint32
}

// fewRows is how many rows are rather sorted by comparing whole keys.
const fewRows = 8

// ties sorts each stretch of rows with equal words, which are those before the byte at; it costs nothing where words differ.
func (d *deepSort) ties(words []uint64, rows []uint32, at int) {
	for lo := 0; lo < len(rows); {
		hi := lo + 1
		for hi < len(rows) && words[hi] == words[lo] {
			hi++
		}
		if hi-lo > 1 {
			d.sort(rows[lo:hi], at)
		}
		lo = hi
	}
}

// sort sorts rows whose keys agree in the bytes before at: as pairs of the next eight bytes and the row,
// and what is still equal then by those behind.
func (d *deepSort) sort(rows []uint32, at int) {
	long := 0
	for _, r := range rows {
		long = max(long, len(d.keys.At(int(r))))
	}
	if len(rows) <= fewRows || at >= long {
		slices.SortFunc(rows, func(a, b uint32) int { return d.keys.Compare(int(a), int(b)) })
		return
	}
	from := len(d.pairs)
	for _, r := range rows {
		d.pairs = append(d.pairs, wordRow{wordBehind(d.keys.At(int(r)), at), r})
	}
	pairs := d.pairs[from:]
	slices.SortFunc(pairs, func(a, b wordRow) int { return cmp.Compare(a.word, b.word) })
	for i, p := range pairs {
		rows[i] = p.row
	}
	for lo := 0; lo < len(rows); {
		hi := lo + 1
		for hi < len(rows) && pairs[hi].word == pairs[lo].word {
			hi++
		}
		if hi-lo > 1 {
			d.sort(rows[lo:hi], at+8)
			pairs = d.pairs[from : from+len(rows)]
		}
		lo = hi
	}
	d.pairs = d.pairs[:from]
}
