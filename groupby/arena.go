package groupby

import (
	"bytes"
	"encoding/binary"

	"pqjoin/mem"
)

// A bytes value takes two words of an entry, its view:
//
//	word 0   length (32 bits), first four bytes
//	word 1   the next eight bytes of a value of up to 12 bytes, else where it lies in the arena
//
// so short values are compared without leaving the entry.
const viewInline = 12

// segment is the usual size of an arena's buffers, in bytes.
const segment = 64 << 10

// arena holds the long values of a table in pool buffers.
type arena struct {
	acct *mem.Account
	segs []*mem.Buf
	at   int   // bytes used of the last segment
	held int64 // bytes of all segments
	used int64 // bytes stored, dead ones included
	dead int64 // bytes of values that were replaced
}

// makeView returns the words of p; of a long value the second word is still to come (see put).
func makeView(p []byte) (w0, w1 uint64) {
	n := len(p)
	w0 = uint64(n)
	switch {
	case n > viewInline:
		w0 |= uint64(binary.LittleEndian.Uint32(p)) << 32
	case n >= 8: // the last eight bytes, without those before the fifth
		w0 |= uint64(binary.LittleEndian.Uint32(p)) << 32
		w1 = binary.LittleEndian.Uint64(p[n-8:]) >> (8 * (viewInline - n))
	case n >= 4:
		w0 |= uint64(binary.LittleEndian.Uint32(p)) << 32
		w1 = uint64(binary.LittleEndian.Uint32(p[n-4:])) >> (8 * (8 - n))
	case n > 0:
		w0 |= uint64(p[0])<<32 | uint64(p[n>>1])<<(32+8*(n>>1)) | uint64(p[n-1])<<(24+8*n)
	}
	return w0, w1
}

func viewLen(w0 uint64) int { return int(uint32(w0)) }

// put stores a long value and returns its place.
func (a *arena) put(p []byte) (uint64, error) {
	if len(a.segs) == 0 || a.at+len(p) > len(a.segs[len(a.segs)-1].Bytes()) {
		buf, err := a.acct.Alloc(max(segment, len(p)))
		if err != nil {
			return 0, err
		}
		a.segs = append(a.segs, buf)
		a.held += buf.Size()
		a.at = 0
	}
	seg := len(a.segs) - 1
	copy(a.segs[seg].Bytes()[a.at:], p)
	place := uint64(seg)<<32 | uint64(a.at)
	a.at += len(p)
	a.used += int64(len(p))
	return place, nil
}

// long returns the bytes of a long view.
func (a *arena) long(w0, w1 uint64) []byte {
	at := int(uint32(w1))
	return a.segs[w1>>32].Bytes()[at : at+viewLen(w0)]
}

// value returns the bytes of the view; scratch holds them where they are inline.
func (a *arena) value(w0, w1 uint64, scratch *[16]byte) []byte {
	if viewLen(w0) > viewInline {
		return a.long(w0, w1)
	}
	binary.LittleEndian.PutUint32(scratch[:], uint32(w0>>32))
	binary.LittleEndian.PutUint64(scratch[4:], w1)
	return scratch[:viewLen(w0)]
}

// equal says whether the view holds p, whose own view begins with the words v0, v1.
func (a *arena) equal(w0, w1, v0, v1 uint64, p []byte) bool {
	if w0 != v0 {
		return false
	}
	if viewLen(w0) <= viewInline {
		return w1 == v1
	}
	return bytes.Equal(a.long(w0, w1), p)
}

// set makes the two words at w the view of p. fresh says that they held nothing before.
func (a *arena) set(w []uint64, p []byte, fresh bool) error {
	w0, w1 := makeView(p)
	old := 0
	if !fresh {
		old = viewLen(w[0])
	}
	switch {
	case len(p) <= viewInline:
		if old > viewInline {
			a.dead += int64(old)
		}
	case old >= len(p): // the new value fits into the place of the old one
		a.dead += int64(old - len(p))
		w1 = w[1]
		at := int(uint32(w1))
		copy(a.segs[w1>>32].Bytes()[at:], p)
	default:
		if old > viewInline {
			a.dead += int64(old)
		}
		var err error
		if w1, err = a.put(p); err != nil {
			return err
		}
	}
	w[0], w[1] = w0, w1
	return nil
}

// reset forgets all values and keeps one segment.
func (a *arena) reset() {
	for i, s := range a.segs {
		if i > 0 {
			a.held -= s.Size()
			s.Release()
		}
	}
	if len(a.segs) > 1 {
		clear(a.segs[1:])
		a.segs = a.segs[:1]
	}
	a.at, a.used, a.dead = 0, 0, 0
}

func (a *arena) release() {
	for _, s := range a.segs {
		s.Release()
	}
	*a = arena{acct: a.acct}
}
