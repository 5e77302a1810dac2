package parquet

import (
	"errors"
	"fmt"
	"hash"
	"io"

	"pqjoin/internal/vfs"
)

// slack is how many bytes behind a window's bytes are always readable: bit unpacking reads wide.
const slack = 64

// errEnds says that a page has fewer bytes than its values need.
var errEnds = errors.New("ends too early")

// window yields bytes in order while it holds few of them:
//
//	b:  |  history  |  unread  |  room  | slack
//	    0           r          w        len(b)
//
// A window without a producer holds all its bytes from the start.
type window struct {
	b    []byte
	r, w int
	from producer
	left int64 // bytes that from has yet to produce
	keep int   // bytes of history that the producer refers back to
	made int64 // bytes produced since the start, consumed or not
}

// A producer adds bytes behind w: at least one, at most left, unless it fails.
type producer interface {
	produce(w *window) error
}

// whole returns a window over bytes that are there.
func whole(b []byte) window { return window{b: b, w: len(b), made: int64(len(b))} }

// remains returns the bytes not yet consumed.
func (w *window) remains() int64 { return int64(w.w-w.r) + w.left }

// peek returns the unread bytes at hand: at least n, fewer only where the window ends
// before. n must be small against the window's size.
func (w *window) peek(n int) ([]byte, error) {
	for w.w-w.r < n && w.left > 0 {
		w.room(n)
		before := w.made // a producer may put another window in this one's place
		if err := w.from.produce(w); err != nil {
			return nil, err
		}
		if w.made == before {
			return nil, errEnds
		}
	}
	return w.b[w.r:w.w], nil
}

// room moves unread bytes and history to the front once half the window is behind them.
func (w *window) room(n int) {
	if w.r == w.w && w.keep == 0 {
		w.r, w.w = 0, 0
		return
	}
	if len(w.b)-w.w >= max(n, len(w.b)/4) {
		return
	}
	from := max(0, min(w.r, w.w-w.keep))
	if from == 0 {
		return
	}
	copy(w.b, w.b[from:w.w])
	w.r -= from
	w.w -= from
}

// produced notes that n bytes were added.
func (w *window) produced(n int) {
	w.w += n
	w.left -= int64(n)
	w.made += int64(n)
}

// free returns the room behind w, no longer than what is still due.
func (w *window) free() []byte {
	return w.b[w.w:min(int64(len(w.b)), int64(w.w)+w.left)]
}

func (w *window) advance(n int) { w.r += n }

// skip consumes n bytes.
func (w *window) skip(n int64) error {
	for n > 0 {
		b, err := w.peek(1)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return errEnds
		}
		k := int(min(n, int64(len(b))))
		w.advance(k)
		n -= int64(k)
	}
	return nil
}

// directRead is the least that is read past the window, straight to where it is wanted.
const directRead = 32 << 10

// readInto fills dst.
func (w *window) readInto(dst []byte) error {
	for len(dst) > 0 {
		if w.r == w.w && len(dst) >= directRead && w.left >= int64(len(dst)) {
			if p, ok := w.from.(*filePieces); ok {
				w.left -= int64(len(dst))
				w.made += int64(len(dst))
				return p.read(dst)
			}
		}
		b, err := w.peek(1)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return errEnds
		}
		n := copy(dst, b)
		w.advance(n)
		dst = dst[n:]
	}
	return nil
}

// Read makes the window an io.Reader, for decompressors.
func (w *window) Read(p []byte) (int, error) {
	b, err := w.peek(1)
	if err != nil {
		return 0, err
	}
	if len(b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b)
	w.advance(n)
	return n, nil
}

// ReadByte makes the window an io.ByteReader, so that decompressors do not buffer again.
func (w *window) ReadByte() (byte, error) {
	if w.r < w.w {
		w.r++
		return w.b[w.r-1], nil
	}
	b, err := w.peek(1)
	if err != nil {
		return 0, err
	}
	if len(b) == 0 {
		return 0, io.EOF
	}
	w.r++
	return b[0], nil
}

// filePieces produces the bytes of a file from an offset on, and sums them where asked to.
type filePieces struct {
	h    vfs.File
	at   int64
	sum  hash.Hash32 // nil: no checksum
	drop bool        // drop what was read from the page cache
}

func (p *filePieces) produce(w *window) error {
	b := w.free()
	if err := p.read(b); err != nil {
		return err
	}
	w.produced(len(b))
	return nil
}

func (p *filePieces) read(b []byte) error {
	n, err := p.h.ReadAt(b, p.at)
	if n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: it ends at byte %d", ErrChanged, p.at+int64(n))
		}
		return err
	}
	if p.drop {
		p.h.DontNeed(p.at, int64(n))
	}
	p.at += int64(n)
	if p.sum != nil {
		p.sum.Write(b)
	}
	return nil
}
