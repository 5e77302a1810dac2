package arrow

import "encoding/binary"

// builder writes FlatBuffers from back to front into the end of b, as the format wants it: what is pointed at lies behind.
// A position is the distance from the end.
type builder struct {
	b []byte // filled from head on
	n int    // bytes in use, at the end
}

// grow makes room for n bytes in front.
func (w *builder) grow(n int) []byte {
	if w.n+n > len(w.b) {
		b := make([]byte, max(2*len(w.b), w.n+n, 256))
		copy(b[len(b)-w.n:], w.b[len(w.b)-w.n:])
		w.b = b
	}
	w.n += n
	return w.b[len(w.b)-w.n:][:n]
}

// align puts zeros in front, so that what comes after n bytes more is aligned to size.
func (w *builder) align(size, n int) {
	if pad := (size - (w.n+n)%size) % size; pad > 0 {
		clear(w.grow(pad))
	}
}

func (w *builder) string(s string) int {
	w.align(4, len(s)+1)
	b := w.grow(len(s) + 1)
	copy(b, s)
	b[len(s)] = 0
	return w.length(len(s))
}

func (w *builder) length(n int) int {
	binary.LittleEndian.PutUint32(w.grow(4), uint32(n))
	return w.n
}

// offset writes a pointer to a position.
func (w *builder) offset(to int) {
	w.align(4, 0)
	binary.LittleEndian.PutUint32(w.grow(4), uint32(w.n-to))
}

// offsets writes a vector of pointers.
func (w *builder) offsets(to []int) int {
	w.align(4, 4*len(to))
	for i := len(to) - 1; i >= 0; i-- {
		w.offset(to[i])
	}
	return w.length(len(to))
}

// longs writes a vector of structs of whole words, n words each.
func (w *builder) longs(v []int64, n int) int {
	w.align(8, 8*len(v))
	for i := len(v) - 1; i >= 0; i-- {
		binary.LittleEndian.PutUint64(w.grow(8), uint64(v[i]))
	}
	return w.length(len(v) / n)
}

// slot is a field of a table: a number of size bytes, or a pointer (to > 0).
type slot struct {
	i, size int
	v       int64
	to      int
}

// table writes a table of fields, which are ordered by size, the largest first, as their alignment wants it.
func (w *builder) table(slots ...slot) int {
	at, most := map[int]int{}, -1
	for k := len(slots) - 1; k >= 0; k-- {
		s := slots[k]
		if s.to > 0 {
			w.offset(s.to)
		} else {
			w.align(s.size, 0)
			b := w.grow(s.size)
			for j := range b {
				b[j] = byte(s.v >> (8 * j))
			}
		}
		at[s.i], most = w.n, max(most, s.i)
	}
	w.align(4, 0)
	w.grow(4)
	start := w.n
	vtable := w.grow(4 + 2*(most+1))
	binary.LittleEndian.PutUint16(vtable, uint16(len(vtable)))
	end := 0
	for i := range most + 1 {
		off := 0
		if p, ok := at[i]; ok {
			off = start - p
		}
		binary.LittleEndian.PutUint16(vtable[4+2*i:], uint16(off))
	}
	for k := range slots { // how long the table is: to the end of the field that lies last
		size := slots[k].size
		if slots[k].to > 0 {
			size = 4
		}
		end = max(end, start-at[slots[k].i]+size)
	}
	binary.LittleEndian.PutUint16(vtable[2:], uint16(max(end, 4)))
	binary.LittleEndian.PutUint32(w.b[len(w.b)-start:], uint32(w.n-start))
	return start
}

// finish returns the whole, whose root is given, padded to 8 bytes behind.
func (w *builder) finish(root int) []byte {
	w.align(8, 4)
	w.offset(root)
	return w.b[len(w.b)-w.n:]
}
