package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"pqjoin/internal/vfs"
)

const (
	// maxFooter is the longest footer that is read: what is known of its chunks is kept on the Go heap.
	maxFooter = 64 << 20
	// footerWindow is how much of a footer lies in memory at once.
	footerWindow = 256 << 10
)

// footerSource reads a footer from front to back through a window, and sums it up: a footer may be long, for the texts in its
// statistics and metadata, and is not held whole.
type footerSource struct {
	ctx  context.Context
	h    vfs.File
	path string
	size int64 // of the footer
	at   int64 // in the file, of what was not read yet
	left int64
	sum  uint32 // of what was read
	buf  []byte
	err  error // the first one of reading, which names the file
}

// findFooter checks the footer's length against the file's size.
func findFooter(ctx context.Context, h vfs.File, path string, size int64) (*footerSource, error) {
	if size < 12 {
		return nil, fmt.Errorf("%s: %w: %d bytes are too few", path, ErrCorrupt, size)
	}
	var end [8]byte
	if _, err := h.ReadAt(end[:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the end of %s: %w", path, err)
	}
	switch string(end[4:]) {
	case "PAR1":
	case "PARE":
		return nil, fmt.Errorf("%s: %w: its footer is encrypted", path, ErrUnsupported)
	default:
		return nil, fmt.Errorf("%s: %w: it does not end in PAR1", path, ErrCorrupt)
	}
	n := int64(binary.LittleEndian.Uint32(end[:4]))
	if n > size-12 {
		return nil, fmt.Errorf("%s: %w: a footer of %d bytes in a file of %d", path, ErrCorrupt, n, size)
	}
	if n > maxFooter {
		return nil, fmt.Errorf("%s: %w: a footer of %d bytes, at most %d are read", path, ErrUnsupported, n, maxFooter)
	}
	return &footerSource{ctx: ctx, h: h, path: path, size: n, at: size - 8 - n, left: n, buf: make([]byte, min(n, footerWindow))}, nil
}

// next returns the bytes that follow rest, which is the end of what it returned before, with rest before them. It returns
// rest where no more follow, or cannot be read. rest is shorter than the window.
func (s *footerSource) next(rest []byte) []byte {
	kept := copy(s.buf, rest)
	n := int(min(s.left, int64(len(s.buf)-kept)))
	if n == 0 || s.err != nil {
		return s.buf[:kept]
	}
	if s.err = s.ctx.Err(); s.err != nil { // each read may take long on a slow disk
		return s.buf[:kept]
	}
	b := s.buf[kept : kept+n]
	if got, err := s.h.ReadAt(b, s.at); err != nil && (got < n || !errors.Is(err, io.EOF)) {
		s.err = fmt.Errorf("read the footer of %s: %w", s.path, err)
		return s.buf[:kept]
	}
	s.at, s.left, s.sum = s.at+int64(n), s.left-int64(n), crc32.Update(s.sum, crc32.IEEETable, b)
	return s.buf[:kept+n]
}

// finish reads on to the end, and returns the sum of the whole footer.
func (s *footerSource) finish() (uint32, error) {
	for s.left > 0 && s.err == nil {
		s.next(nil)
	}
	return s.sum, s.err
}
