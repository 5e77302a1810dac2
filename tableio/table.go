// Package tableio opens input tables: it finds the files that paths and patterns mean,
// puts them in order, makes one schema of theirs, and reads them unit by unit.
//
// Invariants:
//
//   - A table's order is defined: files in natural order of their paths ("part.2" before
//     "part.10"), units (row groups, parts of a text) in file order, rows in the unit's order.
//   - Opening a table reads footers, and of text the first 64 MB. A descriptor is open only while a unit is read.
//   - What a file holds is widened to the table's schema where that is exact, or refused by name.
package tableio

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"unsafe"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/format"
)

var (
	// ErrNoFiles marks paths and patterns that match nothing.
	ErrNoFiles = errors.New("no file matches")
	// ErrSchema marks files of one table that do not agree, and columns that are not there.
	ErrSchema = errors.New("schema mismatch")
	// ErrFormat marks a file of a kind that is not read.
	ErrFormat = errors.New("unknown file format")
	// ErrMalformed marks a file of text that is not well formed, and values that its columns' types do not have.
	ErrMalformed = format.ErrMalformed
	// ErrUnsupported marks a file, not of Parquet, that uses what is not read.
	ErrUnsupported = format.ErrUnsupported
	// ErrChanged marks a file of text that is no longer what it was when it was opened.
	ErrChanged = format.ErrChanged
)

// Schema modes: what happens to a column that some files lack.
const (
	Strict = "strict" // refused; the default
	Union  = "union"  // null where it is missing
)

// Spec says which table to open. Paths are files, directories (read whole) or patterns, with ** for any depth.
type Spec struct {
	Paths      []string
	Format     string                // one of Formats; empty: by extension
	Columns    []string              // nil: all, in the first file's order
	Types      map[string]batch.Type // types that the job decides
	SchemaMode string                // Strict or Union; empty is Strict
	Base       string                // directories name=value above it, or of which it is one, are no columns; where the job lies
	NanAsNull  bool
	// HeapMost is the most bytes of the Go heap that what is known of the files may take; 0: any. More is a *HeapError.
	HeapMost int64
}

// FileInfo describes one file of a table.
type FileInfo struct {
	Path      string
	Size      int64
	Rows      int64 // an estimate where Exact is false
	Exact     bool
	RowGroups int // units
	CreatedBy string
}

// Unit is a part of a file that is read on its own: a row group, or some MiB of text.
type Unit struct {
	File  int   // position in Files
	Group int   // position among the file's units
	Rows  int64 // an estimate where the file's rows are one
	Bytes int64 // compressed
	Raw   int64 // uncompressed
}

// Table is an opened table. It does not change and is safe for concurrent use.
type Table struct {
	spec   Spec
	files  []format.File
	format string
	dirs   []string // columns that directories give
	infos  []FileInfo
	units  []Unit
	schema *batch.Schema
	maps   [][]mapping // by file, then by column of schema
	// leftOut says which files of folders are no part of the table.
	leftOut []string
	rows    int64
	exact   bool

	mu     sync.Mutex
	floors map[string]int64 // what ReadFloor has found, by columns
}

// mapping says where a file has a column of the table.
type mapping struct {
	from  int         // position in the file's schema; -1: it is missing, so null
	conv  *conversion // how its values become the table's; nil where they are
	value *constant   // where the file's directories say it; from is -1 then
}

// Schema returns the columns of the table.
func (t *Table) Schema() *batch.Schema { return t.schema }

// Files returns the files in order; the caller must not change them.
func (t *Table) Files() []FileInfo { return t.infos }

// LeftOut says which files of its folders are no part of the table, and what to do: one sentence a folder and format.
func (t *Table) LeftOut() []string { return t.leftOut }

// Format returns the format of all its files.
func (t *Table) Format() string { return t.format }

// Dirs returns the columns that the names of the files' directories give; the caller must not change them.
func (t *Table) Dirs() []string { return t.dirs }

// Units returns the row groups in order; the caller must not change them.
func (t *Table) Units() []Unit { return t.units }

// Rows returns the rows of all files; where Exact is false an estimate, of at least 1.
func (t *Table) Rows() int64 { return t.rows }

const (
	infoHeap    = 512 // bytes of the Go heap that a table notes of a file
	mappingHeap = 32  // and of a column of a file
)

// HeapBytes returns about how many bytes of the Go heap what is known of the files takes, as long as the table is.
func (t *Table) HeapBytes() int64 {
	units := int64(cap(t.units)) * int64(unsafe.Sizeof(Unit{}))
	n := units + units/5
	for i, f := range t.files {
		n += infoHeap + mappingHeap*int64(len(t.maps[i])) + f.HeapBytes()
	}
	return n
}

// Exact says whether Rows is a fact: of files of text it is known once all have been read.
func (t *Table) Exact() bool { return t.exact }

// Open finds the files, reads their footers and makes one schema of theirs. Errors
// name the file, and the column where it is about one.
func Open(ctx context.Context, fsys vfs.FS, spec Spec) (*Table, error) {
	if m := spec.SchemaMode; m != "" && m != Strict && m != Union {
		return nil, fmt.Errorf("%w: the schema mode %q is neither strict nor union", ErrSchema, m)
	}
	found, left, err := find(ctx, fsys, &spec)
	if err != nil {
		return nil, err
	}
	t := &Table{spec: spec, format: found[0].format, exact: true, leftOut: leftOut(left)}
	dirs, err := hiveOf(&spec, found)
	if err != nil {
		return nil, err
	}
	for _, f := range dirs.fields {
		t.dirs = append(t.dirs, f.Name)
	}
	files, err := openAll(ctx, fsys, spec.within(dirs), found)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := checkNames(f); err != nil {
			return nil, err
		}
		t.add(f)
	}
	if t.schema, t.maps, err = merge(&spec, t.files, dirs); err != nil {
		return nil, err
	}
	idx, err := choose(&spec, t.schema)
	if err != nil {
		return nil, err
	}
	t.schema = t.schema.Select(idx)
	for i, m := range t.maps {
		t.maps[i] = make([]mapping, len(idx))
		for j, from := range idx {
			t.maps[i][j] = m[from]
		}
	}
	return t, nil
}

func (t *Table) add(f format.File) {
	units := f.Units()
	rows, exact := f.Rows()
	t.infos = append(t.infos, FileInfo{Path: f.Path(), Size: f.Size(), Rows: rows, Exact: exact, RowGroups: len(units), CreatedBy: f.CreatedBy()})
	for g, u := range units {
		t.units = append(t.units, Unit{File: len(t.files), Group: g, Rows: u.Rows, Bytes: u.Bytes, Raw: u.Raw})
	}
	t.files = append(t.files, f)
	t.rows += rows
	t.exact = t.exact && exact
}

// ReadFloor returns the bytes of pool memory that one reader of the columns needs at most, besides the batches that it yields:
// its buffers, whatever the sizes of pages, and the largest dictionaries. It reads page headers, once for the same columns. What it returns once
// ctx has ended means nothing.
func (t *Table) ReadFloor(ctx context.Context, cols []int) int64 {
	key := fmt.Sprint(cols)
	t.mu.Lock()
	defer t.mu.Unlock()
	floor, ok := t.floors[key]
	if !ok {
		floor = t.readFloor(ctx, cols)
		if ctx.Err() != nil {
			return floor
		}
		if t.floors == nil {
			t.floors = map[string]int64{}
		}
		t.floors[key] = floor
	}
	return floor
}

func (t *Table) readFloor(ctx context.Context, cols []int) int64 {
	floor := int64(0)
	for i := range t.units {
		u := &t.units[i]
		var read []int
		for _, c := range cols {
			if m := t.maps[u.File][c]; m.from >= 0 {
				read = append(read, m.from)
			}
		}
		floor = max(floor, t.files[u.File].ReadFloor(ctx, u.Group, read))
	}
	return floor
}

// Identity returns a hash of which files the table has and what they were when it was opened. Besides what the files say
// of themselves it depends on their inodes and the times of the inodes' last change, which no program sets.
func (t *Table) Identity(fsys vfs.FS) ([32]byte, error) {
	h := sha256.New()
	for _, f := range t.files {
		path, err := filepath.Abs(f.Path())
		if err != nil {
			return [32]byte{}, err
		}
		st, err := fsys.Stat(path)
		if err != nil {
			return [32]byte{}, err
		}
		fmt.Fprintf(h, "%q %s", path, f.Identity())
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			fmt.Fprintf(h, " %d %d.%09d", sys.Ino, sys.Ctim.Sec, sys.Ctim.Nsec)
		}
		fmt.Fprintln(h)
	}
	return [32]byte(h.Sum(nil)), nil
}

// Verify says whether every file still is what it was when the table was opened; else the error wraps parquet.ErrChanged or ErrChanged.
func (t *Table) Verify(ctx context.Context) error {
	for _, f := range t.files {
		if err := f.Verify(ctx); err != nil {
			return err
		}
	}
	return nil
}
