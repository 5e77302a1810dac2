package groupby

import (
	"context"
	"io"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
)

// states calls f with all groups as batches of layout.state of at most rows rows; f takes them over.
func (t *table) states(rows int, f func(*batch.Batch) error) error {
	ents := make([]uint32, 0, min(rows, t.groups()))
	for e := 1; e < t.n; {
		ents = ents[:0]
		for ; e < t.n && len(ents) < rows; e++ {
			ents = append(ents, uint32(e))
		}
		b, err := t.stateBatch(ents)
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) stateBatch(ents []uint32) (*batch.Batch, error) {
	out := &batch.Batch{Schema: t.lay.state, N: len(ents)}
	keys, err := t.keyColumns(ents)
	if err != nil {
		return nil, err
	}
	out.Cols = keys
	for i := range t.lay.aggs {
		a := &t.lay.aggs[i]
		if a.shared {
			continue
		}
		cols, err := a.export(t, a.off, ents)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, cols...)
	}
	return out, nil
}

// keyColumns returns the keys of the entries as columns.
func (t *table) keyColumns(ents []uint32) ([]*batch.Column, error) {
	k := &t.lay.keys
	out := make([]*batch.Column, 0, len(k.cols)+len(t.lay.state.Fields))
	for i, kc := range k.cols {
		typ := k.schema.Fields[i].Type
		var c *batch.Column
		var err error
		switch kc.kind {
		case batch.KindBytes:
			c, err = viewColumn(t, kc.word, ents, typ)
		case batch.KindInt128:
			c, err = wideColumn(t, kc.word, ents, typ)
		default:
			c, err = wordColumn(t, kc.word, ents, typ)
		}
		if err == nil && k.nulls > 0 {
			c, err = withNulls(t, c, func(j int) bool { return t.keyNull(ents[j], i) })
		}
		if err != nil {
			releaseAll(out)
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// keyNull says whether column k of the entry's key is null.
func (t *table) keyNull(e uint32, k int) bool {
	return t.lay.keys.nulls > 0 && t.ent[int(e)*t.lay.stride+k/64]>>(k%64)&1 == 1
}

// sample adds about n keys, spread over the table, to s.
func (t *table) sample(s *sampler, n int) error {
	step := max(t.groups()/n, 1)
	ents := make([]uint32, 0, t.groups()/step+1)
	for e := 1; e < t.n; e += step {
		ents = append(ents, uint32(e))
	}
	cols, err := t.keyColumns(ents)
	if err != nil {
		return err
	}
	defer releaseAll(cols)
	return s.add(t.acct, cols, len(ents))
}

// compact rewrites the arena without its dead values.
func (t *table) compact() error {
	old := t.arena
	t.arena = arena{acct: old.acct}
	defer old.release()
	for e := 1; e < t.n; e++ {
		ent := t.ent[e*t.lay.stride : (e+1)*t.lay.stride]
		for _, at := range t.lay.views {
			if viewLen(ent[at]) <= viewInline {
				continue
			}
			place, err := t.arena.put(old.long(ent[at], ent[at+1]))
			if err != nil {
				return err
			}
			ent[at+1] = place
		}
	}
	return nil
}

// drain hands all batches of a partition, of the columns at cols (all where cols is nil), to f, which takes them over.
func drain(ctx context.Context, s store, p int, acct *mem.Account, cols []int, f func(context.Context, *batch.Batch) error) (err error) {
	st, err := s.Stream(ctx, p, acct, cols, streamRows)
	if err != nil {
		return err
	}
	defer func() {
		if e := st.Close(); err == nil {
			err = e
		}
	}()
	for {
		b, err := st.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(ctx, b); err != nil {
			return err
		}
	}
}

// order puts the entries into the order in which they are put out, and returns their numbers.
// The table takes no more rows then.
func (t *table) order(sorted bool) (*mem.Buf, error) {
	n := t.groups()
	buf, err := t.acct.Alloc(max(4*n, 4))
	if err != nil {
		return nil, err
	}
	ents := batch.View[uint32](buf.Bytes())[:n]
	for i := range ents {
		ents[i] = uint32(i + 1)
	}
	switch {
	case !sorted || len(t.lay.keys.cols) == 0:
	case t.lay.sortsByWord():
		err = t.sortByWord(ents)
	default:
		err = t.sortByKey(ents)
	}
	if err != nil {
		buf.Release()
		return nil, err
	}
	t.permute(ents)
	return buf, nil
}

// permute moves the entries so that entry i+1 is what ents[i] names, in place, and sets ents to
// match: putting groups out then reads memory in sequence. The index is lost.
func (t *table) permute(ents []uint32) {
	t.idxBuf.Release()
	t.idx, t.idxBuf = nil, nil
	stride := t.lay.stride
	entry := func(e uint32) []uint64 { return t.ent[int(e)*stride:][:stride] }
	held := make([]uint64, stride)
	for i := range ents {
		first := uint32(i + 1)
		if ents[i] == first {
			continue
		}
		copy(held, entry(first))
		for to := first; ; {
			from := ents[to-1]
			ents[to-1] = to
			if from == first {
				copy(entry(to), held)
				break
			}
			copy(entry(to), entry(from))
			to = from
		}
	}
}

// sortByWord sorts entries by the one word of their key, a null last: by radix.
func (t *table) sortByWord(ents []uint32) error {
	n := len(ents)
	buf, err := t.acct.Alloc(max(20*n, 8))
	if err != nil {
		return err
	}
	defer buf.Release()
	words := batch.View[uint64](buf.Bytes()[:16*n])
	tmp := batch.View[uint32](buf.Bytes()[16*n : 20*n])
	if t.lay.keys.nulls > 0 {
		for i, e := range ents {
			if t.keyNull(e, 0) { // there is one at most
				ents[i], ents[n-1] = ents[n-1], e
				ents, n = ents[:n-1], n-1
				break
			}
		}
	}
	at := t.lay.keys.cols[0].word
	typ := t.lay.keys.schema.Fields[0].Type
	for i, e := range ents {
		words[i] = orderedWord(t.ent[int(e)*t.lay.stride+at], typ)
	}
	radixSort(words[:n], words[n:2*n], ents, tmp[:n])
	return nil
}

// orderedWord maps a key word to one whose unsigned order is the order of the keys.
func orderedWord(w uint64, typ batch.Type) uint64 {
	switch {
	case typ.IsFloat():
		return w ^ (uint64(int64(w)>>63) | 1<<63)
	case typ.ID == batch.Bool || typ.IsUnsigned():
		return w
	}
	return w ^ 1<<63
}

const radixBits = 11

// radixSort sorts keys with their values, least significant digits first; digits that all
// keys share cost nothing. tk and tv are scratch of the same lengths.
func radixSort(keys, tk []uint64, vals, tv []uint32) {
	var or, and uint64 = 0, math.MaxUint64
	for _, k := range keys {
		or |= k
		and &= k
	}
	diff := or &^ and
	from, fromKeys := vals, keys
	for shift := 0; shift < 64; shift += radixBits {
		if diff>>shift&(1<<radixBits-1) == 0 {
			continue
		}
		var count [1 << radixBits]uint32
		for _, k := range keys {
			count[k>>shift&(1<<radixBits-1)]++
		}
		sum := uint32(0)
		for i, c := range count {
			count[i] = sum
			sum += c
		}
		for i, k := range keys {
			d := k >> shift & (1<<radixBits - 1)
			tk[count[d]], tv[count[d]] = k, vals[i]
			count[d]++
		}
		keys, tk, vals, tv = tk, keys, tv, vals
	}
	if len(from) > 0 && &from[0] != &vals[0] {
		copy(from, vals)
		copy(fromKeys, keys)
	}
}
