package parquet

import (
	"encoding/binary"
	"errors"
)

// lz is what Snappy and LZ4 share: a copy or a literal that the window had no room for in one piece.
type lz struct {
	in      *window
	literal int // bytes of input to pass through
	length  int // bytes to repeat
	offset  int // from so far back
}

var errBack = errors.New("refers back beyond its beginning")

// pending goes on with what is under way, and says whether it is done.
func (z *lz) pending(w *window) (done bool, err error) {
	for z.literal > 0 {
		room := w.free()
		if len(room) == 0 {
			return false, nil
		}
		b, err := z.in.peek(1)
		if err != nil {
			return false, err
		}
		if len(b) == 0 {
			return false, errEnds
		}
		n := copy(room[:min(len(room), z.literal)], b)
		z.in.advance(n)
		w.produced(n)
		z.literal -= n
	}
	if z.length > 0 {
		if err := z.repeat(w); err != nil {
			return false, err
		}
	}
	return z.length == 0, nil
}

// repeat copies from history as much as there is room for.
func (z *lz) repeat(w *window) error {
	if z.offset > w.w {
		if int64(z.offset) > w.made {
			return errBack
		}
		return errFar
	}
	if z.offset == 0 {
		return errors.New("repeats from offset 0")
	}
	n := min(z.length, len(w.free()))
	dst := w.b[w.w : w.w+n]
	src := w.b[w.w-z.offset:]
	if z.offset >= n {
		copy(dst, src[:n])
	} else {
		for done := 0; done < n; { // the pattern doubles with every copy
			done += copy(dst[done:], src[:z.offset+done])
		}
	}
	w.produced(n)
	z.length -= n
	return nil
}

// snappy decompresses one block, as Parquet pages have it.
type snappy struct {
	lz
	// far begins the input anew and returns room for a window of a size; nil where the window is the page.
	far  func(size int) ([]byte, error)
	wide bool // the window reaches back farHistory already
}

func newSnappy(in *window, raw int64) (*snappy, error) {
	b, err := in.peek(binary.MaxVarintLen32)
	if err != nil {
		return nil, err
	}
	n, k := binary.Uvarint(b)
	if k <= 0 || n != uint64(raw) {
		return nil, errRaw
	}
	in.advance(k)
	return &snappy{lz: lz{in: in}}, nil
}

func (z *snappy) produce(w *window) error {
	for len(w.free()) > 0 {
		done, err := z.pending(w)
		if errors.Is(err, errFar) && z.far != nil {
			return z.restart(w)
		}
		if err != nil {
			return err
		}
		if !done || w.left == 0 {
			return nil
		}
		z.fast(w)
		if w.left == 0 || len(w.free()) == 0 {
			return nil
		}
		if err := z.element(); err != nil {
			return err
		}
		if int64(z.literal)+int64(z.length) > w.left {
			return errRaw
		}
	}
	return nil
}

// restart puts a window in the place of w that reaches further back: farHistory at first, then all of
// the page, and makes it hold what w holds unread, and more.
func (z *snappy) restart(w *window) error {
	unread, raw := w.w-w.r, w.made+w.left
	size, keep := raw, raw
	if !z.wide && raw > farWindow {
		size, keep = farWindow, farHistory
	}
	b, err := z.far(int(size))
	if err != nil {
		return err
	}
	again, err := newSnappy(z.in, raw)
	if err != nil {
		return err
	}
	if again.wide = true; size < raw {
		again.far = z.far
	}
	full := window{b: b, left: raw, keep: int(keep), from: again}
	if err := full.skip(w.made - int64(unread)); err != nil {
		return err
	}
	if b, err := full.peek(unread + 1); err != nil || len(b) <= unread {
		return errors.Join(err, errRaw)
	}
	*w = full
	return nil
}

// element reads the next tag.
func (z *snappy) element() error {
	b, err := z.in.peek(5)
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return errRaw
	}
	tag := int(b[0])
	used := 1
	switch tag & 3 {
	case 0:
		n := tag >> 2
		if n >= 60 {
			k := n - 59
			if len(b) <= k {
				return errEnds
			}
			n = 0
			for i := k; i > 0; i-- {
				n = n<<8 | int(b[i])
			}
			used += k
		}
		z.literal = n + 1
	case 1:
		if len(b) < 2 {
			return errEnds
		}
		z.length, z.offset = 4+tag>>2&7, tag>>5<<8|int(b[1])
		used = 2
	case 2:
		if len(b) < 3 {
			return errEnds
		}
		z.length, z.offset = 1+tag>>2, int(binary.LittleEndian.Uint16(b[1:]))
		used = 3
	case 3:
		if len(b) < 5 {
			return errEnds
		}
		z.length, z.offset = 1+tag>>2, int(binary.LittleEndian.Uint32(b[1:]))
		used = 5
	}
	z.in.advance(used)
	return nil
}
