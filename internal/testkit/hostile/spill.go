package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/testkit/mutate"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// spillFS holds the one file of a store in memory, where its bytes can be changed.
type spillFS struct {
	vfs.FS
	b []byte
}

type spillOut struct {
	vfs.File
	fs *spillFS
}

type nothing struct{}

func (nothing) Close() error { return nil }

func (f *spillFS) Create(string) (vfs.File, error)       { return &spillOut{fs: f}, nil }
func (f *spillFS) Mkdir(string, fs.FileMode) error       { return nil }
func (f *spillFS) Remove(string) error                   { return nil }
func (f *spillFS) RemoveAll(string) error                { return nil }
func (f *spillFS) Stat(string) (fs.FileInfo, error)      { return memInfo(0), nil }
func (f *spillFS) ReadDir(string) ([]fs.DirEntry, error) { return nil, nil }
func (f *spillFS) Lock(string) (io.Closer, error)        { return nothing{}, nil }
func (f *spillFS) Space(string) (int64, bool, error)     { return 1 << 40, false, nil }
func (o *spillOut) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(o.fs.b).ReadAt(p, off)
}
func (o *spillOut) Close() error                             { return nil }
func (o *spillOut) FlushRange(off, n int64, wait bool) error { return nil }
func (o *spillOut) WillNeed(off, n int64)                    {}
func (o *spillOut) DontNeed(off, n int64)                    {}
func (o *spillOut) Random()                                  {}
func (o *spillOut) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(o.fs.b) {
		o.fs.b = append(o.fs.b, make([]byte, need-len(o.fs.b))...)
	}
	return copy(o.fs.b[off:], p), nil
}

const spillParts = 2

// spilled is a store whose blocks lie in a file.
type spilled struct {
	fs    *spillFS
	store *spillfile.Store
	whole []byte
}

var spillSchema = batch.NewSchema(
	batch.Field{Name: "bool", Type: batch.Of(batch.Bool), Nullable: true},
	batch.Field{Name: "same", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "int", Type: batch.Of(batch.Int64), Nullable: true},
	batch.Field{Name: "float", Type: batch.Of(batch.Float64)},
	batch.Field{Name: "dec", Type: batch.DecimalOf(38, 2)},
	batch.Field{Name: "text", Type: batch.Of(batch.String), Nullable: true},
	batch.Field{Name: "list", Type: batch.Type{ID: batch.Nested, Shape: "list<int64>"}, Nullable: true},
)

// newSpilled spills a store: of dictionaries and of values, of what a codec shrinks and of what it does not.
func newSpilled(shape int) (*spilled, error) {
	s := &spilled{fs: &spillFS{}}
	pool := mem.NewPool(64 << 20)
	dir, err := spillfile.OpenDir(s.fs, "/spill", 0)
	if err != nil {
		return nil, err
	}
	s.store, err = spillfile.New(spillfile.Spec{Name: "input", Schema: spillSchema, Partitions: spillParts, Workers: 1, BlockBytes: 4 << 10, Acct: pool.Account("store", 0), Dir: dir, Codes: shape&1 > 0})
	if err != nil {
		return nil, err
	}
	for unit := range 3 {
		b, part, err := spillBatch(shape, unit)
		if err != nil {
			return nil, err
		}
		if err := s.store.Append(context.Background(), 0, unit, part, b); err != nil {
			return nil, err
		}
	}
	if err := s.store.Seal(context.Background()); err != nil {
		return nil, err
	}
	if _, err := s.store.Spill(context.Background(), 1<<40); err != nil {
		return nil, err
	}
	s.whole = bytes.Clone(s.fs.b)
	return s, nil
}

// spillBatch returns the rows of a unit, and the partitions they go to.
func spillBatch(shape, unit int) (*batch.Batch, []uint16, error) {
	r := rand.New(rand.NewPCG(uint64(shape), uint64(unit)))
	rows, part := make([][]any, 40), make([]uint16, 40)
	for i := range rows {
		part[i] = uint16(i % spillParts)
		for _, f := range spillSchema.Fields {
			rows[i] = append(rows[i], spillValue(r, f, i, shape&2 > 0))
		}
	}
	layout := batchtest.Layout(0)
	if shape&1 > 0 && unit < 2 {
		layout = batchtest.Dict
	}
	b, err := batchtest.Batch(nil, spillSchema, rows, func(int) batchtest.Layout { return layout })
	return b, part, err
}

// spillValue is a value that a codec shrinks, or a random one.
func spillValue(r *rand.Rand, f batch.Field, i int, random bool) any {
	switch {
	case f.Nullable && i%7 == 3:
		return nil
	case f.Type.ID == batch.Nested:
		return "\x02" + strings.Repeat("x", 8)
	case f.Name == "same":
		return int64(7)
	case random:
		return batchtest.Value(r, f.Type, f.Nullable)
	case f.Type.ID == batch.String:
		return strings.Repeat("y", i%5*30)
	}
	return batchtest.Value(rand.New(rand.NewPCG(uint64(i%3), 1)), f.Type, false)
}

// read loads and streams the partitions of the store.
func (s *spilled) read(t *trial, b []byte) (err error) {
	s.fs.b = b
	acct := t.pool.Account("load", 1<<20)
	defer func() {
		if e := acct.Close(); e != nil {
			err = wrongf("memory was not given back: %v (after %v)", e, err)
		}
	}()
	var cols []int
	if t.how%2 == 0 {
		cols = []int{5, 2}
	}
	var first error
	for p := range spillParts {
		got, err := s.store.Load(context.Background(), p, acct, cols)
		got.Release()
		if first == nil {
			first = err
		}
		st, err := s.store.Stream(context.Background(), p, acct, cols, 9)
		if err == nil {
			err = batchtest.Drain(st, nil)
		}
		if first == nil {
			first = err
		}
	}
	same := len(b) >= len(s.whole) && bytes.Equal(b[:len(s.whole)], s.whole)
	if same && first != nil {
		return wrongf("the bytes are as they were spilled, and: %v", first)
	}
	if first != nil && !errors.Is(first, spillfile.ErrCorrupt) && !errors.Is(first, spillfile.ErrLost) {
		return wrongf("an error of no kind: %v", first)
	}
	return first
}

func spillFamilies(string, string) (out []*Family, seeds int, err error) {
	for shape := range 4 {
		s, err := newSpilled(shape)
		if err != nil {
			return nil, 0, err
		}
		seed := []seedFile{{fmt.Sprint("spilled ", shape), s.whole}}
		name := "spill, " + [...]string{"values", "codes", "random values", "random codes"}[shape]
		out = append(out,
			bits(name, 2, seed, s), cuts(name, 1, seed, s),
			other(name, "numbers changed, checksums right", 10, s, func(r *rand.Rand) []byte { return mutate.Spilled(r, s.whole) }))
		seeds++
	}
	return out, seeds, nil
}
