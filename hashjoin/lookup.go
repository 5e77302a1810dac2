package hashjoin

import "pqjoin/batch"

// find sets out to the right rows of each key.
func (t *RightTable) find(k *keys, out []ref) {
	switch {
	case t.rows.N == 0:
		clear(out)
	case t.mode == hashed:
		t.findHashed(k, out)
	case t.start != nil && t.order == nil:
		t.findDirectUnique(k.words, out)
	case t.start != nil:
		t.findDirect(k.words, out)
	case t.entries != nil:
		t.findWords(k.words, out)
	default:
		clear(out)
	}
	if k.apart == nil {
		return
	}
	null := t.nullRef()
	for i, m := range k.apart {
		if m != 0 {
			out[i] = null
		}
	}
}

// nullRef returns the rows that a null key set apart matches.
func (t *RightTable) nullRef() ref {
	if !t.equal || len(t.keyCols) != 1 {
		return ref{}
	}
	return t.null
}

func (t *RightTable) findDirectUnique(words []uint64, out []ref) {
	out = out[:len(words)]
	start, lo := t.start, t.min
	for i, w := range words {
		out[i] = ref{}
		if d := w - lo; d < uint64(len(start)) && start[d] != 0 {
			out[i] = ref{start[d] - 1, 1}
		}
	}
}

func (t *RightTable) findDirect(words []uint64, out []ref) {
	out = out[:len(words)]
	start, lo := t.start, t.min
	for i, w := range words {
		out[i] = ref{}
		if d := w - lo; d < uint64(len(start)-1) {
			out[i] = ref{start[d], start[d+1] - start[d]}
		}
	}
}

// findWords looks every word up, except one that repeats the word before it.
func (t *RightTable) findWords(words []uint64, out []ref) {
	out = out[:len(words)]
	entries := t.entries
	for i, w := range words {
		if i > 0 && w == words[i-1] {
			out[i] = out[i-1]
			continue
		}
		s := slot(mix(w), len(entries))
		for entries[s].n != 0 && entries[s].key != w {
			if s++; s == len(entries) {
				s = 0
			}
		}
		out[i] = ref{entries[s].lo, entries[s].n}
	}
}

// findHashed looks hashes up and compares the columns of what it finds.
func (t *RightTable) findHashed(k *keys, out []ref) {
	out = out[:len(k.words)]
	eq := batch.NewRowsEqual(k.cols, t.keyCols, t.equal)
	entries := t.entries
	for i, w := range k.words {
		if k.apart != nil && k.apart[i] != 0 {
			continue // find has the last word
		}
		s := slot(w, len(entries))
		for entries[s].n != 0 {
			e := &entries[s]
			if e.key == w && eq.Equal(i, int(t.row(ref{e.lo, e.n}, 0))) {
				break
			}
			if s++; s == len(entries) {
				s = 0
			}
		}
		out[i] = ref{entries[s].lo, entries[s].n}
	}
}
