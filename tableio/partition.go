package tableio

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/text"
)

// maxDirName is the most bytes of a directory's name on the filesystems that there are.
const maxDirName = 255

// partitioned writes a table whose rows of a partition are next to each other as hive directories: a writer
// of its own for each, one after the other. Only the partition's own rows decide what its files hold.
//
//	root/year=2024/month=1/part-00000.parquet
type partitioned struct {
	fsys   vfs.FS
	root   string
	schema *batch.Schema // of the table
	inner  *batch.Schema // of the files: without the partition's columns
	keep   []int         // the positions of its columns in schema
	opts   WriterOptions // of the table
	acct   *mem.Account

	split splitter
	open  Writer // of the current partition
	seen  int    // partitions so far
	sum   Summary
}

func newPartitioned(fsys vfs.FS, root string, schema *batch.Schema, o WriterOptions) *partitioned {
	w := &partitioned{fsys: fsys, root: root, schema: schema, opts: o, acct: o.Acct, split: newSplitter(schema, o.PartitionBy)}
	w.inner, w.keep = withoutColumns(schema, o.PartitionBy)
	return w
}

// withoutColumns returns the schema without some columns, and where those that are left were.
func withoutColumns(schema *batch.Schema, drop []int) (*batch.Schema, []int) {
	var keep []int
	for i := range schema.Fields {
		if !slices.Contains(drop, i) {
			keep = append(keep, i)
		}
	}
	return schema.Select(keep), keep
}

// inside returns the options of the files of one partition.
func (o WriterOptions) inside(keep []int) WriterOptions {
	keys, blooms := o.SortKeys, o.Bloom
	o.SortKeys, o.Bloom, o.PartitionBy = nil, nil, nil
	for _, c := range blooms {
		o.Bloom = append(o.Bloom, slices.Index(keep, c))
	}
	for _, k := range keys {
		if k.Column = slices.Index(keep, k.Column); k.Column >= 0 {
			o.SortKeys = append(o.SortKeys, k)
		}
	}
	return o
}

// Write appends the rows of b.
func (w *partitioned) Write(ctx context.Context, b *batch.Batch) error {
	defer b.Release()
	return w.split.runs(b, func(dir string, i, j int) error {
		if dir != "" {
			if err := w.next(ctx, dir); err != nil {
				return err
			}
		}
		part, err := b.Slice(w.acct, i, j)
		if err != nil {
			return err
		}
		rest := part.Select(w.inner, w.keep)
		part.Release()
		return w.open.Write(ctx, rest)
	})
}

// next ends the current partition and begins the one in dir.
func (w *partitioned) next(ctx context.Context, dir string) error {
	if err := w.end(ctx); err != nil {
		return err
	}
	if w.seen == maxFiles {
		return fmt.Errorf("%s: %w", w.root, ErrPartitions)
	}
	path := filepath.Join(w.root, dir)
	if err := w.fsys.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := w.fsys.Mkdir(path, 0o777); err != nil { // it is new: no partition comes twice
		return err
	}
	o := w.opts.inside(w.keep)
	if o.FileCount > 0 {
		o.TotalRows = w.opts.PartitionRows[w.seen]
	}
	w.seen++
	var err error
	w.open, err = Create(ctx, w.fsys, path, true, w.inner, o)
	return err
}

func (w *partitioned) end(ctx context.Context) error {
	if w.open == nil {
		return nil
	}
	sum, err := w.open.Close(ctx)
	if err != nil {
		return err
	}
	w.open.Abort() // all is written: it gives back what is left
	w.open = nil
	w.sum.Rows, w.sum.Bytes, w.sum.Files = w.sum.Rows+sum.Rows, w.sum.Bytes+sum.Bytes, w.sum.Files+sum.Files
	return nil
}

// Close ends the last partition. A table without rows is one file without rows, of all columns, so that its schema can be read.
func (w *partitioned) Close(ctx context.Context) (Summary, error) {
	if w.seen == 0 {
		o := w.opts
		o.PartitionBy, o.FileCount = nil, 0
		var err error
		if w.open, err = Create(ctx, w.fsys, w.root, true, w.schema, o); err != nil {
			return Summary{}, err
		}
	}
	err := w.end(ctx)
	return w.sum, err
}

func (w *partitioned) Abort() {
	if w.open != nil {
		w.open.Abort()
		w.open = nil
	}
}

// ErrPartitions says that a table would have more directories than are kept account of.
var ErrPartitions = fmt.Errorf("the table has more than %d partitions: partition_by takes columns of few values", maxFiles)

// PartitionCounter counts the rows of each partition of a table, in the order in which they come. It takes 8 bytes of the Go heap
// a partition, and no more than 1,048,576 of them.
type PartitionCounter struct {
	split splitter
	Rows  []int64
}

// NewPartitionCounter returns a counter of the partitions by the columns at the positions by.
func NewPartitionCounter(schema *batch.Schema, by []int) *PartitionCounter {
	return &PartitionCounter{split: newSplitter(schema, by)}
}

// Count takes b's rows into account; b stays the caller's. The error is ErrPartitions where the writer would give up too.
func (c *PartitionCounter) Count(b *batch.Batch) error {
	return c.split.runs(b, func(dir string, i, j int) error {
		if dir != "" && len(c.Rows) == maxFiles {
			return ErrPartitions
		}
		if dir != "" {
			c.Rows = append(c.Rows, 0)
		}
		c.Rows[len(c.Rows)-1] += int64(j - i)
		return nil
	})
}

// splitter cuts batches where the partition changes.
type splitter struct {
	by   []int
	name []string // of the columns, with the = behind it
	last string   // the directory of the last row so far
	buf  []byte
}

func newSplitter(schema *batch.Schema, by []int) splitter {
	s := splitter{by: by}
	for _, c := range by {
		s.name = append(s.name, schema.Fields[c].Name+"=")
	}
	return s
}

// runs shows use the runs of rows of one partition. dir is its directory where it begins with the run, else empty.
func (s *splitter) runs(b *batch.Batch, use func(dir string, i, j int) error) error {
	cols := make([]*batch.Column, len(s.by))
	for k, c := range s.by {
		cols[k] = b.Cols[c]
	}
	equal := batch.NewRowsEqual(cols, cols, true)
	for i := 0; i < b.N; {
		// The rows of a partition are next to each other: those that equal row i end somewhere.
		j := b.N
		if !equal.Equal(i, b.N-1) {
			j = i + sort.Search(b.N-i, func(k int) bool { return !equal.Equal(i, i+k) })
		}
		dir, err := s.dir(cols, i)
		if err != nil {
			return err
		}
		if dir == s.last {
			dir = ""
		} else {
			s.last = dir
		}
		if err := use(dir, i, j); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// dir returns the directory of row i, below the root.
func (s *splitter) dir(cols []*batch.Column, i int) (string, error) {
	s.buf = s.buf[:0]
	for k, c := range cols {
		if k > 0 {
			s.buf = append(s.buf, '/')
		}
		start := len(s.buf)
		s.buf = append(s.buf, s.name[k]...)
		var err error
		if s.buf, err = appendDirValue(s.buf, c, i); err != nil {
			return "", fmt.Errorf("partition_by: column %s: %w", s.name[k][:len(s.name[k])-1], err)
		}
		if n := len(s.buf) - start; n > maxDirName {
			return "", fmt.Errorf("partition_by: column %s: the directory of the value %.40q... would have a name of %d bytes, and %d fit: partition by something shorter, such as left(x, 40)",
				s.name[k][:len(s.name[k])-1], s.buf[start+len(s.name[k]):], n, maxDirName)
		}
	}
	return string(s.buf), nil
}

// appendDirValue appends a value as the name of a directory has it. Every value has a name of its own.
func appendDirValue(dst []byte, c *batch.Column, i int) ([]byte, error) {
	if c.IsNull(i) {
		return append(dst, HiveNull...), nil
	}
	if c.Type.ID == batch.String {
		p := c.Value(i)
		if string(p) == HiveNull {
			return nil, fmt.Errorf("the text %s is how directories name null, and most readers take it for that", HiveNull)
		}
		return escapePath(dst, p), nil
	}
	if c.Type.IsFloat() {
		v := c
		if c.Dict != nil {
			v, i = c.Dict, int(c.Codes[i])
		}
		if v.Float64s()[i] == 0 { // zeros of either sign are one key
			return append(dst, "0.0"...), nil
		}
		c = v
	}
	p := text.Appender(c)(nil, i)
	if c.Type.ID == batch.Timestamp { // as DuckDB and Spark write it
		for k := range p {
			if p[k] == 'T' {
				p[k] = ' '
			}
		}
	}
	return escapePath(dst, p), nil
}

// escapePath appends p with %41 and the like for all but letters, digits and - _ . ~ + , of any alphabet.
func escapePath(dst, p []byte) []byte {
	const hex = "0123456789ABCDEF"
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		plain := r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
		switch r {
		case '-', '_', '.', '~', '+', ',':
			plain = true
		}
		if plain {
			dst = append(dst, p[:n]...)
		} else {
			for _, b := range p[:n] {
				dst = append(dst, '%', hex[b>>4], hex[b&15])
			}
		}
		p = p[n:]
	}
	return dst
}
