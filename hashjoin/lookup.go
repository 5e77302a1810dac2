package hashjoin

// find sets out to the right rows of each key. a is how rows fared before; nil where they are too few to tell.
func (t *RightTable) find(k *keys, out []ref, a *asked) {
	switch {
	case t.rows.N == 0:
		clear(out)
	case t.mode == hashed:
		t.findHashed(k, out, a)
	case t.start != nil && t.order == nil:
		t.findDirectUnique(k.words, out)
	case t.start != nil:
		t.findDirect(k.words, out)
	case t.entries != nil:
		t.findEntries(k.words, out, a)
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

// findChunk is how many rows are looked up together, so that their cache misses overlap.
const findChunk = 256

// findEntries looks words up in the hash layout without comparing columns. No branch
// depends on what a slot holds: rows whose slot holds another key are kept for another round.
func (t *RightTable) findEntries(words []uint64, out []ref, a *asked) {
	var slots [findChunk]uint32
	var again [findChunk]uint8
	entries := t.entries
	for lo := 0; lo < len(words); lo += findChunk {
		w := words[lo:min(lo+findChunk, len(words))]
		o := out[lo : lo+len(w)]
		n := 0
		if t.asks(a) {
			n = t.startFiltered(w, o, &slots, &again)
			a.note(len(w), n)
		} else {
			n = t.startAll(w, &slots, &again)
		}
		for n > 0 {
			kept := 0
			for _, i := range again[:n] {
				s := slots[i]
				e := &entries[s]
				o[i] = ref{e.lo, e.n}
				if s++; s == uint32(len(entries)) {
					s = 0
				}
				slots[i] = s
				again[kept] = i
				next := 0
				if e.key != w[i] {
					next = 1
				}
				if e.n == 0 {
					next = 0
				}
				kept += next
			}
			n = kept
		}
	}
}
