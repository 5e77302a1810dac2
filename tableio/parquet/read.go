package parquet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"pqjoin/batch"
	"pqjoin/internal/vfs"

	"github.com/parquet-go/parquet-go/format"
)

var (
	// ErrCorrupt marks a file whose bytes contradict themselves or the format.
	ErrCorrupt = errors.New("corrupt parquet file")
	// ErrUnsupported marks a file that uses what we do not read: a codec, an encoding, encryption, nested columns.
	ErrUnsupported = errors.New("unsupported parquet file")
	// ErrChanged marks a file that is no longer what it was when it was opened.
	ErrChanged = errors.New("file changed while it was read")
)

// File is an open Parquet file: its footer, and a handle while streams read it. It is
// safe for concurrent use, and holds no descriptor while nobody reads.
type File struct {
	fsys    vfs.FS
	path    string
	size    int64
	mtime   time.Time
	tail    uint32 // checksum of the footer
	tailLen int64  // its bytes
	meta    *fileMeta
	schema  *batch.Schema
	columns []column
	groups  []RowGroup

	mu     sync.Mutex
	handle vfs.File
	users  int
}

// RowGroup describes a row group.
type RowGroup struct {
	Rows     int64
	Bytes    int64 // compressed bytes of its column chunks
	RawBytes int64 // the same, uncompressed
	Sorting  []batch.SortKey
	Columns  []Chunk // one a field of File.Schema
}

// Chunk describes one column of a row group.
type Chunk struct {
	Bytes     int64 // compressed
	RawBytes  int64
	Codec     format.CompressionCodec
	Encodings []format.Encoding
	Stats     Stats
	// DictBytes is the compressed size of the dictionary page, 0 where there is none or the footer does not say.
	DictBytes int64
}

// Stats is what a footer says about the values of a chunk. Min and Max are bounds: they may
// be shortened (strings), but never exclude a value; NaN is never counted.
type Stats struct {
	HasMinMax bool
	Min, Max  Value
	HasNulls  bool
	Nulls     int64
}

// Value is one value of a column type's kind.
type Value struct {
	Int   int64 // KindInt64, and KindBool as 0 or 1
	Float float64
	Big   batch.Int128
	Bytes []byte
}

// ReadOptions says how a row group is read.
type ReadOptions struct {
	// BatchRows is the most rows a batch has; 0 means batch.Rows. Batches of wide or long values have fewer.
	BatchRows int
	// WholeBytes is memory beyond ReadFloor that may be used to decode big compressed pages whole, which is
	// faster than in pieces by what a codec's assembly gains. The columns take of it what they can.
	WholeBytes int64
	// DropBehind drops what was read from the page cache.
	DropBehind bool
	// Types are the types of the columns, where they are others than the schema's; see File.ReadsAs. Nil: the schema's.
	Types []batch.Type

	// For tests.
	limits   *limits // nil: by the number of columns
	skipSums bool    // checksums are not looked at
}

// Schema returns the columns; nested ones have type Nested.
func (f *File) Schema() *batch.Schema { return f.schema }

// RowGroups returns the row groups in file order; the caller must not change them.
func (f *File) RowGroups() []RowGroup { return f.groups }

// Path returns the path that the file was opened by.
func (f *File) Path() string { return f.path }

// Size and ModTime say what the file was when it was opened.
func (f *File) Size() int64        { return f.size }
func (f *File) ModTime() time.Time { return f.mtime }

// CreatedBy names the program that wrote the file.
func (f *File) CreatedBy() string { return f.meta.createdBy }

// ArrowSchema returns the writer's Arrow schema, in base64, or "", and forgets it: it may be long, and there is one in each file.
// It is not for concurrent use.
func (f *File) ArrowSchema() string {
	s := f.meta.arrow
	f.meta.arrow = ""
	return s
}

// Rows returns the rows of all row groups.
func (f *File) Rows() int64 {
	n := int64(0)
	for i := range f.groups {
		n += f.groups[i].Rows
	}
	return n
}

// Close gives the handle back once no stream uses it.
func (f *File) Close() error { return nil }

// acquire returns the handle, opening the file where nobody has it open. Each call is
// paired with one of release.
func (f *File) acquire() (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users == 0 {
		h, err := f.fsys.Open(f.path)
		if err != nil {
			return nil, err
		}
		st, err := h.Stat()
		if err == nil {
			err = f.same(st)
		}
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
		f.handle = h
	}
	f.users++
	return f.handle, nil
}

func (f *File) release() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users--; f.users > 0 {
		return nil
	}
	h := f.handle
	f.handle = nil
	return h.Close()
}

func (f *File) same(st fs.FileInfo) error {
	if st.Size() != f.size || !st.ModTime().Equal(f.mtime) {
		return fmt.Errorf("%s: %w: it had %d bytes of %s, now %d of %s", f.path, ErrChanged,
			f.size, f.mtime.UTC().Format(time.RFC3339Nano), st.Size(), st.ModTime().UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// Identity says what the file was when it was opened: size, modification time and the footer's checksum.
func (f *File) Identity() string {
	return fmt.Sprintf("%d %d %08x", f.size, f.mtime.UnixNano(), f.tail)
}

// Verify says whether the file still is what it was: size, modification time and footer. The error wraps ErrChanged where not.
func (f *File) Verify(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := f.acquire()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.release()) }()
	src, err := findFooter(ctx, h, f.path, f.size)
	if err != nil {
		return err
	}
	sum, err := src.finish()
	if err != nil {
		return err
	}
	if sum != f.tail {
		return fmt.Errorf("%s: %w: its footer is another", f.path, ErrChanged)
	}
	return nil
}
