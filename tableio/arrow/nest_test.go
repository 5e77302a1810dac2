package arrow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/batch/nested"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/text"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// writeColumns writes a table of columns, in batches of step rows.
func writeColumns(t *rapid.T, p string, codec string, schema *batch.Schema, cols []*batch.Column, recordRows, step int) {
	pool := mem.NewPool(256<<20, mem.Protect())
	acct := pool.Account("test", 0)
	enc, err := NewEncoder(schema, codec, recordRows, acct)
	if err != nil {
		t.Fatal(err)
	}
	w, err := text.NewWriter(vfs.OS(), p, false, enc, text.WriterOptions{Acct: acct})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	all := &batch.Batch{Schema: schema, Cols: cols, N: cols[0].N}
	for i := 0; i < cols[0].N; i += step {
		j := min(i+step, cols[0].N)
		b, err := all.Slice(acct, i, j)
		if err != nil {
			t.Fatal(err)
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
}

// nestedCell is a nested value as JSON, whose leaves are cells.
func nestedCell(c *batch.Column, i int) string {
	t, err := nested.Of(c.Type)
	if err != nil {
		panic(err)
	}
	p := nested.NewPrinter(t, nested.JSON, func(dst []byte, c *batch.Column) ([]byte, bool) {
		return append(dst, cell(c, 0)...), c.Type.IsInteger() || c.Type.ID == batch.Bool
	})
	out, err := p.Append(nil, c.Value(i))
	if err != nil {
		panic(err)
	}
	return string(out)
}

// encoded is a value as it is encoded, or as cell has it.
func encoded(c *batch.Column, i int) string {
	if c.Type.ID != batch.Nested || c.IsNull(i) {
		return cell(c, i)
	}
	return string(c.Value(i))
}

// TestNestedColumnsAreReadAsTheyWereWritten writes values of random nested types, in batches and record batches of any size, and reads them back.
func TestNestedColumnsAreReadAsTheyWereWritten(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 7, 300, 6000}).Draw(t, "rows")
		rnd := batchtest.LCG(rapid.Uint64().Draw(t, "seed"))
		schema, cols := &batch.Schema{}, []*batch.Column(nil)
		for i := range rapid.IntRange(1, 3).Draw(t, "columns") {
			typ := batchtest.NestedType(1+rnd(4), rnd)
			schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: typ.Batch(), Nullable: true})
			cols = append(cols, batchtest.NestedColumn(typ, true, n, rnd))
		}
		schema.Fields = append(schema.Fields, batch.Field{Name: "id", Type: batch.Of(batch.Int64), Nullable: true})
		cols = append(cols, &batch.Column{Type: batch.Of(batch.Int64), N: n, Fixed: batch.BytesOf(make([]int64, n))})
		p := filepath.Join(dir, "t.arrow")
		_ = os.Remove(p)
		codec := rapid.SampledFrom([]string{"none", "lz4", "zstd"}).Draw(t, "compression")
		writeColumns(t, p, codec, schema, cols, rapid.SampledFrom([]int{0, 100, 5000}).Draw(t, "rows of a record batch"), rapid.SampledFrom([]int{13, 1000, 9000}).Draw(t, "rows of a batch"))
		f, err := Open(context.Background(), vfs.OS(), p)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(schema, f.Schema()); d != "" {
			t.Fatal(d)
		}
		got, err := columnsAs(f, all(f), rapid.SampledFrom([]int{0, 7, 1000}).Draw(t, "step"), 64<<20, encoded)
		if err != nil {
			t.Fatal(schema.Fields, err)
		}
		for k, c := range cols {
			var want []string
			for i := range c.N {
				want = append(want, encoded(c, i))
			}
			if d := cmp.Diff(want, got[k]); d != "" {
				t.Fatal(schema.Fields[k].Type, d)
			}
		}
	})
}

// craftedList is a field with one in it.
func craftedList(w *builder, name string, kind int64, child int) int {
	return craftedField(w, name, kind, w.table(), 0, child)
}

// What is not read says why, and the way to it; the other columns can be read without it. What is malformed is refused.
func TestNestedColumnsThatAreNotReadAreNamed(t *testing.T) {
	for want, field := range map[string]func(w *builder) int{
		"nested and holds an interval (c.item.x)": func(w *builder) int {
			inner := craftedField(w, "item", typeStruct, w.table(), 0, craftedField(w, "x", typeInterval, w.table(), 0))
			return craftedList(w, "c", typeList, inner)
		},
		"nested and holds a union (c.item)": func(w *builder) int {
			return craftedList(w, "c", typeLargeList, craftedField(w, "item", typeUnion, w.table(), 0))
		},
		"nested and holds run-end encoded (c.entries.value)": func(w *builder) int {
			key, value := craftedField(w, "key", typeUtf8, w.table(), 0), craftedField(w, "value", typeRunEnd, w.table(), 0)
			return craftedList(w, "c", typeMap, craftedField(w, "entries", typeStruct, w.table(), 0, key, value))
		},
		"nested and holds a duration (c.item)": func(w *builder) int {
			return craftedList(w, "c", typeList, craftedField(w, "item", typeDuration, w.table(), 0))
		},
		"a struct without fields": func(w *builder) int { return craftedField(w, "c", typeStruct, w.table(), 0) },
		"a dictionary of nested values": func(w *builder) int {
			return craftedField(w, "c", typeList, w.table(), w.table(slot{i: 0, size: 8, v: 1}), craftedField(w, "item", typeBool, w.table(), 0))
		},
		`malformed file: column "c" is nested, and has 0 parts`: func(w *builder) int { return craftedField(w, "c", typeList, w.table(), 0) },
		`malformed file: column "c" is a map whose entries are no keys and values`: func(w *builder) int {
			return craftedList(w, "c", typeMap, craftedField(w, "entries", typeBool, w.table(), 0))
		},
	} {
		var c crafted
		c.schema(func(w *builder) []int { return []int{field(w), craftedField(w, "other", typeBool, w.table(), 0)} })
		f, err := opened(t, c.b)
		if err == nil && f.Schema().Fields[0].Type == batch.Of(batch.Nested) && f.Unread(1) == "" {
			err = errors.New(": " + f.Unread(0))
		}
		if err == nil || !strings.Contains(err.Error(), ": "+want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

// craftedLists is a column of lists of numbers, whose buffers are given.
func craftedLists(kind int64, nullable int64, rows rows) []byte {
	var c crafted
	c.schema(func(w *builder) []int {
		number := w.table(slot{i: 0, to: w.string("item")}, slot{i: 3, to: w.table(slot{i: 0, size: 4, v: 64}, slot{i: 1, size: 1, v: 1})},
			slot{i: 5, to: w.offsets(nil)}, slot{i: 1, size: 1, v: nullable}, slot{i: 2, size: 1, v: typeInt})
		return []int{craftedList(w, "c", kind, number)}
	})
	c.batch(rows)
	return c.b
}

// Parts that do not agree with each other are errors; lists may leave elements out.
func TestListsAndTheirElements(t *testing.T) {
	five := words(1, 2, 3, 4, 5)
	of := func(elements int64, bufs ...[]byte) rows {
		return rows{n: 2, nodes: []int64{2, 0, elements, 0}, bufs: bufs, codec: -1}
	}
	oneNull := rows{n: 2, nodes: []int64{2, 0, 5, 1}, bufs: [][]byte{nil, ints(0, 1, 3), {0x1d}, five}, codec: -1}
	for name, c := range map[string]struct {
		b      []byte
		values []string
		err    string
	}{
		"gaps":               {b: craftedLists(typeList, 1, of(5, nil, ints(1, 2, 4), nil, five)), values: []string{"[2]", "[3,4]"}},
		"views with gaps":    {b: craftedLists(typeListView, 1, of(5, nil, ints(1, 4), ints(2, 1), nil, five)), values: []string{"[2,3]", "[5]"}},
		"an empty view":      {b: craftedLists(typeListView, 1, of(5, nil, ints(3, 0), ints(2, 0), nil, five)), values: []string{"[4,5]", "[]"}},
		"a null element":     {b: craftedLists(typeList, 1, oneNull), values: []string{"[1]", "[null,3]"}},
		"nulls where none":   {b: craftedLists(typeList, 0, oneNull), err: "malformed file: column c: malformed nested value: a null in a list<int64 not null>"},
		"views out of order": {b: craftedLists(typeListView, 1, of(5, nil, ints(3, 0), ints(2, 2), nil, five)), err: "column c has lists that are not in the order of their rows, or that share elements, which is not read from Arrow files"},
		"beyond the end":     {b: craftedLists(typeList, 1, of(3, nil, ints(1, 2, 4), nil, five)), err: "the lists of column c point behind their elements"},
		"fewer values":       {b: craftedLists(typeList, 1, of(6, nil, ints(1, 2, 4), nil, five)), err: "column c.item has 40 bytes for 6 rows"},
		"descending":         {b: craftedLists(typeList, 1, of(5, nil, ints(2, 1, 4), nil, five)), err: "the offsets of column c do not ascend"},
		"fewer offsets":      {b: craftedLists(typeList, 1, of(5, nil, ints(1, 2), nil, five)), err: "column c has 8 bytes for 2 rows"},
		"fewer lengths":      {b: craftedLists(typeListView, 1, of(5, nil, ints(1, 2), ints(1), nil, five)), err: "column c has 4 bytes for 2 rows"},
	} {
		f, err := opened(t, c.b)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, step := range []int{0, 1} {
			got, err := columnsOf(f, []int{0}, step, 32<<20)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s, batches of %d: %v, %v", name, step, got, err)
				}
			} else if d := cmp.Diff(c.values, got[0]); d != "" || err != nil {
				t.Errorf("%s, batches of %d: %s %v", name, step, d, err)
			}
		}
	}
}

// A struct of fewer rows than it is asked for is refused before it is read.
func TestStructsWithFewerRowsAreRefused(t *testing.T) {
	var c crafted
	c.schema(func(w *builder) []int {
		return []int{craftedField(w, "c", typeStruct, w.table(), 0, craftedField(w, "x", typeBool, w.table(), 0))}
	})
	c.batch(rows{n: 9, nodes: []int64{9, 0, 8, 0}, bufs: [][]byte{nil, nil, {1}}, codec: -1})
	f, err := opened(t, c.b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := columnsOf(f, []int{0}, 0, 32<<20); err == nil || !strings.Contains(err.Error(), "malformed file: column c.x has 8 rows in one of 9") {
		t.Error(err)
	}
}
