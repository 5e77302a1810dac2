package groupby

import (
	"math/bits"

	"pqjoin/batch"
)

// fewEntries is the most entries of a table whose sums of a chunk are added up beside it.
const fewEntries = 16

// narrowBits bounds the values whose sum over a chunk fits a word whatever their order: 2^53 times the rows of a chunk.
const narrowBits = 53

// entryRows is how many rows of a chunk each of few entries has. It is counted when somebody asks first, and serves all aggregates of
// the chunk that leave no row out.
type entryRows struct {
	counted bool
	n       [fewEntries]uint64
}

// of returns the rows of each entry. Two rows in a row are counted apart, so that neither waits for the other's store. 0.7 ns a row.
func (r *entryRows) of(ent []uint32) *[fewEntries]uint64 {
	if r.counted {
		return &r.n
	}
	var odd [fewEntries]uint64
	i := 0
	for ; i+2 <= len(ent); i += 2 {
		r.n[ent[i]%fewEntries]++
		odd[ent[i+1]%fewEntries]++
	}
	if i < len(ent) {
		r.n[ent[i]%fewEntries]++
	}
	for e, n := range odd {
		r.n[e] += n
	}
	r.counted = true
	return &r.n
}

// entryRows returns the rows of each entry: those that are counted for all aggregates, or its own where some rows are left out.
func (in *input) entryRows() *[fewEntries]uint64 {
	if in.few != nil {
		return in.few.of(in.ent)
	}
	return new(entryRows).of(in.ent)
}

// fewSums is the sums of a chunk's values by entry.
type fewSums [fewEntries]int64

// sumFew is update for a table of few entries: the values of a chunk are summed in words without a carry, and these added to
// the entries at its end, which is the same sum. It returns false, having done nothing, where a value is too large for that. Cost:
// 1 ns a row, where update takes 2 to 3.
func (k sumInt) sumFew(t *table, off int, in *input) bool {
	var s fewSums
	if k.wide {
		vals := in.col.Int128s()[in.lo : in.lo+len(in.ent)]
		if !narrowBigs(vals) {
			return false
		}
		s.addBigs(vals, in.ent)
	} else {
		vals := in.col.Int64s()[in.lo : in.lo+len(in.ent)]
		if !k.narrow(vals) {
			return false
		}
		s.add(vals, in.ent)
	}
	k.settle(t, off, &s, in.entryRows())
	return true
}

// narrow says whether the sum of the values fits a word, in any order.
func (k sumInt) narrow(vals []int64) bool {
	all := uint64(0)
	if k.unsigned {
		for _, v := range vals {
			all |= uint64(v)
		}
	} else {
		for _, v := range vals {
			all |= uint64(v ^ v>>63)
		}
	}
	return all>>narrowBits == 0 && len(vals) <= chunk
}

// narrowBigs is narrow for values of two words.
func narrowBigs(vals []batch.Int128) bool {
	all, high := uint64(0), uint64(0)
	for i := range vals {
		v := &vals[i]
		sign := v.Hi >> 63
		high |= uint64(v.Hi ^ sign)
		all |= v.Lo ^ uint64(sign)
	}
	return high == 0 && all>>narrowBits == 0 && len(vals) <= chunk
}

func (s *fewSums) add(vals []int64, ent []uint32) {
	ent = ent[:len(vals)]
	var odd fewSums
	i := 0
	for ; i+2 <= len(vals); i += 2 {
		s[ent[i]%fewEntries] += vals[i]
		odd[ent[i+1]%fewEntries] += vals[i+1]
	}
	if i < len(vals) {
		s[ent[i]%fewEntries] += vals[i]
	}
	for e, v := range odd {
		s[e] += v
	}
}

func (s *fewSums) addBigs(vals []batch.Int128, ent []uint32) {
	ent = ent[:len(vals)]
	var odd fewSums
	i := 0
	for ; i+2 <= len(vals); i += 2 {
		s[ent[i]%fewEntries] += int64(vals[i].Lo)
		odd[ent[i+1]%fewEntries] += int64(vals[i+1].Lo)
	}
	if i < len(vals) {
		s[ent[i]%fewEntries] += int64(vals[i].Lo)
	}
	for e, v := range odd {
		s[e] += v
	}
}

// settle adds the sums of so many rows each to the entries.
func (k sumInt) settle(t *table, off int, s *fewSums, rows *[fewEntries]uint64) {
	for e := range t.n {
		v, n := s[e], rows[e]
		if n == 0 {
			continue
		}
		w := t.ent[off+e*t.lay.stride:]
		if k.wide {
			add192(w, uint64(v), uint64(v>>63), uint64(v>>63), n)
			continue
		}
		lo, c := bits.Add64(w[0], uint64(v), 0)
		w[0] = lo
		w[1] += uint64(v>>63) + c
		w[2] += n
	}
}
