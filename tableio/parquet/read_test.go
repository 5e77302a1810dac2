package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/klauspost/compress/s2"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// row has a column for each pair of type and encoding that the library can write.
type row struct {
	I64      int64     `parquet:"i64,plain"`
	I64Dict  int64     `parquet:"i64_dict,dict"`
	I64Delta int64     `parquet:"i64_delta,delta"`
	I32      int32     `parquet:"i32,plain"`
	I32Delta int32     `parquet:"i32_delta,delta"`
	F64      float64   `parquet:"f64,plain"`
	F64Dict  float64   `parquet:"f64_dict,dict"`
	F64Split float64   `parquet:"f64_split,split"`
	F32      float32   `parquet:"f32,plain"`
	F32Split float32   `parquet:"f32_split,split"`
	B        bool      `parquet:"b"`
	S        string    `parquet:"s,plain"`
	SDict    string    `parquet:"s_dict,dict"`
	SDelta   string    `parquet:"s_delta,delta"`
	SLen     []byte    `parquet:"s_len"`
	Fix      [5]byte   `parquet:"fix"`
	UUID     [16]byte  `parquet:"uuid,uuid"`
	OI64     *int64    `parquet:"o_i64,optional,plain"`
	OI64Dict *int64    `parquet:"o_i64_dict,optional,dict"`
	OF64     *float64  `parquet:"o_f64,optional,plain"`
	OB       *bool     `parquet:"o_b,optional"`
	OS       *string   `parquet:"o_s,optional,plain"`
	OSDict   *string   `parquet:"o_s_dict,optional,dict"`
	ODelta   *string   `parquet:"o_s_delta,optional"`
	OUUID    *[16]byte `parquet:"o_uuid,optional"`
	AllNull  *string   `parquet:"all_null,optional,dict"`
	NoNull   *int64    `parquet:"no_null,optional,plain"`
}

func somePtr[T any](r *rand.Rand, v T) *T {
	if r.IntN(3) == 0 {
		return nil
	}
	return &v
}

// text is short mostly, empty at times, and seldom long.
func text(r *rand.Rand) string {
	n := r.IntN(12)
	if r.IntN(200) == 0 {
		n = r.IntN(3000)
	}
	b := bytes.Repeat([]byte("word of text "), n/13+1)[:n]
	for i := range b {
		if r.IntN(3) == 0 {
			b[i] = byte('a' + r.IntN(26))
		}
	}
	return string(b)
}

func someRows(seed uint64, n int) []row {
	r := rand.New(rand.NewPCG(seed, 1))
	rows := make([]row, n)
	for i := range rows {
		key, s := int64(r.IntN(300))-100, text(r)
		f := math.Floor(r.NormFloat64()*1000) / 8
		w := &rows[i]
		*w = row{
			I64: r.Int64() - r.Int64(), I64Dict: key, I64Delta: int64(i)*7 + key, I32: int32(r.Uint32()), I32Delta: int32(key),
			F64: r.NormFloat64(), F64Dict: f, F64Split: f, F32: float32(f), F32Split: float32(r.NormFloat64()), B: r.IntN(2) == 0,
			S: s, SDict: fmt.Sprint("name ", key), SDelta: fmt.Sprintf("prefix/%05d/%s", i, s), SLen: []byte(s),
			OI64: somePtr(r, key), OI64Dict: somePtr(r, key), OF64: somePtr(r, f), OB: somePtr(r, key > 0), OS: somePtr(r, s),
			OSDict: somePtr(r, fmt.Sprint(key%50)), ODelta: somePtr(r, s), OUUID: somePtr(r, [16]byte{byte(key), 2}), NoNull: &key,
		}
		copy(w.Fix[:], fmt.Sprintf("%05d", key))
		copy(w.UUID[:], fmt.Sprintf("%016d", key))
	}
	return rows
}

// cells returns what a row should read as, column by column, as render writes it.
func cells(w *row) []string {
	return []string{
		fmt.Sprint(w.I64), fmt.Sprint(w.I64Dict), fmt.Sprint(w.I64Delta), fmt.Sprint(w.I32), fmt.Sprint(w.I32Delta),
		bitsOf(w.F64), bitsOf(w.F64Dict), bitsOf(w.F64Split), bitsOf(float64(w.F32)), bitsOf(float64(w.F32Split)), boolOf(w.B),
		hexOf(w.S), hexOf(w.SDict), hexOf(w.SDelta), hexOf(string(w.SLen)), hexOf(string(w.Fix[:])), hexOf(string(w.UUID[:])),
		orNull(w.OI64, func(v int64) string { return fmt.Sprint(v) }), orNull(w.OI64Dict, func(v int64) string { return fmt.Sprint(v) }),
		orNull(w.OF64, bitsOf), orNull(w.OB, boolOf), orNull(w.OS, hexOf), orNull(w.OSDict, hexOf), orNull(w.ODelta, hexOf),
		orNull(w.OUUID, func(v [16]byte) string { return hexOf(string(v[:])) }), orNull(w.AllNull, hexOf),
		orNull(w.NoNull, func(v int64) string { return fmt.Sprint(v) }),
	}
}

func orNull[T any](v *T, f func(T) string) string {
	if v == nil {
		return "-"
	}
	return f(*v)
}

func bitsOf(v float64) string { return fmt.Sprintf("%016x", math.Float64bits(v)) }

func boolOf(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func hexOf(s string) string {
	if s == "" {
		return "''"
	}
	return fmt.Sprintf("%x", s)
}

var testCodecs = []struct {
	name  string
	codec compress.Codec
}{
	{"none", &pq.Uncompressed}, {"snappy", &pq.Snappy}, {"snappy in blocks", blockSnappy{&pq.Snappy}}, {"gzip", &pq.Gzip}, {"zstd", &pq.Zstd}, {"brotli", &pq.Brotli}, {"lz4", &pq.Lz4Raw},
}

// blockSnappy compresses 64 KiB at a time, as Google's and most other writers do.
type blockSnappy struct{ compress.Codec }

func (blockSnappy) Encode(dst, src []byte) ([]byte, error) {
	dst = binary.AppendUvarint(dst[:0], uint64(len(src)))
	for len(src) > 0 {
		n := min(len(src), 64<<10)
		b := s2.EncodeSnappy(nil, src[:n])
		_, k := binary.Uvarint(b)
		dst, src = append(dst, b[k:]...), src[n:]
	}
	return dst, nil
}

func writeRows(t testing.TB, path string, rows []row, opts ...pq.WriterOption) {
	var out bytes.Buffer
	w := pq.NewGenericWriter[row](&out, opts...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tiny limits make every page of more than a few rows big.
var tiny = limits{piece: 4 << 10, page: 1 << 10, data: 2 << 10}

// TestReadEncodingsAndCodecs writes every encoding with every codec, in small pages and in one
// big page a chunk, and reads them whole and in pieces, in batches of several sizes.
func TestReadEncodingsAndCodecs(t *testing.T) {
	rows := someRows(1, 2500)
	for _, c := range testCodecs {
		for _, version := range []int{1, 2} {
			for _, page := range []int{4 << 10, 64 << 20} {
				t.Run(fmt.Sprintf("%s/v%d/%d", c.name, version, page), func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "t.parquet")
					writeRows(t, path, rows, pq.Compression(c.codec), pq.DataPageVersion(version), pq.PageBufferSize(page))
					checkRows(t, path, rows, ReadOptions{})
					checkRows(t, path, rows, ReadOptions{BatchRows: 100, limits: &tiny})
					checkRows(t, path, rows, ReadOptions{BatchRows: 1733, limits: &tiny})
					checkRows(t, path, rows, ReadOptions{BatchRows: 100, limits: &tiny, WholeBytes: 100 << 20})
					checkRows(t, path, rows, ReadOptions{BatchRows: 1733, limits: &tiny, WholeBytes: 200 << 10}) // room for some columns
				})
			}
		}
	}
}

// checkRows reads all columns together and compares every cell.
func checkRows(t *testing.T, path string, rows []row, o ReadOptions) {
	t.Helper()
	pool := mem.NewPool(256<<20, mem.Protect())
	acct := pool.Account("test", 0)
	f, err := Open(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	cols := make([]int, len(f.Schema().Fields))
	for i := range cols {
		cols[i] = i
	}
	at := 0
	for g := range f.RowGroups() {
		err := eachBatch(t.Context(), f, acct, g, cols, o, func(b *batch.Batch) error {
			for i := range b.N {
				want := cells(&rows[at+i])
				for j, c := range b.Cols {
					if got := renderAny(c, i); got != want[j] {
						return fmt.Errorf("row %d, column %s: %s, want %s", at+i, f.Schema().Fields[j].Name, got, want[j])
					}
				}
			}
			at += b.N
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if at != len(rows) {
		t.Errorf("%d rows, want %d", at, len(rows))
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// renderAny is render for columns of codes too.
func renderAny(c *batch.Column, i int) string {
	if c.Dict != nil && !c.IsNull(i) {
		return hexOf(string(c.Value(i)))
	}
	return render(c, i)
}

// TestDictionaryStaysCodes: strings that are coded come as codes that share one dictionary.
func TestDictionaryStaysCodes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	writeRows(t, path, someRows(2, 3000))
	f, err := Open(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	col := f.Schema().Index("s_dict")
	var dict *byte
	err = eachBatch(t.Context(), f, nil, 0, []int{col}, ReadOptions{BatchRows: 1000}, func(b *batch.Batch) error {
		if b.Cols[0].Dict == nil {
			return errors.New("not coded")
		}
		if p := &b.Cols[0].Dict.Data[0]; dict == nil {
			dict = p
		} else if p != dict {
			return errors.New("another dictionary")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestBigPageTakesBoundedMemory: a page far larger than the pool is read in pieces.
func TestBigPageTakesBoundedMemory(t *testing.T) {
	type two struct {
		A int64   `parquet:"a,plain"`
		B *string `parquet:"b,optional,plain"`
	}
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]two, 400_000)
	for i := range rows {
		rows[i] = two{A: r.Int64(), B: somePtr(r, "text "+fmt.Sprint(i))}
	}
	for _, c := range testCodecs {
		var out bytes.Buffer
		w := pq.NewGenericWriter[two](&out, pq.Compression(c.codec), pq.PageBufferSize(1<<30))
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "t.parquet")
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), vfs.OS(), path)
		if err != nil {
			t.Fatal(err)
		}
		limit := int64(3 << 20)
		switch c.name { // what libraries hold is reserved
		case "brotli":
			limit += 33 << 20
		case "zstd":
			limit += 2*(2*maxZstdWindow) + 2<<20
		}
		pool := mem.NewPool(limit, mem.Protect())
		acct := pool.Account("test", 0)
		at := 0
		err = eachBatch(t.Context(), f, acct, 0, []int{0, 1}, ReadOptions{BatchRows: 8192}, func(b *batch.Batch) error {
			for i, v := range b.Cols[0].Int64s() {
				if v != rows[at].A || (rows[at].B == nil) != b.Cols[1].IsNull(i) || rows[at].B != nil && *rows[at].B != string(b.Cols[1].Value(i)) {
					return fmt.Errorf("row %d differs", at)
				}
				at++
			}
			return nil
		})
		switch {
		case c.name == "snappy": // refers back across the page: it must be held whole, and does not fit
			if !errors.Is(err, mem.ErrLimit) || !strings.Contains(err.Error(), "column b, page 1") {
				t.Errorf("a snappy page that refers back far: %v", err)
			}
		case err != nil || at != len(rows):
			t.Errorf("%s: %d rows: %v", c.name, at, err)
		}
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNothingIsLeftWhereReadingStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	writeRows(t, path, someRows(3, 4000), pq.Compression(&pq.Snappy))
	f, err := Open(t.Context(), vfs.OS(), path)
	if err != nil {
		t.Fatal(err)
	}
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := f.ReadRowGroup(ctx, acct, 0, []int{0, 11, 12, 21}, ReadOptions{BatchRows: 1000, limits: &tiny})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	if err := errors.Join(s.Close(), s.Close(), acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
