package groupby

import (
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
)

// holistic is a quantile of numbers of one word that come in any order. No state of a few words has what it needs, so every row of such an
// aggregation goes to the level's partitions as it is; a partition that is merged keeps its values (see values), and
// each group's are put next to each other, where selection finds the quantile:
//
//	entries  2 1 2 3 1 ...                     1 1 ... | 2 2 ... | 3 ...
//	values   b a c d e ...    -- arrange -->   a e ... | b c ... | d ...   -- selectAt --> results
//
// Where they are too many for memory, cutting the partition again does it, and for a group that is too large by itself the
// partition is read once for each byte of a value (see digits). The state is how many values the group has, and where they are:
// the end of its stretch, or its row among the digits.
//
// It is the quantile that rank is of sorted values, bit for bit. NaN is greater than every number; -0.0 is put out as 0.0.
type holistic struct {
	rank
	word  wordOf
	at    int // of table.values
	ranks int // the first of two of the places that are looked for there
}

// wordOf says how the values of a column become words of the same order.
type wordOf uint8

const (
	wordOfFloat wordOf = iota
	wordOfInt
	wordOfUint // by its bits
)

// wordsOf returns how values of a type become words; false where they are no numbers of one word.
func wordsOf(t batch.Type) (wordOf, bool) {
	switch {
	case t.IsFloat():
		return wordOfFloat, true
	case t.Kind() != batch.KindInt64:
		return 0, false
	case t.IsUnsigned():
		return wordOfUint, true
	}
	return wordOfInt, true
}

// ordered sets x to the values from lo on, as words of the same order.
func (w wordOf) ordered(c *batch.Column, lo int, x []int64) {
	if w == wordOfFloat {
		orderedFloats(c, lo, x)
		return
	}
	copy(x, c.Int64s()[lo:])
	if w == wordOfUint {
		for i := range x {
			x[i] ^= math.MinInt64
		}
	}
}

// holisticState stands for the kernels that share their values.
type holisticState struct{ count }

func isHolistic(a *Agg) bool {
	return !a.Weighted && (a.Func == "quantile_disc" || a.Func == "quantile_cont")
}

func pickHolistic(spec *Spec, a Agg) (kernel, error) {
	cont, no := a.Func == "quantile_cont", fmt.Errorf("%s of this argument needs its rows in order", a.Func)
	if a.Arg < 0 || a.Partial || a.Merge || spec.Sort || len(spec.Keys) == 0 {
		return nil, no
	}
	t := spec.In.Fields[a.Arg].Type
	word, ok := wordsOf(t)
	if !ok || t != a.Type && !(t.IsFloat() && a.Type.IsFloat()) || cont && word != wordOfFloat {
		return nil, no
	}
	return holistic{rank: rank{cont: cont, q: a.Param}, word: word}, nil
}

func (holistic) words() int            { return 2 }
func (holistic) columns() []batch.Type { return wordTypes(2) }
func (holistic) viewWord() int         { return 0 }

// wanted is what the aggregates of one argument and filter look for in its values: two places each, one where they are the same.
type wanted []rank

// hold gives the kernel its place among the values that tables keep, those of twin where that has the same.
func (l *layout) hold(k holistic, twin *aggregate) holistic {
	if twin != nil {
		k.at = twin.kernel.(holistic).at
	} else {
		k.at = len(l.holds)
		l.holds = append(l.holds, nil)
	}
	k.ranks = 2 * len(l.holds[k.at])
	l.holds[k.at] = append(l.holds[k.at], k.rank)
	return k
}

// values are those of one argument in a table, as ordered words.
type values struct {
	room    int // values that may be kept
	n       int // that are
	over    bool
	buf     *mem.Buf // of x and ent
	x       []int64
	ent     []uint32
	own     *mem.Buf // arranged: of byGroup
	byGroup []int64
	digits  *digits // instead of all that, where they are too many
}

// heldBytes is what a value takes until it is arranged: its word twice, and its entry.
const heldBytes = 8 + 8 + 4

// keep makes room for rows values of each argument, as far as limit bytes allow.
func (t *table) keep(rows, limit int64) error {
	for i := range t.values {
		v := &t.values[i]
		v.room = int(min(rows, max(limit/int64(heldBytes*len(t.values)), loadChunk)))
		buf, err := t.acct.Alloc(12*v.room + 12*loadChunk)
		if err != nil {
			return err
		}
		slots := v.room + loadChunk // the last ones are written and not counted
		v.buf, v.x, v.ent = buf, batch.View[int64](buf.Bytes()[:8*slots]), batch.View[uint32](buf.Bytes()[8*slots:12*slots])
	}
	return nil
}

func (v *values) release() {
	v.buf.Release()
	v.own.Release()
	if v.digits != nil {
		v.digits.buf.Release()
	}
	*v = values{}
}

// overfull says whether there were more values than the table could keep.
func (t *table) overfull() bool {
	for i := range t.values {
		if t.values[i].over {
			return true
		}
	}
	return false
}

// heavy says whether one group alone has more values than the table can keep.
func (t *table) heavy() bool {
	for i := range t.lay.aggs {
		a := &t.lay.aggs[i]
		for e := 1; a.holds && e < t.n; e++ {
			if t.ent[e*t.lay.stride+a.off] > uint64(t.values[a.kernel.(holistic).at].room) {
				return true
			}
		}
	}
	return false
}

// orderedFloats sets x to the values from lo on, as words of the same order.
func orderedFloats(c *batch.Column, lo int, x []int64) {
	for i, v := range c.Float64s()[lo : lo+len(x)] {
		b := int64(canonical(v))
		x[i] = b ^ int64(uint64(b>>63)>>1)
	}
}

func floatOf(x int64) float64 {
	return math.Float64frombits(uint64(x ^ int64(uint64(x>>63)>>1)))
}

// update costs about 3 ns a value.
func (k holistic) update(t *table, off int, in *input) error {
	v := &t.values[k.at]
	words, stride := t.ent[off:], t.lay.stride
	var x [loadChunk]int64
	for at := 0; at < len(in.ent); at += loadChunk {
		ent := in.ent[at:min(at+loadChunk, len(in.ent))]
		k.word.ordered(in.col, in.lo+at, x[:len(ent)])
		if v.digits != nil {
			v.digits.count(ent, x[:len(ent)])
			continue
		}
		for _, e := range ent {
			words[int(e)*stride]++
		}
		v.put(ent, x[:len(ent)])
	}
	return nil
}

// put keeps the values of entries other than 0, as long as there is room.
func (v *values) put(ent []uint32, x []int64) {
	if v.over {
		return
	}
	n := v.n
	toX, toEnt := v.x[n:n+loadChunk], v.ent[n:n+loadChunk]
	k := 0
	for i, e := range ent {
		toX[k], toEnt[k] = x[i], e
		if e != 0 {
			k++
		}
	}
	v.n = n + k
	v.over = v.n > v.room
	v.n = min(v.n, v.room)
}

// arrange puts the values of each group next to each other, and drops them as they came: by counting, about 3 ns a value.
func (t *table) arrange() error {
	for i := range t.lay.aggs {
		k, ok := t.lay.aggs[i].kernel.(holistic)
		if !ok || t.lay.aggs[i].shared {
			continue
		}
		v := &t.values[k.at]
		own, err := t.acct.Alloc(max(8*v.n, 8))
		if err != nil {
			return err
		}
		v.own, v.byGroup = own, batch.View[int64](own.Bytes())[:v.n]
		words, stride := t.ent[t.lay.aggs[i].off:], t.lay.stride
		next := uint64(0)
		for e := 1; e < t.n; e++ {
			w := words[e*stride:][:2]
			w[1] = next
			next += w[0]
		}
		for j, e := range v.ent[:v.n] {
			w := &words[int(e)*stride+1]
			v.byGroup[*w] = v.x[j]
			*w++
		}
		v.buf.Release()
		v.buf, v.x, v.ent = nil, nil, nil
	}
	return nil
}

// merge and export are never asked for: the states of an aggregation with holistic kernels do not travel.
func (holistic) merge(*table, int, []*batch.Column, int, []uint32) error {
	return fmt.Errorf("the values of a group have no state")
}

func (holistic) export(*table, int, []uint32) ([]*batch.Column, error) {
	return nil, fmt.Errorf("the values of a group have no state")
}

func (k holistic) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	out := batch.View[uint64](c.Fixed)
	for i, e := range ents {
		w := t.ent[int(e)*t.lay.stride+off:][:2]
		out[i] = 0
		if w[0] > 0 {
			out[i] = k.of(t, w)
		}
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off] == 0 })
}

// of returns the bits of the quantile of the group with the state w.
func (k holistic) of(t *table, w []uint64) uint64 {
	n := float64(w[0])
	first, second := k.places(n)
	lo, hi := t.values[k.at].two(k.ranks, w, first, second)
	switch k.word {
	case wordOfInt:
		return uint64(lo)
	case wordOfUint:
		return unsignedWord(lo)
	}
	v := floatOf(lo)
	if second > first {
		v = between(v, floatOf(hi), k.q*(n-1)-float64(first))
	}
	return math.Float64bits(v)
}

// two returns the values at two places, which are one or next to each other, of the group with the state w.
func (v *values) two(ranks int, w []uint64, first, second uint64) (lo, hi int64) {
	if v.digits != nil {
		found := v.digits.of(uint32(w[1]))[ranks:]
		return orderedWordOf(found[0]), orderedWordOf(found[1])
	}
	group := v.byGroup[w[1]-w[0] : w[1]]
	lo = selectAt(group, int(first))
	if second == first {
		return lo, lo
	}
	hi = group[second]
	for _, x := range group[second:] {
		hi = min(hi, x)
	}
	return lo, hi
}
