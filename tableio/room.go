package tableio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"pqjoin/internal/parallel"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/format"
	"pqjoin/tableio/parquet"
)

// HeapError says that what is known of a table's files takes more of the Go heap than Spec.HeapMost.
type HeapError struct {
	Bytes int64 // that it takes, about, of all files
}

func (e *HeapError) Error() string {
	return fmt.Sprintf("what its files say of themselves takes %d bytes of memory, more than there are", e.Bytes)
}

// room watches what files take of the Go heap while they are opened. Once it is too much, those that follow are counted and let go,
// so that the error can say how much all would take.
type room struct {
	spec *Spec

	mu   sync.Mutex
	used int64 // bytes
	full bool
}

// left returns the bytes that the next file may take.
func (r *room) left() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.spec.HeapMost == 0:
		return math.MaxInt64
	case r.full:
		return 0
	}
	return max(0, r.spec.HeapMost-r.used)
}

// open opens a file; nil where there is no room for it.
func (r *room) open(ctx context.Context, fsys vfs.FS, p found) (_ format.File, err error) {
	defer parallel.Contain(&err) // on a goroutine of its own
	f, err := openFile(ctx, fsys, r.spec, p, r.left())
	var much *parquet.HeapError
	if errors.As(err, &much) {
		r.take(much.Bytes, true)
		return nil, nil
	}
	if err != nil || !r.take(f.HeapBytes(), false) {
		return nil, err
	}
	return f, nil
}

// take counts bytes, and says whether there is room for them; over says that there is none.
func (r *room) take(n int64, over bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += n
	r.full = r.full || over || r.spec.HeapMost != 0 && r.used > r.spec.HeapMost
	return !r.full
}

// err returns the *HeapError of too little room, or nil.
func (r *room) err() error {
	if r.full {
		return &HeapError{Bytes: r.used}
	}
	return nil
}
