package parquet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	pq "github.com/parquet-go/parquet-go"
)

// bytesFS has one file, which lies in memory.
type bytesFS struct {
	vfs.FS
	b []byte
}

func (f bytesFS) Open(name string) (vfs.File, error) { return &bytesFile{r: bytes.NewReader(f.b)}, nil }

type bytesFile struct {
	vfs.File
	r *bytes.Reader
}

func (f *bytesFile) ReadAt(p []byte, off int64) (int, error) { return f.r.ReadAt(p, off) }
func (f *bytesFile) Close() error                            { return nil }
func (f *bytesFile) Stat() (fs.FileInfo, error)              { return bytesInfo{f.r.Size()}, nil }
func (f *bytesFile) WillNeed(off, n int64)                   {}
func (f *bytesFile) Random()                                 {}
func (f *bytesFile) DontNeed(off, n int64)                   {}

type bytesInfo struct{ n int64 }

func (i bytesInfo) Name() string       { return "bytes" }
func (i bytesInfo) Size() int64        { return i.n }
func (i bytesInfo) Mode() fs.FileMode  { return 0 }
func (i bytesInfo) ModTime() time.Time { return time.Time{} }
func (i bytesInfo) IsDir() bool        { return false }
func (i bytesInfo) Sys() any           { return nil }

// smallRow has few columns, so that a file is small and each of its bytes matters.
type smallRow struct {
	A int64    `parquet:"a,dict"`
	B *float64 `parquet:"b,optional,plain"`
	S *string  `parquet:"s,optional,dict"`
	P string   `parquet:"p,plain"`
	D int32    `parquet:"d,delta"`
	E string   `parquet:"e,delta"`
	L []byte   `parquet:"l"`
	X float32  `parquet:"x,split"`
	Y bool     `parquet:"y"`
	U [16]byte `parquet:"u,uuid"`
}

func smallFile(t testing.TB, seed uint64, n int, opts ...pq.WriterOption) []byte {
	r := rand.New(rand.NewPCG(seed, 9))
	rows := make([]smallRow, n)
	for i := range rows {
		s := text(r)
		rows[i] = smallRow{A: int64(i % 7), B: somePtr(r, r.NormFloat64()), S: somePtr(r, fmt.Sprint("s", i%5)), P: s, D: int32(i * i), E: "e" + s, L: []byte(s), X: float32(i), Y: i%3 == 0}
		rows[i].U[3] = byte(i)
	}
	var out bytes.Buffer
	w := pq.NewGenericWriter[smallRow](&out, opts...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tryRead reads everything in a file of these bytes, and fails the test where that does
// anything but succeed or return an error of a known kind, within the memory it was given.
func tryRead(t testing.TB, b []byte, what func() string) {
	pool := mem.NewPool(8<<20, mem.Protect())
	acct := pool.Account("test", 0)
	for _, o := range []ReadOptions{{}, {skipSums: true}, {BatchRows: 7, limits: &tiny, skipSums: true}, {limits: &tiny, WholeBytes: 1 << 20, skipSums: true}} {
		if err := readAll(t.Context(), b, acct, o); err != nil && !known(err) {
			t.Errorf("%s: an error of no kind: %v", what(), err)
		}
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Errorf("%s: %v", what(), err)
	}
}

func known(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrUnsupported) || errors.Is(err, mem.ErrLimit) || errors.Is(err, ErrChanged)
}

// maxRowsTried stops the reading of files that claim a great many rows in a few bytes, which is valid.
const maxRowsTried = 1 << 18

var errEnough = fmt.Errorf("%w: enough rows", ErrUnsupported)

func readAll(ctx context.Context, b []byte, acct *mem.Account, o ReadOptions) error {
	f, err := Open(ctx, bytesFS{b: b}, "bytes")
	if err != nil {
		return err
	}
	var first error
	for g := range f.RowGroups() {
		for i := range f.Schema().Fields {
			rows := 0
			err := eachBatch(ctx, f, acct, g, []int{i}, o, func(b *batch.Batch) error {
				if rows += b.N; rows > maxRowsTried {
					return errEnough
				}
				return touch(b)
			})
			if first == nil {
				first = err
			}
			if err != nil && !known(err) {
				return err
			}
		}
	}
	return first
}

// touch reads every value, so that a code or an offset out of range is found out.
func touch(b *batch.Batch) error {
	sum := 0
	for _, c := range b.Cols {
		if c.N != b.N {
			return fmt.Errorf("a column of %d rows in a batch of %d", c.N, b.N)
		}
		if c.Type.Kind() != batch.KindBytes {
			continue
		}
		for i := range c.N {
			sum += len(c.Value(i))
		}
	}
	_ = sum
	return nil
}

// damaged are the files that the tests below damage.
func damaged(t testing.TB) [][]byte {
	return [][]byte{
		smallFile(t, 1, 40, pq.Compression(&pq.Snappy), pq.DataPageVersion(1)),
		smallFile(t, 2, 40, pq.Compression(&pq.Uncompressed), pq.DataPageVersion(2)),
		smallFile(t, 3, 40, pq.Compression(&pq.Zstd), pq.DataPageVersion(2)),
		smallFile(t, 4, 40, pq.Compression(&pq.Gzip), pq.DataPageVersion(1)),
		smallFile(t, 5, 40, pq.Compression(&pq.Lz4Raw), pq.DataPageVersion(1)),
		smallFile(t, 6, 40, pq.Compression(&pq.Brotli), pq.DataPageVersion(1)),
	}
}

func TestTruncatedFilesAreRefused(t *testing.T) {
	for k, whole := range damaged(t)[:2] {
		for n := range whole {
			err := readAll(t.Context(), whole[:n], nil, ReadOptions{})
			if err == nil || !known(err) {
				t.Errorf("file %d cut to %d of %d bytes: %v", k, n, len(whole), err)
			}
		}
	}
}

// TestFlippedBits flips bits of whole files: what is read is read within the memory given, or refused.
func TestFlippedBits(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	step := 10
	if testing.Short() {
		step = 40
	}
	for k, whole := range damaged(t) {
		for i := 0; i < len(whole); i += 1 + r.IntN(2*step) {
			b := bytes.Clone(whole)
			bit := r.IntN(8)
			b[i] ^= 1 << bit
			tryRead(t, b, func() string { return fmt.Sprintf("file %d, bit %d of byte %d", k, bit, i) })
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range damaged(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tryRead(t, b, func() string { return "fuzzed" })
	})
}
