package arrow

import (
	gocmp "cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/testkit/zstdframe"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"

	"github.com/google/go-cmp/cmp"
)

// dates is a column of dates in milliseconds, in record batches.
func dates(parts ...rows) []byte {
	var c crafted
	c.schema(func(w *builder) []int {
		return []int{craftedField(w, "d", typeDate, w.table(slot{i: 0, size: 2, v: 1}), 0)}
	})
	for _, p := range parts {
		c.batch(p)
	}
	return c.b
}

// decimals is a column of decimals of five digits in 128 bits.
func decimals(valid byte, nulls int64, v ...int64) []byte {
	var c crafted
	c.schema(func(w *builder) []int {
		typ := w.table(slot{i: 0, size: 4, v: 5}, slot{i: 1, size: 4, v: 0}, slot{i: 2, size: 4, v: 128})
		return []int{craftedField(w, "m", typeDecimal, typ, 0)}
	})
	n := int64(len(v) / 2)
	c.batch(rows{n: n, nodes: []int64{n, nulls}, bufs: [][]byte{{valid}, words(v...)}, codec: -1})
	return c.b
}

// Whether a value is one of its type does not depend on whether others of its record batch are null; a null's bytes may be anything.
func TestMisfitsAreErrorsBesideNulls(t *testing.T) {
	day := int64(86_400_000)
	ms := func(valid byte, nulls int64, v ...int64) rows {
		return rows{n: int64(len(v)), nodes: []int64{int64(len(v)), nulls}, bufs: [][]byte{{valid}, words(v...)}, codec: -1}
	}
	for name, c := range map[string]struct {
		b      []byte
		values []string
		err    string
	}{
		"half a day":       {b: dates(ms(2, 1, 0, day/2)), err: "column d has a date of 43200000 milliseconds, which is no whole day, in row 1 (counted from 0)"},
		"before 1970":      {b: dates(ms(2, 1, 0, -1)), err: "a date of -1 milliseconds, which is no whole day, in row 1 "},
		"no nulls":         {b: dates(ms(3, 0, 0, 1)), err: "a date of 1 milliseconds, which is no whole day, in row 1 "},
		"a later batch":    {b: dates(ms(7, 0, 0, day, -day), ms(2, 1, 1, -day), ms(6, 1, 1, day, 7)), err: " in row 7 (counted from 0)"},
		"a null's":         {b: dates(ms(2, 1, day/2, -2*day)), values: []string{"-", "-2"}},
		"a large decimal":  {b: decimals(2, 1, 0, 0, 5, 1), err: "column m has a value with more digits than decimal(5, 0) in row 1 (counted from 0)"},
		"a null's decimal": {b: decimals(2, 1, 5, 1, -5, -1), values: []string{"-", "-5"}},
	} {
		f, err := opened(t, c.b)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, step := range []int{0, 1, 2} {
			got, err := columnsOf(f, []int{0}, step, 32<<20)
			if c.err != "" {
				if !errors.Is(err, format.ErrMalformed) || !strings.HasPrefix(err.Error(), f.Path()+": malformed file: ") || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s, batches of %d: %v, %v", name, step, got, err)
				}
			} else if d := cmp.Diff(c.values, got[0]); d != "" || err != nil {
				t.Errorf("%s, batches of %d: %s %v", name, step, d, err)
			}
		}
	}
}

// nest is a struct of two structs, which are one, and so on.
func nest(w *builder, depth int) int {
	if depth == 0 {
		return craftedField(w, "x", typeBool, w.table(), 0)
	}
	c := nest(w, depth-1)
	return craftedField(w, "x", typeStruct, w.table(), 0, c, c)
}

// A few bytes of metadata can say that there is any number of columns, or of bytes in their names.
func TestMetadataThatPointAtThemselvesAreRefused(t *testing.T) {
	for want, fields := range map[string]func(w *builder) []int{
		"it has more than 100000 columns, those in nested ones included": func(w *builder) []int { return []int{nest(w, 60)} },
		"its columns nest more than 64 deep":                             func(w *builder) []int { return []int{nest(w, 70)} },
		"the names of its columns lie in each other": func(w *builder) []int {
			at := w.string("outer" + strings.Repeat("\x00", 3) + "\xe8\x03\x00\x00" + strings.Repeat("x", 1000))
			one := func(name int) int {
				return w.table(slot{i: 0, to: name}, slot{i: 3, to: w.table()}, slot{i: 2, size: 1, v: typeBool})
			}
			return []int{one(at), one(at - 4 - 8)}
		},
		`columns "a" and "b" are of different types and have the same dictionary`: func(w *builder) []int {
			dict := w.table(slot{i: 0, size: 8, v: 3})
			return []int{craftedField(w, "a", typeUtf8, w.table(), dict), craftedField(w, "b", typeBool, w.table(), dict)}
		},
	} {
		var c crafted
		c.schema(fields)
		if _, err := opened(t, c.b); !errors.Is(err, format.ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

func TestLongFootersAreRefused(t *testing.T) {
	p := filepath.Join(t.TempDir(), "t.arrow")
	put := func(footer, room int) error {
		b := append([]byte(magic+"\x00\x00"), make([]byte, room)...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(footer)), magic...)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), vfs.OS(), p)
		return err
	}
	if err := put(maxMeta+1, maxMeta+64); err == nil || !strings.Contains(err.Error(), "its footer is of 16777217 bytes, more than 16777216") {
		t.Error(err)
	}
	w := new(builder)
	many := w.longs(make([]int64, 3*(maxMessages+1)), 3)
	schema := w.table(slot{i: 1, to: w.offsets([]int{craftedField(w, "b", typeBool, w.table(), 0)})})
	footer := w.finish(w.table(slot{i: 1, to: schema}, slot{i: 3, to: many}))
	b := append([]byte(magic+"\x00\x00"), footer...)
	b = append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), magic...)
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), vfs.OS(), p); err == nil || !strings.Contains(err.Error(), "it has more than 262144 record batches and dictionaries") {
		t.Error(err)
	}
}

// What is reserved is the first frame's window; those behind it may not have a larger one.
func TestALaterFrameHasNoLargerWindow(t *testing.T) {
	for window, ok := range map[int]bool{1 << 20: true, 1 << 19: true, 8 << 20: false} {
		body := binary.LittleEndian.AppendUint64(nil, 12<<20)
		body = append(append(body, zstdframe.Zeros(t, 2<<20, 1<<20)...), zstdframe.Zeros(t, 10<<20, window)...)
		var c crafted
		c.schema(func(w *builder) []int {
			return []int{craftedField(w, "i", typeInt, w.table(slot{i: 0, size: 4, v: 64}, slot{i: 1, size: 1, v: 1}), 0)}
		})
		n := int64(12 << 20 / 8)
		c.batch(rows{n: n, nodes: []int64{n, 0}, bufs: [][]byte{nil, body}, codec: 1})
		f, err := opened(t, c.b)
		if err != nil {
			t.Fatal(err)
		}
		if err := drain(f); (err == nil) != ok || err != nil && !errors.Is(err, format.ErrMalformed) {
			t.Errorf("window of %d: %v", window, err)
		}
	}
}

// drain reads all columns of the first unit.
func drain(f *File) error {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	var types []batch.Type
	for _, field := range f.schema.Fields {
		types = append(types, field.Type)
	}
	s, err := f.Read(context.Background(), acct, 0, all(f), types, format.ReadOptions{})
	if err == nil {
		err = batchtest.Drain(s, nil)
	}
	return errors.Join(err, acct.Close(), pool.Close())
}

// Sizes that files state add up to no negative floor, and what is held whole is refused beyond what a column can have.
func TestStatedSizesOverflowNothing(t *testing.T) {
	huge := append(words(math.MaxInt64-7), zstdframe.Zeros(t, 2<<20, 1<<20)...)
	var views, coded crafted
	views.schema(func(w *builder) []int {
		return []int{craftedField(w, "v", typeUtf8View, w.table(), 0), craftedField(w, "w", typeUtf8View, w.table(), 0)}
	})
	views.batch(rows{n: 0, nodes: []int64{0, 0, 0, 0}, bufs: [][]byte{nil, nil, huge, huge, nil, nil, huge, huge}, codec: 1, views: []int64{2, 2}})
	coded.schema(func(w *builder) []int {
		return []int{craftedField(w, "c", typeUtf8, w.table(), w.table(slot{i: 0, size: 8, v: 1}))}
	})
	for range 3 {
		coded.dictionary(1, true, rows{n: 0, nodes: []int64{0, 0}, bufs: [][]byte{nil, huge, huge}, codec: 1})
	}
	coded.batch(rows{n: 0, nodes: []int64{0, 0}, bufs: [][]byte{nil, nil}, codec: -1})
	for _, b := range [][]byte{views.b, coded.b} {
		f, err := opened(t, b)
		if err != nil {
			t.Fatal(err)
		}
		if n := f.ReadFloor(context.Background(), 0, all(f)); n < 0 || n > 64<<20 {
			t.Errorf("a floor of %d", n)
		}
		if err := drain(f); !errors.Is(err, format.ErrMalformed) || !strings.Contains(err.Error(), "a compressed buffer of 227 bytes says that it has") {
			t.Error(err)
		}
	}
}

// Units and dictionaries are found by counters that run; this is the plain way.
func TestDictionariesOfUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		f := &File{dicts: map[int64][]message{}, schema: &batch.Schema{}}
		for seq := range int32(r.IntN(40) + 1) {
			m := message{seq: seq, rows: 1, delta: r.IntN(3) > 0}
			id := int64(r.IntN(2))
			if r.IntN(2) == 0 {
				f.batches = append(f.batches, m)
				continue
			}
			if !m.delta && len(f.dicts[id]) > 0 {
				f.replaced = append(f.replaced, seq)
			}
			f.dicts[id] = append(f.dicts[id], m)
		}
		f.divide()
		at := 0
		for k, u := range f.units {
			if u.from != at || u.to <= u.from {
				t.Fatal(f.units)
			}
			at = u.to
			first, last := f.batches[u.from].seq, f.batches[u.to-1].seq
			between := func(a, b int32) bool {
				return slices.ContainsFunc(f.replaced, func(s int32) bool { return s > a && s < b })
			}
			if between(first, last) || k > 0 && !between(f.batches[f.units[k-1].from].seq, first) {
				t.Fatal(f.units, f.replaced, f.batches)
			}
			for id := range f.dicts {
				if d := differ(plainMessages(f, id, u), f.dictMessages(id, u)); d {
					t.Fatal(id, u, f.dicts[id])
				}
			}
		}
		if at != len(f.batches) {
			t.Fatal(f.units)
		}
	}
}

func differ(a, b []message) bool {
	return slices.CompareFunc(a, b, func(x, y message) int { return gocmp.Compare(x.seq, y.seq) }) != 0
}

func plainMessages(f *File, id int64, u unit) (out []message) {
	for i, m := range f.dicts[id] {
		if i > 0 && m.seq > f.batches[u.to-1].seq {
			break
		}
		if !m.delta {
			out = nil
		}
		out = append(out, m)
	}
	return out
}

func TestACompressorsErrorLeavesNothing(t *testing.T) {
	for _, codec := range []string{"lz4", "zstd"} {
		pool := mem.NewPool(32<<20, mem.Protect())
		acct := pool.Account("test", 0)
		k := newPacker(codec, acct)
		broken := errors.New("broken")
		k.into = func([]byte, []byte) (int, error) { return 0, broken }
		if _, err := k.pack(make([]byte, 100)); !errors.Is(err, broken) {
			t.Error(err)
		}
		k.release()
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	}
}

// writeInts writes numbers, in batches of step rows, and returns the bytes of each file.
func writeInts(path string, dir bool, codec string, n, step int, size int64) (out []int64, err error) {
	first, err := ramp(0, 0)
	if err != nil {
		return nil, err
	}
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	enc, err := NewEncoder(first.Schema, codec, 0, acct)
	if err != nil {
		return nil, err
	}
	w, err := text.NewWriter(vfs.OS(), path, dir, enc, text.WriterOptions{Acct: acct, FileSize: size, Extension: ".arrow"})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	for at := 0; at < n; at += step {
		b, err := ramp(at, min(step, n-at))
		if err != nil {
			return nil, err
		}
		if err := w.Write(context.Background(), b); err != nil {
			return nil, err
		}
	}
	if _, err := w.Close(context.Background()); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(path, "*.arrow"))
	if err != nil {
		return nil, err
	}
	for _, p := range names {
		st, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		out = append(out, st.Size())
	}
	return out, errors.Join(acct.Close(), pool.Close())
}

// A file is cut by what it will have, rows that are held back for a record batch included.
func TestFilesSmallerThanARecordBatch(t *testing.T) {
	for _, codec := range []string{"none", "lz4", "zstd"} {
		var want []int64
		for _, step := range []int{100_000, 777} {
			got, err := writeInts(t.TempDir(), true, codec, 100_000, step, 100<<10)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: batches of %d rows make other files: %s", codec, step, d)
			}
			for i, n := range got {
				if n > 110<<10 || codec == "none" && i < len(got)-1 && n < 80<<10 {
					t.Errorf("%s: a file of %d bytes: %v", codec, n, got)
				}
			}
		}
	}
}
