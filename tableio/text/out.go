package text

import (
	"io"

	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	outBuffer   = 1 << 20 // bytes a write
	flushWindow = 4 << 20 // bytes whose writing to disk is started together
	flushBehind = 3       // windows that may be dirty behind the one being filled

	gzipWriterHeap = 2 << 20
	zstdWriterHeap = 12 << 20
	zstdWindow     = 1 << 20
)

// Out writes one file from front to back. What is compressed reaches the compressor in pieces of a
// fixed size, so the file's bytes depend on the text alone.
type Out struct {
	file *fileOut
	buf  *mem.Buf // of text
	n    int      // bytes in buf
	zip  io.WriteCloser
	heap int64
	acct *mem.Account
}

// fileOut writes bytes, and sees to it that no more than a few windows are dirty in the page cache.
type fileOut struct {
	f   vfs.File
	off int64
	win int64
	buf *mem.Buf // of compressed bytes; nil without a compressor
	n   int
}

// createOut makes a file.
func createOut(fs vfs.FS, path string, codec Codec, acct *mem.Account) (*Out, error) {
	o := &Out{acct: acct, file: &fileOut{}}
	err := o.open(fs, path, codec)
	if err != nil {
		o.drop()
		return nil, err
	}
	return o, nil
}

func (o *Out) open(fs vfs.FS, path string, codec Codec) (err error) {
	if o.buf, err = o.acct.Alloc(outBuffer); err != nil {
		return err
	}
	if codec != Plain {
		heap := int64(gzipWriterHeap)
		if codec == Zstd {
			heap = zstdWriterHeap
		}
		if err := o.acct.Reserve(heap); err != nil {
			return err
		}
		o.heap = heap
		if o.file.buf, err = o.acct.Alloc(outBuffer); err != nil {
			return err
		}
	}
	if o.file.f, err = fs.Create(path); err != nil {
		return err
	}
	switch codec {
	case Gzip:
		o.zip = gzip.NewWriter(o.file)
	case Zstd:
		o.zip, err = zstd.NewWriter(o.file, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	}
	return err
}

// WriterHeap returns the pool bytes that writing a file takes.
func WriterHeap(codec Codec) int64 {
	switch codec {
	case Gzip:
		return 2*outBuffer + gzipWriterHeap
	case Zstd:
		return 2*outBuffer + zstdWriterHeap
	}
	return outBuffer
}

// Size returns the bytes of the file so far; of what is compressed, those that the compressor has given.
func (o *Out) Size() int64 {
	if o.zip == nil {
		return o.file.off + int64(o.n)
	}
	return o.file.off + int64(o.file.n)
}

// Offset returns the bytes written so far, before they are compressed, of a file that is not.
func (o *Out) Offset() int64 { return o.file.off + int64(o.n) }

// Room returns an empty slice with room for n bytes, at most 64 KiB, to append to; Took says what it has become.
func (o *Out) Room(n int) ([]byte, error) {
	b := o.buf.Bytes()[:outBuffer]
	if len(b)-o.n < n {
		if err := o.flush(); err != nil {
			return nil, err
		}
	}
	return b[o.n:o.n], nil
}

// Took takes what has been appended to the slice of Room.
func (o *Out) Took(p []byte) { o.n += len(p) }

// Write writes p.
func (o *Out) Write(p []byte) error {
	b := o.buf.Bytes()[:outBuffer]
	for len(p) > 0 {
		if o.n == len(b) {
			if err := o.flush(); err != nil {
				return err
			}
		}
		k := copy(b[o.n:], p)
		o.n, p = o.n+k, p[k:]
	}
	return nil
}

// flush passes the text on.
func (o *Out) flush() error {
	p := o.buf.Bytes()[:o.n]
	o.n = 0
	if o.zip != nil {
		_, err := o.zip.Write(p)
		return err
	}
	return o.file.put(p)
}

// Write takes compressed bytes.
func (f *fileOut) Write(p []byte) (int, error) {
	all, b := len(p), f.buf.Bytes()[:outBuffer]
	for len(p) > 0 {
		if f.n == len(b) {
			if err := f.flush(); err != nil {
				return 0, err
			}
		}
		k := copy(b[f.n:], p)
		f.n, p = f.n+k, p[k:]
	}
	return all, nil
}

func (f *fileOut) flush() error {
	p := f.buf.Bytes()[:f.n]
	f.n = 0
	return f.put(p)
}

func (f *fileOut) put(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := f.f.WriteAt(p, f.off); err != nil {
		return err
	}
	f.off += int64(len(p))
	for ; (f.win+1)*flushWindow <= f.off; f.win++ {
		if err := f.f.FlushRange(f.win*flushWindow, flushWindow, false); err != nil {
			return err
		}
		if f.win >= flushBehind {
			old := (f.win - flushBehind) * flushWindow
			if err := f.f.FlushRange(old, flushWindow, true); err != nil {
				return err
			}
			f.f.DontNeed(old, flushWindow)
		}
	}
	return nil
}

// finish makes the file durable and closes it. After an error call drop.
func (o *Out) finish() (size int64, err error) {
	err = o.flush()
	if err == nil && o.zip != nil {
		err = o.zip.Close()
		o.zip = nil
		if err == nil {
			err = o.file.flush()
		}
	}
	if err == nil {
		err = o.file.f.Sync()
	}
	if err != nil {
		return 0, err
	}
	size = o.file.off
	o.file.f.DontNeed(0, size)
	f := o.file.f
	o.file.f = nil
	err = f.Close()
	o.drop()
	return size, err
}

// drop releases everything; it may be called more than once.
func (o *Out) drop() {
	if o == nil {
		return
	}
	if o.buf != nil {
		o.buf.Release()
		o.buf = nil
	}
	if o.file.buf != nil {
		o.file.buf.Release()
		o.file.buf = nil
	}
	if o.file.f != nil {
		_ = o.file.f.Close() // the error that led here is the one to report
		o.file.f = nil
	}
	o.acct.Unreserve(o.heap)
	o.heap = 0
}
