package csv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/format"
	"pqjoin/tableio/text"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

type fataler interface {
	Helper()
	Fatal(...any)
}

func put(t fataler, dir, name, body string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// rowsOf reads all units, in order, and returns every value as text, nulls as "-".
func rowsOf(f *File, cols []int, step int) (rows [][]string, err error) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	types := make([]batch.Type, len(cols))
	for i, c := range cols {
		if types[i] = f.Schema().Fields[c].Type; types[i].ID == batch.Null {
			types[i] = batch.Of(batch.String)
		}
	}
	for u := range f.Units() {
		if rows, err = unitRows(f, acct, u, cols, types, step, rows); err != nil {
			break
		}
	}
	return rows, errors.Join(err, acct.Close(), pool.Close())
}

func unitRows(f *File, acct *mem.Account, u int, cols []int, types []batch.Type, step int, rows [][]string) ([][]string, error) {
	st, err := f.Read(context.Background(), acct, u, cols, types, format.ReadOptions{BatchRows: step})
	if err != nil {
		return rows, err
	}
	err = batchtest.Drain(st, func(b *batch.Batch) {
		for i := range b.N {
			row := []string{}
			for _, c := range b.Cols {
				switch {
				case c.IsNull(i):
					row = append(row, "-")
				case c.Type.ID == batch.String:
					row = append(row, string(c.Value(i)))
				default:
					row = append(row, string(text.Appender(c)(nil, i)))
				}
			}
			rows = append(rows, row)
		}
	})
	return rows, err
}

func all(f *File) []int {
	return batch.Positions(len(f.Schema().Fields))
}

func TestReads(t *testing.T) {
	for _, c := range []struct{ name, body, schema, rows string }{
		{"plain", "a,b\n1,x\n2,y\n", "a int64, b string", "1|x 2|y"},
		{"no line break at the end", "a,b\n1,x\n2,y", "a int64, b string", "1|x 2|y"},
		{"crlf", "a,b\r\n1,x\r\n2,\r\n", "a int64, b string", "1|x 2|-"},
		{"byte order mark", "\xef\xbb\xbfa,b\n1,x\n", "a int64, b string", "1|x"},
		{"quotes", "a,\"b \"\"q\"\"\"\n\"1\",\"x,\ny\"\"\"\n", "a int64, b \"q\" string", "1|x,\ny\""},
		{"empty is null, in quotes too", "a,b\n\"\",1\n,2\n", "a null, b int64", "-|1 -|2"},
		{"empty lines are left out", "\na,b\n\n1,2\n\n", "a int64, b int64", "1|2"},
		{"of one column they are null", "a\n1\n\n3\n", "a int64", "1 - 3"},
		{"no rows", "a,b\n", "a null, b null", ""},
		{"a column without a name", ",b\n1,2\n", "column0 int64, b int64", "1|2"},
	} {
		for _, unit := range []int64{0, 3, 7} {
			f, err := Open(t.Context(), vfs.OS(), put(t, t.TempDir(), "t.csv", c.body), Options{Delim: ',', unit: unit})
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			rows, err := rowsOf(f, all(f), 0)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			var lines, fields []string
			for _, r := range rows {
				lines = append(lines, strings.Join(r, "|"))
			}
			for _, f := range f.Schema().Fields {
				fields = append(fields, f.Name+" "+f.Type.String())
			}
			if got := strings.Join(fields, ", "); got != c.schema {
				t.Errorf("%s: schema %s", c.name, got)
			}
			if got := strings.Join(lines, " "); got != c.rows {
				t.Errorf("%s, units of %d: %q, want %q", c.name, unit, got, c.rows)
			}
			if n, exact := f.Rows(); !exact || n != int64(len(rows)) {
				t.Errorf("%s: %d rows, exact %v", c.name, n, exact)
			}
		}
	}
}

func TestHostileFilesAreOneSentence(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"empty":          {"", "line 1: the file is empty; it must begin with a line of column names"},
		"only breaks":    {"\n\n", "line 1: the file is empty; it must begin with a line of column names"},
		"ragged, long":   {"a,b\n1,2\n1,2,3\n", "line 3: the line has 3 fields, and the header 2"},
		"ragged, short":  {"a,b\n1\n", "line 2: the line has 1 field, and the header 2"},
		"stray quote":    {"a,b\n1,2\n5\" pipe,2\n", "line 3: a quote stands within a field that is not quoted; quote the field and double the quote"},
		"after a quote":  {"a,b\n\"1\"x,2\n", "line 2: text follows the closing quote of a field; a quote within a field is doubled"},
		"not closed":     {"a,b\n1,2\n\"1,2\n3,4\n", "line 3: a quote is not closed before the end of the file"},
		"not UTF-8":      {"a,b\n1,\xff\n", "line 2: the line is not valid UTF-8; convert the file first, for instance with iconv -f latin1 -t utf-8"},
		"NUL":            {"a,b\n1,\x00\n", "line 2: the line holds a NUL byte; is this a text file?"},
		"carriage":       {"a,b\r1,2\r", "line 1: a line ends in a carriage return alone; lines end in LF or CRLF"},
		"twice":          {"a,a\n1,2\n", `line 1: the header names the column "a" twice`},
		"lines in lines": {"a,b\n\"x\ny\nz\",1\n1\n", "line 5: the line has 1 field, and the header 2"},
	} {
		// Found at once, and by a reader whose units begin anywhere.
		for _, head := range []int64{0, 1} {
			p := put(t, t.TempDir(), "t.csv", c.body)
			f, err := Open(t.Context(), vfs.OS(), p, Options{Delim: ',', unit: 4, head: head})
			if err == nil {
				_, err = rowsOf(f, nil, 0)
			}
			if err == nil || err.Error() != p+": "+c.want || !errors.Is(err, format.ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestALineOfManyMegabytesIsRefused(t *testing.T) {
	body := "a,b\n1,2\n\"" + strings.Repeat("x\n", 9<<20)
	p := put(t, t.TempDir(), "t.csv", body)
	for _, head := range []int64{0, 1} {
		f, err := Open(t.Context(), vfs.OS(), p, Options{Delim: ',', head: head})
		if err == nil {
			_, err = rowsOf(f, all(f), 0)
		}
		if err == nil || err.Error() != p+": line 3: a record is longer than 16 MiB: is a quote not closed, or is this no table?" {
			t.Error(err)
		}
	}
}

func TestAMisfitNamesItsPlace(t *testing.T) {
	p := put(t, t.TempDir(), "t.csv", "a,b\n1,2\n\"3\",4\n5,six\n")
	for _, c := range []struct {
		types map[string]batch.Type
		want  string
	}{
		{nil, `line 4: column b: "six" is not int64, as in the first 64 MB of the file (types: {b: string} reads it as text)`},
		{map[string]batch.Type{"b": batch.Of(batch.Int8)}, `line 4: column b: "six" is not int8, as types says (types: {b: string} reads it as text)`},
	} {
		f, err := Open(t.Context(), vfs.OS(), p, Options{Delim: ',', head: 5, Types: c.types})
		if err != nil {
			t.Fatal(err)
		}
		if _, exact := f.Rows(); exact {
			t.Error("rows are exact")
		}
		if _, err = rowsOf(f, all(f), 0); err == nil || err.Error() != p+": "+c.want {
			t.Error(err)
		}
		if _, err = rowsOf(f, []int{0}, 0); err != nil { // which is not read does not matter
			t.Error(err)
		}
	}
}

func TestAChangedFileIsFound(t *testing.T) {
	p := put(t, t.TempDir(), "t.csv", "a,b\n1,2\n")
	f, err := Open(t.Context(), vfs.OS(), p, Options{Delim: ','})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Dir(p), "t.csv", "a,b\n1,2\n3,4\n")
	if err := f.Verify(t.Context()); !errors.Is(err, format.ErrChanged) {
		t.Error(err)
	}
	if _, err := rowsOf(f, all(f), 0); !errors.Is(err, format.ErrChanged) {
		t.Error(err)
	}
}

// field is a value as a test draws it: nil is null.
var field = rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-c ,"\n\r\t]{1,6}`), rapid.StringMatching(`-?[0-9]{1,4}`), rapid.Just("\ufeffx"))

// TestWhatIsWrittenIsRead writes random texts and reads them back, over all sizes of units and batches, however compressed.
func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.IntRange(1, 3).Draw(t, "columns")
		want := [][]string{}
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			want = append(want, rapid.SliceOfN(field, cols, cols).Draw(t, "row"))
		}
		codec := rapid.SampledFrom([]text.Codec{text.Plain, text.Gzip, text.Zstd}).Draw(t, "codec")
		delim := rapid.SampledFrom([]byte{',', '\t'}).Draw(t, "delim")
		p := filepath.Join(dir, "t.csv")
		_ = os.Remove(p)
		writeRows(t, p, want, cols, codec, delim)
		types := map[string]batch.Type{}
		for i := range cols {
			types[fmt.Sprint("c", i)] = batch.Of(batch.String)
		}
		f, err := Open(context.Background(), vfs.OS(), p, Options{Delim: delim, Types: types, unit: rapid.Int64Range(1, 40).Draw(t, "unit"), head: rapid.Int64Range(0, 40).Draw(t, "head")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := rowsOf(f, all(f), rapid.IntRange(0, 4).Draw(t, "step"))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range want {
			for i := range r {
				if r[i] == "" {
					r[i] = "-"
				}
			}
		}
		if d := cmp.Diff(want, append([][]string{}, got...)); d != "" {
			t.Fatal(d)
		}
	})
}

func writeRows(t *rapid.T, path string, rows [][]string, cols int, codec text.Codec, delim byte) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	schema := &batch.Schema{}
	for i := range cols {
		schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: batch.Of(batch.String), Nullable: true})
	}
	enc, err := NewEncoder(schema, delim)
	if err != nil {
		t.Fatal(err)
	}
	w, err := text.NewWriter(vfs.OS(), path, false, enc, text.WriterOptions{Codec: codec, Acct: acct})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	b := &batch.Batch{Schema: schema, N: len(rows)}
	for i := range cols {
		var buf []byte
		var spans []text.Span
		for _, r := range rows {
			spans = append(spans, text.Span{Off: uint32(len(buf)), Len: uint32(len(r[i]))})
			buf = append(buf, r[i]...)
		}
		c, err := text.Convert(acct, batch.Of(batch.String), &text.Cells{Buf: buf, Spans: spans, Stride: 1, N: len(rows)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		b.Cols = append(b.Cols, c)
	}
	if err := w.Write(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestCompressedFilesAreKnownByTheirBytes(t *testing.T) {
	var z, g bytes.Buffer
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	gw := gzip.NewWriter(&g)
	for _, w := range []io.WriteCloser{zw, gw} {
		_, _ = io.WriteString(w, "a,b\n1,2\n")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, body := range []string{z.String(), g.String()} {
		f, err := Open(t.Context(), vfs.OS(), put(t, t.TempDir(), "t.csv", body), Options{Delim: ','})
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := rowsOf(f, all(f), 0); err != nil || cmp.Diff([][]string{{"1", "2"}}, rows) != "" {
			t.Error(rows, err)
		}
		p := put(t, t.TempDir(), "cut.csv", body[:len(body)-6])
		if f, err = Open(t.Context(), vfs.OS(), p, Options{Delim: ','}); err == nil {
			_, err = rowsOf(f, all(f), 0)
		}
		if !errors.Is(err, format.ErrMalformed) {
			t.Error(err)
		}
	}
}

// FuzzRead finds that no text makes the reader fail but with an error, and that units change nothing.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\n\n\"\"\n", "a,b\n\"x\"\"\n\",2\r\n", "\xef\xbb\xbfa\n1", "a,b\n\"", "a,a\n", "\"a\n\nb\"\n1\n2\n", "\n0"} {
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, body string, unit uint8) {
		p := put(t, t.TempDir(), "t.csv", body)
		var want [][]string
		var first error
		for i, u := range []int64{0, int64(unit%32) + 1} {
			f, err := Open(t.Context(), vfs.OS(), p, Options{Delim: ',', unit: u})
			var got [][]string
			if err == nil {
				got, err = rowsOf(f, all(f), 2)
			}
			if i == 0 {
				want, first = got, err
			} else if fmt.Sprint(err) != fmt.Sprint(first) || err == nil && cmp.Diff(want, got) != "" {
				t.Fatalf("%v, %v\n%s", first, err, cmp.Diff(want, got))
			}
		}
	})
}
