package spillfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// fuzzSchema has a column for every way in which a column lies in a block.
var fuzzSchema = batch.NewSchema(
	batch.Field{Name: "bool", Type: batch.Of(batch.Bool), Nullable: true},
	batch.Field{Name: "same", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "bytes", Type: batch.Of(batch.Int64), Nullable: true},
	batch.Field{Name: "shorts", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "words", Type: batch.Of(batch.Uint64)},
	batch.Field{Name: "wide", Type: batch.Of(batch.Int64)},
	batch.Field{Name: "float", Type: batch.Of(batch.Float64)},
	batch.Field{Name: "float4", Type: batch.Of(batch.Float32), Nullable: true},
	batch.Field{Name: "dec", Type: batch.DecimalOf(38, 2)},
	batch.Field{Name: "fixed", Type: batch.Of(batch.String)},
	batch.Field{Name: "text", Type: batch.Of(batch.String), Nullable: true},
	batch.Field{Name: "long", Type: batch.Of(batch.Binary)},
	batch.Field{Name: "list", Type: batch.Type{ID: batch.Nested, Shape: "list<int64>"}, Nullable: true},
	batch.Field{Name: "three", Type: batch.Of(batch.Int64), Nullable: true},
	batch.Field{Name: "near", Type: batch.Of(batch.Float64)},
)

// fuzzRow is row i of fuzzSchema.
func fuzzRow(i int) []any {
	row := []any{
		byte(i % 2), uint64(7), uint64(i % 200), uint64(i * 300), uint64(i) << 20, uint64(i) * mix1, math.Float64bits(float64(i) / 3),
		math.Float64bits(float64(i) / 2), batch.Int128{Lo: uint64(i), Hi: -1}, "four", strings.Repeat("x", i%5),
		strings.Repeat("y", i%3*150), strings.Repeat("\x01", i%4*8), uint64(i * 70000), math.Float64bits(1 + float64(i)/3),
	}
	for c, f := range fuzzSchema.Fields {
		if f.Nullable && i%7 == c%7 {
			row[c] = nil
		}
	}
	return row
}

// fuzzShapes are stores to spill. Batches with dictionaries come first, so that those of mixed ones hold both flat values and codes.
var fuzzShapes = []struct {
	plain       bool // without a codec
	places      bool // where the blocks lie is read from the file too
	dict, codes bool
	flatFrom    int // the first batch without dictionaries
}{
	{},
	{plain: true},
	{plain: true, dict: true, flatFrom: 3},
	{plain: true, dict: true, codes: true, flatFrom: 3},
	{plain: true, dict: true, codes: true, flatFrom: 2},
	{dict: true, codes: true, flatFrom: 2},
	{places: true},
}

// memFile is a spill file whose content a test sets.
type memFile struct {
	vfs.File
	data []byte
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(p, off)
}

func (f *memFile) WillNeed(int64, int64) {}
func (f *memFile) Random()               {}

// spilled is a store that lies on disk, and what is there.
type spilled struct {
	s      *Store
	pool   *mem.Pool // to read with
	file   *memFile
	whole  []byte
	chunks []spilledChunk // in the order of the file
}

type spilledChunk struct {
	p int
	k *chunk
}

const fuzzParts = 2

// newSpilled spills the store of a shape, the same bytes every time.
func newSpilled(tb testing.TB, shape int) *spilled {
	tb.Helper()
	sh := fuzzShapes[shape]
	pool, dir := mem.NewPool(16<<20, mem.Protect()), diskDir(tb, vfs.OS(), 0)
	s, err := New(Spec{
		Name: "test", Schema: fuzzSchema, Partitions: fuzzParts, Workers: 1, BlockBytes: 4 << 10, Acct: pool.Account("store", 0), Dir: dir, Codes: sh.codes,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeAll(tb, s, pool, dir) })
	s.id = 1
	for n := range 3 {
		b, part := fuzzBatch(tb, 40*n, 40, sh.dict && n < sh.flatFrom)
		if err := s.Append(context.Background(), 0, n, part, b); err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.Seal(context.Background()); err != nil {
		tb.Fatal(err)
	}
	if sh.plain { // there is no room to compress
		s.stage.Release()
		s.stage = nil
		if s.stage, err = s.spec.Acct.Alloc(blockHeader); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err = s.Spill(context.Background(), 1<<40); err != nil {
		tb.Fatal(err)
	}
	if sh.places {
		for p := range s.parts {
			if err := s.flush(p); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return onDisk(tb, s)
}

func fuzzBatch(tb testing.TB, from, n int, dict bool) (*batch.Batch, []uint16) {
	tb.Helper()
	b, part, rows := &batch.Batch{Schema: fuzzSchema, N: n}, make([]uint16, n), make([][]any, n)
	for i := range rows {
		part[i], rows[i] = uint16(i%fuzzParts), fuzzRow(from+i)
	}
	for c, f := range fuzzSchema.Fields {
		vals := make([]any, n)
		for i := range rows {
			vals[i] = rows[i][c]
		}
		b.Cols = append(b.Cols, buildColumn(tb, nil, f.Type, vals, dict))
	}
	return b, part
}

// chunksOnDisk returns what the ledger of a partition, which has nothing in memory, says.
func chunksOnDisk(tb testing.TB, s *Store, p int) (out []*chunk) {
	tb.Helper()
	if len(s.parts[p].chunks) > 0 {
		tb.Fatal("a chunk is in memory")
	}
	for ledger := s.readLedger(p); ; {
		k, err := ledger.chunk()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, k)
	}
}

// onDisk reads what a store has spilled, and puts a memFile in its place.
func onDisk(tb testing.TB, s *Store) *spilled {
	tb.Helper()
	real := s.parts[0].ledger.file
	sp := &spilled{s: s, file: &memFile{File: real.f}, whole: make([]byte, real.size)}
	if _, err := real.f.ReadAt(sp.whole, 0); err != nil {
		tb.Fatal(err)
	}
	sp.file.data, real.f = sp.whole, sp.file
	sp.pool = mem.NewPool(2<<20, mem.Protect())
	tb.Cleanup(func() {
		if err := sp.pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	for p := fuzzParts - 1; p >= 0; p-- {
		for _, k := range chunksOnDisk(tb, s, p) {
			sp.chunks = append(sp.chunks, spilledChunk{p, k})
		}
	}
	return sp
}

// forge gives the blocks in data headers that verify, so that what lies in the payloads is looked at. Lengths
// and codecs stay as they are where they are possible.
func (sp *spilled) forge(data []byte) {
	for _, c := range sp.chunks {
		if int(c.k.off)+c.k.stored > len(data) {
			return
		}
		in := data[c.k.off:][:c.k.stored]
		for _, b := range c.k.blocks {
			if len(in) < blockHeader {
				break
			}
			was, h := getHeader(in), sp.s.header(c.p, int(b.seq), b.rows, int(b.size)-blockHeader)
			if h.length = min(was.length, uint64(len(in)-blockHeader)); c.k.s2 {
				h.codec = was.codec & codecS2
			}
			n := blockHeader + int(h.length)
			h.put(in[:blockHeader], in[blockHeader:n])
			in = in[n:]
		}
	}
	for p := range sp.s.parts {
		for i, place := range sp.s.parts[p].ledger.pages {
			if end := place.off + int64(place.size); end <= int64(len(data)) {
				page, h := data[place.off:end], sp.s.pageHeader(p, i, int(place.size)-blockHeader)
				h.put(page, page[blockHeader:])
			}
		}
	}
}

// read loads and streams all partitions, of data instead of what was spilled. It returns the first error.
func (sp *spilled) read(t *testing.T, data []byte) (first error) {
	t.Helper()
	sp.file.data = data
	acct := sp.pool.Account("load", 1<<20)
	defer func() {
		if err := acct.Close(); err != nil {
			t.Errorf("after %v: %v", first, err)
		}
	}()
	for p := range fuzzParts {
		for _, cols := range [][]int{nil, {11, 2}} {
			b, err := sp.s.Load(context.Background(), p, acct, cols)
			b.Release()
			first = sooner(first, err)
			first = sooner(first, sp.stream(p, acct, cols))
		}
	}
	return first
}

func sooner(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (sp *spilled) stream(p int, acct *mem.Account, cols []int) error {
	st, err := sp.s.Stream(context.Background(), p, acct, cols, 9)
	if err != nil {
		return err
	}
	return batchtest.Drain(st, nil)
}

// tryDamage reads data, whatever it is. Without forged headers any difference must show; with them no
// more is asked than that the rows, or an error of the package, come within the memory given.
func (sp *spilled) tryDamage(t *testing.T, data []byte, forged bool) {
	t.Helper()
	if data = bytes.Clone(data); forged {
		sp.forge(data)
	}
	err := sp.read(t, data)
	if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
	same := len(data) >= len(sp.whole) && bytes.Equal(data[:len(sp.whole)], sp.whole)
	if !forged && same != (err == nil) {
		t.Errorf("the bytes are those that were spilled: %v; got %v", same, err)
	}
}

// TestFuzzedStoresHoldEveryEncoding keeps the seeds of the fuzz target worth their while.
func TestFuzzedStoresHoldEveryEncoding(t *testing.T) {
	type way struct{ enc, width, flags byte }
	seen, codecs := map[way]bool{}, map[bool]bool{}
	for shape := range fuzzShapes {
		sp := newSpilled(t, shape)
		sp.tryDamage(t, sp.whole, false)
		for _, c := range sp.chunks {
			codecs[c.k.s2] = true
			r := sp.s.newReader(c.p, nil, nil)
			for pc, err := r.order.peek(); pc != nil || err != nil; pc, err = r.order.peek() {
				if err != nil {
					t.Fatal(err)
				}
				o, err := r.block(pc.at)
				if err != nil {
					t.Fatal(err)
				}
				r.order.next++
				for _, col := range o.cols {
					seen[way{col.enc, col.width, col.flags}] = true
				}
			}
			r.close()
		}
	}
	for _, w := range []way{
		{encInts, 0, 0}, {encInts, 1, 1}, {encInts, 2, 0}, {encInts, 3, 1}, {encInts, 4, 0}, {encInts, 7, 0}, {encInts, 8, 0}, {encFloat4, 4, 1}, {encBits, 0, 1}, {encWide, 16, 0},
		{encBytes, 0, 0}, {encBytes, 1, 1}, {encBytes, 2, 0}, {encCodes, 0, 0}, {encCodes, 1, 1},
	} {
		if !seen[w] {
			t.Errorf("no column lies as %+v", w)
		}
	}
	if !codecs[true] || !codecs[false] {
		t.Errorf("chunks are compressed: %v", codecs)
	}
}

// TestForgedColumnHeadersAreErrors has column headers say what cannot be, in blocks that verify.
func TestForgedColumnHeadersAreErrors(t *testing.T) {
	for shape := range fuzzShapes {
		sp := newSpilled(t, shape)
		if !fuzzShapes[shape].plain {
			continue
		}
		for _, at := range columnsAt(sp.whole, int(sp.chunks[0].k.off)) {
			for _, i := range []int{0, 1, 2, 8, 16, 20, 23, 24, 27} {
				for _, v := range []byte{1, 3, 5, 6, 255} {
					data := bytes.Clone(sp.whole)
					data[at+i] = v
					sp.tryDamage(t, data, true)
					if t.Failed() {
						t.Fatalf("shape %d, byte %d of the column header at %d is %d", shape, i, at, v)
					}
				}
			}
		}
	}
}

// columnsAt returns where the column headers of the block at at are.
func columnsAt(data []byte, at int) (out []int) {
	at += blockHeader
	for range fuzzSchema.Fields {
		out = append(out, at)
		at += columnHeader + int(getPlan(data[at:]).size)
	}
	return out
}

func FuzzSpilledBytes(f *testing.F) {
	shapes := make([]*spilled, len(fuzzShapes))
	for i := range shapes {
		shapes[i] = newSpilled(f, i)
		whole := shapes[i].whole
		f.Add(uint8(i), false, whole)
		f.Add(uint8(i), true, whole)
		for at := 0; at < len(whole); at += 1 + len(whole)/6 {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << (at % 8)
			f.Add(uint8(i), false, flipped)
			f.Add(uint8(i), true, flipped)
			f.Add(uint8(i), at%2 == 0, whole[:at])
		}
	}
	f.Fuzz(func(t *testing.T, shape uint8, forged bool, data []byte) {
		shapes[int(shape)%len(shapes)].tryDamage(t, data, forged)
	})
}
