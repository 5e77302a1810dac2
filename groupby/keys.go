package groupby

import (
	"math"
	"math/bits"
	"slices"

	"pqjoin/batch"
)

// keyCol says where a key column's words lie in an entry.
type keyCol struct {
	kind batch.Kind
	word int // of its first word
}

// keyLayout is how a key becomes words of an entry: words of null bits, 64 columns each, where a key
// column may be null, then the columns in order: one word (bool, int64, float64) or two
// (int128, the view of bytes). Floats are made canonical: one NaN, and 0.0 for -0.0.
type keyLayout struct {
	schema *batch.Schema // the key columns alone
	cols   []keyCol
	words  int
	nulls  int  // of these, the first, with a bit for each null column; none where rows with nulls are left out
	vars   bool // there are bytes columns
}

func newKeyLayout(in *batch.Schema, keys []int, dropNulls bool) keyLayout {
	l := keyLayout{schema: in.Select(keys)}
	if !dropNulls && slices.ContainsFunc(l.schema.Fields, func(f batch.Field) bool { return f.Nullable }) {
		l.nulls = (len(keys) + 63) / 64
	}
	l.words = l.nulls
	for _, f := range l.schema.Fields {
		k := f.Type.Kind()
		l.cols = append(l.cols, keyCol{kind: k, word: l.words})
		l.words++
		if k == batch.KindBytes || k == batch.KindInt128 {
			l.words++
		}
		l.vars = l.vars || k == batch.KindBytes
	}
	return l
}

// noPlace stands for the place of a long value that is not in an arena: no entry's word is equal to it.
const noPlace = ^uint64(0)

// encode fills kw with the words of rows [lo, lo+n) of cols. The second word of a long bytes value is noPlace.
func (l *keyLayout) encode(cols []*batch.Column, lo, n int, kw []uint64) {
	w := l.words
	if l.nulls == 1 {
		for i := range n {
			kw[i*w] = 0
		}
	} else if l.nulls > 0 {
		for i := range n {
			clear(kw[i*w:][:l.nulls])
		}
	}
	for k, c := range cols {
		dst := kw[l.cols[k].word:]
		switch l.cols[k].kind {
		case batch.KindBool:
			for i, v := range c.Bools()[lo : lo+n] {
				dst[i*w] = uint64(v)
			}
		case batch.KindInt64:
			for i, v := range c.Int64s()[lo : lo+n] {
				dst[i*w] = uint64(v)
			}
		case batch.KindFloat64:
			for i, v := range c.Float64s()[lo : lo+n] {
				dst[i*w] = canonical(v)
			}
		case batch.KindInt128:
			for i, v := range c.Int128s()[lo : lo+n] {
				dst[i*w], dst[i*w+1] = v.Lo, uint64(v.Hi)
			}
		case batch.KindBytes:
			for i := range n {
				w0, w1 := makeView(c.Value(lo + i))
				if viewLen(w0) > viewInline {
					w1 = noPlace
				}
				dst[i*w], dst[i*w+1] = w0, w1
			}
		}
		if c.Valid != nil {
			l.encodeNulls(k, c, lo, n, kw)
		}
	}
}

// encodeNulls sets the null bit and clears the value words of null rows.
func (l *keyLayout) encodeNulls(k int, c *batch.Column, lo, n int, kw []uint64) {
	w, at := l.words, l.cols[k].word
	wide := l.cols[k].kind == batch.KindInt128 || l.cols[k].kind == batch.KindBytes
	for i := range n {
		if c.IsNull(lo + i) {
			kw[i*w+k/64] |= 1 << (k % 64)
			kw[i*w+at] = 0
			if wide {
				kw[i*w+at+1] = 0
			}
		}
	}
}

// hasLong says whether the words of keys have a string that does not lie in them.
func (l *keyLayout) hasLong(kw []uint64) bool {
	if !l.vars {
		return false
	}
	for _, c := range l.cols {
		if c.kind != batch.KindBytes {
			continue
		}
		longest := uint32(0)
		for at := c.word; at < len(kw); at += l.words {
			longest = max(longest, uint32(kw[at]))
		}
		if longest > viewInline {
			return true
		}
	}
	return false
}

const (
	hashSeed = 0x9e3779b97f4a7c15
	hashMul  = 0xa0761d6478bd642f
)

// hashWords hashes keys of fixed width by their words.
func (l *keyLayout) hashWords(kw []uint64, out []uint64) {
	if l.words == 1 {
		for i := range out {
			hi, lo := bits.Mul64(kw[i]^hashSeed, hashMul)
			out[i] = hi ^ lo
		}
		return
	}
	switch l.words {
	case 2:
		for i := range out {
			w := (*[2]uint64)(kw[2*i:])
			out[i] = mixWord(mixWord(hashSeed, w[0]), w[1])
		}
		return
	case 3:
		for i := range out {
			w := (*[3]uint64)(kw[3*i:])
			out[i] = mixWord(mixWord(mixWord(hashSeed, w[0]), w[1]), w[2])
		}
		return
	}
	for i := range out {
		h := uint64(hashSeed)
		for _, w := range kw[i*l.words : (i+1)*l.words] {
			h = mixWord(h, w)
		}
		out[i] = h
	}
}

// mixWord folds a word into a hash.
func mixWord(h, w uint64) uint64 {
	hi, lo := bits.Mul64(w^h, hashMul)
	return hi ^ lo ^ hashSeed
}

// canonical returns the bits of v, the same for values that are equal as keys.
func canonical(v float64) uint64 {
	if v != v {
		return 0x7ff8000000000000
	}
	return math.Float64bits(v + 0) // -0.0 + 0 is 0.0
}
