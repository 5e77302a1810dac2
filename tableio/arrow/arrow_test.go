package arrow

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// cell is a value as make.py writes it; "-" is null.
func cell(c *batch.Column, i int) string {
	if c.IsNull(i) {
		return "-"
	}
	if c.Type.ID == batch.Nested {
		return nestedCell(c, i)
	}
	v := c
	if c.Dict != nil {
		v, i = c.Dict, int(c.Codes[i])
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return strconv.FormatBool(v.Fixed[i] != 0)
	case batch.KindFloat64:
		f := v.Float64s()[i]
		if f != f {
			return "nan"
		}
		return fmt.Sprintf("%016x", math.Float64bits(f))
	case batch.KindInt128:
		return v.Int128s()[i].Big().String()
	case batch.KindBytes:
		if c.Type.ID == batch.String {
			return string(v.Value(i))
		}
		return hex.EncodeToString(v.Value(i))
	}
	if c.Type.ID == batch.Uint64 {
		return strconv.FormatUint(uint64(v.Int64s()[i]), 10)
	}
	return strconv.FormatInt(v.Int64s()[i], 10)
}

// columnsOf reads all units, in order, and returns the values of each column.
func columnsOf(f *File, cols []int, step int, limit int64) (out [][]string, err error) {
	return columnsAs(f, cols, step, limit, cell)
}

// columnsAs is columnsOf with values as a function writes them.
func columnsAs(f *File, cols []int, step int, limit int64, cell func(c *batch.Column, i int) string) (out [][]string, err error) {
	pool := mem.NewPool(limit, mem.Protect())
	acct := pool.Account("test", 0)
	types := make([]batch.Type, len(cols))
	for i, c := range cols {
		if types[i] = f.Schema().Fields[c].Type; types[i].ID == batch.Null {
			types[i] = batch.Of(batch.String)
		}
	}
	out = make([][]string, len(cols))
	for u := range f.Units() {
		if err = unitColumns(f, acct, u, cols, types, step, out, cell); err != nil {
			break
		}
	}
	return out, errors.Join(err, acct.Close(), pool.Close())
}

func unitColumns(f *File, acct *mem.Account, u int, cols []int, types []batch.Type, step int, out [][]string, cell func(c *batch.Column, i int) string) error {
	st, err := f.Read(context.Background(), acct, u, cols, types, format.ReadOptions{BatchRows: step})
	if err != nil {
		return err
	}
	return batchtest.Drain(st, func(b *batch.Batch) {
		for i := range b.N {
			for k, c := range b.Cols {
				out[k] = append(out[k], cell(c, i))
			}
		}
	})
}

func all(f *File) []int {
	return batch.Positions(len(f.Schema().Fields))
}

// TestReadsWhatOthersWrite compares every value of every writer's file with the values that it was given.
func TestReadsWhatOthersWrite(t *testing.T) {
	body, err := os.ReadFile("testdata/golden/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]*string
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/golden/*.arrow*")
	if err != nil || len(names) < 9 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if filepath.Base(name) == "replaced.arrows" {
			continue
		}
		f, err := Open(t.Context(), vfs.OS(), name)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, step := range []int{0, 1, 3, 9} {
			got, err := columnsOf(f, all(f), step, 64<<20)
			if err != nil {
				t.Error(err)
				continue
			}
			for i, field := range f.Schema().Fields {
				var values []string
				for _, v := range want[field.Name] {
					if v == nil {
						values = append(values, "-")
					} else {
						values = append(values, *v)
					}
				}
				if d := cmp.Diff(values, got[i]); d != "" {
					t.Errorf("%s, batches of %d: column %s (%s): %s", name, step, field.Name, field.Type, d)
				}
			}
		}
	}
}

func TestADictionaryIsReplaced(t *testing.T) {
	f, err := Open(t.Context(), vfs.OS(), "testdata/golden/replaced.arrows")
	if err != nil {
		t.Fatal(err)
	}
	got, err := columnsOf(f, []int{0}, 0, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range "ab" {
		for i := range 40 {
			want = append(want, fmt.Sprint(string(p), i))
		}
	}
	if d := cmp.Diff(want, got[0]); d != "" || len(f.Units()) != 2 {
		t.Error(d, len(f.Units()))
	}
}

// TestHostileFiles changes bytes of files, and cuts them off: an error or other values may come of it, and neither a panic nor
// memory beyond the bound.
func TestHostileFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/golden/*.arrow*")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(dir, "t.arrow")
		seed := uint64(1)
		for k := range 120 {
			seed = seed*6364136223846793005 + 1442695040888963407
			at := int(seed>>20) % len(body)
			b := append([]byte{}, body...)
			switch k % 4 {
			case 0:
				b[at] ^= byte(1 << (seed >> 10 & 7))
			case 1:
				b[at] = 0xff
			case 2:
				copy(b[at:], "\xff\xff\xff\xff\xff\xff\xff\x7f")
			default:
				b = b[:at]
			}
			read(t, p, b)
		}
	}
}

func read(t interface{ Fatal(...any) }, p string, b []byte) {
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(context.Background(), vfs.OS(), p)
	if err != nil {
		return
	}
	if n, _ := f.Rows(); n > 1<<20 { // which only a column of nulls can have
		return
	}
	for u := range f.Units() {
		f.ReadFloor(context.Background(), u, all(f))
	}
	_, err = columnsOf(f, all(f), 5, 32<<20)
	if err != nil && strings.Contains(err.Error(), "still") {
		t.Fatal(err)
	}
}

// FuzzRead begins with small files, of which many are read in a second.
func FuzzRead(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	p := filepath.Join(f.TempDir(), "t.arrow")
	f.Fuzz(func(t *testing.T, b []byte) { read(t, p, b) })
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	for body, want := range map[string]string{
		"":                               "malformed file: it is too short for an Arrow file",
		"ARROW1\x00\x00":                 "malformed file: it is too short for an Arrow file: was its writing cut off?",
		"FEA1" + strings.Repeat("x", 50): "malformed file: it is Feather of version 1, which is not read; write version 2, which is Arrow",
		"PAR1" + strings.Repeat("x", 50): "malformed file: it is no Arrow file",
		"ARROW1\x00\x00" + strings.Repeat("x", 50): "malformed file: it does not end as an Arrow file does: was its writing cut off?",
	} {
		p := filepath.Join(dir, "t.arrow")
		if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), vfs.OS(), p); err == nil || err.Error() != p+": "+want || !errors.Is(err, format.ErrMalformed) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

func types() []batch.Type {
	return []batch.Type{batch.Of(batch.String), batch.Of(batch.Binary), {ID: batch.Fixed, Width: 3}, batch.Of(batch.UUID), batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Uint16),
		batch.Of(batch.Int32), batch.Of(batch.Int64), batch.Of(batch.Uint64), batch.Of(batch.Float16), batch.Of(batch.Float32), batch.Of(batch.Float64), batch.DecimalOf(9, 2),
		batch.DecimalOf(38, 7), batch.Of(batch.Date), {ID: batch.Time, Unit: batch.Milli}, {ID: batch.Time, Unit: batch.Nano}, batch.TimestampOf(batch.Second, false), batch.TimestampOf(batch.Micro, true)}
}

// value draws what batchtest takes for a type.
func value(t *rapid.T, typ batch.Type) any {
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return nil
	}
	switch typ.Kind() {
	case batch.KindBool:
		return rapid.Bool().Draw(t, "v")
	case batch.KindBytes:
		if w := typ.StoredWidth(); w > 0 {
			return strings.Repeat(rapid.SampledFrom([]string{"a", "b", "\x00"}).Draw(t, "v"), w)
		}
		return rapid.StringN(-1, 30, 60).Draw(t, "v")
	case batch.KindFloat64:
		return float64(rapid.IntRange(-2000, 2000).Draw(t, "v")) / 2
	case batch.KindInt128:
		return batch.Int128Of(rapid.Int64().Draw(t, "v"))
	}
	if typ.ID == batch.Int64 || typ.ID == batch.Uint64 {
		return rapid.Int64().Draw(t, "v")
	}
	return rapid.Int64Range(0, 120).Draw(t, "v")
}

// TestWhatIsWrittenIsRead writes random rows of all types, in batches and record batches of any size, and reads them back.
func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		schema := &batch.Schema{}
		for i := range rapid.IntRange(1, 4).Draw(t, "columns") {
			schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: rapid.SampledFrom(types()).Draw(t, "type"), Nullable: true})
		}
		p := filepath.Join(dir, "t.arrow")
		_ = os.Remove(p)
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("test", 0)
		enc, err := NewEncoder(schema, rapid.SampledFrom([]string{"none", "lz4", "zstd"}).Draw(t, "compression"), rapid.IntRange(1, 20).Draw(t, "rows of a record batch"), acct)
		if err != nil {
			t.Fatal(err)
		}
		w, err := text.NewWriter(vfs.OS(), p, false, enc, text.WriterOptions{Acct: acct})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		want := make([][]string, len(schema.Fields))
		for range rapid.IntRange(0, 4).Draw(t, "batches") {
			var rows [][]any
			for range rapid.IntRange(0, 12).Draw(t, "rows") {
				var row []any
				for _, f := range schema.Fields {
					row = append(row, value(t, f.Type))
				}
				rows = append(rows, row)
			}
			b, err := batchtest.Batch(acct, schema, rows, func(col int) batchtest.Layout { return batchtest.Layout(col % int(batchtest.Layouts)) })
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.N {
				for k, c := range b.Cols {
					want[k] = append(want[k], cell(c, i))
				}
			}
			if err := w.Write(context.Background(), b); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Fatal(err)
		}
		f, err := Open(context.Background(), vfs.OS(), p)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(schema, f.Schema()); d != "" {
			t.Fatal(d)
		}
		got, err := columnsOf(f, all(f), rapid.IntRange(0, 9).Draw(t, "step"), 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// The encoder's way may need more room than its result; what is written must be the result all the same.
func TestPackedBuffersAreWhatWasPacked(t *testing.T) {
	pool := mem.NewPool(16<<20, mem.Protect())
	acct := pool.Account("test", 0)
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := rand.New(rand.NewPCG(1, 1))
	k := newPacker("zstd", acct)
	for range 5000 {
		plain := make([]byte, 1+r.IntN(80))
		for i := 0; i < len(plain); i += 4 {
			plain[i] = byte(r.IntN(4))
		}
		p, err := k.pack(plain)
		if err != nil {
			t.Fatal(err)
		}
		got := p.plain
		if p.buf != nil {
			if got, err = d.DecodeAll(p.buf.Bytes()[:p.n], nil); err != nil {
				t.Fatalf("%v: %v", plain, err)
			}
			p.buf.Release()
		}
		if !bytes.Equal(got, plain) {
			t.Fatalf("%v became %v", plain, got)
		}
	}
	k.release()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
