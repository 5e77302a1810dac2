package tableio

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"

	"github.com/google/go-cmp/cmp"
)

func putText(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(body), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesOfTextMakeOneSchema(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		spec  Spec
		want  string // the schema, or what the error says
	}{
		{"all alike", map[string]string{"a.csv": "x,y\n1,a\n", "b.csv": "x,y\n2,b\n"}, Spec{}, "x int64, y string"},
		{"a column without values takes the others' type", map[string]string{"a.csv": "x,y\n,\n", "b.csv": "y,x\n1.5,2\n"}, Spec{}, "x int64, y float64"},
		{"without values anywhere it is text", map[string]string{"a.csv": "x,y\n,\n"}, Spec{}, "x string, y string"},
		{"int and float", map[string]string{"a.csv": "x\n1\n", "b.csv": "x\n1.5\n"}, Spec{}, "column x is int64 in"},
		{"types decides", map[string]string{"a.csv": "x\n1\n", "b.csv": "x\n1.5\n"}, Spec{Types: map[string]batch.Type{"x": batch.Of(batch.Float32)}}, "x float32"},
		{"a column that is missing", map[string]string{"a.csv": "x,y\n1,2\n", "b.csv": "x\n1\n"}, Spec{}, "column y is in"},
		{"union", map[string]string{"a.csv": "x,y\n1,2\n", "b.csv": "x\n1\n"}, Spec{SchemaMode: Union}, "x int64, y int64"},
		{"formats mixed", map[string]string{"a.csv": "x\n1\n", "b.tsv": "x\n1\n"}, Spec{}, "a table is of one format"},
		{"a format for all", map[string]string{"a.txt": "x\n1\n", "b.tsv": "x\n1\n"}, Spec{Format: CSV}, "x int64"},
		{"the first file that is broken is told of", map[string]string{"a.csv": "x\n1\n", "b.csv": "", "c.csv": "x\n\"\n"}, Spec{}, "b.csv: line 1: the file is empty"},
		{"an empty file of objects has the others' columns", map[string]string{"a.jsonl": "", "b.jsonl": `{"y":1,"x":"t"}`}, Spec{}, "y int64, x string"},
		{"so has a blank one behind them", map[string]string{"a.jsonl": `{"y":1,"x":"t"}`, "b.jsonl": "\n \n"}, Spec{}, "y int64, x string"},
		{"and one with types of some", map[string]string{"a.jsonl": "", "b.jsonl": `{"y":1,"x":"t"}`}, Spec{Types: map[string]batch.Type{"x": batch.Of(batch.Binary)}}, "y int64, x binary"},
		{"and one in a directory", map[string]string{"d=1/a.jsonl": "", "d=2/b.jsonl": `{"y":1}`}, Spec{}, "y int64, d int64"},
		{"empty files alone have those of types", map[string]string{"a.jsonl": "", "b.jsonl": ""}, Spec{Types: map[string]batch.Type{"y": batch.Of(batch.Int8), "x": batch.Of(batch.Bool)}}, "x bool, y int8"},
		{"or none", map[string]string{"a.jsonl": ""}, Spec{}, "a.jsonl: line 1: the file is empty, so its columns are not known (types: {name: type} says which there are)"},
	} {
		dir := t.TempDir()
		putText(t, dir, c.files)
		c.spec.Paths = []string{dir}
		table, err := Open(t.Context(), vfs.OS(), c.spec)
		got := fmt.Sprint(err)
		if err == nil {
			var fields []string
			for _, f := range table.Schema().Fields {
				fields = append(fields, f.Name+" "+f.Type.String())
			}
			got = strings.Join(fields, ", ")
		}
		if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestAFolderOfParquetLeavesTextOut(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.parquet"), []narrow{{}})
	putText(t, dir, map[string]string{"notes.csv": "x\n\"", "b.jsonl": "{}"})
	table, err := Open(t.Context(), vfs.OS(), Spec{Paths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(1, len(table.Files())); d != "" {
		t.Error(d)
	}
	if _, err := Open(t.Context(), vfs.OS(), Spec{Paths: []string{filepath.Join(dir, "a.parquet"), filepath.Join(dir, "notes.csv")}}); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}
