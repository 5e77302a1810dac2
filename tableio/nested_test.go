package tableio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"

	"github.com/google/go-cmp/cmp"
)

// asText writes columns of testdata/nested/t.parquet in a format.
func asText(t *testing.T, format string, but ...string) string {
	t.Helper()
	ctx := t.Context()
	f, err := parquet.Open(ctx, vfs.OS(), "testdata/nested/t.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	var cols []int
	schema := &batch.Schema{}
	for i, field := range f.Schema().Fields {
		if !slices.Contains(but, field.Name) {
			cols = append(cols, i)
			schema.Fields = append(schema.Fields, field)
		}
	}
	path := filepath.Join(t.TempDir(), "x")
	w, err := Create(ctx, vfs.OS(), path, false, schema, WriterOptions{Format: format, WriterOptions: parquet.WriterOptions{Acct: acct}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	s, err := f.ReadRowGroup(ctx, acct, 0, cols, parquet.ReadOptions{BatchRows: 7})
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = w.Write(ctx, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.Close(ctx)
	if err := errors.Join(err, s.Close(), acct.Close(), pool.Close()); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNestedColumnsAreTheCSVOfDuckDB(t *testing.T) {
	for _, format := range []string{CSV, TSV} {
		if d := cmp.Diff(read(t, "testdata/nested/duckdb."+format), asText(t, format)); d != "" {
			t.Errorf("%s (-DuckDB +ours): %s", format, d)
		}
	}
}

// The JSON is that of DuckDB but for timestamps, which have a T and a Z here as in columns of their own, and for
// how a number is written.
func TestNestedColumnsAreTheJSONOfDuckDB(t *testing.T) {
	ours := asText(t, JSONL, "special", "keyed")
	want, got := strings.Split(read(t, "testdata/nested/duckdb.jsonl"), "\n"), strings.Split(ours, "\n")
	if len(want) != len(got) {
		t.Fatal(len(want), len(got))
	}
	for i := range want[:len(want)-1] {
		if d := cmp.Diff(parsed(t, want[i]), parsed(t, got[i])); d != "" {
			t.Errorf("line %d (-DuckDB +ours): %s", i, d)
		}
	}
	for line := range strings.Lines(asText(t, JSONL, "special")) {
		if !json.Valid([]byte(line)) {
			t.Errorf("this is no JSON: %s", line)
		}
	}
}

func parsed(t *testing.T, line string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err, line)
	}
	return alike(v)
}

// alike makes timestamps and numbers the same text however they are written.
func alike(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = alike(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = alike(v[k])
			if s, ok := v[k].(string); ok && (k == "t" || k == "z") {
				v[k] = strings.NewReplacer("T", " ", "Z", "", "+00", "").Replace(s)
			}
		}
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil && strings.ContainsAny(v.String(), ".e") {
			return f
		}
	}
	return v
}

// A value of many megabytes passes through writers that hold a piece of it.
func TestLongNestedValuesAreWrittenInPieces(t *testing.T) {
	typ, err := nested.Parse("list<string>")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ elem, csv, json string }{
		{"plain", "plain", `"plain"`},
		{`say "x"`, `'say ""x""'`, `"say \"x\""`},
		{strings.Repeat("long\n", 20_000), strings.Repeat("long\n", 20_000), `"` + strings.Repeat(`long\n`, 20_000) + `"`},
	} {
		n := 3_000_000 / len(c.elem)
		b := &nested.Builder{}
		_ = b.Begin(typ)
		one := &batch.Column{Type: batch.Of(batch.String), N: 1, Off: []uint32{0, uint32(len(c.elem))}, Data: []byte(c.elem)}
		for range n {
			_ = b.Value(one, 0)
		}
		_ = b.End()
		col := &batch.Column{Type: typ.Batch(), N: 1, Off: []uint32{0, uint32(len(b.Bytes))}, Data: b.Bytes}
		schema := batch.NewSchema(batch.Field{Name: "l", Type: col.Type, Nullable: true})
		for format, want := range map[string]string{
			TSV:   "l\n" + quotedIf("["+strings.Repeat(c.csv+", ", n-1)+c.csv+"]") + "\n",
			JSONL: `{"l":[` + strings.Repeat(c.json+",", n-1) + c.json + "]}\n",
		} {
			path := filepath.Join(t.TempDir(), "x")
			w, err := Create(t.Context(), vfs.OS(), path, false, schema, WriterOptions{Format: format})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(t.Context(), &batch.Batch{Schema: schema, Cols: []*batch.Column{col}, N: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); got != want {
				t.Errorf("%s of %d bytes is not the one of %d that it should be", format, len(got), len(want))
			}
		}
	}
}

func quotedIf(s string) string {
	if strings.ContainsAny(s, "\"\n\t") {
		return `"` + s + `"`
	}
	return s
}

func TestNestedTextsThatAreNoUTF8AreRefusedInJSON(t *testing.T) {
	for shape, v := range map[string]string{"list<string>": "\x02\x02a\xff", "map<string, bool>": "\x02\x02a\xff\x01"} {
		col := &batch.Column{Type: batch.Type{ID: batch.Nested, Shape: shape}, N: 1, Off: []uint32{0, uint32(len(v))}, Data: []byte(v)}
		schema := batch.NewSchema(batch.Field{Name: "l", Type: col.Type})
		w, err := Create(t.Context(), vfs.OS(), filepath.Join(t.TempDir(), "x"), false, schema, WriterOptions{Format: JSONL})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(t.Context(), &batch.Batch{Schema: schema, Cols: []*batch.Column{col}, N: 1})
		w.Abort()
		if !errors.Is(err, nested.ErrText) || !strings.Contains(fmt.Sprint(err), "column l") {
			t.Error(shape, err)
		}
	}
}

func TestTextDoesNotHoldNestedBinary(t *testing.T) {
	for _, shape := range []string{"list<binary>", "map<string, struct<a: fixed(3)>>", ""} {
		schema := batch.NewSchema(batch.Field{Name: "l", Type: batch.Type{ID: batch.Nested, Shape: shape}})
		for _, format := range []string{CSV, TSV, JSONL} {
			if err := CheckWrites(schema, format, nil); err == nil || !strings.Contains(err.Error(), `"l"`) {
				t.Error(format, shape, err)
			}
		}
	}
}

// The key of an object is a text, so one that is a list is held whole until it is one.
func TestLongNestedKeysAreRefusedInJSON(t *testing.T) {
	for _, c := range []struct {
		size int
		ok   bool
	}{{900 << 10, true}, {2 << 20, false}} {
		typ, err := nested.Parse("map<list<string>, bool>")
		if err != nil {
			t.Fatal(err)
		}
		b := &nested.Builder{}
		text := strings.Repeat("x", c.size)
		_ = b.Begin(typ)
		_ = b.Begin(typ.Fields[0].Type)
		_ = b.Value(&batch.Column{Type: batch.Of(batch.String), N: 1, Off: []uint32{0, uint32(c.size)}, Data: []byte(text)}, 0)
		_ = b.End()
		_ = b.Null()
		_ = b.End()
		col := &batch.Column{Type: typ.Batch(), N: 1, Off: []uint32{0, uint32(len(b.Bytes))}, Data: b.Bytes}
		schema := batch.NewSchema(batch.Field{Name: "m", Type: col.Type})
		path := filepath.Join(t.TempDir(), "x")
		w, err := Create(t.Context(), vfs.OS(), path, false, schema, WriterOptions{Format: JSONL})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(t.Context(), &batch.Batch{Schema: schema, Cols: []*batch.Column{col}, N: 1})
		if err == nil {
			_, err = w.Close(t.Context())
		}
		w.Abort()
		switch {
		case !c.ok && (err == nil || !strings.Contains(err.Error(), "column m: a key of a map has more than 1048576 bytes of JSON")):
			t.Error(err)
		case c.ok && err != nil:
			t.Error(err)
		case c.ok && read(t, path) != `{"m":{"[\"`+text+`\"]":null}}`+"\n":
			t.Error("another text")
		}
	}
}
