package groupby

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// routed says where the rows of a batch belong: their keys' words, and their numbers by partition.
type routed struct {
	words  []uint64
	idx    []uint32
	counts []uint32
	long   bool // a string does not fit the words of its key; nothing else is set then
}

// router is what a worker needs for it.
type router struct {
	buf    *mem.Buf
	counts []uint32
	starts []uint32
}

// route finds the partitions of rows, whose first columns are the keys.
func (w *worker) route(s *shared, rows *batch.Batch) (routed, error) {
	k, r, n := &s.lay.keys, &w.router, rows.N
	if err := need(s.acct, &r.buf, n*(8*k.words+4+2)); err != nil {
		return routed{}, err
	}
	if r.counts == nil {
		r.counts, r.starts = make([]uint32, len(s.parts)), make([]uint32, len(s.parts))
	}
	raw := r.buf.Bytes()
	words := batch.View[uint64](raw[:8*k.words*n])
	idx := batch.View[uint32](raw[8*k.words*n:][:4*n])
	part := batch.View[uint16](raw[(8*k.words+4)*n:][:2*n])
	out := routed{words: words, idx: idx, counts: r.counts}
	k.encode(rows.Cols[:len(k.cols)], 0, n, words)
	if out.long = k.hasLong(words); out.long {
		return out, nil
	}
	for lo := 0; lo < n; lo += len(w.hash) {
		m := min(len(w.hash), n-lo)
		k.hashWords(words[lo*k.words:(lo+m)*k.words], w.hash[:m])
		for i, h := range w.hash[:m] {
			part[lo+i] = uint16(uint64(uint32(h)) * uint64(len(s.parts)) >> 32)
		}
	}
	groupRows(part, idx, r.counts, r.starts)
	return out, nil
}

// groupRows sets idx to the row numbers by partition, and counts to how many each has.
func groupRows(part []uint16, idx, counts, starts []uint32) {
	clear(counts)
	for _, p := range part {
		counts[p]++
	}
	at := uint32(0)
	for p, n := range counts {
		starts[p] = at
		at += n
	}
	for row, p := range part {
		k := starts[p]
		idx[k] = uint32(row)
		starts[p] = k + 1
	}
}
