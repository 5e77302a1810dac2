package groupby

// match sets ent to the entries of the keys that lie in their first slot and 0 for others, and
// returns how many others there are. It goes over the keys twice, so that the cache misses
// of many rows are on their way at once: those of the index first, then those of the entries.
// In the cache it costs about 2 ns a key of one word.
func (t *table) match(in *probeIn, ent []uint32) int {
	idx, mask := t.idx, uint64(len(t.idx)-1)
	hash := in.hash[:len(ent)]
	for i, h := range hash {
		s := idx[h>>32&mask]
		e := uint32(s)
		if s>>32 != h>>32 {
			e = 0
		}
		ent[i] = e
	}
	switch t.lay.keys.words {
	case 1:
		return matchKeys1(t.ent, t.lay.stride, in.kw, ent)
	case 2:
		return matchKeys2(t.ent, t.lay.stride, in.kw, ent)
	case 3:
		return matchKeys3(t.ent, t.lay.stride, in.kw, ent)
	}
	return matchKeys(t.ent, t.lay.stride, t.lay.keys.words, in.kw, ent)
}

// matchKeys1 zeroes the entries whose key differs from that of the row, and counts the zeros; so do its likes.
func matchKeys1(words []uint64, stride int, kw []uint64, ent []uint32) int {
	others := 0
	kw = kw[:len(ent)]
	for i, e := range ent {
		if e == 0 || words[int(e)*stride] != kw[i] {
			ent[i] = 0
			others++
		}
	}
	return others
}

func matchKeys2(words []uint64, stride int, kw []uint64, ent []uint32) int {
	others := 0
	kw = kw[:2*len(ent)]
	for i, e := range ent {
		w := (*[2]uint64)(words[int(e)*stride:])
		if e == 0 || w[0] != kw[2*i] || w[1] != kw[2*i+1] {
			ent[i] = 0
			others++
		}
	}
	return others
}

func matchKeys3(words []uint64, stride int, kw []uint64, ent []uint32) int {
	others := 0
	kw = kw[:3*len(ent)]
	for i, e := range ent {
		w := (*[3]uint64)(words[int(e)*stride:])
		if e == 0 || w[0] != kw[3*i] || w[1] != kw[3*i+1] || w[2] != kw[3*i+2] {
			ent[i] = 0
			others++
		}
	}
	return others
}

func matchKeys(words []uint64, stride, n int, kw []uint64, ent []uint32) int {
	others := 0
	for i, e := range ent {
		w := words[int(e)*stride:][:n]
		differ := uint64(0)
		for j, v := range kw[i*n:][:n] {
			differ |= w[j] ^ v
		}
		if e == 0 || differ != 0 {
			ent[i] = 0
			others++
		}
	}
	return others
}
