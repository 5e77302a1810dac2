package parquet

import (
	"context"
	"errors"
	"slices"
	"sync"

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
	Bloom        []int           // columns whose chunks get bloom filters, none of them bool or float: changes the bytes
	PandasIndex  bool            // metadata that makes the first of SortKeys the index of a pandas frame: changes the bytes
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
	Share   int64        // bytes of Acct that are meant for the writer, which opens row groups by it; 0: Acct's limit
	// RowBytes is the mean bytes of a row as far as known, for WriterFloor where there are long values.
	RowBytes int64
	// MostRows and MostRaw are the most rows that can come, and their raw bytes, for WriterFloor; 0: nobody knows.
	MostRows, MostRaw int64
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
//
//	Write -- cut into files, row groups, slabs --> lanes (columns) -- encode --> pages
//	                                               of the open row groups, in pool memory
//	committer <-- finished row groups, in order --> part file -- footer, fsync
//
// The bytes written are a function of the rows and the options alone: not of how the rows
// are cut into batches or coded in them, of threads, or of memory.
type Writer struct {
	fs        vfs.FS
	path      string // of the directory or the file
	dir       bool
	opts      WriterOptions
	schema    *batch.Schema
	fields    []writeField
	leaves    []leaf
	chunkOpts chunkOptions
	createdBy string
	limits    cutLimits

	cut   cutter
	small []*batch.Batch // short batches that wait to be joined
	tiny  smallState

	sched   *scheduler
	workers sync.WaitGroup
	groups  chan struct{} // a token for every open row group
	commits chan command
	done    chan struct{} // closed when the committer has returned

	mu      sync.Mutex
	err     error
	dead    chan struct{} // closed with the first error
	open    []*rowGroup   // not yet written
	sizes   []groupSize   // of all row groups, by their number
	sum     Summary
	stopped bool
}

// CreateDir starts a table of part files part-00000.parquet and so on in dir, which exists.
func CreateDir(ctx context.Context, fs vfs.FS, dir string, schema *batch.Schema, o WriterOptions) (*Writer, error) {
	return create(ctx, fs, dir, true, schema, o)
}

// CreateFile starts a table of one file.
func CreateFile(ctx context.Context, fs vfs.FS, path string, schema *batch.Schema, o WriterOptions) (*Writer, error) {
	return create(ctx, fs, path, false, schema, o)
}

func create(ctx context.Context, fs vfs.FS, path string, dir bool, schema *batch.Schema, o WriterOptions) (*Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.PandasIndex && len(o.SortKeys) > 0 {
		kv, err := pandasMetadata(schema, o.SortKeys, o.Version)
		if err != nil {
			return nil, err
		}
		o.KeyValue = append(slices.Clone(o.KeyValue), kv)
	}
	w := &Writer{fs: fs, path: path, dir: dir, opts: o, schema: schema, dead: make(chan struct{}), done: make(chan struct{})}
	for _, f := range schema.Fields {
		var wf writeField
		if w.leaves, wf, err = appendLeaves(w.leaves, f); err != nil {
			return nil, err
		}
		w.fields = append(w.fields, wf)
	}
	w.limits = cutLimitsOf(schema, o)
	w.chunkOpts, w.createdBy = o.chunkOptions(w.limits)
	w.sched = newScheduler(w.limits.inFlight)
	w.groups = make(chan struct{}, w.limits.openGroups(schema, o))
	w.commits = make(chan command, 1)
	for range o.Threads {
		w.workers.Add(1)
		go w.work()
	}
	go w.commit()
	return w, nil
}

// Close writes what is left, the footers, and makes the files and their directory durable.
// After an error call Abort.
func (w *Writer) Close(ctx context.Context) (Summary, error) {
	err := w.join(ctx, true)
	if err == nil {
		err = w.endFile(ctx)
	}
	if err != nil {
		return Summary{}, err
	}
	close(w.commits)
	w.stopped = true
	select {
	case <-w.done:
	case <-ctx.Done():
		w.fail(ctx.Err())
	}
	w.sched.halt()
	w.workers.Wait()
	<-w.done
	if err := w.failed(); err != nil {
		return Summary{}, err
	}
	if w.dir {
		if err := w.fs.SyncDir(w.path); err != nil {
			return Summary{}, err
		}
	}
	return w.sum, nil
}

// Abort stops and releases everything; files written so far are left for the owner of the directory
// to remove. It may be called after Close and more than once.
func (w *Writer) Abort() {
	w.fail(errAborted)
	if !w.stopped {
		w.stopped = true
		close(w.commits)
	}
	w.sched.halt()
	w.workers.Wait()
	<-w.done
	for _, b := range w.small {
		b.Release()
	}
	w.small = nil
	w.cut.slab.release()
	for _, g := range w.open {
		g.drop()
	}
	w.open = nil
}

var errAborted = errors.New("parquet writer: aborted")

// fail remembers the first error and wakes whoever waits.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		close(w.dead)
	}
}

func (w *Writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
