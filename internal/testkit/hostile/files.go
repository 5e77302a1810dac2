package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/batch/nested"
	"pqjoin/expr"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio"
)

// memFS has one file, which lies in memory.
type memFS struct {
	vfs.FS
	b []byte
}

func (f memFS) Open(string) (vfs.File, error)         { return &memFile{r: bytes.NewReader(f.b)}, nil }
func (f memFS) Stat(name string) (fs.FileInfo, error) { return memInfo(len(f.b)), nil }

type memFile struct {
	vfs.File
	r *bytes.Reader
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) { return f.r.ReadAt(p, off) }
func (f *memFile) Close() error                            { return nil }
func (f *memFile) Stat() (fs.FileInfo, error)              { return memInfo(f.r.Size()), nil }
func (f *memFile) WillNeed(off, n int64)                   {}
func (f *memFile) DontNeed(off, n int64)                   {}
func (f *memFile) Random()                                 {}

// memInfo is a file of so many bytes.
type memInfo int64

func (i memInfo) Name() string       { return inputPath }
func (i memInfo) Size() int64        { return int64(i) }
func (i memInfo) Mode() fs.FileMode  { return 0 }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return false }
func (i memInfo) Sys() any           { return nil }

const (
	inputPath = "/input"
	// maxTried is how many rows of a unit are read, and maxUnits of how many units: a few bytes may well say a great many.
	maxTried = 1 << 13
	maxUnits = 8
)

// tables reads files of a format by tableio, as runs do: what is asked before a run, then rows.
type tables struct{ format string }

func (r tables) read(t *trial, b []byte) (err error) {
	acct := t.pool.Account("input", 0)
	defer func() {
		if e := acct.Close(); e != nil {
			err = wrongf("memory was not given back: %v (after %v)", e, err)
		}
	}()
	sum, err := r.rows(t, acct, b, tableio.Reading{BatchRows: []int{0, 7, 1}[t.how%3], WholeBytes: int64(t.how>>8%2) << 20})
	if err != nil {
		if !strings.Contains(err.Error(), inputPath) && !errors.Is(err, mem.ErrLimit) {
			return wrongf("the file is not named: %v", err)
		}
		return err
	}
	if t.how>>16%16 == 0 && !t.enough { // read once more, another way
		again, err := r.rows(t, acct, b, tableio.Reading{BatchRows: 3})
		if err == nil && again != sum {
			return wrongf("other rows come of batches of another size")
		}
		if err != nil && !errors.Is(err, mem.ErrLimit) {
			return wrongf("what was read is not, in batches of another size: %v", err)
		}
	}
	return nil
}

// rows opens the table and reads its columns together, or one after the other. It returns a sum of what came, where how asks for one.
func (r tables) rows(t *trial, acct *mem.Account, b []byte, o tableio.Reading) (sum uint64, err error) {
	ctx := context.Background()
	spec := tableio.Spec{Paths: []string{inputPath}, Format: r.format}
	table, err := tableio.Open(ctx, memFS{b: b}, spec)
	if err != nil {
		return 0, err
	}
	if fields := table.Schema().Fields; len(fields) > 0 && t.how>>32%4 == 0 { // as a job that says what one column is
		f := fields[t.how>>34%uint64(len(fields))]
		types := batchtest.Types()
		spec.Types = map[string]batch.Type{f.Name: types[t.how>>44%uint64(len(types))]}
		if table, err = tableio.Open(ctx, memFS{b: b}, spec); err != nil {
			return 0, err
		}
	}
	if t.how>>50%4 == 0 {
		prune(table)
	}
	all := batch.Positions(len(table.Schema().Fields))
	if table.ReadFloor(ctx, all) < 0 {
		return 0, wrongf("the floor is negative")
	}
	sets := [][]int{all}
	if t.how>>24%2 == 0 {
		sets = nil
		for i := range min(len(all), 40) {
			sets = append(sets, all[i:i+1])
		}
	}
	var first error
	for _, cols := range sets {
		for u := range min(len(table.Units()), maxUnits) {
			for i := range cols {
				table.Stats(u, cols[i])
			}
		}
		n, err := r.columns(t, acct, table, cols, o)
		var wrong wrongError
		if errors.As(err, &wrong) || err != nil && !isKnown(err) {
			return 0, err
		}
		if first == nil {
			first = err
		}
		sum += n
	}
	return sum, errors.Join(first, table.Verify(ctx))
}

// prune asks which units may have rows for which conditions on each column are true: by what the footer says of its values.
func prune(table *tableio.Table) {
	for i, f := range table.Schema().Fields {
		for _, condition := range []string{"> 1", "= 'm'", "<= date '2020-01-01'", "<> timestamp '2001-01-01'", "is null", "in (1, 2.5)"} {
			tree, err := expr.Parse(strconv.Quote(f.Name) + " " + condition)
			if err != nil {
				continue // a name that expressions have no way to write
			}
			if where, err := expr.Bind(tree, table.Schema()); err == nil {
				table.Source([]int{i}, where, tableio.Reading{})
			}
		}
	}
}

func (r tables) columns(t *trial, acct *mem.Account, table *tableio.Table, cols []int, o tableio.Reading) (sum uint64, err error) {
	src := table.Source(cols, nil, o)
	for u := range min(src.Units(), maxUnits) {
		n, err := readUnit(t, acct, src, u)
		if err != nil {
			return 0, err
		}
		sum = sum*31 + n
	}
	if src.Units() > maxUnits {
		t.enough = true
	}
	return sum, nil
}

func readUnit(t *trial, acct *mem.Account, src batch.Source, u int) (sum uint64, err error) {
	st, err := src.Open(context.Background(), u, acct)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	h := fnv.New64a()
	for rows := 0; ; {
		b, err := st.Next(context.Background())
		if err == io.EOF {
			return h.Sum64(), nil
		}
		if err != nil {
			return 0, err
		}
		if t.how>>16%16 == 0 {
			for _, row := range batchtest.Rows(b) {
				fmt.Fprintf(h, "%v\n", row)
			}
		}
		rows += b.N
		err = touch(b)
		b.Release()
		if err != nil {
			return 0, err
		}
		if rows > maxTried {
			t.enough = true
			return 0, nil
		}
	}
}

// touch reads every value, so that a code or an offset out of range is found.
func touch(b *batch.Batch) error {
	for i, c := range b.Cols {
		f := b.Schema.Fields[i]
		if c.N != b.N || c.Type != f.Type {
			return wrongf("column %s is %s of %d rows in a batch of %d, and should be %s", f.Name, c.Type, c.N, b.N, f.Type)
		}
		if c.Type.Kind() != batch.KindBytes {
			continue
		}
		var tree *nested.Type
		if c.Type.ID == batch.Nested {
			var err error
			if tree, err = nested.Of(c.Type); err != nil {
				return wrongf("column %s is of a type that is none: %v", f.Name, err)
			}
		}
		for k := range c.N {
			v := c.Value(k)
			if tree == nil || c.IsNull(k) {
				continue
			}
			if rest, err := nested.Skip(tree, v); err != nil || len(rest) > 0 {
				return wrongf("column %s has a nested value that is none: %d bytes left, %v", f.Name, len(rest), err)
			}
		}
	}
	return nil
}
