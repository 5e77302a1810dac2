// Package text holds what the formats made of lines have in common: files that may be
// compressed, values and their types, and writing them.
//
// Invariants:
//
//   - Reading takes bounded memory: a buffer, one record, a decompressor of a bounded window.
//   - A value's text and its type decide its value; nothing depends on the locale or on values around it.
//   - What AppendValue writes, Convert reads back as the same value.
package text

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"pqjoin/internal/vfs"
	"pqjoin/tableio/format"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Codec is how a file is compressed.
type Codec uint8

// The codecs.
const (
	Plain Codec = iota
	Gzip
	Zstd
)

// maxWindow bounds what a zstd file may refer back to; more is refused. Its first frame says how much it is; usualWindow is what others may have all the same.
const (
	usualWindow = 8 << 20
	maxWindow   = 32 << 20
)

// gzipHeap is what the decompressor takes, bytes; that of zstd takes twice its window.
const gzipHeap = 64 << 10

// ReadAhead is how many bytes are read at once.
const readAhead = 256 << 10

// Input is a file of text as it was when it was opened.
type Input struct {
	fsys  vfs.FS
	path  string
	size  int64
	mtime time.Time
	codec Codec
	// window is the longest of a zstd file.
	window int64
}

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// OpenInput looks at a file; its first bytes tell how it is compressed, whatever its name.
func OpenInput(ctx context.Context, fsys vfs.FS, path string) (in *Input, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	st, err := h.Stat()
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, fmt.Errorf("%s: %w: it is a directory", path, format.ErrMalformed)
	}
	in = &Input{fsys: fsys, path: path, size: st.Size(), mtime: st.ModTime()}
	head := make([]byte, zstd.HeaderMaxSize)
	n, err := h.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, gzipMagic):
		in.codec = Gzip
	case bytes.HasPrefix(head, zstdMagic):
		in.codec, in.window = Zstd, windowOf(head)
	}
	return in, nil
}

// windowOf returns the window of a zstd file that begins with head, as far as it is accepted.
func windowOf(head []byte) int64 {
	var h zstd.Header
	if h.Decode(head) != nil {
		return usualWindow
	}
	n := h.WindowSize
	if h.SingleSegment {
		n = h.FrameContentSize
	}
	return int64(min(max(n, usualWindow), maxWindow))
}

// Path, Size and Codec say what the file was when it was opened.
func (in *Input) Path() string { return in.path }
func (in *Input) Size() int64  { return in.size }
func (in *Input) Codec() Codec { return in.codec }

// DecoderHeap returns the bytes of heap that reading the file takes.
func (in *Input) DecoderHeap() int64 {
	switch in.codec {
	case Gzip:
		return gzipHeap + readAhead
	case Zstd:
		return 2*in.window + readAhead
	}
	return 0
}

// Identity says what the file was when it was opened: size and modification time.
func (in *Input) Identity() string { return fmt.Sprintf("%d %d", in.size, in.mtime.UnixNano()) }

// Verify says whether the file still has its size and time; else the error wraps format.ErrChanged.
func (in *Input) Verify(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	st, err := in.fsys.Stat(in.path)
	if err != nil {
		return err
	}
	return in.same(st)
}

func (in *Input) same(st fs.FileInfo) error {
	if st.Size() != in.size || !st.ModTime().Equal(in.mtime) {
		return fmt.Errorf("%s: %w: it had %d bytes of %s, now %d of %s", in.path, format.ErrChanged,
			in.size, in.mtime.UTC().Format(time.RFC3339Nano), st.Size(), st.ModTime().UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// Handle opens the file, if it is what it was.
func (in *Input) Handle() (vfs.File, error) {
	h, err := in.fsys.Open(in.path)
	if err != nil {
		return nil, err
	}
	st, err := h.Stat()
	if err == nil {
		err = in.same(st)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Open returns the text from byte from on, which is 0 where the file is compressed.
func (in *Input) Open(from int64) (r io.ReadCloser, err error) {
	h, err := in.Handle()
	if err != nil {
		return nil, err
	}
	raw := &rawReader{in: in, h: h, at: from}
	if in.codec == Plain {
		return raw, nil
	}
	d := &decoder{raw: raw}
	if in.codec == Gzip {
		d.r, err = gzip.NewReader(&ahead{r: raw})
	} else {
		var z *zstd.Decoder
		if z, err = zstd.NewReader(&ahead{r: raw}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(in.window))); err == nil {
			d.r, d.end = z, z.Close
		}
	}
	if err != nil {
		return nil, errors.Join(d.fail(err), raw.Close())
	}
	return d, nil
}

// rawReader reads the file's own bytes.
type rawReader struct {
	in *Input
	h  vfs.File
	at int64
}

func (r *rawReader) Read(p []byte) (int, error) {
	if left := r.in.size - r.at; int64(len(p)) > left {
		p = p[:max(left, 0)]
	}
	if len(p) == 0 {
		return 0, io.EOF
	}
	n, err := r.h.ReadAt(p, r.at)
	r.at += int64(n)
	if err == io.EOF && n < len(p) {
		return n, fmt.Errorf("%s: %w: it ends early", r.in.path, format.ErrChanged)
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

func (r *rawReader) Close() error { return r.h.Close() }

// ahead reads in large pieces, byte by byte for those who ask so.
type ahead struct {
	r        io.Reader
	buf      []byte
	at, fill int
}

func (a *ahead) more() error {
	if a.buf == nil {
		a.buf = make([]byte, readAhead)
	}
	n, err := a.r.Read(a.buf)
	a.at, a.fill = 0, n
	return err
}

func (a *ahead) Read(p []byte) (int, error) {
	if a.at == a.fill {
		if err := a.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.buf[a.at:a.fill])
	a.at += n
	return n, nil
}

func (a *ahead) ReadByte() (byte, error) {
	if a.at == a.fill {
		if err := a.more(); err != nil {
			return 0, err
		}
	}
	a.at++
	return a.buf[a.at-1], nil
}

// decoder decompresses.
type decoder struct {
	raw *rawReader
	r   io.Reader
	end func()
}

func (d *decoder) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && err != io.EOF {
		err = d.fail(err)
	}
	return n, err
}

func (d *decoder) fail(err error) error {
	if errors.Is(err, format.ErrChanged) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%s: %w: it does not decompress: %w", d.raw.in.path, format.ErrMalformed, err)
}

func (d *decoder) Close() error {
	if d.end != nil {
		d.end()
	}
	return d.raw.Close()
}
