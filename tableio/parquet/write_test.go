package parquet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// allTypes has a column of every type that can be written, every other one nullable.
func allTypes() *batch.Schema {
	types := []batch.Type{
		batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Int16), batch.Of(batch.Int32), batch.Of(batch.Int64),
		batch.Of(batch.Uint8), batch.Of(batch.Uint16), batch.Of(batch.Uint32), batch.Of(batch.Uint64),
		batch.Of(batch.Float16), batch.Of(batch.Float32), batch.Of(batch.Float64),
		batch.DecimalOf(7, 2), batch.DecimalOf(18, 4), batch.DecimalOf(38, 10),
		batch.Of(batch.String), batch.Of(batch.Binary), {ID: batch.Fixed, Width: 5}, batch.Of(batch.UUID),
		batch.Of(batch.Date), {ID: batch.Time, Unit: batch.Milli}, {ID: batch.Time, Unit: batch.Micro, UTC: true},
		batch.TimestampOf(batch.Milli, true), batch.TimestampOf(batch.Micro, false), batch.TimestampOf(batch.Nano, true),
	}
	s := &batch.Schema{}
	for i, t := range types {
		for _, nullable := range []bool{true, false} {
			s.Fields = append(s.Fields, batch.Field{Name: fmt.Sprintf("c%d_%s_%v", i, t, nullable), Type: t, Nullable: nullable})
		}
	}
	return s
}

// randomColumn makes n values; about one in five is null where the field allows it.
func randomColumn(t testing.TB, r *rand.Rand, f batch.Field, n int) *batch.Column {
	t.Helper()
	var c *batch.Column
	var err error
	switch k := f.Type.Kind(); k {
	case batch.KindBytes:
		c = randomBytes(t, r, f.Type, n)
	default:
		c, err = batch.NewFixed(nil, f.Type, n)
		noError(t, err)
		fillFixed(r, f.Type, c)
	}
	if f.Nullable {
		noError(t, c.NewValid(nil))
		for i := range n {
			if r.IntN(5) > 0 {
				c.Valid[i>>3] |= 1 << (i & 7)
			}
		}
		c.SetNulls()
	}
	return c
}

func randomBytes(t testing.TB, r *rand.Rand, typ batch.Type, n int) *batch.Column {
	t.Helper()
	width := typ.StoredWidth()
	c, err := batch.NewVar(nil, typ, n, n*max(width, 24))
	noError(t, err)
	at := 0
	few := r.IntN(2) == 0
	for i := range n {
		c.Off[i] = uint32(at)
		v := fmt.Sprintf("value %d of many", r.IntN(200))
		if !few {
			v = fmt.Sprint(r.Uint64())
		}
		if width > 0 {
			v = fmt.Sprintf("%0*d", width, r.IntN(1000))[:width]
		}
		at += copy(c.Data[at:], v)
	}
	c.Off[n] = uint32(at)
	return c
}

func fillFixed(r *rand.Rand, typ batch.Type, c *batch.Column) {
	bits := uint(8 * typ.StoredWidth())
	for i := range c.N {
		switch typ.Kind() {
		case batch.KindBool:
			c.Fixed[i] = byte(r.IntN(2))
		case batch.KindFloat64:
			c.Float64s()[i] = float64(r.IntN(2000)) / 8
		case batch.KindInt128:
			c.Int128s()[i] = batch.Int128{Lo: r.Uint64(), Hi: r.Int64N(1000) - 500}
		default:
			v := int64(r.Uint64())
			switch {
			case typ.ID == batch.Date:
				v = r.Int64N(100_000) - 50_000
			case typ.ID == batch.Time:
				v = r.Int64N(86_400_000)
			case typ.ID == batch.Decimal && typ.Prec < 10:
				v = r.Int64N(9_999_999)
			case typ.ID == batch.Decimal:
				v = r.Int64N(1e17)
			case typ.ID == batch.Timestamp:
				v = r.Int64N(1e12)
			case typ.IsUnsigned():
				v = int64(uint64(v) >> (64 - bits))
			default:
				v >>= 64 - bits
			}
			c.Int64s()[i] = v
		}
	}
}

func randomBatch(t testing.TB, r *rand.Rand, s *batch.Schema, n int) *batch.Batch {
	b := &batch.Batch{Schema: s, N: n}
	for _, f := range s.Fields {
		b.Cols = append(b.Cols, randomColumn(t, r, f, n))
	}
	return b
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writeCut writes b, cut at random, and returns the files' bytes.
func writeCut(t testing.TB, b *batch.Batch, cuts *rand.Rand, o WriterOptions, coded bool) (Summary, map[string][]byte) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	w, err := CreateDir(ctx, vfs.OS(), dir, b.Schema, o)
	noError(t, err)
	defer w.Abort()
	for i := 0; i < b.N; {
		j := b.N
		if cuts != nil {
			j = min(b.N, i+1+cuts.IntN([]int{3, 300, 5000, 100_000}[cuts.IntN(4)]))
		}
		part, err := b.Slice(nil, i, j)
		noError(t, err)
		if coded {
			part = code(t, part)
		}
		noError(t, w.Write(ctx, part))
		i = j
	}
	sum, err := w.Close(ctx)
	noError(t, err)
	files := map[string][]byte{}
	for _, f := range sum.Files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name))
		noError(t, err)
		if int64(len(raw)) != f.Bytes {
			t.Errorf("%s has %d bytes, the summary says %d", f.Name, len(raw), f.Bytes)
		}
		files[f.Name] = raw
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != len(files) {
		t.Errorf("%d files in the directory, %d in the summary, %v", len(names), len(files), err)
	}
	return sum, files
}

// code returns the batch with dictionary-coded columns.
func code(t testing.TB, b *batch.Batch) *batch.Batch {
	t.Helper()
	out := &batch.Batch{Schema: b.Schema, N: b.N}
	for _, c := range b.Cols {
		dict, err := c.Slice(nil, 0, c.N)
		noError(t, err)
		dict.Valid, dict.Nulls = nil, 0
		k, err := batch.NewCodes(nil, dict, c.N)
		noError(t, err)
		for i := range k.Codes {
			k.Codes[i] = uint32(i)
		}
		k.Valid, k.Nulls = c.Valid, c.Nulls
		out.Cols = append(out.Cols, k)
	}
	return out
}

func digest(files map[string][]byte) string {
	h := sha256.New()
	for i := range len(files) {
		h.Write(files[fmt.Sprintf("part-%05d.parquet", i)])
	}
	return fmt.Sprintf("%d files, %x", len(files), h.Sum(nil))
}

func TestBytesDependOnTheRowsAlone(t *testing.T) {
	b := randomBatch(t, rand.New(rand.NewPCG(1, 2)), allTypes(), 20_000)
	o := WriterOptions{RowGroupRaw: 3 << 20, RowGroupRows: 9000, FileSize: 1 << 20, SortKeys: nil}
	_, files := writeCut(t, b, nil, o, false)
	want := digest(files)
	if len(files) < 2 {
		t.Fatalf("only %d files", len(files))
	}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 0))
		pool := mem.NewPool(64<<20<<(seed%3), mem.Protect())
		acct := pool.Account("writer", 0)
		o.Threads, o.Acct = 1+int(seed%4), acct
		_, files := writeCut(t, b, r, o, seed%2 == 1)
		if got := digest(files); got != want {
			t.Errorf("seed %d: %s, want %s", seed, got, want)
		}
		noError(t, acct.Close())
		noError(t, pool.Close())
	}
}

// Files much smaller than a row group may be are cut all the same.
func TestSmallFilesHaveSmallRowGroups(t *testing.T) {
	b := randomBatch(t, rand.New(rand.NewPCG(1, 2)), allTypes(), 20_000)
	_, one := writeCut(t, b, nil, WriterOptions{}, false)
	_, files := writeCut(t, b, nil, WriterOptions{FileSize: 200_000}, false)
	whole := 0
	for _, f := range one {
		whole += len(f)
	}
	if len(one) != 1 || len(files) < whole/400_000 {
		t.Fatalf("%d bytes in %d files of 200,000 bytes each", whole, len(files))
	}
	for _, f := range files {
		if len(f) > 600_000 {
			t.Errorf("a file of %d bytes, 200,000 were asked for", len(f))
		}
	}
}

func TestEmptyTableIsOneFile(t *testing.T) {
	b := randomBatch(t, rand.New(rand.NewPCG(1, 2)), allTypes(), 0)
	sum, files := writeCut(t, b, nil, WriterOptions{}, false)
	if len(files) != 1 || sum.Rows != 0 {
		t.Errorf("%d files, %d rows", len(files), sum.Rows)
	}
}

func TestAbortGivesEverythingBack(t *testing.T) {
	ctx := context.Background()
	b := randomBatch(t, rand.New(rand.NewPCG(1, 2)), allTypes(), 5000)
	for n := range 5 {
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("writer", 0)
		w, err := CreateDir(ctx, vfs.OS(), t.TempDir(), b.Schema, WriterOptions{Threads: 2, Acct: acct, RowGroupRows: 3000})
		noError(t, err)
		for range n {
			part, err := b.Slice(acct, n, 200*n+1)
			noError(t, err)
			noError(t, w.Write(ctx, part))
		}
		w.Abort()
		w.Abort()
		noError(t, acct.Close())
		noError(t, pool.Close())
	}
}

func TestFilesAreCutBetweenKeys(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: batch.Of(batch.Float64)})
	r := rand.New(rand.NewPCG(3, 4))
	b := randomBatch(t, r, s, 300_000)
	for i := range b.N {
		b.Cols[0].Int64s()[i] = int64(i / 777)
		b.Cols[1].Float64s()[i] = r.Float64()
	}
	o := WriterOptions{SortKeys: []batch.SortKey{{Column: 0}}, FileSize: 400_000, RowGroupRaw: 200_000}
	sum, files := writeCut(t, b, nil, o, false)
	if len(files) < 4 {
		t.Fatalf("%d files of %d bytes", len(files), sum.Bytes)
	}
	row := int64(0)
	for _, f := range sum.Files[:len(files)-1] {
		if row += f.Rows; row%777 != 0 {
			t.Errorf("%s ends within a key, at row %d", f.Name, row)
		}
	}
	_, again := writeCut(t, b, r, o, true)
	if digest(files) != digest(again) {
		t.Error("other cuts gave other bytes")
	}
	o = WriterOptions{FileRows: 70_000, SortKeys: o.SortKeys}
	if sum, _ = writeCut(t, b, r, o, false); sum.Files[0].Rows != (70_000+776)/777*777 {
		t.Errorf("the first file has %d rows", sum.Files[0].Rows)
	}
	o.SortKeys = nil
	if sum, _ = writeCut(t, b, r, o, false); sum.Files[0].Rows != 70_000 || len(sum.Files) != 5 {
		t.Errorf("the first file of %d has %d rows", len(sum.Files), sum.Files[0].Rows)
	}
}

func TestKeyThatOutgrowsAFileIsCut(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)}, batch.Field{Name: "x", Type: batch.Of(batch.Float64)})
	b := randomBatch(t, rand.New(rand.NewPCG(3, 4)), s, 300_000)
	clear(b.Cols[0].Fixed)
	o := WriterOptions{SortKeys: []batch.SortKey{{Column: 0}}, FileSize: 100_000, RowGroupRaw: 100_000}
	if _, files := writeCut(t, b, nil, o, false); len(files) < 3 {
		t.Errorf("%d files", len(files))
	}
}

func TestNullInRequiredColumnIsAnError(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	c, err := batch.AllNull(nil, batch.Of(batch.Int64), 1000)
	noError(t, err)
	ctx := context.Background()
	w, err := CreateDir(ctx, vfs.OS(), t.TempDir(), s, WriterOptions{})
	noError(t, err)
	defer w.Abort()
	_ = w.Write(ctx, &batch.Batch{Schema: s, Cols: []*batch.Column{c}, N: 1000})
	if _, err := w.Close(ctx); err == nil {
		t.Error("no error")
	}
}

func TestBoundsOfLongText(t *testing.T) {
	l := leaf{field: batch.Field{Type: batch.Of(batch.String)}, order: orderBytes}
	long := bytes.Repeat([]byte("é"), 100)
	b := l.boundBytes(long, append([]byte("a"), long...))
	if len(b.min) != 64 || b.minExact || b.noMax || string(b.max) != "b" {
		t.Errorf("%d %q %v", len(b.min), b.max, b.noMax)
	}
	if b = l.boundBytes(long, long); !b.noMax {
		t.Errorf("a maximum of %q", b.max)
	}
}

func TestBoundsOfFloats(t *testing.T) {
	lo, hi, ok := minMaxFloat([]float64{0, math.Copysign(0, -1)})
	if !ok || !math.Signbit(lo) || math.Signbit(hi) {
		t.Error(lo, hi, ok)
	}
	if _, _, ok := minMaxFloat([]float64{1, math.NaN(), 2}); ok {
		t.Error("there are bounds beside NaN")
	}
	if lo, hi, ok := minMaxFloat([]float64{math.Inf(1)}); !ok || lo != math.Inf(1) || hi != lo {
		t.Error(lo, hi, ok)
	}
}

// A page with NaN takes the bounds of its whole chunk, whichever page comes first.
func TestNaNLeavesAChunkWithoutBounds(t *testing.T) {
	l := leaf{field: batch.Field{Type: batch.Of(batch.Float64)}, order: orderFloat, width: 8}
	page := func(v ...float64) bounds { return l.boundWords(batch.View[uint64](batch.BytesOf(v))) }
	plain, nan, none := page(1, 2), page(3, math.NaN()), bounds{}
	for _, pages := range [][]bounds{{plain, nan}, {nan, plain}, {none, nan, none, plain}} {
		var b bounds
		for i := range pages {
			b.merge(&pages[i], &l)
		}
		if b.has || !b.nan {
			t.Errorf("%+v", b)
		}
	}
}

func TestTableWithoutColumnsKeepsItsRows(t *testing.T) {
	ctx := context.Background()
	s := batch.NewSchema()
	w, err := CreateDir(ctx, vfs.OS(), t.TempDir(), s, WriterOptions{})
	noError(t, err)
	defer w.Abort()
	noError(t, w.Write(ctx, &batch.Batch{Schema: s, N: 100_000}))
	sum, err := w.Close(ctx)
	noError(t, err)
	if sum.Rows != 100_000 {
		t.Errorf("%d rows", sum.Rows)
	}
}
