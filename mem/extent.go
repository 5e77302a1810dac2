package mem

import (
	"math/bits"
	"unsafe"
)

// extents are free runs of pages, found by size and merged with their neighbours: the page
// heap of a memory allocator (as in jemalloc's extents or tcmalloc's spans).
//
// Cost: a few map operations for each run that is taken or added.
type extents struct {
	byStart, byEnd map[uintptr]*run
	bins           [numClasses]*run // runs of at least the class's size and less than the next one's
	some           [(numClasses + 63) / 64]uint64
	bytes          int64
}

// run is a free run of pages, in the list of its bin.
type run struct {
	b          []byte
	bin        int
	prev, next *run
}

func newExtents() *extents {
	return &extents{byStart: map[uintptr]*run{}, byEnd: map[uintptr]*run{}}
}

func startOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// add makes b free and merges it with free neighbours of the same mapping. Mappings that
// happen to be neighbours are merged too: pages are all alike.
func (e *extents) add(b []byte) {
	b = b[:cap(b)]
	e.bytes += int64(len(b))
	at := startOf(b)
	if before := e.byEnd[at]; before != nil {
		e.unlink(before)
		b = join(before.b, b)
		at = startOf(b)
	}
	if after := e.byStart[at+uintptr(len(b))]; after != nil {
		e.unlink(after)
		b = join(b, after.b)
	}
	e.link(b)
}

// join returns two neighbours as one.
func join(a, b []byte) []byte {
	return unsafe.Slice(unsafe.SliceData(a), len(a)+len(b))
}

// take returns size bytes of a run of the lowest bin that surely has them, where any does; the rest stays free.
func (e *extents) take(size int) []byte {
	idx, class := sizeClass(size)
	r := e.near(idx, class, size)
	if r == nil {
		if r = e.first(idx); r == nil {
			return nil
		}
	}
	e.unlink(r)
	e.bytes -= int64(size)
	if len(r.b) > size {
		e.link(r.b[size:])
	}
	return r.b[:size:size]
}

// nearRuns is how many runs of a bin that may be too small are looked at.
const nearRuns = 8

// near returns a run of the bin below the class of size, for sizes between two classes: one of exactly this
// size, which was given back, lies there.
func (e *extents) near(idx, class, size int) *run {
	if class == size || idx == 0 {
		return nil
	}
	r := e.bins[idx-1]
	for k := 0; r != nil && k < nearRuns; k++ {
		if len(r.b) >= size {
			return r
		}
		r = r.next
	}
	return nil
}

// largest removes the largest run, or one of nearly its size, and returns it.
func (e *extents) largest() []byte {
	for w := len(e.some) - 1; w >= 0; w-- {
		if e.some[w] != 0 {
			r := e.bins[w*64+bits.Len64(e.some[w])-1]
			e.unlink(r)
			e.bytes -= int64(len(r.b))
			return r.b
		}
	}
	return nil
}

// first returns a run of the lowest bin from idx on that has one.
func (e *extents) first(idx int) *run {
	w, mask := idx/64, ^uint64(0)<<(idx%64)
	for ; w < len(e.some); w++ {
		if m := e.some[w] & mask; m != 0 {
			return e.bins[w*64+bits.TrailingZeros64(m)]
		}
		mask = ^uint64(0)
	}
	return nil
}

func (e *extents) link(b []byte) {
	idx, size := sizeClass(len(b))
	if size > len(b) {
		idx--
	}
	r := &run{b: b[:len(b):len(b)], bin: idx, next: e.bins[idx]}
	if r.next != nil {
		r.next.prev = r
	}
	e.bins[idx] = r
	e.some[idx/64] |= 1 << (idx % 64)
	e.byStart[startOf(b)] = r
	e.byEnd[startOf(b)+uintptr(len(b))] = r
}

func (e *extents) unlink(r *run) {
	switch {
	case r.prev != nil:
		r.prev.next = r.next
	default:
		e.bins[r.bin] = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	if e.bins[r.bin] == nil {
		e.some[r.bin/64] &^= 1 << (r.bin % 64)
	}
	delete(e.byStart, startOf(r.b))
	delete(e.byEnd, startOf(r.b)+uintptr(len(r.b)))
}
