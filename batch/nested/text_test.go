package nested_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"

	"github.com/google/go-cmp/cmp"
)

func texts(dst []byte, c *batch.Column) ([]byte, bool) {
	return strconv.AppendInt(dst, c.Int64s()[0], 10), true
}

func text(s string) *batch.Column {
	return &batch.Column{Type: batch.Of(batch.String), N: 1, Off: []uint32{0, uint32(len(s))}, Data: []byte(s)}
}

// The SQL texts are those that DuckDB 2.0 writes to CSV.
func TestTextsOfValues(t *testing.T) {
	typ, err := nested.Parse("struct<a: list<string>, \"b c\": map<list<int8>, map<string, int8>>, d: list<int8>>")
	if err != nil {
		t.Fatal(err)
	}
	b := &nested.Builder{}
	num := &batch.Column{Type: batch.Of(batch.Int8), N: 1, Fixed: batch.BytesOf([]int64{-7})}
	do := func(errs ...error) {
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	do(b.Begin(typ), b.Begin(typ.Fields[0].Type))
	for _, s := range []string{"a", "b,c", "it's", `d"q`, "", " lead", "NULL", "null", "x{y", "k=v", "new\nline", `back\slash`, "\x01\xff"} {
		do(b.Value(text(s), 0))
	}
	do(b.Null(), b.End())
	m := typ.Fields[1].Type
	do(b.Begin(m), b.Begin(m.Fields[0].Type), b.Value(num, 0), b.End(), b.Begin(m.Fields[1].Type), b.Value(text("k k"), 0), b.Null(), b.End(), b.End())
	do(b.Begin(typ.Fields[2].Type), b.Value(num, 0), b.Null(), b.End(), b.End())
	for style, want := range map[nested.Style]string{
		nested.JSON: `{"a":["a","b,c","it's","d\"q",""," lead","NULL","null","x{y","k=v","new\nline","back\\slash","\u0001` + "\ufffd" + `",null],` +
			`"b c":{"[-7]":{"k k":null}},"d":[-7,null]}`,
		nested.SQL: `{'a': [a, 'b,c', 'it\'s', 'd"q', '', ' lead', 'NULL', 'null', 'x{y', 'k=v', new` + "\n" + `line, 'back\\slash', ` + "\x01\xff" + `, NULL], ` +
			`'b c': {[-7]={k k=NULL}}, 'd': [-7, NULL]}`,
	} {
		got, err := nested.NewPrinter(typ, style, texts).Append(nil, b.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Error(diff)
		}
		if style == nested.JSON && !json.Valid(got) {
			t.Errorf("this is no JSON: %s", got)
		}
	}
}
