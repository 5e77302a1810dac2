package parquet

import (
	"context"
	"errors"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// Defaults of WriterOptions.
const (
	DefaultRowGroupRows = 1 << 20
	DefaultRowGroupRaw  = 32 << 20
	DefaultFileSize     = 512 << 20
)

// KeyValue is one entry of a file's key-value metadata.
type KeyValue struct{ Key, Value string }

// WriterOptions says how a table is written. The zero value means the defaults.
// Nothing here but the fields marked so changes the bytes of the files.
type WriterOptions struct {
	Compression  string          // snappy (default), zstd, gzip, lz4, none: changes the bytes
	RowGroupRows int             // most rows of a row group; default DefaultRowGroupRows: changes the bytes
	RowGroupRaw  int64           // most raw bytes of a row group; default DefaultRowGroupRaw: changes the bytes
	SortKeys     []batch.SortKey // the order the rows arrive in, written as sorting columns: changes the bytes
	KeyValue     []KeyValue      // file metadata, in this order: changes the bytes
	Version      string          // of pqjoin, for created_by: changes the bytes

	// Where CreateDir starts a new file, one of: bytes (default DefaultFileSize), rows, or a
	// number of files, for which TotalRows must be known. They change the bytes.
	FileSize  int64
	FileRows  int64
	FileCount int
	TotalRows int64

	Shape   Shape        // which writer's habits to follow: changes the bytes
	Threads int          // encoding goroutines; default 1
	Acct    *mem.Account // pays for encoded pages; nil: the Go heap
}

// Shape names the writer whose habits a file follows, so that test data can look like other programs' files.
type Shape uint8

// The shapes.
const (
	ShapeOwn     Shape = iota // ours: page CRCs, page index
	ShapePyarrow              // pages of 1 MiB, no CRC, no page index
)

// FileSummary describes one written file.
type FileSummary struct {
	Name      string // within the directory; the path given to CreateFile
	Rows      int64
	Bytes     int64
	RowGroups int
}

// Summary describes what a Writer has written.
type Summary struct {
	Files    []FileSummary
	Rows     int64
	Bytes    int64 // of all files
	RawBytes int64 // of the values, before encoding
}

// Writer writes one table. Write, Close and Abort are called by one goroutine at a time.
type Writer struct{}

var errNotYet = errors.New("parquet writer: not implemented")

// CreateDir starts a table of part files part-00000.parquet and so on in dir, which exists.
func CreateDir(ctx context.Context, fs vfs.FS, dir string, schema *batch.Schema, o WriterOptions) (*Writer, error) {
	return nil, errNotYet
}

// CreateFile starts a table of one file.
func CreateFile(ctx context.Context, fs vfs.FS, path string, schema *batch.Schema, o WriterOptions) (*Writer, error) {
	return nil, errNotYet
}

// Write appends the rows of b, of which it takes ownership, also when it fails. It blocks while too much is in flight.
func (w *Writer) Write(ctx context.Context, b *batch.Batch) error { b.Release(); return errNotYet }

// Close writes what is left, the footers, and makes the files durable. After an error call Abort.
func (w *Writer) Close(ctx context.Context) (Summary, error) { return Summary{}, errNotYet }

// Abort stops and releases everything; files written so far are left for the owner of the directory
// to remove. It may be called after Close and more than once.
func (w *Writer) Abort() {}

// WriterFloor returns the pool bytes that writing the schema takes at least, the rows
// that the writer holds on to (of whichever account they are) included.
func WriterFloor(schema *batch.Schema, o WriterOptions) int64 { return 0 }
