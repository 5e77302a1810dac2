package jsonl

import (
	"context"
	"errors"
	"fmt"
	"math"
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
	"pgregory.net/rapid"
)

func put(t interface {
	Helper()
	Fatal(...any)
}, dir, name, body string) string {
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
	str := map[string]batch.Type{"a": batch.Of(batch.String)}
	for _, c := range []struct {
		name, body   string
		types        map[string]batch.Type
		schema, rows string
	}{
		{"in order of appearance", `{"b":1}` + "\n" + `{"a":2,"b":null}` + "\n", nil, "b int64, a int64", "1|- -|2"},
		{"no line break at the end", `{"a":1}`, nil, "a int64", "1"},
		{"blank lines and carriage returns", "\r\n{\"a\":1}\r\n  \n{\"a\":2}\r\n", nil, "a int64", "1 2"},
		{"byte order mark", "\xef\xbb\xbf{\"a\":1}\n", nil, "a int64", "1"},
		{"an empty object is a row of nulls", "{}\n{\"a\":1}\n{ }\n", nil, "a int64", "- 1 -"},
		{"several kinds are text", `{"a":1}` + "\n" + `{"a":"x"}` + "\n" + `{"a":[ 1, "y z" ]}` + "\n" + `{"a":true}`, nil, "a string", `1 x [1,"y z"] true`},
		{"arrays and objects are JSON", `{"a":{"b" : [1, {"c":"\" "}]},"d":1}`, nil, "a string, d int64", `{"b":[1,{"c":"\" "}]}|1`},
		{"all null", `{"a":null}`, nil, "a null", "-"},
		{"types decides", `{"a":1.50}` + "\n" + `{"a":"x"}`, str, "a string", "1.50 x"},
		{"quotes do not matter to types", `{"a":"5"}` + "\n" + `{"a":6}`, map[string]batch.Type{"a": batch.Of(batch.Int8)}, "a int8", "5 6"},
		{"decimals are exact", `{"a":12345678901234567.89}`, map[string]batch.Type{"a": batch.DecimalOf(20, 3)}, "a decimal(20, 3)", "12345678901234567.890"},
		{"instants", `{"a":"2024-01-01T10:00:00+02:00"}`, nil, "a timestamp(us, utc)", "2024-01-01T08:00:00Z"},
	} {
		for _, unit := range []int64{0, 3, 7} {
			f, err := Open(t.Context(), vfs.OS(), put(t, t.TempDir(), "t.jsonl", c.body), Options{Types: c.types, unit: unit})
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
	whole := "; each line holds one object whole (jq -c . makes it so)"
	for body, want := range map[string]string{
		"{}\n":                       "line 1: no object has a key that would make a column (types: {name: type} says which columns there are)",
		"{\"a\":1}\n[1]":             "line 2: the line begins with an array; each line holds one object (jq -c '.[]' makes it so)",
		"{\"a\":1}\n1":               "line 2: the line does not begin with a brace; each line holds one JSON object",
		"{\n\"a\":1}":                "line 1: the line ends where a key in double quotes was expected" + whole,
		"{\"a\":1,\n":                "line 1: the line ends where a key in double quotes was expected" + whole,
		"{\"a\":1,}":                 `line 1: "}" stands where a key in double quotes was expected`,
		"{'a':1}":                    `line 1: "'a':1}" stands where a key in double quotes was expected`,
		"{\"a\" 1}":                  `line 1: "1}" stands where a colon after a key was expected`,
		"{\"a\":1 2}":                `line 1: "2}" stands where a comma or a brace after a value was expected`,
		"{\"a\":}":                   `line 1: "}" stands where a value was expected`,
		"{\"a\":tru}":                `line 1: "tru}" stands where a value was expected`,
		"{\"a\":nan}":                `line 1: "nan}" stands where a value was expected`,
		"{\"a\":01}":                 `line 1: "01}" stands where a number without zeros before it was expected`,
		"{\"a\":-}":                  `line 1: "-}" stands where a number without zeros before it was expected`,
		"{\"a\":1.}":                 `line 1: "1.}" stands where a number with digits behind its point was expected`,
		"{\"a\":1e}":                 `line 1: "1e}" stands where a number with an exponent was expected`,
		"{\"a\":1}{\"a\":2}":         "line 1: something follows the object; each line holds one (jq -c . makes it so)",
		"{\"a\":1,\"a\":2}":          `line 1: the line has the key "a" twice`,
		"{\"a\":1,\"\\u0061\":2}":    `line 1: the line has the key "a" twice`,
		"{\"\":1}":                   "line 1: a key is empty; a column needs a name",
		"{\"a\":\"x":                 "line 1: the line ends within a string",
		"{\"a\":\"\\":                "line 1: the line ends within a string",
		"{\"a\":\"\\\r\\u":           "line 1: a string holds an escape that JSON does not have: \\",
		"{\"a\":\"\\q\"}":            `line 1: a string holds an escape that JSON does not have: \q"}`,
		"{\"a\":\"\\u12g4\"}":        `line 1: a string holds an escape \u without four hexadecimal digits`,
		"{\"a\":\"\\ud800\"}":        `line 1: a string holds half of a pair of surrogates (\ud800 to \udfff), which is no character`,
		"{\"a\":\"\\udc00\\ud800\"}": `line 1: a string holds half of a pair of surrogates (\ud800 to \udfff), which is no character`,
		"{\"a\":\"\t\"}":             `line 1: a string holds a control character; it must be escaped, as \t or \u0000`,
		"{\"a\":\"\xff\"}":           "line 1: the line is not valid UTF-8; convert the file first, for instance with iconv -f latin1 -t utf-8",
		"{\"a\":\"\xed\xa0\x80\"}":   "line 1: the line is not valid UTF-8; convert the file first, for instance with iconv -f latin1 -t utf-8",
		"{\"a\":[1,]}":               `line 1: "]}" stands where a value was expected`,
		"{\"a\":[1":                  "line 1: the line ends within an array or object" + whole,
		"{\"a\":{\"b\"}}":            `line 1: "}}" stands where a colon after a key was expected`,
		"{\"a\":" + strings.Repeat("[", 1_000_000): "line 1: arrays and objects lie more than 500 deep in each other",
	} {
		// Found at once, and by a reader whose units begin anywhere.
		for i, head := range []int64{0, 1} {
			p := put(t, t.TempDir(), "t.jsonl", body)
			want := want
			if i == 1 { // the sample is a line that is well formed
				p = put(t, t.TempDir(), "t.jsonl", "{\"a\":\"\"}\n"+body)
				if want = strings.Replace(strings.Replace(want, "line 2", "line 3", 1), "line 1", "line 2", 1); strings.Contains(want, "no object has a key") || strings.HasPrefix(body, "{\"\"") {
					continue
				}
			}
			f, err := Open(t.Context(), vfs.OS(), p, Options{unit: 4, head: head})
			if err == nil {
				_, err = rowsOf(f, nil, 0)
			}
			if err == nil || err.Error() != p+": "+want || !errors.Is(err, format.ErrMalformed) {
				t.Errorf("%.40q: %v", body, err)
			}
		}
	}
}

func TestALineThatIsTooLong(t *testing.T) {
	p := put(t, t.TempDir(), "t.jsonl", "{\"a\":1}\n{\"a\":\""+strings.Repeat("x", 17<<20))
	for _, head := range []int64{0, 1} {
		f, err := Open(t.Context(), vfs.OS(), p, Options{head: head})
		if err == nil {
			_, err = rowsOf(f, all(f), 0)
		}
		if err == nil || err.Error() != p+": line 2: a record is longer than 16 MiB: is this a file of one JSON object a line?" {
			t.Error(err)
		}
	}
	f, err := Open(t.Context(), vfs.OS(), p, Options{head: 1})
	if err != nil {
		t.Fatal(err)
	}
	pool := mem.NewPool(6 << 20)
	_, err = unitRows(f, pool.Account("test", 0), 0, []int{0}, []batch.Type{batch.Of(batch.Int64)}, 0, nil)
	if !errors.Is(err, mem.ErrLimit) || !strings.HasPrefix(err.Error(), p+": line 2: a record is longer than ") {
		t.Error(err)
	}
}

func TestManyKeysAreRefused(t *testing.T) {
	var b strings.Builder
	for i := range maxColumns + 1 {
		fmt.Fprintf(&b, "{\"k%d\":1}\n", i)
	}
	_, err := Open(t.Context(), vfs.OS(), put(t, t.TempDir(), "t.jsonl", b.String()), Options{})
	if err == nil || !strings.HasSuffix(err.Error(), `line 10001: the key "k10000" is one more than the 10000 columns that a table may have; are keys values here?`) {
		t.Error(err)
	}
}

func TestAMisfitNamesItsPlace(t *testing.T) {
	for _, c := range []struct {
		body, want string
		types      map[string]batch.Type
	}{
		{"{\"a\":1}\n{\"a\":1.5}\n", "line 2: column a: 1.5 is not int64, as in the first 64 MB of the file (types: {a: string} reads it as text)", nil},
		{"{\"a\":1}\n{\"a\":\"5\"}\n", `line 2: column a: "5" is not int64, as in the first 64 MB of the file (types: {a: string} reads it as text)`, nil},
		{"{\"a\":true}\n{\"a\":[1]}\n", "line 2: column a: [1] is not bool, as in the first 64 MB of the file (types: {a: string} reads it as text)", nil},
		{"{\"a\":\"2024-01-01\"}\n{\"a\":2024}\n", "line 2: column a: 2024 is not date, as in the first 64 MB of the file (types: {a: string} reads it as text)", nil},
		{"{\"a\":1}\n{\"a\":300}\n", "line 2: column a: 300 is not int8, as types says (types: {a: string} reads it as text)", map[string]batch.Type{"a": batch.Of(batch.Int8)}},
		{"{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":\n", "line 2: the line ends where a value was expected; each line holds one object whole (jq -c . makes it so)", nil},
		{"{\"a\":1,\"b\":2}\n{\"b\":\"x\"}\n{\"a\":1.5}\n", `line 2: column b: "x" is not int64, as in the first 64 MB of the file (types: {b: string} reads it as text)`, nil},
		{"{\"a\":1}\n{\"b\":1}\n", `line 2: the key "b" is new, the first 64 MB of the file do not have it (types: {b: string} makes it a column)`, nil},
	} {
		for _, step := range []int{0, 1} {
			p := put(t, t.TempDir(), "t.jsonl", c.body)
			f, err := Open(t.Context(), vfs.OS(), p, Options{head: 5, Types: c.types})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = rowsOf(f, all(f), step); err == nil || err.Error() != p+": "+c.want {
				t.Error(err)
			}
		}
	}
}

func TestTypesMakeColumnsThatComeLater(t *testing.T) {
	p := put(t, t.TempDir(), "t.jsonl", "{\"a\":1}\n{\"b\":1}\n")
	f, err := Open(t.Context(), vfs.OS(), p, Options{head: 5, Types: map[string]batch.Type{"b": batch.Of(batch.Float64)}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rowsOf(f, all(f), 0)
	if d := cmp.Diff([][]string{{"1", "-"}, {"-", "1.0"}}, rows); err != nil || d != "" {
		t.Error(err, d)
	}
}

// roundTypes are types whose values come back as they were.
func roundTypes() []batch.Type {
	return []batch.Type{batch.Of(batch.String), batch.Of(batch.Bool), batch.Of(batch.Int64), batch.Of(batch.Uint64), batch.Of(batch.Float64), batch.Of(batch.Float32),
		batch.DecimalOf(9, 2), batch.DecimalOf(38, 7), batch.Of(batch.Date), batch.TimestampOf(batch.Nano, false), batch.TimestampOf(batch.Milli, true)}
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
		return rapid.String().Draw(t, "v")
	case batch.KindFloat64:
		if typ.ID == batch.Float32 {
			return float64(rapid.Float32().Draw(t, "v"))
		}
		return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 1 << 60, math.Copysign(0, -1)})).Draw(t, "v")
	case batch.KindInt128:
		return batch.Int128Of(rapid.Int64().Draw(t, "v"))
	}
	if typ.ID == batch.Int64 || typ.ID == batch.Uint64 {
		return rapid.Int64().Draw(t, "v")
	}
	return rapid.Int64Range(-900_000, 900_000).Draw(t, "v")
}

// TestWhatIsWrittenIsRead writes random rows and reads them back, over all sizes of units and batches, however compressed.
func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		schema, types := &batch.Schema{}, map[string]batch.Type{}
		for range rapid.IntRange(1, 4).Draw(t, "columns") {
			f := batch.Field{Name: rapid.StringN(1, 5, 20).Draw(t, "name"), Type: rapid.SampledFrom(roundTypes()).Draw(t, "type"), Nullable: true}
			if schema.Index(f.Name) < 0 {
				schema.Fields = append(schema.Fields, f)
				types[f.Name] = f.Type
			}
		}
		var rows [][]any
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			var row []any
			for _, f := range schema.Fields {
				row = append(row, value(t, f.Type))
			}
			rows = append(rows, row)
		}
		b, err := batchtest.Batch(nil, schema, rows, func(col int) batchtest.Layout { return batchtest.Layout(col % int(batchtest.Layouts)) })
		if err != nil {
			t.Fatal(err)
		}
		var want [][]string
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
			want = append(want, row)
		}
		enc, err := NewEncoder(schema)
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(dir, "t.jsonl")
		_ = os.Remove(p)
		w, err := text.NewWriter(vfs.OS(), p, false, enc, text.WriterOptions{Codec: rapid.SampledFrom([]text.Codec{text.Plain, text.Gzip, text.Zstd}).Draw(t, "codec")})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if err := w.Write(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		f, err := Open(context.Background(), vfs.OS(), p, Options{Types: types, unit: rapid.Int64Range(1, 60).Draw(t, "unit")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := rowsOf(f, all(f), rapid.IntRange(0, 4).Draw(t, "step"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestLongTextsAreEscapedInPieces(t *testing.T) {
	long := strings.Repeat("é\"\n", 100_000)
	schema := batch.NewSchema(batch.Field{Name: "a", Type: batch.Of(batch.String)})
	b, err := batchtest.Batch(nil, schema, [][]any{{long}}, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	enc, err := NewEncoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), "t.jsonl")
	w, err := text.NewWriter(vfs.OS(), p, false, enc, text.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := Open(t.Context(), vfs.OS(), p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := rowsOf(f, []int{0}, 0); err != nil || rows[0][0] != long {
		t.Error(err)
	}
}

// FuzzRead finds that no text makes the reader fail but with an error, and that units and batches change nothing.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"{\"a\":1}\n{\"b\":\"x\"}", "\xef\xbb\xbf{\"a\":[{},{\"b\" : null}]}\r\n\n{}", "{\"a\":\"\\ud83d\\ude00\\n\"}", "{\"a\":-1.5e+3,\"b\":Infinity}", "{\"a\":1,\"a\":2}", "{\"a\":\"2024-01-01\"}\n{\"a\":\"2024-01-01T10:00Z\"}",
		"{\"a\":18446744073709551615}\n{\"a\":1e999}", "[1]", "{\"a\":1}x", "{\"\\u0061\":tru"} {
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, body string, unit uint8) {
		p := put(t, t.TempDir(), "t.jsonl", body)
		var want [][]string
		var first error
		for i, u := range []int64{0, int64(unit%32) + 1} {
			f, err := Open(t.Context(), vfs.OS(), p, Options{unit: u})
			var got [][]string
			if err == nil {
				if got, err = rowsOf(f, all(f), i); err != nil {
					t.Fatalf("what was sampled is not read: %v", err)
				}
			}
			if i == 0 {
				want, first = got, err
			} else if fmt.Sprint(err) != fmt.Sprint(first) || err == nil && cmp.Diff(want, got) != "" {
				t.Fatalf("%v, %v\n%s", first, err, cmp.Diff(want, got))
			}
		}
	})
}
